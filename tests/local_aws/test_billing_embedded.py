"""A bill of what really ran: trainings, an endpoint, an instance with its disk; after kill -9 too; without samples."""

import calendar
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws import ec2_world
from tests.local_aws.sagemaker_world import (
    bucket,
    client,
    create_endpoint,
    delete_endpoint,
    finished,
    refused,
    tiny_package,
    training_request,
    wait_for,
)

MARKED = [{"Key": "project", "Value": "dogs"}]
SAMPLE = [{"Key": "kennel:sample", "Value": "true"}]
HOUR = Decimal("0.115")  # ml.m5.large in us-east-1


def bill(aws: Embedded, by: str = "USAGE_TYPE", **more: Any) -> dict[str, tuple[Decimal, Decimal]]:
    """Cost and quantity of each group, of today."""
    today = datetime.now(UTC).date()
    period = {"Start": str(today - timedelta(days=1)), "End": str(today + timedelta(days=1))}
    group = {"Type": "TAG", "Key": by} if by.islower() else {"Type": "DIMENSION", "Key": by}
    answer = client(aws, "ce").get_cost_and_usage(
        TimePeriod=period, Granularity="DAILY", Metrics=["UnblendedCost", "UsageQuantity"], GroupBy=[group], **more
    )
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for result in answer["ResultsByTime"]:
        for one in result["Groups"]:
            cost, quantity = (Decimal(one["Metrics"][name]["Amount"]) for name in ("UnblendedCost", "UsageQuantity"))
            before = found.get(one["Keys"][0], (Decimal(0), Decimal(0)))
            found[one["Keys"][0]] = (before[0] + cost, before[1] + quantity)
    return found


@dataclass
class Used:
    """What was used before the server was killed, and the server that came after it."""

    trained: dict[str, Any]
    running: float  # seconds that the endpoint was seen in service
    instance: str
    before: dict[str, tuple[Decimal, Decimal]]
    aws: Embedded


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    state = tmp_path_factory.mktemp("billed")
    folder = tmp_path_factory.mktemp("package")
    aws = start_embedded(state)
    try:
        bucket(aws)
        sagemaker = client(aws, "sagemaker")
        create_endpoint(sagemaker, "served", tiny_package(folder), count=2)
        sagemaker.create_training_job(**training_request("counted", "sleep 1", Tags=MARKED))
        sagemaker.create_training_job(**training_request("example", "true", Tags=SAMPLE))
        wait_for(sagemaker, "served", "InService")
        serving = time.monotonic()
        sample = [{"ResourceType": "instance", "Tags": SAMPLE}]
        shown = ec2_world.run(aws, "sleep 60", TagSpecifications=sample)
        instance = ec2_world.run(aws, "sleep 60")
        ec2_world.in_state(aws, instance, "running")
        ec2_world.in_state(aws, shown, "running")
        trained = finished(sagemaker, "counted")
        finished(sagemaker, "example")
        ec2_world.terminate(aws, instance)
        before = bill(aws)
        time.sleep(max(0.0, serving + 6 - time.monotonic()))  # until the server has noted that it is alive
        running = time.monotonic() - serving
    finally:
        aws.process.kill()
        aws.process.wait()
        for one in aws.clients.values():
            one.close()
    after = start_embedded(state)
    try:
        yield Used(trained, running, instance, before, after)
    finally:
        stop_embedded(after)
        if aws.process.stdout:
            aws.process.stdout.close()


def test_a_training_is_billed_for_its_billable_seconds_and_a_sample_is_not(used: Used) -> None:
    cost, hours = used.before["USE1-Train:ml.m5.large"]
    seconds = used.trained["BillableTimeInSeconds"]
    assert hours == pytest.approx(Decimal(seconds) / 3600, abs=Decimal("1e-9"))
    assert cost == pytest.approx(HOUR * seconds / 3600, abs=Decimal("1e-9"))


def test_a_training_stays_billed_when_it_is_deleted(used: Used) -> None:
    client(used.aws, "sagemaker").delete_training_job(TrainingJobName="counted")
    assert bill(used.aws)["USE1-Train:ml.m5.large"] == used.before["USE1-Train:ml.m5.large"]


