"""Photos on their way to S3: from files, a zip, or elsewhere in the account. What is there is not sent again."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

from dashboard.core.aws import Aws
from dashboard.core.data.datasets import PREFIX
from dashboard.core.data.layout import Placed
from dashboard.core.data.work import Stage, Teller
from dashboard.core.errors import NotFound, ServiceFault
from dashboard.core.parallel import gather
from training.images import BadPhoto, check_photo

AT_ONCE = 8
"""Photos that are in memory at once, of 20 MiB at most each."""
DELETED_AT_ONCE = 1000
KINDS = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jpe": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
    ".gif": "image/gif", ".bmp": "image/bmp", ".tif": "image/tiff", ".tiff": "image/tiff", ".heic": "image/heic",
    ".heif": "image/heif",
}  # fmt: skip
MOST_REFUSED = 100
"""Files that are named when they are not taken."""


@dataclass(frozen=True)
class Stored:
    """An object as a listing tells of it; etag without quotes."""

    size: int
    etag: str


def stored(aws: Aws, prefix: str) -> dict[str, Stored]:
    """What lies below a prefix of Kennel's bucket, by key. {} when there is no such bucket."""
    try:
        return {
            one["Key"]: Stored(one["Size"], str(one.get("ETag", "")).strip('"'))
            for page in aws.pages("s3", "ListObjectsV2", limit=10_000, Bucket=aws.account.bucket, Prefix=prefix)
            for one in page.get("Contents", [])
        }
    except NotFound:
        return {}


def send(aws: Aws, name: str, photos: Sequence[Placed], read: Callable[[Placed], bytes], teller: Teller) -> None:
    """Put photos below a data set's name; those that are there with the same bytes are left.

    What cannot be a photo by its header is not taken, and said. Raises Stopped, whatever `read` raises, and the errors
    of `Aws.call`; what was sent before stays, and the same call goes on from there.
    """
    prefix = f"{PREFIX}{name}/"
    there = stored(aws, prefix)
    refused: dict[str, str] = {}

    def one(placed: Placed) -> bool:
        data = read(placed)
        known = there.get(prefix + placed.key)
        if known and known == Stored(len(data), hashlib.md5(data, usedforsecurity=False).hexdigest()):
            return True
        try:
            check_photo(data)
        except BadPhoto as bad:
            if len(refused) < MOST_REFUSED:
                refused[placed.path] = bad.reason
            return False
        kind = KINDS.get(f".{placed.key.rpartition('.')[2].lower()}", "application/octet-stream")
        aws.call("s3", "PutObject", Bucket=aws.account.bucket, Key=prefix + placed.key, Body=data, ContentType=kind)
        return False

    done = kept = 0
    teller.tell(Stage.SENDING, total=len(photos))
    for some in batches(photos, AT_ONCE * 4):
        kept += sum(gather(one, some, workers=AT_ONCE))
        done += len(some)
        teller.tell(done=done, kept=kept, refused=dict(refused))


def copy(aws: Aws, pairs: Mapping[str, str], there: Mapping[str, Stored], teller: Teller) -> None:
    """Copy objects within the bucket, target key → source key, without bringing one here; those that are there with the
    same size and ETag are left. Raises Stopped and the errors of `Aws.call`.
    """
    bucket = aws.account.bucket
    before = stored(aws, _common(pairs))

    def one(target: str) -> bool:
        source = pairs[target]
        if source in there and before.get(target) == there[source]:
            return True
        where = f"{bucket}/{quote(source, safe='/')}"
        # without the source's tags: that a sample was drawn is not true of what a person made of it
        aws.call("s3", "CopyObject", Bucket=bucket, Key=target, CopySource=where, TaggingDirective="REPLACE")
        return False

    done = kept = 0
    teller.tell(Stage.COPYING, total=len(pairs))
    for some in batches(sorted(pairs), 64):
        kept += sum(gather(one, some))
        done += len(some)
        teller.tell(done=done, kept=kept)


def delete(aws: Aws, keys: Iterable[str], teller: Teller) -> None:
    """Delete objects of the bucket, a thousand at a time. Raises ServiceFault naming what could not be, Stopped, and
    the errors of `Aws.call`.
    """
    listed = list(keys)
    teller.tell(Stage.DELETING, total=len(listed))
    done = 0
    for some in batches(listed, DELETED_AT_ONCE):
        wanted = {"Objects": [{"Key": key} for key in some], "Quiet": True}
        told = aws.call("s3", "DeleteObjects", Bucket=aws.account.bucket, Delete=wanted)
        if errors := told.get("Errors"):
            first: Mapping[str, Any] = errors[0]
            raise ServiceFault(
                f"{len(errors):,} of {len(some):,} photos could not be deleted",
                f"{first.get('Key')}: {first.get('Code')} {first.get('Message', '')}".strip(),
                "delete the data set again: what is gone stays gone",
            )
        done += len(some)
        teller.tell(done=done)


def batches(items: Iterable[Any], most: int) -> Iterator[list[Any]]:
    """The items in lists of at most `most`."""
    rest = iter(items)
    while some := list(islice(rest, most)):
        yield some


def _common(pairs: Mapping[str, str]) -> str:
    """The data set's prefix that all targets are below."""
    first = next(iter(pairs), "")
    return "/".join(first.split("/")[:2]) + "/" if first else PREFIX
