"""What a change is made of: the sums of both periods, and each receipt's part in the difference. ?against= is the
period that the selection's own is held against.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import streamlit as st

from dashboard.core.aws import Account
from dashboard.core.costs.change import Move, moves
from dashboard.core.costs.ledger import Ledger
from dashboard.core.costs.selection import Period, Selection
from dashboard.core.costs.tuning_receipt import folded
from dashboard.core.format import count, money
from dashboard.ui import markup, page, receipt, receipt_lines, spend_controls, spend_words
from dashboard.ui.markup import Markup, escape
from dashboard.ui.page import Place

AGAINST = "against"
MOST = 50


def query(selection: Selection, before: Period) -> dict[str, str]:
    """The address of the difference between a selection and the same of an earlier period."""
    return selection.query() | {AGAINST: str(before)}


def before(told: str, now: datetime) -> Period | None:
    """The period that the address names; None where it is none."""
    return Period.read(told, now)


def show(ledger: Ledger, selection: Selection, earlier: Period, account: Account) -> None:
    """Both sums, each open to its receipts, and receipt by receipt what makes the difference."""
    past = selection.over(earlier)
    here, there = ledger.total(selection), ledger.total(past)
    of = spend_words.only(selection)
    difference = here.amount - there.amount
    known = not (here.unknown or here.lacking or there.unknown or there.lacking)
    page.title(
        spend_words.signed(difference),
        f"{f'{of}, ' if of else ''}{spend_words.span(selection.period)} against {spend_words.span(earlier)} (UTC)"
        + ("" if known else ", of what is known of both"),
        marks=receipt.of(selection.nature),
    )
    with st.container(border=True, key="panel-change-sums", gap=None):
        for place, (one, share) in enumerate(((selection, here), (past, there))):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-change-sum-{place}"):
                st.html(
                    Markup(
                        f'<div class="kn-row"><p><strong>{escape(spend_words.span(one.period))}</strong></p>'
                        f'<p class="kn-note">{escape(spend_words.receipts(share))}</p></div>'
                    )
                )
                st.page_link(
                    Place.RECEIPT,
                    label=markup.literal(spend_words.sum_of(share)),
                    query_params=one.query(),
                    help=markup.literal(f"Open the receipts of {spend_words.span(one.period)}"),
                )
    page.section("What changed", receipt.word_of(selection.nature))
    with st.container(border=True, key="panel-change-receipts"):
        st.html(table(moves(folded(ledger.of(selection)), folded(ledger.of(past))), selection.period, earlier))
    address = spend_controls.link(query(selection, earlier))
    st.html(receipt_lines.foot(selection.nature, account, ledger.at, address))


def table(found: Sequence[Move], period: Period, earlier: Period) -> Markup:
    """Each receipt in both periods, what changed most first; the differences add up to the difference of the sums."""
    rows = [(escape(one.receipt.name), one.before, one.now, one.difference) for one in found[:MOST]]
    rest = found[MOST:]
    if rest:
        before, now = _sum(one.before for one in rest), _sum(one.now for one in rest)
        rows.append((escape(count(len(rest), "other receipt")), before, now, now - before))
    body = "".join(
        f'<tr><td>{name}</td><td class="kn-number" data-of="{escape(spend_words.span(earlier))}">{_cell(then)}</td>'
        f'<td class="kn-number" data-of="{escape(spend_words.span(period))}">{_cell(now)}</td>'
        f'<td class="kn-number" data-of="Difference">{spend_words.signed(difference)}</td></tr>'
        for name, then, now, difference in rows
    )
    total = _sum(one.difference for one in found)
    return Markup(
        '<div class="kn-scroll" tabindex="0" role="region" aria-label="Receipts of both periods">'
        f'<table class="kn-lines kn-stacks"><thead><tr><th>Receipt</th>'
        f'<th class="kn-number">{escape(spend_words.span(earlier))}</th>'
        f'<th class="kn-number">{escape(spend_words.span(period))}</th>'
        f'<th class="kn-number">Difference</th></tr></thead><tbody>{body}</tbody>'
        f'<tfoot><tr><th>Sum</th><td></td><td></td><td class="kn-number" data-of="Difference" title="${total:f}">'
        f"{spend_words.signed(total)}</td></tr></tfoot></table></div>"
    )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def _cell(amount: Decimal | None) -> str:
    return "–" if amount is None else money(amount)
