"""Sentences for title lines."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from dashboard.core.costs.receipt import Nature
from dashboard.core.overview import Overview
from dashboard.core.runs.listing import Listing, Window
from dashboard.core.runs.model import RunKind, RunStatus
from dashboard.ui import words
from tests.core.runs.made import run

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


def test_a_reading_says_its_age_once_that_matters() -> None:
    assert words.age(NOW - timedelta(seconds=5), NOW) == ""
    assert words.age(NOW - timedelta(seconds=40), NOW) == "as of 40 s ago"


def test_an_empty_account_is_called_empty() -> None:
    nothing = Overview((), (), (), (), Decimal(0), 0, 0)
    assert words.overview_sentence(nothing) == "nothing was trained or served here yet"


def test_photos_are_counted() -> None:
    assert words.classify_sentence(0) == "drop a photo, see the breed"
    assert words.classify_sentence(1) == "1 photo answered in this tab"
    assert words.classify_sentence(3) == "3 photos answered in this tab"


def test_runs_are_counted_without_their_trials_and_within_their_time() -> None:
    runs = (run("dogs-1", RunStatus.TRAINING), run("search", kind=RunKind.TUNING), run("search-001", parent="search"))
    week = Listing(runs, Window.WEEK, NOW)
    assert words.runs_sentence(week, 2) == "2 runs with 1 trial in the last 7 days, 1 running"
    assert words.runs_sentence(week, 1) == "2 runs with 1 trial in the last 7 days, 1 running, 1 shown"
    busy = Listing((*runs, run("search-002", RunStatus.TRAINING, parent="search")), Window.ALL, NOW)
    assert words.runs_sentence(busy, 2) == "2 runs with 2 trials, 1 running and 1 trial"
    assert words.runs_sentence(Listing((), Window.ALL, NOW), 0) == "no run yet"
    assert words.runs_sentence(Listing((), Window.DAY, NOW), 0) == "no run in the last 24 hours"
    assert words.runs_sentence(Listing((), Window.ALL, NOW, is_complete=False), 0) == "reading"


def test_a_column_of_money_says_its_nature_or_where_it_is_told():
    assert words.money_of({Nature.SIMULATED}) == " · simulated"
    assert words.money_of({Nature.SAMPLE}) == " · sample"
    assert words.money_of({Nature.SIMULATED, Nature.SAMPLE}) == " · see Origin"
    assert words.money_of({Nature.LISTED}) == ""
    assert words.money_of(set()) == ""
