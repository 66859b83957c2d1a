"""What a replay takes for granted, in fields that can be changed: each says where its number comes from."""

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.serving.scaling.facts import QUEUE, Facts
from dashboard.core.serving.scaling.replay import Delays
from dashboard.core.serving.scaling.serving import Service
from dashboard.ui.markup import note

LATE = 1000
"""Milliseconds after which an answer counts as late, until somebody says otherwise."""


def ask(aws: Aws, endpoint: str, variant: str, known: Facts) -> tuple[Service, Delays]:
    """The fields, folded away, filled with what is known of this variant.

    Each has the value that is known in its key: once that is another one, it is another field, and begins with it.
    """
    of = f"{endpoint}-{variant}"
    with st.expander(_title(known), key="replay-assumptions"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            latency = st.number_input(
                "One photo takes (ms)",
                0.1,
                60_000.0,
                round(known.latency.value * 1000, 1),
                key=f"replay-latency-{of}-{known.latency.value:.4f}",
                width=170,
            )
            places = st.number_input(
                "At once per instance",
                1,
                1000,
                round(known.places.value),
                key=f"replay-places-{of}-{known.places.value:g}",
                help="Photos that one instance works on at once at that speed. Measure finds it.",
                width=170,
            )
            queue = st.number_input(
                "Queue per instance",
                0,
                10_000,
                QUEUE,
                key=f"replay-queue-{of}",
                help="Photos that wait on an instance before it refuses more.",
                width=170,
            )
            late = st.number_input("Late after (ms)", 1, 60_000, LATE, key="replay-late", width=170)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            start = st.number_input(
                "An instance starts in (s)",
                0,
                3600,
                min(3600, round(known.start.value)),
                key=f"replay-start-{of}-{known.start.value:.0f}",
                width=170,
            )
            extra = st.number_input(
                "A metric is seen after (s)",
                0,
                600,
                None,
                key="replay-publication",
                placeholder="one period",
                help="From the end of a period (60 or 10 s) until its alarm has seen it. AWS publishes no figure; one "
                "more period is an assumption.",
                width=170,
            )
        st.html(
            note(f"One photo: {known.latency.source}. At once: {known.places.source}. Start: {known.start.source}.")
        )
        if aws.account.time_scale > 1:
            st.html(note(f"Waits here go {aws.account.time_scale:g} times faster than on AWS; a replay has AWS's own."))
    service = Service(float(latency) / 1000, int(places), int(queue), float(late) / 1000, known.hourly)
    return service, Delays(None if extra is None else float(extra), float(start))


def _title(known: Facts) -> str:
    assumed = [
        name
        for name, fact in (("latency", known.latency), ("places", known.places), ("start", known.start))
        if fact.is_assumed
    ]
    return f"Assumptions (not measured: {', '.join(assumed)})" if assumed else "Assumptions, all of them measured"
