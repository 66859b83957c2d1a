"""What the form describes would cost, and the sentence that says so."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard.core.aws import Account
from dashboard.core.costs.quote import Quote
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
    left.html(str(receipt.sum_of(plan.expected, account, "Expected", lasts(plan, plan.expected))))
    right.html(str(receipt.sum_of(plan.worst, account, "Worst case", lasts(plan, plan.worst))))
    if plan.worst.unit_price:
        each = " each" if plan.spec.instance_count > 1 else ""
        bound = " on demand, the most that spot costs" if plan.spec.is_spot else ""
        price = receipt.inline(f"{receipt.price(plan.worst)}{each}", account)
        st.html(note(Markup(f"{escape(machines(plan))} at {price}{bound} · {escape(plan.worst.source)}")))
    if plan.expected.unit_price and plan.expected.unit_price != plan.worst.unit_price:
        each = " each" if plan.spec.instance_count > 1 else ""
        price = receipt.inline(f"{receipt.price(plan.expected)}{each}", account)
        st.html(note(Markup(f"expected at {price} · {escape(plan.expected.source)}")))
    for warning in plan.warnings:
        st.html(receipt.warning(warning, account))


def lasts(plan: Plan, sum_: Quote) -> str:
    """How long one of a plan's two sums is for and how it came about, the whole first, as in the title.

    Of a tuning job the whole is not what each training takes; a spot job may wait on top of what is billed.
    """
    spec, each = plan.spec, duration(sum_.seconds)
    is_worst = sum_ is plan.worst
    whole = duration(plan.longest_seconds if is_worst else plan.expected_seconds)
    waits = is_worst and spec.is_spot and not spec.is_on_ec2
    unbilled = " with waiting for capacity, which is not billed" if waits else ""
    if spec.tuning:
        at_once = min(spec.tuning.parallel, spec.jobs)
        return f"{whole} in all{unbilled}; {each} of training each, {at_once} at once · {sum_.basis}"
    if waits:
        return f"{whole}{unbilled}; {each} of training · {sum_.basis}"
    return f"{each} · {sum_.basis}"


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
