"""What will this cost and how long will it take? ?like= fills the form from an earlier run."""

from collections.abc import Sequence

import streamlit as st

from dashboard import state
from dashboard.core.data import Dataset
from dashboard.core.format import count
from dashboard.core.runs.listing import Window
from dashboard.ui import (
    as_code,
    candidates,
    checks,
    empty,
    launch,
    markup,
    page,
    problem,
    quote,
    train_form,
    train_link,
)
from dashboard.ui.tones import Tone
from dashboard.ui.train_more import Choices

aws = state.connection()
simulates = aws.account.is_embedded
head = st.container()


def whole() -> tuple[Dataset, ...]:
    """The datasets without those that are still being drawn."""
    return tuple(one for one in state.datasets(aws).value if one.is_whole)


@st.fragment(run_every=3, key="waiting-data")
def wait() -> None:
    """Until there is data: look again, and open the form by itself."""
    with problem.shown("waiting-data"):
        if whole():
            st.rerun()
        if drawn := state.datasets(aws).value:
            so_far = ", ".join(f"{one.name}, {count(one.photos, 'photo')} so far" for one in drawn)
            told = f"A small sample is still being drawn: {so_far}.", "Once it is whole, this page opens by itself."
        else:
            drawing = "A small sample dataset is being drawn there now: then this page opens by itself."
            told = (
                "No dataset in this account yet.",
                f"Put photos below s3://{aws.account.bucket}/datasets/NAME/train/BREED/ (and valid/, test/). "
                f"{drawing if state.is_filling(aws) else ''}",
            )
        empty.show("datasets", *told)


@st.fragment(run_every=3, key="mending-data")
def look_again(seen: Sequence[Dataset]) -> None:
    """While a dataset cannot be trained on: see whether somebody has put right what is wrong with it."""
    with problem.shown("mending-data"):
        if whole() != seen:
            st.rerun()


with problem.shown(title="Train"):
    datasets = whole()
    seen = state.listing(aws, Window.MONTH)
    past_runs = seen.runs
    if not datasets:
        with head:
            drawing = bool(state.datasets(aws).value)
            page.title("Train", "the data is still being drawn" if drawing else "there is no data to train on yet")
        wait()
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
            for what, why in seen.problems.items():
                said = f"{what} cannot be read, so that the time they took is not in what is expected: {why}"
                st.html(markup.note(markup.sentence(said), Tone.WAITING))
        if plan:
            checks.panel(plan.checks)
        candidates.show(launch.candidates(aws, filled, past_runs, around), aws.account)
    if drawn.dataset.problem:
        look_again(datasets)
    if plan:
        with st.expander("Show as code", key="train-code"):
            as_code.tabs(plan.code, "train-code-tabs")
