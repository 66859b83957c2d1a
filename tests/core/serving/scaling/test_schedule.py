"""When a scheduled action happens."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.errors import InvalidInput
from dashboard.core.serving.scaling.schedule import MOST, happens, occurrences

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
WEEK = MONDAY + timedelta(days=7)


def said(expression: str, timezone: str = "UTC", begin: datetime = MONDAY, end: datetime = WEEK) -> list[str]:
    return [f"{moment:%m-%d %H:%M}" for moment in occurrences(expression, timezone, begin, end)]


def test_once_at_a_time_of_its_zone() -> None:
    assert said("at(2026-11-18T09:00:00)") == ["11-18 09:00"]
    assert said("at(2026-11-18T09:00:00)", "Europe/Berlin") == ["11-18 08:00"]
    assert said("at(2026-12-18T09:00:00)") == []


def test_a_rate_counts_from_the_beginning() -> None:
    assert said("rate(36 hours)") == ["11-16 00:00", "11-17 12:00", "11-19 00:00", "11-20 12:00", "11-22 00:00"]


@pytest.mark.parametrize(
    ("expression", "moments"),
    [
        ("cron(30 9 ? * MON-FRI *)", [f"11-{day} 09:30" for day in (16, 17, 18, 19, 20)]),
        ("cron(0 8,18 ? * 7 *)", ["11-21 08:00", "11-21 18:00"]),
        ("cron(0/30 9 17 11 ? 2026)", ["11-17 09:00", "11-17 09:30"]),
        ("cron(0 0 ? * SUN#4 *)", ["11-22 00:00"]),
        ("cron(0 12 ? 12 * *)", []),
        ("cron(0 12 20W * ? *)", ["11-20 12:00"]),
    ],
)
def test_cron_as_aws_writes_it(expression: str, moments: list[str]) -> None:
    assert said(expression) == moments


def test_the_last_day_of_a_month_is_another_each_month() -> None:
    begin = datetime(2027, 1, 1, tzinfo=UTC)
    assert said("cron(0 0 L * ? *)", begin=begin, end=begin + timedelta(days=90)) == [
        "01-31 00:00",
        "02-28 00:00",
        "03-31 00:00",
    ]
    assert said("cron(0 0 ? * 6L *)", begin=begin, end=begin + timedelta(days=31)) == ["01-29 00:00"]


def test_summer_time_moves_it_in_utc() -> None:
    begin = datetime(2026, 10, 24, tzinfo=UTC)
    found = occurrences("cron(0 9 ? * * *)", "Europe/Berlin", begin, begin + timedelta(days=2))
    assert [moment.hour for moment in found] == [7, 8]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "every day",
        "at(2026-13-01T00:00:00)",
        "rate(0 minutes)",
        "cron(0 9 * * * *)",
        "cron(0 9 ? * ? *)",
        "cron(0 9 * * ?)",
        "cron(61 9 * * ? *)",
        "cron(0 9 ? * XYZ *)",
        "cron(0 9 32 * ? *)",
        "cron(0 9 0W * ? *)",
        "cron(0 9 99W * ? *)",
        "at(2026-11-18T09:00)",
        "cron(0 20-8 * * ? *)",
        "cron(0 0/0 * * ? *)",
    ],
)
def test_what_is_no_schedule_says_why(expression: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        occurrences(expression, "UTC", MONDAY, WEEK)
    assert refused.value.why and refused.value.field == "schedule"


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        occurrences("rate(1 day)", "Mars/Olympus", MONDAY, WEEK)


def test_whether_it_ever_happens_is_told_however_far_ahead() -> None:
    assert happens("at(2099-11-18T09:00:00)", "UTC", MONDAY)
    assert happens("cron(0 0 29 FEB ? 2196)", "UTC", MONDAY)
    assert happens("rate(9999999 days)", "UTC", MONDAY)
    assert not happens("at(2026-11-15T23:59:59)", "UTC", MONDAY)
    assert not happens("cron(0 0 30 FEB ? *)", "UTC", MONDAY)
    assert not happens("cron(0 0 * * ? 1970-2025)", "UTC", MONDAY)


def test_an_action_of_each_minute_ends_somewhere() -> None:
    assert len(occurrences("rate(1 minute)", "UTC", MONDAY, MONDAY + timedelta(days=365))) == MOST
