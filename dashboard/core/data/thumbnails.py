"""Small pictures of photos in S3: made here with bounded memory, of nothing but pixels."""

from threading import BoundedSemaphore

from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput
from training.images import MAX_BYTES, BadPhoto, load_photo, shrink_to_jpeg

SIDE = 176
"""Pixels of the longer side: twice what is shown, for dense screens."""
_DECODING = BoundedSemaphore(2)  # a 50-megapixel photo takes 150 MB while it is open


def thumbnail(aws: Aws, bucket: str, key: str, side: int = SIDE) -> bytes:
    """A JPEG of an object, at most `side` pixels long, upright, without EXIF, place or comment.

    Raises InvalidInput with the reason for what is no photo that can be read, and the errors of `Aws.call`.
    """
    data = photo(aws, bucket, key)
    try:
        with _DECODING:
            return shrink_to_jpeg(load_photo(data, target_short_side=side), long_side=side, quality=80)
    except BadPhoto as bad:
        raise InvalidInput(
            f"{key.rpartition('/')[2]} cannot be shown", bad.reason, "take it out of the data set"
        ) from bad


def photo(aws: Aws, bucket: str, key: str) -> bytes:
    """An object's bytes, of a photo's size at most. Raises InvalidInput for more, and the errors of `Aws.call`."""
    where = {"Bucket": bucket, "Key": key}
    with aws.translated("s3", "GetObject", where):
        answer = aws.call("s3", "GetObject", **where)
        with answer["Body"] as body:
            data: bytes = body.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"{key.rpartition('/')[2]} cannot be shown", f"it has more than {MAX_BYTES >> 20} MiB")
    return data
