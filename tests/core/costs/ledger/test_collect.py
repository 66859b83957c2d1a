"""Everything beside runs that costs money: read, counted, kept, and said where it could not be read."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dashboard.core.costs.ledger import trail_kept
from dashboard.core.costs.ledger.collect import TRAIL, Collector
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.costs.ledger.trail import HISTORY, LATE, NAMES, Pace
from dashboard.core.costs.ledger.trail_book import TrailBook
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature, Receipt, Service
from dashboard.core.costs.spend.forecast import per_hour
from dashboard.core.errors import AccessDenied, NotFound, Throttled
from dashboard.core.runs.model import Platform, Run
from tests.core.costs.shaped_aws import Answer, ShapedAws
from tests.core.runs.made import run

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PRICES = PriceBook.load()
ARN = "arn:aws:sagemaker:us-east-1:123456789012:"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:photo"


def event(name: str, at: datetime, asked: Mapping[str, Any], told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    document = {"eventName": name, "requestParameters": asked, "responseElements": told}
    return {"EventId": f"{name}-{at}", "EventName": name, "EventTime": at, "CloudTrailEvent": json.dumps(document)}


def trail(*events: dict[str, Any]) -> Answer:
    """LookupEvents, which filters by the name and the time that it is asked for."""

    def look(asked: dict[str, Any]) -> dict[str, Any]:
        (wanted,) = asked["LookupAttributes"]
        found = [one for one in events if one["EventName"] == wanted["AttributeValue"]]
        return {"Events": [one for one in found if one["EventTime"] >= asked["StartTime"]]}

    return look


def receipts(answers: Mapping[str, Answer], runs: tuple[Run, ...] = ()) -> dict[str, Receipt]:
    aws = ShapedAws({"cloudtrail LookupEvents": trail()} | dict(answers))
    found = Collector(TrailBook(None)).collect(aws, PRICES, NOW, runs)
    return {one.key: one for one in found.receipts}


def notebook(status: str = "InService", at: datetime = NOW - 10 * HOUR) -> dict[str, Answer]:
    told = {
        "NotebookInstanceName": "lab",
        "NotebookInstanceArn": f"{ARN}notebook-instance/lab",
        "NotebookInstanceStatus": status,
    }
    more = {"InstanceType": "ml.t3.medium", "VolumeSizeInGB": 20, "LastModifiedTime": at, "CreationTime": NOW - 5 * DAY}
    return {
        "sagemaker ListNotebookInstances": {"NotebookInstances": [told]},
        "sagemaker DescribeNotebookInstance": told | more,
        "sagemaker ListTags": {"Tags": [{"Key": "project", "Value": "beagles"}]},
    }


def test_a_notebook_costs_what_it_ran_between_its_starts_and_stops() -> None:
    named = {"notebookInstanceName": "lab"}
    events = [
        event("CreateNotebookInstance", NOW - 5 * DAY, named | {"instanceType": "ml.t3.medium", "volumeSizeInGB": 20}),
        event("StopNotebookInstance", NOW - 5 * DAY + 8 * HOUR, named),
        event("StartNotebookInstance", NOW - 10 * HOUR, named),
    ]
    cost = receipts(notebook() | {"cloudtrail LookupEvents": trail(*events)})["notebook:lab"]
    assert cost.amount == Decimal("0.050") * (8 + 10)
    assert (cost.service, cost.nature, cost.project) == (Service.NOTEBOOKS, Nature.LISTED, "beagles")
    assert [line.what for line in cost.missing] == ["storage of SageMaker instances"]  # no price in us-east-1


def test_a_notebook_without_history_counts_from_its_last_start() -> None:
    assert receipts(notebook())["notebook:lab"].amount == Decimal("0.050") * 10
    assert receipts(notebook())["notebook:lab"].status == "in service"
    stopped = receipts(notebook("Stopped"))["notebook:lab"]
    assert stopped.amount is None  # its volume costs, and nobody knows how much
    assert [line.what for line in stopped.missing] == ["storage of SageMaker instances"]


def test_a_notebook_that_was_deleted_while_it_ran_or_started_twice_is_counted_once_and_to_its_end() -> None:
    named = {"notebookInstanceName": "old"}
    events = [
        event("CreateNotebookInstance", NOW - 5 * DAY, named | {"instanceType": "ml.t3.medium"}),
        event("StartNotebookInstance", NOW - 4 * DAY, named),
        event("DeleteNotebookInstance", NOW - 3 * DAY, named),
    ]
    answers = {"sagemaker ListNotebookInstances": {"NotebookInstances": []}, "cloudtrail LookupEvents": trail(*events)}
    (cost,) = receipts(answers).values()
    assert cost.amount == Decimal("0.050") * 48


def test_a_notebook_of_which_only_the_end_is_told_is_unknown_and_not_for_nothing() -> None:
    events = [event("DeleteNotebookInstance", NOW - 3 * DAY, {"notebookInstanceName": "old"})]
    answers = {"sagemaker ListNotebookInstances": {"NotebookInstances": []}, "cloudtrail LookupEvents": trail(*events)}
    (cost,) = receipts(answers).values()
    assert (cost.amount, cost.ended) == (None, NOW - 3 * DAY)
    assert [line.why_unknown for line in cost.missing] == ["what it cost before CloudTrail's history is not told"]


def test_a_notebook_that_is_gone_stays_in_the_sum() -> None:
    named = {"notebookInstanceName": "old"}
    events = [
        event("CreateNotebookInstance", NOW - 5 * DAY, named | {"instanceType": "ml.t3.medium"}),
        event("StopNotebookInstance", NOW - 4 * DAY, named),
        event("DeleteNotebookInstance", NOW - 3 * DAY, named),
    ]
    answers = {"sagemaker ListNotebookInstances": {"NotebookInstances": []}, "cloudtrail LookupEvents": trail(*events)}
    (cost,) = receipts(answers).values()
    assert (cost.amount, cost.ended, cost.status) == (Decimal("0.050") * 24, NOW - 3 * DAY, "deleted")


def metrics(**figures: dict[datetime, float]) -> Answer:
    """GetMetricData, by the metric's name."""

    def look(asked: dict[str, Any]) -> dict[str, Any]:
        results = []
        for query in asked["MetricDataQueries"]:
            points = figures.get(query["MetricStat"]["Metric"]["MetricName"], {})
            results.append({"Id": query["Id"], "Timestamps": list(points), "Values": list(points.values())})
        return {"MetricDataResults": results}

    return look


