"""Which money a page shows: of which nature, over which days, put together by what. It is the page's address. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from dashboard.core.costs.receipt import Nature, Receipt

DAY = timedelta(days=1)
EARLIEST, LATEST = date(2006, 3, 14), date(2100, 12, 31)
"""The days that a page can show: from that of AWS's first service on."""


class By(StrEnum):
    """What a sum is put together by."""

    SERVICE = "service"
    PROJECT = "project"
    OWNER = "owner"
    PLATFORM = "platform"
    INSTANCE = "instance"
    CAPACITY = "capacity"
    COUNT = "count"

    @property
    def word(self) -> str:
        return {"capacity": "on demand or spot", "count": "instances", "instance": "instance type"}.get(
            self, self.value
        )

    def group(self, receipt: Receipt) -> str:
        """The group that a receipt belongs to; "" for one without such a mark."""
        match self:
            case By.SERVICE:
                return receipt.service.value
            case By.PROJECT:
                return receipt.project
            case By.OWNER:
                return receipt.owner
            case By.PLATFORM:
                return receipt.platform
            case By.INSTANCE:
                return receipt.instance_type
            case By.CAPACITY:
                return receipt.capacity
            case By.COUNT:
                return str(receipt.count)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole UTC days from `first` to `last`, both in it: AWS bills by UTC days."""

    first: date
    last: date

    @classmethod
    def month(cls, day: date) -> "Period":
        """The calendar month of a day, whole."""
        first = day.replace(day=1)
        return cls(first, (first + timedelta(days=31)).replace(day=1) - DAY)

    @classmethod
    def parse(cls, text: str, now: datetime) -> "Period":
        """ "2026-11", "2026-11-03..2026-11-20", "30d", "12m"; anything else is the month of `now`.

        Days before EARLIEST or after LATEST are cut off.
        """
        return cls.read(text, now) or cls.month(now.astimezone(UTC).date())

    @classmethod
    def read(cls, text: str, now: datetime) -> "Period | None":
        """The same; None for anything else."""
        today = now.astimezone(UTC).date()
        try:
            if text.endswith("d"):
                return cls(today - (min(max(int(text[:-1]), 1), 3660) - 1) * DAY, today)
            if text.endswith("m"):
                first = today.replace(day=1)
                for _ in range(min(max(int(text[:-1]), 1), 120) - 1):
                    first = (first - DAY).replace(day=1)
                return cls(first, today)
            if ".." in text:
                first, last = sorted(date.fromisoformat(part) for part in text.split("..", 1))
                if last >= EARLIEST and first <= LATEST:
                    return cls(max(first, EARLIEST), min(last, LATEST))
            elif text:
                first = date.fromisoformat(f"{text}-01")
                if EARLIEST <= first <= LATEST:
                    return cls.month(first)
        except ValueError:
            pass  # a link that somebody cut short still opens the page
        return None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_month(self) -> bool:
        return self == Period.month(self.first)

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}" if self.is_month else f"{self.first}..{self.last}"

    def before(self) -> "Period":
        """The period before it: the month before a month, else as many days."""
        end = self.first - DAY
        return Period.month(end) if self.is_month else Period(end - (self.days - 1) * DAY, end)


REAL = "real"
"""A word for listed money in an address."""


def nature_of(told: str) -> Nature | None:
    """The nature of an address: "sample"; "real" is a word for what is listed. None for any other word."""
    if told == REAL:
        return Nature.LISTED
    return Nature(told) if told in Nature._value2member_map_ else None


NAMES = frozenset({"of", "period", "by", *By})
"""What a selection is called in an address."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a page of money shows. `only` keeps one group of each named kind: ((By.SERVICE, "EC2"),)."""

    nature: Nature
    period: Period
    by: By = By.SERVICE
    only: tuple[tuple[By, str], ...] = ()

    @classmethod
    def parse(cls, query: Mapping[str, str], now: datetime, default: Nature) -> "Selection":
        """From a page's address: ?of=sample&period=2026-11&by=project&service=EC2. What does not fit is left out."""
        of, by = query.get("of", ""), query.get("by", "")
        return cls(
            nature_of(of) or default,
            Period.parse(query.get("period", ""), now),
            By(by) if by in By._value2member_map_ else By.SERVICE,
            tuple((one, query[one.value]) for one in By if one.value in query),
        )

    @staticmethod
    def misread(query: Mapping[str, str], now: datetime) -> tuple[str, ...]:
        """What an address asks for and nobody knows: ("the period garbage",)."""
        of, period, by = (query.get(name, "") for name in ("of", "period", "by"))
        unknown = (
            ("the money", of, nature_of(of) is None),
            ("the period", period, Period.read(period, now) is None),
            ("the grouping", by, by not in By._value2member_map_),
        )
        return tuple(f"{name} {told}" for name, told, is_unknown in unknown if told and is_unknown)

    def query(self) -> dict[str, str]:
        """The address that shows exactly this."""
        told = {"of": self.nature.value, "period": str(self.period), "by": self.by.value}
        return told | {by.value: value for by, value in self.only}

    def within(self, by: By, group: str) -> "Selection":
        """One group of it."""
        return replace(self, only=(*((one, value) for one, value in self.only if one is not by), (by, group)))

    def without(self, by: By) -> "Selection":
        """All groups of a kind again."""
        return replace(self, only=tuple((one, value) for one, value in self.only if one is not by))

    def over(self, period: Period) -> "Selection":
        """The same on other days."""
        return replace(self, period=period)

    def put_together(self, by: By) -> "Selection":
        """The same by another mark."""
        return replace(self, by=by)

    def of(self, nature: Nature) -> "Selection":
        """The same of another nature."""
        return replace(self, nature=nature)

    def holds(self, receipt: Receipt) -> bool:
        """Whether a receipt is of this nature and these groups; its days are another question."""
        return receipt.nature is self.nature and all(by.group(receipt) == value for by, value in self.only)