def test_an_instance_is_billed_for_a_minute_with_its_disk_and_its_address(used: Used) -> None:
    cost, hours = used.before["BoxUsage:m5.large"]
    assert hours == pytest.approx(Decimal(1) / 60, abs=Decimal("1e-9"))
    assert cost == pytest.approx(Decimal("0.096") / 60, abs=Decimal("1e-9"))
    disk, months = used.before["EBS:VolumeUsage.gp3"]
    assert disk == pytest.approx(months * Decimal("0.08"), abs=Decimal("1e-9"))
    today = datetime.now(UTC)
    month = calendar.monthrange(today.year, today.month)[1] * 86400
    assert months == pytest.approx(
        Decimal(15 * 60) / month, abs=Decimal("1e-9")
    )  # the image's 15 GB, without the sample's
    address, hours = used.before["USE1-PublicIPv4:InUseAddress"]
    assert address == pytest.approx(hours * Decimal("0.005"), abs=Decimal("1e-9"))


def test_after_a_kill_an_endpoint_is_billed_to_when_it_was_last_seen_and_again_once_it_serves(used: Used) -> None:
    sagemaker = client(used.aws, "sagemaker")
    wait_for(sagemaker, "served", "InService")
    cost, hours = bill(used.aws)["USE1-Host:ml.m5.large"]
    assert cost == pytest.approx(hours * HOUR, abs=Decimal("1e-9"))
    seconds = float(hours) * 3600 / 2  # two instances
    assert seconds > used.running - 6
    delete_endpoint(sagemaker, "served")
    ended = bill(used.aws)["USE1-Host:ml.m5.large"]
    assert bill(used.aws)["USE1-Host:ml.m5.large"] == ended  # it is deleted: billed, and no more


def test_every_question_costs_a_cent_and_a_refused_one_nothing(used: Used) -> None:
    ce = client(used.aws, "ce")
    before, _ = bill(used.aws)["USE1-APIRequest"]
    code, _ = refused(
        ce.get_cost_and_usage,
        TimePeriod={"Start": "2020-01-01", "End": "2020-02-01"},
        Granularity="MONTHLY",
        Metrics=["UnblendedCost"],
    )
    assert code == "ValidationException"
    after, _ = bill(used.aws)["USE1-APIRequest"]
    assert after - before == Decimal("0.01")


def test_a_tag_is_activated_over_the_wire_and_counts_from_then_on(used: Used) -> None:
    ce, sagemaker = client(used.aws, "ce"), client(used.aws, "sagemaker")
    listed = {one["TagKey"]: one["Status"] for one in ce.list_cost_allocation_tags()["CostAllocationTags"]}
    assert listed == {"project": "Inactive"}
    ce.update_cost_allocation_tags_status(CostAllocationTagsStatus=[{"TagKey": "project", "Status": "Active"}])
    assert set(bill(used.aws, "project")) == {"project$"}
    sagemaker.create_training_job(**training_request("later", "true", Tags=MARKED))
    seconds = finished(sagemaker, "later")["BillableTimeInSeconds"]
    cost, _ = bill(used.aws, "project")["project$dogs"]
    assert cost == pytest.approx(HOUR * seconds / 3600, rel=Decimal("0.6"))  # what it ran after the activation
    assert cost > 0


def test_values_that_aws_does_not_know_are_refused_over_the_wire(used: Used) -> None:
    ce = client(used.aws, "ce")
    days = {"Start": "2026-11-01", "End": "2026-11-02"}
    code, said = refused(ce.get_cost_and_usage, TimePeriod=days, Granularity="WEEKLY", Metrics=["UnblendedCost"])
    assert (code, "WEEKLY" in said) == ("ValidationException", True)  # not the months of another granularity
    status = [{"TagKey": "project", "Status": "Perhaps"}]
    code, said = refused(ce.update_cost_allocation_tags_status, CostAllocationTagsStatus=status)
    assert (code, "Perhaps" in said) == ("ValidationException", True)


def test_what_is_not_there_answers_501(used: Used) -> None:
    code, _ = refused(
        client(used.aws, "ce").get_cost_forecast,
        TimePeriod={"Start": "2026-12-01", "End": "2026-12-31"},
        Metric="UNBLENDED_COST",
        Granularity="MONTHLY",
    )
    assert code == "NotImplemented"
