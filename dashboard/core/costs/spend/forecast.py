"""What a period that goes on will come to, with a range, and how that was found. Pure.

Two parts are told apart. What stands and is billed by the hour (an endpoint, a notebook, a volume, an address, stored
data) goes on at its rate until the end, or until a schedule deletes it. Everything else comes and goes: its daily mean
over the last full days goes on, and the range is the prediction interval of a sum of days that vary as those did.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from dashboard.core.costs.receipt import Receipt, Service
from dashboard.core.costs.selection import DAY, Period
from dashboard.core.format import count, money

LEAST_DAYS = 3
MOST_DAYS = 28
"""Four weeks: each weekday as often as another."""
FINEST = Decimal("1E-8")
"""USD an hour: finer than any rate that a person reads."""
STANDING = frozenset({Service.ENDPOINTS, Service.NOTEBOOKS, Service.S3, Service.EC2})
# Student's t, 90 % one-sided, by degrees of freedom from 2 on: between the two ends lie 80 % of what may come.
T90 = tuple(
    Decimal(thousandths) / 1000
    for thousandths in (
        *(1886, 1638, 1533, 1476, 1440, 1415, 1397, 1383, 1372, 1363, 1356, 1350, 1345),
        *(1341, 1337, 1333, 1330, 1328, 1325, 1323, 1321, 1319, 1318, 1316, 1315, 1314),
    )
)


@dataclass(frozen=True)
class Point:
    """What may have been spent by the end of a day."""

    day: date
    low: Decimal
    amount: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """A thing that goes on at a rate, USD an hour, with its receipt. `ends`: when a schedule ends it, if one does."""

    receipt: Receipt
    hourly: Decimal
    ends: datetime | None = None

    def hours(self, since: datetime, until: datetime) -> Decimal:
        """How long it stands between two moments."""
        return _days(min(until, self.ends or until) - since) * 24

    def adds(self, since: datetime, until: datetime) -> Decimal:
        """What it costs between two moments, USD."""
        return self.hourly * self.hours(since, until)

    def unwanted(self, since: datetime, until: datetime) -> Decimal:
        """Of that what it costs after the moment until which it is wanted, USD."""
        wanted = self.receipt.wanted
        return Decimal(0) if wanted is None else self.adds(max(since, wanted), until)


@dataclass(frozen=True)
class Forecast:
    """The sum at the end of `period`. `amount`, `low` and `high` are None when it cannot be told, and `why` says why.

    `things` are what stands, the dearest first; `past` is what the rest cost on each of the last full days, `mean` and
    `spread` (the standard deviation) are of those, USD a day.
    """

    period: Period
    at: datetime
    so_far: Decimal
    things: tuple[Standing, ...] = ()
    past: tuple[tuple[date, Decimal], ...] = ()
    mean: Decimal = Decimal(0)
    spread: Decimal = Decimal(0)
    why: str = ""

    @property
    def is_known(self) -> bool:
        return not self.why

    @property
    def days(self) -> int:
        """How many full days the mean is of."""
        return len(self.past)

    @property
    def standing(self) -> int:
        return len(self.things)

    @property
    def hourly(self) -> Decimal:
        """What stands costs together, USD an hour."""
        return sum((one.hourly for one in self.things), Decimal(0))

    @property
    def end(self) -> datetime:
        return _midnight(self.period.last + DAY)

    @property
    def left(self) -> Decimal:
        """Days until the end."""
        return _days(self.end - self.at)

    @property
    def least(self) -> Decimal | None:
        """What is spent and what stands alone will add, if nothing is stopped; None where nothing stands."""
        return self.so_far + self.stands_for(self.end) if self.things else None

    @property
    def expected(self) -> Decimal | None:
        """The best that can be said: the forecast, without one the least, None without either."""
        return self.amount if self.is_known else self.least

    def stands_for(self, until: datetime) -> Decimal:
        """What stands costs from now until then, USD."""
        return sum((one.adds(self.at, until) for one in self.things), Decimal(0))

    @property
    def unwanted(self) -> Decimal:
        """Of what stands alone will add, what it does after it is wanted, USD."""
        return sum((one.unwanted(self.at, self.end) for one in self.things), Decimal(0))

    @property
    def amount(self) -> Decimal | None:
        return self._by_end_of(self.period.last).amount if self.is_known else None

    @property
    def low(self) -> Decimal | None:
        return self._by_end_of(self.period.last).low if self.is_known else None

    @property
    def high(self) -> Decimal | None:
        return self._by_end_of(self.period.last).high if self.is_known else None

    @property
    def method(self) -> str:
        """How it was found, as a sentence."""
        if self.why:
            return f"{self.why}{f'; {self.standing_words}' if self.standing else ''}"
        stand = f", and {self.standing_words}" if self.standing else ""
        mean = f"the mean of the last {self.days} full days, {money(self.mean)} a day, goes on{stand}"
        return f"{mean}; the range holds 8 of 10 such months if days go on to vary as they did"

    @property
    def standing_words(self) -> str:
        """What stands, and what it alone adds until the end."""
        sum_of = money(self.stands_for(self.end))
        stand, add = ("stands", "adds") if self.standing == 1 else ("stand", "add")
        ending = sum(one.ends is not None and one.ends < self.end for one in self.things)
        until = "unless stopped"
        if ending == self.standing == 1:
            until = "until a schedule deletes it"
        elif ending:
            until += f", {ending} of them until a schedule deletes {'it' if ending == 1 else 'them'}"
        said = f"{count(self.standing, 'thing')} that {stand} at {money(self.hourly)}/h {add} {sum_of} {until}"
        return f"{said}, {money(self.unwanted)} of it longer than wanted" if self.unwanted else said

    def path(self) -> tuple[Point, ...]:
        """The sum by the end of each day from today to the end of the period; () when it cannot be told."""
        if not self.is_known:
            return ()
        day = self.at.astimezone(UTC).date()
        points = []
        while day <= self.period.last:
            points.append(self._by_end_of(day))
            day += DAY
        return tuple(points)

    def _by_end_of(self, day: date) -> Point:
        days = _days(_midnight(day + DAY) - self.at)
        sure = self.so_far + self.stands_for(_midnight(day + DAY))
        expected = self.mean * days
        factor = T90[min(max(self.days - LEAST_DAYS, 0), len(T90) - 1)]
        # A sum of days to come varies with each of them, and with what the mean of the past ones is unsure of.
        reach = factor * self.spread * (days + days * days / max(self.days, 1)).sqrt()
        return Point(day, sure + max(Decimal(0), expected - reach), sure + expected, sure + expected + reach)


def forecast(receipts: Iterable[tuple[Receipt, Mapping[date, Decimal]]], period: Period, at: datetime) -> Forecast:
    """What receipts, each with its amount by day, will come to at the end of a period that `at` lies in."""
    today = at.astimezone(UTC).date()
    so_far = Decimal(0)
    things: list[Standing] = []
    by_day: dict[date, Decimal] = {}
    first = today
    for receipt, accrued in receipts:
        rate = per_hour(receipt)
        if rate:
            things.append(Standing(receipt, rate, receipt.ends))
        for day, amount in accrued.items():
            if day in period:
                so_far += amount
            first = min(first, day)
            if not rate:
                by_day[day] = by_day.get(day, Decimal(0)) + amount
    first = max(first, today - MOST_DAYS * DAY)
    stand = tuple(sorted(things, key=lambda one: (-one.adds(at, _midnight(period.last + DAY)), one.receipt.key)))
    days = [first + number * DAY for number in range((today - first).days)]
    past = tuple((day, by_day.get(day, Decimal(0))) for day in days)
    if len(past) < LEAST_DAYS:
        there = {0: "there is none yet", 1: "there is 1"}.get(len(past), f"there are {len(past)}")
        why = f"a forecast needs {LEAST_DAYS} full days, and {there}"
        return Forecast(period, at, so_far, stand, past, why=why)
    mean = sum((amount for _, amount in past), Decimal(0)) / len(past)
    spread = (sum(((amount - mean) ** 2 for _, amount in past), Decimal(0)) / (len(past) - 1)).sqrt()
    return Forecast(period, at, so_far, stand, past, mean, spread)


def per_hour(receipt: Receipt) -> Decimal:
    """What a standing thing costs an hour while it goes on, USD; 0 for a run, and for what has ended."""
    if receipt.ended is not None or receipt.platform or receipt.service not in STANDING or receipt.amount is None:
        return Decimal(0)
    last = max((line.ended for line in receipt.lines), default=receipt.started)
    going = [(line, _days(line.ended - line.started) * 24) for line in receipt.lines if line.ended == last]
    rate = sum((line.amount / hours for line, hours in going if line.amount is not None and hours), Decimal(0))
    return rate.quantize(FINEST)  # what amounts were rounded by is no part of a price


def _days(length: timedelta) -> Decimal:
    return max(Decimal(0), Decimal(round(length / timedelta(microseconds=1))) / Decimal(86_400_000_000))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
