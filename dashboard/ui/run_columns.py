"""The table of runs: rows as plain values, columns with their unit and their look."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from dashboard.core.aws import Account
from dashboard.core.costs.quote import Quote
from dashboard.core.costs.receipt import Nature
from dashboard.core.runs.model import Run, RunKey, RunKind
from dashboard.ui import page
from dashboard.ui.page import Place
from dashboard.ui.run import accuracy, kind
from dashboard.ui.table import instances, local, opened, opening, states, status, zone
from dashboard.ui.words import money_of


def rows(
    runs: Sequence[Run],
    cost: Callable[[Run], Quote],
    now: datetime,
    timezone: str | None,
    curves: Mapping[str, Sequence[float]] | None = None,
    right: Callable[[Run], float | None] = accuracy,
) -> list[dict[str, Any]]:
    """One row a run; durations and money are numbers underneath, so that a click on the header sorts them.

    Times are the reader's, without a zone: the column's help names it. `curves` by key, when given, are drawn as
    small lines. `right` is a run's accuracy. Project and owner have a column where one of the runs has one.
    """
    has_project, has_owner = any(run.project for run in runs), any(run.owner for run in runs)
    made = []
    for run in runs:
        amount = cost(run).amount
        made.append(
            {
                "Run": run.name,
                "Status": [status(run)],
                "Cost": float(amount) if amount is not None else None,
                "Kind": kind(run),
                "Data": run.dataset,
                "Instance": instances(run),
                "Created": local(run.created, timezone),
                "Duration": timedelta(seconds=round(run.elapsed(now))),
                "Accuracy": None if (share := right(run)) is None else share * 100,
                **({"Loss": list(curves.get(run.key, ())) or None} if curves is not None else {}),
                **({"Project": run.project} if has_project else {}),
                **({"Owner": run.owner} if has_owner else {}),
                "Origin": origin(run),
            }
        )
    return made


def origin(run: Run) -> str:
    """Whose it is, in a word."""
    if run.is_sample:
        return "replayed" if run.is_replayed else "sample"
    if run.is_proof:
        return "proof"
    return "Kennel" if run.is_kennels else "elsewhere"


def columns(
    runs: Sequence[Run], account: Account, timezone: str | None, key: str, on_open: Callable[[], None]
) -> dict[str, Any]:
    """How the columns of `rows` look; a click on a run's name calls `on_open` (see `opened`)."""
    natures = {Nature.of(run.tags, is_embedded=account.is_embedded) for run in runs}
    column = st.column_config
    return {
        "Run": opening("Run", key, on_open),
        "Status": states("Status", ((run.status.tone, status(run)) for run in runs), 118),
        # Third, so that a phone shows it beside the name and the status.
        "Cost": column.NumberColumn(
            f"Cost{money_of(natures)}",
            width=110,
            alignment="left",
            format="$%.4f",
            help=f"Billable seconds × list price; empty where that price is not known{_mixed(natures)}",
        ),
        "Kind": column.TextColumn("Kind", width=152, help="◈ SageMaker, ▤ EC2"),
        "Data": column.TextColumn("Data", width=84),
        "Instance": column.TextColumn("Instance", width=114),
        "Created": column.DatetimeColumn(
            "Created", width=94, format="D MMM, HH:mm", help=f"Your time: {zone(timezone)}"
        ),
        "Duration": column.NumberColumn(
            "Duration",
            width=92,
            format="localized",
            help="From launch to end, waiting included; what is billed is on the run's page",
        ),
        "Accuracy": column.NumberColumn(
            "Accuracy",
            width=72,
            format="%.1f %%",
            help="On the photos kept back for the test; a tuning job's is that of its best trial",
        ),
        "Loss": column.LineChartColumn("Loss", y_min=0, width=70, help="Validation loss by epoch, from 0 up"),
        "Project": column.TextColumn("Project"),
        "Owner": column.TextColumn("Owner"),
        "Origin": column.TextColumn("Origin", width=66),
    }


def _mixed(natures: Collection[Nature]) -> str:
    """What sums of several natures in one column are."""
    own = next((nature.word for nature in natures if nature is not Nature.SAMPLE), "")
    return f"; a sample where Origin says sample or replayed, else {own}" if len(natures) > 1 else ""


def to_receipt(key: str, shown: Sequence[str]) -> None:
    """Open the receipt of the run whose cost was clicked, as `opened`; a tuning job's are those of its trials."""
    run = opened(key, shown)
    if run is None:
        return
    if RunKey.parse(run).kind is RunKind.TUNING:
        page.go(Place.RUN, {"run": run})
    page.go(Place.RECEIPT, {"receipt": f"run:{run}"})
