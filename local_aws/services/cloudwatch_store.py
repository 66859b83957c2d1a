"""The data points of CloudWatch metrics, in a database of their own.

Points are many and come while things run, so a commit does not wait for the disk: what was put survives this process
being killed at once, and a power cut costs at most the last seconds.

A row is what was put at one second of one series: a value and how often it was measured, or a set of statistics. That
is enough for every statistic; percentiles need values, and a real set of statistics (low < high) has none.
"""

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_aws.store import Store

Dimensions = tuple[tuple[str, str], ...]

MINUTE = 60
HOUR = 3600
DAY = 86_400
# How long each fineness is kept, as CloudWatch keeps it: seconds for 3 hours, minutes for 15 days, 5 minutes for 63
# days, hours for 455 days.
RETENTION = ((3 * HOUR, MINUTE), (15 * DAY, 5 * MINUTE), (63 * DAY, HOUR))
LONGEST = 455 * DAY
LISTED = 14 * DAY  # ListMetrics forgets a metric two weeks after its last point

_TABLES = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, region TEXT, namespace TEXT, name TEXT, dimensions TEXT, last INTEGER,
    UNIQUE (region, namespace, name, dimensions)
);
CREATE TABLE IF NOT EXISTS points (
    series INTEGER, at INTEGER, number INTEGER, unit TEXT, count REAL, total REAL, low REAL, high REAL,
    PRIMARY KEY (series, at, number)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Datum:
    """One measurement. at: epoch seconds; unit: one of CloudWatch's ("Percent", "Count", "None" …).

    count: how often `value` was measured at that moment.
    """

    name: str
    dimensions: Dimensions
    at: float
    value: float
    unit: str = "None"
    count: float = 1.0


@dataclass(frozen=True)
class StatisticSet:
    """Measurements of one moment of which only these statistics are known."""

    name: str
    dimensions: Dimensions
    at: float
    count: float
    total: float
    low: float
    high: float
    unit: str = "None"


@dataclass(frozen=True)
class Metric:
    """What names a series."""

    namespace: str
    name: str
    dimensions: Dimensions = ()


class MetricStore:
    """All reads and writes. Times are epoch seconds."""

    def __init__(self, directory: Path) -> None:
        self._store = Store(directory, name="metrics.sqlite", power_cut_safe=False)
        self._store.connection().executescript(_TABLES)
        self._known: dict[tuple[str, str, str, str], int] = {}
        self._lock = threading.Lock()
        (last,) = self._store.read("SELECT MAX(number) FROM points")[0]
        self._number = (last or 0) + 1

    def close(self) -> None:
        self._store.close()

    def put(self, region: str, namespace: str, data: Sequence[Datum | StatisticSet], *, resolution: int = 60) -> None:
        """Add measurements, in one transaction. resolution: 60 or 1, the seconds that a time is rounded down to."""
        if not data:
            return
        with self._store.transaction() as connection, self._lock:
            rows = []
            latest: dict[int, int] = {}
            for datum in data:
                at = int(datum.at // resolution) * resolution
                series = self._series(region, Metric(namespace, datum.name, datum.dimensions))
                latest[series] = max(at, latest.get(series, at))
                if isinstance(datum, Datum):
                    figures = (datum.count, datum.value * datum.count, datum.value, datum.value)
                else:
                    figures = (datum.count, datum.total, datum.low, datum.high)
                rows.append((series, at, self._number, datum.unit, *figures))
                self._number += 1
            connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            connection.executemany(
                "UPDATE series SET last = max(coalesce(last, 0), ?) WHERE id = ?",
                [(at, series) for series, at in latest.items()],
            )

    def _series(self, region: str, metric: Metric) -> int:
        key = (region, metric.namespace, metric.name, canonical(metric.dimensions))
        if key not in self._known:
            connection = self._store.connection()
            connection.execute(
                "INSERT OR IGNORE INTO series (region, namespace, name, dimensions) VALUES (?, ?, ?, ?)", key
            )
            (self._known[key],) = connection.execute(
                "SELECT id FROM series WHERE region = ? AND namespace = ? AND name = ? AND dimensions = ?", key
            ).fetchone()
        return self._known[key]


def canonical(dimensions: Iterable[tuple[str, str]]) -> str:
    """The same text for the same set of dimensions, in whatever order they came."""
    return json.dumps(sorted(dimensions), separators=(",", ":"))
