"""Whole months recomputed by hand: from what AWS answers a plain client, in plain JSON and Decimal, with the prices of
AWS's pages written down here. Nothing of Kennel's arithmetic is used for it, and the ledger agrees.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dashboard.core.aws import connect
from dashboard.core.costs.ledger.book import LedgerBook
from dashboard.core.costs.ledger.collect import Collector
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.ledger.trail_book import TrailBook
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.runs.listing import RunBook, Window
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import (
    bucket,
    create_endpoint,
    delete_endpoint,
    finished,
    in_stage,
    tiny_package,
    training_request,
    wait_for,
)

HOURLY = {
    "ml.m5.large": "0.115",
    "ml.m5.xlarge": "0.23",
    "ml.c5.2xlarge": "0.408",
    "m5.large": "0.096",
}
"""us-east-1, USD; SageMaker's training and hosting prices of these are the same."""
GP3_MONTH, ADDRESS_HOUR, MONTH_HOURS = "0.08", "0.005", 730
KENNEL_BUCKET = "kennel-123456789012-us-east-1"
SAMPLE = [{"Key": "kennel:sample", "Value": "true"}]


def utcnow() -> datetime:
    return datetime.now(UTC)


def months() -> tuple[datetime, datetime]:
    """When last month and this one began; this one is at least an hour old."""
    this = (utcnow() - timedelta(hours=1)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (this - timedelta(days=1)).replace(day=1), this


@dataclass
class World:
    """What a plain client was told, as JSON texts, and the ledger of the same account; `read_at` is its moment."""

    jobs: list[str]
    documents: list[dict[str, str]]
    events: list[str]
    ledger: Ledger


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("month")
    aws = start_embedded(folder / "aws")
    try:
        make_everything(aws, folder)
        yield World(*told(aws), read(aws))
    finally:
        stop_embedded(aws)


def make_everything(aws: Embedded, folder: Path) -> None:
    """Runs of every kind and every ending, also over the ends of months, and an endpoint that came and went."""
    last, this = months()
    sagemaker = aws.client("sagemaker")
    bucket(aws)
    two = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    sagemaker.create_training_job(**training_request("two", "sleep 1", ResourceConfig=two))
    sagemaker.create_training_job(**training_request("fails", "exit 3"))
    sagemaker.create_training_job(**training_request("stopped", "sleep 30"))
    replay(sagemaker, "before-last", last - timedelta(minutes=20), 3600, "ml.c5.2xlarge")  # 40 min of it last month
    replay(sagemaker, "into-this", this - timedelta(hours=1), 7200, "ml.m5.xlarge", billed=2500, count=3)
    tuning(sagemaker, last + timedelta(days=3))
    ec2(aws, "ec2-over", this - timedelta(minutes=30), timedelta(hours=1, minutes=7), volume_gb=50)
    ec2(aws, "ec2-edge", last - timedelta(minutes=10), timedelta(minutes=25), spot_price="0.0411")
    ec2(aws, "ec2-short", last + timedelta(days=9), timedelta(seconds=7))
    create_endpoint(sagemaker, "dogs", tiny_package(folder))
    finished(sagemaker, "two")
    finished(sagemaker, "fails")
    in_stage(sagemaker, "stopped", "Training")
    sagemaker.stop_training_job(TrainingJobName="stopped")
    finished(sagemaker, "stopped")
    wait_for(sagemaker, "dogs", "InService")
    change = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 3}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName="dogs", DesiredWeightsAndCapacities=change)
    wait_for(sagemaker, "dogs", "InService")
    delete_endpoint(sagemaker, "dogs")


def replay(
    sagemaker: Any, name: str, at: datetime, seconds: int, instance: str, *, billed: int = 0, count: int = 1
) -> None:
    """A training of the past, as the sample account has them."""
    tags = [*SAMPLE, {"Key": "kennel:replay", "Value": f"{at:%Y-%m-%dT%H:%M:%SZ} {seconds} {billed or ''}".strip()}]
    spot: dict[str, Any] = {}
    if billed:
        limits = {"MaxRuntimeInSeconds": 86_400, "MaxWaitTimeInSeconds": 86_400}
        spot = {"EnableManagedSpotTraining": True, "StoppingCondition": limits}
    resources = {"InstanceType": instance, "InstanceCount": count, "VolumeSizeInGB": 30}
    sagemaker.create_training_job(**training_request(name, ResourceConfig=resources, Tags=tags, **spot))


