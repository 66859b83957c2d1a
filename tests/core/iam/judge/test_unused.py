"""Roles that nobody works as, policies attached to nothing, and roles that several duties share."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.core.iam.entities import ManagedPolicy, Role
from dashboard.core.iam.finding import Kind, Severity
from dashboard.core.iam.judge import sharing, unused
from dashboard.core.iam.policy_text import text_of
from dashboard.core.iam.usage import Duty, Usage, Use

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ARN = "arn:aws:iam::111122223333:role/subject"
READS = text_of("reads", {"Version": "2012-10-17", "Statement": []})


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def role(**more: Any) -> Role:
    return Role("subject", ARN, **{"created": days_ago(500), "policies": (READS,), **more})


def used(*uses: Use) -> Usage:
    return Usage({ARN: uses})


@pytest.mark.parametrize(
    ("subject", "usage"),
    [
        (role(last_used=days_ago(89)), None),
        (role(last_used=days_ago(300)), used(Use(Duty.TRAINING, "t", "", days_ago(3)))),  # a job says otherwise
        (role(created=days_ago(20)), None),  # too young to be old
        (role(created=None), None),  # an export that says neither when it was made nor when it was used
        (role(path="/aws-service-role/x.amazonaws.com/"), None),
    ],
)
def test_a_role_that_is_used_is_no_finding(subject: Role, usage: Usage | None) -> None:
    assert list(unused.findings(subject, usage, NOW)) == []


def test_a_role_that_was_last_used_long_ago() -> None:
    (one,) = unused.findings(role(last_used=days_ago(91)), used(Use(Duty.FUNCTION, "f", "", days_ago(200))), NOW)
    assert (one.kind, one.severity) == (Kind.UNUSED_ROLE, Severity.MEDIUM)
    assert "2026-08-23" in one.reason
    assert "function f" in one.fix
    assert list(unused.findings(role(last_used=days_ago(91)), None, NOW, unused_days=180)) == []


def test_what_was_made_lately_is_no_use_and_yet_no_disuse() -> None:
    made = used(Use(Duty.FUNCTION, "f", "", days_ago(3), has_worked=False))
    assert list(unused.findings(role(), made, NOW)) == []
    assert unused.last_use(role(), made) is None
    assert unused.last_use(role(last_used=days_ago(50)), made) == days_ago(50)


def test_never_is_only_said_of_what_aws_can_know() -> None:
    (old,) = unused.findings(role(), None, NOW)
    assert "400 days" in old.reason
    assert "never" not in old.reason
    (younger,) = unused.findings(role(created=days_ago(200)), None, NOW)
    assert "since it was made on 2026-05-06" in younger.reason


def test_the_same_finding_tomorrow_has_the_same_key() -> None:
    subject = role(last_used=days_ago(120))
    (today,) = unused.findings(subject, None, NOW)
    (tomorrow,) = unused.findings(subject, None, NOW + timedelta(days=1))
    assert today.key == tomorrow.key


def test_a_role_without_rights_is_less_of_a_risk() -> None:
    (one,) = unused.findings(role(policies=()), None, NOW)
    assert one.severity is Severity.LOW


def test_policies_that_are_attached_to_nothing() -> None:
    own = "arn:aws:iam::111122223333:policy"
    policies = [
        ManagedPolicy(text_of("left", "{}", f"{own}/left")),
        ManagedPolicy(text_of("held", "{}", f"{own}/held"), attached=1),
        ManagedPolicy(text_of("bounds", "{}", f"{own}/bounds"), bounds=2),
        ManagedPolicy(text_of("ReadOnlyAccess", "{}", "arn:aws:iam::aws:policy/ReadOnlyAccess")),
    ]
    (one,) = unused.of_policies(policies)
    assert (one.kind, one.policy, one.role, one.arn) == (Kind.UNUSED_POLICY, "left", "", f"{own}/left")


def test_a_role_with_several_duties_is_shared() -> None:
    uses = [Use(duty, duty, "", NOW) for duty in (Duty.FUNCTION, Duty.TRAINING)]
    (two,) = sharing.findings(role(), used(*uses))
    assert (two.kind, two.severity) == (Kind.SHARED_ROLE, Severity.MEDIUM)
    assert "training and function" in two.reason
    (three,) = sharing.findings(role(), used(*uses, Use(Duty.INSTANCE, "i", "", NOW)))
    assert three.severity is Severity.HIGH


def test_a_role_with_one_duty_is_not_shared_however_many_jobs_it_had() -> None:
    jobs = [Use(Duty.TRAINING, f"job-{number}", "", NOW) for number in range(50)]
    assert list(sharing.findings(role(), used(*jobs))) == []


def test_without_uses_the_trust_policy_tells_who_may_share_it() -> None:
    services = ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}]}
    (one,) = sharing.findings(role(trust=trust), None)
    assert (one.kind, one.severity, one.policy) == (Kind.SHARED_ROLE, Severity.LOW, "trust")
    assert "sagemaker and lambda" in one.reason
    alone = {"Statement": [{"Effect": "Allow", "Principal": {"Service": services[:1]}, "Action": "sts:AssumeRole"}]}
    assert list(sharing.findings(role(trust=alone), None)) == []
