"""What policies allow, by the rules of the IAM User Guide: worked examples, none of them from our own code."""

import random
import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.core.iam.documents import Policy, PolicyError
from dashboard.core.iam.evaluate import Matched, Outcome, context_keys, evaluate
from dashboard.core.iam.wildcard import matches

OBJECT = "arn:aws:s3:::photos/dogs/rex.jpg"


def policy(*statements: dict[str, Any], version: str = "2012-10-17", name: str = "p") -> Policy:
    return Policy.parse({"Version": version, "Statement": list(statements)}, name)


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def allowed(*statements: dict[str, Any], action: str = "s3:GetObject", resource: str = OBJECT, **context: Any) -> bool:
    return evaluate([policy(*statements)], action, resource, context).allowed


def conditioned(operator: str, key: str, values: Any, context: dict[str, Any]) -> bool:
    return evaluate([policy(allow(Condition={operator: {key: values}}))], "a:B", "*", context).allowed


def test_nothing_is_allowed_that_is_not_said() -> None:
    assert evaluate([], "s3:GetObject", OBJECT).outcome is Outcome.IMPLICIT_DENY
    assert not allowed(allow("s3:PutObject"))


def test_an_explicit_deny_wins_wherever_it_stands() -> None:
    first, second = policy(allow("s3:*"), name="a"), policy(deny("s3:Get*", Sid="no"), name="b")
    for policies in ([first, second], [second, first]):
        decision = evaluate(policies, "s3:GetObject", OBJECT)
        assert decision.outcome is Outcome.EXPLICIT_DENY
        assert decision.matched == (Matched("b", 0, "no"),)
    assert evaluate([first, second], "s3:PutObject", OBJECT).matched == (Matched("a", 0, ""),)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("s3:GetObject", True),
        ("S3:getobject", True),
        ("s3:Get*", True),
        ("s3:*", True),
        ("*", True),
        ("*:*", True),
        ("s3:?etObject", True),
        ("s3:GetObject?", False),
        ("s3:Get", False),
        ("s3", False),
        ("ec2:*", False),
        ("s3:Get[A-Z]bject", False),
        ("s3:G.*", False),
    ],
)
def test_actions_fit_in_any_case_and_know_two_wildcards(pattern: str, fits: bool) -> None:
    assert allowed(allow(pattern)) is fits
    other = {"Effect": "Allow", "NotAction": pattern, "Resource": "*"}
    assert allowed(other) is not fits


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("*", True),
        ("arn:aws:s3:::photos/*", True),
        ("arn:aws:s3:::photos/dogs/rex.jp?", True),
        ("arn:aws:s3:::*", True),
        ("arn:aws:s3:*", True),  # a * at the end may cross colons
        ("arn:*", True),
        ("arn:*:s3:*:*:photos/*", True),
        ("arn:aws:s3:::Photos/*", False),  # resources keep their case
        ("arn:aws:s3:::photos", False),
        ("arn:aws:s3:*:photos/*", True),  # and so may one at the end of a part
        ("arn:aws:s3:*x:photos/*", False),
        ("arn:aws:s3*:photos/*", True),
        ("arn:aws:s?:::photos/*", True),
        ("arn:aws:s3??:photos/*", False),  # a ? is one character of a part
        ("arn:aws:s*3:photos/*", False),  # a * within a part stays there
        ("arn:aws:s3:::photos/cats/*", False),
    ],
)
def test_resources(pattern: str, fits: bool) -> None:
    assert allowed(allow(resource=pattern)) is fits
    assert allowed({"Effect": "Allow", "Action": "*", "NotResource": pattern}) is not fits


def test_not_action_in_a_deny() -> None:
    outside = {"Effect": "Deny", "NotAction": ["iam:*", "s3:*"], "Resource": "*"}
    assert allowed(allow(), outside)
    assert not allowed(allow(), outside, action="ec2:RunInstances")


