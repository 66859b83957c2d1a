"""The instance types that could run a training, as a table; a click on one takes it."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import streamlit as st

from dashboard.core.aws import Account
from dashboard.core.costs import money_note
from dashboard.core.costs.quote import Quote
from dashboard.core.format import duration, money, rate
from dashboard.core.runs.candidates import Candidate
from dashboard.ui import page, receipt, table
from dashboard.ui import train_fields as fields
from dashboard.ui.markup import note

CHOOSE = "candidates-choose"
MANY = 10
"""USD from which on parts of a cent say nothing."""


def show(rows: Sequence[Candidate], account: Account) -> None:
    """The table, cheapest first, the chosen one marked."""
    page.section("Instance types", receipt.label(account))
    column = st.column_config
    narrow = 92 if any(row.spot for row in rows) else 112  # EC2's names are shorter, and its spot price needs the room
    why = money_note(is_embedded=account.is_embedded)
    st.container(key="table-candidates").dataframe(
        as_rows(rows),
        key="candidates",
        hide_index=True,
        placeholder="–",
        height="content",
        alt="Instance types that could run this training, cheapest first",
        column_config={
            "Chosen": column.TextColumn("Chosen", pinned=True, width=56, alignment="center"),
            "Instance": column.ButtonColumn(
                "Instance", pinned=True, alignment="left", type="tertiary", key=CHOOSE, on_click=_choose, width=narrow
            ),
            "Price/h": column.TextColumn("Price/h", alignment="right", help=why, width=64),
            "Spot/h": column.TextColumn("Spot/h", alignment="right", help="EC2's spot price right now", width=62),
            "vCPU": column.NumberColumn("vCPU", width=46),
            "GiB": column.NumberColumn("GiB", help="Memory", width=42),
            "GPU": column.TextColumn("GPU", help="The list in the form says its memory", width=54),
            "Time": column.TextColumn(
                "Time", alignment="right", help="Expected of the whole, from past runs of this data", width=70
            ),
            "Cost": column.TextColumn("Cost", alignment="right", help=f"Expected. {why}", width=84),
            "At most": column.TextColumn("At most", alignment="right", help=f"Worst case. {why}", width=66),
        },
    )
    if any(row.expected.seconds is None for row in rows):
        st.html(note("Unknown: no completed run of this work and data on that instance yet. The time limit bounds it."))


def as_rows(rows: Sequence[Candidate]) -> list[dict[str, Any]]:
    """One row an instance type, as plain values; the spot price only where one is known for any of them."""
    has_spot = any(row.spot is not None for row in rows)
    places = most_places([row.hourly.amount for row in rows])
    spot_places = most_places([row.spot.amount for row in rows if row.spot])
    sum_places = places_of([quote.amount for row in rows for quote in (row.expected, row.worst)])
    return [
        {
            "Chosen": "●" if row.is_chosen else "",
            "Instance": row.instance_type,
            "Price/h": _hourly(row.hourly, places),
            **({"Spot/h": spot(row, spot_places)} if has_spot else {}),
            "vCPU": row.hardware.vcpu if row.hardware else None,
            "GiB": row.hardware.memory_gib if row.hardware else None,
            "GPU": gpu(row.hardware.gpu) if row.hardware else None,
            "Time": duration(row.seconds),
            "Cost": _money(row.expected, sum_places),
            "At most": _money(row.worst, sum_places),
        }
        for row in rows
    ]


def gpu(described: str) -> str | None:
    """A GPU in a narrow column: "T4" of "1 × NVIDIA T4 16 GiB"."""
    found = re.fullmatch(r"(\d+) × NVIDIA (\S+) .*", described)
    if found is None:
        return described or None
    return found[2] if found[1] == "1" else f"{found[1]} × {found[2]}"


def spot(row: Candidate, places: int = 2) -> str:
    """EC2's spot price right now; it always moves, so that it needs no mark of an estimate."""
    return rate(row.spot.amount, "h", row.spot.currency, places).removesuffix("/h") if row.spot else "unknown"


def most_places(amounts: Sequence[Decimal | None]) -> int:
    """The places after the point of the longest of these prices, so that they stand under each other."""
    return max((-int(one.normalize().as_tuple().exponent) for one in amounts if one is not None), default=2)


def places_of(amounts: Sequence[Decimal | None]) -> int:
    """The places after the point in which these sums stand under each other; 0 where they are too far apart for it."""
    known = [one for one in amounts if one is not None]
    if not known or max(known) >= MANY:
        return 0
    return max(len(money(one).partition(".")[2]) for one in known)


def _hourly(quote: Quote, places: int) -> str:
    estimate = "≈ " if quote.is_estimate and quote.is_known else ""
    return estimate + rate(quote.amount, "h", quote.currency, places).removesuffix("/h")


def _money(quote: Quote, places: int) -> str:
    estimate = "≈ " if quote.is_estimate and quote.is_known else ""
    return estimate + money(quote.amount, quote.currency, places)


def _choose() -> None:
    if chosen := table.clicked(CHOOSE):
        st.session_state[fields.INSTANCE] = fields.plain(chosen)
