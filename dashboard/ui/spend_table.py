"""Receipts as a table that adds up to the sum above it: paged, sorted, each row open to its lines, all of it as CSV."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import streamlit as st

from dashboard.core.costs.ledger.tuning_receipt import folded
from dashboard.core.costs.receipt import Nature, Receipt
from dashboard.core.costs.selection import Selection
from dashboard.core.format import count, duration
from dashboard.ui import chart, page, spend_words
from dashboard.ui.markup import Markup, escape, note
from dashboard.ui.page import Place
from dashboard.ui.table import local, zone

Rows = Sequence[tuple[Receipt, Decimal | None]]

ROWS = 25
OPEN, SHOWN, BACK = "receipts-open", "receipts-shown", "receipts-selection"


class Order(StrEnum):
    """What comes first."""

    COST = "cost"
    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"

    def apply(self, rows: Rows) -> Rows:
        """The rows in this order; `Ledger.of` gives them by cost."""
        match self:
            case Order.COST:
                return rows
            case Order.NEWEST:
                return sorted(rows, key=lambda row: row[0].started, reverse=True)
            case Order.OLDEST:
                return sorted(rows, key=lambda row: row[0].started)
            case Order.NAME:
                return sorted(rows, key=lambda row: row[0].name.casefold())


def show(rows: Rows, selection: Selection, at: datetime, beside: Mapping[str, str] | None = None) -> None:
    """One page of the table under its controls. `beside` goes into the address of what is opened from it.

    A tuning job is one row, which opens to its trials; the file has these.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", key="receipts-bar"):
        order = st.selectbox("Sort by", list(Order), key="sort", bind="query-params", width=132) or Order.COST
        chart.download(
            lambda: plain(rows, selection), f"kennel-{selection.nature}-{selection.period}.csv", "download-receipts"
        )
    held = Order(order).apply(folded(rows))
    pages = max(1, -(-len(held) // ROWS))
    number = min(pages, page.whole("p"))
    place = st.container(key="table-receipts")
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center", key="receipts-pages"):
            number = min(pages, st.pagination(pages, key="p", bind="query-params"))
            st.caption(f"{(number - 1) * ROWS + 1:,} to {min(number * ROWS, len(held)):,} of {len(held):,}")
    shown = held[(number - 1) * ROWS : number * ROWS]
    st.session_state[SHOWN] = tuple(receipt.key for receipt, _ in shown)
    st.session_state[BACK] = selection.query() | dict(beside or {})
    with place:
        st.dataframe(
            cells(shown, at, st.context.timezone),
            key="receipts",
            hide_index=True,
            placeholder="–",
            height="content",
            alt="Receipts of this selection; a click on a name opens its lines",
            column_config=columns(selection.nature, st.context.timezone),
        )
        st.html(printed(shown, len(held)))
        if lacking := spend_words.lacking(rows):
            st.html(note(f"Not in these sums, because unknown: {lacking}."))


def cells(rows: Rows, at: datetime, timezone: str | None) -> list[dict[str, Any]]:
    """One row a receipt; numbers underneath, so that a click on a header sorts. Marks that nobody has are left out."""
    has_project = any(receipt.project for receipt, _ in rows)
    has_owner = any(receipt.owner for receipt, _ in rows)
    return [
        {
            "Receipt": receipt.name,
            "Cost": None if amount is None else float(amount),
            "Service": receipt.service.value,
            "Status": receipt.status,
            "Instance": spend_words.instances(receipt),
            "Capacity": receipt.capacity,
            **({"Project": receipt.project} if has_project else {}),
            **({"Owner": receipt.owner} if has_owner else {}),
            "Started": local(receipt.started, timezone),
            "Lasted": "" if receipt.service.is_asked else duration(receipt.seconds),
            "Note": spend_words.row_note(receipt, amount),
        }
        for receipt, amount in rows
    ]


def columns(nature: Nature, timezone: str | None) -> dict[str, Any]:
    """How they look; a click on a name opens the receipt."""
    column = st.column_config
    return {
        "Receipt": column.ButtonColumn(
            "Receipt", pinned=True, width=190, alignment="left", type="tertiary", key=OPEN, on_click=_open
        ),
        "Cost": column.NumberColumn(f"Cost · {nature.word}", width=130, format="$%.4f", help=nature.note),
        "Service": column.TextColumn("Service", width=150),
        "Status": column.TextColumn("Status", width=90),
        "Instance": column.TextColumn("Instance", width=120),
        "Capacity": column.TextColumn("Capacity", width=84),
        "Started": column.DatetimeColumn(
            "Started", width=104, format="D MMM, HH:mm", help=f"Your time: {zone(timezone)}; sums are by UTC day"
        ),
        "Lasted": column.TextColumn("Lasted", width=96, help="From its start to its end, or until now"),
        "Note": column.TextColumn("Note"),
    }


def printed(rows: Rows, whole: int) -> Markup:
    """The same rows as a table for paper, where the other cannot scroll."""
    body = "".join(
        f"<tr><td>{escape(receipt.name)}</td><td>{escape(receipt.service.value)}</td>"
        f"<td>{escape(spend_words.instances(receipt))}</td><td>{receipt.started:%Y-%m-%d}</td>"
        f'<td class="kn-number">{spend_words.least(amount, is_least=receipt.is_least)}</td></tr>'
        for receipt, amount in rows
    )
    more = f"<caption>The first {len(rows)} of {count(whole, 'receipt')}</caption>" if whole > len(rows) else ""
    return Markup(
        f'<table class="kn-lines kn-on-paper">{more}<thead><tr><th>Receipt</th><th>Service</th><th>Instance</th>'
        f'<th>Started (UTC)</th><th class="kn-number">Cost</th></tr></thead><tbody>{body}</tbody></table>'
    )


def plain(rows: Rows, selection: Selection) -> list[dict[str, str]]:
    """Every receipt of the selection for a spreadsheet: amounts with all of their digits, empty where unknown."""
    return [
        {
            **_told(receipt, selection),
            "amount": "" if amount is None else f"{amount:f}",
            "currency": "USD",
            "amount_is": "unknown" if amount is None else "at least" if receipt.missing else "whole",
        }
        for receipt, amount in rows
    ]


def _told(receipt: Receipt, selection: Selection) -> Mapping[str, str]:
    return {
        "receipt": receipt.key,
        "name": receipt.name,
        "service": receipt.service.value,
        "money": receipt.nature.word,
        "first_day": str(selection.period.first),
        "last_day": str(selection.period.last),
        "status": receipt.status,
        "trial_of": receipt.parent,
        "project": receipt.project,
        "owner": receipt.owner,
        "platform": receipt.platform,
        "instance_type": receipt.instance_type,
        "instances": str(receipt.count),
        "capacity": receipt.capacity,
        "started": receipt.started.isoformat(timespec="seconds"),
        "ended": receipt.ended.isoformat(timespec="seconds") if receipt.ended else "",
        "unknown_because": "; ".join(f"{line.what}: {line.why_unknown}" for line in receipt.missing),
    }


def _open() -> None:
    click, shown = st.session_state.get(OPEN), st.session_state.get(SHOWN, ())
    if click and int(click["row"]) < len(shown):
        page.go(Place.RECEIPT, {"receipt": shown[int(click["row"])], **st.session_state.get(BACK, {})})