def test_the_boundary_intersects() -> None:
    policies, boundary = [policy(allow("s3:*"), allow("ec2:*"))], policy(allow("s3:Get*"), deny("s3:GetBucketAcl"))
    decided = evaluate(policies, "s3:GetObject", OBJECT, boundary=boundary)
    assert (decided.outcome, decided.allowed_by_boundary) == (Outcome.ALLOWED, True)
    decided = evaluate(policies, "ec2:RunInstances", "*", boundary=boundary)
    assert (decided.outcome, decided.allowed_by_boundary) == (Outcome.IMPLICIT_DENY, False)
    assert evaluate(policies, "s3:GetBucketAcl", "*", boundary=boundary).outcome is Outcome.EXPLICIT_DENY
    assert not evaluate([], "s3:GetObject", OBJECT, boundary=boundary).allowed  # it grants nothing
    assert evaluate(policies, "s3:GetObject", OBJECT).allowed_by_boundary is None


def test_who_one_is_may_always_be_asked() -> None:
    assert evaluate([policy(deny())], "sts:GetCallerIdentity", "*").allowed


@pytest.mark.parametrize(
    ("operator", "values", "given", "met"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a*", "abc", False),  # no wildcards
        ("StringEquals", "a*", "a*", True),
        ("StringEquals", ["a", "b"], "b", True),
        ("stringequals", "a", "a", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringEqualsIgnoreCase", "Ab", "aB", True),
        ("StringNotEqualsIgnoreCase", "Ab", "aB", False),
        ("StringLike", ["x", "a?c*"], "abcdef", True),
        ("StringLike", "a.c", "abc", False),
        ("StringNotLike", "a*", "abc", False),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", "10", "10.0", False),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", 10, "10", True),
        ("NumericGreaterThan", "10", "9", False),  # as text it would be greater
        ("NumericGreaterThanEquals", "1e1", "10", True),
        ("DateEquals", "2026-11-21T12:00:00Z", "2026-11-21T13:00:00+01:00", True),
        ("DateNotEquals", "2026-11-21", "2026-11-21T00:00:00Z", False),
        ("DateLessThan", "2026-11-21T12:00:00Z", "1", True),  # seconds since the epoch
        ("DateLessThanEquals", "2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z", True),
        ("DateGreaterThan", "2026-11-21T12:00:00Z", "2026-11-21T12:00:01Z", True),
        ("DateGreaterThanEquals", "2026-11-22", "2026-11-21T23:59:59Z", False),
        ("Bool", "true", "True", True),
        ("Bool", True, "false", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ6", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.77", True),
        ("IpAddress", ["2001:db8::/32", "10.0.0.1"], "2001:db8::1", True),
        ("IpAddress", "10.0.0.1", "10.0.0.2", False),
        ("NotIpAddress", "203.0.113.0/24", "203.0.113.77", False),
        ("NotIpAddress", "203.0.113.0/24", "2001:db8::1", True),
        ("ArnLike", "arn:aws:iam::*:role/Kennel*", "arn:aws:iam::123456789012:role/KennelTraining", True),
        ("ArnEquals", "arn:aws:iam::*:role/*", "arn:aws:iam::123456789012:role/a/b", True),
        ("ArnLike", "arn:aws:*:role/x", "arn:aws:iam::123456789012:role/x", False),  # part by part
        ("ArnLike", "arn:aws:sns:*:1:t", "arn:aws:sns:a:b:1:t", False),
        ("ArnNotLike", "arn:aws:iam::*:role/*", "arn:aws:iam::123456789012:user/x", True),
        ("ArnNotEquals", "arn:aws:iam::*:role/*", "arn:aws:iam::123456789012:role/x", False),
    ],
)
def test_condition_operators(operator: str, values: Any, given: str, met: bool) -> None:
    assert conditioned(operator, "k:ey", values, {"K:Ey": given}) is met
    assert conditioned(operator + "IfExists", "k:ey", values, {"k:ey": given}) is met


