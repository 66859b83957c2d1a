"""What brings a role back: three ways compared, so that nobody else's change is lost and nothing is given twice."""

from dataclasses import replace

from dashboard.core.iam.replace.restore import back, forward
from dashboard.core.iam.replace.standing import Attached, Standing
from tests.core.iam.role_world import LEAST, document, statement, trust

OLD = Attached("Old", "arn:aws:iam::1:policy/Old", "v1", document(statement("s3:*")))
NEW = Attached("New", "arn:aws:iam::1:policy/New", "v1", LEAST)
OTHER = Attached("Other", "arn:aws:iam::1:policy/Other", "v1", LEAST)
BROAD, NARROW = trust("sagemaker.amazonaws.com", "lambda.amazonaws.com"), trust("sagemaker.amazonaws.com")
BEFORE = Standing("r", "arn:aws:iam::1:role/r", "/", "ID", BROAD, (OLD,), {"In": LEAST})
AFTER = replace(BEFORE, attached=(NEW,), inline={}, trust=NARROW)


def names(calls):
    return [(call.operation, call.parameters.get("PolicyArn") or call.parameters.get("PolicyName")) for call in calls]


def test_what_a_change_did_goes_back_giving_first_and_taking_last():
    undone = back(BEFORE, AFTER, AFTER)
    assert names(undone.calls) == [
        ("AttachRolePolicy", OLD.arn),
        ("PutRolePolicy", "In"),
        ("UpdateAssumeRolePolicy", None),
        ("DetachRolePolicy", NEW.arn),
    ]
    assert undone.stays == () and undone.result.digest == BEFORE.digest


def test_a_change_that_broke_off_half_way_goes_back_from_where_it_was():
    half = replace(BEFORE, attached=(OLD, NEW), trust=NARROW)
    assert names(back(BEFORE, AFTER, half).calls) == [("UpdateAssumeRolePolicy", None), ("DetachRolePolicy", NEW.arn)]


def test_what_is_back_already_needs_nothing():
    assert back(BEFORE, AFTER, BEFORE).calls == ()


def test_what_others_did_since_stays_and_is_said():
    present = replace(
        AFTER,
        attached=(NEW, OTHER),
        inline={"In": document(statement("sns:Publish"))},
        trust=trust("ec2.amazonaws.com"),
        boundary=OTHER,
    )
    undone = back(BEFORE, AFTER, present)
    assert names(undone.calls) == [("AttachRolePolicy", OLD.arn), ("DetachRolePolicy", NEW.arn)]
    said = " ".join(undone.stays)
    assert "inline policy In" in said and "trust policy" in said and "permissions boundary" in said
    assert OTHER in undone.result.attached and undone.result.boundary == OTHER


def test_the_last_step_of_a_change_takes_off_only_what_the_new_state_has_not():
    kept = replace(AFTER, attached=(NEW, OLD))
    assert names(forward(BEFORE, kept)) == [("DeleteRolePolicy", "In"), ("UpdateAssumeRolePolicy", None)]
