"""Jobs that go wrong in every way end in a state that a person understands, quickly and in bounded memory."""

import os
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from local_aws.engine import metering
from local_aws.engine.job import Stage
from local_aws.engine.output import Event
from local_aws.services.logs import Logs
from tests.local_aws.engine_world import World, eventually, world

MEGABYTE = 1024**2


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


class CountingLogs(Logs):
    lines = 0

    def append(self, group: str, stream: str, events: Sequence[Event]) -> None:
        super().append(group, stream, events)
        self.lines += len(events)


def test_a_crash_shows_the_end_of_its_traceback_and_its_exit_code(here: World) -> None:
    told = here.run("python -c 'def train(): raise KeyError(\"labels\")\ntrain()'")
    assert told.failure.startswith("AlgorithmError: ")
    assert told.failure.endswith("KeyError: 'labels', exit code: 1")
    assert "Traceback (most recent call last):" in here.logs.lines


def test_one_that_is_killed_says_so(here: World) -> None:
    told = here.run("echo allocating; kill -9 $$")
    assert told.failure == (
        "AlgorithmError: it was killed, most often for lack of memory; its last lines: allocating, exit code: 137"
    )


def test_one_that_hangs_and_ignores_signals_ends_at_its_time_limit(tmp_path: Path) -> None:
    with world(tmp_path, grace=0.3) as made:
        started = time.monotonic()
        told = made.run("trap '' TERM; while true; do sleep 0.05; done", StoppingCondition={"MaxRuntimeInSeconds": 1})
        assert told.names[-1] is Stage.MAX_RUNTIME_EXCEEDED
        assert 1.2 < time.monotonic() - started < 4


@pytest.mark.parametrize("instances", [1, 2])
def test_one_that_fills_its_volume_is_ended_and_says_so(tmp_path: Path, instances: int) -> None:
    with world(tmp_path, gigabyte=MEGABYTE, grace=60) as made:  # its 10 GB are 10 MB
        told = made.run(
            "trap '' TERM; [ $SM_CURRENT_HOST_RANK = 0 ] && head -c 12000000 /dev/urandom > /opt/ml/tmp/x;"
            "while true; do sleep 0.05; done",
            instances=instances,
        )
        assert told.names[-1] is Stage.FAILED
        who = " of algo-1" if instances > 1 else ""
        assert told.failure == (
            f"ClientError: The volume{who} is full: the job's files take more than the 10 GB of ResourceConfig's "
            "VolumeSizeInGB. Ask for a larger volume, or write less"
        )


def test_one_that_fills_its_volume_while_it_is_being_stopped_is_ended_at_once(tmp_path: Path) -> None:
    with world(tmp_path, gigabyte=MEGABYTE, grace=60) as made:
        job = made.start(
            "trap 'head -c 12000000 /dev/urandom > /opt/ml/tmp/x' TERM; echo ready; while true; do sleep 0.05; done"
        )
        assert eventually(lambda: made.logs.lines)
        made.queue.stop(job)
        began = time.monotonic()
        assert made.finish().names[-1] is Stage.STOPPED
        assert time.monotonic() - began < 20


def test_one_that_leaves_this_machine_no_disk_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path) as made:
        made.start("echo ready; sleep 60")
        assert eventually(lambda: made.logs.lines)
        status = os.statvfs(tmp_path)
        monkeypatch.setattr(metering, "SPARE", status.f_frsize * status.f_blocks)
        assert made.finish().failure.startswith("ClientError: The disk of this machine is full")


def test_data_larger_than_the_volume_is_not_even_trained_on(tmp_path: Path) -> None:
    with world(tmp_path, gigabyte=100) as made:
        made.objects.put("bucket", "d/x", b"x" * 2000)
        channel = {
            "ChannelName": "c",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/d"}},
        }
        told = made.run("true", InputDataConfig=[channel])
        assert "the input data is larger than the volume of 10 GB" in told.failure


def test_a_million_lines_are_kept_and_read_for_metrics_quickly(tmp_path: Path) -> None:
    logs = CountingLogs(tmp_path / "logs")
    with world(tmp_path, logs=logs) as made:
        definitions = {"MetricDefinitions": [{"Name": "count", "Regex": "^(999999)$"}]}
        made.start("seq 1000000", AlgorithmSpecification=definitions)
        started = time.monotonic()
        told = made.finish(seconds=60)
        took = time.monotonic() - started
        assert told.names[-1] is Stage.COMPLETED
        assert took < 30, "about 3 s on two cores that nobody else uses"
        assert [metric.value for metric in told.metrics] == [999_999]
        assert logs.lines == 1_000_000


def test_what_a_job_prints_is_not_held_in_memory(tmp_path: Path) -> None:
    with world(tmp_path, logs=Logs(tmp_path / "logs")) as made:
        tracemalloc.start()
        made.start("seq -f '%0150.0f' 300000")
        told = made.finish(seconds=60)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert told.names[-1] is Stage.COMPLETED
    assert peak < 25 * MEGABYTE, "its text alone has 45 million characters"


def test_binary_output_does_not_break_the_log(here: World) -> None:
    told = here.run("head -c 300000 /dev/urandom; printf '\\na\\0b\\n\\xff\\xfe\\n'; exit 2")
    assert told.failure.endswith("exit code: 2")
    assert "a\N{REPLACEMENT CHARACTER}b" in here.logs.lines
    assert not [line for line in here.logs.lines if "\x00" in line]
