"""CloudWatch Logs filter patterns over plain text: terms, "quoted phrases", -exclusions and ?alternatives."""

import re
from collections.abc import Callable

from local_aws.errors import ServiceError

_TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')
_ESCAPE = re.compile(r"\\(.)")


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a message matches. Case counts, and a term matches anywhere in the message, as in AWS.

    All plain terms must be there, no excluded one may; of ?terms one is enough, and they count only by themselves.
    Raises ServiceError InvalidParameterException for JSON, space-delimited and regular expression patterns.
    """
    text = pattern.strip()
    if text[:1] in ("{", "[", "%"):
        raise ServiceError(
            "InvalidParameterException",
            "JSON, space-delimited and regular expression filter patterns are not part of the embedded AWS. "
            "Filter by terms instead.",
        )
    required, excluded, optional = _terms(text)
    if optional and not required and not excluded:
        return lambda message: any(term in message for term in optional)
    return lambda message: all(term in message for term in required) and not any(term in message for term in excluded)


def _terms(text: str) -> tuple[list[str], list[str], list[str]]:
    found: dict[str, list[str]] = {"": [], "-": [], "?": []}
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise ServiceError("InvalidParameterException", f"Invalid filter pattern: {text[:100]}")
        sign, phrase, word = match.groups()
        found[sign].append(_ESCAPE.sub(r"\1", phrase) if phrase is not None else word)
        position = match.end()
    return found[""], found["-"], found["?"]
