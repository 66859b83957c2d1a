"""What costs money and serves nobody: findings with their evidence, dollars a day, and what can be done. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from dashboard.core import tags as tag
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.costs.receipt import Line, Nature, Receipt, Service

DAY = timedelta(days=1)


class Kind(StrEnum):
    """Why something is waste."""

    EXPIRED = "expired"
    IDLE_ENDPOINT = "idle-endpoint"
    OVERSIZED = "oversized"
    UNUSED_PROVISIONED = "unused-provisioned"
    IDLE_NOTEBOOK = "idle-notebook"
    STOPPED_INSTANCE = "stopped-instance"
    LOOSE_VOLUME = "loose-volume"
    LOOSE_ADDRESS = "loose-address"
    OLD_ARTIFACTS = "old-artifacts"

    @property
    def word(self) -> str:
        """As a badge says it."""
        return _WORDS[self]


_WORDS = {
    Kind.EXPIRED: "past its time",
    Kind.IDLE_ENDPOINT: "nobody asks it",
    Kind.OVERSIZED: "larger than needed",
    Kind.UNUSED_PROVISIONED: "kept ready, not used",
    Kind.IDLE_NOTEBOOK: "nobody works in it",
    Kind.STOPPED_INSTANCE: "stopped, its volumes kept",
    Kind.LOOSE_VOLUME: "attached to nothing",
    Kind.LOOSE_ADDRESS: "used by nothing",
    Kind.OLD_ARTIFACTS: "old files",
}


class Thing(StrEnum):
    """What kind of thing it is."""

    ENDPOINT = "endpoint"
    FUNCTION = "function"
    NOTEBOOK = "notebook"
    INSTANCE = "instance"
    VOLUME = "volume"
    ADDRESS = "address"
    FILES = "files"

    @property
    def service(self) -> Service:
        """What its money goes to."""
        return _SERVICES[self]


_SERVICES = {
    Thing.ENDPOINT: Service.ENDPOINTS,
    Thing.FUNCTION: Service.LAMBDA,
    Thing.NOTEBOOK: Service.NOTEBOOKS,
    Thing.INSTANCE: Service.EC2,
    Thing.VOLUME: Service.EC2,
    Thing.ADDRESS: Service.EC2,
    Thing.FILES: Service.S3,
}


class Act(StrEnum):
    """What can be done about it."""

    DELETE = "delete"
    STOP = "stop"
    SHRINK = "shrink"
    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    KEEP = "keep"

    @property
    def is_final(self) -> bool:
        """Whether what it takes away does not come back."""
        return self is Act.DELETE


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact that a finding rests on, and which of AWS's answers says so."""

    what: str
    source: str


@dataclass(frozen=True)
class Finding:
    """One reason to look at one thing.

    `lines` are what is wasted in one day, as the price list has it; `per_day` is their sum. Only what Kennel made has
    `acts`. `wanted`: for SHRINK, how many instances suffice. `receipt` is the key of what the thing has cost so far.
    """

    kind: Kind
    thing: Thing
    name: str
    nature: Nature
    evidence: tuple[Evidence, ...]
    lines: tuple[Line, ...] = ()
    why_unknown: str = ""
    is_kennels: bool = True
    acts: tuple[Act, ...] = ()
    receipt: str = ""
    of: str = ""  # the run, or what a person calls it, where the thing itself has only an id
    wanted: int = 0
    scheduled: datetime | None = None  # when a schedule deletes it
    expires: datetime | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Unique in a sweep."""
        return f"{self.kind}:{self.thing}:{self.name}"

    @property
    def subject(self) -> str:
        """The thing, whatever is said of it: what two findings are about is wasted once."""
        return f"{self.thing}:{self.name}"

    @property
    def one_day(self) -> Receipt | None:
        """The day that is wasted as a receipt, which shows how `per_day` comes about; None where nothing is known."""
        if not self.lines:
            return None
        begun, ended = min(line.started for line in self.lines), max(line.ended for line in self.lines)
        return Receipt(self.key, self.name, self.thing.service, self.nature, begun, ended, self.lines)

    @property
    def per_day(self) -> Decimal | None:
        """What it costs a day for nothing; None when that is unknown."""
        return self.one_day.amount if self.one_day else None

    @property
    def why(self) -> str:
        """Why `per_day` is unknown; "" when it is not."""
        if self.per_day is not None:
            return ""
        said = next((line.why_unknown for line in self.lines if line.amount is None), "")
        return said or self.why_unknown or "no price was found"

    @property
    def is_estimate(self) -> bool:
        return any(line.price is not None and line.price.is_estimate for line in self.lines)


@dataclass(frozen=True)
class Wasted:
    """A sum of findings a day, each thing counted once; `unknown` of its `things` are missing from it."""

    per_day: Decimal
    things: int
    unknown: int


@dataclass(frozen=True)
class Look:
    """What one part of the account showed: how many things it has, what was found, and what could not be read of it."""

    things: int
    findings: tuple[Finding, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True)
class Sweep:
    """Everything that was found at a moment, the dearest first; what was looked at, and what could not be."""

    findings: tuple[Finding, ...]
    at: datetime
    looked: Mapping[str, int] = field(default_factory=dict)  # "endpoints": 3
    unread: tuple[Unread, ...] = ()

    @cached_property
    def natures(self) -> tuple[Nature, ...]:
        there = {one.nature for one in self.findings}
        return tuple(nature for nature in Nature if nature in there)

    def of(self, nature: Nature) -> tuple[Finding, ...]:
        """The findings of one nature of money."""
        return tuple(one for one in self.findings if one.nature is nature)

    def wasted(self, nature: Nature) -> Wasted:
        """What the findings of a nature cost a day together."""
        return together(self.of(nature))

    def find(self, key: str) -> Finding | None:
        return next((one for one in self.findings if one.key == key), None)


def together(findings: Iterable[Finding]) -> Wasted:
    """The sum a day of findings of one nature: of several about one thing only the dearest counts."""
    dearest: dict[str, Decimal | None] = {}
    for one in findings:
        before = dearest.get(one.subject)
        dearest[one.subject] = one.per_day if before is None else max(before, one.per_day or before)
    known = [amount for amount in dearest.values() if amount is not None]
    return Wasted(sum(known, Decimal(0)), len(dearest), len(dearest) - len(known))


def by_thing(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], ...]:
    """What is said of each thing, together: in the order of the findings, and so the dearest reason first."""
    things: dict[str, list[Finding]] = {}
    for one in findings:
        things.setdefault(one.subject, []).append(one)
    return tuple(tuple(about) for about in things.values())


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The dearest first, unknown sums last."""
    return tuple(sorted(findings, key=lambda one: (one.per_day is None, -(one.per_day or 0), one.key)))


def is_kennels(tags: Mapping[str, str]) -> bool:
    """Whether Kennel, or its sample account, made what carries these tags."""
    return tag.is_kennels(tags) or tag.is_sample(tags)


def told(moment: datetime) -> str:
    """A moment as evidence says it, in UTC: AWS bills by UTC days."""
    return f"{moment.astimezone(UTC):%-d %b %Y, %H:%M} UTC"
