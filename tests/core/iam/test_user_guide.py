"""The IAM User Guide's rules as a table of cases, each with the page and the rule that it is of.

None of them is from our own code: many are the guide's own examples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from dashboard.core.iam.evaluate import Outcome, evaluate

YES, NO, DENIED = Outcome.ALLOWED, Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY
NEW, OLD = "2012-10-17", "2008-10-17"
Context = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Case:
    """page, rule: of the guide. policies: statements of one policy each. request: action, resource, context."""

    page: str
    rule: str
    policies: Sequence[Any]
    action: str
    resource: str
    outcome: Outcome
    context: Context = field(default_factory=dict)
    version: str = NEW
    boundary: Sequence[Any] | None = None

    def __str__(self) -> str:
        return f"{self.page}: {self.rule}"


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


LOGIC = "Policy evaluation logic"
OBJECT = "arn:aws:s3:::photos/2026/dog.jpg"
GET = ("s3:GetObject", OBJECT)
LOGICAL = [
    Case(LOGIC, "by default all requests are implicitly denied", [], *GET, NO),
    Case(LOGIC, "an explicit allow overrides this default", [[allow("s3:GetObject")]], *GET, YES),
    Case(
        LOGIC, "an explicit deny in any policy overrides any allows", [[allow("s3:*")], [deny("s3:Get*")]], *GET, DENIED
    ),
    Case(LOGIC, "the order of the statements does not matter", [[deny("s3:Get*"), allow("s3:*")]], *GET, DENIED),
    Case(LOGIC, "a deny without any allow is explicit all the same", [[deny("s3:*")]], *GET, DENIED),
    Case(LOGIC, "a deny of something else denies nothing", [[allow("s3:*"), deny("s3:Put*")]], *GET, YES),
    Case(
        "Permissions boundaries for IAM entities",
        "the effective permissions are the intersection of both",
        [[allow("s3:*"), allow("cloudwatch:*"), allow("ec2:*")]],
        "ec2:RunInstances",
        "*",
        YES,
        boundary=[allow(["s3:*", "cloudwatch:*", "ec2:*"])],
    ),
    Case(
        "Permissions boundaries for IAM entities",
        "what the boundary does not allow is implicitly denied",
        [[allow("iam:CreateUser")]],
        "iam:CreateUser",
        "*",
        NO,
        boundary=[allow(["s3:*", "cloudwatch:*", "ec2:*"])],
    ),
    Case(
        "Permissions boundaries for IAM entities",
        "a boundary limits, but does not grant permissions on its own",
        [],
        *GET,
        NO,
        boundary=[allow("s3:*")],
    ),
    Case(
        "Permissions boundaries for IAM entities",
        "an explicit deny in the boundary overrides the allow",
        [[allow("s3:*")]],
        *GET,
        DENIED,
        boundary=[allow("s3:*"), deny("s3:GetObject")],
    ),
    Case(
        "STS API Reference, GetCallerIdentity",
        "no permissions are required, and an explicit deny does not prevent it",
        [[deny()]],
        "sts:GetCallerIdentity",
        "*",
        YES,
    ),
]

ACTION, NOT_ACTION = "IAM JSON policy elements: Action", "IAM JSON policy elements: NotAction"
ACTIONS = [
    Case(
        ACTION,
        "prefix and action name are case insensitive",
        [[allow("IAM:listaccesskeys")]],
        "iam:ListAccessKeys",
        "*",
        YES,
    ),
    Case(ACTION, "a list of several", [[allow(["sqs:SendMessage", "s3:GetObject"])]], *GET, YES),
    Case(ACTION, "* for all of a service", [[allow("s3:*")]], *GET, YES),
    Case(
        ACTION, "* for all of a service is not all of another", [[allow("s3:*")]], "s3-object-lambda:GetObject", "*", NO
    ),
    Case(ACTION, "* for part of the name", [[allow("iam:*AccessKey*")]], "iam:UpdateAccessKey", "*", YES),
    Case(ACTION, "? for one character", [[allow("s3:GetObjec?")]], *GET, YES),
    Case(ACTION, "? is never no character", [[allow("s3:GetObject?")]], *GET, NO),
    Case(ACTION, "* may be no character", [[allow("s3:GetObject*")]], *GET, YES),
    Case(ACTION, "no other character is special", [[allow("s3:Get[O]bject")]], *GET, NO),
    Case(
        NOT_ACTION,
        "with Allow: everything of the resource except the actions listed",
        [[{"Effect": "Allow", "NotAction": "s3:DeleteBucket", "Resource": "arn:aws:s3:::*"}]],
        *GET,
        YES,
    ),
    Case(
        NOT_ACTION,
        "with Allow: the actions listed are not allowed",
        [[{"Effect": "Allow", "NotAction": "s3:DeleteBucket", "Resource": "arn:aws:s3:::*"}]],
        "s3:DeleteBucket",
        "arn:aws:s3:::photos",
        NO,
    ),
    Case(
        NOT_ACTION,
        "with Allow: every action of every service except IAM",
        [[{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]],
        "ec2:RunInstances",
        "*",
        YES,
    ),
    Case(
        NOT_ACTION,
        "with Deny: denies all that is not listed, where there is no MFA",
        [
            [allow()],
            [
                {
                    "Effect": "Deny",
                    "NotAction": "iam:*",
                    "Resource": "*",
                    "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
                }
            ],
        ],
        *GET,
        DENIED,
    ),
    Case(
        NOT_ACTION,
        "with Deny: what is listed is not denied, nor thereby allowed",
        [[{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}]],
        "iam:GetUser",
        "*",
        NO,
    ),
]

RESOURCE, NOT_RESOURCE = "IAM JSON policy elements: Resource", "IAM JSON policy elements: NotResource"
USER = "arn:aws:iam::111122223333:user/accounting/Bob"
NOT_HR = {
    "Effect": "Deny",
    "Action": "s3:*",
    "NotResource": ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"],
}
RESOURCES = [
    Case(
        RESOURCE, "the user name is case sensitive", [[allow("*", USER.replace("Bob", "bob"))]], "iam:GetUser", USER, NO
    ),
    Case(
        RESOURCE,
        "all users of a path",
        [[allow("*", "arn:aws:iam::111122223333:user/accounting/*")]],
        "iam:GetUser",
        USER,
        YES,
    ),
    Case(
        RESOURCE,
        "* within a name takes in slashes",
        [[allow("*", "arn:aws:s3:::b/*/test/*")]],
        *("s3:GetObject", "arn:aws:s3:::b/1/2/test/3/x.jpg"),
        YES,
    ),
    Case(
        RESOURCE,
        "* may be empty",
        [[allow("*", "arn:aws:s3:::b/*/test/*")]],
        "s3:GetObject",
        "arn:aws:s3:::b//test/",
        YES,
    ),
    Case(
        RESOURCE,
        "what is between wildcards must be there",
        [[allow("*", "arn:aws:s3:::b/*/test/*")]],
        "s3:GetObject",
        "arn:aws:s3:::b/1-test/x.jpg",
        NO,
    ),
    Case(
        RESOURCE,
        "? is one character",
        [[allow("*", "arn:aws:s3:::b/?.jpg")]],
        "s3:GetObject",
        "arn:aws:s3:::b/12.jpg",
        NO,
    ),
    Case(RESOURCE, "* at the end of a segment goes beyond the colon", [[allow("*", "arn:aws:s3:*")]], *GET, YES),
    Case(RESOURCE, "* within a segment does not", [[allow("*", "arn:aws:s*3:photos/2026/dog.jpg")]], *GET, NO),
    Case(RESOURCE, "an action without resources takes *", [[allow("iam:ListUsers", "*")]], "iam:ListUsers", "*", YES),
    Case(
        RESOURCE, "and no ARN", [[allow("iam:ListUsers", "arn:aws:iam::111122223333:user/*")]], "iam:ListUsers", "*", NO
    ),
    Case(NOT_RESOURCE, "with Deny: all but what is listed", [[allow(), NOT_HR]], *GET, DENIED),
    Case(
        NOT_RESOURCE,
        "with Deny: what is listed is not denied",
        [[allow(), NOT_HR]],
        "s3:GetObject",
        "arn:aws:s3:::HRBucket/Payroll/a",
        YES,
    ),
    Case(
        NOT_RESOURCE,
        "with Deny: it allows nothing by itself",
        [[NOT_HR]],
        "s3:GetObject",
        "arn:aws:s3:::HRBucket/Payroll/a",
        NO,
    ),
    Case(
        NOT_RESOURCE,
        "with Allow: all but what is listed",
        [[{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::HRBucket/*"}]],
        *GET,
        YES,
    ),
]

VARIABLES = "IAM policy elements: Variables and tags"
HOME = "arn:aws:s3:::b/home/${aws:username}/*"
ANN = ("s3:GetObject", "arn:aws:s3:::b/home/ann/x")
VARIABLE = [
    Case(VARIABLES, "in the Resource", [[allow("s3:*", HOME)]], *ANN, YES, {"aws:username": "ann"}),
    Case(VARIABLES, "somebody else's", [[allow("s3:*", HOME)]], *ANN, NO, {"aws:username": "bob"}),
    Case(VARIABLES, "no value in the request: the element matches nothing", [[allow("s3:*", HOME)]], *ANN, NO),
    Case(
        VARIABLES,
        "an earlier Version takes it as a literal",
        [[allow("s3:*", HOME)]],
        *ANN,
        NO,
        {"aws:username": "ann"},
        OLD,
    ),
    Case(
        VARIABLES,
        "a literal in an earlier Version",
        [[allow("s3:*", HOME)]],
        "s3:GetObject",
        "arn:aws:s3:::b/home/${aws:username}/x",
        YES,
        {},
        OLD,
    ),
    Case(
        VARIABLES,
        "in string operators of conditions",
        [[allow("s3:*", Condition={"StringLike": {"s3:prefix": "${aws:username}/*"}})]],
        *ANN,
        YES,
        {"s3:prefix": "ann/x", "aws:username": "ann"},
    ),
    Case(
        VARIABLES,
        "a default value",
        [[allow("s3:*", "arn:aws:s3:::b-${aws:PrincipalTag/team, 'company-wide'}/*")]],
        "s3:GetObject",
        "arn:aws:s3:::b-company-wide/x",
        YES,
    ),
    Case(
        VARIABLES,
        "the default is not taken where there is a value",
        [[allow("s3:*", "arn:aws:s3:::b-${aws:PrincipalTag/team, 'company-wide'}/*")]],
        "s3:GetObject",
        "arn:aws:s3:::b-company-wide/x",
        NO,
        {"aws:PrincipalTag/team": "yellow"},
    ),
    Case(
        VARIABLES,
        "${*} is the character *",
        [[allow("s3:*", "arn:aws:s3:::b/${*}")]],
        "s3:GetObject",
        "arn:aws:s3:::b/x",
        NO,
    ),
    Case(
        VARIABLES,
        "${?} and ${$} are those characters",
        [[allow("s3:*", "arn:aws:s3:::b/${?}${$}")]],
        "s3:GetObject",
        "arn:aws:s3:::b/?$",
        YES,
    ),
    Case(
        VARIABLES,
        "variables in a Deny that have no value deny nothing",
        [[allow("s3:*"), deny("s3:*", HOME)]],
        *ANN,
        YES,
    ),
]

CASES = [*LOGICAL, *ACTIONS, *RESOURCES, *VARIABLE]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_guide(case: Case) -> None:
    policies = [{"Version": case.version, "Statement": list(statements)} for statements in case.policies]
    boundary = None if case.boundary is None else {"Version": NEW, "Statement": list(case.boundary)}
    decision = evaluate(policies, case.action, case.resource, case.context, boundary)
    assert decision.outcome is case.outcome
    assert decision.allowed is (case.outcome is YES)


def test_every_case_is_another_one() -> None:
    assert len({str(case) for case in CASES}) == len(CASES)
