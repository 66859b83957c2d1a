"""A role's rights are replaced in seven steps; whatever fails on the way, it has what it had, and no less meanwhile."""

from itertools import count

import pytest

from dashboard.core.errors import NotFound
from dashboard.core.iam import change, standing, undo
from dashboard.core.iam.records import Outcome, Records, What
from dashboard.core.iam.step import State
from tests.core.iam.role_world import (
    ACCOUNT,
    LEAST,
    Faulty,
    broad_role,
    document,
    proposal,
    statement,
    trust,
)

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
    name = broad_role(aws, Extra=EXTRA)
    before = standing.read(aws, name)
    for number in count():
        records = Records(tmp_path / f"{number}.sqlite")
        plan = change.plan(aws, proposal(name))
        faulty = aws.failing(lambda at, _, number=number: fate if at == number else "")
        steps = apply(faulty, plan, records)
        if len(faulty.sent) <= number:  # it went through before that request
            break
        operation = faulty.sent[number]
        now = standing.read(aws, name)
        if any(step.state is State.FAILED for step in steps):
            assert now.digest == before.digest, f"request {number} ({operation}): {steps[-1]}"
            for one in records.all(ACCOUNT):
                assert one.outcome is Outcome.UNDONE, f"request {number} ({operation})"
            assert not [one for one in records.all(ACCOUNT) for arn in one.made if _is_there(aws, arn)], operation
        else:
            pytest.fail(f"request {number} ({operation}) failed and nobody was told")
    assert number > 20, "the change sends more requests than that"
    assert standing.read(aws, name).digest == plan.after.digest, "with no failure it went through"


def _is_there(aws, arn):
    try:
        aws.call("iam", "GetPolicy", PolicyArn=arn)
    except NotFound:
        return False
    return True
