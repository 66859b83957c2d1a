"""Who may call a Lambda function: what an audit says of resource policies and URLs."""

import json
from typing import Any

import pytest

from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge import functions
from dashboard.core.iam.judge.functions import Address, Exposure

OWN, OTHER = "111122223333", "444455556666"
ARN = f"arn:aws:lambda:us-east-1:{OWN}:function:dog-infer"


def exposure(*statements: Any, addresses: tuple[Address, ...] = (), qualifier: str = "") -> Exposure:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return Exposure("dog-infer", ARN, "", None, {qualifier: text} if statements else {}, addresses)


def allow(principal: Any, condition: Any = None, action: Any = "lambda:InvokeFunction") -> dict[str, Any]:
    told = {"Sid": "one", "Effect": "Allow", "Principal": principal, "Action": action, "Resource": ARN}
    return {**told, "Condition": condition} if condition else told


def found(*statements: Any, **more: Any) -> list[Finding]:
    return list(functions.findings(exposure(*statements, **more)))


API = {"Service": "apigateway.amazonaws.com"}
FOR_URL = allow("*", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}, "lambda:InvokeFunctionUrl")
THROUGH_URL = allow("*", {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}})
OPEN = Address("https://x.lambda-url.us-east-1.on.aws/", "NONE")


@pytest.mark.parametrize(
    "statement",
    [
        allow(API, {"ArnLike": {"AWS:SourceArn": f"arn:aws:execute-api:us-east-1:{OWN}:abc/*/POST/classify"}}),
        allow({"Service": "s3.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": OWN},
                                                "ArnLike": {"aws:SourceArn": "arn:aws:s3:::photos"}}),
        allow({"Service": "alexa-appkit.amazon.com"}, {"StringEquals": {"lambda:EventSourceToken": "amzn1.ask"}}),
        allow({"AWS": f"arn:aws:iam::{OTHER}:root"}),  # one account, as it was meant
        allow("*", {"StringEquals": {"aws:PrincipalOrgID": "o-abcdef"}}),
        allow("*", {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}, "lambda:InvokeFunctionUrl"),
    ],
)  # fmt: skip
def test_a_narrow_statement_is_no_finding(statement: dict[str, Any]) -> None:
    assert found(statement) == []


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}])
@pytest.mark.parametrize("action", ["lambda:InvokeFunction", "Lambda:invoke*"])
def test_anybody_may_invoke_it(principal: Any, action: str) -> None:
    (one,) = found(allow(principal, action=action))
    assert (one.kind, one.severity, one.policy, one.role) == (
        Kind.RESOURCE_POLICY, Severity.HIGH, "resource policy", "",
    )  # fmt: skip
    assert one.arn == ARN
    assert one.statement == allow(principal, action=action)


def test_anybody_may_change_its_code() -> None:
    told = found(allow("*", action="lambda:*"))
    assert told[-1].severity is Severity.CRITICAL
    (other,) = found(allow({"AWS": OTHER}, action="lambda:*"))
    assert other.severity is Severity.HIGH


@pytest.mark.parametrize("condition", [None, {"ArnLike": {"aws:SourceArn": "arn:aws:execute-api:*:*:*"}}])
def test_a_service_on_whoevers_behalf(condition: Any) -> None:
    (one,) = found(allow(API, condition))
    assert one.severity is Severity.MEDIUM
    assert OWN in one.fix


def test_a_bucket_named_without_its_account() -> None:
    (one,) = found(allow({"Service": "s3.amazonaws.com"}, {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::photos"}}))
    assert one.severity is Severity.LOW


def test_an_open_url_is_one_finding_with_the_statements_that_let_it_be() -> None:
    (one,) = found(FOR_URL, THROUGH_URL, addresses=(OPEN,))
    assert (one.kind, one.severity) == (Kind.FUNCTION_URL, Severity.HIGH)


def test_an_open_url_that_no_statement_lets_through() -> None:
    (one,) = found(addresses=(OPEN,))
    assert (one.kind, one.severity) == (Kind.FUNCTION_URL, Severity.LOW)
    assert found(addresses=(Address(OPEN.url, "AWS_IAM"),)) == []


def test_a_statement_that_waits_for_an_open_url() -> None:
    (one,) = found(FOR_URL, THROUGH_URL)
    assert (one.kind, one.severity) == (Kind.RESOURCE_POLICY, Severity.LOW)


def test_a_url_of_an_alias_goes_with_the_policy_of_the_alias() -> None:
    live = Address(OPEN.url, "NONE", "live")
    (one,) = found(FOR_URL, addresses=(live,), qualifier="live")
    assert (one.severity, one.policy) == (Severity.HIGH, "resource policy of live")
    other = found(FOR_URL, addresses=(live,))
    assert [each.severity for each in other] == [Severity.LOW, Severity.LOW]


def test_a_deny_to_all_takes_it_back() -> None:
    closed = {**allow("*", action="lambda:*"), "Effect": "Deny"}
    assert found(allow("*"), closed) == []
    assert len(found(allow("*"), {**closed, "Principal": {"AWS": OTHER}})) == 1


def test_what_cannot_be_read_is_unknown() -> None:
    odd = Exposure("dog-infer", ARN, "", None, {"": "{no json", "live": json.dumps({"Statement": ["?"]})})
    assert [(one.kind, one.policy) for one in functions.findings(odd)] == [
        (Kind.UNKNOWN, "resource policy"),
        (Kind.UNKNOWN, "resource policy of live"),
    ]
