"""The IAM User Guide's rules of conditions as tables of cases, each with the rule that it is of.

None of them is from our own code: many are the guide's own examples.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from dashboard.core.iam.evaluate import Outcome, evaluate

Case = tuple[str, Mapping[str, Any], Mapping[str, str | Sequence[str]], bool]
"""(rule, condition, context of the request, whether the condition is met)"""

# "IAM JSON policy elements: Condition operators"
OPERATORS: list[Case] = [
    (
        "StringEquals: exact, case sensitive",
        {"StringEquals": {"aws:PrincipalTag/job": "iamuser-admin"}},
        {"aws:PrincipalTag/job": "iamuser-Admin"},
        False,
    ),
    ("StringEquals: knows no wildcards", {"StringEquals": {"k:k": "a*"}}, {"k:k": "ab"}, False),
    ("StringNotEquals: negated", {"StringNotEquals": {"k:k": "a"}}, {"k:k": "b"}, True),
    ("StringEqualsIgnoreCase", {"StringEqualsIgnoreCase": {"k:k": "Admin"}}, {"k:k": "aDMIN"}, True),
    ("StringNotEqualsIgnoreCase", {"StringNotEqualsIgnoreCase": {"k:k": "Admin"}}, {"k:k": "aDMIN"}, False),
    (
        "StringLike: * and ? anywhere",
        {"StringLike": {"s3:prefix": ["", "home/", "home/?nn/*"]}},
        {"s3:prefix": "home/ann/x"},
        True,
    ),
    ("StringLike: an empty value", {"StringLike": {"s3:prefix": ["", "home/"]}}, {"s3:prefix": ""}, True),
    ("StringLike: case sensitive", {"StringLike": {"k:k": "Home*"}}, {"k:k": "home/"}, False),
    ("StringNotLike", {"StringNotLike": {"k:k": "home*"}}, {"k:k": "home/"}, False),
    ("NumericLessThanEquals", {"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "10"}, True),
    ("NumericLessThan", {"NumericLessThan": {"s3:max-keys": "10"}}, {"s3:max-keys": "10"}, False),
    ("Numeric: as numbers, not as text", {"NumericGreaterThan": {"s3:max-keys": "9"}}, {"s3:max-keys": "10"}, True),
    (
        "DateGreaterThan",
        {"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}},
        {"aws:TokenIssueTime": "2021-01-01T00:00:00Z"},
        True,
    ),
    (
        "Date: in seconds since the epoch too",
        {"DateLessThan": {"aws:CurrentTime": "1893456000"}},
        {"aws:CurrentTime": "2026-01-01T00:00:00Z"},
        True,
    ),
    (
        "Date: W3C forms with a zone",
        {"DateEquals": {"aws:CurrentTime": "2026-01-01T01:00:00+01:00"}},
        {"aws:CurrentTime": "2026-01-01T00:00:00Z"},
        True,
    ),
    ("Bool", {"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "true"}, False),
    ("Bool: without the key", {"Bool": {"aws:MultiFactorAuthPresent": "false"}}, {}, False),
    ("BoolIfExists: without the key", {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, {}, True),
    (
        "BinaryEquals: byte by byte of base 64",
        {"BinaryEquals": {"k:k": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}},
        {"k:k": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="},
        True,
    ),
    ("IpAddress: CIDR", {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.113.9"}, True),
    (
        "IpAddress: IPv4 and IPv6 side by side",
        {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]}},
        {"aws:SourceIp": "2001:db8:1234:5678::1"},
        True,
    ),
    ("NotIpAddress", {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.113.9"}, False),
    (
        "ArnLike: each of the six parts by itself",
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}},
        {"aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:t"},
        True,
    ),
    (
        "ArnLike: a * does not go beyond its part",
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:t"}},
        {"aws:SourceArn": "arn:aws:sns:eu-west-1:1:t"},
        False,
    ),
    (
        "ArnEquals behaves as ArnLike",
        {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:1:t?"}},
        {"aws:SourceArn": "arn:aws:sns:eu-west-1:1:t1"},
        True,
    ),
    (
        "ArnNotLike",
        {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin*"}},
        {"aws:PrincipalArn": "arn:aws:iam::1:role/Admin"},
        False,
    ),
    (
        "IfExists: the key is there and does not match",
        {"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*"]}},
        {"ec2:InstanceType": "m5.large"},
        False,
    ),
    (
        "IfExists: the key is there and matches",
        {"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*"]}},
        {"ec2:InstanceType": "t2.micro"},
        True,
    ),
    ("IfExists: without the key it is true", {"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*"]}}, {}, True),
    ("without the key a positive operator is false", {"StringEquals": {"k:k": "a"}}, {}, False),
    ("without the key a negated operator is true", {"StringNotEquals": {"k:k": "a"}}, {}, True),
    ("Null true: the key is not there", {"Null": {"aws:TokenIssueTime": "true"}}, {}, True),
    (
        "Null true: the key is there",
        {"Null": {"aws:TokenIssueTime": "true"}},
        {"aws:TokenIssueTime": "2026-01-01"},
        False,
    ),
    (
        "Null false: the key is there and its value is not null",
        {"Null": {"aws:TokenIssueTime": "false"}},
        {"aws:TokenIssueTime": "2026-01-01"},
        True,
    ),
    ("key names are not case sensitive", {"StringEquals": {"AWS:SOURCEIP": "1"}}, {"aws:SourceIp": "1"}, True),
]

BOTH = {
    "StringEquals": {
        "aws:PrincipalTag/department": ["finance", "hr", "legal"],
        "aws:PrincipalTag/role": ["audit", "security"],
    }
}
KEYS = ["environment", "cost-center"]
# "Conditions with multiple context keys or values" and "Set operators for multivalued context keys"
SEVERAL: list[Case] = [
    (
        "values are OR",
        BOTH,
        {"aws:PrincipalTag/department": "legal", "aws:PrincipalTag/role": "audit"},
        True,
    ),
    ("keys are AND", BOTH, {"aws:PrincipalTag/department": "legal", "aws:PrincipalTag/role": "dev"}, False),
    (
        "operators are AND",
        {"StringEquals": {"a:a": "1"}, "Bool": {"b:b": "true"}},
        {"a:a": "1", "b:b": "false"},
        False,
    ),
    ("values of a negated operator are NOR", {"StringNotEquals": {"k:k": ["a", "b"]}}, {"k:k": "b"}, False),
    ("NOR: none of them", {"StringNotEquals": {"k:k": ["a", "b"]}}, {"k:k": "c"}, True),
    (
        "ForAllValues: every value of the request is listed",
        {"ForAllValues:StringEquals": {"aws:TagKeys": KEYS}},
        {"aws:TagKeys": ["environment"]},
        True,
    ),
    (
        "ForAllValues: one is not",
        {"ForAllValues:StringEquals": {"aws:TagKeys": KEYS}},
        {"aws:TagKeys": ["environment", "team"]},
        False,
    ),
    (
        "ForAllValues: true when there are no keys in the request",
        {"ForAllValues:StringEquals": {"aws:TagKeys": KEYS}},
        {},
        True,
    ),
    (
        "ForAllValues: true for a null data set, such as an empty string",
        {"ForAllValues:StringEquals": {"aws:TagKeys": KEYS}},
        {"aws:TagKeys": [""]},
        True,
    ),
    (
        "ForAllValues with Null: the key must be there",
        {"ForAllValues:StringEquals": {"aws:TagKeys": KEYS}, "Null": {"aws:TagKeys": "false"}},
        {},
        False,
    ),
    (
        "ForAnyValue: at least one matches",
        {"ForAnyValue:StringEquals": {"aws:TagKeys": KEYS}},
        {"aws:TagKeys": ["team", "environment"]},
        True,
    ),
    (
        "ForAnyValue: none matches",
        {"ForAnyValue:StringEquals": {"aws:TagKeys": KEYS}},
        {"aws:TagKeys": ["team"]},
        False,
    ),
    ("ForAnyValue: false without the key", {"ForAnyValue:StringEquals": {"aws:TagKeys": KEYS}}, {}, False),
    (
        "ForAnyValue negated: some value is not listed",
        {"ForAnyValue:StringNotEquals": {"aws:TagKeys": KEYS}},
        {"aws:TagKeys": ["environment", "team"]},
        True,
    ),
    (
        "ForAllValues negated: no value is listed",
        {"ForAllValues:StringNotEquals": {"aws:TagKeys": KEYS}},
        {"aws:TagKeys": ["environment", "team"]},
        False,
    ),
]


@pytest.mark.parametrize(
    ("rule", "condition", "context", "met"), [*OPERATORS, *SEVERAL], ids=[one[0] for one in (*OPERATORS, *SEVERAL)]
)
def test_the_guide(
    rule: str, condition: Mapping[str, Any], context: Mapping[str, str | Sequence[str]], met: bool
) -> None:
    for effect, outcome in (("Allow", Outcome.ALLOWED), ("Deny", Outcome.EXPLICIT_DENY)):
        statement = {"Effect": effect, "Action": "x:*", "Resource": "*", "Condition": condition}
        policy = {"Version": "2012-10-17", "Statement": statement}
        found = evaluate([policy], "x:Do", "*", context).outcome
        assert found is (outcome if met else Outcome.IMPLICIT_DENY), rule
