"""What one thing has cost, line by line: quantity × unit price, and everything needed to defend it. Pure.

A sum on a page is a sum of receipts; a receipt is a sum of lines; a line is a quantity that AWS told, times a price
that the price book has with its source and day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from dashboard.core import tags as tag
from dashboard.core.costs import LIST_PRICE, LIST_PRICE_REQUESTS, SAMPLE, SIMULATED, SIMULATED_REQUESTS
from dashboard.core.costs.prices import Price

DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)
GRAIN = Decimal("1E-12")
"""Receipts add up in trillionths of a dollar: seconds / 3600 seldom ends, and sums must not depend on their order."""


class Nature(StrEnum):
    """What kind of money it is. Amounts of two natures are never added."""

    LISTED = "listed"  # of a real account: what the price list says
    SIMULATED = "simulated"  # of the embedded AWS: this machine's seconds × list price, nobody was charged
    SAMPLE = "sample"  # of the sample account: an example, whoever's seconds

    @classmethod
    def of(cls, tags: Mapping[str, str], *, is_embedded: bool) -> "Nature":
        """From the tags of a thing and the account that it is in."""
        if tag.is_sample(tags):
            return cls.SAMPLE
        return cls.SIMULATED if is_embedded else cls.LISTED

    @property
    def word(self) -> str:
        return {"listed": "list price", "simulated": "simulated", "sample": "sample"}[self]

    @property
    def note(self) -> str:
        """The sentence that stands behind a sum of it."""
        return {"listed": LIST_PRICE, "simulated": SIMULATED, "sample": SAMPLE}[self]


class Service(StrEnum):
    """What money goes to, as a manager knows it."""

    TRAINING = "SageMaker training"
    ENDPOINTS = "SageMaker endpoints"
    NOTEBOOKS = "SageMaker notebooks"
    EC2 = "EC2"
    LAMBDA = "Lambda"
    S3 = "S3"
    COST_EXPLORER = "Cost Explorer"

    @property
    def is_asked(self) -> bool:
        """Whether each request has a price, and no time is counted."""
        return self is Service.COST_EXPLORER


@dataclass(frozen=True, slots=True)
class Line:
    """One charge: `quantity` of `unit` × `price`, accrued evenly from `started` to `ended`.

    `amount` is exact, None when unknown; `how` says where the quantity comes from ("663 s × 2 instances"). A line that
    is unknown is missing from the receipt's sum, and named beside it. Where it is `essential`, as what a thing is there
    for is and the disk beside it is not, the sum is only the least that it cost, and is held against no other.
    """

    what: str
    quantity: Decimal | None
    unit: str  # "instance-hours", "GB-months", "GB-seconds", "requests"
    price: Price | None
    amount: Decimal | None
    started: datetime
    ended: datetime  # when it ended, or the moment of the reading while it goes on
    how: str = ""
    why_unknown: str = ""
    essential: bool = True


@dataclass(frozen=True, slots=True)
class Fact:
    """One answer of AWS that a receipt is made from: "DescribeTrainingJob", "BillableTimeInSeconds", "663"."""

    operation: str
    member: str
    value: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was expected when it was launched, kept with it: USD, None where it was unknown."""

    amount: Decimal | None
    most: Decimal | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one run, endpoint, function, notebook, volume, address or bucket has cost so far, or in the end.

    `key` is unique in an account: "run:<key of the run>", "deleted-run:<key>@<created, epoch seconds>",
    "endpoint:<name>@<created>", "function:<name>", "notebook:<name>" (of a deleted one with @<created>), "volume:<id>",
    "address:<id>", "bucket:<name>", "request:<number>". A tuning job has no receipt among the others: those of its
    trials have `parent` set, so that nothing is counted twice.
    """

    key: str
    name: str
    service: Service
    nature: Nature
    started: datetime
    ended: datetime | None  # None: it goes on
    lines: tuple[Line, ...]
    status: str = ""  # a word for a person: "completed", "failed", "serving"
    project: str = ""
    owner: str = ""
    platform: str = ""  # "SageMaker" or "EC2", for runs
    instance_type: str = ""
    count: int = 1
    capacity: str = ""  # "on demand" or "spot", for runs
    parent: str = ""
    saving: Decimal | None = None  # what spot saved
    facts: tuple[Fact, ...] = ()
    expected: Expectation | None = None
    notes: tuple[str, ...] = ()
    ends: datetime | None = None  # when a schedule ends what goes on
    trials: int = 0  # of a tuning job, whose trials' receipts it puts together; see `tuning_receipt`
    wanted: datetime | None = None  # until when what goes on is wanted; nothing ends it then

    @property
    def amount(self) -> Decimal | None:
        """The sum of the lines that are known, the least that it cost where an essential one is not; None without any.

        None, too, where the known ones come to nothing and an essential one is missing: "at least $0" says nothing.
        """
        known = [line.amount.quantize(GRAIN) for line in self.lines if line.amount is not None]
        if len(known) == len(self.lines):
            return sum(known, Decimal(0))
        if not known or (not any(known) and not self.is_comparable):
            return None
        return sum(known, Decimal(0))

    @property
    def is_comparable(self) -> bool:
        """Whether every essential line is known, so that its sum can be held against another's or an expectation."""
        return not any(line.amount is None and line.essential for line in self.lines)

    @property
    def is_least(self) -> bool:
        """Whether it cost at least its amount: something essential is missing from it."""
        return self.amount is not None and not self.is_comparable

    @property
    def missing(self) -> tuple[Line, ...]:
        """The charges whose amount is unknown, and which the sum so lacks."""
        return tuple(line for line in self.lines if line.amount is None)

    def lacks(self, first: date, last: date) -> bool:
        """Whether an essential charge of these UTC days is unknown."""
        return any(
            line.started.astimezone(UTC).date() <= last and line.ended.astimezone(UTC).date() >= first
            for line in self.lines
            if line.amount is None and line.essential
        )

    @property
    def note(self) -> str:
        """The sentence that stands behind its sum: that of its nature, of requests where those are what is counted."""
        asked = {Nature.LISTED: LIST_PRICE_REQUESTS, Nature.SIMULATED: SIMULATED_REQUESTS}
        return asked.get(self.nature, self.nature.note) if self.service.is_asked else self.nature.note

    @property
    def is_estimate(self) -> bool:
        return any(line.price is not None and line.price.is_estimate for line in self.lines)

    @property
    def seconds(self) -> float:
        """From its start to its end, or to the reading."""
        last = max((line.ended for line in self.lines), default=self.started)
        return max(0.0, ((self.ended or last).astimezone(UTC) - self.started.astimezone(UTC)).total_seconds())

    def by_day(self) -> dict[date, Decimal]:
        """The amount by UTC day; the days add up to the amount exactly. Empty when it is unknown."""
        days: dict[date, Decimal] = {}
        if self.amount is None:
            return days
        for line in self.lines:
            for day, amount in accrued(line):
                days[day] = days.get(day, Decimal(0)) + amount
        return days


def accrued(line: Line) -> list[tuple[date, Decimal]]:
    """A line's amount by UTC day, even over its time; what rounding leaves is the last day's."""
    if line.amount is None:
        return []
    amount = line.amount.quantize(GRAIN)
    started, ended = line.started.astimezone(UTC), line.ended.astimezone(UTC)
    first = started.date()
    last = max(started, ended - MOMENT).date()
    if first == last:
        return [(first, amount)]
    whole = Decimal(round((ended - started) / MOMENT))
    days: list[tuple[date, Decimal]] = []
    left = amount
    day = first
    while day < last:
        begin = max(started, _midnight(day))
        part = (amount * round((_midnight(day + DAY) - begin) / MOMENT) / whole).quantize(GRAIN, ROUND_DOWN)
        days.append((day, part))
        left -= part
        day += DAY
    return [*days, (last, left)]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
