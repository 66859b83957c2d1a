"""What may be planned with data sets: names that are free and good, and work that makes sense. Pure."""

import re
from collections.abc import Iterable

from dashboard.core.data.contents import Contents
from dashboard.core.data.work import Kind, Work
from dashboard.core.errors import AlreadyExists, InvalidInput, Refused

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def check(name: str) -> str:
    """A data set's name, without spaces around it. Raises InvalidInput with what is wrong with it."""
    told = name.strip()
    if not _NAME.fullmatch(told) or ".." in told:
        raise InvalidInput(
            f'"{told[:80]}" is no name for a data set' if told else "the data set has no name yet",
            "it has letters, digits, dots, hyphens and underscores, at most 63, a letter or digit first",
            "choose another name",
            field="name",
        )
    return told


def suggested(told: str) -> str:
    """A good name made of another one: of a zip, a folder, or an address."""
    stem = re.sub(r"\.zip$", "", told.rstrip("/").rpartition("/")[2], flags=re.IGNORECASE)
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip(".-_")[:63]
    return re.sub(r"\.{2,}", ".", kept) or "photos"


def plan(kind: Kind, base: Contents, name: str, taken: Iterable[str], token: str) -> Work:
    """A copy, a rename or a deletion of a data set. Raises InvalidInput for the name, AlreadyExists where it is taken,
    Refused for a copy of what is not whole."""
    if kind is Kind.DELETE:
        return Work(token, kind, base.name)
    target = check(name)
    if target in set(taken) or target == base.name:
        raise AlreadyExists(f"there is a data set {target} already", "two are not mixed", "choose another name")
    if base.is_uploading:
        raise Refused(
            f"{base.name} is not whole", "its upload goes on, or was broken off", "let it go on to its end first"
        )
    if not base.is_counted:
        raise Refused(
            f"{base.name} has more photos than Kennel counts", "it would be copied in part", "copy it with aws s3 sync"
        )
    return Work(token, kind, target, base=base.name)
