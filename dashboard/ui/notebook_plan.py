"""A plan for a notebook instance in a dialog: what goes and stays, what it costs, its calls, the same as code."""

from functools import partial

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.notebooks.act import act
from dashboard.core.notebooks.plan import Deed, Plan
from dashboard.ui import as_code, notebook_words, receipt
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import facts, literal
from dashboard.ui.page import Place


def question(aws: Aws, plan: Plan) -> Question:
    """The dialog of a plan that is made already."""
    return Question(literal(plan.title), partial(draw, aws, plan))


def draw(aws: Aws, plan: Plan) -> Action:
    """The plan, and the action that carries it out."""
    rows = {}
    if plan.goes:
        rows["Goes"] = "; ".join(plan.goes)
    if plan.stays:
        rows["Stays"] = "; ".join(plan.stays)
    if plan.deed in (Deed.START, Deed.CHANGE) and plan.hourly is not None:
        price = receipt.price(plan.hourly) if plan.hourly.is_known else f"unknown: {plan.hourly.why_unknown}"
        rows["Costs"] = receipt.inline(f"{price} while it is in service", aws.account)
    if rows:
        st.html(facts(rows))
    for warning in plan.warnings:
        st.html(receipt.warning(warning, aws.account))
    as_code.below(plan.calls, plan.code(aws.account))
    is_final = plan.deed is Deed.DELETE
    return Action(
        notebook_words.button(plan, aws.account),
        partial(act, aws, plan),
        Place.NOTEBOOKS,
        {} if is_final else {"notebook": plan.notebook},
        is_dangerous=is_final,
        typed=(plan.notebook, "Every file on its volume is lost.") if is_final else None,
        about=plan.notebook,
    )