@pytest.mark.parametrize(
    ("operator", "met"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("NumericLessThan", False),
        ("Bool", False),
        ("ArnLike", False),
        ("StringNotEquals", True),
        ("StringNotLike", True),
        ("NotIpAddress", True),
        ("ArnNotLike", True),
        ("StringEqualsIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("BoolIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", True),
    ],
)
def test_a_key_that_is_not_there(operator: str, met: bool) -> None:
    value = {"Numeric": "1", "NotIp": "10.0.0.0/8", "Bool": "true"}.get(
        operator.split("Less")[0].split("Address")[0], "a"
    )
    assert conditioned(operator, "k", value, {}) is met


@pytest.mark.parametrize(
    ("operator", "values", "given", "met"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringEquals", ["a"], [], True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], False),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "c"], True),
        ("ForAllValues:StringNotEquals", ["a"], ["a", "c"], False),
        ("ForAnyValue:StringNotEquals", ["a"], ["a", "c"], True),
        ("ForAnyValue:StringLike", "Dep*", ["x", "Department"], True),
        ("Null", "true", [], True),
        ("Null", "false", ["x"], True),
        ("Null", "true", ["x"], False),
    ],
)
def test_keys_with_several_values(operator: str, values: Any, given: list[str], met: bool) -> None:
    assert conditioned(operator, "aws:TagKeys", values, {"aws:tagkeys": given}) is met


def test_null_of_a_key_that_is_not_there() -> None:
    assert conditioned("Null", "k", "true", {})
    assert not conditioned("Null", "k", "false", {})


def test_operators_and_keys_must_all_hold() -> None:
    condition = {"StringEquals": {"a": "1", "b": "2"}, "Bool": {"c": "true"}}
    statement = allow(Condition=condition)
    assert allowed(statement, a="1", b="2", c="true")
    for missing in ("a", "b", "c"):
        assert not allowed(
            statement, **{key: value for key, value in {"a": "1", "b": "2", "c": "true"}.items() if key != missing}
        )


def test_policy_variables() -> None:
    statement = allow(resource="arn:aws:s3:::photos/${aws:username}/*")
    mine, theirs = "arn:aws:s3:::photos/ann/1.jpg", "arn:aws:s3:::photos/bob/1.jpg"
    context = {"aws:UserName": "ann"}
    assert evaluate([policy(statement)], "s3:GetObject", mine, context).allowed
    assert not evaluate([policy(statement)], "s3:GetObject", theirs, context).allowed
    assert not evaluate([policy(statement)], "s3:GetObject", theirs, {"aws:username": "*"}).allowed  # plain text
    assert not evaluate([policy(statement)], "s3:GetObject", mine).allowed  # no value, no match
    assert not evaluate([policy(statement)], "s3:GetObject", mine, {"aws:username": ["ann", "bob"]}).allowed
    old = policy(statement, version="2008-10-17")
    assert not evaluate([old], "s3:GetObject", mine, context).allowed
    assert evaluate([old], "s3:GetObject", "arn:aws:s3:::photos/${aws:username}/1.jpg").allowed


@pytest.mark.parametrize(
    ("pattern", "resource", "fits"),
    [
        ("arn:aws:s3:::b/${aws:username, 'guest'}/*", "arn:aws:s3:::b/guest/x", True),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", True),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", False),
        ("arn:aws:s3:::b/${?}${$}", "arn:aws:s3:::b/?$", True),
        ("arn:aws:s3:::b/${?}", "arn:aws:s3:::b/x", False),
    ],
)
def test_variables_with_defaults_and_plain_characters(pattern: str, resource: str, fits: bool) -> None:
    assert allowed(allow(resource=pattern), resource=resource) is fits


def test_variables_in_conditions() -> None:
    context = {"s3:prefix": "home/ann", "aws:username": "ann"}
    assert conditioned("StringLike", "s3:prefix", ["home/${aws:username}"], context)
    assert not conditioned("StringLike", "s3:prefix", ["home/${aws:userid}"], context)
    assert conditioned("StringNotLike", "s3:prefix", ["home/${aws:userid}"], context)