def tuning(sagemaker: Any, at: datetime) -> None:
    """Two trials, one after the other, of ten minutes each."""
    request = training_request("unused")
    del request["TrainingJobName"]
    request["AlgorithmSpecification"] = {"TrainingImage": "kennel/test", "TrainingInputMode": "File",
                                         "MetricDefinitions": [{"Name": "loss", "Regex": "loss: (.*)"}]}  # fmt: skip
    rate = {"Name": "rate", "MinValue": "0.001", "MaxValue": "0.1"}
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="search",
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"ContinuousParameterRanges": [rate]},
        },
        TrainingJobDefinition=request,
        Tags=[*SAMPLE, {"Key": "kennel:replay", "Value": f"{at:%Y-%m-%dT%H:%M:%SZ} 600"}],
    )


def ec2(aws: Embedded, name: str, at: datetime, took: timedelta, *, spot_price: str = "", volume_gb: int = 30) -> None:
    """The documents of a training on an instance that has ended."""
    s3 = aws.client("s3")
    if KENNEL_BUCKET not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=KENNEL_BUCKET)
    ended = (at + took).isoformat()
    launched = {"launched": at.isoformat(), "instance_id": f"i-{name}"} | (
        {"spot_price": spot_price} if spot_price else {}
    )
    documents = {
        "status": {"schema": 1, "name": name, "status": "Completed", "stage": "Completed", "ended": ended},
        "instance": launched,
        "request": {
            "schema": 1,
            "name": name,
            "created": at.isoformat(),
            "instance_type": "m5.large",
            "capacity": "spot" if spot_price else "on-demand",
            "volume_gb": volume_gb,
        },
    }
    s3.put_object(Bucket=KENNEL_BUCKET, Key=f"ec2-index/{9_999_999_999 - int(at.timestamp()):010d}-{name}", Body=b"")
    for which, document in documents.items():
        s3.put_object(Bucket=KENNEL_BUCKET, Key=f"ec2-runs/{name}/{which}.json", Body=json.dumps(document).encode())


def told(aws: Embedded) -> tuple[list[str], list[dict[str, str]], list[str]]:
    """The raw answers, before anybody has made anything of them."""
    sagemaker, s3 = aws.client("sagemaker"), aws.client("s3")
    names = [one["TrainingJobName"] for one in sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]]
    jobs = []
    for name in names:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        job["Tags"] = sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
        jobs.append(json.dumps(job, default=str))
    listed = s3.list_objects_v2(Bucket=KENNEL_BUCKET, Prefix="ec2-runs/", Delimiter="/")["CommonPrefixes"]
    documents = [
        {
            which: s3.get_object(Bucket=KENNEL_BUCKET, Key=f"{one['Prefix']}{which}.json")["Body"].read().decode()
            for which in ("request", "instance", "status")
        }
        for one in listed
    ]
    events = aws.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "sagemaker.amazonaws.com"}]
    )["Events"]
    return jobs, documents, [json.dumps(one, default=str) for one in events]


def read(aws: Embedded) -> Ledger:
    """What Kennel makes of the same account."""
    connected = connect({"KENNEL_HOME": str(aws.state.parent)} | {"PATH": os.environ["PATH"]})
    runs, book, prices = RunBook(utcnow), LedgerBook(utcnow, Collector(TrailBook(None))), PriceBook.load()
    for _ in range(60):
        ledger = book.look(connected, runs.look(connected, Window.ALL, patience=1), prices, patience=1)
        if ledger.is_complete:
            return ledger
    raise AssertionError("the ledger is still incomplete")


