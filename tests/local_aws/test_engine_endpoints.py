"""Endpoints are real processes: they come up, answer in turn, are restarted when they die, and leave nothing behind."""

import errno
import json
import os
import shutil
import signal
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_aws.engine import artifacts
from local_aws.engine.deployment import Deployment
from local_aws.engine.endpoint import Endpoint, ModelFiles, Status, Target, Variant, View
from local_aws.engine.endpoints import Fleet, Host
from local_aws.engine.objects import Location
from local_aws.engine.opt_ml import namespaces_allowed
from local_aws.engine.serving import Instance
from local_aws.pace import AS_AWS, Pace
from tests.local_aws.engine_world import FolderObjects, ListLogs, eventually

TINY_SERVER = str(Path(__file__).with_name("tiny_server.py"))


class Machine:
    """A fleet whose endpoints run the tiny server."""

    def __init__(
        self,
        tmp_path: Path,
        *settings: str,
        startup: float = 10.0,
        private: bool | None = None,
        pace: Pace = AS_AWS,
        **host: Any,
    ) -> None:
        self.objects = FolderObjects(tmp_path / "s3")
        self.logs = ListLogs()
        self.views: list[View] = []
        self.tmp_path = tmp_path
        self.folder = tmp_path / "endpoints"
        self.folder.mkdir(exist_ok=True)
        self.settings, self.startup, self.more = settings, startup, {"pace": pace, **host}
        self.private = namespaces_allowed() if private is None else private
        self.fleet = self.new_fleet()

    def new_fleet(self) -> Fleet:
        command = ("python", TINY_SERVER, *self.settings)
        host = Host(self.folder, self.objects, self.logs, self.private, command, self.startup, **self.more)
        return Fleet(host, lambda _, view: self.views.append(view))

    def model(self, **files: str) -> ModelFiles:
        folder = self.tmp_path / "model"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        artifacts.pack(folder, self.tmp_path / "model.tar.gz")
        self.objects.put("bucket", "m/model.tar.gz", (self.tmp_path / "model.tar.gz").read_bytes())
        return ModelFiles(Location("bucket", "m/model.tar.gz"), packed=True)

    def endpoint(self, *variants: Variant, name: str = "dogs") -> Endpoint:
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}"
        return Endpoint(name, arn, variants or (variant(self.model(weights="1")),))

    def status(self, endpoint: Endpoint) -> Status | None:
        view = self.fleet.view(endpoint.arn)
        return view.status if view else None

    def failure(self, endpoint: Endpoint) -> str:
        view = self.fleet.view(endpoint.arn)
        return view.failure if view else ""

    def up(self, *variants: Variant) -> Endpoint:
        endpoint = self.endpoint(*variants)
        self.fleet.create(endpoint)
        assert eventually(lambda: self.status(endpoint) is Status.IN_SERVICE), (
            self.fleet.view(endpoint.arn),
            self.logs.lines,
        )
        return endpoint

    def ask(self, endpoint: Endpoint, body: bytes = b"hello", variant: str | None = None) -> dict[str, Any]:
        target = self.fleet.target(endpoint.arn, variant)
        assert isinstance(target, Target)
        request = urllib.request.Request(f"http://127.0.0.1:{target.port}/invocations", body)
        with urllib.request.urlopen(request, timeout=5) as answer:
            told: dict[str, Any] = json.load(answer)
        target.done()
        return told


def variant(model: ModelFiles | None, name: str = "AllTraffic", count: int = 1, weight: float = 1.0) -> Variant:
    return Variant(name, model, {"THRESHOLD": "0.5"}, count, weight)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.fleet.close()


