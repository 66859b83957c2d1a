"""What the form describes would cost, and the sentence that says so."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard.core.aws import Account
from dashboard.core.format import count, duration, money
from dashboard.core.runs.plan import Plan
from dashboard.ui import receipt
from dashboard.ui.markup import Markup, note, sentence
from dashboard.ui.words import simulated


def title_sentence(plan: Plan | None, account: Account) -> str:
    """Train's live sentence: what the form describes would take and cost."""
    if plan is None:
        return "something in the form does not fit yet"
    most = money(plan.worst.amount, plan.worst.currency)
    limit = f"at most {duration(plan.longest_seconds)} and {most}{simulated(account)}"
    if plan.expected_seconds is None:
        return f"{limit}; how long it will take is unknown"
    return f"about {duration(plan.expected_seconds)} and {money(plan.expected.amount)}, {limit}"


def show(plan: Plan | None, wrong: Sequence[str], account: Account) -> None:
    """Expected and worst case side by side, the price behind both, and what to know before; or what is `wrong`."""
    if plan is None:
        st.html(missing(wrong))
        return
    left, right = st.columns(2, gap="small")
    left.html(str(receipt.sum_of(plan.expected, account, "Expected")))
    right.html(str(receipt.sum_of(plan.worst, account, "Worst case")))
    if plan.worst.unit_price:
        price = receipt.inline(receipt.price(plan.worst), account)
        st.html(note(Markup(f"{escape(machines(plan))} at {price} · {escape(plan.worst.source)}")))
    if plan.expected.unit_price and plan.expected.unit_price != plan.worst.unit_price:
        price = receipt.inline(receipt.price(plan.expected), account)
        st.html(note(Markup(f"expected at {price} · {escape(plan.expected.source)}")))
    for warning in plan.warnings:
        st.html(receipt.warning(warning, account))


def missing(wrong: Sequence[str]) -> str:
    """Stands where the quote would be, and says what keeps it away."""
    listed = "".join(f"<li>{escape(sentence(one))}</li>" for one in wrong)
    return (
        '<div class="kn-empty kn-no-quote"><p>No quote while something in the form does not fit.</p>'
        f'<ul class="kn-wrong">{listed}</ul></div>'
    )


def machines(plan: Plan) -> str:
    """ "2 × ml.m5.large in each of 4 trainings"."""
    spec = plan.spec
    each = f" in each of {count(spec.jobs, 'training')}" if spec.tuning else ""
    return f"{spec.instance_count} × {spec.instance_type}{each}"
