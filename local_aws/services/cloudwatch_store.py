"""The data points of CloudWatch metrics, in a database of their own.

Points are many and come while things run, so a commit does not wait for the disk: what was put survives this process
being killed at once, and a power cut costs at most the last seconds.

A row is what was put at one second of one series: a value and how often it was measured, or a set of statistics. That
is enough for every statistic; percentiles need values, and a real set of statistics (low < high) has none. What is
older than 15 days is such a set of 5 minutes or an hour: unlike CloudWatch, this keeps no percentiles of it.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from local_aws.services.cloudwatch_statistics import Bin
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
CREATE TABLE IF NOT EXISTS numbers (reserved INTEGER);
INSERT INTO numbers SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM numbers);
"""
_RESERVED_AT_ONCE = 100_000
_FIND = "SELECT id FROM series WHERE region = ? AND namespace = ? AND name = ? AND dimensions = ?"


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
    """All reads and writes. Times are epoch seconds. fine: what is put is kept to the second, whatever is asked for."""

    def __init__(self, directory: Path, *, fine: bool = False) -> None:
        self._fine = fine
        self._store = Store(directory, name="metrics.sqlite", power_cut_safe=False)
        self._store.connection().executescript(_TABLES)
        self._known: dict[tuple[str, str, str, str], int] = {}  # only touched inside a transaction
        self._number = self._reserved = 0

    def close(self) -> None:
        self._store.close()

    def put(self, region: str, namespace: str, data: Sequence[Datum | StatisticSet], *, resolution: int = 60) -> None:
        """Add measurements, in one transaction. resolution: 60 or 1, the seconds that a time is rounded down to."""
        if not data:
            return
        resolution = 1 if self._fine else resolution
        made: list[tuple[str, str, str, str]] = []
        try:
            with self._writing() as connection:
                rows = []
                latest: dict[int, int] = {}
                for datum in data:
                    at = int(datum.at // resolution) * resolution
                    series = self._series(
                        connection, _key(region, Metric(namespace, datum.name, datum.dimensions)), made
                    )
                    latest[series] = max(at, latest.get(series, at))
                    if isinstance(datum, Datum):
                        figures = (datum.count, datum.value * datum.count, datum.value, datum.value)
                    else:
                        figures = (datum.count, datum.total, datum.low, datum.high)
                    rows.append((series, at, self._next_number(connection), datum.unit, *figures))
                connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
                connection.executemany(
                    "UPDATE series SET last = max(coalesce(last, 0), ?) WHERE id = ?",
                    [(at, series) for series, at in latest.items()],
                )
        except BaseException:
            for key in made:  # what the transaction made is gone with it
                self._known.pop(key, None)
            raise

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._store.transaction() as connection:
                yield connection
        except BaseException:
            self._reserved = 0  # a block of numbers that was reserved in it is not
            raise

    def _next_number(self, connection: sqlite3.Connection) -> int:
        """A number no point ever had, so that points of one moment stay apart; reserved in blocks, over restarts."""
        if self._number >= self._reserved:
            connection.execute("UPDATE numbers SET reserved = reserved + ?", (_RESERVED_AT_ONCE,))
            (self._reserved,) = connection.execute("SELECT reserved FROM numbers").fetchone()
            self._number = self._reserved - _RESERVED_AT_ONCE
        self._number += 1
        return self._number

    def _series(
        self,
        connection: sqlite3.Connection,
        key: tuple[str, str, str, str],
        made: list[tuple[str, str, str, str]],
    ) -> int:
        if key not in self._known:
            connection.execute(
                "INSERT OR IGNORE INTO series (region, namespace, name, dimensions) VALUES (?, ?, ?, ?)", key
            )
            (self._known[key],) = connection.execute(_FIND, key).fetchone()
            made.append(key)
        return self._known[key]

    def bins(
        self,
        region: str,
        metric: Metric,
        *,
        start: int,
        end: int,
        period: int,
        since: int = 0,
        unit: str | None = None,
        values: bool = False,
    ) -> list[Bin]:
        """The points with start ≤ time < end in periods counted from `start`, by time and unit, without empty ones.

        Only the series of exactly these dimensions. since: nothing older than that. unit: only points of that unit.
        values: with the measurements themselves, for percentiles.
        """
        found = self._store.read(_FIND, *_key(region, metric))
        if not found:
            return []
        where = "FROM points WHERE series = ? AND at >= ? AND at < ?" + (" AND unit = ?" if unit else "")
        args = (start, start, period, period, found[0]["id"], max(start, since), end, *((unit,) if unit else ()))
        rows = self._store.connection().execute(
            "SELECT ? + (at - ?) / ? * ? AS bin, unit, sum(count), sum(total), min(low), max(high) "
            f"{where} GROUP BY bin, unit ORDER BY bin, unit",
            args,
        )
        plain = [Bin(*row) for row in rows]
        if not values:
            return plain
        rows = self._store.connection().execute(
            f"SELECT ? + (at - ?) / ? * ? AS bin, unit, low, high, count {where} ORDER BY bin, unit, low",
            args,
        )
        measured: dict[tuple[int, str], list[tuple[float, float]] | None] = {}
        for (at, of_unit), group in groupby(rows, key=lambda row: (row[0], row[1])):
            members = list(group)
            known = all(row[2] == row[3] for row in members)
            measured[at, of_unit] = [(row[2], row[4]) for row in members] if known else None
        return [replace(bin, values=measured.get((bin.at, bin.unit))) for bin in plain]

    def metrics(
        self,
        region: str,
        *,
        since: int,
        namespace: str | None = None,
        name: str | None = None,
        after: int = 0,
    ) -> Iterator[tuple[int, Metric]]:
        """The metrics with a point at or after `since`, each with its number here; those numbered above `after`."""
        sql = "SELECT id, namespace, name, dimensions FROM series WHERE region = ? AND last >= ? AND id > ?"
        args: list[str | int] = [region, since, after]
        for column, wanted in (("namespace", namespace), ("name", name)):
            if wanted is not None:
                sql += f" AND {column} = ?"
                args.append(wanted)
        for row in self._store.connection().execute(sql + " ORDER BY id", args):
            pairs = tuple((key, value) for key, value in json.loads(row["dimensions"]))
            yield row["id"], Metric(row["namespace"], row["name"], pairs)

    def compact(self, now: float) -> None:
        """Make old points as coarse as RETENTION says, and forget those beyond LONGEST."""
        with self._writing() as connection:
            age, width = RETENTION[0]
            connection.execute("UPDATE points SET at = at - at % ? WHERE at < ? AND at % ?", (width, now - age, width))
            for age, width in RETENTION[1:]:
                self._merge(connection, int(now - age), width)
            connection.execute("DELETE FROM points WHERE at < ?", (now - LONGEST,))
            gone = connection.execute("DELETE FROM series WHERE coalesce(last, 0) < ?", (now - LONGEST,)).rowcount
            if gone:
                self._known.clear()

    def _merge(self, connection: sqlite3.Connection, before: int, width: int) -> None:
        """One row for each bin of `width` seconds and unit, of what is older than `before`."""
        before -= before % width  # whole bins only
        merged = connection.execute(
            "SELECT series, at - at % ? AS bin, unit, sum(count), sum(total), min(low), max(high) FROM points "
            "WHERE at < ? GROUP BY series, bin, unit HAVING count(*) > 1 OR min(at) % ?",
            (width, before, width),
        ).fetchall()
        for series, at, unit, *figures in merged:
            connection.execute(
                "DELETE FROM points WHERE series = ? AND at >= ? AND at < ? AND unit = ?",
                (series, at, at + width, unit),
            )
            number = self._next_number(connection)
            connection.execute(
                "INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (series, at, number, unit, *figures)
            )


def _key(region: str, metric: Metric) -> tuple[str, str, str, str]:
    return region, metric.namespace, metric.name, canonical(metric.dimensions)


def canonical(dimensions: Iterable[tuple[str, str]]) -> str:
    """The same text for the same set of dimensions, in whatever order they came."""
    return json.dumps(sorted(dimensions), separators=(",", ":"))
