"""The meters: what SageMaker's records say goes to the journal, also what was there before, and after a full disk."""

import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from local_aws.services.billing_journal import Journal, Usage, Used
from local_aws.services.billing_meters import Meters
from local_aws.services.sagemaker_resources import Resources
from local_aws.store import Store

START = 1_800_000_000.0
ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/t"
SERVED = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"


def job(stage: str = "Completed", *, ran: bool = True, arn: str = ARN) -> dict[str, Any]:
    times = {"TrainingStartTime": START, "TrainingEndTime": START + 9.2} if ran else {}
    return {
        "TrainingJobName": "t",
        "TrainingJobArn": arn,
        "TrainingJobStatus": "Completed" if stage == "Completed" else "InProgress",
        "SecondaryStatus": stage,
        "SecondaryStatusTransitions": [],
        "CreationTime": START,
        "LastModifiedTime": START,
        "Metrics": {},
        "Request": {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2}},
        "Tags": [{"Key": "project", "Value": "dogs"}],
        **times,
    }


def endpoint(status: str, count: int = 1, *, was: bool = True) -> dict[str, Any]:
    variant = {"name": "AllTraffic", "instance_type": "ml.m5.large", "count": count}
    return {
        "EndpointName": "e",
        "EndpointArn": SERVED,
        "EndpointStatus": status,
        "CreationTime": START,
        "LastModifiedTime": START,
        "WasInService": was,
        "Variants": [variant],
        "Tags": [],
    }


