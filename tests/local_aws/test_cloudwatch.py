"""CloudWatch's metrics: bins, statistics, units, pages, what is refused, three protocols, and what survives."""

import gzip
import json
import os
import signal
import sqlite3
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import numpy as np
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.rpc_cbor import decode, encode
from local_aws.services.cloudwatch import CloudWatch
from local_aws.services.cloudwatch_store import DAY, Datum, MetricStore, StatisticSet
from tests.conftest import Embedded, start_embedded, stop_embedded

CALLER = Caller("123456789012", "us-east-1", "AKIA", "arn:aws:iam::123456789012:root")
NOW = 1_800_000_000  # a whole minute, not a whole hour or five minutes
HOST = (("Host", "job/algo-1"),)


class World:
    """A service over a store of its own, at a time that the test sets."""

    def __init__(self, folder: Path) -> None:
        self.now = float(NOW)
        self.store = MetricStore(folder)
        self.service = CloudWatch(self.store, now=lambda: self.now)

    def put(
        self, *values: float, name: str = "m", step: int = 60, end: int = NOW, unit: str = "None", **more: Any
    ) -> None:
        """Values one `step` apart, the last of them before `end`."""
        start = end - step * len(values)
        data = [Datum(name, HOST, start + step * number, value, unit) for number, value in enumerate(values)]
        self.store.put("us-east-1", "N", data, resolution=1, **more)

    def data(self, *queries: dict[str, Any], ago: float = 3600, **more: Any) -> dict[str, Any]:
        params = {
            "MetricDataQueries": list(queries),
            "StartTime": datetime.fromtimestamp(self.now - ago, UTC),
            "EndTime": datetime.fromtimestamp(self.now, UTC),
            "ScanBy": "TimestampAscending",
            **more,
        }
        return self.service.get_metric_data(params, CALLER)

    def values(self, *queries: dict[str, Any], **more: Any) -> list[list[float]]:
        return [result["Values"] for result in self.data(*queries, **more)["MetricDataResults"]]

    def statistics(self, **more: Any) -> list[dict[str, Any]]:
        params = {
            "Namespace": "N",
            "MetricName": "m",
            "Dimensions": [{"Name": "Host", "Value": "job/algo-1"}],
            "StartTime": datetime.fromtimestamp(self.now - 3600, UTC),
            "EndTime": datetime.fromtimestamp(self.now, UTC),
            "Period": 60,
            "Statistics": ["Average"],
            **more,
        }
        return list(self.service.get_metric_statistics(params, CALLER)["Datapoints"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def query(id: str = "a", *, name: str = "m", period: int = 60, stat: str = "Average", **more: Any) -> dict[str, Any]:
    dimensions = more.pop("dimensions", [{"Name": "Host", "Value": "job/algo-1"}])
    metric = {"Namespace": more.pop("namespace", "N"), "MetricName": name, "Dimensions": dimensions}
    stated: dict[str, Any] = {"Metric": metric, "Period": period, "Stat": stat}
    if "unit" in more:
        stated["Unit"] = more.pop("unit")
    return {"Id": id, "MetricStat": stated, **more}


def code_of(call: Callable[..., Any], *args: Any, **params: Any) -> str:
    with pytest.raises((ServiceError, ClientError)) as caught:
        call(*args, **params)
    error = caught.value
    return error.code if isinstance(error, ServiceError) else str(error.response["Error"]["Code"])


def test_bins_are_counted_from_the_start_rounded_to_a_minute(world: World) -> None:
    world.put(*range(1, 11))  # one a minute for ten minutes
    result = world.data(query(period=300), ago=600 - 13)["MetricDataResults"][0]
    assert result["Values"] == [3.0, 8.0]
    assert [at.timestamp() for at in result["Timestamps"]] == [NOW - 600, NOW - 300]
    moved = world.data(query(period=300), ago=540)["MetricDataResults"][0]
    assert [at.timestamp() for at in moved["Timestamps"]] == [NOW - 540, NOW - 240]
    assert moved["Values"] == [4.0, 8.5]


def test_the_end_is_not_part_of_the_window(world: World) -> None:
    world.put(1.0, end=NOW + 60)  # at NOW
    assert world.values(query()) == [[]]
    world.now += 1
    assert world.values(query()) == [[1.0]]


@pytest.mark.parametrize(
    ("stat", "figure"),
    [("Average", 4.5), ("Sum", 45.0), ("Minimum", 0.0), ("Maximum", 9.0), ("SampleCount", 10.0), ("IQM", 4.5)],
)
def test_statistics(world: World, stat: str, figure: float) -> None:
    world.put(*range(10), step=1)
    assert world.values(query(period=60, stat=stat)) == [[figure]]


@pytest.mark.parametrize("share", [0, 10, 50, 90, 95.5, 99.9, 100])
def test_percentiles_are_those_of_numpy(world: World, share: float) -> None:
    values = np.random.default_rng(1).normal(50, 20, 60).tolist()
    world.put(*values, step=1)
    assert world.values(query(stat=f"p{share}"))[0] == [pytest.approx(np.percentile(values, share))]


def test_a_value_with_a_count_counts_as_often(world: World) -> None:
    data = {"MetricName": "m", "Dimensions": [{"Name": "Host", "Value": "job/algo-1"}], "Timestamp": _at(NOW - 60)}
    world.service.put_metric_data(
        {"Namespace": "N", "MetricData": [{**data, "Values": [1.0, 2.0, 10.0], "Counts": [97.0, 2.0, 1.0]}]}, CALLER
    )
    expected = np.percentile([1.0] * 97 + [2.0] * 2 + [10.0], [50, 98, 99.5])
    assert world.values(
        *(query(f"a{i}", stat=stat) for i, stat in enumerate(("p50", "p98", "p99.5", "SampleCount")))
    ) == [
        *([pytest.approx(one)] for one in expected),
        [100.0],
    ]
    assert world.values(query(stat="tm97"), query("b", stat="TM(97%:99%)")) == [[1.0], [2.0]]


def test_a_set_of_statistics_has_no_percentiles(world: World) -> None:
    world.store.put("us-east-1", "N", [StatisticSet("m", HOST, NOW - 60, 4, 10, 1, 4)])
    world.store.put("us-east-1", "N", [StatisticSet("same", HOST, NOW - 60, 4, 8, 2, 2)])
    assert world.values(query(), query("b", stat="Maximum"), query("c", stat="p50")) == [[2.5], [4.0], []]
    assert world.values(query(name="same", stat="p50")) == [[2.0]]


def test_dimensions_and_namespaces_are_exact(world: World) -> None:
    world.put(1.0)
    other = [Datum("m", (("Host", "job/algo-2"),), NOW - 60, 2.0)]
    world.store.put("us-east-1", "N", other)
    world.store.put("us-east-1", "N", [Datum("m", (), NOW - 60, 4.0)])
    world.store.put("us-east-1", "M", [Datum("m", HOST, NOW - 60, 8.0)])
    world.store.put("eu-west-1", "N", [Datum("m", HOST, NOW - 60, 16.0)])
    two = (("a", "1"), ("b", "2"))
    world.store.put("us-east-1", "N", [Datum("m", two, NOW - 60, 32.0)])
    turned = [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]
    found = world.values(
        query("a"), query("b", dimensions=[]), query("c", namespace="M"), query("d", dimensions=turned),
        query("e", dimensions=turned[:1]),
    )  # fmt: skip
    assert found == [[1.0], [4.0], [8.0], [32.0], []]


def test_units_are_told_apart_where_they_can_be(world: World) -> None:
    world.put(1.0, unit="Seconds")
    world.put(3.0, unit="Count")
    assert world.values(query(unit="Count"), query("b")) == [[3.0], [2.0]]
    assert [(one["Unit"], one["Average"]) for one in world.statistics()] == [("Count", 3.0), ("Seconds", 1.0)]
    assert [one["Average"] for one in world.statistics(Unit="Seconds")] == [1.0]
    assert world.values(query(stat="p50")) == [[2.0]]  # of both measurements


def test_a_standard_resolution_is_a_minute(world: World) -> None:
    data = {"MetricName": "m", "Dimensions": [{"Name": "Host", "Value": "job/algo-1"}], "Timestamp": _at(NOW - 30)}
    for resolution in (60, 1):
        one = {**data, "Value": 1.0, "StorageResolution": resolution}
        world.service.put_metric_data({"Namespace": "N", "MetricData": [one]}, CALLER)
    result = world.data(query(period=10, stat="SampleCount"), ago=60)["MetricDataResults"][0]
    assert [(at.timestamp(), value) for at, value in zip(result["Timestamps"], result["Values"], strict=True)] == [
        (NOW - 60, 1.0),
        (NOW - 30, 1.0),
    ]


def test_old_points_are_found_with_periods_that_are_kept(world: World) -> None:
    world.put(1.0, end=NOW - 4 * 3600)
    assert world.values(query(period=10), query("b", period=60), ago=5 * 3600) == [[], [1.0]]


def test_old_points_become_coarser_and_then_go(world: World) -> None:
    world.put(*range(600), step=1)  # ten minutes, a second each
    before = world.values(query(period=60), query("b", period=60, stat="p90"), query("c", period=300, stat="p90"))
    world.now += 4 * 3600
    world.store.compact(world.now)
    ago = world.now - NOW + 600
    assert world.values(query(), query("b", stat="p90"), query("c", period=300, stat="p90"), ago=ago) == before
    assert world.values(query(period=1), ago=ago) == [[]]
    world.now = NOW + 20 * DAY
    world.store.compact(world.now)
    ago = world.now - NOW + 600
    stats = ("Average", "Minimum", "Maximum", "SampleCount", "p90")
    asked = [query(f"a{number}", period=300, stat=stat) for number, stat in enumerate(stats)]
    assert world.values(*asked, ago=ago) == [[149.5, 449.5], [0.0, 300.0], [299.0, 599.0], [300.0, 300.0], []]
    world.now = NOW + 100 * DAY
    world.store.compact(world.now)
    hourly = world.values(query(period=3600, stat="SampleCount"), ago=world.now - NOW + 3 * 3600)
    assert sum(hourly[0]) == 600
    world.now = NOW + 456 * DAY
    world.store.compact(world.now)
    assert list(world.store.metrics("us-east-1", since=0)) == []
    world.now = float(NOW)
    world.put(5.0)  # the series is made anew
    assert world.values(query()) == [[5.0]]


def test_pages_of_figures_lose_and_repeat_nothing(world: World) -> None:
    world.put(*range(7))
    world.put(*range(3), name="b")
    asked = (query("a"), query("none", name="none"), query("b", name="b"))
    for scan in ("TimestampAscending", "TimestampDescending"):
        seen: dict[str, list[float]] = {}
        states, token, pages = [], None, 0
        while True:
            more = {"NextToken": token} if token else {}
            page = world.data(*asked, MaxDatapoints=3, ScanBy=scan, **more)
            pages += 1
            assert sum(len(one["Values"]) for one in page["MetricDataResults"]) <= 3
            for one in page["MetricDataResults"]:
                seen.setdefault(one["Id"], []).extend(one["Values"])
                states.append(one["StatusCode"])
            token = page.get("NextToken")
            if token is None:
                break
            world.put(99.0, name="late")  # what is put meanwhile moves no page
        expected = {"a": [float(i) for i in range(7)], "none": [], "b": [0.0, 1.0, 2.0]}
        if scan == "TimestampDescending":
            expected = {id: values[::-1] for id, values in expected.items()}
        assert seen == expected
        assert pages == 4
        assert states == ["PartialData", "PartialData", "Complete", "Complete", "PartialData", "Complete"]
    assert code_of(world.data, *asked, NextToken="no") == "InvalidNextToken"


def test_newest_first_unless_asked_otherwise(world: World) -> None:
    world.put(1.0, 2.0)
    assert world.values(query(), ScanBy=None) == [[2.0, 1.0]]


def test_get_metric_statistics(world: World) -> None:
    world.put(*range(120), step=1)
    found = world.statistics(Statistics=["Sum", "SampleCount"], ExtendedStatistics=["p50", "tm50"], Period=120)
    assert len(found) == 1
    assert {key: found[0][key] for key in ("Sum", "SampleCount")} == {"Sum": 7140.0, "SampleCount": 120.0}
    assert found[0]["ExtendedStatistics"] == {"p50": 59.5, "tm50": 29.5}
    assert "Average" not in found[0]
    assert found[0]["Timestamp"] == _at(NOW - 120)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Statistics": []}, "InvalidParameterCombination"),
        ({"Statistics": ["Median"]}, "InvalidParameterValue"),
        ({"ExtendedStatistics": ["p101"]}, "InvalidParameterValue"),
        ({"ExtendedStatistics": ["Average"]}, "InvalidParameterValue"),
        ({"ExtendedStatistics": ["wm10"]}, "InvalidParameterValue"),  # real, and not part of this
        ({"Period": 61}, "InvalidParameterValue"),
        ({"Period": 1}, "InvalidParameterCombination"),  # 3,600 points, 1,440 are the most
        ({"EndTime": datetime.fromtimestamp(NOW - 3600, UTC)}, "InvalidParameterValue"),
    ],
)
def test_what_get_metric_statistics_refuses(world: World, more: dict[str, Any], code: str) -> None:
    assert code_of(world.statistics, **more) == code


