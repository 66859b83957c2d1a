"""A model as a file: whole, or refused with the way to fetch it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dashboard.core.errors import InvalidInput, NotFound, Refused
from dashboard.core.runs import artifact


class Bucket:
    """Answers GetObject with one object."""

    def __init__(self, data: bytes, length: int | None = None) -> None:
        self.body = io.BytesIO(data)
        self.length = len(data) if length is None else length
        self.asked: dict[str, Any] = {}

    @contextmanager
    def translated(self, service: str, operation: str, parameters: Any = None) -> Iterator[None]:
        yield

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.asked = parameters
        if parameters["Key"] == "gone":
            raise NotFound("it is gone")
        return {"Body": self.body, "ContentLength": self.length}


def test_the_whole_archive_comes_and_the_connection_is_closed() -> None:
    bucket = Bucket(b"model")
    assert artifact.download(bucket, "s3://b/runs/dogs/output/model.tar.gz") == b"model"  # type: ignore[arg-type]
    assert bucket.asked == {"Bucket": "b", "Key": "runs/dogs/output/model.tar.gz"}
    assert bucket.body.closed


def test_one_that_is_too_large_is_refused_with_the_command_that_fetches_it() -> None:
    bucket = Bucket(b"", length=artifact.MOST + 1)
    with pytest.raises(Refused) as refused:
        artifact.download(bucket, "s3://b/big")  # type: ignore[arg-type]
    assert "aws s3 cp s3://b/big ." in refused.value.next_step
    assert bucket.body.closed


@pytest.mark.parametrize("address", ["", "model.tar.gz", "s3://", "s3://bucket", "s3://bucket/"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput):
        artifact.download(Bucket(b""), address)  # type: ignore[arg-type]


def test_a_deleted_archive_is_not_found() -> None:
    with pytest.raises(NotFound):
        artifact.download(Bucket(b""), "s3://b/gone")  # type: ignore[arg-type]
