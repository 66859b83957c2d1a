"""One deed of the trail: what was agreed to, what AWS was asked, how it ended, and the way back."""

import json
from functools import partial

import streamlit as st

from dashboard import activity_readings, state
from dashboard.core.aws import Aws
from dashboard.core.people import Role
from dashboard.core.trail import undo, undo_cost
from dashboard.core.trail.model import Deed, Noted, Result
from dashboard.core.trail.undo import UndoPlan
from dashboard.core.trail.undo_cost import Cost
from dashboard.ui import activity_words, as_code, confirm, page, pages, problem, role_history
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, badge, escape, facts, literal, note, sentence
from dashboard.ui.page import Place
from dashboard.ui.table import local
from dashboard.ui.tones import Tone

MADE = {
    "CreateFunction": (Place.FUNCTIONS, "Lambda"),
    "CreateEndpoint": (Place.ENDPOINTS, "Endpoints"),
    "CreateNotebookInstance": (Place.NOTEBOOKS, "Notebooks"),
    "CreateModelPackage": (Place.MODELS, "Models"),
    "CreateTrainingJob": (Place.RUNS, "Runs"),
    "CreateBucket": (Place.DATA, "Data"),
}
"""Where what such a call made can be deleted, by a plan of its own."""


def show(aws: Aws, name: str) -> None:
    """The deed that the address names; a note where there is none."""
    one = activity_readings.deed(name)
    if one is None:
        st.html(note("This action is not in the trail of this machine.", Tone.WAITING))
        return
    with st.container(border=True, key="panel-deed"):
        _head(aws, one)
        st.html(facts(_facts(one)))
        if one.result is Result.UNKNOWN:
            why = "Whoever did it was gone before its end was written down: look at what of it was done."
            st.html(note(why, Tone.WAITING))
        if one.plan:
            page.section("What was agreed to")
            rows = "".join(f"<li>{escape(line)}</li>" for line in one.plan)
            st.html(f'<ul class="kn-evidence">{rows}</ul>')
        page.section("What AWS was asked")
        _calls(one)


def _head(aws: Aws, one: Deed) -> None:
    tone, word = activity_words.look(one)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="deed-head"):
        mark = badge(tone, word, shape="")
        st.html(f'<div class="kn-row"><p>{mark} <strong>{escape(one.what)}</strong></p></div>')
        st.space("stretch")
        st.download_button(
            "Download this action",
            data=lambda: json.dumps(activity_words.exported(one), indent=2, ensure_ascii=False),
            file_name=f"kennel-action-{one.id}.json",
            mime="application/json",
            type="tertiary",
            icon=":material/download:",
            on_click="ignore",
            key="deed-json",
        )
        with problem.shown("deed-undo"):
            why = _undo(aws, one)
    if why:
        st.html(note(why))


def _undo(aws: Aws, one: Deed) -> str:
    """The button that takes it back, where there is a way; else why there is none."""
    if one.is_undone:
        st.page_link(Place.ACTIVITY, label="What took it back", query_params={"deed": one.undone_by[-1]})
        return ""
    if (record := activity_readings.of_role(aws, one)) is not None:
        if record.outcome.is_open:
            make = partial(role_history.undo_question, aws, record)
            st.button("Undo", key="deed-undo", icon=":material/undo:", on_click=confirm.ask, args=(make,))
            return ""
        return "The change of this role was taken back."
    planned, why = activity_readings.offered(aws, one)
    if planned is None:
        if (made := next((MADE[call.operation] for call in one.calls if call.operation in MADE), None)) is not None:
            pages.link(made[0], f"Delete it under {made[1]}", ":material/arrow_forward:")
        return f"No undo: {why}."
    make = partial(question, aws, one)
    st.button("Undo", key="deed-undo", icon=":material/undo:", on_click=confirm.ask, args=(make,))
    return ""


def question(aws: Aws, one: Deed) -> Question:
    """What taking it back sends. Raises the errors of `undo.plan`."""
    plan = undo.plan(aws, one)
    paid = undo_cost.cost(aws, state.prices(), plan)
    return Question(f"Undo: {literal(one.what)}", partial(_draw, aws, plan, paid))


def _draw(aws: Aws, plan: UndoPlan, paid: Cost | None) -> Action:
    told = {
        "Takes back": plan.deed.what,
        "Done": f"{plan.deed.at:%d %b %Y, %H:%M} UTC by {plan.deed.who}",
        "Costs": activity_words.undo_costs(plan, paid, aws.account),
    }
    if plan.stays:
        told["Stays"] = "; ".join(plan.stays)
    st.html(facts(told))
    if not aws.account.writable:
        st.html(note("This account is connected read-only: the calls will be refused.", Tone.WAITING))
    as_code.below(plan.calls, plan.code(aws.account))
    label = f"Undo: {plan.deed.what}{activity_words.undo_price(paid, aws.account)}"
    only_budgets = all(call.service == "budgets" for call in plan.calls)
    needs = Role.MANAGER if only_budgets else Role.ENGINEER
    return Action(label, partial(undo.apply, aws, plan), needs=needs, undoes=plan.deed.id)


def _facts(one: Deed) -> dict[str, str]:
    moment = local(one.at, st.context.timezone)
    told = {
        "Who": one.who,
        "Signed in as": one.key,
        "When": f"{moment:%d %b %Y, %H:%M:%S}"
        + (" UTC" if moment.hour == one.at.hour else f" ({one.at:%H:%M:%S} UTC)"),
        "Took": activity_words.took(one) or "not over",
        "Account": one.place.words if one.place else "none: on this machine alone",
        "As": one.place.identity if one.place else "",
        "What came of it": one.said,
        "Why": sentence(one.why),
        "Next": sentence(one.next_step),
        "Action": one.id,
    }
    if one.undoes:
        told["Takes back"] = Markup(f'<a href="?deed={escape(one.undoes)}" target="_self">{escape(one.undoes)}</a>')
    return {name: value for name, value in told.items() if value}


def _calls(one: Deed) -> None:
    if not one.calls:
        st.html(note("Nothing: no change was asked of AWS."))
        return
    st.html(f'<ol class="kn-calls">{"".join(_call(each) for each in one.calls)}</ol>')
    if one.more:
        rest = ", ".join(f"{number:,} {name}" for name, number in one.more.items())
        st.html(note(f"And then, not written down one by one: {rest}."))
    with st.expander("Show as code", key="deed-code"):
        st.code(one.code, language="python")


def _call(one: Noted) -> str:
    tone = Tone.DONE if one.is_accepted else Tone.FAILED if one.is_answered else Tone.WAITING
    said = escape(activity_words.outcome(one))
    message = f" {escape(one.message)}" if one.message else ""
    asked = escape(json.dumps(dict(one.parameters), indent=2, ensure_ascii=False))
    return (
        f"<li>{badge(tone, one.outcome)} <strong>{escape(one.operation)}</strong> {escape(one.service)} · "
        f"{said}{message}"
        f'<details><summary>Its parameters</summary><pre class="kn-json" tabindex="0">{asked}</pre></details></li>'
    )