def test_an_endpoint_serves_its_model_with_its_environment(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    endpoint = machine.endpoint(variant(machine.model(weights="1")))
    machine.fleet.create(endpoint)
    assert machine.status(endpoint) is Status.CREATING
    assert machine.fleet.target(endpoint.arn) is None
    assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    told = machine.ask(endpoint)
    assert told["model"] == ["weights"]
    assert told["environment"]["THRESHOLD"] == "0.5"
    assert not [name for name in told["environment"] if name.startswith("AWS_")]
    if namespaces_allowed():
        assert told["environment"]["SM_MODEL_DIR"] == "/opt/ml/model"
    ((group, stream),) = machine.logs.events
    assert group == "/aws/sagemaker/Endpoints/dogs"
    assert stream.startswith("AllTraffic/i-")
    assert machine.logs.lines[0].startswith("listening on")


def test_without_a_namespace_the_model_is_found_too(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "model=weights", private=False)
    assert machine.ask(machine.up())["model"] == ["weights"]
    machine.fleet.close()


def test_a_model_that_is_not_packed(machine: Machine) -> None:
    machine.objects.put("bucket", "plain/a/b", b"1")
    model = ModelFiles(Location("bucket", "plain/"), packed=False)
    assert machine.ask(machine.up(variant(model)))["model"] == ["a", "a/b"]


def test_several_instances_take_turns(machine: Machine) -> None:
    endpoint = machine.up(variant(machine.model(weights="1"), count=2))
    pids = [machine.ask(endpoint)["pid"] for _ in range(4)]
    assert len(set(pids)) == 2
    assert pids[:2] == pids[2:]
    assert machine.fleet.processes == 2


def test_variants_share_requests_by_weight_and_can_be_asked_for(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    draws = iter([0.0, 0.2, 0.3, 0.99])
    machine.fleet._choose = lambda: next(draws)
    model = machine.model(weights="1")
    endpoint = machine.up(variant(model, "a", weight=1), variant(model, "b", weight=3), variant(model, "off", weight=0))
    targets = [machine.fleet.target(endpoint.arn) for _ in range(4)]
    assert [target.variant for target in targets if isinstance(target, Target)] == ["a", "a", "b", "b"]
    machine.fleet._choose = lambda: 0.5
    named = machine.fleet.target(endpoint.arn, "off")
    assert isinstance(named, Target)
    assert named.variant == "off"
    assert machine.fleet.target(endpoint.arn, "none") is None
    machine.fleet.close()


def test_a_process_that_dies_is_restarted_and_the_endpoint_says_so(machine: Machine) -> None:
    endpoint = machine.up()
    first = machine.ask(endpoint)["pid"]
    machine.views.clear()
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: machine.views and machine.views[-1].status is Status.IN_SERVICE)
    assert machine.ask(endpoint)["pid"] != first
    down = machine.views[0]
    assert down.status is Status.SYSTEM_UPDATING
    assert down.variants[0].running == 0
    assert "ended with code 137" in down.variants[0].message
    assert any("[kennel] The serving process ended with code 137" in line for line in machine.logs.lines)


def test_one_that_keeps_dying_is_restarted_more_and_more_slowly(machine: Machine) -> None:
    endpoint = machine.up()
    assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    for _ in range(2):
        os.kill(machine.ask(endpoint)["pid"], signal.SIGKILL)
        assert eventually(lambda: machine.status(endpoint) is not Status.IN_SERVICE)
        assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    messages = [view.variants[0].message for view in machine.views if view.variants[0].message]
    assert "It is restarted (restart 1)" in messages[0]
    assert "It is restarted in 0.5 s (restart 2)" in messages[1]


def test_with_one_of_two_instances_down_the_endpoint_still_serves(machine: Machine) -> None:
    endpoint = machine.up(variant(machine.model(weights="1"), count=2))
    machine.views.clear()
    os.kill(machine.ask(endpoint)["pid"], signal.SIGKILL)
    assert eventually(lambda: machine.views)
    assert (machine.views[0].status, machine.views[0].variants[0].running) == (Status.IN_SERVICE, 1)
    machine.ask(endpoint)


def test_a_model_that_cannot_start_fails_the_endpoint_with_its_last_words(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "model=other.onnx")
    endpoint = machine.endpoint()
    machine.fleet.create(endpoint)
    assert eventually(lambda: machine.status(endpoint) is Status.FAILED)
    view = machine.fleet.view(endpoint.arn)
    assert view is not None
    assert "did not pass the ping health check" in view.failure
    assert "no other.onnx in the model" in view.failure
    assert machine.fleet.target(endpoint.arn) is None
    machine.fleet.close()


@pytest.mark.parametrize("setting", ["ping=500", "delay=60"])
def test_one_that_never_answers_ping_fails_in_time(tmp_path: Path, setting: str) -> None:
    machine = Machine(tmp_path, setting, startup=0.5)
    endpoint = machine.endpoint()
    machine.fleet.create(endpoint)
    assert eventually(lambda: machine.status(endpoint) is Status.FAILED)
    assert "did not answer /ping within 0.5 s" in machine.failure(endpoint)
    machine.fleet.close()


def test_model_data_that_is_missing_or_broken(machine: Machine) -> None:
    machine.objects.put("bucket", "broken.tar.gz", b"no archive")
    for key, words in (
        ("nothing.tar.gz", "The specified key does not exist"),
        ("broken.tar.gz", "must be a gzipped tar"),
    ):
        endpoint = machine.endpoint(variant(ModelFiles(Location("bucket", key), packed=True)), name=key[:6])
        machine.fleet.create(endpoint)
        assert eventually(lambda arn=endpoint.arn: machine.fleet.view(arn).failure)  # type: ignore[misc]
        assert words in machine.failure(endpoint)
        assert machine.failure(endpoint).startswith(f"ClientError: the model data s3://bucket/{key} cannot be used")
    assert list(machine.folder.iterdir()) == []


def test_deleting_ends_the_processes_and_removes_the_files(machine: Machine) -> None:
    endpoint = machine.up(variant(machine.model(weights="1"), count=2))
    pids = {machine.ask(endpoint)["pid"] for _ in range(2)}
    done = threading.Event()
    machine.fleet.delete(endpoint, done.set)
    assert machine.status(endpoint) in (Status.DELETING, None)
    assert machine.fleet.target(endpoint.arn) is None
    assert done.wait(5)
    assert machine.status(endpoint) is None
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert list(machine.folder.iterdir()) == []


def test_deleting_while_it_is_being_created(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "delay=60")
    endpoint = machine.endpoint()
    machine.fleet.create(endpoint)
    done = threading.Event()
    machine.fleet.delete(endpoint, done.set)
    assert done.wait(5)
    assert machine.fleet.view(endpoint.arn) is None
    assert list(machine.folder.iterdir()) == []
    machine.fleet.close()


def test_endpoints_come_back_with_the_server_from_their_own_copy_of_the_model(machine: Machine) -> None:
    endpoint = machine.up()
    machine.fleet.close()
    (machine.objects.root / "bucket/m/model.tar.gz").unlink()
    machine.fleet = machine.new_fleet()
    machine.fleet.create(endpoint, was_in_service=True)
    assert machine.status(endpoint) is Status.SYSTEM_UPDATING
    assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    assert machine.ask(endpoint)["model"] == ["weights"]


def test_whatever_goes_wrong_while_it_is_prepared_fails_the_endpoint(machine: Machine) -> None:
    def broken(bucket: str, key: str) -> None:
        raise RuntimeError("the database is locked")

    endpoint = machine.endpoint()
    machine.objects.get = broken  # type: ignore[assignment, method-assign]
    machine.fleet.create(endpoint)
    assert eventually(lambda: machine.status(endpoint) is Status.FAILED)
    assert "the database is locked" in machine.failure(endpoint)


def test_a_model_that_does_not_fit_on_the_disk_leaves_nothing_there(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = machine.endpoint(variant(machine.model(weights="1")))

    def full(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    machine.fleet.create(endpoint)
    assert eventually(lambda: machine.status(endpoint) is Status.FAILED)
    assert "No space left on device" in machine.failure(endpoint)
    assert list(machine.folder.iterdir()) == []


def test_an_instance_that_cannot_be_started_fails_the_endpoint_which_can_be_deleted(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = machine.endpoint(variant(machine.model(weights="1")))

    def no_thread(instance: Instance) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Instance, "start", no_thread)
    machine.fleet.create(endpoint)
    assert eventually(lambda: machine.status(endpoint) is Status.FAILED, 3)
    assert "can't start new thread" in machine.failure(endpoint)
    gone = threading.Event()
    machine.fleet.delete(endpoint, gone.set)
    assert gone.wait(5)
    assert list(machine.folder.iterdir()) == []


def test_requests_are_routed_at_random_where_that_is_asked_for(machine: Machine) -> None:
    endpoint = machine.up(replace(variant(None, count=3), routing="RANDOM"))
    draws = iter([0.5, 0.0, 0.5, 0.0, 0.5, 0.99])  # for each request: of the variants, then of the instances
    machine.fleet._choose = lambda: next(draws)
    targets = [machine.fleet.target(endpoint.arn) for _ in range(3)]
    names = [target.instance for target in targets if isinstance(target, Target)]
    assert names[0] == names[1] != names[2], "however many requests an instance has"


def test_an_instance_that_cannot_be_added_leaves_the_endpoint_as_it_was(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "model=weights")
    endpoint = machine.up()
    (only,) = endpoint.variants
    (machine.fleet._host.place(endpoint, only).folder / "model/weights").unlink()
    machine.fleet.update(replace(endpoint, variants=(replace(only, count=3, weight=0.5),)), attempt=1)
    assert machine.status(endpoint) is Status.UPDATING
    assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    view = machine.fleet.view(endpoint.arn)
    assert view is not None
    assert (view.attempt, [(one.desired, one.weight) for one in view.variants]) == (1, [(1, 1.0)])
    assert "an instance could not be added" in view.refused
    assert "no weights in the model" in view.refused
    assert eventually(lambda: not machine.fleet._retiring), "those that were tried are gone"
    assert machine.ask(endpoint)["body"] == "hello"
    machine.fleet.close()


def test_an_instance_that_dies_while_others_are_added_is_started_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "delay=0.3")
    endpoint = machine.up()
    first = machine.ask(endpoint)["pid"]
    machine.fleet.update(replace(endpoint, variants=(replace(endpoint.variants[0], count=2),)))
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: machine.views[-1].variants[0].running == 2)
    assert (machine.views[-1].status, machine.views[-1].refused) == (Status.IN_SERVICE, "")
    machine.fleet.close()


def test_a_machine_that_has_no_process_left_for_a_moment_does_not_lose_the_instance(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = machine.up()
    start, failures = Instance._start, iter([OSError(errno.EAGAIN, "Resource temporarily unavailable")])

    def fails_once(instance: Instance) -> str:
        for failure in failures:
            raise failure
        return start(instance)

    monkeypatch.setattr(Instance, "_start", fails_once)
    os.kill(machine.ask(endpoint)["pid"], signal.SIGKILL)
    assert eventually(lambda: machine.views[-1].status is Status.SYSTEM_UPDATING)
    assert eventually(lambda: machine.status(endpoint) is Status.IN_SERVICE)
    assert any("Resource temporarily unavailable" in one.variants[0].message for one in machine.views)


def test_an_endpoint_of_the_same_name_keeps_its_files_when_the_one_before_has_still_requests(machine: Machine) -> None:
    endpoint = machine.up(variant(machine.model(weights="1")))
    busy = machine.fleet.target(endpoint.arn)
    machine.fleet.deploy(replace(endpoint, generation=1), Deployment(), lambda: "")
    assert eventually(lambda: machine.views[-1].generation == 1)
    assert eventually(lambda: bool(machine.fleet._retiring)), "the old fleet waits for its request"
    gone = threading.Event()
    machine.fleet.delete(endpoint, gone.set)
    assert gone.wait(10)
    assert not machine.fleet._retiring
    again = machine.up(variant(machine.model(weights="1")))
    assert isinstance(busy, Target)
    busy.done()
    assert machine.ask(again)["model"] == ["weights"]
