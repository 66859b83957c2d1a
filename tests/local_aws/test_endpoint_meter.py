"""What the processes of an endpoint use, told as SageMaker tells it; and a serverless one that takes too much ends."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_aws.engine.endpoint import Endpoint, Serverless, Status, Variant
from local_aws.engine.endpoint_meter import EndpointMeter
from local_aws.pace import AS_AWS, Pace
from local_aws.services.cloudwatch_store import Datum
from tests.local_aws.engine_world import eventually
from tests.local_aws.test_engine_endpoints import Machine, variant

DIMENSIONS = (("EndpointName", "dogs"), ("VariantName", "AllTraffic"))


class Told:
    def __init__(self) -> None:
        self.data: list[Datum] = []
        self.places: set[tuple[str, str, int]] = set()

    def put(self, region: str, namespace: str, data: Sequence[Any], *, resolution: int = 60) -> None:
        self.data += data
        self.places.add((region, namespace, resolution))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.fleet.close()


@pytest.mark.parametrize(("pace", "resolution"), [(AS_AWS, 60), (Pace(30), 1)])
def test_each_instance_tells_its_processor_and_memory(machine: Machine, pace: Pace, resolution: int) -> None:
    machine.up(replace(variant(None, count=2), instance_type="ml.m5.large"))
    told = Told()
    meter = EndpointMeter(told, machine.fleet.metered, pace, now=lambda: 1_700_000_000.0)
    meter.look()
    assert told.data == [], "the first look only begins to count"
    meter.look()
    assert told.places == {("us-east-1", "/aws/sagemaker/Endpoints", resolution)}
    assert {one.dimensions for one in told.data} == {DIMENSIONS}
    names = sorted(one.name for one in told.data)
    assert names == ["CPUUtilization"] * 2 + ["MemoryUtilization"] * 2, "one point for each instance"
    memory = [one.value for one in told.data if one.name == "MemoryUtilization"]
    assert all(0 < value < 5 for value in memory), "a Python process in the 8 GiB of an ml.m5.large"
    assert {one.unit for one in told.data} == {"Percent"}


def test_a_serverless_process_that_takes_more_than_its_memory_is_ended(machine: Machine) -> None:
    only: Variant = replace(variant(None, count=0), serverless=Serverless(1, 1))  # 1 MiB, which no Python has
    endpoint = Endpoint("dogs", "arn:aws:sagemaker:us-east-1:123456789012:endpoint/dogs", (only,))
    machine.fleet.create(endpoint)
    assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    told = Told()
    meter = EndpointMeter(told, machine.fleet.metered, AS_AWS)
    meter.look()
    meter.look()
    assert [one.name for one in told.data] == ["MemoryUtilization"]
    assert eventually(lambda: not machine.fleet.metered())
    assert any("more than its 1 MiB of memory" in line for line in machine.logs.lines)


def test_a_new_instance_waits_for_its_machine(tmp_path: Path) -> None:
    machine = Machine(tmp_path, pace=Pace(100, instance_start=60))
    endpoint = machine.endpoint(variant(None))
    machine.fleet.create(endpoint)
    assert eventually(lambda: any("waits for its machine" in one.variants[0].message for one in machine.views))
    assert machine.status(endpoint) is Status.CREATING
    assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    machine.fleet.close()
    machine.fleet = machine.new_fleet()
    machine.views.clear()
    machine.fleet.create(endpoint, was_in_service=True)
    assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    messages = [one.message for view in machine.views for one in view.variants]
    assert not [one for one in messages if "machine" in one], "after a restart of the server it has it already"
    machine.fleet.close()
