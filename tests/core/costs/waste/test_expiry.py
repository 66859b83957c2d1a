"""Until when something is wanted, as its tag says it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dashboard.core.costs.waste import expiry
from dashboard.core.costs.waste.expiry import Keep

NOW = datetime(2026, 11, 21, 18, 30, 15, 999, tzinfo=UTC)


@pytest.mark.parametrize("keep", list(Keep))
def test_what_is_written_is_read_again(keep):
    until = keep.until(NOW)
    assert expiry.expires(expiry.mark(until)) == until
    assert (until is None) == (keep is Keep.NEVER)
    if until:
        assert until - NOW.replace(microsecond=0) == keep.length


def test_the_default_of_what_is_made_in_a_demo_is_a_day():
    assert expiry.DEFAULT.length == timedelta(hours=24)
    assert expiry.mark(expiry.DEFAULT.until(NOW)) == {"kennel:expires": "2026-11-22T18:30:15Z"}


def test_a_time_of_another_zone_is_written_in_utc():
    berlin = datetime(2026, 11, 21, 20, 0, tzinfo=timezone(timedelta(hours=1)))
    assert expiry.mark(berlin) == {"kennel:expires": "2026-11-21T19:00:00Z"}


@pytest.mark.parametrize("told", ["", "tomorrow", "2026-13-41", "24 h", "NaN"])
def test_what_nobody_can_read_never_expires(told):
    assert expiry.expires({"kennel:expires": told}) is None
    assert not expiry.is_past({"kennel:expires": told}, NOW)


def test_it_is_past_from_its_second_on():
    tags = {"kennel:expires": "2026-11-21T18:30:15Z"}
    assert expiry.is_past(tags, NOW)
    assert not expiry.is_past(tags, NOW - timedelta(seconds=1))
    assert expiry.is_past({"kennel:expires": "2026-11-21T18:00:00"}, NOW), "a time without a zone is UTC"
    assert not expiry.is_past({}, NOW)
