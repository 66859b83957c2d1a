"""A training job as the engine sees it: what to run, what it goes through, how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local_aws.engine.errors import ClientFaultError
from local_aws.engine.objects import Location

DEFAULT_COMMAND = ("python", "-m", "training.train")
DEFAULT_MAX_RUNTIME = 86_400  # seconds, as SageMaker has it


class Stage(StrEnum):
    """SageMaker's secondary status."""

    STARTING = "Starting"
    DOWNLOADING = "Downloading"
    TRAINING = "Training"
    UPLOADING = "Uploading"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"

    @property
    def is_final(self) -> bool:
        return self in (Stage.COMPLETED, Stage.FAILED, Stage.STOPPED, Stage.MAX_RUNTIME_EXCEEDED)

    @property
    def status(self) -> str:
        """The TrainingJobStatus that goes with it."""
        match self:
            case Stage.COMPLETED | Stage.FAILED | Stage.STOPPED | Stage.STOPPING:
                return str(self)
            case Stage.MAX_RUNTIME_EXCEEDED:
                return str(Stage.STOPPED)
            case _:
                return "InProgress"


@dataclass(frozen=True)
class Channel:
    """One input of a job. settings: what inputdataconfig.json says about it."""

    name: str
    source: Location
    settings: Mapping[str, str]

    @property
    def is_code(self) -> bool:
        """The channels in which the SageMaker SDK sends source code and its drivers."""
        return self.name in ("code", "sm_drivers")


@dataclass(frozen=True)
class Job:
    """Everything a run needs. max_runtime in seconds; output: the artifacts' folder, its job name included."""

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

    @classmethod
    def from_request(cls, request: Mapping[str, Any], *, arn: str, region: str) -> "Job":
        """From CreateTrainingJob's parameters, already validated. Raises ClientFaultError for a wrong address."""
        algorithm = request["AlgorithmSpecification"]
        output = request["OutputDataConfig"]
        resources = request["ResourceConfig"]
        entrypoint = algorithm.get("ContainerEntrypoint") or DEFAULT_COMMAND
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
        )


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
