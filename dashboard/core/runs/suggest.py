"""After a run: would a smaller or a larger instance have done better? From what it used, never from a guess. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.format import money, percent, rate
from dashboard.core.runs.instances import Hardware, hardware, offered
from dashboard.core.runs.model import Run
from dashboard.core.runs.usage import Measure, Usage

LEAST_POINTS, LEAST_SECONDS = 5, 60
"""Fewer measurements, or of less time, say nothing: a run's first minute is start-up more than training."""
BUSY, IDLE = 0.85, 0.35
"""Mean share of all cores above which more of them would help, and below which fewer would do."""
FULL = 0.9
"""Share of memory or disk, at its highest, that leaves no room."""
ROOM = 0.8
"""How much of a smaller instance may be in use: the rest is room for other data and other settings."""
GPU_UNUSED = 0.02
BURSTABLE = ("t2.", "t3.")
"""Types that keep up their full speed for minutes only: what a training used elsewhere says nothing about them."""


class Change(StrEnum):
    """Which way a suggestion goes."""

    LARGER = "larger"
    SMALLER = "smaller"
    VOLUME = "volume"


@dataclass(frozen=True)
class Suggestion:
    """Another instance type, or another volume, for the next such run, and the measured reason in one sentence."""

    change: Change
    instance_type: str
    sentence: str
    volume_gb: int | None = None

    @property
    def title(self) -> str:
        """What to do in a few words: "A smaller instance: ml.c5.large"."""
        if self.change is Change.VOLUME:
            return f"A larger volume: {self.volume_gb} GB"
        return f"A {self.change} instance: {self.instance_type}"


@dataclass(frozen=True)
class _Used:
    """What the run used: cores on average, and GiB of memory at the highest."""

    cores: float
    memory_gib: float | None
    memory: float | None  # share
    busy: float  # share of all cores


def is_too_short(usage: Usage) -> bool:
    """Whether it was measured too little to say anything: fewer than LEAST_POINTS, or LEAST_SECONDS, on every host."""
    return not any(len(one.points) >= LEAST_POINTS and one.seconds >= LEAST_SECONDS for one in usage.of(Measure.CPU))


def suggest(run: Run, usage: Usage, prices: PriceBook, region: str, *, is_embedded: bool = False) -> Suggestion | None:
    """What to run it on the next time; None when it fitted, goes on still, or was measured too little to say.

    An EC2 training of the embedded AWS (`is_embedded`) measures memory and disk of the machine that it really is on:
    they say nothing about its instance type and are left out.
    """
    of = hardware(run.instance_type)
    if of is None or run.is_tuning or not run.status.is_final or is_too_short(usage):
        return None
    if is_embedded and run.is_on_ec2:
        usage = Usage(tuple(one for one in usage.series if one.measure not in (Measure.MEMORY, Measure.DISK)))
    disk = _share(usage.highest(Measure.DISK))
    if disk is not None and disk >= FULL and run.volume_gb:
        said = f"Its disk was {percent(disk)} full: {run.volume_gb} GB leave no room for more data."
        return Suggestion(Change.VOLUME, run.instance_type, said, volume_gb=2 * run.volume_gb)
    used = _used(usage, of)
    if run.is_cached and not (used.memory is not None and used.memory >= FULL):
        return None  # what it did not compute needs cores that the next run may have to have
    if used.memory is not None and used.memory >= FULL:
        return _larger(run, of, prices, region, Hardware(of.vcpu, of.memory_gib * 2, of.gpu),
                       f"Its memory was {percent(used.memory)} full")  # fmt: skip
    gpu = _share(usage.mean(Measure.GPU))
    if of.gpu and gpu is not None and gpu < GPU_UNUSED:
        return _smaller(run, of, used, prices, region, f"Its GPU was not used ({of.gpu})", gpu=False)
    if used.busy >= BUSY and not of.gpu:
        wanted = Hardware(of.vcpu * 2, of.memory_gib)
        return _larger(
            run, of, prices, region, wanted, f"Its {of.vcpu} cores were {percent(used.busy)} busy on average"
        )
    if used.busy <= IDLE and run.status.is_good:
        said = f"Its {of.vcpu} cores were only {percent(used.busy)} busy on average"
        if used.memory_gib is not None:
            said += f", its memory {percent(used.memory)} full at the highest"
        return _smaller(run, of, used, prices, region, said, gpu=bool(of.gpu))
    return None


def _used(usage: Usage, of: Hardware) -> _Used:
    cores = (usage.mean(Measure.CPU) or 0.0) / 100
    memory = _share(usage.highest(Measure.MEMORY))
    return _Used(cores, None if memory is None else memory * of.memory_gib, memory, min(1.0, cores / of.vcpu))


def _larger(run: Run, of: Hardware, prices: PriceBook, region: str, wanted: Hardware, why: str) -> Suggestion | None:
    """The cheapest type with at least `wanted`, of the same platform."""
    found = [
        (price, name, other)
        for price, name, other in _priced(run, prices, region)
        if other.vcpu >= wanted.vcpu and other.memory_gib >= wanted.memory_gib and bool(other.gpu) is bool(wanted.gpu)
    ]
    if not found:
        return None
    price, name, other = min(found, key=lambda row: (row[0], row[1]))
    now = _price(run, prices, region)
    has = f"{other.vcpu} cores and {other.memory_gib:g} GiB for {rate(price)}"
    more = "" if now is None else f" instead of {rate(now)}"
    gain = "" if other.vcpu == of.vcpu else f": at best it takes {percent(of.vcpu / other.vcpu)} of the time"
    return Suggestion(Change.LARGER, name, f"{why}; {name} has {has}{more}{gain}.")


def _smaller(
    run: Run, of: Hardware, used: _Used, prices: PriceBook, region: str, why: str, *, gpu: bool
) -> Suggestion | None:
    """The cheapest type that what was used fits in with room to spare, if it costs less than this one."""
    now = _price(run, prices, region)
    if now is None or used.memory_gib is None:
        return None
    fits = [
        (price, name, other)
        for price, name, other in _priced(run, prices, region)
        if price < now
        and other.vcpu * ROOM >= used.cores
        and other.memory_gib * ROOM >= used.memory_gib
        and bool(other.gpu) is gpu
    ]
    if not fits:
        return None
    price, name, other = min(fits, key=lambda row: (row[0], row[1]))
    hours = Decimal(str(run.billable_seconds or 0)) / 3600 * run.instance_count
    saved = f", {money((now - price) * hours)} less for a run like this" if hours and other.vcpu >= of.vcpu else ""
    has = f"{other.vcpu} cores and {other.memory_gib:g} GiB for {rate(price)} instead of {rate(now)}"
    return Suggestion(Change.SMALLER, name, f"{why}; {name} has {has}{saved}.")


def _priced(run: Run, prices: PriceBook, region: str) -> Iterator[tuple[Decimal, str, Hardware]]:
    for name in offered(run.platform):
        if name.removeprefix("ml.").startswith(BURSTABLE):
            continue
        price, other = prices.price(_kind(run), name, region), hardware(name)
        if price is not None and other is not None and name != run.instance_type:
            yield price.amount, name, other


def _price(run: Run, prices: PriceBook, region: str) -> Decimal | None:
    found = prices.price(_kind(run), run.instance_type, region)
    return found.amount if found else None


def _kind(run: Run) -> Kind:
    return Kind.EC2 if run.is_on_ec2 else Kind.SAGEMAKER_TRAINING


def _share(value: float | None) -> float | None:
    return None if value is None else value / 100
