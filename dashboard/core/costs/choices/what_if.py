"""The same work on other instances, in other regions, on spot: what was measured, else an estimate. Pure.

Every answer says what it rests on, and how an estimate was made (see `what_if_time` for its time).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from statistics import median

from dashboard.core import tags
from dashboard.core.costs.choices.outcomes import Outcome, Way, Work
from dashboard.core.costs.choices.what_if_time import Basis, Machines, Range, Time, gain_of, machines_of, training_time
from dashboard.core.costs.ec2 import ec2_quote
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import Quote, quote
from dashboard.core.format import count, duration, percent
from dashboard.core.runs.instances import offered
from dashboard.core.runs.model import Capacity, Platform
from dashboard.core.runs.reading import reading
from dashboard.core.runs.surroundings import SpotPrice

AHEAD = 0.5
"""Seconds from launch to end without the training that are worth a word."""


@dataclass(frozen=True, slots=True)
class Money:
    """USD that are not sure."""

    low: Decimal
    likely: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Option:
    """One way of doing the work in one region. `seconds` are from launch to end; None is unknown, and `why` says why.

    `how` says how the figures were made, for a person; `n` are the runs that they rest on.
    """

    way: Way
    region: str
    basis: Basis
    seconds: Range | None
    cost: Money | None
    how: str = ""
    why_unknown: str = ""
    n: int = 0


@dataclass(frozen=True)
class Question:
    """What is asked: on so many instances, in these regions; `home` is the account's own.

    `spot_prices` are EC2's in `home` right now, by instance type; elsewhere they are not known.
    """

    home: str
    regions: tuple[str, ...] = ()
    count: int = 1
    spot_prices: Mapping[str, SpotPrice] = field(default_factory=dict)
    why_no_spot: str = ""  # why they could not be read


@dataclass(frozen=True)
class _Known:
    """What the trainings of one work tell, made once for all options."""

    trainings: Sequence[Outcome]

    @cached_property
    def machines(self) -> Machines:
        return machines_of(self.trainings)

    @cached_property
    def ways(self) -> Mapping[Way, Sequence[Outcome]]:
        found: dict[Way, list[Outcome]] = {}
        for one in self.trainings:
            found.setdefault(one.way, []).append(one)
        return found

    @cached_property
    def saved(self) -> Sequence[float]:
        """What managed spot saved, run by run."""
        return [share for one in self.trainings if (share := one.run.saving) is not None]

    @cached_property
    def volume_gb(self) -> int:
        return max((one.run.volume_gb or 0 for one in self.trainings), default=0)

    @cached_property
    def _ahead(self) -> Mapping[Platform, float]:
        waits: dict[Platform, list[float]] = {}
        for one in self.trainings:
            waits.setdefault(one.way.platform, []).append(max(0.0, one.seconds - (one.trained or 0.0)))
        return {platform: median(seconds) for platform, seconds in waits.items()}

    def ahead(self, platform: Platform) -> float:
        """Seconds of a run that are no training: of this platform's, else of the other's."""
        return self._ahead.get(platform, next(iter(self._ahead.values())))


def what_if(work: Work, members: Sequence[Outcome], prices: PriceBook, asked: Question) -> tuple[Option, ...]:
    """Every way on offer, in every region asked for, the cheapest first, those of unknown cost last.

    `members` are runs of this one work and of one nature of money. Without any there is nothing to go by: ().
    """
    known = _Known([one for one in members if one.trained])
    if not known.trainings:
        return ()
    gain = gain_of(known.machines)
    found: list[Option] = []
    for way in _ways(known, asked.count):
        time = training_time(way, known.machines, work, gain)
        regions = dict.fromkeys(asked.regions or (asked.home,))
        found += [_option(way, region, time, known, prices, asked) for region in regions]
    return tuple(sorted(found, key=_order))


def regions_of(prices: PriceBook) -> tuple[str, ...]:
    """The regions that trainings can be priced in."""
    return tuple(sorted({region for kind, _, region in prices.prices if kind is Kind.SAGEMAKER_TRAINING}))


def _ways(known: _Known, number: int) -> Iterable[Way]:
    for platform in Platform:
        here = [way.instance_type for way in known.machines if way.platform is platform]
        for kind in dict.fromkeys((*offered(platform), *here)):
            for capacity in Capacity:
                if platform is Platform.SAGEMAKER or number == 1:  # an EC2 training runs on one instance
                    yield Way(platform, kind, number, capacity)


def _option(way: Way, region: str, time: Time | str, known: _Known, prices: PriceBook, asked: Question) -> Option:
    same = known.ways.get(way, ())
    if same and region == asked.home and all(one.amount is not None for one in same):
        return _measured(way, region, same)
    if isinstance(time, str):
        return Option(way, region, Basis.ESTIMATED, None, None, why_unknown=time)
    basis = Basis.ESTIMATED if time.basis is Basis.ESTIMATED else Basis.PRICED
    cost, how, why = _cost(way, region, time.seconds, known, prices, asked)
    ahead = known.ahead(way.platform)
    beside = f"with {duration(ahead)} until it begins and after its end" if ahead >= AHEAD else ""
    silent = next((one.why_unknown for one in same if one.amount is None), "")
    own = f"what its own run cost is not known: {silent}" if silent and region == asked.home else ""
    said = "; ".join(part for part in (time.how, beside, how, own) if part)
    return Option(way, region, basis, time.seconds.plus(ahead), cost, said, why, time.n)


def _measured(way: Way, region: str, same: Sequence[Outcome]) -> Option:
    amounts = sorted(one.amount for one in same if one.amount is not None)
    seconds = sorted(one.seconds for one in same)
    return Option(
        way,
        region,
        Basis.of(same),
        Range(seconds[0], median(seconds), seconds[-1]),
        Money(amounts[0], median(amounts), amounts[-1]),
        _those(same),
        n=len(same),
    )


def _those(same: Sequence[Outcome]) -> str:
    how = "the one run of this" if len(same) == 1 else f"median of {len(same)} runs of this, from least to most"
    basis = next((told for one in same if (told := one.run.tags.get(tags.REPLAY_BASIS, ""))), "")
    read = next((told for one in same if (told := reading(one.run, one.amount))), "")
    return ", ".join(part for part in (how, basis, read) if part)


def _cost(
    way: Way, region: str, seconds: Range, known: _Known, prices: PriceBook, asked: Question
) -> tuple[Money | None, str, str]:
    """What these seconds cost, how that was made, and why it is unknown."""
    if way.platform is Platform.EC2:
        return _ec2(way, region, seconds, known, prices, asked)
    shares = (1.0, 1.0, 1.0)
    how = ""
    if way.capacity is Capacity.SPOT:
        saved = known.saved
        if not saved:
            return None, "", "SageMaker does not tell its spot prices, and no run of this work was on its spot yet"
        shares = (1 - max(saved), 1 - median(saved), 1 - min(saved))
        how = f"spot saved {percent(median(saved))} in {count(len(saved), 'run')} of this work"
    made = [
        quote(prices, Kind.SAGEMAKER_TRAINING, way.instance_type, region, seconds=value * share, count=way.count)
        for value, share in zip((seconds.low, seconds.likely, seconds.high), shares, strict=True)
    ]
    return _money(made, how, region, asked.home)


def _ec2(
    way: Way, region: str, seconds: Range, known: _Known, prices: PriceBook, asked: Question
) -> tuple[Money | None, str, str]:
    spot = None
    how = ""
    if way.capacity is Capacity.SPOT:
        if region != asked.home:
            return None, "", f"the spot prices of {region} were not read"
        now = asked.spot_prices.get(way.instance_type)
        if now is None:
            return None, "", asked.why_no_spot or f"EC2 tells no spot price of {way.instance_type} in {region}"
        spot, how = now.price, f"at the spot price of {now.date:%Y-%m-%d}, which moves"
    made = [
        ec2_quote(prices, way.instance_type, region, seconds=value, volume_gb=known.volume_gb, spot=spot)
        for value in (seconds.low, seconds.likely, seconds.high)
    ]
    return _money(made, "; ".join(part for part in (how, made[1].basis) if part), region, asked.home)


def _money(made: Sequence[Quote], how: str, region: str, home: str) -> tuple[Money | None, str, str]:
    low, likely, high = (one.amount for one in made)
    if low is None or likely is None or high is None:
        return None, how, made[1].why_unknown
    if made[1].is_estimate and "spot" not in how:
        how = "; ".join(part for part in (how, f"the price is an estimate ({made[1].source})") if part)
    if region != home:
        how = "; ".join(part for part in (how, f"at the price of {region}") if part)
    return Money(low, likely, high), how, ""


def _order(one: Option) -> tuple[bool, Decimal, bool, float, str, Way]:
    return (
        one.cost is None,
        one.cost.likely if one.cost else Decimal(0),
        one.seconds is None,
        one.seconds.likely if one.seconds else 0.0,
        one.region,
        one.way,
    )
