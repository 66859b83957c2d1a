"""An account in memory for states that take too long, or are too rare, to reach with the embedded AWS.

Answers `Aws.call` and `Aws.pages` in botocore's shapes, so that everything above the seam is the real thing.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.costs.budgets.sent import OUTBOX
from dashboard.core.errors import AlreadyExists, KennelError, NotFound, ServiceFault
from tests.views.scripted_budgets import BudgetAnswers
from tests.views.scripted_launch import LaunchAnswers

NOW = datetime.now(UTC)
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
FOLDER = TemporaryDirectory(prefix="kennel-scripted-")  # what a thread still keeps after its test goes here
CLIENT = str(Path(FOLDER.name) / "client.json")
EMBEDDED = Account("embedded", "us-east-1", "123456789012", True, True, "http://127.0.0.1:1", CLIENT)
REAL = Account("work", "eu-west-1", "210987654321", False, False)
BUCKET = "s3://kennel-123456789012-us-east-1"
DATASET = f"{BUCKET}/datasets/drawn-dogs/"
STEPS = ("Starting", "Downloading", "Training", "Uploading")


class ScriptedAws(BudgetAnswers, LaunchAnswers):
    """Jobs, endpoints, logs and photos of an account that exists here only."""

    def __init__(self, account: Account = EMBEDDED) -> None:
        super().__init__()
        self.account = account
        self.jobs: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, list[str]] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.tunings: dict[str, dict[str, Any]] = {}
        self.trials: dict[str, list[str]] = {}
        self.instances: dict[str, dict[str, Any]] = {}
        self.objects: list[str] = []
        self.bodies: dict[str, bytes] = {}
        self.series: dict[str, list[float]] = {}
        self.answer: dict[str, Any] = dog_answer()
        self.errors: dict[str, KennelError] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def in_region(self, region: str) -> "ScriptedAws":
        """The same answers: nothing here differs by region."""
        self.calls.append(("in_region", {"region": region}))
        return self

    def changing(self, allowed: bool) -> "ScriptedAws":
        """The same answers, where a tab may change the account."""
        other = copy(self)
        other.account = replace(self.account, writable=allowed)
        return other

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
        spot: bool = False,
        parent: str = "",
        count: int = 1,
        hyperparameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """One training job; an active one is in its Training stage, a final one ended `seconds` after its start.

        A spot job that has ended was billed a third of its seconds; `parent` is the tuning job that started it.
        """
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
            moment = moment if is_open else ended
        self.jobs[name] = {
            "TrainingJobName": name,
            "TrainingJobArn": f"{ARN}:training-job/{name}",
            "TrainingJobStatus": status,
            "SecondaryStatus": last,
            "CreationTime": created,
            "TrainingStartTime": created + timedelta(seconds=3),
            "LastModifiedTime": moment,
            "HyperParameters": {"epochs": "20", "learning_rate": "0.01", "batch_size": "64", **(hyperparameters or {})},
            "ResourceConfig": {"InstanceType": instance, "InstanceCount": count, "VolumeSizeInGB": 30},
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
            billed = int(seconds / 3 if spot else seconds)
            job |= {"TrainingEndTime": moment, "BillableTimeInSeconds": billed, "TrainingTimeInSeconds": seconds}
        if spot:
            job |= {
                "EnableManagedSpotTraining": True,
                "CheckpointConfig": {"S3Uri": f"{BUCKET}/checkpoints/{name}/", "LocalPath": "/opt/ml/checkpoints"},
            }
            job["StoppingCondition"]["MaxWaitTimeInSeconds"] = 7200
        if parent:
            job["TuningJobArn"] = f"{ARN}:hyper-parameter-tuning-job/{parent}"
            self.trials.setdefault(parent, []).append(name)
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
        mark = {"kennel:sample": "true"} if sample else {"kennel:made-by": "kennel"}
        self.tags[job["TrainingJobArn"]] = {**mark, **(tags or {})}

    def add_tuning(self, name: str, losses: Sequence[float], status: str = "Completed", *, age: float = 900) -> None:
        """A tuning job of the learning rate with one completed trial for each validation loss, the least the best."""
        arn = f"{ARN}:hyper-parameter-tuning-job/{name}"
        for number, loss in enumerate(losses, 1):
            rate = {"learning_rate": f"{0.1 / number:g}"}
            child = f"{name}-{number:03}-{number:08x}"
            self.add_job(child, age=age - number, seconds=60, parent=name, hyperparameters=rate)
            self.jobs[child]["FinalMetricDataList"].append(
                {"MetricName": "valid:loss", "Value": loss, "Timestamp": NOW}
            )  # fmt: skip
        place = min(range(len(losses)), key=losses.__getitem__) if losses else None
        self.trials.setdefault(name, [])
        self.tunings[name] = {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobArn": arn,
            "HyperParameterTuningJobStatus": status,
            "CreationTime": NOW - timedelta(seconds=age),
            "LastModifiedTime": NOW,
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "valid:loss"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
                "ParameterRanges": {
                    "ContinuousParameterRanges": [
                        {"Name": "learning_rate", "MinValue": "0.001", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
                    ]
                },
            },
            "TrainingJobDefinition": {
                "StaticHyperParameters": {"epochs": "20", "batch_size": "64"},
                "InputDataConfig": [{"ChannelName": "training", "DataSource": {"S3DataSource": {"S3Uri": DATASET}}}],
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
                "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            },
            "TrainingJobStatusCounters": {
                "Completed": len(losses),
                "InProgress": int(status == "InProgress"),
                "RetryableError": 0,
                "NonRetryableError": 0,
                "Stopped": 0,
            },
        }
        if status != "InProgress":
            self.tunings[name]["HyperParameterTuningEndTime"] = NOW
        if place is not None:
            self.tunings[name]["BestTrainingJob"] = {
                "TrainingJobName": self.trials[name][place],
                "TunedHyperParameters": {"learning_rate": f"{0.1 / (place + 1):g}"},
                "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "valid:loss", "Value": losses[place]},
            }
        self.tags[arn] = {"kennel:made-by": "kennel"}

    def add_ec2(
        self,
        name: str,
        status: str = "Completed",
        *,
        stage: str = "",
        age: float = 600,
        seconds: float = 75,
        spot: bool = False,
        accuracy: float = 0.9,
        failure: str = "",
        log: list[str] | None = None,
    ) -> None:
        """One EC2 training: its documents in S3, and its instance while it goes on."""
        created = NOW - timedelta(seconds=age)
        final = status != "InProgress"
        last = stage or ("Training" if not final else status)
        ended = created + timedelta(seconds=seconds) if final else None
        stages = [
            {"name": "Downloading", "started": _iso(created, 8), "ended": _iso(created, 10), "message": ""},
            {"name": "Training", "started": _iso(created, 10), "ended": ended and ended.isoformat(), "message": ""},
        ]
        if final:
            stages.append({"name": last, "started": _iso(created, seconds), "ended": _iso(created, seconds)})
        folder = f"ec2-runs/{name}/"
        documents: dict[str, dict[str, Any]] = {
            "request.json": {
                "schema": 1, "name": name, "order": "0" * 16, "created": created.isoformat(), "region": "us-east-1",
                "instance_type": "m5.large", "capacity": "spot" if spot else "on-demand", "image_id": "ami-1",
                "volume_gb": 30, "max_seconds": 3600, "dataset_uri": DATASET, "code_uri": f"{BUCKET}/code/",
                "output_uri": f"{BUCKET}/{folder}output/", "checkpoint_uri": f"{BUCKET}/{folder}checkpoints/",
                "hyperparameters": {"epochs": "20", "learning_rate": "0.01", "batch_size": "64"},
                "role": "arn:aws:iam::123456789012:role/KennelInstance", "tags": {"kennel:made-by": "kennel"},
            },
            "instance.json": {"instance_id": f"i-{name}", "launched": _iso(created, 2), "spot_price": "0.04"},
            "status.json": {
                "schema": 1, "name": name, "instance_id": f"i-{name}", "status": status, "stage": last,
                "stages": stages, "started": _iso(created, 8), "ended": ended and ended.isoformat(),
                "failure": failure, "metrics": {"test:accuracy": accuracy} if status == "Completed" else {},
                "artifact_uri": f"{BUCKET}/{folder}output/model.tar.gz" if status == "Completed" else "",
                "updated": _iso(created, seconds),
            },
        }  # fmt: skip
        for file, document in documents.items():
            self.bodies[f"{folder}{file}"] = json.dumps(document).encode()
        self.bodies[f"ec2-index/{9_999_999_999 - int(created.timestamp()):010d}-{name}"] = b""
        self.logs[name] = training_log() if log is None else log
        if not final:
            self.instances[name] = {
                "InstanceId": f"i-{name}",
                "State": {"Name": "running"},
                "LaunchTime": created,
                "Tags": [{"Key": "kennel:run", "Value": name}],
            }

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
        answers: Callable[[dict[str, Any]], dict[str, Any]] | None = getattr(self, f"_{operation}", None)
        if answers is None:  # as the embedded AWS says it of what it lacks
            raise ServiceFault(f"{service} {operation} is not available here", "it is not scripted", "script it")
        return answers(parameters)

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of every call of one operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    # --- the operations --------------------------------------------------------------------------------------

    def _GetCallerIdentity(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Account": self.account.account_id, "Arn": f"arn:aws:iam::{self.account.account_id}:user/ada"}

    def _Search(self, asked: dict[str, Any]) -> dict[str, Any]:
        kind, things = asked["Resource"], self.jobs if asked["Resource"] == "TrainingJob" else self.tunings
        since = next((f["Value"] for f in asked.get("SearchExpression", {}).get("Filters", [])), "")
        found = [one for one in _newest(things) if f"{one['CreationTime'].astimezone(UTC):%Y-%m-%dT%H:%M:%S}" >= since]
        marked = [{**one, "Tags": self._ListTags({"ResourceArn": one[f"{kind}Arn"]})["Tags"]} for one in found]
        return {"Results": [{kind: one} for one in marked], "TotalHits": {"Value": len(marked), "Relation": "EqualTo"}}

    def _ListTrainingJobs(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"TrainingJobSummaries": _newest(self.jobs, asked.get("LastModifiedTimeAfter"))}

    def _ListHyperParameterTuningJobs(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"HyperParameterTuningJobSummaries": _newest(self.tunings, asked.get("LastModifiedTimeAfter"))}

    def _DescribeHyperParameterTuningJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._found(self.tunings, asked["HyperParameterTuningJobName"])

    def _ListTrainingJobsForHyperParameterTuningJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        names = self.trials[asked["HyperParameterTuningJobName"]]
        return {"TrainingJobSummaries": [self.jobs[name] for name in names if name in self.jobs]}

    def _StopHyperParameterTuningJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.tunings[asked["HyperParameterTuningJobName"]] |= {
            "HyperParameterTuningJobStatus": "Stopping",
            "LastModifiedTime": datetime.now(UTC),
        }
        return {}

    def _DeleteTrainingJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.jobs.pop(asked["TrainingJobName"])
        return {}

    def _DeleteHyperParameterTuningJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.tunings.pop(asked["HyperParameterTuningJobName"])
        return {}

    def _AddTags(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.tags.setdefault(asked["ResourceArn"], {}).update({t["Key"]: t["Value"] for t in asked["Tags"]})
        return {}

    def _CreateTags(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _DescribeInstances(self, asked: dict[str, Any]) -> dict[str, Any]:
        names = {value for one in asked["Filters"] for value in one["Values"]}
        return {"Reservations": [{"Instances": [self.instances[name]]} for name in names & self.instances.keys()]}

    def _TerminateInstances(self, asked: dict[str, Any]) -> dict[str, Any]:
        for one in self.instances.values():
            if one["InstanceId"] in asked["InstanceIds"]:
                one["State"] = {"Name": "shutting-down"}
        return {}

    def _GetMetricData(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Any host of any run has the `series` of that metric's name, one point a period from the start on."""
        results = []
        for query in asked["MetricDataQueries"]:
            stat = query["MetricStat"]
            values = self.series.get(stat["Metric"]["MetricName"], [])
            moments = [asked["StartTime"] + timedelta(seconds=stat["Period"] * place) for place in range(len(values))]
            results.append({"Id": query["Id"], "Timestamps": moments, "Values": values})
        return {"MetricDataResults": results}

    def _DescribeTrainingJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._found(self.jobs, asked["TrainingJobName"])

    def _CreateTrainingJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["TrainingJobName"] in self.jobs:
            raise AlreadyExists(f"{asked['TrainingJobName']} exists")
        self.add_job(asked["TrainingJobName"], "InProgress", secondary="Starting", age=1, log=[])
        job = self.jobs[asked["TrainingJobName"]]
        job |= {"CreationTime": datetime.now(UTC), "LastModifiedTime": datetime.now(UTC)}
        job |= {"HyperParameters": asked["HyperParameters"], "ResourceConfig": asked["ResourceConfig"]}
        self.tags[job["TrainingJobArn"]] = {tag["Key"]: tag["Value"] for tag in asked["Tags"]}
        return {"TrainingJobArn": job["TrainingJobArn"]}

    def _StopTrainingJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.jobs[asked["TrainingJobName"]] |= {
            "TrainingJobStatus": "Stopping",
            "SecondaryStatus": "Stopping",
            "LastModifiedTime": datetime.now(UTC),
        }
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
        moment = int(NOW.timestamp() * 1000)  # every line of the same moment: their order is the stream's
        events = [{"timestamp": moment, "message": line} for line in lines[int(asked.get("nextToken", "0")) :]]
        return {"events": events, "nextForwardToken": str(len(lines))}

    def _DeleteLogStream(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.logs.pop(asked["logStreamName"].split("/")[0], None)
        return {}

    def _FilterLogEvents(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["logGroupName"] == OUTBOX:
            return self.kept_mails()
        name = asked["logStreamNamePrefix"].rstrip("/")
        text = asked["filterPattern"].strip('"')
        stream, moment = f"{name}/algo-1-1", int(NOW.timestamp() * 1000)
        lines = [line for line in self.logs.get(name, []) if text in line]
        return {"events": [{"timestamp": moment, "message": one, "logStreamName": stream} for one in lines]}

    def _GetObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["Key"] not in self.bodies:
            raise NotFound(f"{asked['Key']} is not there")
        body = self.bodies[asked["Key"]]
        return {"Body": io.BytesIO(body), "ContentLength": len(body)}

    def _PutObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked.get("IfNoneMatch") and asked["Key"] in self.bodies:
            raise AlreadyExists(f"{asked['Key']} is there")
        self.bodies[asked["Key"]] = asked.get("Body", b"")
        return {}

    def _DeleteObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.bodies.pop(asked["Key"], None)
        return {}

    def _DeleteObjects(self, asked: dict[str, Any]) -> dict[str, Any]:
        for one in asked["Delete"]["Objects"]:
            self.bodies.pop(one["Key"], None)
        return {}

    def _ListObjectsV2(self, asked: dict[str, Any]) -> dict[str, Any]:
        prefix = asked.get("Prefix", "")
        everything = [*self.objects, *sorted(self.bodies)]
        found = [key for key in everything if key.startswith(prefix) and key > asked.get("StartAfter", "")]
        if asked.get("Delimiter", ""):
            names = sorted({key[len(prefix) :].split("/")[0] for key in found})
            return {"CommonPrefixes": [{"Prefix": f"{prefix}{name}/"} for name in names], "IsTruncated": False}
        contents = [{"Key": key, "Size": 9000} for key in found]
        return {"Contents": contents, "KeyCount": len(found), "IsTruncated": False}

    def _GetObjectTagging(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"TagSet": [{"Key": "kennel:sample", "Value": "true"}]}

    def _InvokeEndpoint(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Body": io.BytesIO(json.dumps(self.answer).encode())}

    def _found(self, things: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
        if name not in things:
            raise NotFound(f"{name} is not there", "it was never made, or was deleted", "choose another")
        return things[name]


def _iso(moment: datetime, seconds: float) -> str:
    return (moment + timedelta(seconds=seconds)).isoformat()


def _newest(things: Mapping[str, dict[str, Any]], after: datetime | None = None) -> list[dict[str, Any]]:
    """Newest first; only those modified after a moment, where one is given."""
    found = [one for one in things.values() if after is None or one["LastModifiedTime"] > after]
    return sorted(found, key=lambda one: one["CreationTime"], reverse=True)


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