def test_missing_context_is_told_where_it_could_matter() -> None:
    statement = allow(
        "s3:*", "arn:aws:s3:::photos/${aws:username}/*", Condition={"Bool": {"aws:SecureTransport": "true"}}
    )
    other = allow("ec2:*", Condition={"StringEquals": {"ec2:Region": "x"}})
    both = policy(statement, other)
    decided = evaluate([both], "s3:GetObject", "arn:aws:s3:::photos/ann/1.jpg", {"aws:username": "ann"})
    assert decided.missing == ("aws:SecureTransport",)
    assert evaluate([both], "s3:GetObject", OBJECT).missing == ("aws:username",)
    assert evaluate([both], "iam:GetRole", "*").missing == ()
    assert context_keys([both]) == ("aws:SecureTransport", "aws:username", "ec2:Region")


@pytest.mark.parametrize(
    "condition",
    [
        {"NumericEquals": {"k": "ten"}},
        {"NumericEquals": {"k": "NaN"}},
        {"DateLessThan": {"k": "tomorrow"}},
        {"IpAddress": {"k": "10.0.0.0/99"}},
        {"Bool": {"k": "yes"}},
        {"StringMatches": {"k": "x"}},
        {"NullIfExists": {"k": "true"}},
    ],
)
def test_what_cannot_be_judged_is_no_pass(condition: dict[str, Any]) -> None:
    for statement in (allow(Condition=condition), deny(Condition=condition)):
        with pytest.raises(PolicyError):
            evaluate([policy(allow(), statement)], "a:B", "*", {"k": "1"})


def test_matching_agrees_with_the_same_pattern_as_a_regular_expression() -> None:
    chosen = random.Random(3)
    for _ in range(10_000):
        pattern = "".join(chosen.choices(chosen.choice(["ab*?.", "ab*"]), k=chosen.randrange(8)))
        text = "".join(chosen.choices("ab.", k=chosen.randrange(8)))
        expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
        assert matches(pattern, text) is (re.fullmatch(expression, text) is not None), (pattern, text)


def test_matching_takes_no_longer_for_a_wicked_pattern() -> None:
    began = time.perf_counter()
    assert not matches("*a" * 100 + "b", "a" * 2000)
    assert not matches("*?" * 200 + "b", "a" * 2000)
    # as an audit holds one pattern against every action that there is
    assert not any(matches("s3:" + "*" * 3_000 + "x", f"s3:Action{number}") for number in range(10_000))
    assert time.perf_counter() - began < 2  # a backtracking matcher would not end


@pytest.mark.parametrize(
    ("operator", "value", "given"),
    [
        ("Bool", "true", True),
        ("NumericLessThan", "20", 10),
        ("DateLessThan", "2030-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("ForAllValues:NumericEquals", ["1", "2"], [1, 2.0]),
    ],
)
def test_a_context_value_need_not_be_text(operator: str, value: Any, given: Any) -> None:
    assert conditioned(operator, "k:k", value, {"k:k": given})


def test_context_without_values_is_none() -> None:
    assert not conditioned("StringEquals", "k:k", "a", {"k:k": []})
    assert conditioned("StringEqualsIfExists", "k:k", "a", {"k:k": []})
    assert conditioned("StringNotEquals", "k:k", "a", {"k:k": []})


def test_names_beyond_ascii() -> None:
    bucket = "arn:aws:s3:::füchse-и-собаки/犬.jpg"
    assert allowed(allow("s3:Get*", "arn:aws:s3:::füchse-*/犬.???"), resource=bucket)
    assert not allowed(allow("s3:Get*", "arn:aws:s3:::fuchse-*"), resource=bucket)
    assert not allowed(allow("s3:GéT*"), resource=bucket)


def test_the_largest_policies_of_wildcards_cost_little() -> None:
    wicked = [
        policy(allow(["*a*?" * 60 + "b"] * 8, ["arn:aws:s3:::" + "*x?" * 80 + "z"] * 8), deny("*" * 500 + "q"))
        for _ in range(10)
    ]
    began = time.perf_counter()
    for number in range(20):
        evaluate(wicked, "s3:" + "a" * 500 + str(number), "arn:aws:s3:::" + "xa" * 500)
    assert time.perf_counter() - began < 10  # 200 policies; a backtracking matcher would not end with one