@pytest.mark.parametrize(
    "queries",
    [
        [],
        [query("A")],
        [query("a"), query("a")],
        [query("a", ReturnData=False)],
        [query("a", stat="p")],
        [query("a", stat="PR(1:2)")],
        [query("a", period=7)],
        [query("a", Label="${MAX}")],
        [query("a", AccountId="210987654321")],
        [{"Id": "a"}],
        [{**query("a"), "Expression": "a"}],
        [{"Id": "a", "Expression": "b", "Period": 60}],
        [query("a", namespace="")],
    ],
)
def test_queries_that_are_refused(world: World, queries: list[dict[str, Any]]) -> None:
    assert code_of(world.data, *queries) == "ValidationError"


def _datum(**more: Any) -> dict[str, Any]:
    return {"MetricName": "m", **more}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Namespace": "AWS/EC2", "MetricData": [_datum(Value=1.0)]}, "InvalidParameterValue"),
        ({"Namespace": ":N", "MetricData": [_datum(Value=1.0)]}, "InvalidParameterValue"),
        ({"Namespace": "N", "MetricData": []}, "MissingParameter"),
        ({"Namespace": "N", "MetricData": [_datum(Value=1.0)] * 1001}, "InvalidParameterValue"),
        ({"Namespace": "N", "MetricData": [_datum()]}, "MissingParameter"),
        ({"Namespace": "N", "MetricData": [_datum(Value=float("nan"))]}, "InvalidParameterValue"),
        ({"Namespace": "N", "MetricData": [_datum(Value=2.0**361)]}, "InvalidParameterValue"),
        ({"Namespace": "N", "MetricData": [_datum(Value=1.0, Values=[1.0])]}, "InvalidParameterCombination"),
        ({"Namespace": "N", "MetricData": [_datum(Values=[1.0], Counts=[1.0, 2.0])]}, "InvalidParameterValue"),
        ({"Namespace": "N", "MetricData": [_datum(Values=[1.0], Counts=[0.0])]}, "InvalidParameterValue"),
        ({"Namespace": "N", "MetricData": [_datum(Values=[1.0] * 151)]}, "InvalidParameterValue"),
        ({"Namespace": "N", "MetricData": [_datum(Value=1.0, StorageResolution=30)]}, "InvalidParameterValue"),
        (
            {"Namespace": "N", "MetricData": [_datum(Value=1.0, Dimensions=[{"Name": "a", "Value": "b"}] * 2)]},
            "InvalidParameterValue",
        ),
        ({"Namespace": "N", "EntityMetricData": [{"MetricData": []}]}, "ValidationError"),
    ],
)
def test_what_put_metric_data_refuses_changes_nothing(world: World, given: dict[str, Any], code: str) -> None:
    assert code_of(world.service.put_metric_data, given, CALLER) == code
    assert list(world.store.metrics("us-east-1", since=0)) == []


