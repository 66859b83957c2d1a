"""The trainings of the five reference projects, replayed in the sample account: what they would cost, side by side.

Published are two durations, both of project C: 11 min 3 s on one ml.c5.2xlarge, and 22 min 33 s on two spot ones at
$0.174 an hour. Every other duration is an estimate, C's first one scaled by the processors of the instance; several
instances are taken to need as long as one, because each of them did the whole work. A tag says so with each run, and
what the write-ups leave open (an instance type, how many trials) is named there as assumed. The days are ours.
Nothing runs: SageMaker's records are made with `kennel:replay`, EC2's are the documents in S3 that Kennel keeps.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from local_aws.sample_roles import SHARED

VCPUS = {"c5.2xlarge": 8, "m5.xlarge": 4, "c5.large": 2, "t2.micro": 1}
"""AWS's instance type pages; the same under SageMaker's names."""
PUBLISHED, ON = 663, "c5.2xlarge"
"""Seconds of project C's training, and on what."""
SPOT_SECONDS, SPOT_BILLED = 1353, 577
"""Project C's second training: 22 min 33 s at $0.174 an hour. SageMaker bills managed spot at the list price for fewer
seconds: 1353 × 0.174 / 0.408."""
DATA = "replayed/dogImages/"
"""Where their photos would lie, below the account's bucket; there are none."""
ESTIMATED = "duration estimated: 663 s on 8 processors of ml.c5.2xlarge scaled to {}"
ALIKE = ". Each instance did the whole work"
ASSUMED = ". Assumed because the write-up does not say: {}"
WORK = {"backbone": "resnet50"}
"""What all five trained, by their published code. Learning rates, batch sizes and epochs are not told."""
IMAGE = "kennel/sample"
VOLUME_GB = 30  # what SageMaker's SDK asks for when nobody says
MESSAGE = "Replayed from a write-up; nothing ran on this machine"
LAST_SECOND = 9_999_999_999  # Kennel's index of EC2 trainings counts down from here
TESTING_LOSS = {"Name": "Testing Loss", "Regex": "Testing Loss: ([0-9.]+)"}


@dataclass(frozen=True)
class Replayed:
    """One training of a project. days: how long before the account was made it began.

    seconds, billed: as published; without them they are estimated. trials: more than 0 makes it a tuning job.
    assumed: what the write-up leaves open.
    """

    name: str
    project: str
    days: float
    instance_type: str
    count: int = 1
    is_spot: bool = False
    trials: int = 0
    seconds: int = 0
    billed: int = 0
    assumed: str = ""

    @property
    def is_on_ec2(self) -> bool:
        return not self.instance_type.startswith("ml.")

    @property
    def may_be_sum(self) -> bool:
        """Whether its seconds may be those of all its instances added up: the write-up does not say."""
        return self.seconds > 0 and self.count > 1

    @property
    def took(self) -> int:
        """Seconds, as published or estimated."""
        return self.seconds or PUBLISHED * VCPUS[ON] // VCPUS[self.instance_type.removeprefix("ml.")]

    @property
    def lasted(self) -> int:
        """Seconds from its start to its end: trials ran one after the other."""
        return self.took * max(1, self.trials)

    @property
    def basis(self) -> str:
        """How its duration is known, in the characters that a tag may hold."""
        if self.seconds:
            return "duration published" + (". Billable seconds from the spot price of USD 0.174" if self.billed else "")
        scaled = ESTIMATED.format(VCPUS[self.instance_type.removeprefix("ml.")])
        told = scaled + (ALIKE if self.count > 1 else "")
        return told + (ASSUMED.format(self.assumed) if self.assumed else "")


# None lies in the week before the account was made, which is what Runs shows first: those runs are a person's own.
REPLAYS = (
    Replayed("project-a-sagemaker", "A", 84, "ml.m5.xlarge", assumed="the instance type"),
    Replayed("project-a-ec2", "A", 83, "t2.micro"),
    Replayed("project-b-single", "B", 66, "ml.m5.xlarge", assumed="the instance type"),
    Replayed("project-b-two-instances", "B", 65.9, "ml.m5.xlarge", 2, assumed="the instance type and count"),
    Replayed("project-b-ec2", "B", 64, "m5.xlarge"),
    Replayed("project-c-single", "C", 45, "ml.c5.2xlarge", seconds=PUBLISHED),
    Replayed("project-c-two-on-spot", "C", 44, "ml.c5.2xlarge", 2, True, seconds=SPOT_SECONDS, billed=SPOT_BILLED),
    Replayed("project-c-ec2", "C", 43, "c5.large"),
    Replayed("project-d-tuning", "D", 24, "ml.m5.xlarge", trials=2, assumed="the instance type and 2 trials"),
    Replayed("project-d-ec2-spot", "D", 23, "m5.xlarge", is_spot=True),
    Replayed("project-e-tuning", "E", 10, "ml.m5.xlarge", trials=2, assumed="the instance type and 2 trials"),
    Replayed("project-e-four-instances", "E", 9.5, "ml.m5.xlarge", 4, assumed="the instance type"),
    Replayed("project-e-ec2", "E", 8, "m5.xlarge"),
)


