"""Is anything wrong, what is running, and what does it cost?"""

import streamlit as st

from dashboard import state
from dashboard.core.overview import Overview
from dashboard.ui import (
    attention,
    first_steps,
    month,
    overview,
    overview_figures,
    page,
    problem,
    recent_deeds,
    strip,
    words,
)

aws = state.connection()


def wants_often(seen: Overview) -> bool:
    """Whether what is shown will soon be otherwise."""
    return bool(seen.running) or attention.is_reading(aws) or first_steps.is_behind(aws, seen, state.now())


is_busy = wants_often(state.overview(aws).value)


@st.fragment(run_every=2 if is_busy else 6, key="overview")
def live() -> None:
    with problem.shown("live", title="Overview"):
        now = state.now()
        reading = state.overview(aws)
        ledger = state.ledger(aws).value
        answers = overview.health(aws, reading.value)
        left = overview.times_left(aws, reading.value.running, now)
        seen = attention.everything(aws, reading.value, ledger, answers, now)
        page.title("Overview", words.overview_sentence(seen), words.age(reading.at, now))
        today, standing = overview_figures.today(seen, ledger, aws.account, now), state.posture_so_far(aws)
        strip.show(overview_figures.figures(seen, today, month.figure(aws, ledger, now), standing, answers, left, now))
        steps = first_steps.ahead(aws, seen)
        has_begun = steps == () or not seen.is_empty  # before, the steps say what to do
        with st.container(key="first-steps"):  # there without them too: what follows keeps its place, and its focus
            first_steps.show(steps or (), first_steps.needed(seen))
        main, beside = st.columns((6, 5), gap="medium")
        with main:
            page.section("Needs attention")
            with st.container(border=True, key="panel-attention", gap=None):
                attention.show(aws, seen.attention, is_reading=attention.is_reading(aws))
        with beside, st.container(key="there"):
            if has_begun:
                overview.there(aws, seen, left, answers, now)
        with main if has_begun else beside:
            page.section("Recent activity")
            with st.container(border=True, key="panel-activity", gap=None):
                recent_deeds.show(aws, now)
        if has_begun:
            overview.recent(aws, seen.runs, now)
        if wants_often(reading.value) != is_busy:
            st.rerun()  # look more, or less, often from now on


live()