@pytest.mark.parametrize(
    ("seconds", "fits"), [(-14 * DAY - 60, False), (-14 * DAY + 60, True), (7100, True), (7300, False)]
)
def test_times_that_a_point_may_have(world: World, seconds: int, fits: bool) -> None:
    one = _datum(Value=1.0, Timestamp=_at(NOW + seconds))
    if fits:
        world.service.put_metric_data({"Namespace": "N", "MetricData": [one]}, CALLER)
    else:
        assert code_of(world.service.put_metric_data, {"Namespace": "N", "MetricData": [one]}, CALLER) == (
            "InvalidParameterValue"
        )


def test_a_put_that_fails_half_way_leaves_nothing(world: World) -> None:
    broken = [Datum("new", HOST, NOW, 1.0), Datum("new", HOST, NOW, 2.0, unit=object())]  # type: ignore[arg-type]
    with pytest.raises(sqlite3.Error):
        world.store.put("us-east-1", "N", broken)
    world.store.put("us-east-1", "N", [Datum("other", HOST, NOW - 60, 1.0)])  # gets the number that "new" had
    world.put(3.0, name="new")
    assert world.values(query(name="new"), query("b", name="other")) == [[3.0], [1.0]]


def test_points_of_one_moment_stay_apart_over_restarts(tmp_path: Path) -> None:
    for _ in range(3):
        world = World(tmp_path)
        world.put(1.0)
        world.store.close()
    assert World(tmp_path).values(query(stat="SampleCount")) == [[3.0]]


