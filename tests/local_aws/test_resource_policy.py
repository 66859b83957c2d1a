"""Whom a role's trust or a function's policy lets in, by the rules of the IAM User Guide."""

from typing import Any

import pytest

from local_aws.principal import ROOT, Principal, session_of
from local_aws.resource_policy import Entry, entry

ROLE = "arn:aws:iam::123456789012:role/team/worker"
SESSION = session_of(ROLE, "s1")
USER = Principal("arn:aws:iam::123456789012:user/ada", "arn:aws:iam::123456789012:user/ada")
TARGET = "arn:aws:iam::123456789012:role/target"


def judged(principal: Any, who: Principal, *more: dict[str, Any], **statement: Any) -> Entry:
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | statement
    policy = {"Version": "2012-10-17", "Statement": [trust, *more]}
    return entry(policy, who, "sts:AssumeRole", TARGET, {"sts:ExternalId": "7"})


@pytest.mark.parametrize(
    ("principal", "who", "expected"),
    [
        ({"AWS": "123456789012"}, USER, Entry.ACCOUNT),  # "Principal", AWS account principals: it delegates
        ({"AWS": ROOT}, SESSION, Entry.ACCOUNT),
        ({"AWS": USER.arn}, USER, Entry.NAMED),
        ({"AWS": [USER.arn, ROLE]}, SESSION, Entry.ROLE),  # role principals: all of its sessions
        ({"AWS": SESSION.arn}, SESSION, Entry.NAMED),  # role session principals: that one
        ({"AWS": SESSION.arn}, session_of(ROLE, "s2"), Entry.NONE),
        ({"AWS": "*"}, USER, Entry.NAMED),
        ("*", SESSION, Entry.ROLE),
        ({"Service": "sagemaker.amazonaws.com"}, USER, Entry.NONE),
        ({"Federated": "cognito-identity.amazonaws.com"}, SESSION, Entry.NONE),
        ({"AWS": "444455556666"}, USER, Entry.NONE),
        ({"AWS": "arn:aws:iam::123456789012:user/*"}, USER, Entry.NONE),  # no wildcards within an ARN
        ("sagemaker", USER, Entry.DENIED),  # what cannot be judged lets nobody in
    ],
)
def test_who_is_let_in(principal: Any, who: Principal, expected: Entry) -> None:
    assert judged(principal, who) is expected


def test_a_deny_in_the_policy_wins() -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:*"}
    assert judged({"AWS": USER.arn}, USER, deny) is Entry.DENIED
    others = {"Effect": "Deny", "NotPrincipal": {"AWS": [ROOT, ROLE, SESSION.arn]}, "Action": "sts:*"}
    assert judged({"AWS": [USER.arn, ROLE]}, USER, others) is Entry.DENIED
    assert judged({"AWS": [USER.arn, ROLE]}, SESSION, others) is Entry.ROLE


@pytest.mark.parametrize(("wanted", "expected"), [("7", Entry.ACCOUNT), ("8", Entry.NONE)])
def test_conditions_are_judged(wanted: str, expected: Entry) -> None:
    condition = {"StringEquals": {"sts:ExternalId": wanted}}
    assert judged({"AWS": ROOT}, USER, Condition=condition) is expected


@pytest.mark.parametrize("policy", [{}, {"Statement": "x"}, {"Statement": [1]}, {"Statement": {"Effect": "Maybe"}}])
def test_what_is_no_policy_lets_nobody_in(policy: Any) -> None:
    assert entry(policy, USER, "sts:AssumeRole", TARGET, {}) in (Entry.NONE, Entry.DENIED)


def test_another_action_is_another_matter() -> None:
    assert judged({"AWS": ROOT}, USER, Action="sts:TagSession") is Entry.NONE
