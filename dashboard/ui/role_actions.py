"""The dialogs of a proposal: apply it, and take what was applied back."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard import role_readings
from dashboard.core.aws import Aws
from dashboard.core.format import count
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.recorded import Recorded
from dashboard.core.iam.replace import change, undo
from dashboard.core.iam.replace.change_plan import ChangePlan
from dashboard.core.iam.replace.going import Deed, Progress
from dashboard.core.iam.replace.records import Record, What
from dashboard.core.iam.replace.undo import UndoPlan
from dashboard.core.iam.usage import Use
from dashboard.ui import confirm, document_diff, role_deed, role_effective, role_prove
from dashboard.ui.confirm import Question
from dashboard.ui.markup import Markup, badge, escape, facts, note
from dashboard.ui.tones import Tone

STEPS = (
    "Kennel writes down how the role is, asks IAM's simulator about the new policies alone, attaches them beside the "
    "old ones, asks again as if the old ones were gone, and only then takes those off. Whatever fails, the role gets "
    "back what it had."
)


def apply_question(aws: Aws, proposal: Proposal, recorded: Recorded | None, uses: Sequence[Use]) -> Question:
    """What applying a proposal would do now. Raises Refused for what is not Kennel's to change, or would widen it."""
    with role_deed.judged(proposal.role_name):
        plan = change.plan(aws, proposal, recorded=recorded, uses=uses)
    why = (
        "Nothing of it is taken away: only the new role is made."
        if plan.is_split
        else "Whatever works as it has the new rights alone from then on; one click gives the old ones back."
    )
    return role_deed.question(
        aws,
        plan,
        plan.role,
        Deed.CHANGE,
        partial(change.apply, aws, plan),
        draw=partial(_draw, aws, plan),
        typed=why,
        nothing="The role is as proposed already." if plan.is_empty else "",
        part="Proposal",
    )


def undo_question(aws: Aws, record: Record) -> Question:
    """What taking a change back would do now. Raises Refused for what cannot be undone."""
    with role_deed.judged(record.name):
        plan = undo.plan(aws, record)
    return role_deed.question(
        aws,
        plan,
        record.name,
        Deed.UNDO,
        partial(undo.apply, aws, plan),
        draw=partial(_draw_undo, plan),
        part="History",
        undoes=record.deed,
    )


def back(aws: Aws, arn: str, progress: Progress) -> None:
    """The button that takes back what just ended, where it changed the role and there is a way back."""
    if progress.has_failed or progress.deed not in (Deed.CHANGE, Deed.RETIREMENT) or not aws.account.writable:
        return
    last = next((one for one in role_readings.records(aws, arn) if one.outcome.is_open), None)
    if last is not None and last.what is not What.DELETE:
        st.button(
            "Undo",
            key="role-back",
            icon=":material/undo:",
            on_click=confirm.ask,
            args=(partial(undo_question, aws, last),),
        )


def _draw(aws: Aws, plan: ChangePlan) -> None:
    st.html(Markup(f"<p>{role_prove.mark(aws, plan.proposal)}</p>{note(STEPS)}"))
    before = [] if plan.is_split else [*((one.name, one.document) for one in plan.before.attached)]
    before += [] if plan.is_split else list(plan.before.inline.items())
    after = [(one.name, one.document) for one in plan.after.attached]
    role_effective.told(plan.difference, "plan", is_new=plan.is_split)
    found = document_diff.statements(before, after)
    with st.expander(f"Its statements: {document_diff.told(found)}", key="role-plan-statements"):
        st.html(document_diff.listed(found, shown=0))
    rows = {
        "Must work": f"{count(len(plan.needed), 'right')}, which IAM's simulator is asked about three times",
        "Must not": count(len(plan.dropped), "right"),
        "Boundary": f"{plan.after.boundary.name} stays" if plan.after.boundary else "none",
    }
    st.html(facts(rows))
    for move in plan.moves:
        mark = badge(Tone.RUNNING, "Kennel does") if move.by_kennel else badge(Tone.WAITING, "somebody has to")
        st.html(f"<p>{mark} {escape(move.says)}</p>")


def _draw_undo(plan: UndoPlan) -> None:
    record = plan.record
    st.html(
        facts(
            {
                "Change": f"{record.what.value}, {record.at:%d %b %Y, %H:%M} UTC",
                "Record": record.id,
                "Gives back": "its policies, its trust and its boundary, as they were written down",
            }
        )
    )
    for stays in plan.stays:
        st.html(note(f"Stays, since others changed it meanwhile: {stays}", Tone.WAITING))
    if plan.is_empty:
        st.html(note("The role is as it was already: only the record is closed."))
