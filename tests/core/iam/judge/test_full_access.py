"""Whole services by any spelling, judged over all that a role has."""

from typing import Any

import pytest

from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.findings import audit
from tests.core.iam.accounts import (
    ACCOUNT,
    NOW,
    allow,
    attached,
    bounded,
    deny,
    details,
    document,
    judged,
    kinds,
    managed,
    of_kind,
    role,
)

S3_EVERYTHING = [f"s3:{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz"]
BUCKET = ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"]


def full(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.kind is Kind.FULL_ACCESS]


@pytest.mark.parametrize(
    "statement",
    [
        allow("*"),
        allow("*:*"),
        allow("**"),
        allow("s3:*"),
        allow("S3:*"),
        allow("s3:**"),
        allow("s3:?*"),
        allow("s*:*"),
        allow(["sns:Publish", "S3:*"]),
        allow(S3_EVERYTHING),
        allow("s3:*", "arn:aws:s3:::*"),
        allow("s3:*", "arn:aws:s3:::*/*"),
        allow("s3:*", "arn:*"),
        allow("s3:*", ["arn:aws:s3:::one", "arn:*:s3:::*"]),
        allow("iam:*", f"arn:aws:iam::{ACCOUNT}:role/*"),
        allow("IAM:*", "arn:aws:iam::*:role/?*"),
        allow("sagemaker:*", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:*"),
        allow("newservice:*"),
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Effect": "Allow", "NotAction": ["iam:PassRole"], "Resource": "*"},
        {"Effect": "Allow", "Action": "sagemaker:*", "NotResource": "arn:aws:sagemaker:*:*:app/*"},
        {"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::secret/*"},
        allow("s3:*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
        allow("s3:*", Condition={"StringLike": {"aws:PrincipalArn": "*"}}),
        allow("s3:*", Condition={"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}),
        allow("s3:*", Condition={"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}),
        allow("s3:*", Condition={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}),
        allow("s3:*", Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        allow("s3:*", Condition={"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}),
        allow("s3:*", Condition={"Null": {"aws:PrincipalArn": "false"}}),
    ],
)
def test_a_whole_service_is_found_by_any_spelling(statement: dict[str, Any]) -> None:
    found = of_kind(judged(document(statement)), Kind.FULL_ACCESS)
    assert found.severity in (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)
    assert (found.role, found.policy, found.place, found.statement) == ("subject", "p0", 0, statement)
    assert found.attack and found.fix and not found.mitigated_by


@pytest.mark.parametrize(
    "statement",
    [
        allow("s3:Get*"),
        allow("s3:*", BUCKET),
        allow("s3:*", "arn:aws:s3:::photos*"),
        allow(["sts:GetCallerIdentity", "ecr:GetAuthorizationToken"]),
        allow("sagemaker:InvokeEndpoint", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/dogs"),
        allow("s3:*", Condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}),
        allow("s3:*", Condition={"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/other"}}),
        {"Effect": "Allow", "Action": "s3:*", "NotResource": "*"},
        deny("*"),
    ],
)
def test_less_than_a_service_or_none_at_all_is_no_full_access(statement: dict[str, Any]) -> None:
    assert full(judged(document(statement))) == []


def test_a_statement_and_its_actions_may_stand_alone_where_lists_are_usual() -> None:
    assert full(judged({"Version": "2012-10-17", "Statement": allow("s3:*")}))


def test_what_several_policies_give_between_them_counts_as_one() -> None:
    half = len(S3_EVERYTHING) // 2
    one, other = document(allow(S3_EVERYTHING[:half])), document(allow(S3_EVERYTHING[half:]))
    assert full(judged(one)) == [] and full(judged(other)) == []
    assert "every action of s3" in of_kind(judged(one, other), Kind.FULL_ACCESS).reason


def test_everything_is_worse_than_a_service_and_iam_is_everything() -> None:
    def severity(action: Any) -> Severity:
        return of_kind(judged(document(allow(action))), Kind.FULL_ACCESS).severity

    assert severity("*") is severity("iam:*") is Severity.CRITICAL
    assert severity("sagemaker:*") is severity("s3:*") is Severity.HIGH
    assert severity("cloudwatch:*") is Severity.MEDIUM
    everything_but = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}
    assert of_kind(judged(document(everything_but)), Kind.FULL_ACCESS).severity is Severity.HIGH


@pytest.mark.parametrize(
    "statement",
    [
        deny("*"),
        deny("S3:*"),
        deny("s3:*", "arn:*"),
        {"Effect": "Deny", "NotAction": "sns:*", "Resource": "*"},
        deny(["s3:P*", "s3:[", "s3:*"]),
        deny("s3:*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
    ],
)
def test_a_deny_in_another_policy_that_takes_all_of_it_back_leaves_nothing(statement: dict[str, Any]) -> None:
    assert full(judged(document(allow("s3:*")), document(statement))) == []


@pytest.mark.parametrize(
    "statement",
    [
        deny("s3:*", BUCKET),
        deny("s3:DeleteBucket"),
        deny("s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
        deny("s3:*", Condition={"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}),
        {"Effect": "Deny", "Action": "s3:*", "NotResource": "*"},
        deny("sqs:*"),
    ],
)
def test_a_narrow_deny_hides_no_wide_allow(statement: dict[str, Any]) -> None:
    found = of_kind(judged(document(allow("s3:*")), document(statement)), Kind.FULL_ACCESS)
    assert found.severity is Severity.HIGH


def test_a_deny_of_most_of_it_is_told_and_makes_it_less_severe() -> None:
    found = of_kind(judged(document(allow("s3:*"), deny(["s3:Put*", "s3:Create*", "s3:Delete*"]))), Kind.FULL_ACCESS)
    assert "a Deny takes back" in found.mitigated_by
    assert found.severity is Severity.MEDIUM


def test_a_boundary_mitigates_and_hides_nothing() -> None:
    within = of_kind(bounded(document(allow("s3:GetObject", BUCKET[1])), document(allow("s3:*"))), Kind.FULL_ACCESS)
    assert within.severity is Severity.LOW
    assert within.mitigated_by == "the permissions boundary limit lets it change at most what that names"
    assert within.attack.startswith("once the permissions boundary limit is gone, whoever works as this role can ")
    idle = of_kind(bounded(document(allow("*")), document(allow("s3:*"))), Kind.FULL_ACCESS)
    assert idle.severity is Severity.HIGH and not idle.mitigated_by


def test_a_boundary_that_denies_counts_too() -> None:
    found = of_kind(bounded(document(allow("*"), deny("s3:*")), document(allow("s3:*"))), Kind.FULL_ACCESS)
    assert found.severity is Severity.LOW


def test_all_but_the_rights_of_others_is_not_all() -> None:
    found = of_kind(judged(document(allow("*")), document(deny(["IAM:*", "organizations:*"]))), Kind.FULL_ACCESS)
    assert found.severity is Severity.HIGH and "nearly everything" in found.attack
    assert Kind.PRIVILEGE_ESCALATION in kinds(judged(document(allow("*"), deny(["iam:*", "organizations:*"]))))
    barely = of_kind(judged(document(allow("*")), document(deny(["iam:CreateUser"]))), Kind.FULL_ACCESS)
    assert barely.severity is Severity.CRITICAL and "take over the account" in barely.attack


def test_a_real_condition_mitigates() -> None:
    found = of_kind(
        judged(document(allow("s3:*", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))), Kind.FULL_ACCESS
    )
    assert found.mitigated_by == "a condition on aws:SourceIp" and found.severity is Severity.MEDIUM


def test_aws_s_own_full_access_is_found_by_its_name_even_where_its_document_is_missing() -> None:
    narrow = document(allow("textract:DetectDocumentText"))
    name = "AmazonThingFullAccess"
    given = details([role(AttachedManagedPolicies=attached(name, of_aws=True))], [managed(name, narrow, of_aws=True)])
    assert of_kind(audit(given, now=NOW), Kind.FULL_ACCESS).severity is Severity.MEDIUM
    without = audit(details([role(AttachedManagedPolicies=attached("AdministratorAccess", of_aws=True))]), now=NOW)
    assert of_kind(without, Kind.FULL_ACCESS).severity is Severity.CRITICAL
    assert "not among" in of_kind(without, Kind.UNKNOWN).reason


def test_a_policy_of_the_account_is_judged_by_what_it_says_not_by_its_name() -> None:
    name = "DogsFullAccess"
    given = details([role(AttachedManagedPolicies=attached(name))], [managed(name, document(allow("s3:Get*", BUCKET)))])
    assert kinds(audit(given, now=NOW)) == set()


def test_all_actions_on_one_bucket_are_a_wildcard_and_named_ones_are_not() -> None:
    found = of_kind(judged(document(allow("s3:*", BUCKET))), Kind.WILDCARD)
    assert "everything of s3" in found.reason
    assert judged(document(allow(["s3:GetObject", "s3:PutObject"], BUCKET))) == []


def test_writing_anything_is_a_wildcard_and_what_knows_no_resource_is_not() -> None:
    assert "s3:PutObject" in of_kind(judged(document(allow("s3:PutObject"))), Kind.WILDCARD).reason
    assert judged(document(allow(["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData", "logs:PutLogEvents"]))) == []
    assert judged(document(allow("s3:PutObject"), deny("s3:PutObject"))) == []


def test_in_another_partition_of_aws_a_deny_is_as_good() -> None:
    denied = deny("s3:*", ["arn:aws-cn:s3:::*", "arn:aws-cn:s3:*:*:*"])
    given = role(document(allow("s3:*", "arn:aws-cn:s3:::*"), denied), Arn=f"arn:aws-cn:iam::{ACCOUNT}:role/subject")
    assert full(audit(details([given]), now=NOW)) == []
    given["RolePolicyList"][0]["PolicyDocument"]["Statement"].pop()
    assert full(audit(details([given]), now=NOW))


def test_everything_on_one_bucket_is_a_wildcard_on_that_bucket_and_gives_nothing_of_iam() -> None:
    found = judged(document(allow("*", BUCKET)))
    assert kinds(found) == {Kind.WILDCARD}
    assert "arn:aws:s3:::photos" in of_kind(found, Kind.WILDCARD).reason


def test_reading_any_secret_is_told() -> None:
    assert of_kind(judged(document(allow("secretsmanager:GetSecretValue"))), Kind.WILDCARD).severity is Severity.MEDIUM


def test_a_copy_of_a_full_access_policy_that_is_about_all_things_of_a_kind_is_found_too() -> None:
    def found(statement: dict[str, Any]) -> set[Kind]:
        inline = [{"PolicyName": "PipesFullAccess", "PolicyDocument": document(statement)}]
        return kinds(audit(details([role(RolePolicyList=inline)]), now=NOW))

    assert Kind.FULL_ACCESS in found(allow(["execute-api:Invoke"], "arn:aws:execute-api:*:*:*"))
    assert Kind.FULL_ACCESS not in found(allow("execute-api:Invoke", "arn:aws:execute-api:us-east-1:1:a1/*"))
