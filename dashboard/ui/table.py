"""Tables: cells as plain values, columns with their look, and which row was clicked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from dashboard.core.runs.model import Run, RunStatus
from dashboard.ui.tones import LOOKS, Tone, label

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


def clicked(key: str) -> str | None:
    """The label that was clicked in the column with this key, where each row has its own; inside its `on_click`."""
    click = st.session_state.get(key)
    return str(click["label"]) if click else None


def opened(key: str, shown: Sequence[str]) -> str | None:
    """Which of what is shown was clicked in the table whose column has this key; inside its `on_click`.

    Two runs of different kinds may have one name: the row, not the label, says which was meant.
    """
    click = st.session_state.get(key)
    if not click:
        return None
    row = int(click["row"])
    return shown[row] if row < len(shown) else None


def opening(name: str, key: str, on_open: Callable[[], None], width: int = 150) -> Any:
    """The first column: a name that opens its page; `on_open` asks `opened`."""
    return st.column_config.ButtonColumn(
        name, pinned=True, width=width, alignment="left", type="tertiary", key=key, on_click=on_open
    )


def states(name: str, looks: Iterable[tuple[str, str]], width: int = 112) -> Any:
    """A column of states, each a list of one word in the colour of its tone; looks: those that there are."""
    seen = sorted(set(looks))
    return st.column_config.MultiselectColumn(
        name,
        options=[text for _, text in seen],
        color=[LOOKS[Tone(tone)].colour for tone, _ in seen],
        width=width,
    )


def plain(rows: Iterable[Mapping[str, Any]], column: str = "State") -> list[dict[str, Any]]:
    """Rows for a file: what stands in the column of `states` is a text there."""
    return [{**row, column: row[column][0]} for row in rows]


def zone(timezone: str | None) -> tzinfo:
    """The reader's time zone by name; UTC when the browser tells none that this machine knows."""
    try:
        return ZoneInfo(timezone) if timezone else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def local(moment: datetime, timezone: str | None) -> datetime:
    """A moment on the reader's clock, without its zone."""
    return moment.astimezone(zone(timezone)).replace(tzinfo=None)
