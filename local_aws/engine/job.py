"""A training job as the engine sees it: what to run, what it goes through, how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local_aws.engine import script_mode
from local_aws.engine.errors import ClientFaultError
from local_aws.engine.objects import Location
from local_aws.engine.opt_ml import OPT_ML

DEFAULT_COMMAND = ("python", "-m", "training.train")
DEFAULT_MAX_RUNTIME = 86_400  # seconds, as SageMaker has it


class Stage(StrEnum):
    """SageMaker's secondary status."""

    STARTING = "Starting"
    DOWNLOADING = "Downloading"
    TRAINING = "Training"
    INTERRUPTED = "Interrupted"
    UPLOADING = "Uploading"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"
    MAX_WAIT_TIME_EXCEEDED = "MaxWaitTimeExceeded"

    @property
    def is_final(self) -> bool:
        return self in _FINAL

    @property
    def status(self) -> str:
        """The TrainingJobStatus that goes with it."""
        match self:
            case Stage.COMPLETED | Stage.FAILED | Stage.STOPPED | Stage.STOPPING:
                return str(self)
            case Stage.MAX_RUNTIME_EXCEEDED | Stage.MAX_WAIT_TIME_EXCEEDED:
                return str(Stage.STOPPED)
            case _:
                return "InProgress"


_FINAL = (Stage.COMPLETED, Stage.FAILED, Stage.STOPPED, Stage.MAX_RUNTIME_EXCEEDED, Stage.MAX_WAIT_TIME_EXCEEDED)


@dataclass(frozen=True)
class Channel:
    """One input of a job. settings: what inputdataconfig.json says about it."""

    name: str
    source: Location
    settings: Mapping[str, str]

    @property
    def is_sharded(self) -> bool:
        """Whether each host gets its share of the objects instead of all of them."""
        return self.settings["S3DistributionType"] == "ShardedByS3Key"

    @property
    def is_code(self) -> bool:
        """The channels in which the SageMaker SDK sends source code and its drivers."""
        return self.name in ("code", "sm_drivers")


@dataclass(frozen=True)
class Checkpoint:
    """A folder below /opt/ml (its name in there) that is kept in S3 while a job trains and is there when it starts."""

    target: Location
    folder: str = "checkpoints"

    @classmethod
    def from_request(cls, config: Mapping[str, str]) -> "Checkpoint":
        """From CheckpointConfig. Raises ClientFaultError for an address or a folder that cannot be one."""
        path = config.get("LocalPath") or f"{OPT_ML}/checkpoints"
        folder = path.removeprefix(f"{OPT_ML}/").strip("/")
        if not path.startswith(f"{OPT_ML}/") or not folder or ".." in folder.split("/"):
            raise ClientFaultError(f"CheckpointConfig's LocalPath {path} is no folder below {OPT_ML}")
        return cls(Location.parse(config["S3Uri"]), folder)


@dataclass(frozen=True)
class Spot:
    """What is special about managed spot training.

    deadline: epoch seconds at which MaxWaitTimeInSeconds have passed since the job was created. interruptions: after
    how many seconds of training, counted over all restarts, the capacity is taken away; in order, and those that lie
    before the training that a server before this one has seen are left out. trained: those seconds.
    """

    max_wait: int
    deadline: float
    interruptions: tuple[float, ...] = ()
    trained: float = 0.0


@dataclass(frozen=True)
class Job:
    """Everything a run needs. max_runtime in seconds; output: the artifacts' folder, its job name included.

    instance_count: its hosts, each of which is a process here. spot: None for a job on demand. vpc: whether it asked
    for one, which this machine has not.
    """

    name: str
    arn: str
    region: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    hyperparameters: Mapping[str, str]
    channels: tuple[Channel, ...]
    output: Location
    compressed: bool
    instance_type: str
    volume_gb: int
    max_runtime: int
    metrics: tuple[Mapping[str, str], ...]
    role: str = ""
    instance_count: int = 1
    checkpoint: Checkpoint | None = None
    spot: Spot | None = None
    vpc: bool = False
    image: str = ""

    @classmethod
    def from_request(cls, request: Mapping[str, Any], *, arn: str, region: str, spot: Spot | None = None) -> "Job":
        """From CreateTrainingJob's parameters, already validated. Raises ClientFaultError for a wrong address."""
        algorithm = request["AlgorithmSpecification"]
        output = request["OutputDataConfig"]
        resources = request["ResourceConfig"]
        entrypoint = algorithm.get("ContainerEntrypoint") or _default_command(request.get("HyperParameters", {}))
        return cls(
            name=request["TrainingJobName"],
            arn=arn,
            region=region,
            command=(*entrypoint, *algorithm.get("ContainerArguments", ())),
            environment=request.get("Environment", {}),
            hyperparameters=request.get("HyperParameters", {}),
            channels=tuple(_channel(item, algorithm) for item in request.get("InputDataConfig", ())),
            output=Location.parse(output["S3OutputPath"]).below(request["TrainingJobName"], "output"),
            compressed=output.get("CompressionType", "GZIP") == "GZIP",
            instance_type=resources["InstanceType"],
            volume_gb=resources.get("VolumeSizeInGB", 0),
            max_runtime=request["StoppingCondition"].get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME),
            metrics=tuple(algorithm.get("MetricDefinitions", ())),
            role=request.get("RoleArn", ""),
            instance_count=resources.get("InstanceCount", 1),
            checkpoint=Checkpoint.from_request(request["CheckpointConfig"])
            if request.get("CheckpointConfig")
            else None,
            spot=spot,
            vpc=bool(request.get("VpcConfig")),
            image=algorithm.get("TrainingImage", ""),
        )

    @property
    def hosts(self) -> tuple[str, ...]:
        """SageMaker's names of them."""
        return tuple(f"algo-{number}" for number in range(1, self.instance_count + 1))


def _default_command(hyperparameters: Mapping[str, str]) -> tuple[str, ...]:
    """What runs when a job names no entry point: a script that its hyperparameters name, else Kennel's training."""
    return script_mode.COMMAND if script_mode.PROGRAM in hyperparameters else DEFAULT_COMMAND


def _channel(item: Mapping[str, Any], algorithm: Mapping[str, Any]) -> Channel:
    source = item["DataSource"].get("S3DataSource")
    if source is None:
        raise ClientFaultError(f"the channel {item['ChannelName']} has no S3DataSource")
    settings = {
        "TrainingInputMode": item.get("InputMode") or algorithm["TrainingInputMode"],
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": item.get("RecordWrapperType", "None"),
    }
    if item.get("ContentType"):
        settings["ContentType"] = item["ContentType"]
    return Channel(item["ChannelName"], Location.parse(source["S3Uri"]), settings)
