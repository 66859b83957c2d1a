"""A plan for a function in a dialog: what changes, what goes and stays, what it costs, the same as code."""

from functools import partial

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.format import money
from dashboard.core.serving.functions.act import act
from dashboard.core.serving.functions.concurrency import monthly
from dashboard.core.serving.functions.plan import About, Plan
from dashboard.ui import as_code, receipt
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, escape, facts, literal, note
from dashboard.ui.page import Place
from dashboard.ui.words import simulated


def question(aws: Aws, plan: Plan, *, then: Place | None = None, query: dict[str, str] | None = None) -> Question:
    """The dialog of a plan that is made already."""
    return Question(literal(plan.title), partial(draw, aws, plan, then=then, query=query))


def draw(aws: Aws, plan: Plan, *, then: Place | None = None, query: dict[str, str] | None = None) -> Action | None:
    """The plan, and the action that carries it out; None while there is nothing to do, or its name is not typed."""
    rows: dict[str, str] = {
        one.what[:1].upper() + one.what[1:]: Markup(f"{escape(one.before)} → {escape(one.after)}")
        for one in plan.changes
    }
    if plan.goes:
        rows["Goes"] = ", ".join(plan.goes)
    if plan.stays and not plan.is_empty:
        rows["Stays"] = "; ".join(plan.stays)
    if rows:
        st.html(facts(rows))
    if plan.about is About.CONCURRENCY:
        st.html(cost(aws, plan))
    for warning in plan.warnings:
        st.html(receipt.warning(warning, aws.account))
    if plan.is_empty:
        st.html(note("It is so already: there is nothing to do."))
        return None
    as_code.below(plan.calls, plan.code(aws.account))
    typed = (plan.function, "Whoever calls it gets an error from then on.") if plan.about is About.ALL else None
    return Action(
        label(aws, plan),
        partial(act, aws, plan),
        then,
        query,
        is_dangerous=typed is not None,
        typed=typed,
        about=plan.function,
    )


def label(aws: Aws, plan: Plan) -> str:
    """The button's words; what costs money says how much."""
    if plan.about is About.CONCURRENCY and plan.hourly is None:
        return f"{plan.button}, cost unknown"
    if plan.about is About.CONCURRENCY and plan.hourly:
        return f"{plan.button} for {money(plan.hourly)}/h{simulated(aws.account)}"
    return plan.button


def cost(aws: Aws, plan: Plan) -> str:
    """What is kept ready costs from then on, or that reserved costs nothing."""
    nature = Nature.of({}, is_embedded=aws.account.is_embedded)
    if plan.hourly is None:
        return facts({"Costs": "unknown: the price book has no price for keeping it ready"})
    if not plan.hourly:
        return facts({"Costs": "nothing: a ceiling is free"})
    month = money(monthly(plan.hourly))
    hour = receipt.marked(f"{money(plan.hourly)} an hour", nature)
    return facts({"Costs": Markup(f"{hour}, {month} a month of 730 h, asked or not; calls come on top")})
