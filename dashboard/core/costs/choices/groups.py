"""Outcomes put together by what was chosen: the median and the spread of cost, duration and accuracy. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from statistics import median
from typing import Generic, TypeVar

from dashboard.core.costs.choices.outcomes import Outcome
from dashboard.core.runs.alike import CACHED
from dashboard.core.runs.model import Platform
from dashboard.core.runs.reading import reading

N = TypeVar("N", float, Decimal)


class Grouping(StrEnum):
    """What outcomes are put together by."""

    WAY = "way"
    PLATFORM = "platform"
    INSTANCE = "instance"
    CAPACITY = "capacity"
    COUNT = "count"
    PROJECT = "project"
    OWNER = "owner"
    RUN = "run"

    @property
    def word(self) -> str:
        return {
            "way": "way of training",
            "instance": "instance type",
            "capacity": "on demand or spot",
            "count": "number of instances",
            "run": "each run",
        }.get(self, self.value)

    def key(self, one: Outcome) -> str:
        """The group that an outcome belongs to, for a person; "" for one without such a mark."""
        match self:
            case Grouping.WAY:
                return one.way.word
            case Grouping.PLATFORM:
                return one.way.platform.word
            case Grouping.INSTANCE:
                return one.way.instance_type
            case Grouping.CAPACITY:
                return one.way.capacity.value.replace("-", " ")
            case Grouping.COUNT:
                return "1 instance" if one.way.count == 1 else f"{one.way.count} instances"
            case Grouping.PROJECT:
                return one.run.project
            case Grouping.OWNER:
                return one.run.owner
            case Grouping.RUN:
                return one.run.key


@dataclass(frozen=True, slots=True)
class Spread(Generic[N]):
    """The middle of some known values, their ends, and how many they are."""

    median: N
    least: N
    most: N
    n: int

    @classmethod
    def of(cls, values: Iterable[N]) -> "Spread[N] | None":
        """None without any value."""
        known = sorted(values)
        return cls(median(known), known[0], known[-1], len(known)) if known else None


@dataclass(frozen=True, slots=True)
class Group:
    """Outcomes of one choice. A figure that none of them has is None; those without it are missing from its spread.

    `name` tells it from the others, `title` is what a person reads. `accuracy` is 0..1.
    """

    name: str
    title: str
    outcomes: tuple[Outcome, ...]
    cost: Spread[Decimal] | None
    seconds: Spread[float] | None
    accuracy: Spread[float] | None
    alone: Spread[Decimal] | None = None  # its cost without what differs between platforms: see `Outcome.alone`
    otherwise: "Group | None" = None  # the same with its times read in the other way, where there is one

    @property
    def n(self) -> int:
        return len(self.outcomes)

    @property
    def platforms(self) -> frozenset[Platform]:
        return frozenset(one.way.platform for one in self.outcomes)

    @property
    def accuracy_on(self) -> str:
        """The metric that its accuracies are of; "" for a mix of them, or none."""
        on = {one.accuracy_on for one in self.outcomes if one.accuracy is not None}
        return on.pop() if len(on) == 1 else ""

    @property
    def is_cached(self) -> bool:
        """Whether its runs did less work than others: their features came from a cache."""
        return bool(self.outcomes) and self.outcomes[0].is_cached  # no group mixes them

    @property
    def reading(self) -> str:
        """How a time among its runs is read that can be read in two ways; "" without one."""
        return next((said for one in self.outcomes if (said := reading(one.run, one.amount))), "")

    @property
    def is_estimate(self) -> bool:
        """Whether a price in its cost is an estimate."""
        return any(one.is_estimate for one in self.outcomes if one.amount is not None)

    @property
    def why_unknown(self) -> str:
        """Why its cost is not known, of the first that says so."""
        return next((one.why_unknown for one in self.outcomes if one.why_unknown), "")


def group(found: Iterable[Outcome], by: Grouping) -> tuple[Group, ...]:
    """The groups, the cheapest first, those of unknown cost last. Runs with features from a cache have their own."""
    members: dict[tuple[str, bool], list[Outcome]] = {}
    for one in found:
        members.setdefault((by.key(one), one.is_cached), []).append(one)
    groups = (
        made(f"{name}, {CACHED}" if is_cached and by is not Grouping.RUN else name, part, _title(name, by, part))
        for (name, is_cached), part in members.items()
    )
    return tuple(sorted(groups, key=_order))


def made(name: str, members: Sequence[Outcome], title: str = "") -> Group:
    """One group of these outcomes."""
    return Group(
        name,
        title or name,
        tuple(members),
        Spread.of(one.amount for one in members if one.amount is not None),
        Spread.of(one.seconds for one in members),
        Spread.of(one.accuracy for one in members if one.accuracy is not None),
        Spread.of(one.alone for one in members if one.alone is not None),
        _otherwise(name, members, title),
    )


def _otherwise(name: str, members: Sequence[Outcome], title: str) -> Group | None:
    if all(one.share_if_summed == 1 for one in members):
        return None
    return made(name, [one.otherwise for one in members], title)


def _title(name: str, by: Grouping, members: Sequence[Outcome]) -> str:
    """A run's name without its key's mark; a group without a project or an owner says so, and one from a cache."""
    title = members[0].run.name if by is Grouping.RUN else name or f"without {by.word}"
    return f"{title}, {CACHED}" if members[0].is_cached else title


def _order(one: Group) -> tuple[bool, Decimal, str]:
    return one.cost is None, one.cost.median if one.cost else Decimal(0), one.name
