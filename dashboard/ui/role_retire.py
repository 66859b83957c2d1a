"""The dialogs that let a role or a policy go in two steps: switched off first, deleted when nobody has missed it."""

from functools import partial

import streamlit as st

from dashboard import role_readings, state
from dashboard.core.aws import Aws
from dashboard.core.errors import NotFound
from dashboard.core.format import ago, count
from dashboard.core.iam.replace import retire, retire_policy
from dashboard.core.iam.replace.going import Deed
from dashboard.core.iam.replace.records import Record, What
from dashboard.core.iam.replace.retire import RetirePlan, Stage
from dashboard.core.iam.replace.retire_policy import PolicyPlan
from dashboard.core.iam.usage import Use
from dashboard.ui import role_deed
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import facts, literal, note
from dashboard.ui.tones import Tone

STEP = {Stage.SWITCH_OFF: "1 of 2: switch it off", Stage.DELETE: "2 of 2: delete it"}


def question(aws: Aws, name: str) -> Question:
    """The next step of letting a role go. Raises Refused and the errors of `Aws.call`."""
    with role_deed.judged(name):
        plan = retire.plan(aws, name, uses=_uses(aws, name), now=state.now())
    early = plan.is_early(state.now())
    why = {
        Stage.SWITCH_OFF: "Whatever works as it is denied everything from then on; one click gives it back.",
        Stage.DELETE: "It does not come back: a role of the same name is another one.",
    }[plan.stage]
    return role_deed.question(
        aws,
        plan,
        plan.role,
        Deed.RETIREMENT,
        partial(retire.apply, aws, plan, early=early),
        draw=partial(_draw, plan),
        typed=f"{'That is before its time. ' if early else ''}{why}",
        part="History",
    )


def policy_question(aws: Aws, arn: str) -> Question:
    """The next step for a policy that is attached to nothing. Raises Refused where it is in use."""
    plan = retire_policy.plan(aws, arn, now=state.now())
    early = plan.is_early(state.now())
    typed = "Nothing has it: it can be made again from its record." if plan.stage is Stage.DELETE else ""
    return role_deed.question(
        aws,
        plan,
        plan.name,
        Deed.RETIREMENT,
        partial(retire_policy.apply, aws, plan, early=early),
        draw=partial(_draw_policy, plan),
        typed=f"{'That is before its time. ' if early else ''}{typed}" if typed else "",
        at_once=True,
    )


def policy_undo_question(aws: Aws, record: Record) -> Question:
    """Take a policy's mark off, or make it again as it was."""
    return Question(f"Give back the policy {literal(record.name)}", partial(_draw_back, aws, record))


def _draw_back(aws: Aws, record: Record) -> Action:
    is_mark = record.what is What.MARK_POLICY
    rows = {
        "Record": f"{record.id}, {record.at:%d %b %Y, %H:%M} UTC",
        "Does": "takes its mark off" if is_mark else "makes it again under the same ARN, as the version that counted",
    }
    st.html(facts(rows))
    if not aws.account.writable:
        st.html(note("This account is connected read-only: it will be refused.", Tone.WAITING))
    do = partial(role_deed.at_once, partial(retire_policy.undo, aws, record))
    return Action("Take the mark off" if is_mark else "Make it again", do, undoes=record.deed)


def _uses(aws: Aws, name: str) -> tuple[Use, ...]:
    """What works as it; where the account's roles cannot be read, the plan itself says what is wrong."""
    try:
        return role_readings.role(aws, name).value.uses
    except NotFound:
        return ()


def _draw(plan: RetirePlan) -> None:
    now = state.now()
    rows = {"Step": STEP[plan.stage]}
    if plan.stage is Stage.SWITCH_OFF:
        rows["Goes"] = (
            f"every right: a Deny of everything, and {count(len(plan.before.attached), 'policy', 'policies')}"
        )
        rows["Stays"] = "the role itself, its trust and its inline policies, so that an undo gives back all"
        rows["Then"] = f"it may be deleted after {retire.WAIT_DAYS} d"
    else:
        rows["Switched off"] = ago(plan.since, now) if plan.since else "unknown"
        rows["Due"] = f"{plan.due:%d %b %Y} ({ago(plan.due, now)})" if plan.due else "unknown"
        rows["Goes"] = "the role with its inline policies; its record stays and can be downloaded"
    last = plan.before.last_used
    rows["Last used"] = ago(last, now) if last else "not on record"
    st.html(facts(rows))
    if plan.is_early(now):
        st.html(note("It is deleted before its time: a job that runs once a month may still miss it.", Tone.WAITING))


def _draw_policy(plan: PolicyPlan) -> None:
    rows = {
        "Step": "1 of 2: mark it" if plan.stage is Stage.SWITCH_OFF else STEP[Stage.DELETE],
        "Attached to": "nothing",
        "Versions": count(len(plan.versions)),
    }
    if plan.since:
        rows["Marked"] = ago(plan.since, state.now())
    rows["Record"] = "all versions are written down first"
    st.html(facts(rows))
