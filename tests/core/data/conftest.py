"""An embedded AWS whose bucket of another region holds nothing but what these tests put there."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from dashboard.core.aws import Aws, connect
from dashboard.core.errors import AlreadyExists
from tests.conftest import Embedded

REGION = "eu-north-1"


def picture(shade: int = 0, size: tuple[int, int] = (40, 30)) -> bytes:
    """A small JPEG, different for each shade."""
    out = BytesIO()
    Image.new("RGB", size, (shade % 256, (shade * 7) % 256, 90)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(scope="package")
def live(embedded: Embedded) -> Aws:
    """The account in a region of these tests' own, with its bucket."""
    aws = connect_to(embedded, REGION)
    with suppress(AlreadyExists):  # a worker that has left this folder for other tests comes back to it
        where = {"LocationConstraint": REGION}
        aws.call("s3", "CreateBucket", Bucket=aws.account.bucket, CreateBucketConfiguration=where)
    return aws


@pytest.fixture
def account(live: Aws) -> Iterator[Aws]:
    """The same with an empty bucket."""
    empty(live)
    yield live
    empty(live)


def connect_to(embedded: Embedded, region: str) -> Aws:
    """The account as a tab has it that chose this region."""
    aws = connect({"KENNEL_HOME": str(home_of(embedded.state))})
    return aws.known_as(replace(aws.account, region=region))


def home_of(state: Path) -> Path:
    """A home in which the embedded AWS of the tests is the account."""
    home = state.parent / "data-home"
    home.mkdir(exist_ok=True)
    if not (home / "aws").exists():
        (home / "aws").symlink_to(state)
    return home


def empty(aws: Aws) -> None:
    found = aws.call("s3", "ListObjectsV2", Bucket=aws.account.bucket).get("Contents", [])
    if found:
        keys = [{"Key": one["Key"]} for one in found]
        aws.call("s3", "DeleteObjects", Bucket=aws.account.bucket, Delete={"Objects": keys})


def put(aws: Aws, key: str, body: bytes) -> None:
    aws.call("s3", "PutObject", Bucket=aws.account.bucket, Key=key, Body=body)


def keys(aws: Aws, prefix: str = "") -> set[str]:
    found = aws.call("s3", "ListObjectsV2", Bucket=aws.account.bucket, Prefix=prefix).get("Contents", [])
    return {one["Key"] for one in found}


def fill(aws: Aws, name: str = "dogs", photos: int = 2) -> None:
    """A small data set of two classes."""
    for place, (split, label) in enumerate(
        (split, label) for split in ("train", "valid", "test") for label in ("001.Affenpinscher", "002.Beagle")
    ):
        for number in range(photos):
            put(aws, f"datasets/{name}/{split}/{label}/{number}.jpg", picture(place * 16 + number))
