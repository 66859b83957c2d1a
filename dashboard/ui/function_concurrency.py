"""The concurrency editor: how many may run at once, how many are kept ready, what that costs, and what it takes."""

from decimal import Decimal
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import KennelError
from dashboard.core.format import money, percent
from dashboard.core.serving.functions.concurrency import (
    HONEST,
    KEPT_FREE,
    Concurrency,
    at_once,
    enough,
    kept_ready_cost,
    monthly,
    of,
)
from dashboard.core.serving.functions.concurrency_plan import plan
from dashboard.core.serving.functions.concurrency_refusals import most_reserved, refuse
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.model import LATEST, Architecture
from dashboard.core.serving.functions.scaled import TARGETS, WHY_MAXIMUM, Scaling
from dashboard.core.serving.span import Span
from dashboard.ui import confirm, function_plan, function_words, looking, markup, page, problem, receipt
from dashboard.ui.confirm import Question
from dashboard.ui.markup import badge, facts, note
from dashboard.ui.tones import Tone

EXAMPLE = (60.0, 0.2)
"""Invocations a minute and seconds each, where nothing was measured."""


def show(aws: Aws, details: Details) -> None:
    """Left the form, right what is there, what it means, and how many would do."""
    left, right = st.columns((9, 11), gap="medium")
    with left:
        page.section("Editor")
        wanted = _form(details)
        _verdict(aws, details, wanted)
    with right:
        page.section("Now")
        st.fragment(_now, run_every=2, key="concurrency-now")(aws, details.function.name)
        page.section("How many would do")
        _arithmetic(aws, details)
        with st.expander("Reserved and provisioned are two things", expanded=False):
            st.html(note(HONEST))


def _form(details: Details) -> Concurrency:
    """What the fields say; they begin with how things stand."""
    options = list(details.qualifiers) or [LATEST]
    qualifier = st.selectbox("Alias or version", options, key="concurrency-of")
    if LATEST not in options:
        st.html(note(f"{LATEST} is not among them: it changes with every update, and Lambda keeps none of it ready."))
    set_now = of(details, qualifier)
    most = most_reserved(details)
    has_ceiling = st.toggle(
        "Reserve: a ceiling of its own",
        value=set_now.reserved is not None,
        key=f"concurrency-has-{qualifier}",
        help="Free: at most so many at once, and no other function takes them. It is the whole function's",
    )
    reserved = None
    if has_ceiling:
        reserved = int(
            st.number_input(
                "Reserved concurrency",
                0,
                None,
                set_now.reserved if set_now.reserved is not None else 5,
                key=f"concurrency-reserved-{qualifier}",
                help=f"At most {most:,} here" if most is not None else "The account's limit could not be read",
            )
        )
    scales = st.toggle(
        "Scale what is kept ready", value=set_now.scaling is not None, key=f"concurrency-scales-{qualifier}"
    )
    if not scales:
        provisioned = st.number_input(
            "Kept ready (provisioned concurrency)",
            0,
            None,
            set_now.provisioned,
            key=f"concurrency-provisioned-{qualifier}",
        )
        return Concurrency(qualifier, reserved, int(provisioned))
    start = set_now.scaling or Scaling(max(1, set_now.provisioned), max(3, set_now.provisioned), 0.7)
    first, second, third = st.columns(3)
    minimum = int(first.number_input("From", 0, None, start.minimum, key=f"concurrency-min-{qualifier}"))
    maximum = int(second.number_input("To", 0, None, start.maximum, key=f"concurrency-max-{qualifier}"))
    low, high = (round(each * 100) for each in TARGETS)
    target = third.number_input(
        "Target (%)",
        low,
        high,
        round(start.target * 100),
        key=f"concurrency-target-{qualifier}",
        help="Of what is ready, used at the busiest moment of a minute",
    )
    st.html(note(WHY_MAXIMUM))
    return Concurrency(qualifier, reserved, set_now.provisioned, Scaling(minimum, maximum, int(target) / 100))


