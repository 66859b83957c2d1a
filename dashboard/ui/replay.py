"""Replay: what the settings in the editor would do to traffic, beside what is set now, before anything is applied."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.serving.scaling import judge
from dashboard.core.serving.scaling.facts import Facts
from dashboard.core.serving.scaling.judge import Side
from dashboard.core.serving.scaling.policy import Settings
from dashboard.core.serving.scaling.recorded import Window
from dashboard.core.serving.scaling.replay import Delays, steady
from dashboard.core.serving.scaling.serving import Service
from dashboard.core.serving.scaling.traffic import Shape, Traffic, synthetic
from dashboard.ui import chart, figures_replay, page, problem, receipt, replay_assumptions
from dashboard.ui.markup import note

TRAFFIC, RATE = "replay-traffic", "replay-rate"
USUAL_RATE = 600
WORDS = {
    **{window.value: f"Last {window.value}" for window in Window},
    **{shape.value: shape.value.capitalize() for shape in Shape},
}


def section(aws: Aws, endpoint: str, variant: str, before: Settings | None, after: Settings) -> None:
    """The section of the page: choose traffic, see both settings run through it.

    before: what is set now, None without auto scaling; after: what the editor holds.
    """
    page.section("Replay", receipt.mark(aws.account))
    with problem.shown("replay"):
        known = state.replay_facts(aws, endpoint, variant).value
        chosen = st.segmented_control(
            "Traffic",
            list(WORDS),
            default=Shape.TRIPLING.value,
            format_func=WORDS.__getitem__,
            key=TRAFFIC,
            required=True,
        )
        traffic = _traffic(aws, endpoint, variant, chosen or Shape.TRIPLING.value)
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
        _show(_sides(before, after, traffic, service, delays, known), endpoint)


def _traffic(aws: Aws, endpoint: str, variant: str, chosen: str) -> Traffic:
    if chosen in Window._value2member_map_:
        return state.recorded_traffic(aws, endpoint, variant, Window(chosen)).value
    shape = Shape(chosen)
    rate = st.number_input(
        "Requests per minute" + (" in the busiest minute" if shape is Shape.DAILY else ""),
        min_value=1,
        max_value=1_000_000,
        value=USUAL_RATE,
        key=RATE,
        help=f"Made up: {shape.words}.",
        width=230,
    )
    return synthetic(shape, float(rate or USUAL_RATE), _begin(state.now()))


def _begin(now: datetime) -> datetime:
    """Midnight: scheduled actions happen at their time of a day, and the same question has the same answer all day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _sides(
    before: Settings | None, after: Settings, traffic: Traffic, service: Service, delays: Delays, known: Facts
) -> list[Side]:
    old = state.replayed(before or steady(known.instances), traffic, service, delays, known.instances)
    new = state.replayed(after, traffic, service, delays, known.instances)
    return [Side("now" if before else f"now, always {known.instances}", old), Side("after", new)]


def _show(sides: Sequence[Side], endpoint: str) -> None:
    before, after = sides
    is_dark = st.context.theme.type == "dark"
    chart.panel("replay", judge.sentence(before, after), figures_replay.figure(sides, is_dark=is_dark), "", alone=True)
    st.dataframe(judge.rows(sides), hide_index=True, key="replay-table", alt="Both settings on the same traffic")
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
    chart.download(lambda: judge.points(sides), f"{endpoint}-replay.csv", "download-replay", is_quiet=True)
