"""What a job uses and prints reaches CloudWatch while it runs, each host under its own name."""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from local_aws.engine import gpus, metering
from local_aws.engine.gpus import Gpu
from local_aws.engine.job import Stage
from local_aws.services.cloudwatch_store import Datum
from local_aws.services.ec2_types import memory_of
from tests.local_aws.engine_world import eventually, world

NAMES = {"CPUUtilization", "MemoryUtilization", "DiskUtilization"}


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metering.Meter.__init__, "__defaults__", (0.2,))


def test_each_host_tells_its_use_of_processor_memory_and_disk(tmp_path: Path) -> None:
    with world(tmp_path, gigabyte=1024**2) as made:
        before = time.time()
        made.run(
            "if [ $SM_CURRENT_HOST_RANK = 0 ]; then end=$((SECONDS + 2)); while [ $SECONDS -lt $end ]; do :; done;"
            "else head -c 5000000 /dev/urandom > /opt/ml/tmp/x; sleep 1.5; fi",
            instances=2,
        )
        after = time.time()
        assert {datum.name for datum in made.metrics.data} == NAMES
        assert {datum.dimensions for datum in made.metrics.data} == {
            (("Host", "job/algo-1"),),
            (("Host", "job/algo-2"),),
        }
        assert all(before <= datum.at <= after and datum.unit == "Percent" for datum in made.metrics.data)

        def highest(name: str, host: str) -> float:
            return max(d.value for d in made.metrics.data if d.name == name and d.dimensions[0][1] == f"job/{host}")

        assert 2 < highest("CPUUtilization", "algo-1") < 150, "one core, of a machine that may have other work"
        assert 48 < highest("DiskUtilization", "algo-2") < 60, "5 of 10 MB"
        assert highest("DiskUtilization", "algo-1") < 10
        assert 0 < highest("MemoryUtilization", "algo-1") < 50


def test_metrics_that_a_job_prints_go_there_under_its_name(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        definitions = {"MetricDefinitions": [{"Name": "valid:loss", "Regex": "loss=([0-9.]+)"}]}
        made.run("echo loss=0.5; echo loss=0.25", AlgorithmSpecification=definitions)
        found = [(datum.dimensions, datum.value) for datum in made.metrics.data if datum.name == "valid:loss"]
        assert found == [((("TrainingJobName", "job"),), 0.5), ((("TrainingJobName", "job"),), 0.25)]


def test_gpus_are_told_where_there_are_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metering, "gpus", lambda: [Gpu(90.0, 50.0), Gpu(30.0, 10.0)])
    with world(tmp_path) as made:
        made.run("sleep 0.6")
        found = {datum.name: datum.value for datum in made.metrics.data}
        assert (found["GPUUtilization"], found["GPUMemoryUtilization"]) == (120.0, 30.0)


def test_where_there_is_no_driver_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "LIBRARY", "libno-such-driver.so.1")
    gpus._library.cache_clear()
    assert gpus.gpus() == []
    gpus._library.cache_clear()


class FullDisk:
    def put(self, region: str, namespace: str, data: Sequence[Datum], *, resolution: int = 60) -> None:
        raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize("metrics", [FullDisk(), None])
def test_figures_that_cannot_be_kept_do_not_end_the_job(tmp_path: Path, metrics: FullDisk | None) -> None:
    with world(tmp_path, metrics=metrics) as made:
        assert made.run("sleep 0.5").names[-1] is Stage.COMPLETED


def test_sampling_begins_anew_with_each_attempt(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        arn = made.start("sleep 60")
        assert eventually(lambda: made.metrics.data)
        made.queue.stop(arn)
        made.finish()
        told = len(made.metrics.data)
        time.sleep(0.5)
        assert len(made.metrics.data) == told, "nothing is told of a job that has ended"


class Driver:
    """What the driver's library answers on a machine with two cards, of which one cannot say how busy it is."""

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:
        count._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: int, card: Any) -> int:
        card._obj.value = index + 1
        return 0

    def nvmlDeviceGetUtilizationRates(self, card: Any, rates: Any) -> int:
        rates._obj.gpu = 75
        return 0 if card.value == 1 else 3

    def nvmlDeviceGetMemoryInfo(self, card: Any, memory: Any) -> int:
        memory._obj.total, memory._obj.used = 80, 20
        return 0


def test_cards_are_asked_of_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "_library", Driver)
    assert gpus.gpus() == [Gpu(75.0, 25.0)]


def test_memory_is_a_share_of_what_the_instance_type_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory_of("ml.m5.large") == memory_of("m5.large") == 8 * 1024**3
    assert memory_of("ml.no.such") is None
    monkeypatch.setattr(metering, "memory_of", lambda instance_type: 1024**2)
    with world(tmp_path) as made:
        made.run("sleep 1")
        assert max(d.value for d in made.metrics.data if d.name == "MemoryUtilization") == 100
