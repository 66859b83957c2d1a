"""Runs as a table: filters that the address keeps, pages, and what can be done with the rows that are ticked."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.format import count
from dashboard.core.runs.listing import Listing
from dashboard.core.runs.model import Run
from dashboard.core.runs.window import Window
from dashboard.ui import empty, markup, page, pages, problem, run, run_actions, run_columns, run_selection, table, words
from dashboard.ui.page import Place
from dashboard.ui.run_filter import Asked, Kind, Order, matching
from dashboard.ui.tones import Tone

OPEN, SINCE = "runs-open", "since"
FILTERS = {
    Tone.RUNNING: "running",
    Tone.WAITING: "waiting",
    Tone.DONE: "completed",
    Tone.FAILED: "failed",
    Tone.STOPPED: "stopped",
}
KINDS = {Kind.SAGEMAKER: "SageMaker", Kind.EC2: "EC2", Kind.TUNING: "tuning", Kind.TRIAL: "trials"}
ROWS = 50
"""Rows on a page: a page of 10,000 would take seconds to send and to draw."""
LONG = 18


@dataclass(frozen=True)
class Sheet:
    """One page of the table: its rows, which page it is, and of how many runs."""

    rows: tuple[Run, ...]
    number: int
    pages: int


def full(aws: Aws) -> None:
    """The whole table; refreshed while something runs, and more often while it is still being read."""
    every = _every(state.listing(aws, _window()))
    st.fragment(_full, run_every=every, key="runs")(aws, every)


def _full(aws: Aws, every: int) -> None:
    with problem.shown("runs-live", title="Runs"):
        _draw(aws, every)


def _draw(aws: Aws, every: int) -> None:
    now = state.now()
    st.session_state[run_actions.TABLE] = dict(st.query_params)
    head = st.container()
    asked = _filters()
    seen = state.listing(aws, _window())
    cost = state.costs(aws)
    right = run.accuracy_among({one.key: one for one in seen.runs})
    shown = matching(seen.runs, asked, now, lambda one: cost(one).amount, right)
    with head:
        with st.container(horizontal=True, vertical_alignment="center", key="runs-head"):
            page.title("Runs", words.runs_sentence(seen, len(shown)), words.age(seen.at, now))
            st.space("stretch")
            pages.link(Place.TRAIN, "Train a model", ":material/add:")
        _reading(seen)
    if not seen.runs and seen.is_complete:
        _none_yet(seen)
    elif not shown:
        empty.show("filter", "No run fits the filter.", "Take a word or a choice away, or look further back.")
    else:
        _table(aws, seen, shown, asked)
    if _every(seen) != every:
        st.rerun()  # look more, or less, often from now on


def _every(seen: Listing) -> int:
    """Seconds until the table looks again: soon while it is being read, or what is shown is old."""
    if not seen.is_complete or state.now() - seen.at > words.STALE:
        return 1
    return 3 if seen.is_busy else 10


def _window() -> Window:
    """How far back the table goes. The address has it in words, as the field shows it, or short as in "24h"."""
    if (short := st.query_params.get(SINCE)) in set(Window):
        st.session_state[SINCE] = Window(short)
        del st.query_params[SINCE]  # the field writes its own words there
    chosen = st.session_state.get(SINCE) or st.query_params.get(SINCE)
    return next((window for window in Window if chosen in (window, window.word)), Window.WEEK)


def _reading(seen: Listing) -> None:
    """How far a first read is, and what could not be read."""
    if not seen.is_complete:
        of = f" of {count(seen.expected, 'run')}" if seen.expected else ""
        st.progress(seen.fraction, text=f"Reading: {len(seen.runs):,}{of}")
    for what, wrong in seen.problems.items():
        st.html(markup.note(f"{what} cannot be shown: {wrong}", Tone.WAITING))
    if seen.is_cut:
        st.html(markup.note(f"Only the newest {len(seen.runs):,} are shown: choose a shorter time.", Tone.WAITING))


def _none_yet(seen: Listing) -> None:
    if seen.window is Window.ALL:
        empty.show(
            "runs",
            "No run yet.",
            "Choose data, an instance and a limit; you see what it will cost before anything starts.",
            Place.TRAIN,
            "Train a model",
        )
    else:
        empty.show(
            "runs",
            f"No run in the last {seen.window.word}.",
            "Look further back, or choose data, an instance and a limit: you see the cost before anything starts.",
            Place.TRAIN,
            "Train a model",
        )


def _filters() -> Asked:
    """The filter, as the address has it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="run-filters"):
        text = st.text_input(
            "Search",
            key="q",
            bind="query-params",
            type="search",
            live=True,
            placeholder="Name, data, owner …",
            width=190,
        )
        tones = st.pills(
            "Status",
            list(FILTERS),
            format_func=FILTERS.__getitem__,
            selection_mode="multi",
            key="status",
            bind="query-params",
        )
        kinds = st.pills(
            "Kind",
            list(KINDS),
            format_func=KINDS.__getitem__,
            selection_mode="multi",
            key="kind",
            bind="query-params",
            help="Trials of a tuning job are shown when asked for; they also stand on its own page",
        )
        st.selectbox(
            "Since",
            list(Window),
            index=list(Window).index(Window.WEEK),
            format_func=lambda window: Window(window).word,
            key=SINCE,
            bind="query-params",
            width=112,
        )
        order = st.selectbox("Sort by", list(Order), key="sort", bind="query-params", width=132)
    return Asked(text or "", tuple(tones), tuple(kinds), order or Order.NEWEST)


def _table(aws: Aws, seen: Listing, shown: Sequence[Run], asked: Asked) -> None:
    """One page of rows with the actions of those that are ticked above it, and the way to other pages below."""
    actions, rows, foot = st.container(key="run-actions"), st.container(key="table-runs"), st.container()
    with foot:
        sheet = _sheet(shown)
    known = {one.key: one for one in seen.runs}
    held = run_selection.hold(sheet.rows, known, (asked, seen.window, sheet.number))
    curves = state.loss_curves(aws, held.rows)
    with rows:
        st.dataframe(
            run_columns.rows(
                held.rows, state.costs(aws), state.now(), st.context.timezone, curves, run.accuracy_among(known)
            ),
            key=held.key,
            hide_index=True,
            placeholder="–",
            height="content" if len(held.rows) <= LONG else 640,
            alt="Runs; tick rows to stop, compare, repeat or delete them",
            on_select="rerun",
            selection_mode="multi-row",
            column_config=run_columns.columns(held.rows, aws.account, st.context.timezone, OPEN, _open),
        )
    with actions:
        run_selection.actions(aws, held)


def _sheet(shown: Sequence[Run]) -> Sheet:
    pages = -(-len(shown) // ROWS)
    number = 1
    if pages > 1:
        page.whole("p")
        with st.container(horizontal=True, vertical_alignment="center", key="run-pages"):
            number = min(pages, st.pagination(pages, key="p", bind="query-params"))
            first = (number - 1) * ROWS
            last = min(first + ROWS, len(shown))
            st.caption(f"{first + 1:,} to {last:,} of {len(shown):,}")
    return Sheet(tuple(shown[(number - 1) * ROWS : number * ROWS]), number, pages)


def _open() -> None:
    if key := table.opened(OPEN, run_selection.shown()):
        page.go(Place.RUN, {"run": key})