def overlap(begun: datetime, ended: datetime, month: datetime) -> Decimal:
    """Which part of a time lies in a month."""
    after = (month + timedelta(days=31)).replace(day=1)
    inside = min(ended, after) - max(begun, month)
    whole = ended - begun
    if whole <= timedelta(0):
        return Decimal(month <= begun < after)
    return max(Decimal(0), Decimal(inside // timedelta(microseconds=1)) / Decimal(whole // timedelta(microseconds=1)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def trained(jobs: list[str], month: datetime, *, sample: bool) -> Decimal:
    total = Decimal(0)
    for text in jobs:
        job = json.loads(text)
        if any(tag["Key"] == "kennel:sample" for tag in job["Tags"]) is not sample:
            continue
        resources = job["ResourceConfig"]
        hours = Decimal(job["BillableTimeInSeconds"]) * resources["InstanceCount"] / 3600
        amount = hours * Decimal(HOURLY[resources["InstanceType"]])
        total += amount * overlap(at(job["TrainingStartTime"]), at(job["TrainingEndTime"]), month)
    return total


def on_ec2(documents: list[dict[str, str]], month: datetime) -> Decimal:
    total = Decimal(0)
    for one in documents:
        request, instance, status = (json.loads(one[which]) for which in ("request", "instance", "status"))
        begun, ended = at(instance["launched"]), at(status["ended"])
        hours = Decimal(max(60, round((ended - begun).total_seconds()))) / 3600
        hourly = Decimal(instance.get("spot_price", HOURLY[request["instance_type"]])) + Decimal(ADDRESS_HOUR)
        hourly += Decimal(GP3_MONTH) * request["volume_gb"] / MONTH_HOURS
        total += hourly * hours * overlap(begun, ended, month)
    return total


def served(events: list[str], month: datetime) -> Decimal:
    """Instances × time between the events, in the order in which they happened."""
    found = [json.loads(text) for text in reversed(events)]
    total, count, since = Decimal(0), 0, None
    for event in found:
        asked = json.loads(event["CloudTrailEvent"])["requestParameters"] or {}
        if asked.get("endpointName") != "dogs":
            continue
        moment = at(event["EventTime"])
        if since is not None:
            hours = Decimal((moment - since) // timedelta(microseconds=1)) / 1_000_000 / 3600
            total += hours * count * Decimal(HOURLY["ml.m5.large"]) * overlap(since, moment, month)
        since = moment
        match event["EventName"]:
            case "CreateEndpoint":
                count = 1  # as its configuration says
            case "UpdateEndpointWeightsAndCapacities":
                count = asked["desiredWeightsAndCapacities"][0]["desiredInstanceCount"]
            case "DeleteEndpoint":
                count = 0
    return total


@pytest.mark.parametrize("which", [0, 1], ids=["last month", "this month"])
def test_the_ledger_agrees_with_a_month_done_by_hand(world: World, which: int) -> None:
    month = months()[which]
    period = Period.month(month.date())
    real = {
        "SageMaker training": trained(world.jobs, month, sample=False),
        "EC2": on_ec2(world.documents, month),
        "SageMaker endpoints": served(world.events, month),
    }
    shares = world.ledger.shares(Selection(Nature.SIMULATED, period))
    assert {one.group for one in shares if one.amount} == {name for name, amount in real.items() if amount}
    for one in shares:
        assert one.unknown == 0
        assert abs(one.amount - real[one.group]) < Decimal("0.0000001"), one.group
    total = world.ledger.total(Selection(Nature.SIMULATED, period)).amount
    assert round(total, 2) == round(sum(real.values()), 2)
    sample = world.ledger.total(Selection(Nature.SAMPLE, period)).amount
    by_hand = trained(world.jobs, month, sample=True)
    assert by_hand > Decimal("0.05")
    assert abs(sample - by_hand) < Decimal("0.0000001")


def test_the_two_months_and_the_one_before_are_everything(world: World) -> None:
    last, this = months()
    for nature in (Nature.SIMULATED, Nature.SAMPLE):
        parts = [Period.month((last - timedelta(days=1)).date()), Period.month(last.date()), Period.month(this.date())]
        whole = Period(parts[0].first, parts[2].last)
        sums = [world.ledger.total(Selection(nature, part)).amount for part in parts]
        assert all(sums) if nature is Nature.SAMPLE else sums[0] > 0
        assert sum(sums) == world.ledger.total(Selection(nature, whole)).amount
        receipts = [amount for _, amount in world.ledger.of(Selection(nature, whole, By.PROJECT)) if amount is not None]
        assert sum(receipts) == sum(sums)


def test_every_ending_is_there_and_trials_are_counted_once(world: World) -> None:
    status = {one.name: one.status for one in world.ledger.receipts}
    assert (status["two"], status["fails"], status["stopped"], status["dogs"]) == (
        "completed",
        "failed",
        "stopped",
        "deleted",
    )
    assert "search" not in status
    trials = [one for one in world.ledger.receipts if one.parent == "search"]
    assert [one.amount for one in trials] == [Decimal("0.019166666667")] * 2
    saving = next(one.saving for one in world.ledger.receipts if one.name == "into-this")
    assert saving == Decimal("0.23") * (7200 - 2500) * 3 / 3600
