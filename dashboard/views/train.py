"""What will this cost and how long will it take? ?like= fills the form from an earlier run."""

import streamlit as st

from dashboard import state
from dashboard.core.runs.listing import Window
from dashboard.ui import (
    as_code,
    candidates,
    checks,
    launch,
    page,
    problem,
    quote,
    train_data,
    train_form,
    train_link,
)
from dashboard.ui.train_more import Choices

aws = state.connection()
simulates = aws.account.is_embedded
head = st.container()

with problem.shown(title="Train"):
    datasets = train_data.whole(aws)
    seen = state.listing(aws, Window.MONTH)
    past_runs = seen.runs
    if not datasets:
        is_drawing = bool(state.datasets(aws).value)
        with head:
            page.title("Train", "the data is still being drawn" if is_drawing else "there is no data to train on yet")
        train_data.wait(aws, is_drawing=is_drawing)
        st.stop()
    train_link.follow(aws, datasets, past_runs)
    left, right = st.columns((5, 8), gap="medium")
    with left, st.container(border=True, key="panel-form"):
        page.section("Training")
        drawn = train_form.show(datasets, simulates=simulates)
    around = state.surroundings(aws, drawn.spec).value
    filled = train_form.complete(drawn, past_runs, Choices.of(around), simulates=simulates)
    plan, wrong = launch.planned(aws, filled, past_runs, around)
    with head:
        page.title("Train", quote.title_sentence(plan, aws.account))
    with right:
        with st.container(border=True, key="panel-quote"):
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                page.section("What it costs")
                launch.button(aws, plan, past_runs)
            quote.show(plan, wrong, aws.account)
            train_data.unread(seen)
        if plan:
            checks.panel(plan.checks)
        candidates.show(launch.candidates(aws, filled, past_runs, around), aws.account)
    if drawn.dataset.problem:
        train_data.look_again(aws, datasets)
    if plan:
        with st.expander("Show as code", key="train-code"):
            as_code.tabs(plan.code, "train-code-tabs")
