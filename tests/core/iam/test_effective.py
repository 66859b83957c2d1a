"""What policies give in effect, how two sets differ, and that nothing wider goes unnoticed."""

import json
import random
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from dashboard.core.iam.effective import Difference, actions_allowed, difference, rights_allowed, widens
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.rights import Right

TRAIN = "arn:aws:s3:::data/train/*"
RIGHT = Right("s3:GetObject", "arn:aws:s3:::data/train/1.jpg")


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def only(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


def test_rights_are_judged_over_all_policies_and_the_boundary() -> None:
    policies = [document(allow("s3:*")), document(deny("s3:Delete*"))]
    probes = [RIGHT, Right("s3:DeleteObject", RIGHT.resource), Right("ec2:RunInstances")]
    assert rights_allowed(policies, None, probes) == (RIGHT,)
    assert rights_allowed(policies, document(allow("ec2:*")), probes) == ()


def test_actions_over_everything_that_aws_has() -> None:
    assert set(actions_allowed(document(allow("S3:getobject")))) == {"s3:GetObject"}
    everything = set(actions_allowed(document(allow())))
    without = set(actions_allowed(document({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})))
    assert everything - without == {one for one in everything if one.startswith("iam:")}
    assert "s3:GetObject" not in actions_allowed([document(allow("s3:*")), document(deny("s3:Get*"))])
    # one that is denied somewhere, or sometimes, is allowed elsewhere
    assert "s3:GetObject" in actions_allowed(document(allow("s3:*"), deny("s3:*", TRAIN)))
    assert set(actions_allowed(document(allow()), document(allow("s3:GetObject")))) == {"s3:GetObject"}


def test_how_a_full_access_and_its_replacement_differ() -> None:
    before = document(allow("s3:*"), allow("logs:CreateLogGroup", Sid="Logs"))
    after = document(allow("s3:GetObject", TRAIN), allow("logs:CreateLogGroup", Sid="Logs"), allow("ecr:BatchGetImage"))
    told = difference(before, after, [RIGHT, Right("s3:DeleteObject", RIGHT.resource)])
    assert isinstance(told, Difference)
    assert told.added == (after["Statement"][0], after["Statement"][2])
    assert told.removed == (before["Statement"][0],)
    assert told.kept == (before["Statement"][1],)
    assert told.gained == ("ecr:BatchGetImage",)
    assert told.changed == ("s3:GetObject",)
    assert {"s3:DeleteObject", "s3:PutBucketPolicy"} <= set(told.lost)
    assert "s3:GetObject" not in told.lost
    assert told.rights_lost == (Right("s3:DeleteObject", RIGHT.resource),)
    assert told.rights_gained == ()
    assert not told.is_empty


def test_the_same_policies_do_not_differ_however_they_are_written() -> None:
    one = document(allow(["s3:GetObject"], [TRAIN]))
    other = {"Version": "2012-10-17", "Statement": allow("s3:GetObject", TRAIN)}
    assert difference(one, [other]).is_empty


WITHIN = [
    ([allow("s3:*")], [allow("s3:GetObject", TRAIN)]),
    ([allow("s3:*", "arn:aws:s3:::data/*")], [allow("s3:Get*", TRAIN)]),
    ([allow("S3:GETOBJECT")], [allow("s3:getobject")]),
    ([allow(["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::a/*", TRAIN])], [allow("s3:PutObject", TRAIN)]),
    ([allow("s3:GetObject", "arn:aws:s3:::data/*")], [allow("s3:GetObject", "arn:aws:s3:::data/?.jpg")]),
    ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], [allow("s3:GetObject")]),
    (
        [{"Effect": "Allow", "Action": "sagemaker:*", "NotResource": ["arn:aws:sagemaker:*:*:domain/*"]}],
        [allow("sagemaker:AddTags", "arn:aws:sagemaker:eu-west-1:1:training-job/dogs-*")],
    ),
    ([allow("s3:*")], [allow("s3:GetObject", **only("StringEquals", "aws:PrincipalTag/a", "b"))]),
    (
        [allow("iam:PassRole", **only("StringEquals", "iam:PassedToService", ["a", "b"]))],
        [allow("iam:PassRole", "arn:aws:iam::1:role/x", **only("StringEquals", "iam:PassedToService", "a"))],
    ),
    (
        [allow("s3:ListBucket", **only("StringLike", "s3:prefix", "dogs/*"))],
        [allow("s3:ListBucket", **only("StringLike", "s3:prefix", ["dogs/train", "dogs/train/*"]))],
    ),
    (
        [allow("s3:ListBucket", **only("StringLike", "s3:prefix", "dogs/*"))],
        [allow("s3:ListBucket", **only("StringEquals", "s3:prefix", "dogs/train"))],
    ),
    (
        [allow("s3:*", **only("StringNotEquals", "aws:RequestedRegion", "a"))],
        [allow("s3:*", **only("StringNotEquals", "aws:RequestedRegion", ["a", "b"]))],
    ),
    ([allow("s3:*"), deny("s3:Delete*")], [allow("s3:GetObject")]),
    ([allow("s3:*"), deny("s3:*", "arn:aws:s3:::secret/*")], [allow("s3:*", TRAIN)]),
    ([allow("s3:*"), deny("s3:Delete*")], [allow("s3:*"), deny("s3:Del*")]),
    ([allow("s3:*", "arn:aws:s3:::${aws:username}/*")], [allow("s3:GetObject", "arn:aws:s3:::${aws:username}/*")]),
    ([allow("s3:*", "arn:aws:s3:::b/*")], [allow("s3:GetObject", "arn:aws:s3:::b/${aws:username}/x")]),
    ([allow()], [{"Effect": "Allow", "NotAction": "iam:*", "NotResource": TRAIN}]),
]
WIDER = [
    ([allow("s3:GetObject", TRAIN)], [allow("s3:GetObject", "arn:aws:s3:::data/*")]),
    ([allow("s3:GetObject", TRAIN)], [allow("s3:Get*", TRAIN)]),
    ([allow("s3:GetObject")], [allow(["s3:GetObject", "ec2:RunInstances"])]),
    ([allow("s3:GetObject", "arn:aws:s3:::data/?")], [allow("s3:GetObject", "arn:aws:s3:::data/*")]),
    ([allow("s3:GetObject", TRAIN), allow("s3:PutObject", "arn:aws:s3:::out/*")], [allow("s3:PutObject", TRAIN)]),
    ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], [allow("iam:GetRole")]),
    ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], [allow()]),
    ([{"Effect": "Allow", "NotAction": "iam:Get*", "Resource": "*"}], [allow("iam:GetRol?")]),
    ([{"Effect": "Allow", "Action": "s3:*", "NotResource": TRAIN}], [allow("s3:GetObject", "arn:aws:s3:::data/t*")]),
    ([allow("s3:GetObject", TRAIN)], [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": TRAIN}]),
    ([allow("s3:*", **only("Bool", "aws:SecureTransport", "true"))], [allow("s3:*")]),
    (
        [allow("iam:PassRole", **only("StringEquals", "iam:PassedToService", "a"))],
        [allow("iam:PassRole", **only("StringEquals", "iam:PassedToService", ["a", "b"]))],
    ),
    (
        [allow("iam:PassRole", **only("StringEquals", "iam:PassedToService", "a"))],
        [allow("iam:PassRole", **only("StringEqualsIfExists", "iam:PassedToService", "a"))],
    ),
    (
        [allow("s3:*", **only("StringNotEquals", "aws:RequestedRegion", ["a", "b"]))],
        [allow("s3:*", **only("StringNotEquals", "aws:RequestedRegion", "a"))],
    ),
    (
        [allow("s3:*", **only("StringLike", "s3:prefix", "a?"))],
        [allow("s3:*", **only("StringLike", "s3:prefix", "a*"))],
    ),
    ([allow("s3:*"), deny("s3:Delete*")], [allow("s3:*")]),
    ([allow("s3:*"), deny("s3:*", "arn:aws:s3:::secret/*")], [allow("s3:*", "arn:aws:s3:::s*")]),
    ([allow("s3:*"), deny("s3:Delete*")], [allow("s3:*"), deny("s3:DeleteObject")]),
    ([allow("s3:*"), deny("s3:*")], [allow("s3:*"), deny("s3:*", **only("Bool", "aws:SecureTransport", "false"))]),
    ([allow("s3:*", "arn:aws:s3:::b/${aws:username}/*")], [allow("s3:*", "arn:aws:s3:::b/ann/*")]),
    ([allow("s3:*", "arn:aws:s3:::b/${*}")], [allow("s3:*", "arn:aws:s3:::b/${aws:username}")]),
    ([], [allow("s3:GetObject", TRAIN)]),
]


@pytest.mark.parametrize(("before", "after"), WITHIN)
def test_what_is_within_the_old_rights(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    assert widens([document(*before)], None, [document(*after)], None) == ()
    apart = [document(one) for one in before]
    assert widens(apart, None, [document(one) for one in after], None) == ()


@pytest.mark.parametrize(("before", "after"), WIDER)
def test_what_is_wider_is_told(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    old = [document(*before)] if before else []
    assert widens(old, None, [document(*after)], None)


def test_how_it_is_told() -> None:
    old = [document(allow("s3:GetObject", TRAIN))]
    assert widens(old, None, [document(allow(["s3:GetObject", "s3:PutObject"], TRAIN))], None) == (
        Right("s3:PutObject", TRAIN),
    )
    (told,) = widens(old, None, [document({"Effect": "Allow", "NotAction": "iam:*", "NotResource": TRAIN})], None)
    assert told == f"all but iam:* on all but {TRAIN}"


def test_a_boundary_limits_what_there_was() -> None:
    wide, limit = [document(allow())], document(allow("s3:*"))
    assert widens(wide, limit, wide, limit) == ()
    assert widens(wide, limit, wide, None)
    assert widens(wide, limit, [document(allow("s3:GetObject"))], None) == ()
    assert widens(wide, limit, [document(allow("ec2:*"))], None) == (Right("ec2:*"),)
    assert widens(wide, limit, wide, document(allow("s3:Get*"))) == ()
    assert widens(wide, limit, wide, document(allow(["s3:Get*", "ec2:*"])))
    assert widens(wide, document(allow("s3:*"), deny("s3:Delete*")), [document(allow("s3:*"))], None)
    assert widens(wide, None, wide, limit) == ()


def test_rights_named_one_by_one_are_judged_too() -> None:
    old, new = [document(allow("s3:GetObject", TRAIN))], [document(allow("s3:GetObject"))]
    found = widens(old, None, new, None, [RIGHT, Right("s3:GetObject", "arn:aws:s3:::other/1")])
    assert found == (Right("s3:GetObject", "*"), Right("s3:GetObject", "arn:aws:s3:::other/1"))


CONDITIONS = (
    None,
    None,
    ("StringLike", "s3:prefix", "a*"),
    ("StringLike", "s3:prefix", "a?"),
    ("StringEquals", "s3:prefix", ["a", "b"]),
    ("StringEquals", "s3:prefix", "a"),
    ("StringNotEquals", "s3:prefix", "a"),
    ("StringNotEquals", "s3:prefix", ["a", "b"]),
    ("StringEqualsIfExists", "s3:prefix", "a"),
    ("ForAllValues:StringEquals", "s3:prefix", ["a", "b"]),
    ("ForAnyValue:StringEquals", "s3:prefix", ["a"]),
    ("Null", "s3:prefix", "true"),
)
CONTEXTS: tuple[dict[str, Any], ...] = (
    {},
    {"s3:prefix": "a"},
    {"s3:prefix": "b"},
    {"s3:prefix": "ab"},
    {"s3:prefix": ["a", "c"]},
    {"s3:prefix": ["c"]},
)


def some_statement(chosen: random.Random, *effects: str) -> dict[str, Any]:
    def names(start: str) -> list[str]:
        return [
            start + "".join(chosen.choices("ab*?", k=chosen.randrange(1, 5))) for _ in range(chosen.randrange(1, 3))
        ]

    when = chosen.choice(CONDITIONS)
    return {
        "Effect": chosen.choice(effects),
        chosen.choice(["Action", "Action", "NotAction"]): names("s3:"),
        chosen.choice(["Resource", "Resource", "NotResource"]): names("arn:aws:s3:::"),
        **({} if when is None else only(*when)),
    }


def narrowed(chosen: random.Random, statement: dict[str, Any]) -> dict[str, Any]:
    """Mostly less than the statement; more where it leaves things out, or where the condition is another one."""
    when = chosen.choice(CONDITIONS)
    for name in ("Action", "Resource"):
        if name in statement:
            less = [one.replace("*", chosen.choice(["*", "a", "b?", "a*"])) for one in statement[name]]
            statement = {**statement, name: less}
    return statement if when is None else {**statement, **only(*when)}


def test_nothing_is_given_that_was_not_where_it_says_so() -> None:
    """The comparison of texts is held against what requests are answered, one by one."""
    chosen = random.Random(20)
    found_within = 0
    for _ in range(800):
        before = [some_statement(chosen, "Allow", "Allow", "Deny") for _ in range(chosen.randrange(1, 4))]
        after = [narrowed(chosen, one) if one["Effect"] == "Allow" else one for one in before if chosen.random() < 0.7]
        limits = [None if chosen.random() < 0.6 else document(some_statement(chosen, "Allow")) for _ in range(2)]
        if chosen.random() < 0.2:
            limits[1] = limits[0]
        old, new = document(*before), document(*after)
        if widens([old], limits[0], [new], limits[1]):
            continue
        found_within += 1
        for _ in range(60):
            action = "s3:" + "".join(chosen.choices("abc", k=chosen.randrange(1, 5)))
            resource = "arn:aws:s3:::" + "".join(chosen.choices("abc", k=chosen.randrange(1, 5)))
            context = chosen.choice(CONTEXTS)
            if evaluate([new], action, resource, context, limits[1]).allowed:
                assert evaluate([old], action, resource, context, limits[0]).allowed, (old, new, limits, action)
    assert found_within > 60


@pytest.mark.parametrize(
    "name", ["AmazonSageMakerFullAccess", "ReadOnlyAccess", "PowerUserAccess", "AmazonS3FullAccess", "IAMFullAccess"]
)
def test_policies_of_aws_itself(name: str, managed: dict[str, Any]) -> None:
    one, everything = managed[name]["Document"], managed["AdministratorAccess"]["Document"]
    assert widens([one], None, [one], None) == ()
    assert widens([everything], None, [one], None) == ()
    assert widens([one], None, [everything], None)
    assert widens([one], one, [one], one) == ()
    assert difference([one], [one]).is_empty
    assert difference([everything], [one]).gained == ()


def test_what_a_training_needs_is_within_the_full_accesses_that_it_had(managed: dict[str, Any]) -> None:
    before = [managed[name]["Document"] for name in ("AmazonSageMakerFullAccess", "AmazonS3FullAccess")]
    logs = "arn:aws:logs:eu-west-1:1:log-group:/aws/sagemaker/TrainingJobs"
    after = [
        allow(["s3:GetObject", "s3:PutObject"], TRAIN),
        allow("s3:ListBucket", "arn:aws:s3:::data", **only("StringLike", "s3:prefix", "train/*")),
        allow(["logs:CreateLogGroup", "logs:PutLogEvents"], [logs, f"{logs}:*"]),
        allow("cloudwatch:PutMetricData", **only("StringEquals", "cloudwatch:namespace", "Dogs")),
        allow("ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:763104351884:repository/pytorch-training"),
        allow("sagemaker:AddTags", "arn:aws:sagemaker:eu-west-1:1:training-job/dogs-*"),
    ]
    assert widens(before, None, [document(*after)], None) == ()
    # the policies for SageMaker pass only roles whose name says SageMaker, and only to some services
    role = "arn:aws:iam::1:role/Dogs"
    assert widens(before, None, [document(*after, allow("iam:PassRole", role))], None) == (Right("iam:PassRole", role),)


@pytest.fixture(scope="module")
def managed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(aws_managed_policies_data)
    return found


def test_many_wildcards_are_compared_in_reasonable_time() -> None:
    wicked = document(allow(["*a" * 8 + str(n) for n in range(150)], ["*?" * 8 + str(n) for n in range(150)]))
    assert widens([wicked], None, [wicked], None) == ()
    assert widens([document(deny("*b*"), allow("s3:*"))], None, [wicked], None)
