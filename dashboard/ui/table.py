"""Tables of runs: rows as plain values, columns with their unit and their look."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from dashboard.core.runs.model import Run, RunStatus
from dashboard.ui.tones import label

SHORT = {
    RunStatus.PENDING: "waiting",
    RunStatus.UPLOADING: "saving model",
    RunStatus.OUT_OF_TIME: "out of time",
    RunStatus.OUT_OF_WAIT: "no capacity",
    RunStatus.RECLAIMED: "taken back",
}
"""Words that fit into a table's cell; a run's own page has them in full."""


def status(run: Run) -> str:
    """A run's status as text with its shape: "✓ completed"."""
    return label(run.status.tone, SHORT.get(run.status, run.status.word))


def instances(run: Run) -> str:
    """ "ml.m5.large", or "2 × ml.m5.large"."""
    return run.instance_type if run.instance_count == 1 else f"{run.instance_count} × {run.instance_type}"


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
