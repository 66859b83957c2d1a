"""Tables of runs and of instance types: rows as plain values, columns with their unit and their look."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from dashboard.core.aws import Account
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quote import Quote
from dashboard.core.format import duration, money
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.model import Run
from dashboard.core.runs.plan import Candidate
from dashboard.ui.run import accuracy
from dashboard.ui.tones import LOOKS, Tone, label
from dashboard.ui.words import simulated


def status(run: Run) -> str:
    """A run's status as text with its shape: "✓ completed"."""
    return label(run.status.tone, run.status.word)


def run_rows(
    runs: Sequence[Run],
    prices: PriceBook,
    account: Account,
    now: datetime,
    timezone: str | None,
    curves: Mapping[str, Sequence[float]] | None = None,
) -> list[dict[str, Any]]:
    """One row a run; durations and money are numbers underneath, so that a click on the header sorts them.

    Times are the reader's, without a zone: the column's help names it. `curves`, when given, are drawn as small lines.
    """
    rows = []
    for run in runs:
        cost = run_cost(run, prices, account.region, now)
        rows.append(
            {
                "Run": run.name,
                "Status": [status(run)],
                "Data": run.dataset,
                "Instance": instances(run),
                "Created": local(run.created, timezone),
                "Duration": timedelta(seconds=round(run.elapsed(now))),
                "Cost": float(cost.amount) if cost.amount is not None else None,
                "Accuracy": None if (right := accuracy(run)) is None else right * 100,
                **({"Loss": list(curves.get(run.name, ())) or None} if curves is not None else {}),
                "Origin": "sample" if run.is_sample else "Kennel" if run.is_kennels else "elsewhere",
            }
        )
    return rows


def instances(run: Run) -> str:
    """ "ml.m5.large", or "2 × ml.m5.large"."""
    return run.instance_type if run.instance_count == 1 else f"{run.instance_count} × {run.instance_type}"


def run_columns(
    runs: Sequence[Run], account: Account, timezone: str | None, key: str, on_open: Callable[[], None]
) -> dict[str, Any]:
    """How the columns of `run_rows` look; a click on a run's name calls `on_open` (see `opened`)."""
    seen = sorted({(run.status.tone, status(run)) for run in runs})
    column = st.column_config
    return {
        "Run": column.ButtonColumn(
            "Run", pinned=True, width=205, alignment="left", type="tertiary", key=key, on_click=on_open
        ),
        "Status": column.MultiselectColumn(
            "Status",
            options=[text for _, text in seen],
            color=[LOOKS[Tone(tone)].colour for tone, _ in seen],
            width=150,
        ),
        "Data": column.TextColumn("Data"),
        "Instance": column.TextColumn("Instance"),
        "Created": column.DatetimeColumn("Created", format="D MMM, HH:mm:ss", help=f"Your time: {zone(timezone)}"),
        "Duration": column.NumberColumn("Duration", format="localized"),
        "Cost": column.NumberColumn(f"Cost{simulated(account)}", format="$%.4f", help="Billable seconds × list price"),
        "Accuracy": column.NumberColumn("Accuracy", format="%.1f %%", help="On the photos kept back for the test"),
        "Loss": column.LineChartColumn("Loss", y_min=0, width=110, help="Validation loss by epoch, from 0 up"),
        "Origin": column.TextColumn("Origin"),
    }


def opened(key: str) -> str | None:
    """The run whose name was clicked in the table whose column has this key; inside `on_open`."""
    click = st.session_state.get(key)
    return str(click["label"]) if click else None


def zone(timezone: str | None) -> tzinfo:
    """The reader's time zone by name; UTC when the browser tells none that this machine knows."""
    try:
        return ZoneInfo(timezone) if timezone else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def local(moment: datetime, timezone: str | None) -> datetime:
    """A moment on the reader's clock, without its zone."""
    return moment.astimezone(zone(timezone)).replace(tzinfo=None)


def candidate_rows(candidates: Sequence[Candidate], chosen: str) -> list[dict[str, Any]]:
    """One row an instance type, the chosen one marked."""
    return [
        {
            "Chosen": "●" if candidate.instance_type == chosen else "",
            "Instance": candidate.instance_type,
            "Price/h": _money(candidate.hourly),
            "vCPU": candidate.hardware.vcpu if candidate.hardware else None,
            "GiB": candidate.hardware.memory_gib if candidate.hardware else None,
            "Expected time": duration(candidate.expected.seconds),
            "Expected cost": _money(candidate.expected),
            "Worst case": _money(candidate.worst),
        }
        for candidate in candidates
    ]


def _money(quote: Quote) -> str:
    estimate = "≈ " if quote.is_estimate and quote.is_known else ""
    return estimate + money(quote.amount, quote.currency)