def test_many_put_while_others_read(world: World) -> None:
    def put(number: int) -> None:
        for at in range(50):
            world.put(1.0, name=f"m{number % 4}", end=NOW - at * 60)

    def read(number: int) -> None:
        for _ in range(20):
            assert len(world.values(query(name=f"m{number % 4}", stat="SampleCount"))[0]) <= 50

    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(put, number) for number in range(8)] + [pool.submit(read, number) for number in range(4)]
        for one in asked:
            one.result()
    world.store.compact(world.now)
    found = world.values(*(query(f"a{number}", name=f"m{number}", stat="SampleCount") for number in range(4)))
    assert [sum(values) for values in found] == [100.0] * 4


def test_listing_metrics(world: World) -> None:
    for number in range(501):
        world.store.put("us-east-1", "Many", [Datum(f"m{number}", HOST, NOW - 60, 1.0)])
    world.store.put("us-east-1", "N", [Datum("x", (("a", "1"), ("b", "2")), NOW - 60, 1.0)])
    world.store.put("us-east-1", "N", [Datum("x", (), NOW - 4 * 3600, 1.0)])
    world.store.put("us-east-1", "N", [Datum("gone", (), NOW - 15 * DAY, 1.0)])

    def listed(**params: Any) -> list[tuple[str, int]]:
        found = world.service.list_metrics(params, CALLER)["Metrics"]
        return [(one["MetricName"], len(one["Dimensions"])) for one in found]

    first = world.service.list_metrics({"Namespace": "Many"}, CALLER)
    rest = world.service.list_metrics({"Namespace": "Many", "NextToken": first["NextToken"]}, CALLER)
    assert (len(first["Metrics"]), len(rest["Metrics"]), "NextToken" in rest) == (500, 1, False)
    assert listed(Namespace="N") == [("x", 2), ("x", 0)]
    assert listed(MetricName="x", Dimensions=[{"Name": "b"}]) == [("x", 2)]
    assert listed(Namespace="N", Dimensions=[{"Name": "b", "Value": "3"}]) == []
    assert listed(Namespace="N", RecentlyActive="PT3H") == [("x", 2)]
    assert listed(MetricName="gone") == []
    assert code_of(world.service.list_metrics, {"NextToken": "x"}, CALLER) == "InvalidParameterValue"
    assert code_of(world.service.list_metrics, {"IncludeLinkedAccounts": True}, CALLER) == "ValidationError"


