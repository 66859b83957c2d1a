"""Ways to more rights, found over all policies of a role together; and passing roles."""

from typing import Any

import pytest

from dashboard.core.iam import actions
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.findings import audit
from dashboard.core.iam.judge.escalations import WAYS, Way
from tests.core.iam.accounts import (
    ACCOUNT,
    NOW,
    ROLE,
    allow,
    arn,
    attached,
    bounded,
    deny,
    details,
    document,
    judged,
    managed,
    of_kind,
    role,
)

ROLES = f"arn:aws:iam::{ACCOUNT}:role/"
TO_SAGEMAKER = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def ways(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.kind is Kind.PRIVILEGE_ESCALATION]


def passing(way: Way) -> list[dict[str, Any]]:
    return [allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": way.passes_to}})]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_way_is_open_when_all_of_it_is_given_in_whatever_policies(way: Way) -> None:
    policies = [document(allow(action)) for action in way.needs]
    policies += [document(*passing(way))] if way.passes_to else []
    found = ways(judged(*policies))
    assert any(way.name in one.reason for one in found)
    for left_out in range(len(policies)):
        rest = [one for place, one in enumerate(policies) if place != left_out]
        assert all(way.name not in one.reason.split(": ", 1)[1].split("; ") for one in ways(judged(*rest)))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_action_of_a_way_is_one_that_aws_lists(way: Way) -> None:
    assert [one for one in way.needs if not actions.known(one) or actions.canonical(one) != one] == []


@pytest.mark.parametrize(
    "action",
    [
        "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:AttachRolePolicy", "iam:PutRolePolicy",
        "iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:AttachGroupPolicy", "iam:PutGroupPolicy",
        "iam:UpdateAssumeRolePolicy", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile",
        "iam:AddUserToGroup", "lambda:UpdateFunctionCode", "sagemaker:CreatePresignedNotebookInstanceUrl",
    ],
)  # fmt: skip
def test_the_known_ways_by_one_action_are_found(action: str) -> None:
    assert ways(judged(document(allow(action.upper()))))


def test_passing_in_one_policy_and_starting_in_another_is_found_and_both_are_named() -> None:
    found = of_kind(
        judged(document(allow("iam:PassRole")), document(allow("ec2:RunInstances"))), Kind.PRIVILEGE_ESCALATION
    )
    assert found.policy == "p0" and "with the policy p1" in found.reason
    assert "iam:PassRole + ec2:RunInstances" in found.reason
    assert found.severity is Severity.HIGH


def test_what_one_makes_one_can_name_so_that_a_resource_is_no_obstacle() -> None:
    jobs = allow("sagemaker:CreateTrainingJob", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/dogs-*")
    assert ways(judged(document(jobs, allow("iam:PassRole", Condition=TO_SAGEMAKER))))


def test_passing_to_another_service_than_what_one_may_start_is_no_way() -> None:
    to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    assert ways(judged(document(allow("ec2:RunInstances"), allow("iam:PassRole", Condition=to_lambda)))) == []


def test_one_named_role_is_passed_without_a_finding_unless_it_is_a_strong_one() -> None:
    launcher = role(
        document(
            allow("sagemaker:CreateTrainingJob", "arn:aws:sagemaker:*:*:training-job/dogs-*"),
            allow("iam:PassRole", f"{ROLES}trainer", Condition=TO_SAGEMAKER),
        )
    )
    weak = role(document(allow("s3:GetObject", "arn:aws:s3:::photos/*")), name="trainer")
    assert audit(details([launcher, weak]), now=NOW) == []
    strong = role(document(allow("*")), name="trainer")
    found = of_kind(audit(details([launcher, strong]), now=NOW), Kind.PRIVILEGE_ESCALATION)
    assert "(trainer)" in found.attack and found.role == "subject"


@pytest.mark.parametrize(
    ("statement", "is_way"),
    [
        (allow("iam:PutRolePolicy", ROLE), True),
        (allow("iam:PutRolePolicy", f"{ROLES}sub*"), True),
        (allow("iam:PutRolePolicy", f"{ROLES}other"), False),
        (allow("iam:AttachRolePolicy", f"{ROLES}*"), True),
        (allow("iam:AttachRolePolicy", Condition={"ArnLike": {"iam:PolicyARN": arn("small/*")}}), False),
        (allow("iam:AttachRolePolicy", Condition={"ArnLike": {"iam:PolicyARN": "*"}}), True),
        (allow("iam:PutRolePolicy", Condition={"StringEquals": {"iam:PermissionsBoundary": arn("limit")}}), False),
        (allow("iam:UpdateAssumeRolePolicy", ROLE), False),
        (allow("lambda:UpdateFunctionCode", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:dogs"), False),
        (allow("lambda:UpdateFunctionCode", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:*"), True),
    ],
)
def test_what_it_is_allowed_on_decides_whether_it_is_a_way(statement: dict[str, Any], is_way: bool) -> None:
    assert bool(ways(judged(document(statement)))) is is_way


def test_whoever_makes_roles_and_writes_their_policies_needs_no_other() -> None:
    made = [allow(["iam:CreateRole", "iam:PutRolePolicy"], f"{ROLES}*")]
    assert of_kind(judged(document(*made)), Kind.PRIVILEGE_ESCALATION).severity is Severity.CRITICAL
    limit = {"StringEquals": {"iam:PermissionsBoundary": arn("limit")}}
    assert ways(judged(document({**made[0], "Condition": limit}))) == []
    below = allow(["iam:CreateRole", "iam:PutRolePolicy"], f"{ROLES}team/*")
    assert of_kind(judged(document(below)), Kind.PRIVILEGE_ESCALATION).severity is Severity.CRITICAL
    apart = [allow("iam:CreateRole", f"{ROLES}team/*"), allow("iam:PutRolePolicy", f"{ROLES}other/*")]
    assert ways(judged(document(*apart))) == []


def test_whoever_writes_a_policy_is_not_held_by_which_policies_may_be_attached() -> None:
    attaches = allow("iam:AttachRolePolicy", ROLE, Condition={"ArnLike": {"iam:PolicyARN": arn("team/*")}})
    assert ways(judged(document(attaches, allow("iam:CreatePolicy", arn("other/*"))))) == []
    assert ways(judged(document(attaches, allow("iam:CreatePolicy", arn("team/*")))))


def test_a_policy_of_ones_own_can_be_written_anew() -> None:
    given = details(
        [role(AttachedManagedPolicies=attached("team/mine"))],
        [managed("team/mine", document(allow("iam:CreatePolicyVersion", arn("team/*"))))],
    )
    assert ways(audit(given, now=NOW))
    elsewhere = document(allow("iam:CreatePolicyVersion", arn("others/*")))
    assert ways(audit(details([role(elsewhere)]), now=NOW)) == []


@pytest.mark.parametrize(
    ("denied", "is_way"),
    [
        (deny("iam:PassRole"), False),
        (deny("iam:pass*", f"arn:aws:iam::{ACCOUNT}:role/*"), False),
        (deny("sagemaker:Create*"), False),
        ({"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}, False),
        (deny("iam:PassRole", f"{ROLES}admin"), True),
        (deny("iam:PassRole", "arn:aws:iam::*:user/*"), True),
        (deny("iam:PassRole", Condition={"Bool": {"aws:SecureTransport": "false"}}), True),
        (deny("iam:PassRole", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}), True),
    ],
)
def test_a_deny_closes_a_way_only_when_it_takes_all_of_it_back(denied: dict[str, Any], is_way: bool) -> None:
    given = document(allow(["iam:PassRole", "sagemaker:CreateTrainingJob"]))
    assert bool(ways(judged(given, document(denied)))) is is_way


def test_a_boundary_mitigates_a_way_and_hides_nothing() -> None:
    given = document(allow(["iam:PassRole", "sagemaker:CreateTrainingJob"]))
    found = bounded(document(allow("sagemaker:*")), given)
    assert of_kind(found, Kind.PRIVILEGE_ESCALATION).severity is Severity.LOW
    assert "the permissions boundary limit" in of_kind(found, Kind.PRIVILEGE_ESCALATION).mitigated_by
    assert of_kind(found, Kind.PASS_ROLE).severity is Severity.LOW


def test_who_may_do_everything_has_nowhere_to_go() -> None:
    assert ways(judged(document(allow("*")))) == []


@pytest.mark.parametrize(
    ("statement", "severity"),
    [
        (allow("iam:PassRole"), Severity.HIGH),
        (allow("IAM:Pass*", f"{ROLES}*"), Severity.HIGH),
        (allow("iam:PassRole", Condition=TO_SAGEMAKER), Severity.MEDIUM),
        (allow("iam:PassRole", Condition={"StringLike": {"iam:PassedToService": "*"}}), Severity.HIGH),
        (allow("iam:PassRole", f"{ROLES}dogs-*"), Severity.MEDIUM),
        (allow("iam:PassRole", f"{ROLES}dogs-*", Condition=TO_SAGEMAKER), Severity.LOW),
        (allow("iam:PassRole", f"{ROLES}trainer"), Severity.LOW),
        ({"Effect": "Allow", "Action": "iam:PassRole", "NotResource": f"{ROLES}admin"}, Severity.HIGH),
    ],
)
def test_passing_more_than_one_role_or_to_any_service_is_found(statement: dict[str, Any], severity: Severity) -> None:
    found = of_kind(judged(document(statement)), Kind.PASS_ROLE)
    assert found.severity is severity and found.statement == statement


def test_passing_one_role_to_one_service_is_as_it_should_be() -> None:
    assert judged(document(allow("iam:PassRole", f"{ROLES}trainer", Condition=TO_SAGEMAKER))) == []
    if_exists = {"StringEqualsIfExists": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert judged(document(allow("iam:PassRole", f"{ROLES}trainer", Condition=if_exists))) == []
