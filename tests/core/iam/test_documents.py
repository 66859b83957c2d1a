"""Policy documents as they come: in any form, well or badly written, and read once for many uses."""

import json
from typing import Any

import pytest

from dashboard.core.iam.documents import MOST_REMEMBERED, Policy, PolicyError
from dashboard.core.iam.evaluate import evaluate

OBJECT = "arn:aws:s3:::photos/dogs/rex.jpg"


def policy(*statements: dict[str, Any]) -> Policy:
    return Policy.parse({"Version": "2012-10-17", "Statement": list(statements)}, "p")


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        "{}",
        '{"Statement": "x"}',
        '{"Version": "2020-01-01", "Statement": []}',
        '{"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Conditon": {"Bool": {"k": "true"}}}}',
        '{"Statement": {"Effect": "Allow", "Action": 1, "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": "x"}}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": []}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": null}}',
        '{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*"}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_policy(document: str) -> None:
    with pytest.raises(PolicyError):
        Policy.parse(document)


def test_a_trust_policy_names_no_resource() -> None:
    trust = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}})
    assert trust.statements[0].has_principal


def test_documents_come_in_any_form() -> None:
    read = {"Version": "2012-10-17", "Statement": [allow("s3:Get*", Sid="Read"), deny("s3:GetBucketAcl")]}
    for one in (read, json.dumps(read), Policy.parse(read), [read], [json.dumps(read)], (Policy.parse(read),)):
        decision = evaluate(one, "s3:GetObject", OBJECT)
        assert decision.allowed
        assert [(one.place, one.sid) for one in decision.matched] == [(0, "Read")]
        assert not evaluate(one, "s3:GetBucketAcl", "*").allowed
        assert not evaluate([allow_all()], "s3:PutObject", OBJECT, boundary=read).allowed
    assert evaluate([read, read], "s3:GetObject", OBJECT).matched[1].policy == "policy 2"


def allow_all() -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": allow()}


@pytest.mark.parametrize("wrong", [None, 7, "no policy", {"Statement": 1}, {"Statement": {1, 2}}, [["x"]]])
def test_what_is_no_document_is_told(wrong: Any) -> None:
    with pytest.raises(PolicyError):
        evaluate([wrong], "s3:GetObject", OBJECT)
    with pytest.raises(PolicyError):
        evaluate([allow_all()], "s3:GetObject", OBJECT, boundary=wrong if wrong is not None else 0)


def test_a_document_that_was_changed_is_read_again() -> None:
    changed = allow_all()
    assert evaluate([changed], "s3:GetObject", OBJECT).allowed
    changed["Statement"] = deny()
    assert not evaluate([changed], "s3:GetObject", OBJECT).allowed


def test_a_policy_remembers_only_so_many_actions() -> None:
    judged = policy(allow("s3:*"))
    for number in range(MOST_REMEMBERED + 10):
        assert evaluate([judged], f"s3:Get{number}", OBJECT).allowed
    assert len(judged.__dict__["_about"]) <= MOST_REMEMBERED


def test_a_number_that_nobody_can_write_down_is_no_policy() -> None:
    with pytest.raises(PolicyError, match="too long"):
        Policy.of({"Statement": allow(Condition={"NumericEquals": {"s3:max-keys": 10**6_000}})})