def function(*ready: dict[str, Any], **more: Any) -> dict[str, Answer]:
    told = {"FunctionName": "photo", "FunctionArn": FUNCTION, "MemorySize": 512, "LastModified": "2026-11-01T00:00:00Z"}
    return {
        "lambda ListFunctions": {"Functions": [told | more]},
        "lambda ListTags": {"Tags": {"owner": "ada"}},
        "lambda ListProvisionedConcurrencyConfigs": {"ProvisionedConcurrencyConfigs": list(ready)},
    }


def test_a_function_costs_its_requests_and_its_time_by_day() -> None:
    midnight = NOW.replace(hour=0)
    figures = metrics(
        Invocations={midnight - DAY: 1_000_000.0, midnight: 500_000.0},
        Duration={midnight - DAY: 200_000_000.0, midnight: 100_000_000.0},
    )
    cost = receipts(function() | {"cloudwatch GetMetricData": figures})["function:photo"]
    first = Decimal("0.20") + Decimal("0.0000166667") * 200_000 / 2  # 512 MB are half a GB
    assert cost.by_day() == {(midnight - DAY).date(): first, midnight.date(): first / 2}
    assert cost.owner == "ada"


def test_what_was_kept_ready_costs_its_time_and_what_ran_in_it_its_own_rate() -> None:
    alias = {"FunctionArn": f"{FUNCTION}:live", "AllocatedProvisionedConcurrentExecutions": 3}
    ready = alias | {"LastModified": (NOW - 2 * HOUR).isoformat()}
    midnight = NOW.replace(hour=0)
    figures = {
        "Invocations": {midnight: 100.0},
        "Duration": {midnight: 10_000.0},
        "ProvisionedConcurrencyInvocations": {midnight: 100.0},
    }
    asked = {"functionName": "photo", "qualifier": "live"}
    events = [
        event("PutProvisionedConcurrencyConfig", NOW - 7 * HOUR, asked | {"provisionedConcurrentExecutions": 2}),
        event("DeleteProvisionedConcurrencyConfig", NOW - 6 * HOUR, asked),
        event("PutProvisionedConcurrencyConfig", NOW - 2 * HOUR, asked | {"provisionedConcurrentExecutions": 3}),
    ]
    answers = function(ready) | {"cloudwatch GetMetricData": metrics(**figures)}
    cost = receipts(answers | {"cloudtrail LookupEvents": trail(*events)})["function:photo"]
    kept = Decimal("0.0000041667") * (2 * 3600 + 3 * 7200) / 2
    ran = Decimal("0.0000097222") * 10 / 2 + Decimal("0.20") / 1_000_000 * 100
    assert cost.amount == (kept + ran).quantize(Decimal("1E-12"))
    untold = receipts(answers)["function:photo"]
    assert untold.amount == (Decimal("0.0000041667") * 3 * 7200 / 2 + ran).quantize(Decimal("1E-12"))
    assert any("photo:live" in note for note in untold.notes)


