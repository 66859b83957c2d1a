"""What a change is made of: the sums of both periods, and each receipt's part in the difference. ?against= is the
period that the selection's own is held against.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import streamlit as st

from dashboard.core.aws import Account
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.ledger.tuning_receipt import folded
from dashboard.core.costs.selection import Period, Selection
from dashboard.core.costs.spend.change import Item, Move, moves
from dashboard.core.format import count
from dashboard.ui import markup, page, receipt, receipt_lines, spend_controls, spend_panels, spend_words
from dashboard.ui.markup import Markup, escape

MOST = 25


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
            days = spend_words.span(one.period)
            _row(
                f"change-sum-{place}",
                days,
                spend_words.receipts(share),
                spend_words.sum_of(share),
                one.query(),
                f"Open the receipts of {days}",
            )
    page.section("What changed", receipt.word_of(selection.nature))
    found = moves(folded(ledger.of(selection)), folded(ledger.of(past)))
    with st.container(border=True, key="panel-change-receipts", gap=None):
        for place, move in enumerate(found[:MOST]):
            _row(
                f"change-{place}",
                move.receipt.name,
                note(move),
                spend_words.signed(move.difference),
                {"receipt": move.receipt.key, **(past if move.now is None else selection).query()},
                f"Open the receipt of {move.receipt.name}",
            )
        if rest := found[MOST:]:
            together = sum((move.difference for move in rest), Decimal(0))
            st.html(markup.note(f"{count(len(rest), 'other')} together {spend_words.signed(together)}"))
    st.html(
        Markup(
            f'<p class="kn-total" title="${difference:f}">All of it: <strong>{spend_words.signed(difference)}</strong> '
            f"{receipt.word_of(selection.nature)}</p>"
        )
    )
    address = spend_controls.link(spend_controls.against(selection, earlier))
    st.html(receipt_lines.foot(selection.nature, account, ledger.at, address))


def note(one: Move) -> str:
    """ "$1.20 → $4.40", "new: $4.40", "$1.20 before, nothing now", or that its cost is not known."""
    if one.now is None and one.before is None:
        return "unknown"
    return spend_words.item_note(Item(one.receipt.name, one.now or Decimal(0), one.before or Decimal(0)))


def _row(key: str, name: str, about: str, label: str, query: Mapping[str, str], tip: str) -> None:
    body = f'<p><strong>{escape(name)}</strong></p><p class="kn-note">{escape(about)}</p>'
    spend_panels.row(key, body, label, query, tip)
