"""How much of its instances a run uses: processor, memory, disk and GPU, from CloudWatch."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dashboard.core import metrics
from dashboard.core.aws import Aws
from dashboard.core.metrics import Points, Statistic
from dashboard.core.runs.model import Run

SAGEMAKER, EC2 = "/aws/sagemaker/TrainingJobs", "Kennel/EC2Training"
MOST_POINTS = 180
"""Points of a chart: the period is chosen so that a run has no more."""
FINE = (1, 5, 10, 30)
"""Periods that CloudWatch keeps for three hours, and only for metrics of high resolution; the others are minutes."""
_HIGH_RESOLUTION, _MINUTES, _FIVE_MINUTES = timedelta(hours=3), timedelta(days=15), timedelta(days=63)


class Measure(StrEnum):
    """What is measured. CPU and GPU utilization are 100 for each core or GPU; the others are percent of the whole."""

    CPU = "CPUUtilization"
    MEMORY = "MemoryUtilization"
    DISK = "DiskUtilization"
    GPU = "GPUUtilization"
    GPU_MEMORY = "GPUMemoryUtilization"


@dataclass(frozen=True)
class Series:
    """One measure of one host ("algo-1"): (moment, percent), in order of time, averaged over `period` seconds."""

    measure: Measure
    host: str
    points: Points
    period: int

    @property
    def seconds(self) -> float:
        """How much time it covers."""
        return (self.points[-1][0] - self.points[0][0]).total_seconds() + self.period

    @property
    def highest(self) -> float:
        return max(value for _, value in self.points)

    @property
    def mean(self) -> float:
        return sum(value for _, value in self.points) / len(self.points)


@dataclass(frozen=True)
class Usage:
    """The use of a run's instances; a measure that was never taken has no series."""

    series: tuple[Series, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.series

    def of(self, measure: Measure) -> tuple[Series, ...]:
        """A measure's series, one a host."""
        return tuple(one for one in self.series if one.measure == measure)

    def highest(self, measure: Measure) -> float | None:
        """The highest value on any host; None when it was not measured."""
        return max((one.highest for one in self.of(measure)), default=None)

    def mean(self, measure: Measure) -> float | None:
        """The mean over the run and its hosts; None when it was not measured."""
        found = self.of(measure)
        return sum(one.mean for one in found) / len(found) if found else None


def usage(aws: Aws, run: Run, now: datetime) -> Usage:
    """What a run used from its start to its end, or to `now`. A tuning job's trials have theirs; it has none itself.

    Asks in a fine period and one that CloudWatch keeps longer, and takes for each series the finer one that has points.
    Raises the errors of `Aws.call`.
    """
    if run.is_tuning:
        return Usage()
    begin = run.started or run.created
    end = max(run.ended or now, begin)
    series: list[Series] = []
    statistics: list[Statistic] = []
    for period in periods(begin, end, now):
        for number in range(1, run.instance_count + 1):
            for measure in Measure:
                host = f"algo-{number}"
                series.append(Series(measure, host, (), period))
                whose = (("Host", f"{run.name}/{host}"),)
                namespace = EC2 if run.is_on_ec2 else SAGEMAKER
                statistics.append(Statistic(namespace, measure.value, whose, "Average", period))
    longest = timedelta(seconds=max(one.period for one in series))
    found = metrics.read(aws, statistics, begin - longest, end + longest)
    return Usage(_finest(replace(one, points=points) for one, points in zip(series, found, strict=True) if points))


def periods(begin: datetime, end: datetime, now: datetime) -> tuple[int, ...]:
    """Seconds: the finest period with at most MOST_POINTS points, and the finest that CloudWatch still keeps."""
    wanted = (end - begin).total_seconds() / MOST_POINTS
    age = now - begin
    kept = 60 if age < _MINUTES else 300 if age < _FIVE_MINUTES else 3600
    coarse = max(kept, -int(-wanted // 60) * 60)
    fine = next((one for one in FINE if one >= max(wanted, 2)), coarse)
    return (fine, coarse) if fine < coarse and age < _HIGH_RESOLUTION else (coarse,)


def _finest(series: Iterable[Series]) -> tuple[Series, ...]:
    best: dict[tuple[Measure, str], Series] = {}
    for one in series:
        other = best.get((one.measure, one.host))
        if other is None or len(one.points) > len(other.points):
            best[one.measure, one.host] = one
    return tuple(best.values())
