"""What is in one data set: every photo by split and class, from one listing; and what tells two contents apart."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dashboard.core.aws import Aws
from dashboard.core.data.datasets import PAGES, PREFIX, SPLITS, UPLOADING, placed
from dashboard.core.errors import NotFound

MANIFEST = "manifest.json"
"""What a version was made from; below the data set's name."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo in S3. `file` is its name in its class folder, `etag` without quotes."""

    key: str
    split: str
    label: str
    file: str
    size: int
    etag: str


@dataclass(frozen=True)
class Contents:
    """The photos of a data set in the order of their keys. `others`: keys below its name that are no photos of it."""

    name: str
    bucket: str
    photos: tuple[Photo, ...]
    others: tuple[str, ...] = ()
    is_counted: bool = True

    @property
    def prefix(self) -> str:
        return f"{PREFIX}{self.name}/"

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def bytes(self) -> int:
        return sum(one.size for one in self.photos)

    @property
    def is_uploading(self) -> bool:
        """Whether an upload of it goes on, or was broken off."""
        return f"{self.prefix}{UPLOADING}" in self.others

    @cached_property
    def classes(self) -> Mapping[str, Mapping[str, int]]:
        """Photos by class and split; classes by name."""
        found: dict[str, Counter[str]] = {}
        for one in self.photos:
            found.setdefault(one.label, Counter())[one.split] += 1
        return {label: found[label] for label in sorted(found)}

    @cached_property
    def splits(self) -> Mapping[str, int]:
        counted = Counter(one.split for one in self.photos)
        return {split: counted[split] for split in SPLITS}

    @cached_property
    def fingerprint(self) -> str:
        """Of what is in it, wherever it lies and whatever it is called: two with the same one hold the same photos."""
        digest = hashlib.sha256()
        for one in self.photos:
            digest.update(
                f"{one.split}/{one.label}/{one.file}\0{one.size}\0{one.etag}\n".encode(errors="surrogateescape")
            )
        return digest.hexdigest()[:32]

    def of(self, split: str, label: str) -> tuple[Photo, ...]:
        """The photos of one class in one split."""
        return tuple(one for one in self.photos if one.split == split and one.label == label)


def read(aws: Aws, name: str) -> Contents:
    """Everything below a data set's name. Raises NotFound when nothing is there, and the errors of `Aws.call`."""
    bucket, prefix = aws.account.bucket, f"{PREFIX}{name}/"
    photos: list[Photo] = []
    others: list[str] = []
    more = False
    for page in aws.pages("s3", "ListObjectsV2", limit=PAGES, Bucket=bucket, Prefix=prefix):
        for told in page.get("Contents", []):
            if place := placed(told["Key"], prefix):
                etag = str(told.get("ETag", "")).strip('"')
                photos.append(Photo(told["Key"], *place, told["Size"], etag))
            else:
                others.append(told["Key"])
        more = page["IsTruncated"]
    if not photos and not others:
        raise NotFound(f"there is no data set {name}", f"nothing is below s3://{bucket}/{prefix}", "choose another one")
    return Contents(name, bucket, tuple(photos), tuple(others), is_counted=not more)
