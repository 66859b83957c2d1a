"""How long the same work would train on other machines: measured where it was run, else scaled by cores. Pure.

How much a training gains from more cores lies between nothing and all of it. Where it was measured on machines of
different sizes, that says where between; where it was not, the middle is taken. The whole range is always given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import log
from statistics import mean, median

from dashboard.core.costs.choices.outcomes import Outcome, Way, Work
from dashboard.core.format import count, duration
from dashboard.core.runs.instances import Hardware, hardware
from dashboard.core.runs.model import Capacity
from dashboard.core.runs.suggest import BURSTABLE

UNMEASURED = 0.5
"""The exponent of a gain that nobody measured: half way, in logarithms, between no gain from cores (0) and all (1)."""


class Basis(StrEnum):
    """What an answer rests on."""

    MEASURED = "measured"  # such runs were made here: what they took and cost
    REPLAYED = "replayed"  # others tell of such a run; their duration may be an estimate
    PRICED = "measured time"  # such runs were made, paid otherwise or elsewhere: their time × another price
    ESTIMATED = "estimate"  # no such run: time and cost are estimates

    @property
    def is_estimate(self) -> bool:
        return self is not Basis.MEASURED

    @classmethod
    def of(cls, runs: Sequence[Outcome]) -> "Basis":
        """Of runs that were made in just this way."""
        return cls.REPLAYED if any(one.run.is_replayed for one in runs) else cls.MEASURED


@dataclass(frozen=True, slots=True)
class Range:
    """A figure that is not sure: seconds, or USD in `Money`."""

    low: float
    likely: float
    high: float

    def plus(self, more: float) -> "Range":
        return Range(self.low + more, self.likely + more, self.high + more)

    def times(self, low: float, likely: float, high: float) -> "Range":
        return Range(self.low * low, self.likely * likely, self.high * high)


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds of training, how they are known, and of how many runs."""

    seconds: Range
    basis: Basis
    how: str
    n: int


Machines = Mapping[Way, Sequence[Outcome]]
"""The trainings on each kind of machine, and number of them, however they were paid: its speed is the same."""


def machines_of(trainings: Sequence[Outcome]) -> Machines:
    """Trainings by what they ran on."""
    found: dict[Way, list[Outcome]] = {}
    for one in trainings:
        found.setdefault(_unpaid(one.way), []).append(one)
    return found


def training_time(way: Way, machines: Machines, work: Work, gain: tuple[float, int] | None) -> Time | str:
    """How long this way trains, or why that is not known."""
    same = machines.get(_unpaid(way))
    if same:
        return Time(spread(same), Basis.MEASURED, f"the time of {_runs(same)} on it", len(same))
    of = hardware(way.instance_type)
    if of is None:
        return f"{way.instance_type} is not in the table of instance types"
    if way.hardware.startswith(BURSTABLE):
        return f"{way.hardware} keeps up its full speed for minutes only: runs elsewhere do not tell its time"
    if of.gpu and _uses_gpu(work):
        return f"nothing was measured on a GPU such as {of.gpu}"
    known = [on for on in machines if _can_be_scaled(on, of)]
    if not known:
        return "no run of this work on hardware that can be compared"
    # As many instances, and the nearest number of cores: a short way to scale is a sure one.
    nearest = min(known, key=lambda on: (on.count != way.count, abs(log(_cores(on) / (of.vcpu * way.count))), on))
    return _scaled(way, of, machines[nearest], gain)


def _unpaid(way: Way) -> Way:
    return replace(way, capacity=Capacity.ON_DEMAND)


def _uses_gpu(work: Work) -> bool:
    given = dict(work.settings)
    return given.get("unfreeze", "0") != "0" or given.get("engine") == "torch"


def _can_be_scaled(on: Way, to: Hardware) -> bool:
    of = hardware(on.instance_type)
    return of is not None and not on.hardware.startswith(BURSTABLE) and (not of.gpu or bool(to.gpu))


def _cores(way: Way) -> int:
    of = hardware(way.instance_type)
    return of.vcpu * way.count if of else 0


def _scaled(way: Way, of: Hardware, base: Sequence[Outcome], gain: tuple[float, int] | None) -> Time:
    on = base[0].way
    its, mine = _cores(on), of.vcpu * way.count
    from_ = f"{_runs(base)} on {on.platform.word} {_machines(on)}"
    its_spread = spread(base)
    whole = its / mine  # the share of the time if all of it shrinks, or grows, with the cores
    alone = its / (of.vcpu * on.count)  # the same if more instances gain nothing, as where each does all of the work
    low, high = min(1.0, whole, alone), max(1.0, whole, alone)
    if low == high:
        how = f"as long as {from_}, with as many cores"
        if its_spread.low == its_spread.high:
            how += "; how far that may be off is not known"
        return Time(its_spread, Basis.ESTIMATED, how, len(base))
    exponent, sizes = gain or (UNMEASURED, 0)
    said = (
        f"what {sizes} sizes of machine gained" if sizes else "half way, because what more cores gain was not measured"
    )
    if way.count != on.count:
        said += f"; runs on {count(way.count, 'instance')} would tell more"
    how = f"{from_} ({count(its, 'core')}) scaled to {count(mine, 'core')}, between no change and in proportion; {said}"
    return Time(its_spread.times(low, whole**exponent, high), Basis.ESTIMATED, how, len(base))


def gain_of(machines: Machines) -> tuple[float, int] | None:
    """The exponent e of time ~ cores^−e, 0..1, and of how many sizes it was told; None with fewer than two.

    Least squares through the logarithms of each size's median time, on one instance: what several gain is another
    question (see `scaling`). A duration that was itself scaled by cores says nothing about that.
    """
    sizes: dict[int, list[float]] = {}
    for on, trainings in machines.items():
        of = hardware(on.instance_type)
        if of is None or of.gpu or on.count > 1 or on.hardware.startswith(BURSTABLE):
            continue
        sizes.setdefault(_cores(on), []).extend(one.trained for one in trainings if one.trained and not one.is_guessed)
    sizes = {cores: seconds for cores, seconds in sizes.items() if seconds}
    if len(sizes) < 2:
        return None
    points = [(log(cores), log(median(seconds))) for cores, seconds in sizes.items()]
    middle_x, middle_y = mean(x for x, _ in points), mean(y for _, y in points)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / sum((x - middle_x) ** 2 for x, _ in points)
    return min(1.0, max(0.0, -slope)), len(sizes)


def spread(members: Sequence[Outcome]) -> Range:
    """The least, the middle and the most seconds of training of some runs."""
    seconds = sorted(one.trained or 0.0 for one in members)
    return Range(seconds[0], median(seconds), seconds[-1])


def _runs(members: Sequence[Outcome]) -> str:
    took = duration(median(one.trained or 0.0 for one in members))
    guessed = ", itself an estimate" if any(one.is_guessed for one in members) else ""
    if len(members) == 1:
        return f"the one run ({took}{guessed})"
    return f"{len(members)} runs (median {took}{guessed})"


def _machines(way: Way) -> str:
    return way.instance_type if way.count == 1 else f"{way.count} × {way.instance_type}"
