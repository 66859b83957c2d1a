"""Last accessed data: waited for, read over pages, and honest about what IAM does not track."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.core.aws import Aws
from dashboard.core.errors import ServiceFault
from dashboard.core.iam.seen import last_accessed

ROLE = "arn:aws:iam::123456789012:role/DogTraining"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
S3 = {
    "ServiceName": "Amazon S3",
    "ServiceNamespace": "s3",
    "LastAuthenticated": AT,
    "LastAuthenticatedRegion": "us-east-1",
    "TrackedActionsLastAccessed": [
        {"ActionName": "ListAllMyBuckets", "LastAccessedTime": AT, "LastAccessedRegion": "us-east-1"},
        {"ActionName": "CreateBucket"},
    ],
}
EC2 = {"ServiceName": "Amazon EC2", "ServiceNamespace": "ec2", "TotalAuthenticatedEntities": 0}


class Answers(Aws):
    """An IAM that answers a report with these, one after the other."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.asked.append((operation, parameters))
        return {"JobId": "job-1"} if operation.startswith("Generate") else self.answers.pop(0)


def no_wait(waited: list[float]) -> Callable[[float], None]:
    return waited.append


def test_a_job_is_waited_for_and_read_over_all_pages() -> None:
    waited: list[float] = []
    aws = Answers(
        {"JobStatus": "IN_PROGRESS"},
        {"JobStatus": "COMPLETED", "ServicesLastAccessed": [S3], "IsTruncated": True, "Marker": "1"},
        {"JobStatus": "COMPLETED", "ServicesLastAccessed": [EC2], "IsTruncated": False},
    )
    found = last_accessed.read(aws, ROLE, sleep=no_wait(waited))
    assert [one.namespace for one in found.services] == ["ec2", "s3"]
    assert len(waited) == 1
    assert aws.asked[0] == ("GenerateServiceLastAccessedDetails", {"Arn": ROLE, "Granularity": "ACTION_LEVEL"})
    assert aws.asked[-1][1]["Marker"] == "1"


def test_never_used_and_not_tracked_are_told_apart() -> None:
    found = last_accessed.read(Answers({"JobStatus": "COMPLETED", "ServicesLastAccessed": [S3, EC2]}), ROLE)
    assert found.last("S3:ListAllMyBuckets") == AT
    assert (found.last("s3:CreateBucket"), found.is_tracked("s3:CreateBucket")) == (None, True)
    assert (found.last("s3:GetObject"), found.is_tracked("s3:GetObject")) == (None, False)
    assert not found.is_tracked("kms:Decrypt")
    s3, ec2 = found.service("s3"), found.service("EC2")
    assert s3 is not None and s3.last == AT and s3.tracks_actions
    assert ec2 is not None and ec2.last is None and not ec2.tracks_actions


def test_a_job_that_failed_or_never_ends_says_so() -> None:
    failed = Answers({"JobStatus": "FAILED", "Error": {"Message": "try later", "Code": "Internal"}})
    with pytest.raises(ServiceFault, match="try later"):
        last_accessed.read(failed, ROLE, sleep=no_wait([]))
    waited: list[float] = []
    endless = Answers(*({"JobStatus": "IN_PROGRESS"} for _ in last_accessed.WAITS))
    with pytest.raises(ServiceFault, match="not yet"):
        last_accessed.read(endless, ROLE, sleep=no_wait(waited))
    assert sum(waited) == sum(last_accessed.WAITS)
