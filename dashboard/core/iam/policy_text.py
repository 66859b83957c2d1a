"""A policy document as IAM hands it out, read as far as it can be, with why where it cannot."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from dashboard.core.iam.documents import LARGEST, Policy, PolicyError, listed


@dataclass(frozen=True)
class PolicyText:
    """A policy of a role. arn: "" for an inline one.

    document: as it is written, None where it cannot be read; policy: as it is judged, None where it cannot be; error:
    why not, "" otherwise. A document of which one statement is malformed has the document and the error.
    """

    name: str
    arn: str = ""
    document: Mapping[str, Any] | None = field(default=None, hash=False)
    policy: Policy | None = None
    error: str = ""

    @property
    def is_inline(self) -> bool:
        return not self.arn

    @property
    def is_aws_managed(self) -> bool:
        """AWS wrote it, and changes it when it likes."""
        return self.arn.partition(":iam::")[2].startswith("aws:")

    @property
    def written(self) -> tuple[Any, ...]:
        """The statements as they are written, by place."""
        return tuple(listed((self.document or {}).get("Statement")))


def text_of(name: str, given: Any, arn: str = "") -> PolicyText:
    """A policy document as IAM hands it out: an object, or text that may be URL-encoded."""
    text = unquote(given) if isinstance(given, str) and given.lstrip().startswith("%") else given
    document, error = document_of(text, name)
    if document is None:
        return PolicyText(name, arn, None, None, error)
    try:  # the text where there is one: an object no longer shows that something was given twice
        return PolicyText(name, arn, document, Policy.parse(text, name))
    except PolicyError as wrong:
        return PolicyText(name, arn, document, None, str(wrong))
    except RecursionError:
        return PolicyText(name, arn, document, None, f"The policy {name} is nested too deeply to be read")


def document_of(given: Any, name: str) -> tuple[Mapping[str, Any] | None, str]:
    """The object and "", or None and why there is none. given: an object, or text that may be URL-encoded."""
    if given is None:
        return None, f"The policy {name} has no document"
    if isinstance(given, Mapping):
        return given, ""
    if not isinstance(given, str):
        return None, f"The document of the policy {name} is neither an object nor text"
    if len(given) > 3 * LARGEST:  # %XX is three characters for one
        return None, f"The policy {name} is longer than {LARGEST} characters"
    text = unquote(given) if given.lstrip().startswith("%") else given
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        return None, f"The policy {name} is not JSON: {wrong}"
    return (found, "") if isinstance(found, Mapping) else (None, f"The policy {name} is not a JSON object")
