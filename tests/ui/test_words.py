"""Sentences for title lines."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from dashboard.core.overview import Overview
from dashboard.ui import words

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
