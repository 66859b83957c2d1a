"""Who may work as a role: what an audit says of trust policies."""

from typing import Any

import pytest

from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge import trust

OWN, OTHER = "111122223333", "444455556666"
ARN = f"arn:aws:iam::{OWN}:role/subject"


def role(*statements: Any, path: str = "/", **more: Any) -> Role:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return Role("subject", ARN, path, document, **more)


def allow(principal: Any, condition: Any = None, action: Any = "sts:AssumeRole") -> dict[str, Any]:
    told = {"Effect": "Allow", "Principal": principal, "Action": action}
    return {**told, "Condition": condition} if condition else told


def deny(condition: Any = None, principal: Any = "*", action: Any = "sts:AssumeRole") -> dict[str, Any]:
    return {**allow(principal, condition, action), "Effect": "Deny"}


def found(*statements: Any) -> list[Finding]:
    return list(trust.findings(role(*statements)))


def severities(*statements: Any) -> list[Severity]:
    return [one.severity for one in found(*statements)]


SAGEMAKER = {"Service": "sagemaker.amazonaws.com"}
SOURCE_ACCOUNT = {"StringEquals": {"aws:SourceAccount": OWN}}


@pytest.mark.parametrize(
    "statement",
    [
        allow(SAGEMAKER, SOURCE_ACCOUNT),
        allow(SAGEMAKER, {"ArnLike": {"aws:SourceArn": f"arn:aws:sagemaker:us-east-1:{OWN}:*"}}),
        allow(SAGEMAKER, {"StringLike": {"AWS:sourceARN": f"arn:aws:sagemaker:*:{OWN}:*"}}),
        allow(SAGEMAKER, {"StringEqualsIfExists": {"aws:SourceAccount": OWN}}),  # SageMaker always sends it
        # AWS sends no source keys there, so that a condition on them would keep the service itself out
        allow({"Service": "lambda.amazonaws.com"}),
        allow({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}),
        allow({"AWS": f"arn:aws:iam::{OWN}:root"}),
        allow({"AWS": OWN}),
        allow({"AWS": f"arn:aws:iam::{OTHER}:root"}, {"StringEquals": {"sts:ExternalId": "a1b2"}}),
        allow({"AWS": OTHER}, {"StringEquals": {"aws:PrincipalOrgID": "o-abcdef"}}),
        allow({"Federated": f"arn:aws:iam::{OWN}:saml-provider/corp"}, action="sts:AssumeRoleWithSAML"),
        allow(
            {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"},
            {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:us/dogs:*"}},
            "sts:AssumeRoleWithWebIdentity",
        ),
        allow({"AWS": "*"}, action="sts:TagSession"),  # nobody can assume it by that alone
    ],
)
def test_a_narrow_trust_is_no_finding(statement: dict[str, Any]) -> None:
    assert found(statement) == []


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": [f"arn:aws:iam::{OWN}:root", "*"]}])
@pytest.mark.parametrize(
    "condition",
    [
        None,
        {"Bool": {"aws:SecureTransport": "true"}},  # every request by TLS meets it
        {"StringLike": {"aws:PrincipalArn": "*"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}},
        {"StringNotEquals": {"aws:PrincipalAccount": OTHER}},  # all but one account
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abcdef"}},  # passes whoever is in no organization
        {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-abcdef"}},
        {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
    ],
)
def test_a_trust_of_everybody_is_critical_whatever_everybody_meets(principal: Any, condition: Any) -> None:
    (one,) = found(allow(principal, condition))
    assert (one.kind, one.severity, one.policy, one.place) == (Kind.TRUST, Severity.CRITICAL, "trust", 0)
    assert one.statement == allow(principal, condition)
    assert not one.mitigated_by


@pytest.mark.parametrize(
    ("condition", "severity"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-abcdef"}}, Severity.LOW),
        ({"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/ci"}}, Severity.LOW),
        ({"StringEquals": {"sts:ExternalId": "secret"}}, Severity.HIGH),
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, Severity.HIGH),
    ],
)
def test_a_condition_that_names_somebody_is_told_as_what_mitigates(condition: Any, severity: Severity) -> None:
    (one,) = found(allow("*", condition))
    assert one.severity is severity
    assert next(iter(next(iter(condition.values())))) in one.mitigated_by


def test_all_but_some_is_everybody() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": OTHER}, "Action": "sts:AssumeRole"}
    assert severities(statement) == [Severity.CRITICAL]


def test_a_deny_to_everybody_else_mitigates_and_a_narrow_one_does_not() -> None:
    by_organization = deny({"StringNotEquals": {"aws:PrincipalOrgID": "o-abcdef"}})
    assert severities(allow("*"), by_organization) == [Severity.LOW]
    # two conditions have to be met both: whoever meets one is still let in
    narrow = deny({"StringNotEquals": {"aws:PrincipalOrgID": "o-abcdef"}, "Bool": {"aws:SecureTransport": "false"}})
    assert severities(allow("*"), narrow) == [Severity.CRITICAL]
    assert severities(allow("*"), deny(principal={"AWS": OTHER})) == [Severity.CRITICAL]
    assert severities(allow("*"), deny()) == []


def test_a_deny_to_all_identities_leaves_services_in() -> None:
    assert severities(allow(SAGEMAKER), deny(principal={"AWS": "*"})) == [Severity.MEDIUM]
    assert severities(allow(SAGEMAKER), deny()) == []


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:us-east-1:*:*"}},
        {"StringLike": {"aws:SourceAccount": "*"}},
        {"StringNotEquals": {"aws:SourceAccount": OTHER}},
    ],
)
def test_a_sagemaker_trust_on_whoevers_behalf_is_found(condition: Any) -> None:
    (one,) = found(allow(SAGEMAKER, condition))
    assert one.severity is Severity.MEDIUM
    assert "confused deputy" in one.attack
    assert OWN in one.fix


