"""One page of a bucket's keys: prefix, delimiter, where to go on; over an index that keeps keys in UTF-8 order."""

import base64
import binascii
from dataclasses import dataclass

from local_aws.errors import ServiceError
from local_aws.services.s3_index import Index, StoredObject, after_prefix

PAGE = 1000


@dataclass(frozen=True)
class Page:
    """objects and common prefixes of one page. last: where the next page goes on behind, None: this is the last."""

    objects: tuple[StoredObject, ...]
    prefixes: tuple[str, ...]
    last: str | None


def read_page(index: Index, bucket: str, prefix: str, delimiter: str, behind: str, limit: int) -> Page:
    """Up to `limit` keys and common prefixes behind the key or common prefix `behind` ("": from the start)."""
    objects: list[StoredObject] = []
    prefixes: list[str] = []
    start: str | None = behind
    after = bool(behind)
    cut = behind.find(delimiter, len(prefix)) if delimiter and behind.startswith(prefix) else -1
    if cut >= 0 and cut + len(delimiter) == len(behind):
        start, after = after_prefix(behind), False  # a common prefix stands for all keys below it
    last = behind
    while start is not None:
        room = limit - len(objects) - len(prefixes)
        batch = index.scan(bucket, prefix, start, after=after, limit=room + 1)
        start = None
        for found in batch:
            if len(objects) + len(prefixes) >= limit:
                return Page(tuple(objects), tuple(prefixes), last if limit else None)
            cut = found.key.find(delimiter, len(prefix)) if delimiter else -1
            if cut < 0:
                objects.append(found)
                last = found.key
                continue
            last = found.key[: cut + len(delimiter)]
            prefixes.append(last)
            start, after = after_prefix(last), False
            break
    return Page(tuple(objects), tuple(prefixes), None)


def token_of(key: str) -> str:
    """A continuation token; opaque to clients."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def key_of(token: str) -> str:
    """Raises InvalidArgument."""
    try:
        return base64.b64decode(token.encode(), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise ServiceError("InvalidArgument", "The continuation token provided is incorrect") from None
