"""What the engine's tests give it to work with: S3 as a plain folder, logs as a list, and a record of every report."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_aws.engine.job import Job, Spot, Stage
from local_aws.engine.machine import Machine
from local_aws.engine.metrics import Metric
from local_aws.engine.opt_ml import namespaces_allowed
from local_aws.engine.output import Event
from local_aws.engine.queue import TrainingQueue
from local_aws.errors import ServiceError
from local_aws.services.cloudwatch_store import Datum


@dataclass(frozen=True)
class FolderObject:
    key: str
    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size


class FolderObjects:
    """Buckets as folders. Keys that no file can have are kept in `odd`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.odd: list[FolderObject] = []

    def put(self, bucket: str, key: str, data: bytes) -> None:
        path = self.root / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def bucket_region(self, bucket: str) -> str:
        if not (self.root / bucket).is_dir():
            raise ServiceError("NoSuchBucket", "The specified bucket does not exist", 404)
        return "us-east-1"

    def find(self, bucket: str, prefix: str) -> list[FolderObject]:
        folder = self.root / bucket
        if not folder.is_dir():
            raise ServiceError("NoSuchBucket", "The specified bucket does not exist", 404)
        found = [FolderObject(str(path.relative_to(folder)), path) for path in folder.rglob("*") if path.is_file()]
        return sorted((one for one in found + self.odd if one.key.startswith(prefix)), key=lambda one: one.key)

    def get(self, bucket: str, key: str) -> FolderObject:
        for one in self.find(bucket, key):
            if one.key == key:
                return one
        raise ServiceError("NoSuchKey", "The specified key does not exist.", 404)

    def add_file(
        self, bucket: str, key: str, source: Path, content_type: str = "application/octet-stream"
    ) -> FolderObject:
        if not (self.root / bucket).is_dir():
            raise ServiceError("NoSuchBucket", "The specified bucket does not exist", 404)
        self.put(bucket, key, source.read_bytes())
        return self.get(bucket, key)


class ListLogs:
    def __init__(self) -> None:
        self.events: dict[tuple[str, str], list[Event]] = {}

    def append(self, group: str, stream: str, events: Sequence[Event]) -> None:
        self.events.setdefault((group, stream), []).extend(events)

    @property
    def lines(self) -> list[str]:
        return [line for events in self.events.values() for _, line in events]


class ListMetrics:
    def __init__(self) -> None:
        self.data: list[Datum] = []

    def put(self, region: str, namespace: str, data: Sequence[Datum], *, resolution: int = 60) -> None:
        assert (region, namespace, resolution) == ("us-east-1", "/aws/sagemaker/TrainingJobs", 1)
        self.data.extend(data)


@dataclass
class Told:
    """One job's reports."""

    stages: list[tuple[Stage, str, float]] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    failure: str = ""
    artifact: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def names(self) -> list[Stage]:
        return [stage for stage, _, _ in self.stages]


class World:
    """A machine with one training queue, and what it reported."""

    def __init__(
        self,
        tmp_path: Path,
        *,
        places: int = 2,
        private: bool | None = None,
        grace: float = 120.0,
        **machine: Any,
    ) -> None:
        """machine: further members of Machine, such as its warm pool."""
        self.objects = FolderObjects(tmp_path / "s3")
        (tmp_path / "s3" / "bucket").mkdir(parents=True)
        self.logs = ListLogs()
        self.told: dict[str, Told] = {}
        self.scratch = tmp_path / "run"
        self.scratch.mkdir()
        private = namespaces_allowed() if private is None else private
        self.metrics = ListMetrics()
        settings = {"logs": self.logs, "metrics": self.metrics, **machine}
        self.machine = Machine(self.scratch, self.objects, private=private, grace=grace, **settings)
        self.queue = TrainingQueue(self.machine, self, places)

    def reached(self, job: Job, stage: Stage, message: str, *, failure: str = "", artifact: str = "") -> None:
        told = self.told.setdefault(job.name, Told())
        told.stages.append((stage, message, time.time()))
        told.failure, told.artifact = failure or told.failure, artifact or told.artifact
        if stage.is_final:
            told.ended.set()

    def measured(self, job: Job, metric: Metric) -> None:
        self.told[job.name].metrics.append(metric)

    def start(self, script: str, name: str = "job", **changes: Any) -> str:
        """Submit a job that runs a shell script; its ARN."""
        made = job(script, name, **changes)
        self.told[name] = Told()
        self.queue.submit(made)
        return made.arn

    def finish(self, name: str = "job", seconds: float = 20.0) -> Told:
        assert self.told[name].ended.wait(seconds), f"{name} did not end: {self.told[name].stages} {self.logs.lines}"
        return self.told[name]

    def run(self, script: str, name: str = "job", **changes: Any) -> Told:
        self.start(script, name, **changes)
        return self.finish(name)


def job(script: str, name: str = "job", *, spot: Spot | None = None, instances: int = 1, **changes: Any) -> Job:
    """A job from a request as CreateTrainingJob has it; `changes` are members of that request."""
    algorithm = {
        "TrainingImage": "kennel",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": ["-c", script],
    } | changes.pop("AlgorithmSpecification", {})
    request = {
        "TrainingJobName": name,
        "AlgorithmSpecification": algorithm,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/runs/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    } | changes
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}"
    return Job.from_request(request, arn=arn, region="us-east-1", spot=spot)


def channel(name: str, uri: str, **more: Any) -> dict[str, Any]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}, **more}


def eventually(condition: Callable[[], object], seconds: float = 30.0) -> bool:
    """Whether `condition` comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


@contextmanager
def world(tmp_path: Path, **settings: Any) -> Iterator[World]:
    made = World(tmp_path, **settings)
    try:
        yield made
    finally:
        made.queue.close()
