"""The data to train on: waited for, looked at again, and what past runs of it could not be read."""

from collections.abc import Sequence

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.data.datasets import Dataset
from dashboard.core.format import count
from dashboard.core.runs.listing import Listing
from dashboard.ui import empty, markup, problem, setup_first
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone


def whole(aws: Aws) -> tuple[Dataset, ...]:
    """The datasets without those that are still being drawn."""
    return tuple(one for one in state.datasets(aws).value if one.is_whole)


@st.fragment(run_every=3, key="waiting-data")
def wait(aws: Aws, *, is_drawing: bool) -> None:
    """Until there is data: look again, and open the form by itself. `is_drawing`: the page says that it is drawn."""
    with problem.shown("waiting-data"):
        drawn = state.datasets(aws).value
        if whole(aws) or bool(drawn) is not is_drawing:
            st.rerun()
        if not drawn and setup_first.is_needed(aws):
            setup_first.show(aws, "datasets")
            return
        if drawn:
            so_far = ", ".join(f"{one.name}, {count(one.photos, 'photo')} so far" for one in drawn)
            told = f"A small sample is still being drawn: {so_far}.", "Once it is whole, this page opens by itself."
        else:
            drawing = " A small sample is being drawn there now: then this page opens by itself."
            told = (
                "No data set in this account yet.",
                "Data takes a folder or a zip of photos, one folder for each class, and puts them below "
                f"s3://{aws.account.bucket}/datasets/."
                f"{drawing if state.is_filling(aws) else ''}",
            )
        empty.show("datasets", *told, Place.DATA, "Add photos")


@st.fragment(run_every=3, key="mending-data")
def look_again(aws: Aws, seen: Sequence[Dataset]) -> None:
    """While a dataset cannot be trained on: see whether somebody has put right what is wrong with it."""
    with problem.shown("mending-data"):
        if whole(aws) != seen:
            st.rerun()


def unread(seen: Listing) -> None:
    """Which past runs are missing from what is expected of this one, and why."""
    for what, why in seen.problems.items():
        said = f"{what} cannot be read, so that the time they took is not in what is expected: {why}"
        st.html(markup.note(markup.sentence(said), Tone.WAITING))
