"""Serverless variants: a process starts when a request needs one, is kept for a while, and no more run than may."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local_aws.engine.endpoint import Endpoint, Serverless, Status, Target, Throttled
from local_aws.engine.serverless import NotStartedError, Starting
from local_aws.pace import Pace
from tests.local_aws.engine_world import eventually
from tests.local_aws.test_engine_endpoints import Machine, variant

FAST = Pace(120)
"""A process that nobody asks is kept for 2.5 s."""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path, pace=FAST, serverless=2)
    yield made
    made.fleet.close()


def serverless(most: int, provisioned: int = 0, name: str = "dogs", machine: Machine | None = None) -> Endpoint:
    config = Serverless(1024, most, provisioned)
    only = replace(variant(None, count=0), serverless=config)
    return Endpoint(name, f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}", (only,))


def up(machine: Machine, endpoint: Endpoint) -> Endpoint:
    machine.fleet.create(endpoint)
    assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    return endpoint


def lease(machine: Machine, endpoint: Endpoint) -> Target:
    found = machine.fleet.target(endpoint.arn)
    if isinstance(found, Starting):
        ready: list[Target] = []
        starting = found
        assert eventually(lambda: ready.extend([target] if (target := starting.look()) else []) or ready)
        return ready[0]
    assert found is not None
    return found


def running(machine: Machine) -> int:
    return len(machine.fleet.metered())


def test_its_first_process_proves_that_it_can_run_and_ends_when_nobody_asks(machine: Machine) -> None:
    endpoint = up(machine, serverless(3))
    warm = lease(machine, endpoint)
    assert (warm.setup, warm.instances) == (None, 0), "the one that proved it is still there"
    warm.done()
    assert eventually(lambda: running(machine) == 0, 10)
    assert machine.status(endpoint) is Status.IN_SERVICE
    cold = lease(machine, endpoint)
    assert cold.setup is not None
    assert cold.setup > 0.02, "that is how long the process took to start"
    cold.done()


def test_each_process_has_one_request_and_above_the_maximum_they_are_refused(machine: Machine) -> None:
    endpoint = up(machine, serverless(2))
    first, second = lease(machine, endpoint), lease(machine, endpoint)
    assert first.port != second.port
    assert second.use is not None
    assert second.use.busy == 2
    with pytest.raises(Throttled, match="MaxConcurrency"):
        machine.fleet.target(endpoint.arn)
    first.done()
    again = lease(machine, endpoint)
    assert again.port == first.port
    for target in (again, second):
        target.done()


def test_where_the_machine_is_full_requests_share_processes(machine: Machine) -> None:
    endpoint = up(machine, serverless(5))
    targets = [lease(machine, endpoint) for _ in range(5)]
    assert running(machine) == 2
    ports = [target.port for target in targets]
    assert {ports.count(port) for port in ports} == {2, 3}
    for target in targets:
        target.done()


def test_an_idle_process_makes_room_for_another_variant(machine: Machine) -> None:
    one, two = up(machine, serverless(5)), up(machine, serverless(5, name="cats"))
    targets = [lease(machine, two) for _ in range(2)]
    assert len({target.port for target in targets}) == 2
    assert {each.endpoint.name for each in machine.fleet.metered()} == {"cats"}
    for target in targets:
        target.done()
    lease(machine, one).done()


def test_provisioned_processes_stay_and_others_spill_over(machine: Machine) -> None:
    endpoint = up(machine, serverless(3, provisioned=1))
    first, second = lease(machine, endpoint), lease(machine, endpoint)
    assert first.use is not None
    assert second.use is not None
    assert (first.setup, first.use.on_provisioned, first.use.provisioned_busy) == (None, True, 1)
    assert (second.use.on_provisioned, second.setup is not None) == (False, True)
    first.done()
    second.done()
    assert eventually(lambda: running(machine) == 1, 10), "only the provisioned one is kept"
    config = Serverless(1024, 3, 2)
    machine.fleet.update(replace(endpoint, variants=(replace(endpoint.variants[0], serverless=config),)))
    assert eventually(lambda: running(machine) == 2)
    assert machine.fleet.processes == 2


def test_concurrency_that_cannot_be_provisioned_is_not_waited_for(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "model=weights", pace=FAST, serverless=2)
    endpoint = serverless(3)
    only = replace(endpoint.variants[0], model=machine.model(weights="1"))
    endpoint = up(machine, replace(endpoint, variants=(only,)))
    (machine.fleet._host.place(endpoint, only).folder / "model/weights").unlink()
    machine.fleet.update(replace(endpoint, variants=(replace(only, serverless=Serverless(1024, 3, 2)),)))
    assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    view = machine.fleet.view(endpoint.arn)
    assert view is not None
    assert "no weights in the model" in view.refused
    assert machine.fleet.processes == 0
    machine.fleet.close()


def test_one_that_dies_makes_way_for_another(machine: Machine) -> None:
    endpoint = up(machine, serverless(3))
    dead = machine.ask(endpoint)["pid"]
    (only,) = machine.fleet.metered()
    only.instance.kill("a test ends it")
    assert eventually(lambda: running(machine) == 0)
    target = lease(machine, endpoint)
    target.done()
    assert machine.ask(endpoint)["pid"] != dead
    assert any("a test ends it" in line for line in machine.logs.lines)


def test_a_request_that_waits_for_a_process_learns_that_the_endpoint_is_deleted(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "delay=0.5", pace=FAST)
    endpoint = up(machine, serverless(3))
    first = lease(machine, endpoint)
    starting = machine.fleet.target(endpoint.arn)
    assert isinstance(starting, Starting)
    assert starting.look() is None
    machine.fleet.delete(endpoint, lambda: None)

    def told() -> bool:
        try:
            return starting.look() is not None
        except NotStartedError:
            return True

    assert eventually(told)
    starting.give_up()
    first.done()
    machine.fleet.close()


def test_a_model_that_cannot_start_fails_the_endpoint(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "model=weights")
    endpoint = serverless(3)
    machine.fleet.create(endpoint)
    assert eventually(lambda: machine.status(endpoint) is Status.FAILED)
    view = machine.fleet.view(endpoint.arn)
    assert view is not None
    assert "no weights in the model" in view.failure
    machine.fleet.close()


def test_after_a_restart_of_the_server_it_is_in_service_without_a_process(machine: Machine) -> None:
    endpoint = up(machine, serverless(3))
    machine.fleet.close()
    machine.fleet = machine.new_fleet()
    machine.fleet.create(endpoint, was_in_service=True)
    assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    assert running(machine) == 0
    lease(machine, endpoint).done()
