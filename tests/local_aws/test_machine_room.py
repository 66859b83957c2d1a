"""The machine room: as many instances as there is room for, and none that takes this machine down with it."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_aws.engine import machine_room
from local_aws.engine.instance import Boot, End, Sandbox, namespaces_allowed
from local_aws.engine.machine_room import MachineRoom, Start
from local_aws.engine.metadata import Facts
from local_aws.engine.usage import memory_bytes
from tests.local_aws.engine_world import eventually

pytestmark = pytest.mark.skipif(not namespaces_allowed(), reason="this system allows no namespaces")


class Told:
    """What the room reported."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.ended = threading.Event()

    def running(self, instance_id: str) -> None:
        self.events.append(("running", instance_id))

    def down(self, instance_id: str, end: End) -> None:
        self.events.append((end.name, instance_id))
        self.ended.set()

    def noticed(self, instance_id: str, at: float) -> None:
        self.events.append(("noticed", instance_id))

    def reclaim(self, instance_id: str) -> None:
        self.events.append(("reclaim", instance_id))


@contextmanager
def room(tmp_path: Path, told: Told, *, places: int = 2, notice: float = 0.2) -> Iterator[MachineRoom]:
    made = MachineRoom(Sandbox(True, tmp_path, 2.0), told, places, notice=notice)
    try:
        yield made
    finally:
        made.close()


def start(tmp_path: Path, name: str, script: str, *, volume_gb: int = 0, reclaims: tuple[float, ...] = ()) -> Start:
    folder = tmp_path / name
    folder.mkdir()
    text = b"#!/bin/bash\n" + script.encode()

    def boot(metadata_url: str, first: bool) -> Boot:
        return Boot(name, folder, text, first, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata_url})

    return Start(name, "us-east-1", boot, lambda: Facts({}), volume_gb=volume_gb, reclaims=reclaims)


def console(tmp_path: Path, name: str) -> str:
    path = tmp_path / name / "console"
    return path.read_text() if path.exists() else ""


def test_there_are_so_many_places_and_one_that_ends_gives_its_place_back(tmp_path: Path) -> None:
    told = Told()
    with room(tmp_path, told, places=1) as made:
        assert made.start(start(tmp_path, "i-1", "shutdown -h now"), first=True)
        assert not made.start(start(tmp_path, "i-2", "true"), first=True)
        assert told.ended.wait(15), console(tmp_path, "i-1")
        assert told.events == [("running", "i-1"), ("SHUT_DOWN", "i-1")]
        assert made.free == 1


def test_one_that_fills_its_volume_is_ended_and_its_console_says_why(tmp_path: Path) -> None:
    told = Told()
    with room(tmp_path, told) as made:
        made.start(start(tmp_path, "i-1", "fallocate -l 1100M /var/big; sleep 60", volume_gb=1), first=True)
        assert told.ended.wait(20), console(tmp_path, "i-1")
        assert told.events[-1] == ("LOST", "i-1")
        assert "The volume of 1 GB is full" in console(tmp_path, "i-1")


def test_a_console_holds_the_last_64_kilobytes_of_a_million_lines_and_of_bytes_that_are_no_text(tmp_path: Path) -> None:
    told = Told()
    script = "head -c 300000 /dev/urandom; seq 1000000; echo the end; shutdown -h now; sleep 60"
    with room(tmp_path, told) as made:
        made.start(start(tmp_path, "i-1", script), first=True)
        assert told.ended.wait(30)
        kept = (tmp_path / "i-1" / "console").read_bytes()
        assert len(kept) <= 64 * 1024
        assert b"1000000\nthe end" in kept


def test_when_this_machines_disk_is_full_the_instance_that_fills_it_is_ended_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    with room(tmp_path, told) as made:
        made.start(start(tmp_path, "i-small", "sleep 60", volume_gb=8), first=True)
        made.start(start(tmp_path, "i-large", "fallocate -l 300M /var/big; sleep 60", volume_gb=8), first=True)
        assert eventually(lambda: (found := made._fullest()) and found.disk > 200 * 1024**2)
        free = shutil.disk_usage(tmp_path).free
        monkeypatch.setattr(machine_room, "SPARE", free + 100 * 1024**2)  # enough, once it is gone
        assert told.ended.wait(20)
        monkeypatch.undo()
        assert told.events[-1] == ("LOST", "i-large")
        assert "disk of this machine is full" in console(tmp_path, "i-large")
        assert made.free == 1


def test_shared_memory_has_a_limit(tmp_path: Path) -> None:
    told = Told()
    with room(tmp_path, told) as made:
        made.start(start(tmp_path, "i-1", "df -Pk /dev/shm | tail -1; shutdown -h now"), first=True)
        assert told.ended.wait(15)
        line = next(line for line in console(tmp_path, "i-1").splitlines() if line.endswith("/dev/shm"))  # noqa: S108
        assert int(line.split()[1]) * 1024 <= 0.21 * memory_bytes(limit=Path("/none"))


def test_one_that_never_stops_printing_can_shut_itself_down(tmp_path: Path) -> None:
    told = Told()
    with room(tmp_path, told) as made:
        made.start(start(tmp_path, "i-1", "yes & sleep 1; shutdown -h now; wait"), first=True)
        assert told.ended.wait(10)
        assert told.events[-1] == ("SHUT_DOWN", "i-1")


def test_a_spot_interruption_comes_with_its_notice_and_only_once(tmp_path: Path) -> None:
    told = Told()
    with room(tmp_path, told) as made:
        made.start(start(tmp_path, "i-1", "sleep 60", reclaims=(0.1, 0.2)), first=True)
        assert eventually(lambda: ("reclaim", "i-1") in told.events)
        assert told.events[:3] == [("running", "i-1"), ("noticed", "i-1"), ("reclaim", "i-1")]
        made.shut_down("i-1")
        assert told.ended.wait(10)
        assert told.events[-1] == ("SHUT_DOWN", "i-1")


def test_when_the_server_ends_nothing_is_left_and_nothing_is_reported(tmp_path: Path) -> None:
    told = Told()
    with room(tmp_path, told) as made:
        made.start(start(tmp_path, "i-1", "trap '' TERM; while true; do sleep 1; done"), first=True)
        assert eventually(lambda: told.events)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert told.events == [("running", "i-1")]
