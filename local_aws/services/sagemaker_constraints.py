"""The constraints that botocore's model states and its own validator leaves to the service: enums, patterns, maxima.

Messages are worded as AWS words them: "1 validation error detected: Value 'a b' at 'trainingJobName' failed to satisfy
constraint: Member must satisfy regular expression pattern: …".
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from botocore.model import Shape

from local_aws.errors import ServiceError

_SPACES = r"\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# Java's classes in Python's words; \w is letters, numbers and "_"
_JAVA = (
    (r"\p{L}", r"\w"),
    (r"\p{N}", r"\w"),
    (r"\p{Z}", _SPACES),
    (r"\p{Alnum}", "A-Za-z0-9"),
    (r"\p{ASCII}", r"\x00-\x7f"),
    (r"\p{Print}", r"\x20-\x7e"),
    (r"\z", r"\Z"),
)
SHOWN = 100  # characters of a value that a message repeats


def check(shape: Shape | None, params: dict[str, Any]) -> None:
    """Raises ServiceError ValidationException when values break constraints of their shapes; it names the first ten."""
    if shape is None:
        return
    broken = list(_structure(shape, params, ""))
    if broken:
        detected = f"{len(broken)} validation error{'s' if len(broken) > 1 else ''} detected: "
        raise ServiceError("ValidationException", detected + "; ".join(broken[:10]))


def _structure(shape: Shape, value: dict[str, Any], path: str) -> Iterator[str]:
    for name, item in value.items():
        if name in shape.members and item is not None:
            member = name[:1].lower() + name[1:]
            yield from _value(shape.members[name], item, f"{path}.{member}" if path else member)


def _value(shape: Shape, value: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, path)
        case "list":
            yield from _range(shape, len(value), value, path, "length")
            for number, item in enumerate(value, 1):
                yield from _value(shape.member, item, f"{path}.{number}.member")
        case "map":
            yield from _range(shape, len(value), value, path, "length")
            for key, item in value.items():
                yield from _value(shape.key, key, f"{path}.key")
                yield from _value(shape.value, item, f"{path}.{str(key)[:SHOWN]}.member")
        case "string":
            yield from _string(shape, value, path)
        case "integer" | "long" | "float" | "double":
            yield from _range(shape, value, value, path, "value")


def _string(shape: Shape, value: str, path: str) -> Iterator[str]:
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield _broken(value, path, f"Member must satisfy enum value set: [{', '.join(enum)}]")
    too_long = list(_range(shape, len(value), value, path, "length"))
    yield from too_long
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern and not too_long else None
    if compiled and not compiled.fullmatch(value):
        yield _broken(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _range(shape: Shape, number: float, value: Any, path: str, what: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and number < low:
        yield _broken(value, path, f"Member must have {what} greater than or equal to {low}")
    if high is not None and number > high:
        yield _broken(value, path, f"Member must have {what} less than or equal to {high}")


def _broken(value: Any, path: str, constraint: str) -> str:
    shown = str(value)
    shown = shown if len(shown) <= SHOWN else shown[:SHOWN] + "…"
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> "re.Pattern[str] | None":
    """The pattern as Python's, or None for the few (of free text) that Python cannot say."""
    for java, python in _JAVA:
        alone = pattern == f"{java}+"  # a class by itself needs brackets, one among others stands in theirs
        pattern = f"[{python}]+" if alone else pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:
        return None
