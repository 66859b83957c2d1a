"""The price book as a page: every figure with its source and day, what is not known and why, and what spot costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.aws_models import sagemaker_regions
from dashboard.core.costs.price_cache import Refreshed
from dashboard.core.costs.price_table import Group, Row, regions, rows, unknown
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.format import ago, count
from dashboard.ui import address, chart, empty, figures_prices, page, prices_refresh, prices_tables
from dashboard.ui.markup import Markup, note
from dashboard.ui.tones import Tone

MONTHS = ("730", "744", "720", "672")
WHICH_MONTH = "730: as most calculators count. 744: 31 days, as Lambda's console counts. 720: 30 days. 672: 28 days."
ALL = "all"
ROWS = 13
"""A longer table scrolls in itself."""


def show(aws: Aws, now: datetime) -> None:
    """The page: the table of a region beside what spot costs there, and below what is not known."""
    book, region = state.prices(), aws.account.region
    head = st.container(key="prices-top")
    known = regions(book, region, sagemaker_regions(region))
    chosen = _controls(known)
    found, told = rows(book, chosen.region), state.told_prices(aws.account, chosen.region)
    with head, st.container(horizontal=True, vertical_alignment="center", key="prices-head"):
        page.title("Prices", sentence(found, chosen.region))
        st.space("stretch")
        prices_refresh.button(aws, chosen.region)
    st.html(note(_collected(aws, told.kept, chosen.region, now)))
    for name in told.broken:
        st.html(note(f"{name} made no sense and was set aside: its prices are not used.", Tone.WAITING))
    shown = [row for row in found if chosen.group in (ALL, row.group) and row.says(chosen.text)]
    if any(row.price is not None for row in found):
        _table([row for row in shown if row.price is not None], chosen.month, chosen.region, now)
    else:
        empty.show("prices", f"No price of {chosen.region} is known here.", _ask_for(aws, told.kept))
    left, right = st.columns((7, 6), gap="medium")
    with left:
        _unknown(unknown(shown), chosen.region)
    if changed := [row for row in shown if row.before]:
        page.section("Prices that changed")
        st.html(prices_tables.changed(changed))
    if told.kept is not None and told.kept.left_out:
        with st.expander(f"What AWS's answers lacked: {count(len(told.kept.left_out), 'figure')}"):
            st.html("".join(note(f"{line}.") for line in told.kept.left_out))
    with right:  # last: EC2 is asked for it, while all else lies here
        page.section("Spot")
        if chosen.region == region or (told.kept is not None and told.kept.spot_at is not None):
            _spot(aws, book, told.kept, chosen.region)
        else:
            st.html(note(f"What spot costs in {chosen.region} is asked for by a refresh of its prices."))
        seen = [one for one in book.observed if one.region == chosen.region]
        if seen:
            with st.expander("Spot prices that were seen and shipped"):
                st.html(prices_tables.observed(seen))


@dataclass(frozen=True)
class _Chosen:
    """What the controls, and so the address, ask for."""

    region: str
    group: str
    text: str
    month: Decimal


def _controls(known: Sequence[str]) -> _Chosen:
    address.misread(address.unknown_of(st.query_params, {"region": ("the region", known)}))
    with st.container(horizontal=True, vertical_alignment="bottom", key="prices-controls"):
        text = st.text_input(
            "Search", key="q", bind="query-params", placeholder="type, source, estimate", live=True, width=220
        )
        region = st.selectbox("Region", list(known), key="region", bind="query-params", width=160)
        group = st.selectbox("For", [ALL, *(one.value for one in Group)], key="for", bind="query-params", width=170)
        month = st.selectbox(
            "Hours of a month",
            MONTHS,
            key="month",
            bind="query-params",
            width=160,
            help=WHICH_MONTH,
        )
    return _Chosen(region or known[0], group or ALL, text or "", Decimal(month or MONTHS[0]))


def sentence(found: Sequence[Row], region: str) -> str:
    """The live sentence: how many prices a region has, how many are estimates, how many are not known."""
    priced = [row.price for row in found if row.price is not None]
    if not priced:
        return f"{region}: no price is known"
    estimates = sum(price.is_estimate for price in priced)
    of = f", {count(estimates, 'estimate')} among them" if estimates else ""
    missing = len(found) - len(priced)
    return f"{region}: {count(len(priced), 'price')}{of}, {missing or 'none'} unknown"


def _ask_for(aws: Aws, kept: Refreshed | None) -> str:
    """What to do about a region without prices."""
    if aws.account.is_embedded:
        return "None are shipped, and the embedded AWS has those alone: connect a real account and refresh them there."
    if kept is not None and kept.prices_at is not None:
        return "AWS was asked and told none that can be used: what its answers lacked is listed below."
    return "Refresh prices asks AWS for them, free of charge."


def _collected(aws: Aws, kept: Refreshed | None, region: str, now: datetime) -> str:
    """Where the prices are from and how old that is."""
    who = "the embedded AWS" if aws.account.is_embedded else "AWS"
    if kept is None or kept.prices_at is None:
        asked = f"The shipped prices: {who} was not asked for those of {region} yet"
    else:
        from_shipped = ", which answers from the shipped ones" if aws.account.is_embedded else ""
        asked = f"The shipped prices, and those that {who} told {ago(kept.prices_at, now)}{from_shipped}"
    return f"{asked}. List prices in USD: credits, savings plans, free tier and tax are not in them."


def _table(shown: Sequence[Row], month: Decimal, region: str, now: datetime) -> None:
    if not shown:
        empty.show("prices", "No price fits.", "Take a word or a choice away, or look at what is unknown below.")
        return
    st.dataframe(
        prices_tables.cells(shown, month, now),
        key="price-table",
        hide_index=True,
        placeholder="–",
        height="content" if len(shown) <= ROWS else 492,
        alt=f"Prices in {region} with source and day",
        column_config=_columns(month),
    )
    chart.download(lambda: prices_tables.plain(shown, region, month), f"kennel-prices-{region}.csv", "download-prices")


def _columns(month: Decimal) -> dict[str, Any]:
    column = st.column_config
    return {
        "What": column.TextColumn("What", pinned=True, width=156),
        "For": column.TextColumn("For", width=96),
        "Price": column.TextColumn("Price", width=138, alignment="right"),
        "Month": column.NumberColumn(f"{month} h", width=84, format="$%,.2f", help=f"A month of {month} hours"),
        "Sure": column.TextColumn("How sure", width=98, help="listed · from a weaker source · estimate"),
        "As of": column.DateColumn("As of", width=86, format="YYYY-MM-DD", help="The day of the figure"),
        "Age": column.TextColumn("Age", width=50, alignment="right"),
        "Source": column.TextColumn("Source"),
    }


def _spot(aws: Aws, book: PriceBook, kept: Refreshed | None, region: str) -> None:
    types = sorted({instance for kind, instance, _ in book.prices if kind is Kind.EC2})
    with st.container(key="prices-spot"):
        first = types.index("c5.2xlarge") if "c5.2xlarge" in types else 0
        instance = st.selectbox("Spot prices of", types, index=first, key="spot", bind="query-params", width=170)
        days, problem = state.spot_days(aws, instance or types[0], kept, region)
        listed = book.price(Kind.EC2, instance or types[0], region)
        amount = listed.amount if listed else None
        is_dark = st.context.theme.type == "dark"
        chart.panel(
            "spot",
            figures_prices.finding(instance or types[0], days, amount),
            figures_prices.spot_range(days, amount, is_dark=is_dark) if days else None,
            f"Not checked: {problem}" if problem else "EC2 told none for the last 30 days.",
            alone=True,
        )
        if days and problem:
            st.html(note(f"From the last refresh; EC2 was not asked again: {problem}", Tone.WAITING))
        if days:
            rows = partial(figures_prices.rows, days)
            chart.table(rows, f"spot-{instance}.csv", "download-spot", "The range of the spot price by day")
        simulated = "simulated by the embedded AWS from observed ranges" if aws.account.is_embedded else "as EC2 told"
        st.html(note(f"DescribeSpotPriceHistory, all zones of {region}, UTC days, {simulated}."))


def _unknown(missing: Sequence[Row], region: str) -> None:
    page.section(f"Unknown in {region}", Markup(f'<span class="kn-note">{count(len(missing), "figure")}</span>'))
    if not missing:
        st.html(note("Nothing of what is shown here is without a price."))
    else:
        st.html(note("What has no price is counted as unknown, never as 0. A refresh asks AWS for most of them."))
        st.html(prices_tables.unknown(missing))
