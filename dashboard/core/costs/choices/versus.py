"""One choice against another for the same work: spot against on demand, SageMaker against EC2. Pairs only. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from dashboard.core.costs.choices.groups import Group, made
from dashboard.core.costs.choices.outcomes import Outcome, Way, Work
from dashboard.core.format import duration, money, percent
from dashboard.core.runs.model import Capacity, Platform

ALONE_NOTE = (
    "SageMaker against EC2 is judged by the instances alone. EC2's sums hold a volume and an address beside them; "
    "SageMaker's volumes have no known price in most regions and are in no sum, nor are volumes of unknown size."
)
ALONE = " (the instances alone: volumes and addresses are not priced alike on both)"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ways that did the same work. `is_alike`: on the same hardware, as many instances of it, paid in the same way.

    Seconds are of training, as AWS counts them: waiting for a place is not in them.
    """

    work: Work
    one: Group
    other: Group
    is_alike: bool = True

    @property
    def saved(self) -> float | None:
        """The share of the other's cost that the one costs less, negative when it is dearer; None when unknown.

        Of the instances alone: what else is in a sum is not the same on two platforms.
        """
        if self.one.alone is None or self.other.alone is None or not self.other.alone.median:
            return None
        return 1 - float(self.one.alone.median / self.other.alone.median)

    @property
    def has_more(self) -> bool:
        """Whether more than the instances is in a sum of it, or is missing from one."""
        return any(one.instances is not None for side in (self.one, self.other) for one in side.outcomes)

    @property
    def is_sure(self) -> bool:
        """Whether the same side is cheaper however a time is read that can be read in two ways."""
        if self.one.otherwise is None and self.other.otherwise is None:
            return True
        read = replace(self, one=self.one.otherwise or self.one, other=self.other.otherwise or self.other)
        return self.saved is not None and read.saved is not None and (self.saved > 0) is (read.saved > 0)

    @property
    def slower(self) -> float | None:
        """Seconds that the one trained longer, negative when it was quicker."""
        mine, its = trained(self.one), trained(self.other)
        return None if mine is None or its is None else mine - its

    @property
    def n(self) -> int:
        """The runs on the side with fewer of them: what the pair rests on."""
        return min(self.one.n, self.other.n)


@dataclass(frozen=True, slots=True)
class SpotSaving:
    """What spot saved one way of training. `pair` is None where the same was never run on demand.

    `billed` is AWS's own figure for managed spot: 1 − BillableTimeInSeconds / TrainingTimeInSeconds, the median.
    """

    spot: Group
    work: Work
    pair: Pair | None
    billed: float | None


def trained(group: Group) -> float | None:
    """The median seconds of training of a group."""
    known = [one.trained for one in group.outcomes if one.trained is not None]
    return median(known) if known else None


def spot_savings(works: Mapping[Work, Sequence[Outcome]]) -> tuple[SpotSaving, ...]:
    """Every way that was run on spot, by work, with the same way on demand where that was run too."""
    found = []
    for work, members in works.items():
        ways = _ways(members)
        for way, spot in ways.items():
            if way.capacity is not Capacity.SPOT:
                continue
            plain = ways.get(replace(way, capacity=Capacity.ON_DEMAND))
            told = [one.run.saving for one in spot.outcomes if one.run.saving is not None]
            found.append(SpotSaving(spot, work, Pair(work, spot, plain) if plain else None,
                                    median(told) if told else None))  # fmt: skip
    return tuple(found)


def platforms(works: Mapping[Work, Sequence[Outcome]]) -> tuple[Pair, ...]:
    """SageMaker (`one`) against EC2 (`other`) for the same work, the pairs on the same hardware first.

    Ways of the same hardware, number and capacity are paired. An EC2 way without such a partner is paired with one that
    is only paid otherwise, else with the cheapest SageMaker way of the same work, and is then not `is_alike`.
    """
    found = []
    for work, members in works.items():
        ways = _ways(members)
        sagemaker = {way: group for way, group in ways.items() if way.platform is Platform.SAGEMAKER}
        if not sagemaker:
            continue
        for way, group in ways.items():
            if way.platform is not Platform.EC2:
                continue
            partner = _partner(way, sagemaker)
            found.append(Pair(work, sagemaker[partner], group, _machines(partner) == _machines(way)))
    return tuple(sorted(found, key=lambda pair: not pair.is_alike))


def _partner(way: Way, sagemaker: Mapping[Way, Group]) -> Way:
    """The SageMaker way that is the most like this one; among equals the cheapest."""

    def unlike(one: Way) -> tuple[bool, bool, tuple[bool, float]]:
        return _machines(one) != _machines(way), _machines(one)[:2] != _machines(way)[:2], _price(sagemaker[one])

    return min(sagemaker, key=unlike)


def sentence(pair: Pair) -> str:
    """A pair with its figures: "SageMaker ml.m5.large $0.0024 in 1 min 15 s, EC2 m5.large $0.002 in 1 min 20 s: …"."""
    told = ", ".join(
        f"{side.title} {_amount(side)} in {_about(side)}{duration(trained(side))}" for side in (pair.one, pair.other)
    )
    if pair.saved is None:
        return f"{told}: which is cheaper is not known"
    if round(pair.saved, 3) == 0:
        return f"{told}: they cost the same"
    better = pair.one if pair.saved > 0 else pair.other
    share = pair.saved if pair.saved > 0 else pair.saved / (pair.saved - 1)
    read = "".join(f"; {side.reading}" for side in (pair.one, pair.other) if side.reading)
    return f"{told}: {better.title} cost {percent(share)} less{ALONE if pair.has_more else ''}{read}"


def _about(side: Group) -> str:
    """Said of a time that nobody measured."""
    return "an estimated " if any(one.is_guessed for one in side.outcomes) else ""


def _amount(side: Group) -> str:
    return money(side.alone.median if side.alone else None)


def _ways(members: Sequence[Outcome]) -> dict[Way, Group]:
    ways: dict[Way, list[Outcome]] = {}
    for one in members:
        ways.setdefault(one.way, []).append(one)
    return {way: made(way.word, part) for way, part in sorted(ways.items())}


def _machines(way: Way) -> tuple[str, int, Capacity]:
    return way.hardware, way.count, way.capacity


def _price(group: Group) -> tuple[bool, float]:
    return group.cost is None, float(group.cost.median) if group.cost else 0.0
