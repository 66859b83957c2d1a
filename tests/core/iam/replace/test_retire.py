"""A role goes in two steps: switched off first, which one click undoes, and deleted when nobody missed it."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from dashboard.core.errors import NotFound, Refused
from dashboard.core.iam.replace import retire, standing, undo
from dashboard.core.iam.replace.records import Outcome, Records, What
from dashboard.core.iam.replace.retire import DENY, NOTHING, Stage
from dashboard.core.iam.replace.standing import RETIRED
from dashboard.core.iam.replace.step import State
from dashboard.core.iam.usage import Duty, Use
from tests.core.iam.role_world import ACCOUNT, LEAST, Faulty, broad_role

NOW = datetime.now(UTC).replace(microsecond=0)
LATER = NOW + timedelta(days=31)


@pytest.fixture(scope="module")
def aws(embedded):
    return Faulty(embedded)


@pytest.fixture
def records(tmp_path):
    return Records(tmp_path / "changes.sqlite")


def do(aws, plan, records, at=NOW, **more):
    return list(retire.apply(aws, plan, records=records, sleep=lambda _: None, now=lambda: at, **more))


def switched_off(aws, records):
    name = broad_role(aws, Own=LEAST)
    assert do(aws, retire.plan(aws, name, now=NOW), records)[-1].state is State.DONE
    return name


def test_a_role_that_is_switched_off_can_do_nothing_and_has_all_of_it_back_by_one_click(aws, records):
    name = broad_role(aws, Own=LEAST)
    before = standing.read(aws, name)
    plan = retire.plan(aws, name, now=NOW)
    assert plan.stage is Stage.SWITCH_OFF and plan.button == "Switch the role off"
    assert [step.state for step in do(aws, plan, records) if step.state.is_final] == [State.DONE] * 4
    off = standing.read(aws, name)
    assert off.attached == () and off.inline == {"Own": LEAST, DENY: NOTHING}
    assert retire.switched_off(off) == NOW
    (record,) = records.of(ACCOUNT, before.arn)
    assert record.what is What.SWITCH_OFF and record.outcome is Outcome.DONE

    steps = list(undo.apply(aws, undo.plan(aws, record), records=records, sleep=lambda _: None))
    assert steps[-1].state is State.DONE
    back = standing.read(aws, name)
    assert back.digest == before.digest and RETIRED not in back.tags


def test_it_is_deleted_after_its_time_or_at_once_when_that_is_said(aws, records):
    name = switched_off(aws, records)
    plan = retire.plan(aws, name, now=NOW)
    assert plan.stage is Stage.DELETE and plan.due == NOW + timedelta(days=30) and plan.is_early(NOW)
    early = do(aws, plan, records)
    assert early[-1].state is State.FAILED and "it is due on" in early[-1].detail
    assert do(aws, plan, records, early=True)[-1].state is State.DONE
    with pytest.raises(NotFound):
        standing.read(aws, name)
    record = records.of(ACCOUNT, plan.before.arn)[0]
    assert record.what is What.DELETE and record.before.inline["Own"] == LEAST, "its text is kept"
    with pytest.raises(Refused, match="cannot be undone"):
        undo.plan(aws, record)


def test_a_role_in_instance_profiles_leaves_them_when_it_goes(aws, records):
    name = switched_off(aws, records)
    aws.call("iam", "CreateInstanceProfile", InstanceProfileName=name)
    aws.call("iam", "AddRoleToInstanceProfile", InstanceProfileName=name, RoleName=name)
    plan = retire.plan(aws, name, now=LATER)
    assert not plan.is_early(LATER)
    assert do(aws, plan, records, LATER)[-1].state is State.DONE
    told = aws.call("iam", "GetInstanceProfile", InstanceProfileName=name)["InstanceProfile"]
    assert told["Roles"] == []


@pytest.mark.parametrize("fate", ["unsent", "lost"])
def test_whichever_request_fails_the_role_is_as_it_was_or_gone(aws, tmp_path, fate):
    changing = ("Put", "Tag", "Detach", "Delete", "Remove")
    for stage, at in ((Stage.SWITCH_OFF, NOW), (Stage.DELETE, LATER)):
        name = broad_role(aws, Own=LEAST)
        if stage is Stage.DELETE:
            do(aws, retire.plan(aws, name, now=NOW), Records(tmp_path / "first.sqlite"))
            aws.call("iam", "CreateInstanceProfile", InstanceProfileName=name)
            aws.call("iam", "AddRoleToInstanceProfile", InstanceProfileName=name, RoleName=name)
        before = standing.read(aws, name)
        plan = retire.plan(aws, name, now=at)
        assert plan.stage is stage
        for number in count():
            seen = []

            def fails(_, operation, number=number, seen=seen):
                if not operation.startswith(changing):
                    return ""
                seen.append(operation)
                return fate if len(seen) == number + 1 else ""

            records = Records(tmp_path / f"{stage}-{number}.sqlite")
            faulty = aws.failing(fails)
            steps = do(faulty, plan, records, at)
            if len(seen) <= number or is_gone(aws, name):
                break
            assert any(step.state is State.FAILED for step in steps), seen
            assert standing.read(aws, name).digest == before.digest, (seen[number], steps[-1])
            assert standing.read(aws, name).profiles == before.profiles, seen[number]
            assert records.all(ACCOUNT)[0].outcome is Outcome.UNDONE
        assert number >= 3


def test_a_role_of_which_nobody_can_tell_whether_it_is_off_gets_back_what_it_had(aws, records):
    name = broad_role(aws, Own=LEAST)
    before = standing.read(aws, name)
    failing = aws.failing(lambda _, operation: "unsent" if operation.startswith("Simulate") else "")
    steps = do(failing, retire.plan(aws, name, now=NOW), records)
    assert steps[-1].undoes and steps[-1].state is State.DONE
    assert standing.read(aws, name).digest == before.digest


def is_gone(aws, name):
    try:
        aws.call("iam", "GetRole", RoleName=name)
    except NotFound:
        return True
    return False


def test_what_works_at_this_moment_keeps_its_role(aws):
    name = broad_role(aws)
    function = Use(Duty.FUNCTION, "dog-infer", "arn:aws:lambda:us-east-1:1:function:dog-infer")
    with pytest.raises(Refused, match="the function dog-infer works as it"):
        retire.plan(aws, name, uses=[function])
    job = Use(Duty.TRAINING, "dogs-1", "arn:aws:sagemaker:us-east-1:1:training-job/dogs-1", NOW)
    assert any("1 training jobs" in said for said in retire.plan(aws, name, uses=[job]).warnings)


def test_a_role_that_others_changed_meanwhile_is_left_alone(aws, records):
    name = broad_role(aws)
    plan = retire.plan(aws, name, now=NOW)
    aws.call("iam", "PutRolePolicy", RoleName=name, PolicyName="New", PolicyDocument=json.dumps(LEAST))
    steps = do(aws, plan, records)
    assert steps[-1].state is State.FAILED and "has changed since" in steps[-1].detail
    assert records.all(ACCOUNT) == ()


def test_a_tag_alone_does_not_make_a_role_switched_off(aws):
    name = broad_role(aws)
    aws.call("iam", "TagRole", RoleName=name, Tags=[{"Key": RETIRED, "Value": "2020-01-01T00:00:00+00:00"}])
    assert retire.plan(aws, name).stage is Stage.SWITCH_OFF


@pytest.mark.parametrize("name", ["kennel-trial-1", "kennel-operator"])
def test_kennels_own_roles_are_not_its_to_delete(aws, name):
    aws.call(
        "iam",
        "CreateRole",
        RoleName=name,
        Path=f"/kennel/{secrets.token_hex(2)}/",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
    )
    try:
        with pytest.raises(Refused):
            retire.plan(aws, name)
    finally:
        aws.call("iam", "DeleteRole", RoleName=name)
