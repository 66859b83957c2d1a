"""Runs as a table with search and filter, and as the narrow list beside one run."""

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.runs.model import Run
from dashboard.ui import empty, page, problem, run, table, words
from dashboard.ui.page import Place
from dashboard.ui.tones import LOOKS, Tone

OPEN, OPEN_NARROW = "runs-open", "runs-open-narrow"
FILTERS = {
    Tone.RUNNING: "running",
    Tone.WAITING: "waiting",
    Tone.DONE: "completed",
    Tone.FAILED: "failed",
    Tone.STOPPED: "stopped",
}
NARROW = 20
LONG = 18
MARK = "→ "


def full(aws: Aws) -> None:
    """The whole table; refreshed while something runs."""
    is_busy = any(one.status.is_active for one in state.runs(aws).value)
    st.fragment(_full, run_every=3 if is_busy else 10, key="runs")(aws, is_busy)


def _full(aws: Aws, was_busy: bool) -> None:
    with problem.shown("runs-live", title="Runs"):
        _draw(aws, was_busy)


def _draw(aws: Aws, was_busy: bool) -> None:
    now = state.now()
    reading = state.runs(aws)
    head = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", key="run-filters"):
        text = st.text_input(
            "Search",
            key="q",
            bind="query-params",
            type="search",
            live=True,
            placeholder="Name, data or instance",
            width=320,
        )
        tones = st.pills(
            "Status",
            list(FILTERS),
            format_func=FILTERS.__getitem__,
            selection_mode="multi",
            key="status",
            bind="query-params",
        )
        st.space("stretch")
        st.page_link(Place.TRAIN, label="Train a model", icon=":material/add:")
    shown = run.matching(reading.value, text or "", list(tones))
    with head:
        page.title("Runs", words.runs_sentence(reading.value, len(shown)), words.age(reading.at, now))
    if not reading.value:
        empty.show(
            "runs",
            "No run yet.",
            "Choose data, an instance and a limit; you see what it will cost before anything starts.",
            Place.TRAIN,
            "Train a model",
        )
    elif not shown:
        empty.show("filter", "No run fits the filter.", "Take a word or a status away.")
    else:
        st.container(key="table-runs").dataframe(
            table.run_rows(shown, state.prices(), aws.account, now, st.context.timezone, state.loss_curves(aws, shown)),
            key="runs-table",
            hide_index=True,
            placeholder="–",
            height="content" if len(shown) <= LONG else 640,
            alt="Training runs, newest first",
            column_config=table.run_columns(shown, aws.account, st.context.timezone, OPEN, _open),
        )
    if any(one.status.is_active for one in reading.value) != was_busy:
        st.rerun()


def narrow(aws: Aws, chosen: str) -> None:
    """The newest runs beside the one that is open; looked at again while something runs."""
    is_busy = any(one.status.is_active for one in state.runs(aws).value[:NARROW])
    st.fragment(_narrow, run_every=2 if is_busy else 10, key="run-side-live")(aws, chosen)


def _narrow(aws: Aws, chosen: str) -> None:
    with problem.shown("run-side"), st.container(key="run-side"):
        runs: tuple[Run, ...] = state.runs(aws).value[:NARROW]
        st.dataframe(
            [
                {"State": LOOKS[Tone(one.status.tone)].shape, "Run": f"{MARK if one.name == chosen else ''}{one.name}"}
                for one in runs
            ],
            key="runs-narrow",
            hide_index=True,
            alt="The newest runs; the open one is marked",
            height="content",
            column_config={
                "State": st.column_config.TextColumn("State", width=48, alignment="center"),
                "Run": st.column_config.ButtonColumn(
                    "Run", alignment="left", type="tertiary", key=OPEN_NARROW, on_click=_open_narrow
                ),
            },
        )


def back() -> None:
    """The way from one run to all of them; the address loses its ?run= with it."""
    st.button("All runs", key="all-runs", type="tertiary", icon=":material/arrow_back:", on_click=_close)


def _close() -> None:
    st.query_params.pop("run", None)


def _open() -> None:
    if name := table.opened(OPEN):
        page.go(Place.RUNS, {"run": name.removeprefix(MARK)})


def _open_narrow() -> None:
    if name := table.opened(OPEN_NARROW):
        page.go(Place.RUNS, {"run": name.removeprefix(MARK)})
