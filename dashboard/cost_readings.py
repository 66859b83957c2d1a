"""The caches of what things cost. Pages use them through `state`; one ledger an account is shared by all who look."""

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.ledger import trail_kept
from dashboard.core.costs.ledger.book import LedgerBook
from dashboard.core.costs.ledger.collect import Collector
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.ledger.trail import Pace, at_once
from dashboard.core.costs.ledger.trail_book import TrailBook
from dashboard.core.runs.window import Window
from dashboard.price_readings import prices
from dashboard.readings import Reading, now, where
from dashboard.run_readings import listing

PATIENCE, FIRST_PATIENCE = 0.15, 1.0
"""Seconds that a page waits for a refresh, and for a first reading, before it shows what there is."""


def ledger(aws: Aws) -> Reading[Ledger]:
    """Every receipt of the account, as far as it has been read: see `Ledger.is_complete` and `.unread`.

    What could not be read again is as it was; an ended run's receipt is made once. Raises the errors of `Aws.call` when
    nothing of the account can be read.
    """
    book = _book(aws)
    patience = PATIENCE if book.is_read else FIRST_PATIENCE
    seen = book.look(aws, listing(aws, Window.ALL), prices(aws.account), patience=patience)
    return Reading(seen, book.as_of(seen))


def forget_costs() -> None:
    """Something was changed: read what costs money again at the next look."""
    for book in _books().values():
        book.stale()


@st.cache_resource(show_spinner=False)
def _books() -> dict[str, LedgerBook]:
    return {}


def _book(aws: Aws) -> LedgerBook:
    pace = at_once if aws.account.is_embedded else Pace()
    return _books().setdefault(where(aws), LedgerBook(now, Collector(TrailBook(trail_kept.place(aws.account), pace))))
