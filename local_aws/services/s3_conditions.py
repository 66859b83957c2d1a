"""What a request makes its answer depend on: preconditions (RFC 9110, section 13) and byte ranges."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_aws.errors import ServiceError

_RANGE = re.compile(r"bytes=([0-9]{0,99})-([0-9]{0,99})$")


class NotModified(ServiceError):  # noqa: N818 the name AWS gives it
    """304: the client has the newest already."""

    def __init__(self) -> None:
        super().__init__("NotModified", "Not Modified", 304)


def _failed(condition: str) -> ServiceError:
    return ServiceError(
        "PreconditionFailed", f"At least one of the pre-conditions you specified did not hold: {condition}", 412
    )


def _names(condition: str, etag: str) -> bool:
    """Whether an If-Match or If-None-Match names this ETag."""
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in condition.split(",")]
    return "*" in tags or etag in tags


def _utc(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def check_read(params: Mapping[str, Any], etag: str, modified: float, *, copy: bool = False) -> None:
    """The conditions of GetObject, HeadObject or (copy) of a copy's source.

    modified: epoch seconds. Raises PreconditionFailed, or NotModified (a copy: PreconditionFailed).
    """
    prefix = "CopySourceIf" if copy else "If"
    match, none_match = params.get(f"{prefix}Match"), params.get(f"{prefix}NoneMatch")
    since, unmodified = params.get(f"{prefix}ModifiedSince"), params.get(f"{prefix}UnmodifiedSince")
    modified = int(modified)  # HTTP dates have whole seconds
    if match is not None:
        if not _names(match, etag):
            raise _failed("If-Match")
    elif unmodified is not None and modified > _utc(unmodified):
        raise _failed("If-Unmodified-Since")
    if none_match is not None:
        if _names(none_match, etag):
            raise _failed("If-None-Match") if copy else NotModified()
    elif since is not None and modified <= _utc(since):
        raise _failed("If-Modified-Since") if copy else NotModified()


def check_write(params: Mapping[str, Any], etag: str | None) -> None:
    """The conditions of a write over an object with this ETag (None: there is none).

    Raises PreconditionFailed, or NoSuchKey when If-Match meets nothing.
    """
    match, none_match = params.get("IfMatch"), params.get("IfNoneMatch")
    if none_match is not None:
        if none_match.strip() != "*":
            raise ServiceError("NotImplemented", "If-None-Match on a write takes only *.", 501)
        if etag is not None:
            raise _failed("If-None-Match")
    if match is not None:
        if etag is None:
            raise ServiceError("NoSuchKey", "The specified key does not exist.", 404)
        if not _names(match, etag):
            raise _failed("If-Match")


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """(first, last) of a Range header, both inclusive; None: the whole object (also for what S3 ignores).

    Raises InvalidRange when it lies outside.
    """
    match = _RANGE.match(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        length = min(int(last), size)
        if length == 0:
            raise _outside()
        return size - length, size - 1
    if int(first) >= size:
        raise _outside()
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last), size - 1) if last else size - 1


def part_range(number: int, parts: list[int] | None, size: int) -> tuple[int, int]:
    """(first, last) of one part of an object; raises InvalidPartNumber."""
    sizes = parts or [size]
    if not 1 <= number <= len(sizes) or not size:
        raise ServiceError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416)
    first = sum(sizes[: number - 1])
    return first, first + sizes[number - 1] - 1


def _outside() -> ServiceError:
    return ServiceError("InvalidRange", "The requested range is not satisfiable", 416)
