"""Overview's parts, made from what core says about the account."""

from datetime import datetime, timedelta
from functools import partial
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.format import count, duration, money
from dashboard.core.overview import Overview
from dashboard.core.runs.model import Run
from dashboard.ui import attention, empty, endpoint, page, receipt, run_columns, table
from dashboard.ui.markup import badge
from dashboard.ui.page import Place
from dashboard.ui.run import accuracy_among
from dashboard.ui.strip import Figure

RECENT = 8
DAY = timedelta(days=1)
OPEN, SHOWN = "recent-runs-open", "recent-runs-shown"


def figures(seen: Overview, month: Figure, account: Account, now: datetime) -> list[Figure]:
    """The strip: what runs, what serves, what it costs, what needs a look."""
    serving = len(seen.serving)
    ended = sum(run.ended is not None and now - run.ended < DAY for run in seen.runs if not run.parent)
    return [
        Figure(
            "running",
            "Running now",
            count(len(seen.running), "run"),
            f"{count(ended, 'run')} ended since yesterday",
            Place.RUNS,
            "Open runs",
        ),
        Figure(
            "serving",
            "Serving",
            count(serving, "endpoint"),
            on_the_way(seen),
            Place.CLASSIFY if serving else None,
            "Classify a photo",
        ),
        hourly(seen, account),
        month,
        attention.figure(seen),
    ]


def hourly(seen: Overview, account: Account) -> Figure:
    """What everything that is there costs an hour: the account's own, or the sample's while there is nothing else."""
    sample = seen.sample_per_hour
    is_sample = bool(sample) and not seen.per_hour and not seen.unpriced
    amount = sample if is_sample else seen.per_hour
    parts = [f"{money(amount * 24, seen.currency)} a day if nothing changes"]
    if seen.unpriced:
        parts.append(f"{seen.unpriced} without a price")
    if sample and not is_sample:
        parts.append(f"the sample's {money(sample, seen.currency)}/h apart")
    nature = Nature.SAMPLE if is_sample else Nature.of({}, is_embedded=account.is_embedded)
    value = f"{money(amount, seen.currency)}/h"
    return Figure("hourly", "Cost now", value, ", ".join(parts), mark=receipt.of(nature))


def on_the_way(seen: Overview) -> str:
    """What will serve soon, and what soon will be gone: "1 more on the way, 2 being deleted"."""
    coming = sum(e.status.is_coming for e in seen.endpoints)
    going = sum(e.status.is_going for e in seen.endpoints)
    parts = [f"{coming} more on the way" if coming else "", f"{going} being deleted" if going else ""]
    return ", ".join(part for part in parts if part) or "none on the way"


def running(aws: Aws, runs: tuple[Run, ...], now: datetime) -> None:
    """The runs that go on, each with its stage, time and cost so far."""
    if not runs:
        empty.show(
            "running",
            "Nothing is running.",
            "A training appears here while it runs.",
            Place.TRAIN,
            "Train a model",
            framed=False,
        )
    for run in runs:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-run-{run.name}"):
            st.html(run_line(run, aws, now))
            st.page_link(Place.RUN, label="Watch", query_params={"run": run.key})


def run_line(run: Run, aws: Aws, now: datetime) -> str:
    """The text of a running run."""
    cost = state.cost(aws, run)
    nature = Nature.of(run.tags, is_embedded=aws.account.is_embedded)
    spent = receipt.marked(f"{receipt.amount(cost)} so far", nature) if cost.is_known else "cost unknown"
    return (
        f'<div class="kn-row"><p><strong>{escape(run.name)}</strong> {badge(run.status.tone, run.status.word)}</p>'
        f'<p class="kn-note">{escape(table.instances(run))} · for {duration(run.elapsed(now))} · {spent}</p></div>'
    )


def endpoints(aws: Aws, seen: Overview, now: datetime) -> None:
    """Every endpoint with its price and its actions."""
    if not seen.endpoints:
        empty.show(
            "endpoints",
            "No endpoint yet.",
            "An endpoint answers photos. Train a model, then deploy it from its page.",
            Place.RUNS,
            "Choose a run to deploy",
            framed=False,
        )
    for one in seen.endpoints:
        endpoint.row(aws, one, now)


def recent(aws: Aws, runs: tuple[Run, ...], now: datetime) -> None:
    """The newest runs as a table; a click on a name opens the run."""
    if not runs:
        empty.show(
            "runs",
            "No run yet.",
            "Choose data, an instance and a limit; you see what it will cost before anything starts.",
            Place.TRAIN,
            "Train a model",
        )
        return
    newest = [run for run in runs if not run.parent][:RECENT]
    st.session_state[SHOWN] = tuple(run.key for run in newest)
    right = accuracy_among({run.key: run for run in runs})
    st.container(key="table-recent").dataframe(
        run_columns.rows(newest, partial(state.cost, aws), now, st.context.timezone, right=right),
        key="recent-runs",
        hide_index=True,
        placeholder="–",
        alt="The newest runs",
        column_config=run_columns.columns(newest, aws.account, st.context.timezone, OPEN, _open),
    )


def _open() -> None:
    if key := table.opened(OPEN, st.session_state.get(SHOWN, ())):
        page.go(Place.RUN, {"run": key})