def test_a_number_that_changes_every_minute_is_rounded_up_once_at_its_end() -> None:
    asked = {"functionName": "photo", "qualifier": "live"}
    minutes = [(0, 1), (1, 2), (2, 3), (3, 1)]  # then 4 min 20 s after it was enabled it is taken away
    begun = NOW - HOUR
    events = [
        event(
            "PutProvisionedConcurrencyConfig",
            begun + timedelta(minutes=at),
            asked | {"provisionedConcurrentExecutions": n},
        )
        for at, n in minutes
    ]
    events.append(event("DeleteProvisionedConcurrencyConfig", begun + timedelta(seconds=260), asked))
    answers = function() | {"cloudwatch GetMetricData": metrics(Invocations={}, Duration={})}
    cost = receipts(answers | {"cloudtrail LookupEvents": trail(*events)})["function:photo"]
    seconds = 60 * (1 + 2 + 3) + (80 + 40) * 1  # the last of them until five minutes are full
    assert cost.amount == (Decimal("0.0000041667") * seconds / 2).quantize(Decimal("1E-12"))


def test_what_is_no_longer_kept_ready_and_was_not_told_to_end_is_unknown() -> None:
    asked = {"functionName": "photo", "qualifier": "gone", "provisionedConcurrentExecutions": 2}
    answers = function() | {
        "cloudwatch GetMetricData": metrics(Invocations={}, Duration={}),
        "cloudtrail LookupEvents": trail(event("PutProvisionedConcurrencyConfig", NOW - 7 * HOUR, asked)),
    }
    cost = receipts(answers)["function:photo"]
    assert cost.amount is None
    assert [line.what for line in cost.missing] == ["kept ready until it was removed"]


def test_what_overflowed_costs_the_usual_rates_and_each_request_once() -> None:
    midnight = NOW.replace(hour=0)
    figures = {
        "Invocations": {midnight: 100.0},
        "Duration": {midnight: 10_000.0},
        "ProvisionedConcurrencyInvocations": {midnight: 40.0},
    }
    cost = receipts(function() | {"cloudwatch GetMetricData": metrics(**figures)})["function:photo"]
    ran = Decimal("0.0000097222") * 4 / 2 + Decimal("0.0000166667") * 6 / 2  # seconds of half a GB
    assert cost.amount == (ran + Decimal("0.20") / 1_000_000 * 100).quantize(Decimal("1E-12"))