def test_a_trust_on_another_accounts_behalf_is_found() -> None:
    (one,) = found(allow(SAGEMAKER, {"StringEquals": {"aws:SourceAccount": [OWN, OTHER]}}))
    assert OTHER in one.reason


def test_only_the_bare_service_of_several_that_sends_keys_is_found() -> None:
    services = {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com", "sagemaker.amazonaws.com"]}
    (one,) = found(allow(services))
    assert "sagemaker" in one.reason


def test_another_account_without_an_external_id() -> None:
    (whole,) = found(allow({"AWS": f"arn:aws:iam::{OTHER}:root"}))
    assert whole.severity is Severity.HIGH
    assert OTHER in whole.reason
    (single,) = found(allow({"AWS": f"arn:aws:iam::{OTHER}:role/ci"}))
    assert single.severity is Severity.MEDIUM
    assert "role/ci" in single.reason
    vacuous = {"StringLike": {"sts:ExternalId": "*"}}
    assert severities(allow({"AWS": OTHER}, vacuous)) == [Severity.HIGH]


@pytest.mark.parametrize("action", ["sts:*", "*", "STS:*", ["sts:AssumeRole", "sts:Set*"]])
def test_more_than_assuming_it(action: Any) -> None:
    (one,) = found(allow({"AWS": OWN}, action=action))
    assert "source identity" in one.attack


def test_session_tags_that_are_named_are_meant() -> None:
    assert found(allow({"AWS": OWN}, action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])) == []


def test_whoever_an_identity_provider_vouches_for() -> None:
    github = {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"}
    by_audience = {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}
    (one,) = found(allow(github, by_audience, "sts:AssumeRoleWithWebIdentity"))
    assert one.severity is Severity.HIGH
    anyone = {"StringLike": {"token.actions.githubusercontent.com:sub": "*"}}
    assert severities(allow(github, anyone, "sts:AssumeRoleWithWebIdentity")) == [Severity.HIGH]
    cognito = {"Federated": "cognito-identity.amazonaws.com"}
    pool = {"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:pool"}}
    assert found(allow(cognito, pool, "sts:AssumeRoleWithWebIdentity")) == []


def test_what_was_deleted_is_told() -> None:
    (one,) = found(allow({"AWS": "AROAEXAMPLEID12345678"}))
    assert (one.severity, "deleted" in one.reason) == (Severity.LOW, True)


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Action": "sts:AssumeRole"},
        {"Effect": "Perhaps", "Principal": "*", "Action": "sts:AssumeRole"},
        allow(["*"]),
        allow({"Somebody": "*"}),
        allow({"AWS": [7]}),
        "no statement",
    ],
)
def test_what_cannot_be_read_is_unknown_and_the_rest_is_judged(statement: Any) -> None:
    findings = found(statement, allow("*"))
    assert [one.kind for one in findings] == [Kind.UNKNOWN, Kind.TRUST]
    assert findings[0].place == 0


def test_a_trust_policy_that_is_none_is_unknown() -> None:
    (one,) = trust.findings(Role("subject", ARN, trust=None, trust_error="it is not JSON"))
    assert one.kind is Kind.UNKNOWN
    assert "not JSON" in one.reason


def test_roles_that_trust_each_other_in_a_ring_are_judged_one_by_one() -> None:
    ring = [Role(name, f"arn:aws:iam::{OWN}:role/{name}", trust={
        "Statement": [allow({"AWS": f"arn:aws:iam::{OWN}:role/{other}"})]
    }) for name, other in (("a", "b"), ("b", "c"), ("c", "a"))]  # fmt: skip
    assert [list(trust.findings(one)) for one in ring] == [[], [], []]


@pytest.mark.parametrize("path", ["/aws-service-role/x.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/"])
def test_what_aws_keeps_itself_is_passed_over(path: str) -> None:
    assert list(trust.findings(role(allow("*"), path=path))) == []
