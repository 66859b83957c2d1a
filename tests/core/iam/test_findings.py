"""The audit of an account: every role, whatever it is made of, and nothing passed that could not be judged."""

import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dashboard.core.iam import findings as module
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.findings import audit
from tests.core.iam.accounts import (
    ACCOUNT,
    LAMBDA,
    NOW,
    allow,
    attached,
    bounded,
    details,
    document,
    judged,
    kinds,
    managed,
    of_kind,
    role,
)


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("{not json", "not JSON"),
        ('"*"', "not a JSON object"),
        (None, "no document"),
        ({"Version": "2012-10-17"}, "no Statement"),
        ({"Version": "2013-01-01", "Statement": []}, "has the version"),
        (document({"Effect": "allow", "Action": "s3:*", "Resource": "*"}), "Effect"),
        (document({"Effect": "Allow", "Action": {"a": 1}, "Resource": "*"}), "something else than texts"),
        (document(allow("s3:GetObject", "arn:aws:s3:::a/*", Condition={"StringAlike": {"a:b": "c"}})), "no condition"),
        (
            document(allow("s3:GetObject", "arn:aws:s3:::a/*", Condition={"IpAddress": {"aws:SourceIp": "home"}})),
            "cannot compare",
        ),
        (document(allow("s3:GetObject", "arn:aws:s3:::a/*", Condition=["x"])), "Condition"),
    ],
)
def test_what_cannot_be_judged_is_found_as_unknown(policy: Any, why: str) -> None:
    found = of_kind(judged(policy), Kind.UNKNOWN)
    assert why in found.reason and found.policy == "p0" and found.role == "subject"


def test_a_broken_statement_hides_none_of_the_others() -> None:
    found = judged(document({"Effect": "Allow"}, allow("s3:*"), allow("sns:*", Condition={"Odd": {"a:b": "c"}})))
    assert of_kind(found, Kind.FULL_ACCESS).place == 1
    assert [one.place for one in found if one.kind is Kind.UNKNOWN] == [0, 2]


def test_a_role_in_whose_judgement_we_fail_is_unknown_and_the_others_are_judged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judge = module.full_access.held

    def failing(rights: Any) -> Any:
        if rights.role.name == "odd":
            raise ZeroDivisionError("one by none")
        return judge(rights)

    monkeypatch.setattr(module.full_access, "held", failing)
    found = audit(details([role(document(allow("s3:*")), name="odd"), role(document(allow("s3:*")))]), now=NOW)
    assert {(one.role, one.kind) for one in found} >= {("odd", Kind.UNKNOWN), ("subject", Kind.FULL_ACCESS)}
    assert "ZeroDivisionError: one by none" in of_kind(found, Kind.UNKNOWN).reason
    assert "odd" in caplog.text


def test_a_boundary_that_cannot_be_read_mitigates_nothing() -> None:
    found = audit(details([role(document(allow("s3:*")), boundary="gone")]), now=NOW)
    assert of_kind(found, Kind.FULL_ACCESS).severity is Severity.HIGH
    assert "gone (permissions boundary)" in of_kind(found, Kind.UNKNOWN).policy
    assert not of_kind(found, Kind.FULL_ACCESS).mitigated_by


def test_an_action_that_aws_does_not_list_is_told_and_those_of_a_new_service_with_it() -> None:
    found = of_kind(
        judged(document(allow(["s3:GetObjekt", "s3:GetObject", "newthing:Do*"], "arn:aws:s3:::a/*"))), Kind.UNKNOWN
    )
    assert found.severity is Severity.LOW
    assert "newthing:Do* and s3:GetObjekt" in found.reason


def test_names_and_policies_in_any_script_are_judged() -> None:
    name, bucket = "rôle-犬-🐕", "arn:aws:s3:::fotos-ñ-\u202e/*"
    found = audit(details([role(document(allow("s3:*", bucket), allow("sns:*")), name=name)]), now=NOW)
    assert {one.role for one in found} == {name}
    json.dumps([one.as_record() for one in found])


def test_six_kilobytes_of_wildcards_are_judged_in_no_time_worth_telling() -> None:
    hostile = document(allow(["*a*" * 100 + "b" for _ in range(4)], ["arn:aws:s3:::" + "*a" * 700 + "*"] * 2))
    assert len(json.dumps(hostile)) > 4_000
    assert Kind.UNKNOWN in kinds(judged(hostile)), "none of the actions is one"
    wild = document(allow(["?*:*?*"] * 300, ["*:*:*:*:*:*", "??*"] * 200))
    assert Kind.FULL_ACCESS in kinds(judged(wild))
    letters = "abcdefghijklmnopqrstuvwxyz"
    pairs = [f"*{one}*{other}*" for one in letters for other in letters][:600]
    found = of_kind(judged(document(allow(pairs))), Kind.FULL_ACCESS)
    assert found.severity is Severity.CRITICAL, "they leave hardly an action of any service out, those of IAM included"


def test_roles_that_trust_each_other_in_a_circle_end() -> None:
    def trusting(name: str, other: str) -> dict[str, Any]:
        principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{other}"}
        trust = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
        return role(document(allow("sts:AssumeRole")), name=name, AssumeRolePolicyDocument=trust)

    found = audit(details([trusting("a", "b"), trusting("b", "c"), trusting("c", "a")]), now=NOW)
    assert {one.role for one in found} == {"a", "b", "c"}


