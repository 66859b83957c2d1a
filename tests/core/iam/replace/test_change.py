"""A role's rights are replaced in seven steps; whatever fails on the way, it has what it had, and no less meanwhile."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest

from dashboard.core.errors import NotFound, Refused
from dashboard.core.iam.recorded import Recorded, RecordedCall
from dashboard.core.iam.replace import change, standing, undo
from dashboard.core.iam.replace.records import Outcome, Records, What
from dashboard.core.iam.replace.step import State
from dashboard.core.iam.rights import Right
from tests.core.iam.role_world import (
    ACCOUNT,
    BUCKET,
    LEAST,
    Faulty,
    broad_role,
    document,
    proposal,
    statement,
    trust,
)

AT = datetime(2026, 11, 1, tzinfo=UTC)
EXTRA = document(statement("sns:Publish"))


@pytest.fixture(scope="module")
def aws(embedded):
    return Faulty(embedded)


@pytest.fixture
def records(tmp_path):
    return Records(tmp_path / "changes.sqlite")


def apply(aws, plan, records):
    return list(change.apply(aws, plan, records=records, sleep=lambda _: None))


def final(steps):
    return [step for step in steps if step.state.is_final]


def test_a_role_gets_its_least_rights_in_seven_steps_and_its_old_ones_back_by_one_click(aws, records):
    name = broad_role(aws, Extra=EXTRA)
    before = standing.read(aws, name)
    plan = change.plan(aws, proposal(name))
    steps = apply(aws, plan, records)
    assert [step.state for step in final(steps)] == [State.DONE] * 7, steps
    after = standing.read(aws, name)
    assert [one.document for one in after.attached] == [LEAST] and after.inline == {}
    assert after.attached[0].arn.startswith(f"arn:aws:iam::{ACCOUNT}:policy/kennel/{name}-least-")
    assert after.trust == trust("sagemaker.amazonaws.com", account=ACCOUNT)
    (record,) = records.of(ACCOUNT, before.arn)
    assert record.outcome is Outcome.DONE and record.what is What.CHANGE and record.before == before

    taken = list(undo.apply(aws, undo.plan(aws, record), records=records, sleep=lambda _: None))
    assert taken[-1].state is State.DONE, taken
    back = standing.read(aws, name)
    assert back.digest == before.digest and back.inline == {"Extra": EXTRA}
    assert records.of(ACCOUNT, before.arn)[0].outcome is Outcome.UNDONE
    with pytest.raises(NotFound):
        aws.call("iam", "GetPolicy", PolicyArn=after.attached[0].arn)
    assert undo.plan(aws, record).is_empty, "undone once, there is nothing left to undo"


@pytest.mark.parametrize("fate", ["unsent", "lost"])
def test_whichever_request_fails_the_role_ends_as_it_was(aws, tmp_path, fate):
    """Every request that changes something, not sent or carried out with its answer lost; and the looks in between."""
    name = broad_role(aws, Extra=EXTRA)
    before = standing.read(aws, name)
    plan = change.plan(aws, proposal(name))
    for number in count():
        seen, looks = [], []

        def fails(_, operation, number=number, seen=seen, looks=looks):
            if operation.startswith(("Get", "List", "Simulate")):
                looks.append(operation)
                if fate == "lost" or len(looks) > 2:  # more of them between two changes find the same
                    return ""
            else:
                looks.clear()
            seen.append(operation)
            return fate if len(seen) == number + 1 else ""

        records = Records(tmp_path / f"{number}.sqlite")
        steps = apply(aws.failing(fails), plan, records)
        if len(seen) <= number:  # it went through before that request
            break
        told = f"request {number} ({seen[number]}): {steps[-1]}"
        assert any(step.state is State.FAILED for step in steps), told
        assert standing.read(aws, name).digest == before.digest, told
        for one in records.all(ACCOUNT):
            assert one.outcome is Outcome.UNDONE, told
            assert not [arn for arn in one.made if _is_there(aws, arn)], told
    assert number >= (6 if fate == "lost" else 10), "the change sends more requests than that"
    assert standing.read(aws, name).digest == plan.after.digest, "with no failure it went through"


def test_at_no_moment_does_the_role_lack_what_it_needs(aws, records):
    """The new policy is attached, and asked about, before the first old one goes."""
    name = broad_role(aws, Extra=EXTRA)
    watching = aws.failing(lambda *_: "")
    apply(watching, change.plan(aws, proposal(name)), records)
    sent = [one for one in watching.sent if one.startswith(("Attach", "Detach", "DeleteRole", "SimulateP", "UpdateA"))]
    first_off = sent.index("DetachRolePolicy")
    assert sent.index("AttachRolePolicy") < sent.index("SimulatePrincipalPolicy") < first_off
    assert "SimulatePrincipalPolicy" in sent[first_off:] and "DeleteRolePolicy" in sent[first_off:]


def test_an_undo_that_fails_too_is_told_and_can_be_done_again(aws, records):
    name = broad_role(aws)
    before = standing.read(aws, name)
    broken = []

    def fails(_, operation):
        if operation == "UpdateAssumeRolePolicy":
            broken.append(operation)  # from here on nothing is answered any more
        return "lost" if broken else ""

    steps = apply(aws.failing(fails), change.plan(aws, proposal(name)), records)
    assert steps[-1].undoes and steps[-1].state is State.FAILED and "undo it again" in steps[-1].detail
    (record,) = records.all(ACCOUNT)
    assert record.outcome is Outcome.UNDO_FAILED
    assert list(undo.apply(aws, undo.plan(aws, record), records=records, sleep=lambda _: None))[-1].state is State.DONE
    assert standing.read(aws, name).digest == before.digest


def test_whoever_stops_listening_half_way_leaves_no_half_changed_role(aws, tmp_path):
    name = broad_role(aws)
    before = standing.read(aws, name)
    plan = change.plan(aws, proposal(name))
    for number in range(1, 14):
        records = Records(tmp_path / f"{number}.sqlite")
        going = change.apply(aws, plan, records=records, sleep=lambda _: None)
        for _ in range(number):
            next(going)
        going.close()
        assert standing.read(aws, name).digest == before.digest, number


def test_a_second_click_changes_nothing(aws, records):
    name = broad_role(aws)
    plan = change.plan(aws, proposal(name))
    apply(aws, plan, records)
    again = apply(aws, plan, records)
    assert [step.state for step in final(again)] == [State.DONE] and "already" in again[-1].detail
    assert len(records.all(ACCOUNT)) == 1


def test_a_role_that_others_changed_meanwhile_is_left_alone(aws, records):
    name = broad_role(aws)
    plan = change.plan(aws, proposal(name))
    aws.call("iam", "PutRolePolicy", RoleName=name, PolicyName="New", PolicyDocument=json.dumps(EXTRA))
    steps = apply(aws, plan, records)
    assert steps[-1].state is State.FAILED and "has changed since" in steps[-1].detail
    assert records.all(ACCOUNT) == () and len(standing.read(aws, name).attached) == 2


def test_a_policy_that_lacks_what_was_used_is_taken_back(aws, records):
    """It is refused by the simulation, before anything is attached."""
    name = broad_role(aws)
    used = Right("s3:GetObject", f"arn:aws:s3:::{BUCKET}/cats/1.jpg")
    recorded = Recorded(name, (RecordedCall(used, 5, AT, AT),), AT)
    before = standing.read(aws, name)
    watching = aws.failing(lambda *_: "")
    steps = apply(watching, change.plan(aws, proposal(name), recorded=recorded), records)
    failed = next(step for step in steps if step.state is State.FAILED)
    assert failed.number == 4 and "cats/1.jpg: denied" in failed.detail
    assert "CreatePolicy" not in watching.sent and standing.read(aws, name).digest == before.digest


@pytest.mark.parametrize(
    ("policy", "more", "said"),
    [
        (document(statement("iam:CreateUser")), {}, "iam:CreateUser"),
        (document(statement("s3:*")), {}, None),
        (document({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}), {}, "all but s3:*"),
        (LEAST, {"trust": trust("ec2.amazonaws.com")}, "ec2.amazonaws.com"),
        (LEAST, {"trust": trust("sagemaker.amazonaws.com")}, None),
    ],
)
def test_no_right_is_ever_widened(aws, policy, more, said):
    name = broad_role(aws)
    if said is None:
        assert change.plan(aws, proposal(name, policy, **more)).calls
        return
    with pytest.raises(Refused, match=r"what the role has not|lets in more than") as refused:
        change.plan(aws, proposal(name, policy, **more))
    assert said in str(refused.value)


def test_a_boundary_stays_and_what_it_forbids_is_not_taken_for_given(aws, records):
    limit = document(statement("s3:*"), statement("cloudwatch:*"))
    made = aws.call("iam", "CreatePolicy", PolicyName="OnlyData", PolicyDocument=json.dumps(limit))["Policy"]["Arn"]
    name = broad_role(aws, boundary=made)
    steps = apply(aws, change.plan(aws, proposal(name)), records)
    assert steps[-1].state is State.DONE, steps
    assert standing.read(aws, name).boundary.arn == made
    with pytest.raises(Refused, match="sagemaker:ListModels"):
        change.plan(aws, proposal(broad_role(aws, boundary=made), document(statement("sagemaker:ListModels"))))


def test_ten_attached_policies_leave_no_room_and_that_is_said_before_anything_is_done(aws):
    name = broad_role(aws)
    for number in range(8):
        text = json.dumps(
            document(statement(f"s3:GetObject{'' if number % 2 else 'Acl'}", resource=f"arn:aws:s3:::b{number}/*"))
        )
        made = aws.call("iam", "CreatePolicy", PolicyName=f"{name}-{number}", PolicyDocument=text)["Policy"]["Arn"]
        aws.call("iam", "AttachRolePolicy", RoleName=name, PolicyArn=made)
    with pytest.raises(Refused, match="11 attached, and the account's limit is 10"):
        change.plan(aws, proposal(name))


def test_roles_that_are_not_kennels_to_change_are_refused(aws):
    aws.call("iam", "CreateServiceLinkedRole", AWSServiceName="sagemaker.application-autoscaling.amazonaws.com")
    with pytest.raises(Refused, match="linked to a service"):
        change.plan(aws, proposal("AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"))
    reserved = broad_role(aws, path="/aws-reserved/sso.amazonaws.com/")
    with pytest.raises(Refused, match="IAM Identity Center"):
        change.plan(aws, proposal(reserved))


def test_undoing_later_leaves_what_others_did_since(aws, records):
    name = broad_role(aws)
    apply(aws, change.plan(aws, proposal(name)), records)
    (record,) = records.all(ACCOUNT)
    aws.call("iam", "PutRolePolicy", RoleName=name, PolicyName="Theirs", PolicyDocument=json.dumps(EXTRA))
    aws.call("iam", "UpdateAssumeRolePolicy", RoleName=name, PolicyDocument=json.dumps(trust("ec2.amazonaws.com")))
    plan = undo.plan(aws, record)
    assert any("trust policy was changed by somebody else" in said for said in plan.stays)
    steps = list(undo.apply(aws, plan, records=records, sleep=lambda _: None))
    assert steps[-1].state is State.DONE and "trust policy" in steps[-1].detail
    now = standing.read(aws, name)
    assert {one.name for one in now.attached} == {"AmazonSageMakerFullAccess", "AmazonS3FullAccess"}
    assert now.inline == {"Theirs": EXTRA} and now.trust == trust("ec2.amazonaws.com")


def test_undoing_gives_no_more_than_there_was(aws, records):
    """The old policy says more by now: attaching it again would widen the role."""
    name = broad_role(aws)
    mine = json.dumps(document(statement("sns:Publish", resource="arn:aws:sns:us-east-1:1:a")))
    arn = aws.call("iam", "CreatePolicy", PolicyName=f"{name}-own", PolicyDocument=mine)["Policy"]["Arn"]
    aws.call("iam", "AttachRolePolicy", RoleName=name, PolicyArn=arn)
    apply(aws, change.plan(aws, proposal(name)), records)
    wide = json.dumps(document(statement("*")))
    aws.call("iam", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=wide, SetAsDefault=True)
    steps = list(undo.apply(aws, undo.plan(aws, records.all(ACCOUNT)[0]), records=records, sleep=lambda _: None))
    assert steps[-1].state is State.DONE and "allows more by now" in steps[-1].detail
    assert arn not in {one.arn for one in standing.read(aws, name).attached}


def _is_there(aws, arn):
    try:
        aws.call("iam", "GetPolicy", PolicyArn=arn)
    except NotFound:
        return False
    return True


def test_a_change_whose_process_ended_half_way_is_undone_from_its_record(aws, records):
    """Nothing ran after the old policies began to go: the next click finds the record open."""
    name = broad_role(aws, Extra=EXTRA)
    before = standing.read(aws, name)
    plan = change.plan(aws, proposal(name))

    class Killed(BaseException):
        """No error of ours, and nothing may be done after it."""

    def fails(_, operation, dead=[]):  # noqa: B006 (it is the memory of one process)
        if dead or operation == "DeleteRolePolicy":
            dead.append(operation)
            raise Killed
        return ""

    with pytest.raises(Killed):
        apply(aws.failing(fails), plan, records)
    assert standing.read(aws, name).digest != before.digest
    (record,) = records.all(ACCOUNT)
    assert record.outcome is Outcome.UNDER_WAY
    with pytest.raises(Refused, match="being changed already"):
        records.begin(replace(record, id="", at=datetime.now(UTC)))
    assert list(undo.apply(aws, undo.plan(aws, record), records=records, sleep=lambda _: None))[-1].state is State.DONE
    assert standing.read(aws, name).digest == before.digest
