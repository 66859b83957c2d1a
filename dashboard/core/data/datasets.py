"""Datasets as they are listed: folders with train/ (and valid/, test/) below datasets/ in Kennel's bucket."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import AccessDenied, NotFound, ServiceFault, Throttled
from dashboard.core.parallel import gather

PREFIX = "datasets/"
MARKS, COMPLETE = "samples/", ".complete"
"""Where an object says that a drawn sample is whole: samples/NAME.complete (local_aws.sample_account)."""
UPLOADING = ".uploading"
"""Below a data set's name as long as photos of it are being sent: what is there is not all of it."""
SPLITS = ("train", "valid", "test")
PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif")
PAGES = 100
"""1,000 objects each: a dataset is counted up to 100,000 photos, and `is_counted` says when that was not the end."""


@dataclass(frozen=True)
class Dataset:
    """A labelled dataset. `size` in bytes; `splits` counts photos by split; classes are the folders of train/."""

    name: str
    uri: str
    photos: int
    classes: int
    size: int
    is_sample: bool = False
    splits: Mapping[str, int] = field(default_factory=dict)
    is_counted: bool = True
    is_whole: bool = True  # False while it is still being drawn
    is_uploading: bool = False  # photos of it are being sent, or were until that was broken off

    @property
    def problem(self) -> str:
        """Why it cannot be trained on, "" when it can."""
        if not self.is_whole:
            return "it is still being drawn"
        if self.is_uploading:
            return "its upload goes on, or was broken off"
        if not self.splits.get("train"):
            return "there is no photo in train/"
        if self.classes < 2:
            return "there is only one class in train/: a classifier needs two or more"
        return ""


def list_datasets(aws: Aws, *, is_filling: bool = False) -> tuple[Dataset, ...]:
    """The datasets in the account's bucket, by name; none when there is no such bucket yet.

    `is_filling`: samples are being drawn in this account right now, so that one may be there in part.
    """
    bucket = aws.account.bucket
    try:
        whole = _whole(aws, bucket) if is_filling else None  # before counting: what is whole then is counted whole
        pages = list(aws.pages("s3", "ListObjectsV2", Bucket=bucket, Prefix=PREFIX, Delimiter="/"))
    except NotFound:
        return ()
    prefixes = [found["Prefix"] for page in pages for found in page.get("CommonPrefixes", [])]
    found = gather(lambda prefix: _dataset(aws, bucket, prefix), prefixes, workers=4)
    return tuple(replace(one, is_whole=whole is None or not one.is_sample or one.name in whole) for one in found if one)


def placed(key: str, prefix: str) -> tuple[str, str, str] | None:
    """Split, class and file of a photo below a data set's prefix; None for what is no photo of it."""
    parts = key.removeprefix(prefix).split("/")
    if len(parts) != 3 or parts[0] not in SPLITS or not parts[2].lower().endswith(PHOTOS):
        return None
    split, label, file = parts
    return None if label in ("", ".", "..") else (split, label, file)  # as a folder's name it would lead elsewhere


def _whole(aws: Aws, bucket: str) -> frozenset[str]:
    """The samples that were drawn to their end."""
    pages = aws.pages("s3", "ListObjectsV2", Bucket=bucket, Prefix=MARKS)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    return frozenset(key.removeprefix(MARKS).removesuffix(COMPLETE) for key in keys if key.endswith(COMPLETE))


def _dataset(aws: Aws, bucket: str, prefix: str) -> Dataset | None:
    splits: dict[str, int] = defaultdict(int)
    classes: set[str] = set()
    size = 0
    first = ""
    more = is_uploading = False
    for page in aws.pages("s3", "ListObjectsV2", limit=PAGES, Bucket=bucket, Prefix=prefix):
        for thing in page.get("Contents", []):
            is_uploading = is_uploading or thing["Key"] == prefix + UPLOADING
            place = placed(thing["Key"], prefix)
            if place is None:
                continue
            split, label, _ = place
            splits[split] += 1
            size += thing["Size"]
            first = first or thing["Key"]
            if split == "train":
                classes.add(label)
        more = page["IsTruncated"]
    if not first and not is_uploading:
        return None
    return Dataset(
        name=prefix.removeprefix(PREFIX).rstrip("/"),
        uri=f"s3://{bucket}/{prefix}",
        photos=sum(splits.values()),
        classes=len(classes),
        size=size,
        is_sample=bool(first) and _is_sample(aws, bucket, first),
        splits=dict(splits),
        is_counted=not more,
        is_uploading=is_uploading,
    )


def _is_sample(aws: Aws, bucket: str, key: str) -> bool:
    try:
        found = aws.call("s3", "GetObjectTagging", Bucket=bucket, Key=key)
    except (AccessDenied, ServiceFault, Throttled):
        return False  # the mark only puts a badge beside it
    return tags.is_sample(tags.as_dict(found.get("TagSet", [])))
