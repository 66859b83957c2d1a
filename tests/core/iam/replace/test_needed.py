"""The rights that are asked about before and after a change."""

from datetime import UTC, datetime

from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.recorded import Recorded, RecordedCall
from dashboard.core.iam.replace import needed
from dashboard.core.iam.rights import Right
from tests.core.iam.role_world import BUCKET, LEAST, document, proposal, statement

AT = datetime(2026, 11, 1, tzinfo=UTC)


def test_each_right_of_a_policy_is_one_that_the_policy_allows_with_its_conditions_met():
    rights = needed.of_policy([LEAST])
    assert [one.action for one in rights] == ["s3:GetObject", "s3:ListBucket", "cloudwatch:PutMetricData"]
    assert rights[0].resource == f"arn:aws:s3:::{BUCKET}/dogs/kennel-sample"
    assert rights[1].context == {"s3:prefix": ("dogs",)}
    for one in rights:
        found = evaluate(LEAST, one.action, one.resource, one.context)
        assert found.allowed and not found.missing


def test_wildcards_and_exceptions_say_nothing_of_what_is_needed():
    several = document(
        statement("s3:*"),
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"},
        statement("s3:GetObject", resource="arn:aws:s3:::b/${aws:username}/*"),
        statement("s3:PutObject", Condition={"Null": {"s3:x-amz-acl": "true"}}),
    )
    assert needed.of_policy([several]) == ()


def test_what_was_always_denied_was_never_used():
    used, refused = Right("s3:GetObject"), Right("s3:DeleteObject")
    recorded = Recorded("r", (RecordedCall(used, 3, AT, AT, denied=1), RecordedCall(refused, 2, AT, AT, denied=2)), AT)
    assert needed.of_recorded(recorded) == (used,) and needed.of_recorded(None) == ()


def test_only_what_the_role_has_and_loses_is_asked_about_as_gone():
    before = [document(statement("sagemaker:*"))]
    assert [one.action for one in needed.dropped(proposal("r"), before)] == ["sagemaker:DeleteEndpoint"]