def test_roles_that_only_a_service_may_assume_are_judged_and_those_that_nobody_can_change_are_not() -> None:
    linked = role(document(allow("*")), name="AWSServiceRoleForX", Path="/aws-service-role/x.amazonaws.com/")
    for service in ("sagemaker", "ec2", "lambda"):
        trust = document(
            {
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            }
        )
        subject = role(document(allow("*")), name="subject", AssumeRolePolicyDocument=trust)
        found = audit(details([linked, subject]), now=NOW)
        assert {one.role for one in found} == {"subject"} and Kind.FULL_ACCESS in kinds(found)


def test_the_good_policies_are_not_flagged() -> None:
    templates = json.loads((Path(__file__).parent / "good_policies.json").read_text())
    found = audit(details([role(policy, name=name) for name, policy in templates.items()]), now=NOW)
    assert [(one.role, one.kind, one.reason) for one in found] == []


def test_documents_as_objects_text_or_url_encoded_make_no_difference() -> None:
    policy = document(allow("s3:*"))
    forms = [policy, json.dumps(policy), quote(json.dumps(policy))]
    told = [[one.key for one in judged(form)] for form in forms]
    assert told[0] == told[1] == told[2] and told[0]


def test_the_order_in_which_policies_are_attached_changes_nothing() -> None:
    given = [allow("s3:Get*"), allow("iam:PassRole"), allow("ec2:RunInstances"), allow("iam:Pass*"), allow("ec2:Run*"),
             allow([f"s3:{one}*" for one in "abcdefhijklm"]),
             allow([f"s3:{one}*" for one in "nopqrstuvwxyz"])]  # fmt: skip
    policies = [managed(f"m{place}", document(one)) for place, one in enumerate(given)]
    chance = random.Random(5)

    def told(order: list[dict[str, Any]]) -> set[tuple[str, str, str, str]]:
        names = [one["PolicyName"] for one in order]
        found = audit(details([role(AttachedManagedPolicies=attached(*names))], order), now=NOW)
        return {(one.kind, one.severity, one.policy, one.reason) for one in found}

    first = told(policies)
    assert Kind.FULL_ACCESS in {kind for kind, *_ in first}
    assert {policy for kind, _, policy, _ in first if kind is Kind.PRIVILEGE_ESCALATION} == {"m1", "m3"}
    for _ in range(5):
        assert told(chance.sample(policies, len(policies))) == first


@pytest.mark.parametrize(
    "extra", ["s3:*", "iam:PassRole", "sagemaker:CreateTrainingJob", "lambda:*", "sqs:SendMessage"]
)
def test_one_more_allow_never_takes_a_finding_away_and_one_more_deny_never_adds_one(extra: str) -> None:
    base = [document(allow(["iam:PassRole", "s3:Put*"])), document(allow("ec2:RunInstances")), document(allow("sns:*"))]

    def told(found: list[Finding]) -> set[tuple[str, str, str]]:
        return {(one.kind, one.policy, json.dumps(one.statement)) for one in found}

    before = told(judged(*base))
    assert before <= told(judged(*base, document(allow(extra))))
    denied = judged(*base, document({"Effect": "Deny", "Action": extra, "Resource": "*"}))
    assert told(denied) <= before


def test_a_finding_keeps_its_key_until_something_about_it_changes() -> None:
    def key(policy: Any) -> str:
        return of_kind(judged(policy), Kind.FULL_ACCESS).key

    assert key(document(allow("s3:*"))) == key(document(allow("s3:*")))
    assert key(document(allow("s3:*"))) != key(document(allow("s3:*", "arn:aws:s3:::*")))


def test_a_part_of_an_account_says_that_it_is_one() -> None:
    whole = details([role(document(allow("s3:GetObject", "arn:aws:s3:::a/*")))])
    assert audit(whole, now=NOW) == []
    assert "more pages follow" in of_kind(audit({**whole, "IsTruncated": True}, now=NOW), Kind.UNKNOWN).reason


def test_boundaries_alone_are_no_rights() -> None:
    assert bounded(document(allow("*"))) == []


def test_an_old_role_and_a_policy_attached_to_nothing_are_found() -> None:
    old = role(document(allow("s3:GetObject", "arn:aws:s3:::a/*")), CreateDate="2024-01-01T00:00:00Z")
    left = {**managed("left", document(allow("s3:*"))), "AttachmentCount": 0}
    found = audit(details([old], [left]), now=NOW)
    assert {(one.role, one.kind) for one in found} == {("subject", Kind.UNUSED_ROLE), ("", Kind.UNUSED_POLICY)}
    assert audit(details([old], []), now=NOW, unused_days=5000) == []


def test_findings_come_worst_first() -> None:
    roles = [
        role(document(allow("iam:PassRole", "arn:aws:iam::*:role/x")), name="a"),
        role(document(allow("*")), name="z"),
    ]
    found = audit(details(roles), now=NOW)
    assert [one.severity.rank for one in found] == sorted(one.severity.rank for one in found)
    assert found[0].role == "z"


def test_a_policy_that_many_roles_share_is_found_for_each() -> None:
    roles = [role(name=f"r{n}", AttachedManagedPolicies=attached("shared")) for n in range(3)]
    found = audit(details(roles, [managed("shared", document(allow("s3:*")))]), now=NOW)
    assert sorted(one.role for one in found if one.kind is Kind.FULL_ACCESS) == ["r0", "r1", "r2"]
    assert roles[0]["AssumeRolePolicyDocument"] == LAMBDA
