"""Overview's figures: what a day costs, and what goes on at how much an hour."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature, Service
from dashboard.core.overview import assemble
from dashboard.ui.overview_figures import today
from tests.core.costs.receipts import HOUR, NOW, endpoint, ledger
from tests.views.scripted import EMBEDDED


def test_what_stands_an_hour_counts_notebooks_too_and_what_is_listed_itself_once() -> None:
    serving = endpoint("serving", NOW - HOUR)
    notebook = replace(endpoint("notes", NOW - HOUR, each="0.05"), service=Service.NOTEBOOKS)
    samples = replace(notebook, key="other", nature=Nature.SAMPLE)
    seen = replace(assemble((), (), prices=PriceBook.load(), region="us-east-1", now=NOW), per_hour=Decimal("0.24"))
    figure = today(seen, ledger(serving, notebook, samples), EMBEDDED, NOW + timedelta(minutes=1))
    assert "$0.29/h now" in figure.note