# over the wire


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_boto3(embedded: Embedded) -> None:
    client = embedded.client("cloudwatch")
    now = datetime.now(UTC)
    client.put_metric_data(
        Namespace="Wire/Boto",
        MetricData=[
            {"MetricName": "m" * 100, "Value": float(number), "Timestamp": now - timedelta(seconds=60)}
            for number in range(200)  # large enough for botocore to compress
        ],
    )
    window = {"StartTime": now - timedelta(minutes=10), "EndTime": now + timedelta(minutes=1)}
    asked = query("a", name="m" * 100, namespace="Wire/Boto", dimensions=[], stat="p50")
    pages = client.get_paginator("get_metric_data").paginate(MetricDataQueries=[asked], **window)
    assert [value for page in pages for one in page["MetricDataResults"] for value in one["Values"]] == [99.5]
    listed = [
        one for page in client.get_paginator("list_metrics").paginate(Namespace="Wire/Boto") for one in page["Metrics"]
    ]
    assert listed == [{"Namespace": "Wire/Boto", "MetricName": "m" * 100, "Dimensions": []}]
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.put_metric_data(Namespace="AWS/Mine", MetricData=[{"MetricName": "m", "Value": 1.0}])
    with pytest.raises(client.exceptions.InvalidNextToken):
        client.get_metric_data(MetricDataQueries=[asked], NextToken="x", **window)
    assert code_of(client.list_dashboards) == "NotImplemented"


