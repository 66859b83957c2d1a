"""A role is mended, split, let go and given back with the remediator role's session, as the embedded AWS enforces it.

The rights that Kennel proposes for itself are enough for what it does, and for no other role.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.core.aws import Aws
from dashboard.core.errors import AccessDenied
from dashboard.core.iam import entities
from dashboard.core.iam.own import own_roles, work_boundary
from dashboard.core.iam.own.mended import Mended
from dashboard.core.iam.replace import change, change_plan, retire, standing, undo
from dashboard.core.iam.replace.records import Records
from dashboard.core.iam.replace.step import State
from dashboard.core.iam.usage import Duty
from tests.conftest import Embedded
from tests.core.iam.role_world import MANAGED, Faulty, broad_role, document, proposal, session_of, statement, trust

EXTRA = document(statement("sns:Publish"))
GIVEN = f"{MANAGED}AmazonS3FullAccess"


@pytest.fixture(scope="module")
def root(embedded: Embedded) -> Aws:
    return Faulty(embedded)


@pytest.fixture(scope="module")
def roles(root: Aws) -> tuple[str, str, str]:
    """Three broad roles: two that the remediator is made for, and one that it is not."""
    return broad_role(root, Extra=EXTRA), broad_role(root), broad_role(root)


@pytest.fixture(scope="module")
def remediator(root: Aws, roles: tuple[str, str, str]) -> Iterator[Aws]:
    """A session of the role, made by the program that the page shows, which bounds the two roles as well."""
    present = entities.parse(root.call("iam", "GetAccountAuthorizationDetails"))
    made = own_roles.remediator(root.account, [Mended.of(one) for one in present if one.name in roles[:2]])
    assert set(made.bounded) == set(roles[:2])
    with session_of(root, made) as session:
        yield session


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "changes.sqlite")


def test_a_role_is_replaced_and_given_back(remediator: Aws, roles: tuple[str, str, str], records: Records) -> None:
    name = roles[0]
    before = standing.read(remediator, name)
    plan = change_plan.plan(remediator, proposal(name))
    steps = [one for one in change.apply(remediator, plan, records=records, sleep=lambda _: None) if one.state.is_final]
    assert [one.state for one in steps] == [State.DONE] * 7, steps
    (record,) = records.of(remediator.account.account_id, before.arn)
    back = list(undo.apply(remediator, undo.plan(remediator, record), records=records, sleep=lambda _: None))
    assert back[-1].state is State.DONE, back
    assert standing.read(remediator, name).digest == before.digest


@pytest.mark.parametrize("duty", [Duty.TRAINING, Duty.INSTANCE])
def test_a_new_role_is_made_for_one_duty_of_a_shared_one_and_taken_away_again(
    remediator: Aws, roles: tuple[str, str, str], records: Records, duty: Duty
) -> None:
    new = f"{roles[1]}-{duty}"
    plan = change_plan.plan(remediator, proposal(roles[1], new_role=new, duty=duty))
    steps = [one for one in change.apply(remediator, plan, records=records, sleep=lambda _: None) if one.state.is_final]
    assert {one.state for one in steps} == {State.DONE}, steps
    made = standing.read(remediator, new)
    assert made.boundary is not None and made.boundary.name == work_boundary.NAME
    assert made.profiles == ((new,) if duty is Duty.INSTANCE else ())
    record = records.all(remediator.account.account_id)[0]
    back = list(undo.apply(remediator, undo.plan(remediator, record), records=records, sleep=lambda _: None))
    assert back[-1].state is State.DONE, back


def test_a_role_is_switched_off(remediator: Aws, roles: tuple[str, str, str], records: Records) -> None:
    plan = retire.plan(remediator, roles[1])
    steps = [one for one in retire.apply(remediator, plan, records=records, sleep=lambda _: None) if one.state.is_final]
    assert {one.state for one in steps} == {State.DONE}, steps


def test_a_role_that_is_switched_off_is_deleted(remediator: Aws, roles: tuple[str, str, str], records: Records) -> None:
    plan = retire.plan(remediator, roles[1])
    assert plan.stage is retire.Stage.DELETE
    gone = retire.apply(remediator, plan, early=True, records=records, sleep=lambda _: None)
    assert {one.state for one in gone if one.state.is_final} == {State.DONE}


def test_no_right_that_it_writes_is_more_than_the_boundary(
    root: Aws, remediator: Aws, roles: tuple[str, str, str]
) -> None:
    """It may write anything into its role, and the role does not get it; a role without the boundary it cannot make."""
    everything = json.dumps(document(statement("*")))
    name, arn = roles[0], root.account.role_arn(roles[0])
    remediator.call("iam", "PutRolePolicy", RoleName=name, PolicyName="more", PolicyDocument=everything)
    asked = {"PolicySourceArn": arn, "ActionNames": ["iam:CreateUser", "sts:AssumeRole", "s3:GetObject"]}
    told = root.call("iam", "SimulatePrincipalPolicy", **asked)["EvaluationResults"]
    assert [one["EvalDecision"] for one in told] == ["implicitDeny", "implicitDeny", "allowed"]
    remediator.call("iam", "DeleteRolePolicy", RoleName=name, PolicyName="more")
    with pytest.raises(AccessDenied):
        remediator.call("iam", "DeleteRolePermissionsBoundary", RoleName=name)
    trusts = json.dumps(trust("sagemaker.amazonaws.com"))
    with pytest.raises(AccessDenied):
        remediator.call("iam", "CreateRole", RoleName="free", Path="/kennel/", AssumeRolePolicyDocument=trusts)


def test_a_role_it_was_not_made_for_stays_as_it_is(
    root: Aws, remediator: Aws, roles: tuple[str, str, str], records: Records
) -> None:
    before = standing.read(root, roles[2])
    plan = change_plan.plan(remediator, proposal(roles[2]))
    steps = list(change.apply(remediator, plan, records=records, sleep=lambda _: None))
    assert State.FAILED in {one.state for one in steps}
    assert standing.read(root, roles[2]).digest == before.digest


def test_it_attaches_nothing_that_was_not_there_before(remediator: Aws, roles: tuple[str, str, str]) -> None:
    for policy in ("AdministratorAccess", "IAMFullAccess"):
        with pytest.raises(AccessDenied):
            remediator.call("iam", "AttachRolePolicy", RoleName=roles[0], PolicyArn=MANAGED + policy)
    with pytest.raises(AccessDenied):
        remediator.call("iam", "AttachRolePolicy", RoleName=own_roles.REMEDIATOR, PolicyArn=GIVEN)