def _verdict(aws: Aws, details: Details, wanted: Concurrency) -> None:
    """What it would cost, what Lambda would refuse of it, and the way to the plan."""
    one, account = details.function, aws.account
    nature = Nature.of(one.tags, is_embedded=account.is_embedded)
    least = wanted.scaling.minimum if wanted.scaling else wanted.provisioned
    hourly = _cost(aws, details, least)
    if least or wanted.scaling:
        month = monthly(hourly)
        told = f"{receipt.marked(f'{money(hourly)} an hour', nature)}, {money(month)} a month, asked or not"
        if wanted.scaling and wanted.scaling.maximum > least:
            told = f"at least {told}; at most {money(_cost(aws, details, wanted.scaling.maximum))} an hour"
        st.html(facts({"Keeping costs": markup.Markup(told)}))
    problems = refuse(details, wanted)
    for wrong in problems:
        st.html(markup.problem("would be refused", wrong.what, wrong.why, wrong.next_step, Tone.WAITING))
    if wanted.reserved == 0:
        st.html(
            note("Reserved 0 switches the function off: every call is refused until that is changed.", Tone.WAITING)
        )
    if not (one.is_kennels or one.is_sample):
        st.html(note("Kennel did not make this function, and does not change it."))
        return
    st.button(
        "Review",
        key="concurrency-review",
        type="primary",
        disabled=bool(problems) or wanted == of(details, wanted.qualifier),
        on_click=confirm.ask,
        args=(partial(_question, aws, one.name, wanted),),
        help="Shows the plan; nothing is set yet",
    )


def _question(aws: Aws, name: str, wanted: Concurrency) -> Question:
    details = state.function(aws, name).value
    return function_plan.question(aws, plan(details, wanted, account=aws.account, prices=state.prices()))


def _now(aws: Aws, name: str) -> None:
    with problem.shown("concurrency-now"):
        _set(state.function(aws, name).value)


def _set(details: Details) -> None:
    """What is set, and how much of it is there."""
    one, limits = details.function, details.limits
    rows = {
        "Reserved": "none: it shares with the others" if one.reserved is None else f"{one.reserved:,} at once",
        "Kept ready": "none: the first call starts cold" if not details.kept_ready else "",
    }
    if details.kept_ready:
        rows["Kept ready"] = "; ".join(
            f"{each.qualifier}: {each.ready} of {each.requested} ready"
            + ("" if each.status == "READY" else f" ({each.status.lower().replace('_', ' ')}) {each.reason}")
            for each in details.provisioned
        )
    for scaled in details.scaled:
        by = f" by the {scaled.statistic.lower()}" if scaled.statistic else ""
        target = f" at {percent(scaled.target)}{by}" if scaled.target is not None else ", without a target"
        rows[f"Scales {scaled.qualifier}"] = f"{scaled.minimum} to {scaled.maximum}{target}"
    if limits is not None:
        rows["The account"] = (
            f"{limits.total:,} at once in this region, {limits.unreserved:,} not reserved; {KEPT_FREE} must stay so"
        )
    st.html(facts(rows))
    if any(scaled.is_by_average for scaled in details.scaled):
        st.html(markup.Markup(f"{badge(Tone.WAITING, 'by the average')} {note(WHY_MAXIMUM)}"))
    for scaled in details.scaled:
        for happened in scaled.activities[:3]:
            st.html(note(happened))


def _arithmetic(aws: Aws, details: Details) -> None:
    """Invocations a minute and seconds each → how many at once; they begin with what was measured, and then stay."""
    name, span = details.function.name, looking.span()
    rate, took = f"little-rate-{name}", f"little-seconds-{name}"
    if rate not in st.session_state or took not in st.session_state:
        st.session_state[rate], st.session_state[took] = _measured(aws, name, span) or EXAMPLE
    first, second = st.columns(2)
    per_minute = first.number_input("Invocations a minute", 0.0, None, key=rate, format="%.2f")
    seconds = second.number_input("Seconds each", 0.001, 900.0, key=took, format="%.3f")
    mean, number = at_once(per_minute, seconds), enough(per_minute, seconds)
    st.html(
        note(
            f"{per_minute:g} a minute ÷ 60 × {seconds:g} s = {function_words.number(mean)} at once on average. They "
            f"come at random moments: with {number:,}, at most 1 in 100 finds none free (Erlang's loss formula)."
        )
    )


def _measured(aws: Aws, name: str, span: Span) -> tuple[float, float] | None:
    """Invocations a minute and seconds each over the span of the figures above; None where nobody called."""
    try:
        usage = state.function_usage(aws, name, span).value
    except KennelError:
        return None  # the head of the page says why
    took = usage.whole.get("duration")
    return (round(usage.per_minute, 2), max(0.001, round(took, 3))) if took and usage.invocations else None


def _cost(aws: Aws, details: Details, number: int) -> Decimal | None:
    """An hour of `number` kept ready."""
    one = details.function
    arm = one.architecture is Architecture.ARM
    return kept_ready_cost(
        state.prices(), aws.account.region, memory_mb=one.memory_mb, number=number, arm=arm, hours=Decimal(1)
    )
