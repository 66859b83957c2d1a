"""When a scheduled action of Application Auto Scaling happens: at(…), rate(…) and cron(…). Pure.

Source: Application Auto Scaling User Guide, "Schedule recurring scaling actions using cron expressions": six fields
(minutes, hours, day of month, month, day of week, year), Sunday is 1, and one of the two days must be a question mark.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dashboard.core.errors import InvalidInput

MOST = 10_000
"""Occurrences of one action that are worked out."""
LAST = datetime(2200, 1, 1, tzinfo=UTC)
"""After all years that cron knows."""
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_RATE = re.compile(r"rate\(([1-9]\d{0,6}) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((.*)\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_MONTHS = {name.upper(): place for place, name in enumerate(calendar.month_abbr)}
_DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_PART = re.compile(r"(\*|\d+)(?:-(\d+))?(?:/(\d+))?")


def occurrences(expression: str, timezone: str, begin: datetime, end: datetime) -> tuple[datetime, ...]:
    """The moments (UTC) at or after `begin` and before `end` at which an action happens, in order; at most MOST.

    A rate counts from `begin`. Raises InvalidInput for what is no expression, or no time zone.
    """
    return tuple(islice(_moments(expression, timezone, begin, end), MOST))


def happens(expression: str, timezone: str, begin: datetime) -> bool:
    """Whether an action ever happens at or after `begin`. Raises as `occurrences`."""
    return any(True for _ in _moments(expression, timezone, begin, LAST))


def _moments(expression: str, timezone: str, begin: datetime, end: datetime) -> Iterator[datetime]:
    zone = _zone(timezone)
    if found := _AT.fullmatch(expression):
        try:
            moments: Iterator[datetime] = iter([datetime.fromisoformat(found[1]).replace(tzinfo=zone)])
        except ValueError:
            raise _wrong(expression, f"{found[1]} is no date and time") from None
    elif found := _RATE.fullmatch(expression):
        moments = _each(begin, timedelta(seconds=int(found[1]) * _SECONDS[found[2]]), end)
    elif found := _CRON.fullmatch(expression):
        moments = _cron(expression, found[1].split(), zone, begin, end)
    else:
        raise _wrong(expression, "it must be at(yyyy-mm-ddThh:mm:ss), rate(5 minutes) or cron(0 9 ? * MON-FRI *)")
    return (moment.astimezone(UTC) for moment in moments if begin <= moment < end)


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            f"{timezone} is no time zone", "AWS takes names like Europe/Berlin", "choose one of these", field="schedule"
        ) from None


def _each(begin: datetime, every: timedelta, end: datetime) -> Iterator[datetime]:
    moment = begin
    while moment < end:
        yield moment
        if end - moment <= every:  # the next one may be in no calendar
            return
        moment += every


@dataclass(frozen=True)
class _Cron:
    """The values that each field allows; the days as written, because what they mean depends on the month."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    day: str
    months: frozenset[int]
    weekday: str
    years: frozenset[int]

    def takes(self, day: date) -> bool:
        """Whether it happens on this day of one of its years."""
        if day.month not in self.months:
            return False
        return _is_weekday(self.weekday, day) if self.day == "?" else _is_day(self.day, day)


def _cron(expression: str, fields: list[str], zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    cron = _read(expression, fields)
    day, last = begin.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        if day.year not in cron.years:
            day = date(day.year + 1, 1, 1)
            continue
        if cron.takes(day):
            for hour in cron.hours:
                for minute in cron.minutes:
                    yield datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
        day += timedelta(days=1)


def _read(expression: str, fields: list[str]) -> _Cron:
    if len(fields) != 6:
        raise _wrong(expression, f"cron has six fields, this one has {len(fields)}")
    minutes, hours, day, month, weekday, year = (field.upper() for field in fields)
    if (day == "?") == (weekday == "?"):
        raise _wrong(expression, "either the day of the month or the day of the week must be a question mark")
    try:
        cron = _Cron(
            tuple(sorted(_values(minutes, 0, 59))),
            tuple(sorted(_values(hours, 0, 23))),
            day,
            _values(_numbers(month, _MONTHS), 1, 12),
            _numbers(weekday, _DAYS),
            _values(year, 1970, 2199),
        )
        cron.takes(date(max(cron.years), min(cron.months), 1))  # reads the days of any month, which may be no days
    except ValueError as error:
        raise _wrong(expression, str(error)) from None
    return cron


def _numbers(field: str, names: dict[str, int]) -> str:
    """A field with numbers in place of names: "MON-FRI" is "2-6"."""
    return re.sub(r"[A-Z]{3}", lambda found: str(names.get(found[0], found[0])), field)


def _values(field: str, least: int, most: int) -> frozenset[int]:
    """What "*", "0/15", "8-18" or "1,3" stand for. Raises ValueError for anything else, and for what is outside."""
    found: set[int] = set()
    for part in field.split(","):
        read = _PART.fullmatch(part)
        if not read or (read[1] == "*" and read[2]):
            raise ValueError(f"{part} is no value, range or list")
        first = least if read[1] == "*" else int(read[1])
        last = int(read[2]) if read[2] else most if read[1] == "*" or read[3] else first
        every = int(read[3] or 1)
        if not least <= first <= last <= most or every < 1:
            raise ValueError(f"{part} is not within {least} to {most}")
        found |= set(range(first, last + 1, every))
    return frozenset(found)


def _is_day(field: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if field == "L":
        return day.day == last
    if near := re.fullmatch(r"LW|([1-9]|[12]\d|3[01])W", field):
        wanted = int(near[1]) if near[1] else last
        return wanted <= last and day == _nearest_weekday(day, wanted)
    return day.day in _values(field, 1, 31)


def _nearest_weekday(month: date, wanted: int) -> date:
    """The working day nearest to a day of the month, within that month."""
    last = calendar.monthrange(month.year, month.month)[1]
    for away in (0, -1, 1, -2, 2):
        if 1 <= wanted + away <= last:
            day = month.replace(day=wanted + away)
            if day.weekday() < 5:
                return day
    return month.replace(day=wanted)


def _is_weekday(field: str, day: date) -> bool:
    today = day.isoweekday() % 7 + 1  # Sunday is 1
    if nth := re.fullmatch(r"([1-7])#([1-5])", field):
        return today == int(nth[1]) and (day.day - 1) // 7 + 1 == int(nth[2])
    if ending := re.fullmatch(r"([1-7])L", field):
        return today == int(ending[1]) and day.day + 7 > calendar.monthrange(day.year, day.month)[1]
    return today in _values("7" if field == "L" else field, 1, 7)


def _wrong(expression: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"{expression or 'an empty text'} is no schedule",
        why,
        "write it like cron(0 9 ? * MON-FRI *)",
        field="schedule",
    )
