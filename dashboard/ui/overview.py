"""Overview's parts, made from what core says about the account."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from html import escape

import streamlit as st

from dashboard import morning_readings, state
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import KennelError
from dashboard.core.format import count, duration, percent
from dashboard.core.overview import ENDPOINTS, Overview
from dashboard.core.runs import remaining
from dashboard.core.runs.model import Run
from dashboard.core.runs.remaining import Left
from dashboard.core.serving.health import Answering, Health, answering
from dashboard.ui import empty, endpoint, page, problem, receipt, run_columns, table, unread
from dashboard.ui.endpoint_words import milliseconds, per_minute
from dashboard.ui.markup import badge
from dashboard.ui.overview_figures import MINUTES
from dashboard.ui.page import Place
from dashboard.ui.run import accuracy_among

RECENT = 8
MOST_LOGS = 6
"""Logs of running runs that are read on at each look, the newest: of others the launch's expectation tells."""
OPEN, SHOWN = "recent-runs-open", "recent-runs-shown"


def health(aws: Aws, seen: Overview) -> dict[str, Answering]:
    """How each endpoint answers, by name; not measured where metrics may not be read."""
    serving = seen.serving
    try:
        traffic = state.brief_traffic(aws, serving).value if serving else {}
    except KennelError:  # the page of Endpoints says why
        return {one.name: answering(one, None) for one in seen.endpoints}
    return {one.name: answering(one, traffic.get(one.name, ())) for one in seen.endpoints}


def times_left(aws: Aws, runs: tuple[Run, ...], now: datetime) -> dict[str, Left]:
    """What is left of each running run, by key, where anything tells."""
    told = [one.key for one in runs if not one.is_tuning and not one.is_replayed]
    tails = morning_readings.tails(aws, told[:MOST_LOGS])
    found = {}
    for one in runs:
        tail = tails.get(one.key)
        lines = tail.lines if tail is not None else ()
        known = remaining.left(one, now, tail.progress if tail is not None else None, lines[-1].time if lines else None)
        if known is not None:
            found[one.key] = known
    return found


def there(aws: Aws, seen: Overview, left: Mapping[str, Left], answers: Mapping[str, Answering], now: datetime) -> None:
    """What runs and what serves."""
    page.section("Running now")
    with st.container(border=True, key="panel-running", gap=None):
        running(aws, seen.running, left, now)
        unread.show("Not read", [one for one in seen.unread if one.what != ENDPOINTS], "overview")
    page.section("Endpoints")
    with st.container(border=True, key="panel-endpoints", gap=None):
        why = seen.why_unread(ENDPOINTS)
        if why is not None:
            problem.card(why, "endpoints-unread")
        else:
            endpoints(aws, seen, answers, now)


def running(aws: Aws, runs: tuple[Run, ...], left: Mapping[str, Left], now: datetime) -> None:
    """The runs that go on, each with its stage, time left and cost so far."""
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
            st.html(run_line(run, aws, left.get(run.key), now))
            st.page_link(Place.RUN, label="Watch", query_params={"run": run.key}, help=f"Watch {run.name}")


def run_line(run: Run, aws: Aws, left: Left | None, now: datetime) -> str:
    """The text of a running run."""
    cost = state.cost(aws, run)
    nature = Nature.of(run.tags, is_embedded=aws.account.is_embedded)
    spent = receipt.marked(f"{receipt.amount(cost)} so far", nature) if cost.is_known else "cost unknown"
    ends = f'<strong title="{escape(left.basis)}">{escape(left.words)}</strong> · ' if left is not None else ""
    told = f"{ends}{escape(table.instances(run))} · for {duration(run.elapsed(now))} · {spent}"
    return (
        f'<div class="kn-row"><p><strong>{escape(run.name)}</strong> {badge(run.status.tone, run.status.word)}</p>'
        f'<p class="kn-note">{told}</p></div>'
    )


def endpoints(aws: Aws, seen: Overview, answers: Mapping[str, Answering], now: datetime) -> None:
    """Every endpoint with its health, its price and its actions."""
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
        endpoint.row(aws, one, now, health_words(answers.get(one.name)))


def health_words(found: Answering | None) -> str:
    """ "answers 42/min, p90 21 ms", "nobody asked in 15 min"; "" where there is nothing to say beside the status."""
    if found is None or found.health in (Health.DOWN, Health.CHANGING):
        return ""
    if found.health is Health.FAILING:
        return (
            f"fails {percent(found.share, 1 if found.share < 0.1 else 0)} of {count(round(found.requests), 'request')}"
        )
    if found.health is Health.IDLE:
        return f"nobody asked in {MINUTES:.0f} min"
    if found.health is Health.UNKNOWN:
        return "requests not measured"
    return f"answers {per_minute(found.requests / MINUTES)}, p90 {milliseconds(found.p90)}"


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
    page.section("Recent runs")
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
