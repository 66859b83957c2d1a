"""Rows as a table for paper, where the one on the screen cannot scroll: every column is there. Pure.

On the screen it is hidden; see `kn-on-paper` in kennel.css.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from dashboard.core.format import count, duration
from dashboard.ui.markup import Markup, escape

MOST = 40
"""Rows that are printed; more are in the file."""
NOTHING = "–"


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> Markup:
    """`columns`: how each is written, by its heading: a format of its value such as "${:.4f}", or "" for as it is."""
    head = "".join(f"<th{_side(form)}>{escape(name)}</th>" for name, form in columns.items())
    body = "".join(
        "<tr>"
        + "".join(f"<td{_side(form)}>{escape(cell(row.get(name), form))}</td>" for name, form in columns.items())
        + "</tr>"
        for row in rows[:MOST]
    )
    more = f"<caption>The first {MOST} of {count(len(rows), 'row')}</caption>" if len(rows) > MOST else ""
    return Markup(
        f'<table class="kn-lines kn-on-paper">{more}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def cell(value: Any, form: str) -> str:
    """One value as it is read: "1 h 28 min" for a duration, a dash for what is not there."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, timedelta):
        return duration(value.total_seconds())
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return form.format(value) if form else str(value)


def _side(form: str) -> str:
    return ' class="kn-number"' if form else ""
