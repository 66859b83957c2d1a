"""An endpoint's variants are replaced while it serves: step by step, and back again when something is wrong."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local_aws.engine.deployment import Deployment, Step, canary, moved, steps_of
from local_aws.engine.endpoint import Endpoint, Phase, Status, Target, Variant, View
from local_aws.pace import Pace
from tests.local_aws.engine_world import eventually
from tests.local_aws.test_engine_endpoints import Machine, variant

ALL_AT_ONCE = Deployment()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("machine"), pace=Pace(600))
    yield made
    made.fleet.close()


@pytest.fixture
def dogs(machine: Machine) -> Iterator[Endpoint]:
    """An endpoint in service with two instances that say VERSION=1; gone afterwards."""
    endpoint = machine.up(versioned(1))
    machine.views.clear()
    yield endpoint
    gone = threading.Event()
    machine.fleet.delete(endpoint, gone.set)
    assert gone.wait(10)


def versioned(version: int, count: int = 2, **more: str) -> Variant:
    return replace(variant(None, count=count), environment={"VERSION": str(version), **more})


def view(machine: Machine, endpoint: Endpoint) -> View:
    found = machine.fleet.view(endpoint.arn)
    assert found is not None
    return found


def deploy(machine: Machine, endpoint: Endpoint, new: Variant, how: Deployment, tripped: list[str]) -> None:
    """tripped: what the alarms say, changed by the test."""
    generation = view(machine, endpoint).attempt + 1
    target = replace(endpoint, variants=(new,), generation=generation)
    machine.fleet.deploy(target, how, lambda: tripped[0] if tripped else "")


def ended(machine: Machine, endpoint: Endpoint) -> View:
    assert eventually(lambda: view(machine, endpoint).pending is None, 15), view(machine, endpoint)
    return view(machine, endpoint)


def versions(machine: Machine, endpoint: Endpoint, requests: int = 6) -> list[str]:
    return [machine.ask(endpoint)["environment"]["VERSION"] for _ in range(requests)]


def test_steps_add_up_to_everything() -> None:
    assert steps_of(0.5, 300, 60) == (Step(0.5, 300), Step(1.0, 60))
    assert [round(step.share, 2) for step in steps_of(0.3, 1, 0)] == [0.3, 0.6, 0.9, 1.0]
    assert [round(step.share, 2) for step in steps_of(1 / 3, 1, 0)] == [0.33, 0.67, 1.0]
    assert canary(0.1, 300, 60) == (Step(0.1, 300), Step(1.0, 60))


@pytest.mark.parametrize(
    ("share", "count", "new"), [(0.0, 3, 0), (0.05, 3, 1), (1 / 3, 3, 1), (0.5, 3, 2), (1.0, 3, 3), (0.5, 1, 1)]
)
def test_at_least_one_instance_is_moved_and_in_the_end_all(share: float, count: int, new: int) -> None:
    assert moved(share, count) == new


def test_a_new_fleet_takes_over_and_the_old_one_ends(machine: Machine, dogs: Endpoint) -> None:
    old = {machine.ask(dogs)["pid"] for _ in range(4)}
    deploy(machine, dogs, versioned(2, count=1), ALL_AT_ONCE, [])
    assert view(machine, dogs).status is Status.UPDATING
    assert versions(machine, dogs, 2) == ["1", "1"], "the old one serves meanwhile"
    done = ended(machine, dogs)
    assert (done.status, done.generation, done.refused) == (Status.IN_SERVICE, 1, "")
    assert versions(machine, dogs) == ["2"] * 6
    assert [one.desired for one in done.variants] == [1]
    assert eventually(lambda: not [pid for pid in old if Path(f"/proc/{pid}").exists()])
    assert eventually(lambda: len(list(machine.folder.iterdir())) == 1), "the old model's files are gone"


def test_a_canary_gets_its_share_of_the_requests_first(machine: Machine, dogs: Endpoint) -> None:
    machine.fleet._choose = lambda: 0.25
    deploy(machine, dogs, versioned(2), Deployment(canary(0.3, 300, 0)), [])

    def pending_phase() -> Phase | None:
        pending = view(machine, dogs).pending
        return pending.phase if pending else None

    assert eventually(lambda: pending_phase() is Phase.BAKING, 10)
    assert versions(machine, dogs, 2) == ["2", "2"], "a quarter is less than the canary's share"
    machine.fleet._choose = lambda: 0.35
    assert versions(machine, dogs, 2) == ["1", "1"]
    assert ended(machine, dogs).generation == 1
    machine.fleet._choose = lambda: 0.5
    assert versions(machine, dogs, 2) == ["2", "2"]
    told = [one.pending for one in machine.views if one.pending]
    assert [phase for phase in Phase if phase in {one.phase for one in told}] == [
        Phase.CREATING,
        Phase.ACTIVATING,
        Phase.BAKING,
    ]


def test_an_alarm_while_it_bakes_takes_everything_back(machine: Machine, dogs: Endpoint) -> None:
    alarms: list[str] = []
    deploy(machine, dogs, versioned(2), Deployment(canary(0.5, 3600, 0), alarms=("5xx",)), alarms)
    assert eventually(lambda: any(one.pending and one.pending.phase is Phase.BAKING for one in machine.views))
    alarms.append("5xx is in ALARM state")
    after = ended(machine, dogs)
    assert (after.status, after.generation, after.refused) == (Status.IN_SERVICE, 0, "5xx is in ALARM state")
    assert versions(machine, dogs) == ["1"] * 6
    assert Status.ROLLING_BACK in [one.status for one in machine.views]
    deploy(machine, dogs, versioned(3), ALL_AT_ONCE, [])
    assert (ended(machine, dogs).generation, view(machine, dogs).refused) == (2, ""), "it can be tried again"


def test_a_new_fleet_that_cannot_start_leaves_the_old_one_serving(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "model=weights")
    endpoint = machine.up(variant(machine.model(weights="1")))
    deploy(machine, endpoint, variant(None), ALL_AT_ONCE, [])
    after = ended(machine, endpoint)
    assert (after.status, after.generation) == (Status.IN_SERVICE, 0)
    assert "did not pass the ping health check" in after.refused
    assert "no weights in the model" in after.refused
    assert machine.ask(endpoint)["model"] == ["weights"]
    machine.fleet.close()


def test_one_that_takes_too_long_is_taken_back(machine: Machine, dogs: Endpoint) -> None:
    deploy(machine, dogs, versioned(2), Deployment((Step(1.0, 3600),), longest=600), [])
    assert "longer than its MaximumExecutionTimeoutInSeconds (600 s)" in ended(machine, dogs).refused
    assert versions(machine, dogs, 2) == ["1", "1"]


def test_rolling_replaces_batch_by_batch_and_never_has_more_than_one_batch_too_many(
    machine: Machine, dogs: Endpoint
) -> None:
    deploy(machine, dogs, versioned(2), Deployment(steps_of(0.5, 0, 0), rolling=True), [])
    most = 0
    while view(machine, dogs).pending:
        most = max(most, len(machine.fleet.metered()))
        assert machine.ask(dogs)["environment"]["VERSION"] in "12"
    assert ended(machine, dogs).generation == 1
    assert most <= 3
    assert versions(machine, dogs) == ["2"] * 6


def test_rolling_back_brings_the_old_instances_up_again(machine: Machine, dogs: Endpoint) -> None:
    alarms: list[str] = []
    deploy(machine, dogs, versioned(2), Deployment(steps_of(0.5, 0, 3600), rolling=True, back=0.5), alarms)
    assert eventually(lambda: versions(machine, dogs, 2) == ["2", "2"]), "all of them are new"
    alarms.append("latency is in ALARM state")
    after = ended(machine, dogs)
    assert (after.generation, after.refused, after.variants[0].running) == (0, "latency is in ALARM state", 2)
    assert versions(machine, dogs) == ["1"] * 6


def test_no_request_is_lost_while_fleets_change(machine: Machine, dogs: Endpoint) -> None:
    answers: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answers.append(machine.ask(dogs, b"hello")["pid"])

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    for version in (2, 3):
        deploy(machine, dogs, versioned(version), ALL_AT_ONCE, [])
        ended(machine, dogs)
    stop.set()
    for client in clients:
        client.join()
    assert view(machine, dogs).generation == 2
    assert len(set(answers)) >= 4, "two fleets of two processes answered, and no client met an error"


def test_an_instance_answers_what_it_was_asked_before_it_is_taken_away(machine: Machine, dogs: Endpoint) -> None:
    targets = [machine.fleet.target(dogs.arn) for _ in range(2)]
    machine.fleet.update(replace(dogs, variants=(versioned(1, count=1),)))
    assert eventually(lambda: view(machine, dogs).variants[0].desired == 1)
    time.sleep(0.2)
    instances = machine.fleet.metered()
    assert len(instances) == 1
    (surplus,) = [one for one in targets if isinstance(one, Target) and one.instance != instances[0].instance.name]
    assert surplus.port, "the one that is taken away"
    assert machine.fleet._retiring, "it waits for its request"
    for target in targets:
        assert isinstance(target, Target)
        target.done()
    assert eventually(lambda: not machine.fleet._retiring)


def test_deleting_in_the_middle_of_an_update_leaves_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    endpoint = machine.up(versioned(1))
    deploy(machine, endpoint, versioned(2), Deployment((Step(1.0, 3600),)), [])
    assert eventually(lambda: versions(machine, endpoint, 1) == ["2"])
    gone = threading.Event()
    machine.fleet.delete(endpoint, gone.set)
    assert gone.wait(10)
    assert machine.fleet.view(endpoint.arn) is None
    assert eventually(lambda: list(machine.folder.iterdir()) == [])
    machine.fleet.close()


def test_files_that_no_endpoint_runs_are_swept_away(machine: Machine, dogs: Endpoint) -> None:
    left = machine.folder / "0123456789ab"
    (left / "model").mkdir(parents=True)
    machine.fleet.sweep([dogs])
    assert [one.name for one in machine.folder.iterdir()] == [
        machine.fleet._host.place(dogs, dogs.variants[0]).folder.name
    ]
