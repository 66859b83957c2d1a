"""Whether there is a checkpoint to go on from."""

from typing import Any

from dashboard.core.errors import AccessDenied, NotFound
from dashboard.core.runs.checkpoint import has_checkpoint


class Bucket:
    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.asked.append(parameters)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_an_object_below_the_address_is_a_checkpoint_and_an_empty_marker_is_none() -> None:
    bucket = Bucket({"Contents": [{"Key": "c/", "Size": 0}, {"Key": "c/epoch-1", "Size": 9}]})
    assert has_checkpoint(bucket, "s3://b/c/") is True  # type: ignore[arg-type]
    assert bucket.asked[0]["Bucket"] == "b"
    assert bucket.asked[0]["Prefix"] == "c/"
    assert has_checkpoint(Bucket({"Contents": [{"Key": "c/", "Size": 0}]}), "s3://b/c/") is False  # type: ignore[arg-type]
    assert has_checkpoint(Bucket({}), "s3://b/c/") is False  # type: ignore[arg-type]
    assert has_checkpoint(Bucket(NotFound("no such bucket")), "s3://b/c/") is False  # type: ignore[arg-type]


def test_without_the_right_to_look_nothing_is_said() -> None:
    assert has_checkpoint(Bucket(AccessDenied("no", action="s3:ListBucket")), "s3://b/c/") is None  # type: ignore[arg-type]
