"""When AWS's cron expressions fire: every form of their six fields, on the clocks of a zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard.core.serving.scaling.schedule import occurrences
from local_aws.services.cron_expression import NotCronError, parse

START = datetime(2027, 1, 1, tzinfo=UTC)


def times(expression: str, number: int = 3, zone: str = "UTC", start: datetime = START) -> list[str]:
    """The first few times, on the zone's clocks."""
    clock, found = ZoneInfo(zone), []
    moment = start.timestamp()
    for _ in range(number):
        following = parse(expression).after(moment, clock)
        if following is None:
            break
        found.append(datetime.fromtimestamp(following, clock).strftime("%Y-%m-%d %H:%M"))
        moment = following + 1
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 9 * * ? *)", ["2027-01-01 09:00", "2027-01-02 09:00", "2027-01-03 09:00"]),
        ("cron(0/20 8 1 * ? *)", ["2027-01-01 08:00", "2027-01-01 08:20", "2027-01-01 08:40"]),
        ("cron(15 10 ? * MON-FRI *)", ["2027-01-01 10:15", "2027-01-04 10:15", "2027-01-05 10:15"]),
        ("cron(0 0 L * ? *)", ["2027-01-31 00:00", "2027-02-28 00:00", "2027-03-31 00:00"]),
        ("cron(0 0 ? * 6L *)", ["2027-01-29 00:00", "2027-02-26 00:00", "2027-03-26 00:00"]),
        ("cron(0 0 ? * TUE#2 *)", ["2027-01-12 00:00", "2027-02-09 00:00", "2027-03-09 00:00"]),
        ("cron(0 0 3W * ? *)", ["2027-01-04 00:00", "2027-02-03 00:00", "2027-03-03 00:00"]),
        ("cron(0 0 LW JAN,OCT ? *)", ["2027-01-29 00:00", "2027-10-29 00:00", "2028-01-31 00:00"]),
        ("cron(30 12 29 2 ? *)", ["2028-02-29 12:30", "2032-02-29 12:30", "2036-02-29 12:30"]),
        ("cron(0 0 1 1 ? 2027-2028)", ["2027-01-01 00:00", "2028-01-01 00:00"]),
        ("cron(0 0 1 1 ? 1999)", []),
    ],
)
def test_each_form_fires_when_it_says(expression: str, expected: list[str]) -> None:
    assert times(expression) == expected


def test_clocks_are_those_of_the_zone_and_a_time_they_skip_does_not_happen() -> None:
    assert parse("cron(0 9 * * ? *)").after(START.timestamp(), ZoneInfo("Asia/Tokyo")) == START.timestamp()
    spring = datetime(2027, 3, 27, tzinfo=UTC)  # Berlin's clocks go from 02:00 to 03:00 on the 28th
    assert times("cron(30 2 * * ? *)", 2, "Europe/Berlin", spring) == ["2027-03-27 02:30", "2027-03-29 02:30"]
    autumn = datetime(2027, 10, 30, 12, tzinfo=UTC)  # and from 03:00 back to 02:00 on the 31st
    assert times("cron(30 2 * * ? *)", 2, "Europe/Berlin", autumn) == ["2027-10-31 02:30", "2027-11-01 02:30"]


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 9 * * ?)",
        "cron(0 9 * * * *)",
        "cron(0 9 ? * ? *)",
        "cron(60 9 * * ? *)",
        "cron(0 9 * 13 ? *)",
        "cron(0 9 ? * 8 *)",
        "cron(0 5-2 * * ? *)",
        "cron(0 9/0 * * ? *)",
        "cron(a 9 * * ? *)",
        "cron(0 9 0W * ? *)",
        "cron(0 9 99W * ? *)",
        "0 9 * * ? *",
    ],
)
def test_what_is_no_cron_expression_is_told_in_words(expression: str) -> None:
    with pytest.raises(NotCronError, match=r"\w+ .*\."):
        parse(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 8 ? * MON-FRI *)",
        "cron(0/15 9-17 * * ? *)",
        "cron(0 0 1 * ? *)",
        "cron(30 22 ? * SUN *)",
        "cron(0 9 LW * ? *)",
        "cron(0 9 6W * ? *)",
    ],
)
def test_the_dashboards_own_reading_agrees(expression: str) -> None:
    end = START + timedelta(days=40)
    wanted = [one.astimezone(UTC) for one in occurrences(expression, "Europe/Berlin", START, end)]
    found, moment = [], START.timestamp()
    while (following := parse(expression).after(moment, ZoneInfo("Europe/Berlin"))) and following < end.timestamp():
        found.append(datetime.fromtimestamp(following, UTC))
        moment = following + 1
    assert found == wanted
    assert len(found) >= 1
