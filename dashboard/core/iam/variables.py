"""Policy variables: `${aws:username}` in a resource or a condition's value, as the context fills it.

`${*}`, `${?}` and `${$}` are those characters themselves; `${key, 'default'}` has a value where the context has none.
What the context puts in is plain text: a * in it is no wildcard.
"""

import re
from collections.abc import Iterator, Mapping

from dashboard.core.iam.wildcard import ANY, ONE, prepared

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_WITH_DEFAULT = re.compile(r"\s*([^,']+?)\s*,\s*'([^']*)'\s*")
_LITERAL = ("*", "?", "$")

Context = Mapping[str, tuple[str, ...]]
"""Values by lower-case context key."""


def filled(pattern: str, context: Context, *, enabled: bool) -> str | None:
    """A prepared pattern with its variables put in; None when one has no single value. enabled: else they are text."""
    if not enabled or "${" not in pattern:
        return prepared(pattern)
    parts: list[str] = []
    at = 0
    for found in _VARIABLE.finditer(pattern):
        parts.append(prepared(pattern[at : found.start()]))
        value = _value(found[1], context)
        if value is None or ANY in value or ONE in value:
            return None
        parts.append(value)
        at = found.end()
    return "".join([*parts, prepared(pattern[at:])])


def _value(variable: str, context: Context) -> str | None:
    if variable in _LITERAL:
        return variable
    with_default = _WITH_DEFAULT.fullmatch(variable)
    key, default = (with_default[1], with_default[2]) if with_default else (variable.strip(), None)
    values = context.get(key.lower(), ())
    return values[0] if len(values) == 1 else default if not values else None


def anything(pattern: str) -> str:
    """A prepared pattern in which every variable may be any text."""
    return ANY.join(prepared(part) for part in re.split(r"\$\{[^{}]*\}", pattern))


def keys(pattern: str) -> Iterator[str]:
    """The context keys that a pattern refers to, as they are written."""
    for found in _VARIABLE.finditer(pattern):
        if found[1] not in _LITERAL:
            with_default = _WITH_DEFAULT.fullmatch(found[1])
            yield with_default[1] if with_default else found[1].strip()
