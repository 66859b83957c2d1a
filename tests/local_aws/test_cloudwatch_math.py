"""Metric math: what expressions give, and the sentences for those that give nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.cloudwatch import CloudWatch
from local_aws.services.cloudwatch_store import Datum, MetricStore

CALLER = Caller("123456789012", "us-east-1", "AKIA", "arn:aws:iam::123456789012:root")
NOW = 1_800_000_000
SERIES: Mapping[str, Mapping[int, float]] = {  # figures by minute
    "a": {0: 1.0, 1: 2.0, 2: 3.0, 4: 5.0},
    "b": {0: 10.0, 1: 0.0, 3: 40.0, 4: 50.0},
    "c": {2: -4.0},
}


@pytest.fixture
def service(tmp_path: Path) -> CloudWatch:
    store = MetricStore(tmp_path)
    for name, figures in SERIES.items():
        store.put("us-east-1", "N", [Datum(name, (), NOW - 300 + 60 * at, value) for at, value in figures.items()])
    return CloudWatch(store, now=lambda: float(NOW))


def answer(service: CloudWatch, *expressions: str, returned: bool = True) -> list[dict[str, Any]]:
    """What GetMetricData gives for expressions e0, e1 … over the metrics a, b and c."""
    queries: list[dict[str, Any]] = [
        {
            "Id": name,
            "MetricStat": {"Metric": {"Namespace": "N", "MetricName": name}, "Period": 60, "Stat": "Average"},
            "ReturnData": False,
        }
        for name in SERIES
    ]
    queries += [{"Id": f"e{number}", "Expression": text} for number, text in enumerate(expressions)]
    params = {
        "MetricDataQueries": queries,
        "StartTime": datetime.fromtimestamp(NOW - 300, UTC),
        "EndTime": datetime.fromtimestamp(NOW, UTC),
        "ScanBy": "TimestampAscending",
    }
    return list(service.get_metric_data(params, CALLER)["MetricDataResults"])


def by_minute(result: dict[str, Any]) -> dict[int, float]:
    minutes = [round((at.timestamp() - NOW + 300) / 60) for at in result["Timestamps"]]
    return dict(zip(minutes, result["Values"], strict=True))


@pytest.mark.parametrize(
    ("expression", "figures"),
    [
        ("a + b", {0: 11.0, 1: 2.0, 4: 55.0}),  # only the moments that both have
        ("a * 2 - 1", {0: 1.0, 1: 3.0, 2: 5.0, 4: 9.0}),
        ("1 + 2 * a ^ 2", {0: 3.0, 1: 9.0, 2: 19.0, 4: 51.0}),
        ("(1 + 2) * a", {0: 3.0, 1: 6.0, 2: 9.0, 4: 15.0}),
        ("-a", {0: -1.0, 1: -2.0, 2: -3.0, 4: -5.0}),
        ("a / b", {0: 0.1, 4: 0.1}),  # nothing where it would divide by zero
        ("22 * a / SUM(a)", {0: 2.0, 1: 4.0, 2: 6.0, 4: 10.0}),
        ("SUM([a, b])", {0: 11.0, 1: 2.0, 2: 3.0, 3: 40.0, 4: 55.0}),
        ("AVG(METRICS())", {0: 5.5, 1: 1.0, 2: -0.5, 3: 40.0, 4: 27.5}),
        ('SUM(METRICS("b"))', {0: 10.0, 1: 0.0, 3: 40.0, 4: 50.0}),
        ("MAX([a, c])", {0: 1.0, 1: 2.0, 2: 3.0, 4: 5.0}),
        ("MIN([a, c])", {0: 1.0, 1: 2.0, 2: -4.0, 4: 5.0}),
        ("a - AVG(a)", {0: -1.75, 1: -0.75, 2: 0.25, 4: 2.25}),
        ("ABS(c) + MAX(b)", {2: 54.0}),
        ("CEIL(a / 2)", {0: 1.0, 1: 1.0, 2: 2.0, 4: 3.0}),
        ("FLOOR(a / 2)", {0: 0.0, 1: 1.0, 2: 1.0, 4: 2.0}),
        ("LOG10(b)", {0: 1.0, 3: pytest.approx(1.60206), 4: pytest.approx(1.69897)}),
        ("LOG(c)", {}),
        ("DIFF(a)", {1: 1.0, 2: 1.0, 4: 2.0}),
        ("DIFF_TIME(a)", {1: 60.0, 2: 60.0, 4: 120.0}),
        ("RATE(b)", {1: pytest.approx(-10 / 60), 3: pytest.approx(40 / 120), 4: pytest.approx(10 / 60)}),
        ("RUNNING_SUM(a)", {0: 1.0, 1: 3.0, 2: 6.0, 4: 11.0}),
        ("FILL(a, 0)", {0: 1.0, 1: 2.0, 2: 3.0, 3: 0.0, 4: 5.0}),
        ("FILL(b, REPEAT)", {0: 10.0, 1: 0.0, 2: 0.0, 3: 40.0, 4: 50.0}),
        ("FILL(a, LINEAR)", {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0, 4: 5.0}),
        ("FILL(c, a)", {0: 1.0, 1: 2.0, 2: -4.0, 4: 5.0}),
        ("a > 2", {0: 0.0, 1: 0.0, 2: 1.0, 4: 1.0}),
        ("a > 1 && a < 5", {0: 0.0, 1: 1.0, 2: 1.0, 4: 0.0}),
        ("a == 1 OR a == 5", {0: 1.0, 1: 0.0, 2: 0.0, 4: 1.0}),
        ("IF(a >= 3, a, 0)", {0: 0.0, 1: 0.0, 2: 3.0, 4: 5.0}),
        ("IF(a > 1, b)", {1: 0.0, 4: 50.0}),
        ("a + DATAPOINT_COUNT(b)", {0: 5.0, 1: 6.0, 2: 7.0, 4: 9.0}),
        ("a * PERIOD(a)", {0: 60.0, 1: 120.0, 2: 180.0, 4: 300.0}),
        ("a + METRIC_COUNT([a, b])", {0: 3.0, 1: 4.0, 2: 5.0, 4: 7.0}),
        ("a * FIRST(b) + LAST(a)", {0: 15.0, 1: 25.0, 2: 35.0, 4: 55.0}),
        ("TIME_SERIES(MAX(a))", dict.fromkeys(range(5), 5.0)),
        ("STDDEV([a, b])", {0: 4.5, 1: 1.0, 2: 0.0, 3: 0.0, 4: 22.5}),
        ("2 ^ 3 ^ a", {0: 8.0, 1: 512.0, 2: 2.0**27, 4: 2.0**243}),
        ("1" + " - 1 + 1" * 400 + " + c", {2: -3.0}),
        ("10 - 4 - 3 + c", {2: -1.0}),
        ("64 / 8 / 2 * c", {2: -16.0}),
        ("a * 1e3", {0: 1000.0, 1: 2000.0, 2: 3000.0, 4: 5000.0}),
    ],
)  # fmt: skip
def test_expressions(service: CloudWatch, expression: str, figures: dict[int, float]) -> None:
    assert by_minute(answer(service, expression)[0]) == figures


def test_expressions_of_expressions_in_any_order(service: CloudWatch) -> None:
    found = answer(service, "e1 * 2", "e2 + 1", "a")
    assert [by_minute(one)[4] for one in found] == [12.0, 6.0, 5.0]


def test_a_list_is_several_results_of_one_id(service: CloudWatch) -> None:
    found = answer(service, "[a, b] * 2")
    assert [(one["Id"], by_minute(one)[0]) for one in found] == [("e0", 2.0), ("e0", 20.0)]
    assert len({one["Label"] for one in found}) == 2


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("a +", "ends early"),
        ("a b", "Syntax error near b"),
        ("(a", ") is missing"),
        ("a $ b", "character 2"),
        ("missing + 1", "Unrecognized identifier missing"),
        ("NOPE(a)", "Unknown function NOPE"),
        ("SEARCH('{N,Host}', 'Average', 60)", "SEARCH"),
        ("ANOMALY_DETECTION_BAND(a, 2)", "ANOMALY_DETECTION_BAND"),
        ("SELECT AVG(m) FROM N", "Metrics Insights"),
        ("SUM(a)", "one number"),
        ("e0 + 1", "refers to itself"),
        ("[a, 1]", "A list holds series"),
        ("[a, b] + [a, b]", "Two lists"),
        ("RATE(1)", "RATE takes one series"),
        ("FILL(a)", "FILL takes 2 arguments"),
        ("FILL(a, [b])", "FILL takes a number"),
        ("a + 'text'", "text"),
        ("(" * 60 + "a" + ")" * 60, "nested too deeply"),
        ("-" * 3000 + "a", "nested too deeply"),
    ],
)
def test_expressions_that_are_refused(service: CloudWatch, expression: str, why: str) -> None:
    with pytest.raises(ServiceError) as caught:
        answer(service, expression)
    assert caught.value.code == "ValidationError"
    assert why in caught.value.message


def test_expressions_round_in_a_circle_are_refused(service: CloudWatch) -> None:
    with pytest.raises(ServiceError, match="refers to itself"):
        answer(service, "e1 + 1", "e0 + 1")


def test_a_series_is_not_filled_without_bound(service: CloudWatch) -> None:
    metric = {"Metric": {"Namespace": "N", "MetricName": "a"}, "Period": 1, "Stat": "Average"}
    params = {
        "MetricDataQueries": [{"Id": "a", "MetricStat": metric}, {"Id": "e", "Expression": "FILL(a, 0)"}],
        "StartTime": datetime.fromtimestamp(NOW - 200_000, UTC),
        "EndTime": datetime.fromtimestamp(NOW, UTC),
    }
    with pytest.raises(ServiceError, match="moments"):
        service.get_metric_data(params, CALLER)


def test_figures_too_large_are_left_out(service: CloudWatch) -> None:
    assert by_minute(answer(service, "10 ^ (a * 100)")[0]) == {0: 1e100, 1: 1e200, 2: 1e300}
