"""AWS's cron expressions: six fields, from minutes to years, in a time zone. Pure.

Minutes Hours Day-of-month Month Day-of-week Year; lists, ranges, steps, names of months and days (SUN is 1), `?` for
one of the two days, L (the last), nW (the working day nearest to n) and n#m (the m-th such day of a month).
Source: EventBridge Scheduler User Guide and Application Auto Scaling User Guide, "cron expressions".
"""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1970, 2199
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_PART = re.compile(r"(?:(?P<all>\*)|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\d+))?")


class NotCronError(Exception):
    """The text is no cron expression; the sentence says why."""


@dataclass(frozen=True)
class Days:
    """Which days a field means: numbers, and the special ones (L, LW, nW, n#m, nL)."""

    numbers: frozenset[int]
    special: str = ""
    any: bool = False  # a question mark


@dataclass(frozen=True)
class Cron:
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    months: frozenset[int]
    weekdays: Days
    years: frozenset[int]

    def after(self, moment: float, zone: ZoneInfo) -> float | None:
        """The first time at or after a moment (epoch seconds) on the clocks of a zone; None when there is none.

        A time that the clocks skip in spring does not happen; one that they show twice in autumn happens once.
        """
        at = datetime.fromtimestamp(moment, UTC)
        if at.second or at.microsecond:
            at = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
        day = at.astimezone(zone).date()
        while day.year <= max(self.years, default=0):
            if day.year not in self.years:
                day = day.replace(year=day.year + 1, month=1, day=1)
                continue
            if day.month not in self.months:
                ahead = day.replace(day=1) + timedelta(days=32)
                day = ahead.replace(day=1)
                continue
            if self._has(day.year, day.month, day.day):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                        back = found.astimezone(UTC).astimezone(zone)
                        if found.astimezone(UTC) >= at and (back.hour, back.minute) == (hour, minute):
                            return found.timestamp()
            day += timedelta(days=1)
        return None

    def _has(self, year: int, month: int, day: int) -> bool:
        if not self.days.any:
            return day in self.days.numbers or _special_day(self.days.special, year, month) == day
        weekday = (calendar.weekday(year, month, day) + 1) % 7 + 1
        if weekday in self.weekdays.numbers:
            return True
        special = self.weekdays.special
        if "#" in special:
            wanted, nth = map(int, special.split("#"))
            return weekday == wanted and (day - 1) // 7 + 1 == nth
        if special.endswith("L"):
            last = calendar.monthrange(year, month)[1]
            return weekday == int(special[:-1] or 7) and day + 7 > last
        return False


def _special_day(special: str, year: int, month: int) -> int:
    """The day of a month that L, LW or nW means; 0 for none."""
    if not special:
        return 0
    last = calendar.monthrange(year, month)[1]
    if special == "L":
        return last
    wanted = last if special == "LW" else int(special[:-1])
    if wanted > last:
        return 0
    weekday = calendar.weekday(year, month, wanted)
    if weekday == calendar.SATURDAY:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == calendar.SUNDAY:
        return wanted + 1 if wanted < last else wanted - 2
    return wanted


@lru_cache(maxsize=256)
def parse(expression: str) -> Cron:
    """cron(…) as one. Raises NotCronError."""
    fields = expression.removeprefix("cron(").removesuffix(")").upper().split()
    if not expression.startswith("cron(") or not expression.endswith(")") or len(fields) != 6:
        raise NotCronError("A cron expression has six fields: minutes, hours, day of month, month, day of week, year.")
    minutes, hours, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise NotCronError("One of day of month and day of week must be ?, and only one.")
    return Cron(
        tuple(sorted(_numbers(minutes, 0, 59))),
        tuple(sorted(_numbers(hours, 0, 23))),
        _days(day, 1, 31, {}, r"L|LW|([1-9]|[12]\d|3[01])W"),
        frozenset(_numbers(month, 1, 12, _MONTHS)),
        _days(weekday, 1, 7, _DAYS, r"[1-7]?L|[1-7]#[1-5]"),
        frozenset(_numbers(year, FIRST_YEAR, LAST_YEAR)),
    )


def _days(text: str, low: int, high: int, names: Mapping[str, int], special: str) -> Days:
    if text == "?":
        return Days(frozenset(), any=True)
    for name, number in names.items():
        text = text.replace(name, str(number))
    if re.fullmatch(special, text):
        return Days(frozenset(), text)
    return Days(frozenset(_numbers(text, low, high)))


def _numbers(text: str, low: int, high: int, names: Mapping[str, int] | None = None) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise NotCronError(f"{part} is none of a number, a range, * and a step.")
        first, last = low, high
        if not match["all"]:
            first = _number(match["low"], names or {})
            stepped = match["step"] is not None and match["high"] is None
            last = high if stepped else _number(match["high"] or match["low"], names or {})
        step = int(match["step"] or 1)
        if not low <= first <= last <= high or step < 1:
            raise NotCronError(f"{part} is not within {low} to {high}.")
        found.update(range(first, last + 1, step))
    return found


def _number(text: str, names: Mapping[str, int]) -> int:
    if text in names:
        return names[text]
    if not text.isdigit():
        raise NotCronError(f"{text} is no number.")
    return int(text)
