"""Metrics: 20 series read from an account of 50,000 points, by the embedded AWS and by moto, whose protocol it speaks.

Ours answers over HTTP from another process and its database; moto's backend is asked in this process, from memory, so
that the comparison leaves out what would only cost moto more.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.rows import Row, interleaved

SERIES = 20
POINTS = 2_500  # of each
NAMESPACE = "Kennel/Bench"
SEVERAL = 10  # of ours against one of moto's, which takes its time
ROUNDS = 1


def rows() -> list[Row]:
    from moto.cloudwatch.models import CloudWatchBackend

    from tests.conftest import start_embedded, stop_embedded

    now = datetime.now(UTC).replace(second=0, microsecond=0)
    data = [_datum(number, minute, now) for number in range(SERIES) for minute in range(POINTS)]
    queries = [_query(number) for number in range(SERIES)]
    window = {"StartTime": now - timedelta(minutes=POINTS), "EndTime": now + timedelta(minutes=1)}
    moto = CloudWatchBackend("us-east-1", "123456789012")
    with tempfile.TemporaryDirectory() as folder:
        embedded = start_embedded(Path(folder))
        try:
            client = embedded.client("cloudwatch")
            for start in range(0, len(data), 1000):
                client.put_metric_data(Namespace=NAMESPACE, MetricData=data[start : start + 1000])
                moto.put_metric_data(NAMESPACE, data[start : start + 1000])

            def ours() -> list[Any]:
                return list(client.get_metric_data(MetricDataQueries=queries, **window)["MetricDataResults"])

            def theirs() -> list[Any]:
                return list(
                    moto.get_metric_data(queries=queries, start_time=window["StartTime"], end_time=window["EndTime"])
                )

            _same(ours(), theirs())
            several, baseline = interleaved(lambda: [ours() for _ in range(SEVERAL)], theirs, rounds=ROUNDS)
        finally:
            stop_embedded(embedded)
    note = f"{SERIES} averages by 10 minutes in one GetMetricData; ours over HTTP, moto's backend called directly"
    return [
        Row.of_times(f"metrics: {SERIES} queries over {len(data):,} points", several / SEVERAL, baseline, "s", note)
    ]


def _datum(number: int, minute: int, now: datetime) -> dict[str, Any]:
    return {
        "MetricName": f"m{number}",
        "Dimensions": [{"Name": "Host", "Value": "job/algo-1"}],
        "Timestamp": now - timedelta(minutes=minute),
        "Value": float((number * 31 + minute * 7) % 100),
        "Unit": "Percent",
    }


def _query(number: int) -> dict[str, Any]:
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": f"m{number}",
        "Dimensions": [{"Name": "Host", "Value": "job/algo-1"}],
    }
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 600, "Stat": "Average"}}


def _same(ours: list[Any], theirs: list[Any]) -> None:
    """Both must have done the same work. Raises RuntimeError."""
    for one, other in zip(ours, theirs, strict=True):
        if len(one["Values"]) != len(other["values"]) or abs(sum(one["Values"]) - sum(other["values"])) > 1e-6:
            raise RuntimeError(f"the two disagree on {one['Id']}")
