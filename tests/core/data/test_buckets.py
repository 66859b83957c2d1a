"""Buckets: what of them is not safe, and the plans that make them so, on the embedded AWS."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.core.aws import Account, Aws
from dashboard.core.data import bucket_plan, buckets
from dashboard.core.data.bucket_policy import requires_tls, with_tls
from dashboard.core.data.buckets import Bucket, Flaw
from dashboard.core.errors import AccessDenied, AlreadyExists, InvalidInput, NotFound, Refused
from dashboard.core.overview import Severity

NAME = "kennel-data-of-a-test"
NOW = datetime.now(UTC)
OPEN = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{NAME}/*"}


@pytest.fixture
def bucket(live: Aws) -> Iterator[str]:
    """A bucket that is as open as it can be: no block, a public policy."""
    where = {"LocationConstraint": live.account.region}
    live.call("s3", "CreateBucket", Bucket=NAME, CreateBucketConfiguration=where)
    live.call("s3", "DeletePublicAccessBlock", Bucket=NAME)
    live.call("s3", "PutBucketPolicy", Bucket=NAME, Policy=json.dumps({"Version": "2012-10-17", "Statement": [OPEN]}))
    yield NAME
    drop(live, NAME)


def drop(live: Aws, name: str) -> None:
    live.call("s3", "DeleteBucket", Bucket=name)


def test_an_open_bucket_is_told_as_what_it_is(live: Aws, bucket: str) -> None:
    seen = next(one for one in buckets.read(live) if one.name == bucket)
    assert seen.region == live.account.region
    assert {Flaw.PUBLIC, Flaw.OPEN, Flaw.NO_TLS, Flaw.UNVERSIONED} <= set(seen.flaws)
    assert (seen.objects, seen.size, seen.is_counted) == (0, 0, True)
    assert seen.unread == {}
    (item,) = [one for one in buckets.findings([seen]) if one.severity is Severity.CRITICAL]
    assert bucket in item.what
    assert item.query == {"part": "Buckets", "bucket": bucket}


def test_a_plan_makes_it_safe_and_keeps_what_its_policy_says(live: Aws, bucket: str) -> None:
    plan = bucket_plan.plan_safe(live.account, buckets.look(live, bucket), "token")
    assert [call.operation for call in plan.calls] == ["PutBucketPolicy", "PutPublicAccessBlock"]
    bucket_plan.carry_out(live, plan)
    now = buckets.look(live, bucket)
    assert set(now.flaws) == {Flaw.UNVERSIONED}
    assert len(now.policy["Statement"]) == 2
    assert "put_public_access_block" in plan.as_code(live.account)


def test_a_plan_that_is_sent_twice_changes_nothing_more(live: Aws, bucket: str) -> None:
    plan = bucket_plan.plan_safe(live.account, buckets.look(live, bucket), "token")
    bucket_plan.carry_out(live, plan)
    before = buckets.look(live, bucket)
    bucket_plan.carry_out(live, plan)
    assert buckets.look(live, bucket) == before


def test_what_became_worse_meanwhile_is_not_acted_on(live: Aws, bucket: str) -> None:
    seen = buckets.look(live, bucket)
    plan = bucket_plan.plan_safe(live.account, replace(seen, is_public=False), "token")
    with pytest.raises(Refused, match="not as it was"):
        bucket_plan.carry_out(live, plan)


def test_a_policy_that_cannot_be_read_is_not_overwritten(live: Aws) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        bucket_plan.plan_safe(live.account, Bucket(NAME, has_tls=False, policy=None), "token")


def test_a_new_bucket_is_safe_and_the_same_plan_makes_it_once(live: Aws) -> None:
    name = "kennel-new-of-a-test"
    plan = bucket_plan.plan_create(live.account, name, "token", NOW)
    bucket_plan.carry_out(live, plan)
    try:
        assert set(buckets.look(live, name).flaws) == {Flaw.UNVERSIONED}
        bucket_plan.carry_out(live, plan)
        with pytest.raises(AlreadyExists, match=name):
            bucket_plan.carry_out(
                live, bucket_plan.plan_create(live.account, name, "another", NOW + timedelta(hours=1))
            )
    finally:
        drop(live, name)


class Elsewhere:
    """An account in which the name is of somebody else's bucket, which may not be looked at."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        if operation == "CreateBucket":
            raise AlreadyExists("AWS refused CreateBucket", "BucketAlreadyExists")
        raise AccessDenied(f"not allowed to {operation}")


def test_a_name_that_somebody_else_has_is_said(live: Aws) -> None:
    plan = bucket_plan.plan_create(live.account, "dogs", "token", NOW)
    with pytest.raises(AlreadyExists, match="somebody has a bucket dogs already"):
        bucket_plan.carry_out(Elsewhere(live.account), plan)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    ["", "ab", "Dogs", "dogs_1", "-dogs", "dogs-", "192.168.1.1", "my.dogs", "xn--dogs", "dogs-s3alias", "d" * 64],
)
def test_names_that_s3_or_tls_do_not_take_are_refused(live: Aws, name: str) -> None:
    with pytest.raises(InvalidInput):
        bucket_plan.plan_create(live.account, name, "token", NOW)


def test_a_bucket_that_is_gone_is_told_as_gone(live: Aws) -> None:
    with pytest.raises(NotFound, match="kennel-was-never-made"):
        buckets.look(live, "kennel-was-never-made")


def test_only_a_denial_to_everybody_of_everything_counts_as_tls_only() -> None:
    assert requires_tls(with_tls({}, "dogs"), "dogs")
    assert not requires_tls(with_tls({}, "dogs"), "cats")
    (made,) = with_tls({}, "dogs")["Statement"]
    for changed in (
        {"Effect": "Allow"},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Action": "s3:GetObject"},
        {"Resource": "arn:aws:s3:::dogs/*"},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {**made["Condition"], "StringEquals": {"aws:PrincipalType": "User"}}},
    ):
        assert not requires_tls({"Statement": {**made, **changed}}, "dogs"), changed
    assert with_tls(with_tls({}, "dogs"), "dogs") == with_tls({}, "dogs")


def test_what_many_buckets_lack_is_one_item() -> None:
    found = buckets.findings(
        [Bucket(f"kennel-{number}", is_blocked=False, encryption="") for number in range(4)]
        + [Bucket(f"open-{number}", is_public=True) for number in range(5)]
    )
    assert [one.severity for one in found] == [Severity.CRITICAL] * 4 + [Severity.WARNING] * 2
    assert found[3].what == "2 buckets: public"
    assert found[4].what == "4 buckets: public access not blocked"


def test_of_what_may_not_be_read_nothing_is_claimed() -> None:
    assert Bucket("secret").flaws == ()
