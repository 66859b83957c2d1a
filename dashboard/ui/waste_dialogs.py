"""The dialogs of the Waste page: a plan is made from how the thing is now, shown, and carried out on a click."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.waste import expiry
from dashboard.core.costs.waste.actions import act as carry_out
from dashboard.core.costs.waste.expiry import Keep
from dashboard.core.costs.waste.plan import Plan, plan
from dashboard.core.costs.waste.waste import Act, Finding, Thing
from dashboard.core.format import money
from dashboard.ui import endpoint, receipt
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, escape, facts, literal, note
from dashboard.ui.tones import Tone

LATER = {
    "in 1 h": timedelta(hours=1),
    "in 4 h": timedelta(hours=4),
    "in 12 h": timedelta(hours=12),
    "in 24 h": timedelta(hours=24),
    "in 3 d": timedelta(days=3),
}


def question(aws: Aws, finding: Finding, act: Act) -> Question:
    """What an act on a finding would do. Raises the errors of `plan`."""
    if act is Act.DELETE and finding.thing is Thing.ENDPOINT:
        return endpoint.delete_question(aws, finding.name)
    if act is Act.SCHEDULE:
        return Question(f"Delete {literal(finding.name)} later", partial(_draw_schedule, aws, finding))
    if act is Act.KEEP:
        return Question(f"Keep {literal(finding.name)}", partial(_draw_keep, aws, finding))
    made = plan(aws, finding, act, state.now())
    return Question(literal(made.title), partial(_draw, aws, made))


def _draw_schedule(aws: Aws, finding: Finding) -> Action | None:
    chosen = st.segmented_control("When", list(LATER), default="in 4 h", required=True, key="waste-when")
    now = state.now()
    when = (now + LATER[chosen]).replace(microsecond=0)
    return _draw(aws, plan(aws, finding, Act.SCHEDULE, now, when=when))


def _draw_keep(aws: Aws, finding: Finding) -> Action | None:
    chosen = st.segmented_control("For", list(Keep), default=expiry.DEFAULT, required=True, key="waste-keep")
    return _draw(aws, plan(aws, finding, Act.KEEP, state.now(), keep=Keep(chosen)))


def _draw(aws: Aws, made: Plan) -> Action | None:
    st.html(facts(_rows(made)))
    if not aws.account.is_embedded and not aws.account.writable:
        st.html(note("This account is connected read-only: it will be refused.", Tone.WAITING))
    if made.calls:
        with st.expander("Show as code"):
            st.code(made.code(aws.account), language="python")
    final = made.act.is_final
    do: Callable[[], str] = partial(carry_out, aws, made)
    typed = (made.finding.name, "It does not come back.") if final else None
    return Action(made.button, do, is_dangerous=final, typed=typed)


def _rows(made: Plan) -> dict[str, str]:
    rows: dict[str, str] = {}
    if made.goes:
        rows["Goes"] = Markup("<br>".join(escape(one) for one in made.goes))
    if made.stays:
        rows["Stays"] = Markup("<br>".join(escape(one) for one in made.stays))
    if made.saves is not None:
        rows["Saves"] = Markup(f"{escape(money(made.saves))} a day {receipt.word_of(made.finding.nature)}")
    calls = ", ".join(f"{call.service} {call.operation}" for call in made.calls)
    rows["Asks AWS for"] = calls or "s3 DeleteObjects, after one more look at what lies there"
    return rows