def _call(embedded: Embedded, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    """A signed POST; the status and the body of the answer."""
    request = AWSRequest("POST", embedded.endpoint_url + path, headers, body)
    credentials = Credentials(embedded.access_key_id, embedded.secret_access_key)
    SigV4Auth(credentials, "monitoring", embedded.region).add_auth(request)
    prepared = request.prepare()
    asked = urllib.request.Request(prepared.url, body, dict(prepared.headers), method="POST")
    try:
        with urllib.request.urlopen(asked) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read()


def test_cbor_as_newer_clients_speak_it(embedded: Embedded) -> None:
    def call(operation: str, params: Any, **headers: str) -> tuple[int, Any]:
        body = params if isinstance(params, bytes) else encode(params)
        path = f"/service/GraniteServiceVersion20100801/operation/{operation}"
        status, answer = _call(
            embedded, path, body, **{"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor", **headers}
        )
        return status, decode(answer)

    at = datetime.fromtimestamp(int(time.time()) - 120, UTC)
    datum = {"MetricName": "cbor", "Value": 2.5, "Timestamp": at, "Unknown": 1, "Unit": None}
    assert call("PutMetricData", {"Namespace": "Wire/Cbor", "MetricData": [datum]}) == (200, {})
    packed = gzip.compress(encode({"Namespace": "Wire/Cbor", "MetricData": [datum]}))
    assert call("PutMetricData", packed, **{"content-encoding": "gzip"}) == (200, {})
    window = {"StartTime": at - timedelta(minutes=5), "EndTime": at + timedelta(minutes=2)}
    asked = query("a", name="cbor", namespace="Wire/Cbor", dimensions=[], stat="Sum")
    status, found = call("GetMetricData", {"MetricDataQueries": [asked], **window})
    assert (status, found["MetricDataResults"][0]["Values"]) == (200, [5.0])
    assert found["MetricDataResults"][0]["Timestamps"] == [at.replace(second=0)]
    status, error = call("PutMetricData", {"Namespace": "AWS/Mine", "MetricData": [datum]})
    assert (status, error["__type"]) == (400, "InvalidParameterValue")
    assert call("PutMetricData", {"Namespace": 1})[1]["__type"] == "ValidationError"
    assert call("PutMetricData", b"\x9f")[1]["__type"] == "SerializationException"
    assert call("PutMetricData", b"no gzip", **{"content-encoding": "gzip"})[0] == 400
    bomb = gzip.compress(b"\0" * (11 * 1024 * 1024))
    assert call("PutMetricData", bomb, **{"content-encoding": "gzip"})[0] == 413
    assert call("ListDashboards", {})[0] == 501


def test_the_query_form_as_older_clients_speak_it(embedded: Embedded) -> None:
    def call(**params: str) -> tuple[int, ElementTree.Element]:
        body = urlencode({"Version": "2010-08-01", **params}).encode()
        status, answer = _call(embedded, "/", body, **{"content-type": "application/x-www-form-urlencoded"})
        return status, ElementTree.fromstring(answer)  # noqa: S314 (our own server's)

    now = datetime.now(UTC).replace(microsecond=0)
    put = {
        "Namespace": "Wire/Query",
        "MetricData.member.1.MetricName": "m",
        "MetricData.member.1.Value": "3.5",
        "MetricData.member.1.Timestamp": (now - timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "MetricData.member.1.Dimensions.member.1.Name": "a",
        "MetricData.member.1.Dimensions.member.1.Value": "b",
    }
    assert call(Action="PutMetricData", **put)[0] == 200
    asked = {
        "Namespace": "Wire/Query",
        "MetricName": "m",
        "StartTime": (now - timedelta(minutes=9)).isoformat(),
        "EndTime": now.isoformat(),
        "Period": "60",
        "Statistics.member.1": "Maximum",
        "Dimensions.member.1.Name": "a",
        "Dimensions.member.1.Value": "b",
    }
    status, answer = call(Action="GetMetricStatistics", **asked)
    assert status == 200
    assert [one.text for one in answer.iter() if one.tag.endswith("Maximum")] == ["3.5"]
    status, answer = call(Action="PutMetricData", **{**put, "Namespace": "AWS/Mine"})
    assert (status, [one.text for one in answer.iter() if one.tag.endswith("Code")]) == (400, ["InvalidParameterValue"])


def test_what_was_put_survives_kill_9(tmp_path: Path) -> None:
    first = start_embedded(tmp_path)
    now = datetime.now(UTC)
    first.client("cloudwatch").put_metric_data(
        Namespace="N", MetricData=[{"MetricName": "m", "Value": 7.0, "Timestamp": now - timedelta(minutes=1)}]
    )
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    stop_embedded(first)
    second = start_embedded(tmp_path)
    try:
        found = second.client("cloudwatch").get_metric_data(
            MetricDataQueries=[query("a", dimensions=[])], StartTime=now - timedelta(minutes=5), EndTime=now
        )
        assert found["MetricDataResults"][0]["Values"] == [7.0]
    finally:
        stop_embedded(second)
    assert json.loads((tmp_path / "client.json").read_text())  # and the folder is whole


def test_more_than_aws_takes_is_refused(world: World) -> None:
    many = [{"Name": f"d{number}", "Value": "1"} for number in range(31)]
    put = {"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1.0, "Dimensions": many}]}
    assert code_of(world.service.put_metric_data, put, CALLER) == "InvalidParameterValue"
    assert code_of(world.data, query(), MaxDatapoints=0) == "ValidationError"
