"""Who may invoke: a policy's statements in words, those that let anybody in, and invitations."""

import json
from typing import Any

import pytest

from dashboard.core.errors import Refused
from dashboard.core.serving.functions.invokers import (
    Caller,
    Invitation,
    permissions,
    refuse,
    statements,
)
from tests.core.serving.functions.lambdas import Lambdas, shaped

API = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/POST/classify"


def one(**row: Any) -> Any:
    document = {"Statement": [{"Sid": "a", "Effect": "Allow", "Action": "lambda:InvokeFunction", **row}]}
    return statements(json.dumps(document))[0]


@pytest.mark.parametrize(
    ("row", "words", "is_open"),
    [
        ({"Principal": {"AWS": "arn:aws:iam::210987654321:root"}}, "the account 210987654321 may invoke it", False),
        ({"Principal": {"AWS": "arn:aws:iam::210987654321:role/x"}}, "arn:aws:iam::210987654321:role/x may", False),
        ({"Principal": "*"}, "anybody may invoke it", True),
        ({"Principal": {"AWS": ["*"]}}, "anybody may invoke it", True),
        ({"Principal": {"Service": "apigateway.amazonaws.com"}}, "API Gateway may invoke it", True),
        (
            {
                "Principal": {"Service": "apigateway.amazonaws.com"},
                "Condition": {"ArnLike": {"AWS:SourceArn": API}},
            },
            f"API Gateway may invoke it for {API}",
            False,
        ),
        (
            {
                "Principal": {"Service": "s3.amazonaws.com"},
                "Condition": {"StringEquals": {"AWS:SourceAccount": "123456789012"}},
            },
            "S3 may invoke it of the account 123456789012",
            False,
        ),
        (
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
            "in the organisation o-1",
            False,
        ),
        (
            {
                "Principal": "*",
                "Action": "lambda:InvokeFunctionUrl",
                "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
            },
            "anybody may call its URL",
            True,
        ),
        ({"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, "if aws:SecureTransport", True),
        ({"Principal": "*", "Effect": "Deny"}, "anybody may not invoke it", False),
        # a source that is anybody's narrows nothing
        (
            {
                "Principal": {"Service": "s3.amazonaws.com"},
                "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}},
            },
            "S3 may invoke it for",
            True,
        ),
        (
            {"Principal": "*", "Condition": {"StringNotEquals": {"aws:SourceAccount": "123456789012"}}},
            "anybody may invoke it",
            True,
        ),
    ],
)
def test_a_statement_in_words_and_whether_it_lets_anybody_in(row: dict[str, Any], words: str, is_open: bool) -> None:
    found = one(**row)
    assert words in found.words
    assert found.is_open is is_open
    assert bool(found.problem) is is_open


def test_what_is_no_policy_is_said() -> None:
    for bad in ("", "{}", "[]", '{"Statement": [{}]}', '{"Statement": "x"}'):
        with pytest.raises(Refused, match="cannot be read"):
            statements(bad)


@pytest.mark.parametrize(
    ("invitation", "problem"),
    [
        (Invitation(Caller.API_GATEWAY, API), ""),
        (Invitation(Caller.API_GATEWAY, API.replace("prod/POST", "*/*")), ""),
        (Invitation(Caller.API_GATEWAY, ""), "any API of anybody's"),
        (Invitation(Caller.API_GATEWAY, "arn:aws:s3:::bucket"), "ARN of one API"),
        (Invitation(Caller.API_GATEWAY, "*"), "ARN of one API"),
        (Invitation(Caller.ACCOUNT, "210987654321"), ""),
        (Invitation(Caller.ACCOUNT, "21098765432"), "twelve digits"),
        (Invitation(Caller.ACCOUNT, "*"), "twelve digits"),
        (Invitation(Caller.URL_SIGNED, "210987654321"), ""),
        (Invitation(Caller.URL_OPEN), ""),
    ],
)
def test_an_invitation_names_whom_it_lets_in(invitation: Invitation, problem: str) -> None:
    said = refuse(invitation, shaped(Lambdas()).account)
    assert (problem in str(said)) if problem else said is None


def test_a_url_takes_both_rights_that_aws_asks_for_since_october_2025() -> None:
    rows = permissions(Invitation(Caller.URL_OPEN), "public")
    assert [row["Action"] for row in rows] == ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]
    assert rows[1]["InvokedViaFunctionUrl"] is True
