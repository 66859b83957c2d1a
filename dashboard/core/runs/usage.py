"""How much of its instances a run uses: processor, memory, disk and GPU, from CloudWatch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.runs.model import Run

SAGEMAKER, EC2 = "/aws/sagemaker/TrainingJobs", "Kennel/EC2Training"
MOST_POINTS = 180
"""Points of a chart: the period is chosen so that a run has no more."""
QUERIES = 500  # of one GetMetricData
PAGES = 20
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
    points: tuple[tuple[datetime, float], ...]
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
    queries: dict[str, tuple[Measure, str, int]] = {}
    asked: list[dict[str, Any]] = []
    for period in periods(begin, end, now):
        for number in range(1, run.instance_count + 1):
            for measure in Measure:
                name = f"q{len(asked)}"
                queries[name] = measure, f"algo-{number}", period
                asked.append(_query(name, run, measure, f"algo-{number}", period))
    found: dict[str, dict[datetime, float]] = {}
    longest = max(period for _, _, period in queries.values())
    for first in range(0, len(asked), QUERIES):
        window = {
            "StartTime": begin - timedelta(seconds=longest),
            "EndTime": end + timedelta(seconds=longest),
            "MetricDataQueries": asked[first : first + QUERIES],
        }
        for page in aws.pages("cloudwatch", "GetMetricData", limit=PAGES, **window):
            for result in page["MetricDataResults"]:
                points = zip(result.get("Timestamps", []), result.get("Values", []), strict=True)
                found.setdefault(result["Id"], {}).update(points)
    return Usage(tuple(_finest(queries, found)))


def periods(begin: datetime, end: datetime, now: datetime) -> tuple[int, ...]:
    """Seconds: the finest period with at most MOST_POINTS points, and the finest that CloudWatch still keeps."""
    wanted = (end - begin).total_seconds() / MOST_POINTS
    age = now - begin
    kept = 60 if age < _MINUTES else 300 if age < _FIVE_MINUTES else 3600
    coarse = max(kept, -int(-wanted // 60) * 60)
    fine = next((one for one in FINE if one >= max(wanted, 2)), coarse)
    return (fine, coarse) if fine < coarse and age < _HIGH_RESOLUTION else (coarse,)


def _query(name: str, run: Run, measure: Measure, host: str, period: int) -> dict[str, Any]:
    metric = {
        "Namespace": EC2 if run.is_on_ec2 else SAGEMAKER,
        "MetricName": measure.value,
        "Dimensions": [{"Name": "Host", "Value": f"{run.name}/{host}"}],
    }
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": period, "Stat": "Average"}, "ReturnData": True}


def _finest(
    queries: Mapping[str, tuple[Measure, str, int]], found: Mapping[str, Mapping[datetime, float]]
) -> Iterable[Series]:
    best: dict[tuple[Measure, str], Series] = {}
    for name, (measure, host, period) in queries.items():
        points = found.get(name)
        if not points:
            continue
        series = Series(measure, host, tuple(sorted((at.astimezone(UTC), v) for at, v in points.items())), period)
        other = best.get((measure, host))
        if other is None or len(series.points) > len(other.points):
            best[measure, host] = series
    return best.values()
