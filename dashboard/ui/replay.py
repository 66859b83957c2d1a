"""Replay: what the settings in the editor would do to traffic, beside what is set now, before anything is applied."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.format import percent
from dashboard.core.serving.scaling import judge
from dashboard.core.serving.scaling.facts import Facts, with_measured
from dashboard.core.serving.scaling.judge import Side
from dashboard.core.serving.scaling.policy import Settings
from dashboard.core.serving.scaling.recorded import Window
from dashboard.core.serving.scaling.replay import Delays, steady
from dashboard.core.serving.scaling.serving import Service
from dashboard.core.serving.scaling.traffic import Shape, Traffic, synthetic
from dashboard.ui import chart, figures_replay, page, problem, receipt, replay_assumptions, scaling, words
from dashboard.ui.markup import note

TRAFFIC, KNOWN = "replay-traffic", "replay-known"
USUAL = Shape.DAILY
BUSY = 0.7
WORDS = {
    Window.HOURS.value: "3 h",
    Window.DAY.value: "24 h",
    Window.WEEK.value: "7 d",
    **{shape.value: shape.value.capitalize() for shape in Shape},
}


def section(aws: Aws, endpoint: str, variant: str, before: Settings | None, after: Settings) -> None:
    """The section of the page: choose traffic, see both settings run through it.

    before: what is set now, None without auto scaling; after: what the editor holds.
    """
    of = state.scaling(aws, endpoint, variant).value.variant
    page.section("Replay", receipt.word_of(scaling.nature(of, aws.account)))
    with problem.shown("replay"):
        known = _known(aws, endpoint, variant)
        chosen = st.segmented_control(
            "Traffic: recorded lately, or made up",
            list(WORDS),
            default=USUAL.value,
            format_func=WORDS.__getitem__,
            key=TRAFFIC,
            required=True,
        )
        traffic = _traffic(aws, endpoint, variant, chosen or USUAL.value, known)
        service, delays = replay_assumptions.ask(aws, endpoint, variant, known)
        if not traffic.total:
            chart.panel(
                "replay",
                f"No request in {traffic.what}",
                None,
                "Replay made-up traffic, or come back when somebody has asked this endpoint.",
                alone=True,
            )
            return
        money = words.money_word(scaling.nature(of, aws.account))
        _show(_sides(before, after, traffic, service, delays, known), endpoint, money)


def _known(aws: Aws, endpoint: str, variant: str) -> Facts:
    """What is known, as it was when the page was opened: a latency that CloudWatch tells a little differently each
    minute would change figures while somebody reads them. Another sort of knowledge takes its place.
    """
    measured = state.measurements(aws, endpoint, variant)
    known = with_measured(state.replay_facts(aws, endpoint, variant).value, measured)
    facts = (known.latency, known.start, known.places)
    of = (endpoint, variant, known.config, known.instances, len(measured), *(one.is_assumed for one in facts))
    held: tuple[tuple[object, ...], Facts] | None = st.session_state.get(KNOWN)
    if held is None or held[0] != of:
        held = st.session_state[KNOWN] = (of, known)
    return held[1]


def _traffic(aws: Aws, endpoint: str, variant: str, chosen: str, known: Facts) -> Traffic:
    if chosen in Window._value2member_map_:
        return state.recorded_traffic(aws, endpoint, variant, Window(chosen)).value
    shape = Shape(chosen)
    usual = usual_rate(known)
    rate = st.number_input(
        "Requests per minute" + (" in the busiest minute" if shape is Shape.DAILY else ""),
        min_value=1,
        max_value=1_000_000,
        value=usual,
        key=f"replay-rate-{usual}",
        help=f"Made up: {shape.words}. It begins with what keeps one instance busy for {percent(BUSY)} of the time.",
        width=260,
    )
    return synthetic(shape, float(rate or usual), _begin(state.now()))


def usual_rate(known: Facts) -> int:
    """Requests a minute, to two digits, that keep one instance of this variant well busy and not more."""
    most = known.places.value / known.latency.value * 60 * BUSY
    return max(1, int(float(f"{min(most, 1_000_000):.2g}")))


def _begin(now: datetime) -> datetime:
    """Midnight: scheduled actions happen at their time of a day, and the same question has the same answer all day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _sides(
    before: Settings | None, after: Settings, traffic: Traffic, service: Service, delays: Delays, known: Facts
) -> list[Side]:
    old = state.replayed(before or steady(known.instances), traffic, service, delays, known.instances)
    new = state.replayed(after, traffic, service, delays, known.instances)
    return [Side("now" if before else f"now, always {known.instances}", old), Side("after", new)]


def _show(sides: Sequence[Side], endpoint: str, money: str) -> None:
    before, after = sides
    is_dark = st.context.theme.type == "dark"
    chart.panel("replay", judge.sentence(before, after), figures_replay.figure(sides, is_dark=is_dark), "", alone=True)
    st.dataframe(
        judge.rows(sides),
        hide_index=True,
        key="replay-table",
        placeholder="–",
        alt="Both settings on the same traffic",
        column_config=_columns(money),
    )
    st.html(
        note(
            "Late: answered after the limit in the assumptions. Failed: refused because the queue is full, or not "
            "answered within 60 s. Waits are for a place, the model's own time comes on top. A month is an estimate: "
            "the same traffic again and again."
        )
    )
    for line in after.replay.left_out:
        st.html(note(f"Not simulated: {line}."))
    with st.expander("What scales, and when", key="replay-activities"):
        for side in sides:
            said = judge.told(side.replay) or ["nothing changes"]
            st.html(note(f"{side.name}: {' · '.join(said)}"))
    told = "Both replays over time"
    chart.table(lambda: judge.points(sides), f"{endpoint}-replay.csv", "download-replay", told)


def _columns(money: str) -> dict[str, Any]:
    """How the columns of `judge.rows` look. money: the word of its nature, beside the columns that hold it."""
    column = st.column_config
    return {
        "policy": column.TextColumn("Settings", width=92),
        "late %": column.NumberColumn("Late", format="%.1f %%", width=60),
        "failed %": column.NumberColumn("Failed", format="%.1f %%", width=60),
        "wait p50 ms": column.NumberColumn(
            "p50, ms", format="localized", width=62, help="Half of the requests waited no longer"
        ),
        "wait p99 ms": column.NumberColumn(
            "p99, ms", format="localized", width=62, help="99 of 100 requests waited no longer"
        ),
        "most": column.NumberColumn("Instances", width=72, help="The most that served at once"),
        "hours": column.NumberColumn("Instance-h", format="%.1f", width=76, help="Instances × hours in service"),
        "USD": column.NumberColumn(f"Cost{money}", format="$%.2f", width=112, help="Of this traffic"),
        "USD a month": column.NumberColumn(
            "A month", format="$%.2f", width=78, help="The same traffic again and again"
        ),
    }