@dataclass(frozen=True)
class Replays:
    """connect: boto3 clients; marks: the tags of everything that is a sample; now: when the account is made."""

    connect: Callable[[str], Any]
    account: str
    region: str
    marks: Mapping[str, str]
    now: datetime

    @property
    def bucket(self) -> str:
        return f"kennel-{self.account}-{self.region}"

    def make(self) -> int:
        """Record those that are not there yet; how many. Raises botocore's errors."""
        return sum(self._on_ec2(one) if one.is_on_ec2 else self._on_sagemaker(one) for one in REPLAYS)

    def mark(self) -> None:
        """Tell of those that are there, in an older account, that their time can be read in two ways.

        Raises botocore's errors.
        """
        sagemaker = self.connect("sagemaker")
        for one in REPLAYS:
            if not one.may_be_sum:
                continue
            try:
                arn = sagemaker.describe_training_job(TrainingJobName=one.name)["TrainingJobArn"]
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
                    raise
                continue  # somebody has deleted it
            sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": key, "Value": text} for key, text in _read(one).items()])

    def begun(self, one: Replayed) -> datetime:
        """When it began: whole seconds, so that texts and records agree."""
        return (self.now.astimezone(UTC) - timedelta(days=one.days)).replace(microsecond=0)

    def _marks(self, one: Replayed) -> dict[str, str]:
        figures = [f"{self.begun(one):%Y-%m-%dT%H:%M:%SZ}", str(one.took)] + ([str(one.billed)] if one.billed else [])
        replay = {"kennel:replay": " ".join(figures), "kennel:replay-basis": one.basis, **_read(one)}
        return {**self.marks, "project": f"project {one.project}", **replay}

    def _on_sagemaker(self, one: Replayed) -> bool:
        sagemaker = self.connect("sagemaker")
        tags = [{"Key": key, "Value": value} for key, value in self._marks(one).items()]
        try:
            if one.trials:
                sagemaker.create_hyper_parameter_tuning_job(**self._tuning(one), Tags=tags)
            else:
                algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
                sagemaker.create_training_job(
                    TrainingJobName=one.name,
                    AlgorithmSpecification=algorithm,
                    HyperParameters=WORK,
                    **self._shared(one),
                    Tags=tags,
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceInUse":
                raise
            return False
        return True

    def _shared(self, one: Replayed) -> dict[str, Any]:
        data = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/{DATA}"}
        limit = {"MaxRuntimeInSeconds": 86_400}
        spot = {"EnableManagedSpotTraining": True} if one.is_spot else {}
        return {
            "RoleArn": f"arn:aws:iam::{self.account}:role/{SHARED}",
            "InputDataConfig": [{"ChannelName": "training", "DataSource": {"S3DataSource": data}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/runs/"},
            "ResourceConfig": {
                "InstanceType": one.instance_type,
                "InstanceCount": one.count,
                "VolumeSizeInGB": VOLUME_GB,
            },
            "StoppingCondition": limit | ({"MaxWaitTimeInSeconds": 86_400} if one.is_spot else {}),
            **spot,
        }

    def _tuning(self, one: Replayed) -> dict[str, Any]:
        """Project E's search: its ranges and its objective."""
        rate = {"Name": "learning_rate", "MinValue": "0.001", "MaxValue": "0.1"}
        sizes = {"Name": "batch_size", "Values": ["32", "64", "128", "256", "512"]}
        algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "MetricDefinitions": [TESTING_LOSS]}
        return {
            "HyperParameterTuningJobName": one.name,
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": TESTING_LOSS["Name"]},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": one.trials, "MaxParallelTrainingJobs": 1},
                "ParameterRanges": {"ContinuousParameterRanges": [rate], "CategoricalParameterRanges": [sizes]},
            },
            "TrainingJobDefinition": {
                "AlgorithmSpecification": algorithm,
                "StaticHyperParameters": WORK,
                **self._shared(one),
            },
        }

    def _on_ec2(self, one: Replayed) -> bool:
        """The three documents of an EC2 training, the request last: with it the run is there."""
        s3 = self.connect("s3")
        folder, begun = f"ec2-runs/{one.name}/", self.begun(one)
        ended = begun + timedelta(seconds=one.took)
        index = f"ec2-index/{LAST_SECOND - int(begun.timestamp()):010d}-{one.name}"
        stages = [
            {"name": "Training", "started": begun.isoformat(), "ended": ended.isoformat(), "message": MESSAGE},
            {"name": "Completed", "started": ended.isoformat(), "ended": ended.isoformat(), "message": MESSAGE},
        ]
        status = {
            "schema": 1,
            "name": one.name,
            "status": "Completed",
            "stage": "Completed",
            "stages": stages,
            "started": begun.isoformat(),
            "ended": ended.isoformat(),
            "updated": ended.isoformat(),
        }
        request = {
            "schema": 1,
            "name": one.name,
            "created": begun.isoformat(),
            "region": self.region,
            "instance_type": one.instance_type,
            "capacity": "spot" if one.is_spot else "on-demand",
            "dataset_uri": f"s3://{self.bucket}/{DATA}",
            "hyperparameters": WORK,
            "tags": self._marks(one),
        }
        documents = {
            f"{folder}status.json": status,
            f"{folder}instance.json": {"launched": begun.isoformat()},
            f"{folder}request.json": request,
        }
        try:
            s3.head_object(Bucket=self.bucket, Key=f"{folder}request.json")
        except ClientError as error:
            if error.response["Error"]["Code"] != "404":
                raise
        else:
            return False
        tagging = "&".join(f"{key}={value}" for key, value in self.marks.items())
        s3.put_object(Bucket=self.bucket, Key=index, Body=b"", Tagging=tagging)
        for key, document in documents.items():
            body = json.dumps(document).encode()
            s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", Tagging=tagging)
        return True


def _read(one: Replayed) -> dict[str, str]:
    """The tag that says that its time can be read in two ways."""
    return {"kennel:replay-may-be-sum": "true"} if one.may_be_sum else {}