def test_a_bucket_costs_its_size_of_each_day() -> None:
    midnight = NOW.replace(hour=0)
    sizes = {midnight - 3 * DAY: 100.0 * 2**30, midnight - 2 * DAY: 100.0 * 2**30, midnight - DAY: 200.0 * 2**30}
    (cost,) = receipts({"cloudwatch GetMetricData": metrics(BucketSizeBytes=sizes)}).values()
    assert cost.key == "bucket:kennel-123456789012-us-east-1"
    hours = 100 * 48 + 200 * 36
    assert cost.amount is not None
    assert abs(cost.amount - Decimal("0.023") * hours / 730) < Decimal("1E-11")


def volume(name: str, state: str, instance: str = "", **more: Any) -> dict[str, Any]:
    attached = [{"InstanceId": instance, "State": "attached"}] if instance else []
    usual = {"VolumeId": name, "State": state, "Size": 100, "VolumeType": "gp3", "CreateTime": NOW - 10 * DAY}
    return usual | {"Attachments": attached, "Tags": []} | more


def test_volumes_that_no_running_instance_uses() -> None:
    ours = [{"Key": "kennel:made-by", "Value": "kennel"}]
    found = [
        volume("vol-loose", "available"),
        volume("vol-odd", "available", VolumeType="io2"),
        volume("vol-running", "in-use", "i-running", Tags=ours),
        volume("vol-stopped", "in-use", "i-stopped", Tags=ours),
        volume("vol-theirs", "in-use", "i-theirs"),
    ]
    stopped = [{"InstanceId": "i-stopped"}, {"InstanceId": "i-theirs"}]
    answers: dict[str, Answer] = {
        "ec2 DescribeVolumes": {"Volumes": found},
        "ec2 DescribeInstances": {"Reservations": [{"Instances": stopped}]},
    }
    trained = run("dogs", platform=Platform.EC2, instance_id="i-stopped", ended=NOW - 4 * DAY)
    cost = receipts(answers, (trained,))
    assert set(cost) == {"volume:vol-loose", "volume:vol-odd", "volume:vol-stopped"}
    month = Decimal("0.08") * 100 * 24 / 730
    assert cost["volume:vol-loose"].amount == (month * 10).quantize(Decimal("1E-12"))
    assert cost["volume:vol-stopped"].amount == (month * 4).quantize(Decimal("1E-12"))  # before it, the run paid
    assert cost["volume:vol-odd"].amount is None


def test_an_address_costs_from_when_it_was_allocated() -> None:
    answers: dict[str, Answer] = {
        "ec2 DescribeAddresses": {"Addresses": [{"AllocationId": "eip-1", "PublicIp": "192.0.2.1"}]}
    }
    told = event("AllocateAddress", NOW - 100 * HOUR, {"domain": "vpc"}, {"allocationId": "eip-1"})
    cost = receipts(answers | {"cloudtrail LookupEvents": trail(told)})["address:eip-1"]
    assert (cost.amount, cost.status) == (Decimal("0.005") * 100, "unused")
    untold = receipts(answers)["address:eip-1"]
    assert untold.amount is None
    assert "since when" in untold.missing[0].why_unknown