class World:
    """SageMaker's records under meters whose clock stands where it is put."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.jobs, self.endpoints = Resources(self.store, "training-job"), Resources(self.store, "endpoint")
        self.journal = Journal(self.store)
        self.now = START
        self.meters = Meters(self.journal, now=lambda: self.now)

    def used(self, kind: Used) -> list[Usage]:
        return [one for one in self.journal.between(0, START * 2) if one.used is kind]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_trainings_that_ended_before_are_written_down_once(world: World) -> None:
    world.jobs.add(ARN, job())
    world.jobs.add(f"{ARN}2", job(ran=False, arn=f"{ARN}2"))
    world.meters.watch(world.jobs, world.endpoints)
    Meters(world.journal).watch(world.jobs, world.endpoints)
    (one,) = world.used(Used.TRAINING)
    assert (one.seconds, one.size, one.kind, one.tags) == (10, 2, "ml.m5.large", {"project": "dogs"})
    assert (one.started, one.ended) == (START, START + 9.2)


def test_a_training_is_written_down_when_it_ends(world: World) -> None:
    world.meters.watch(world.jobs, world.endpoints)
    world.jobs.add(ARN, job("Training"))
    assert world.used(Used.TRAINING) == []
    world.jobs.change(ARN, lambda _: job())
    assert len(world.used(Used.TRAINING)) == 1
    world.jobs.remove(ARN)
    assert len(world.used(Used.TRAINING)) == 1


def test_a_clock_that_was_set_back_meanwhile_makes_no_time_negative(world: World) -> None:
    world.meters.watch(world.jobs, world.endpoints)
    world.jobs.add(ARN, job("Training"))
    world.jobs.change(ARN, lambda _: job() | {"TrainingEndTime": START - 5})
    (one,) = world.used(Used.TRAINING)
    assert (one.started, one.ended) == (START, START)


def test_an_address_of_ones_own_on_a_running_instance_is_billed_once(world: World) -> None:
    class Instance:
        id, instance_type, availability_zone, public_ip = "i-1", "m5.large", "us-east-1a", "203.0.113.7"
        kennel: ClassVar = {"spot": False}
        _state = SimpleNamespace(name="running")

    address = SimpleNamespace(allocation_id="eipalloc-1", public_ip="203.0.113.7", association_id="eipassoc-1")
    region = SimpleNamespace(
        addresses=[address], reservations={"r": SimpleNamespace(instances=[Instance])}, volumes={}, tags={}
    )
    world.meters.ec2({"123456789012": {"us-east-1": region}})
    assert [(one.thing, one.detail) for one in world.used(Used.ADDRESS)] == [("eipalloc-1", "InUseAddress")]
    region.addresses = []
    world.meters.ec2({"123456789012": {"us-east-1": region}})
    assert [one.thing for one in world.used(Used.ADDRESS) if one.ended is None] == ["i-1/address"]


def test_an_endpoint_is_billed_from_its_service_on_with_the_instances_that_it_has(world: World) -> None:
    world.meters.watch(world.jobs, world.endpoints)
    world.endpoints.add(SERVED, endpoint("Creating", was=False))
    for later, status, count in ((30, "InService", 1), (60, "Updating", 3), (70, "InService", 3), (100, "Deleting", 3)):
        world.now = START + later
        world.endpoints.change(SERVED, lambda _, status=status, count=count: endpoint(status, count))
    world.now = START + 120
    world.endpoints.remove(SERVED)
    spans = [(one.started - START, (one.ended or 0) - START, one.size) for one in world.used(Used.ENDPOINT)]
    assert spans == [(30, 60, 1), (60, 100, 3)]


def test_a_full_disk_does_not_stop_the_records_and_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.meters.watch(world.jobs, world.endpoints)
    world.jobs.add(ARN, job("Training"))

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(world.journal, "_put", full)
        world.jobs.change(ARN, lambda _: job())
        world.endpoints.add(SERVED, endpoint("InService"))
        world.meters.beat()
    assert world.used(Used.TRAINING) == world.used(Used.ENDPOINT) == []
    found = world.jobs.get(ARN)
    assert found is not None
    assert found["SecondaryStatus"] == "Completed"
    world.meters.beat()
    assert len(world.used(Used.TRAINING)) == 1
    world.endpoints.change(SERVED, lambda _: endpoint("Updating"))
    assert len(world.used(Used.ENDPOINT)) == 1


def test_a_server_that_stops_closes_what_it_served(world: World) -> None:
    world.meters.watch(world.jobs, world.endpoints)
    world.meters.start()
    world.endpoints.add(SERVED, endpoint("InService"))
    world.now = START + 50
    world.meters.stop()
    assert [one.ended for one in world.used(Used.ENDPOINT)] == [START + 50]


def test_answers_of_a_serverless_variant_are_billed_by_the_millisecond_a_minute_at_a_time(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.meters.watch(world.jobs, world.endpoints)
    told = endpoint("InService", count=0) | {"Tags": [{"Key": "project", "Value": "dogs"}]}
    world.endpoints.add(SERVED, told)
    for seconds in (0.0101, 0.5):
        world.meters.answered(SERVED, "AllTraffic", 3072, seconds)
        world.now += 30
    assert world.journal.between(START - 1, START + 999) == [], "added up first"
    world.now += 1
    world.meters.beat()
    (usage,) = world.journal.between(START - 1, START + 999)
    assert (usage.used, usage.thing, usage.kind) == (Used.SERVERLESS, f"{SERVED}/AllTraffic", "3072")
    assert (usage.started, usage.ended, usage.seconds) == (START, START + 30, 0.511)
    assert usage.tags == {"project": "dogs"}
    world.meters.answered(SERVED, "AllTraffic", 3072, 1.0)
    world.meters.stop()
    assert len(world.journal.between(START - 1, START + 999)) == 2, "what is left is written when the server stops"


def test_while_an_endpoint_is_updated_both_fleets_are_billed(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.meters.watch(world.jobs, world.endpoints)
    world.endpoints.add(SERVED, endpoint("InService"))
    coming = {"Variants": [{"name": "AllTraffic", "instance_type": "ml.m5.xlarge", "count": 2}]}
    world.now += 60
    world.endpoints.change(SERVED, lambda one: {**one, "EndpointStatus": "Updating", "Pending": coming})
    world.now += 60
    after = {**endpoint("InService"), **coming}
    world.endpoints.change(SERVED, lambda _: after)
    world.now += 60
    world.endpoints.remove(SERVED)
    found = world.journal.between(0, START + 999)
    billed = [(one.kind, one.size, one.started - START, (one.ended or 0) - one.started) for one in found]
    assert sorted(billed) == [
        ("ml.m5.large", 1, 0, 120),
        ("ml.m5.xlarge", 2, 60, 60),
        ("ml.m5.xlarge", 2, 120, 60),
    ]
