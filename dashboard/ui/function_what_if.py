"""What if: a month with nothing kept, a ceiling, some kept ready, or as many as are needed; side by side."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import KennelError
from dashboard.core.format import money, percent
from dashboard.core.serving.functions.concurrency import HONEST, write_up
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.load import Load, Shape, shaped
from dashboard.core.serving.functions.model import LIVE, Architecture
from dashboard.core.serving.functions.scaled import Scaling
from dashboard.core.serving.functions.usage import Usage
from dashboard.core.serving.functions.what_if import (
    METHOD,
    Machine,
    Outcome,
    Setting,
    Way,
    break_even,
    break_even_share,
    costs,
    outcome,
)
from dashboard.core.serving.span import Span
from dashboard.ui import chart, figures_function, function_words, page, receipt, words
from dashboard.ui.markup import note

POINTS = 24
TYPED, MEASURED = "typed", "CloudWatch, last 24 hours"
NAMES = {
    Way.NONE: "Keeping none ready",
    Way.RESERVED: "A ceiling alone",
    Way.PROVISIONED: "Keeping some ready",
    Way.SCALED: "Keeping as many ready as are needed",
}
MONTHS = {730: "730 h, as most calculators count", 744: "744 h, a month of 31 days as Lambda's console counts"}


def show(aws: Aws, details: Details) -> None:
    """Left the load and the numbers, right the four ways, below where keeping begins to pay."""
    left, right = st.columns((7, 13), gap="medium")
    with left:
        page.section("The load")
        load = _load(aws, details)
        machine, settings = _settings(aws, details)
    found = [outcome(load, setting, machine, state.prices()) for setting in settings]
    with right:
        page.section("A month of it", receipt.of(_nature(aws, details)))
        st.html(note(finding(found)))
        st.dataframe(
            rows(found, aws),
            hide_index=True,
            key="table-what-if",
            placeholder="unknown",
            alt="A month of each way: cost, cold starts, throttles",
            column_config=_columns(aws, found),
        )
        chart.download(lambda: rows(found, aws), f"{details.function.name}-what-if.csv", "what-if-csv", is_quiet=True)
        st.html(note(f"{METHOD} Left out: a cold start occupies its environment longer; callers that ask again."))
    _costs(aws, load, machine, settings)
    st.html(note(f"{HONEST} {write_up(state.prices())}"))


def finding(found: Sequence[Outcome]) -> str:
    """What the four say in one sentence. One refuses nobody where less than half a call a month is expected to be."""
    known = [one for one in found if one.cost is not None and one.throttled < 0.5]
    if not known:
        return "None of them both answers every call and has a known price."
    cheapest = min(known, key=lambda one: one.cost or Decimal(0))
    warmest = min(known, key=lambda one: one.cold)
    said = f"{NAMES[cheapest.setting.way]} is the cheapest that refuses nobody: {money(cheapest.cost)}"
    if cheapest.cold - warmest.cold < 1:
        return f"{said}, and none of these starts fewer cold."
    more = (warmest.cost or Decimal(0)) - (cheapest.cost or Decimal(0))
    fewer = function_words.number(round(cheapest.cold - warmest.cold))
    return f"{said}. {NAMES[warmest.setting.way]} starts {fewer} fewer cold for {money(more)} more."


def rows(found: Sequence[Outcome], aws: Aws) -> list[dict[str, Any]]:
    """One row a way; figures are numbers underneath."""
    return [
        {
            "Way": name(one.setting),
            "Cost": None if one.cost is None else float(one.cost),
            "Kept": None if one.kept is None else float(one.kept),
            "Cold": round(one.cold, 1),
            "Cold share": one.cold_share * 100,
            "Refused": round(one.throttled, 1),
            "Refused share": one.throttled_share * 100,
            "Ready": round(one.ready, 2),
        }
        for one in found
    ]


def name(setting: Setting) -> str:
    """A way with its numbers."""
    if setting.way is Way.RESERVED:
        return f"reserved {setting.most:,}"
    if setting.way is Way.PROVISIONED:
        return f"provisioned {setting.ready}"
    if setting.way is Way.SCALED and setting.scaling:
        return f"provisioned {setting.scaling.minimum}–{setting.scaling.maximum}, scaled"
    return "none"


def _columns(aws: Aws, found: Sequence[Outcome]) -> dict[str, Any]:
    column = st.column_config
    is_small = any(one.cost is not None and one.cost < Decimal("0.1") for one in found)
    form = "$%.4f" if is_small else "$%.2f"
    money_word = words.simulated(aws.account)
    return {
        "Way": column.TextColumn("Way", width=146, pinned=True),
        "Cost": column.NumberColumn(f"A month{money_word}", format=form, width=134),
        "Kept": column.NumberColumn("kept ready", format=form, width=84),
        "Cold": column.NumberColumn("Cold starts", format="%.0f", width=80),
        "Cold share": column.NumberColumn("of calls", format="%.2f %%", width=70),
        "Refused": column.NumberColumn("Throttled", format="%.0f", width=78),
        "Refused share": column.NumberColumn("of calls ", format="%.1f %%", width=66),
        "Ready": column.NumberColumn("Ready", format="%.1f", width=54, help="Kept ready on average"),
    }


def _load(aws: Aws, details: Details) -> Load:
    """From CloudWatch where somebody called, else typed."""
    usage = _measured(aws, details)
    can_measure = usage is not None and usage.invocations > 0
    source = st.segmented_control(
        "Invocations from",
        [TYPED, MEASURED],
        default=MEASURED if can_measure else TYPED,
        required=True,
        key="what-if-source",
        disabled=not can_measure,
        help=None if can_measure else "Nobody called it in the last 24 hours, or CloudWatch could not be read",
    )
    first, second = st.columns(2)
    took = usage.whole.get("duration") if usage else None
    cold = second.number_input("A cold start adds (s)", 0.0, 60.0, 1.0, key="what-if-cold")
    seconds = first.number_input(
        "Seconds each", 0.001, 900.0, round(took, 3) if took else 0.2, format="%.3f", key="what-if-seconds"
    )
    if source == MEASURED and usage is not None:
        return Load(usage.minutes(state.now()), seconds, cold, MEASURED)
    first, second = st.columns(2)
    mean = first.number_input("Invocations a minute", 0.01, 100_000.0, 60.0, key="what-if-rate")
    chosen = second.selectbox(
        "Over the day", list(Shape), format_func=lambda one: Shape(one).value, key="what-if-shape"
    )
    shape = Shape(chosen or Shape.STEADY)
    st.html(note(f"{shape.value.capitalize()}: {shape.words}."))
    return Load(shaped(mean, shape), seconds, cold, TYPED)


def _measured(aws: Aws, details: Details) -> Usage | None:
    try:
        return state.function_usage(aws, details.function.name, Span.DAY).value
    except KennelError:
        return None  # the control says that nothing is measured, and the head of the page why


def _settings(aws: Aws, details: Details) -> tuple[Machine, list[Setting]]:
    page.section("The ways")
    one = details.function
    limit = details.limits.unreserved + (one.reserved or 0) if details.limits else 1000
    kept = details.provisioned_of(LIVE)
    first, second = st.columns(2)
    reserved = int(first.number_input("Reserved", 1, None, one.reserved or 5, key="what-if-reserved"))
    ready = int(
        second.number_input(
            "Provisioned", 1, None, kept.requested if kept and kept.requested else 2, key="what-if-ready"
        )
    )
    first, second, third = st.columns(3)
    minimum = int(first.number_input("Scaled from", 1, None, 1, key="what-if-min"))
    maximum = max(minimum, int(second.number_input("to", 1, None, max(10, ready), key="what-if-max")))
    target = int(third.number_input("Target (%)", 10, 90, 70, key="what-if-target"))
    hours = st.selectbox("A month is", list(MONTHS), format_func=lambda each: MONTHS[each], key="what-if-month")
    arm = one.architecture is Architecture.ARM
    machine = Machine(one.memory_mb, arm, aws.account.region, Decimal(hours))
    return machine, [
        Setting(Way.NONE, limit),
        Setting(Way.RESERVED, reserved),
        Setting(Way.PROVISIONED, max(limit, ready), ready),
        Setting(Way.SCALED, max(limit, maximum), 0, Scaling(minimum, maximum, target / 100)),
    ]


def _costs(aws: Aws, load: Load, machine: Machine, settings: Sequence[Setting]) -> None:
    """Where keeping begins to cost less than not keeping."""
    plain, kept = settings[0], settings[2]
    even = break_even(kept.ready, load.seconds, machine, state.prices())
    most = 1.6 * max(even or 0.0, load.mean, 1.0)
    rates = [most * place / POINTS for place in range(1, POINTS + 1)]
    without, ready = (
        costs(rates, one, load.seconds, load.cold_seconds, machine, state.prices()) for one in (plain, kept)
    )
    drawn = figures_function.costs(
        rates, without, ready, kept.ready, even, load.mean, is_dark=st.context.theme.type == "dark"
    )
    is_known = any(amount is not None for amount in (*without, *ready))
    chart.panel(
        "what-if-costs",
        figures_function.costs_finding(kept.ready, even, load.mean),
        drawn if is_known else None,
        "There is no price for it in the price book.",
        alone=True,
    )
    behind = [
        {"invocations per minute": rate, "none kept, USD a month": one, f"{kept.ready} kept ready, USD a month": other}
        for rate, one, other in zip(rates, without, ready, strict=True)
    ]
    chart.table(lambda: behind, "lambda-break-even.csv", "break-even-csv", "Cost of a month by invocations a minute")
    share = break_even_share(machine, state.prices())
    if share is not None:
        st.html(
            note(
                f"What runs in a ready environment has a lower duration price: keeping it pays once it is busy "
                f"{percent(share)} of the time. At steady calls; for warmth alone it may be worth it far below."
            )
        )


def _nature(aws: Aws, details: Details) -> Nature:
    return Nature.of(details.function.tags, is_embedded=aws.account.is_embedded)