def endpoint_answers(*names: str) -> dict[str, Answer]:
    def describe(asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["EndpointName"]
        return {
            "EndpointName": name,
            "EndpointArn": f"{ARN}endpoint/{name}",
            "EndpointConfigName": name,
            "EndpointStatus": "InService",
            "CreationTime": NOW - 10 * HOUR,
            "LastModifiedTime": NOW - 10 * HOUR,
            "ProductionVariants": [{"VariantName": "all", "CurrentInstanceCount": 2}],
        }

    variant = {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    listed = {"EndpointName": "", "EndpointArn": ARN, "EndpointStatus": "InService"}
    times = {"CreationTime": NOW, "LastModifiedTime": NOW}
    return {
        "sagemaker ListEndpoints": {"Endpoints": [listed | times | {"EndpointName": name} for name in names]},
        "sagemaker DescribeEndpoint": describe,
        "sagemaker DescribeEndpointConfig": {
            "EndpointConfigName": "c",
            "EndpointConfigArn": ARN,
            "ProductionVariants": [variant],
            "CreationTime": NOW,
        },
        "sagemaker ListTags": {"Tags": []},
    }


def test_what_cannot_be_read_is_said_and_the_rest_stands() -> None:
    denied = AccessDenied("no", "no", "ask", action="cloudtrail:LookupEvents")
    aws = ShapedAws(endpoint_answers("dogs") | {"cloudtrail LookupEvents": denied})
    found = Collector(TrailBook(None)).collect(aws, PRICES, NOW)
    assert [one.amount for one in found.receipts] == [Decimal("0.115") * 2 * 10]
    unread = {one.what: one.problem for one in found.unread}
    assert unread[TRAIL] is denied
    assert set(unread) == {TRAIL, "Notebooks", "Volumes", "Addresses", "Lambda functions", "S3 storage"}


@pytest.mark.parametrize(
    ("head", "is_unread"), [(NotFound("there is no such bucket"), False), ({}, True), (AccessDenied("no"), True)]
)
def test_a_bucket_that_is_not_there_has_no_size_to_wait_for(head: Answer, is_unread: bool) -> None:
    aws = ShapedAws({"cloudwatch GetMetricData": metrics(), "s3 HeadBucket": head, "cloudtrail LookupEvents": trail()})
    found = Collector(TrailBook(None)).collect(aws, PRICES, NOW)
    assert ("S3 storage" in {one.what for one in found.unread}) is is_unread


@pytest.mark.parametrize(
    ("is_embedded", "next_step"), [(False, "look again tomorrow"), (True, "nothing is charged here")]
)
def test_nobody_is_told_to_wait_for_a_size_that_never_comes(is_embedded: bool, next_step: str) -> None:
    answers = {"cloudwatch GetMetricData": metrics(), "s3 HeadBucket": {}, "cloudtrail LookupEvents": trail()}
    found = Collector(TrailBook(None)).collect(ShapedAws(answers, is_embedded=is_embedded), PRICES, NOW)
    (why,) = (one.problem for one in found.unread if one.what == "S3 storage")
    assert why.next_step.startswith(next_step)
    assert ("not part of the embedded AWS" in why.why) is is_embedded


def test_what_is_not_free_to_ask_is_asked_once_an_hour_whatever_changes() -> None:
    figures = metrics(Invocations={}, Duration={})
    aws = ShapedAws(
        endpoint_answers() | function() | {"cloudwatch GetMetricData": figures, "cloudtrail LookupEvents": trail()}
    )
    collector = Collector(TrailBook(None))
    for minutes in range(0, 59, 7):
        collector.collect(aws, PRICES, NOW + timedelta(minutes=minutes), again=True)
    assert aws.counts["ListFunctions"] == 1
    assert aws.counts["GetMetricData"] == 2  # the functions' and the bucket's
    assert aws.counts["ListEndpoints"] == 9
    collector.collect(aws, PRICES, NOW + HOUR)
    assert aws.counts["ListFunctions"] == 2


def test_an_endpoint_that_has_not_changed_is_described_seldom() -> None:
    """A large account would be throttled otherwise: each description is three calls."""
    answers = endpoint_answers("dogs", "cats") | {"cloudtrail LookupEvents": trail()}
    aws, collector = ShapedAws(answers), Collector(TrailBook(None))
    for seconds in range(0, 119, 15):
        collector.collect(aws, PRICES, NOW + timedelta(seconds=seconds))
    assert aws.counts["ListEndpoints"] == 8
    assert aws.counts["DescribeEndpoint"] == 2
    described = aws.answers["sagemaker ListEndpoints"]
    changed = [one | {"LastModifiedTime": NOW + HOUR} for one in described["Endpoints"]]  # type: ignore[index]
    aws.answers["sagemaker ListEndpoints"] = {"Endpoints": changed}
    collector.collect(aws, PRICES, NOW + timedelta(seconds=119), again=True)
    assert aws.counts["DescribeEndpoint"] == 4


def lived(at: datetime) -> list[dict[str, Any]]:
    variant = {"variantName": "all", "instanceType": "ml.m5.large", "initialInstanceCount": 1}
    return [
        event("CreateEndpointConfig", at, {"endpointConfigName": "c", "productionVariants": [variant]}),
        event("CreateEndpoint", at, {"endpointName": "old", "endpointConfigName": "c"}),
        event("DeleteEndpoint", at + 5 * HOUR, {"endpointName": "old"}),
    ]


def test_what_is_older_than_cloudtrails_history_stays_known(tmp_path: Path) -> None:
    path = tmp_path / "costs" / "1-us-east-1.json"
    begun = NOW - HISTORY + DAY
    aws = ShapedAws(endpoint_answers() | {"cloudtrail LookupEvents": trail(*lived(begun))})
    first = Collector(TrailBook(path)).collect(aws, PRICES, NOW).receipts
    later = ShapedAws(endpoint_answers() | {"cloudtrail LookupEvents": trail()})
    again = Collector(TrailBook(path)).collect(later, PRICES, NOW + 30 * DAY).receipts
    assert [one.amount for one in first] == [one.amount for one in again] == [Decimal("0.115") * 5]
    asked = [parameters["StartTime"] for name, parameters in later.calls if name == "LookupEvents"]
    assert set(asked) == {NOW - LATE}  # only what is new is asked for


def test_an_endpoint_that_was_seen_stays_in_the_sum_after_it_is_gone(tmp_path: Path) -> None:
    """It was made before CloudTrail's history began; its end is told."""
    path = tmp_path / "kept.json"
    there = ShapedAws(endpoint_answers("dogs") | {"cloudtrail LookupEvents": trail()})
    (cost,) = Collector(TrailBook(path)).collect(there, PRICES, NOW).receipts
    assert cost.amount == Decimal("0.115") * 2 * 10
    gone = event("DeleteEndpoint", NOW + HOUR, {"endpointName": "dogs"})
    later = ShapedAws(endpoint_answers() | {"cloudtrail LookupEvents": trail(gone)})
    (after,) = Collector(TrailBook(path)).collect(later, PRICES, NOW + 5 * HOUR).receipts
    assert (after.amount, after.key, after.status) == (Decimal("0.115") * 2 * 11, cost.key, "deleted")


@pytest.mark.parametrize("age", [10 * HOUR, 5 * MINUTE])
def test_the_sum_of_an_endpoint_that_is_gone_stays_as_of_when_it_was_last_seen(tmp_path: Path, age: timedelta) -> None:
    """CloudTrail tells minutes later when it was deleted, of a young one even its making; also after a restart."""
    path, seen = tmp_path / "kept.json", NOW + MINUTE
    there = endpoint_answers("dogs")
    made = {"CreationTime": NOW - age, "LastModifiedTime": NOW - age}
    described: Any = there["sagemaker DescribeEndpoint"]
    there["sagemaker DescribeEndpoint"] = described({"EndpointName": "dogs"}) | made
    aws = ShapedAws(there | {"cloudtrail LookupEvents": trail()})
    collector = Collector(TrailBook(path))
    collector.collect(aws, PRICES, NOW)
    (last,) = collector.collect(aws, PRICES, seen).receipts
    aws.answers |= endpoint_answers()
    for reader in (collector, Collector(TrailBook(path))):
        (cost,) = reader.collect(aws, PRICES, seen + MINUTE, again=True).receipts
        assert (cost.amount, cost.key, cost.ended) == (last.amount, last.key, seen)
        assert f"as of {seen:%-d %b %Y, %H:%M} UTC" in cost.notes[-1]
        assert [line.what for line in cost.missing] == ["serving until it was deleted"]
        assert per_hour(cost) == 0  # it does not go on
    gone = event("DeleteEndpoint", seen + 30 * SECOND, {"endpointName": "dogs"})
    aws.answers["cloudtrail LookupEvents"] = trail(gone)
    (cost,) = collector.collect(aws, PRICES, seen + 20 * MINUTE).receipts
    assert cost.status == "deleted"
    assert last.amount is not None
    assert cost.amount == pytest.approx(last.amount + Decimal("0.115") * 2 / 120)
    assert not cost.missing


def test_a_schedule_that_deletes_an_endpoint_is_on_its_receipt() -> None:
    name, when = "kennel-delete-dogs", NOW + HOUR
    schedule = {
        "Name": name,
        "State": "ENABLED",
        "ScheduleExpression": f"at({when:%Y-%m-%dT%H:%M:%S})",
        "Target": {"Arn": "arn", "RoleArn": "arn", "Input": json.dumps({"EndpointName": "dogs"})},
    }
    told = {"scheduler ListSchedules": {"Schedules": [{"Name": name}]}, "scheduler GetSchedule": schedule}
    found = receipts(endpoint_answers("dogs", "cats") | told)
    ends = {one.name: (one.ends, one.notes[-1]) for one in found.values()}
    assert ends["dogs"] == (when, "a schedule deletes it on 21 Nov 2026, 13:00 UTC")
    assert ends["cats"][0] is None
    denied = AccessDenied("no", "no", "ask", action="scheduler:ListSchedules")
    without = receipts(endpoint_answers("dogs") | {"scheduler ListSchedules": denied})
    assert [(one.ends, one.amount) for one in without.values()] == [(None, Decimal("0.115") * 2 * 10)]


def test_a_configuration_that_cloudtrail_does_not_tell_is_looked_up_once() -> None:
    events = [
        event("CreateEndpoint", NOW - 8 * HOUR, {"endpointName": "old", "endpointConfigName": "older"}),
        event("CreateEndpoint", NOW - 8 * HOUR, {"endpointName": "lost", "endpointConfigName": "gone"}),
        event("DeleteEndpoint", NOW - 2 * HOUR, {"endpointName": "old"}),
        event("DeleteEndpoint", NOW - 2 * HOUR, {"endpointName": "lost"}),
    ]
    for number, one in enumerate(events):
        one["EventId"] = str(number)
    answers = endpoint_answers()
    found = dict(answers["sagemaker DescribeEndpointConfig"]) | {"CreationTime": NOW - 200 * DAY}  # type: ignore[arg-type]
    config = lambda asked: found if asked["EndpointConfigName"] == "older" else NotFound("it is gone")  # noqa: E731
    aws = ShapedAws(answers | {"sagemaker DescribeEndpointConfig": config, "cloudtrail LookupEvents": trail(*events)})
    collector = Collector(TrailBook(None))
    for minutes in range(3):
        seen = collector.collect(aws, PRICES, NOW + timedelta(minutes=minutes)).receipts
    assert {one.name: one.amount for one in seen} == {"old": Decimal("0.115") * 6, "lost": None}
    assert aws.counts["DescribeEndpointConfig"] == 2


def test_cloudtrail_is_asked_seldom_and_only_for_what_is_new(tmp_path: Path) -> None:
    book = TrailBook(tmp_path / "kept.json")
    aws = ShapedAws({"cloudtrail LookupEvents": trail(*lived(NOW - DAY))})
    assert len(book.look(aws, NOW)[0]) == 3
    asked = len(aws.calls)
    book.look(aws, NOW + timedelta(seconds=30))
    assert len(aws.calls) == asked
    book.look(aws, NOW + timedelta(seconds=30), again=True)
    book.look(aws, NOW + timedelta(minutes=2))
    assert len(aws.calls) == 3 * asked
    assert aws.calls[-1][1]["StartTime"] > NOW - HOUR


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1, "read_to": 3, "failed": []}'])
def test_a_broken_file_is_set_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kept.json"
    path.write_text(text)
    assert trail_kept.read(path) == trail_kept.Kept()
    assert not path.exists()
    assert path.with_suffix(".broken").read_text() == text


def test_events_that_cannot_be_read_hide_no_others() -> None:
    odd = [
        {"EventId": "1", "EventName": "CreateEndpoint", "EventTime": NOW, "CloudTrailEvent": "{"},
        {"EventId": "2", "EventName": "CreateEndpoint", "EventTime": NOW, "CloudTrailEvent": "[]"},
        {"EventId": "3", "EventName": "CreateEndpoint", "EventTime": NOW},
        event("CreateEndpoint", NOW - DAY, {"endpointName": 7, "tags": [3]}),
        event("DeleteEndpoint", NOW - DAY, {}),
    ]
    refused = event("DeleteEndpoint", NOW - DAY + HOUR, {"endpointName": "old"})
    refused["CloudTrailEvent"] = refused["CloudTrailEvent"].replace("{", '{"errorCode": "ValidationException", ', 1)
    answers = endpoint_answers() | {"cloudtrail LookupEvents": trail(*odd, refused, *lived(NOW - DAY))}
    found = receipts(answers)
    assert [one.amount for one in found.values() if one.name == "old"] == [Decimal("0.115") * 5]


def test_a_part_that_fails_once_keeps_what_it_was_and_says_since_when() -> None:
    aws = ShapedAws(endpoint_answers("dogs") | {"cloudtrail LookupEvents": trail()})
    collector = Collector(TrailBook(None))
    before = collector.collect(aws, PRICES, NOW).receipts
    listed, slow = aws.answers["sagemaker ListEndpoints"], Throttled("AWS asks to slow down")
    aws.answers["sagemaker ListEndpoints"] = slow
    for minutes in (1, 2):
        found = collector.collect(aws, PRICES, NOW + timedelta(minutes=minutes))
        assert found.receipts == before
        assert Unread("Endpoints since 12:00 UTC", slow) in found.unread
    aws.answers["sagemaker ListEndpoints"] = listed
    after = collector.collect(aws, PRICES, NOW + HOUR)
    assert [one.amount for one in after.receipts] == [Decimal("0.115") * 2 * 11]
    assert not [one for one in after.unread if "Endpoints" in one.what]


def test_functions_that_are_not_looked_at_are_unknown_and_not_left_out() -> None:
    answers = function() | {"cloudwatch GetMetricData": metrics(Invocations={}, Duration={})}
    (told,) = answers["lambda ListFunctions"]["Functions"]  # type: ignore[index,call-overload]
    answers["lambda ListFunctions"] = {"Functions": [told | {"FunctionName": f"f{n}"} for n in range(202)]}
    found = receipts(answers)
    assert len(found) == 202
    assert {key for key, one in found.items() if one.amount is None} == {"function:f200", "function:f201"}
    assert found["function:f201"].missing[0].why_unknown == "only the first 200 functions of a region are looked at"


def test_cloudtrail_is_asked_twice_a_second_at_most() -> None:
    clock, began = [100.0], []

    def look(asked: dict[str, Any]) -> dict[str, Any]:
        began.append(clock[0])
        clock[0] += 0.1  # what an answer takes
        return {"Events": []}

    pace = Pace(clock=lambda: clock[0], sleep=lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    aws, book = ShapedAws({"cloudtrail LookupEvents": look}), TrailBook(None, pace)
    book.look(aws, NOW)
    book.look(aws, NOW, again=True)
    assert len(began) == 2 * len(NAMES)
    assert all(later - earlier >= 0.4999 for earlier, later in pairwise(began))
    assert began[-1] - began[0] < 0.5 * len(began)
