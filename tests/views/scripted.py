"""An account in memory for states that take too long, or are too rare, to reach with the embedded AWS.

Answers `Aws.call` and `Aws.pages` in botocore's shapes, so that everything above the seam is the real thing.
"""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.errors import AlreadyExists, KennelError, NotFound

NOW = datetime.now(UTC)
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
EMBEDDED = Account("embedded", "us-east-1", "123456789012", True, True, "http://127.0.0.1:1", "client.json")
REAL = Account("work", "eu-west-1", "210987654321", False, False)
DATASET = "s3://kennel-123456789012-us-east-1/datasets/drawn-dogs/"
STEPS = ("Starting", "Downloading", "Training", "Uploading")


class ScriptedAws:
    """Jobs, endpoints, logs and photos of an account that exists here only."""

    def __init__(self, account: Account = EMBEDDED) -> None:
        self.account = account
        self.jobs: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, list[str]] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.objects: list[str] = []
        self.answer: dict[str, Any] = dog_answer()
        self.errors: dict[str, KennelError] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    # --- what a test sets up ---------------------------------------------------------------------------------

    def add_job(
        self,
        name: str,
        status: str = "Completed",
        *,
        secondary: str = "",
        age: float = 600,
        seconds: float = 75,
        instance: str = "ml.m5.large",
        accuracy: float | None = 0.9167,
        failure: str = "",
        sample: bool = False,
        log: list[str] | None = None,
    ) -> None:
        """One training job; an active one is in its Training stage, a final one ended `seconds` after its start."""
        created = NOW - timedelta(seconds=age)
        final = status in {"Completed", "Failed", "Stopped"}
        last = secondary or ("Training" if status == "InProgress" else status)
        steps = STEPS if final else STEPS[: STEPS.index(last) + 1] if last in STEPS else STEPS[:3]
        lengths = (3.0, 2.0, max(1.0, seconds - 6), 1.0)
        transitions, moment = [], created
        for place, step in enumerate(steps):
            ended = moment + timedelta(seconds=lengths[place])
            is_open = not final and place == len(steps) - 1
            transitions.append(
                {"Status": step, "StartTime": moment, "StatusMessage": step} | ({} if is_open else {"EndTime": ended})
            )
            moment = ended
        self.jobs[name] = {
            "TrainingJobName": name,
            "TrainingJobArn": f"{ARN}:training-job/{name}",
            "TrainingJobStatus": status,
            "SecondaryStatus": last,
            "CreationTime": created,
            "TrainingStartTime": created + timedelta(seconds=3),
            "LastModifiedTime": moment,
            "HyperParameters": {"epochs": "20", "learning_rate": "0.01", "batch_size": "64"},
            "ResourceConfig": {"InstanceType": instance, "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "InputDataConfig": [{"ChannelName": "training", "DataSource": {"S3DataSource": {"S3Uri": DATASET}}}],
            "OutputDataConfig": {"S3OutputPath": "s3://kennel-123456789012-us-east-1/runs/"},
            "AlgorithmSpecification": {"TrainingImage": "pytorch-training:2.10"},
            "RoleArn": "arn:aws:iam::123456789012:role/KennelTraining",
            "SecondaryStatusTransitions": transitions,
            "FailureReason": failure,
        }
        job = self.jobs[name]
        if final:
            job |= {"TrainingEndTime": moment, "BillableTimeInSeconds": int(seconds), "TrainingTimeInSeconds": seconds}
        if status == "Completed":
            job["ModelArtifacts"] = {
                "S3ModelArtifacts": f"s3://kennel-123456789012-us-east-1/runs/{name}/output/model.tar.gz"
            }
            if accuracy is not None:
                job["FinalMetricDataList"] = [
                    {"MetricName": "test:accuracy", "Value": accuracy, "Timestamp": moment},
                    {"MetricName": "valid:accuracy", "Value": accuracy - 0.02, "Timestamp": moment},
                ]
        self.logs[name] = training_log() if log is None else log
        self.tags[job["TrainingJobArn"]] = {"kennel:sample": "true"} if sample else {"kennel:made-by": "kennel"}

    def add_endpoint(
        self, name: str, status: str = "InService", *, age: float = 600, sample: bool = False, failure: str = ""
    ) -> None:
        """One endpoint on ml.m5.large, with its configuration and model."""
        mark = {"kennel:sample": "true"} if sample else {"kennel:made-by": "kennel"}
        for kind in ("endpoint", "endpoint-config", "model"):
            self.tags[f"{ARN}:{kind}/{name}"] = mark
        self.endpoints[name] = {
            "EndpointName": name,
            "EndpointArn": f"{ARN}:endpoint/{name}",
            "EndpointConfigName": name,
            "EndpointStatus": status,
            "CreationTime": NOW - timedelta(seconds=age),
            "LastModifiedTime": NOW,
            "FailureReason": failure,
            "ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": 1}],
        }
        variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        self.configs[name] = {
            "EndpointConfigName": name,
            "EndpointConfigArn": f"{ARN}:endpoint-config/{name}",
            "ProductionVariants": [variant],
        }
        self.models[name] = {"ModelName": name, "ModelArn": f"{ARN}:model/{name}"}

    def add_dataset(self, name: str = "drawn-dogs", classes: int = 6, photos: int = 20) -> None:
        for split, share in (("train", photos), ("valid", 4), ("test", 4)):
            for label in range(classes):
                self.objects += [f"datasets/{name}/{split}/{label:03}.Breed/{i}.jpg" for i in range(share)]

    # --- what `Aws` offers -----------------------------------------------------------------------------------

    def client(self, service: str) -> object:
        return object()

    @contextmanager
    def translated(self, service: str, operation: str, parameters: Mapping[str, Any] | None = None) -> Iterator[None]:
        yield

    def pages(self, service: str, operation: str, limit: int = 100, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield self.call(service, operation, **parameters)

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.calls.append((operation, parameters))
        if error := self.errors.get(operation) or self.errors.get("*"):
            raise error
        answer: dict[str, Any] = getattr(self, f"_{operation}")(parameters)
        return answer

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of every call of one operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    # --- the operations --------------------------------------------------------------------------------------

    def _GetCallerIdentity(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Account": self.account.account_id}

    def _ListTrainingJobs(self, asked: dict[str, Any]) -> dict[str, Any]:
        newest = sorted(self.jobs.values(), key=lambda job: job["CreationTime"], reverse=True)
        return {"TrainingJobSummaries": newest}

    def _DescribeTrainingJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._found(self.jobs, asked["TrainingJobName"])

    def _CreateTrainingJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["TrainingJobName"] in self.jobs:
            raise AlreadyExists(f"{asked['TrainingJobName']} exists")
        self.add_job(asked["TrainingJobName"], "InProgress", secondary="Starting", age=1, log=[])
        job = self.jobs[asked["TrainingJobName"]]
        job |= {"HyperParameters": asked["HyperParameters"], "ResourceConfig": asked["ResourceConfig"]}
        self.tags[job["TrainingJobArn"]] = {tag["Key"]: tag["Value"] for tag in asked["Tags"]}
        return {"TrainingJobArn": job["TrainingJobArn"]}

    def _StopTrainingJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.jobs[asked["TrainingJobName"]] |= {"TrainingJobStatus": "Stopping", "SecondaryStatus": "Stopping"}
        return {}

    def _ListTags(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": [{"Key": k, "Value": v} for k, v in self.tags.get(asked["ResourceArn"], {}).items()]}

    def _ListEndpoints(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Endpoints": list(self.endpoints.values())}

    def _DescribeEndpoint(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._found(self.endpoints, asked["EndpointName"])

    def _DescribeEndpointConfig(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._found(self.configs, asked["EndpointConfigName"])

    def _DescribeModel(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._found(self.models, asked["ModelName"])

    def _ListEndpointConfigs(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"EndpointConfigs": list(self.configs.values())}

    def _CreateModel(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.models[asked["ModelName"]] = {
            "ModelName": asked["ModelName"],
            "ModelArn": f"{ARN}:model/{asked['ModelName']}",
        }
        return {}

    def _CreateEndpointConfig(self, asked: dict[str, Any]) -> dict[str, Any]:
        arn = f"{ARN}:endpoint-config/{asked['EndpointConfigName']}"
        self.configs[asked["EndpointConfigName"]] = {
            "EndpointConfigName": asked["EndpointConfigName"],
            "EndpointConfigArn": arn,
            "ProductionVariants": asked["ProductionVariants"],
        }
        return {}

    def _CreateEndpoint(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["EndpointName"] in self.endpoints:
            raise AlreadyExists(f"{asked['EndpointName']} exists")
        self.add_endpoint(asked["EndpointName"], "Creating", age=1)
        self.tags[f"{ARN}:endpoint/{asked['EndpointName']}"] = {tag["Key"]: tag["Value"] for tag in asked["Tags"]}
        return {}

    def _DeleteEndpoint(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.endpoints.pop(asked["EndpointName"])
        return {}

    def _DeleteEndpointConfig(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.configs.pop(asked["EndpointConfigName"])
        return {}

    def _DeleteModel(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.models.pop(asked["ModelName"])
        return {}

    def _DescribeLogStreams(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["logStreamNamePrefix"].rstrip("/")
        return {"logStreams": [{"logStreamName": f"{name}/algo-1-1"}] if self.logs.get(name) else []}

    def _GetLogEvents(self, asked: dict[str, Any]) -> dict[str, Any]:
        lines = self.logs[asked["logStreamName"].split("/")[0]]
        moment = int(NOW.timestamp() * 1000)
        events = [{"timestamp": moment, "message": line} for line in lines[int(asked.get("nextToken", "0")) :]]
        return {"events": events, "nextForwardToken": str(len(lines))}

    def _ListObjectsV2(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [key for key in self.objects if key.startswith(asked["Prefix"])]
        if asked.get("Delimiter", ""):
            names = sorted({key[len(asked["Prefix"]) :].split("/")[0] for key in found})
            return {"CommonPrefixes": [{"Prefix": f"{asked['Prefix']}{name}/"} for name in names], "IsTruncated": False}
        return {"Contents": [{"Key": key, "Size": 9000} for key in found], "IsTruncated": False}

    def _GetObjectTagging(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"TagSet": [{"Key": "kennel:sample", "Value": "true"}]}

    def _InvokeEndpoint(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Body": io.BytesIO(json.dumps(self.answer).encode())}

    def _found(self, things: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
        if name not in things:
            raise NotFound(f"{name} is not there", "it was never made, or was deleted", "choose another")
        return things[name]


def training_log(epochs: int = 12) -> list[str]:
    """What one training prints."""
    lines = ["scanning 168 photos in 6 classes", "progress=0.050 stage=scan done=168 total=168 unit=photos"]
    lines += [f"progress={0.1 + i * 0.1:.3f} stage=features done={i * 30} total=168 unit=photos" for i in range(1, 6)]
    for epoch in range(1, epochs + 1):
        loss, accuracy = 1.8 * 0.75**epoch, 1 - 0.7 * 0.72**epoch
        lines.append(
            f"epoch={epoch}/20 train_loss={loss:.4f} train_accuracy={accuracy:.4f} "
            f"valid_loss={loss + 0.12:.4f} valid_accuracy={accuracy - 0.06:.4f}"
        )
    lines.append("progress=0.820 stage=head done=12 total=20 unit=epochs eta_seconds=3.1")
    return lines


def dog_answer(breed: str = "Beagle", first: float = 0.93) -> dict[str, Any]:
    """What an endpoint says about a photo, in its profile "breeds"."""
    others = ("Basset hound", "English foxhound", "Bluetick coonhound", "Walker hound")
    rest = [(name, (1 - first) / 2 ** (place + 1)) for place, name in enumerate(others)]
    return {
        "model": "starter",
        "predictions": [[{"breed": n, "probability": p} for n, p in [(breed, first), *rest]]],
        "is_dog": [True],
        "dog_probability": [0.98],
        "scores": [[0.0]],
        "milliseconds": 8.1,
    }


def busy_account() -> ScriptedAws:
    """An account with something of everything."""
    aws = ScriptedAws()
    aws.add_dataset()
    aws.add_dataset("forest-dogs", classes=118, photos=3)
    aws.add_job("drawn-dogs-2f91c0aa", "InProgress", age=48)
    aws.add_job("drawn-dogs-81be03d4", "InProgress", secondary="Starting", age=4, instance="ml.c5.2xlarge", log=[])
    aws.add_job(
        "drawn-dogs-c77a1b02",
        "Failed",
        age=5400,
        seconds=14,
        failure="AlgorithmError: the dataset has one class only, and a classifier needs two or more, exit code: 1",
        log=["scanning 20 photos in 1 classes", "error: the dataset has one class only, and a classifier needs two"],
    )
    aws.add_job("drawn-dogs-5d20e9f1", "Completed", age=9000, seconds=74, accuracy=0.9167)
    aws.add_job("drawn-dogs-0b41c6e8", "Stopped", age=80000, seconds=22, accuracy=None)
    aws.add_job("sample-drawn-dogs", "Completed", age=90000, seconds=68, accuracy=0.875, sample=True)
    aws.add_endpoint("starter", sample=True, age=90000)
    aws.add_endpoint("drawn-dogs-5d20e9f1", "Creating", age=20)
    aws.add_endpoint("forgotten", age=200000)
    return aws
