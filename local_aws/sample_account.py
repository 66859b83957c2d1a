"""`python -m local_aws.sample_account --state DIR`: an example account, built through AWS's public API alone.

First what makes Kennel useful in its first minute (a bucket, roles, the starter model behind an endpoint, the trainings
of the five reference projects, replayed), then a drawn dataset and one real training run on it. Everything is tagged
kennel:sample=true. Each step looks before it acts, so running this again changes nothing, and one that was killed goes
on where it was. `--only roles replays` adds the reference projects' roles and their trainings to an account that was
built before there were any.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dashboard.core.iam.documents import listed
from local_aws import sample_trail
from local_aws.sample_replays import Replays
from local_aws.sample_roles import TRAINING, SampleRoles
from training.metrics import METRIC_DEFINITIONS

STARTER = "starter"
STARTER_KEY = f"models/{STARTER}/model.tar.gz"
DATASET = "drawn-dogs"
RUN = "sample-drawn-dogs"
SERVICES = {"KennelInstance": "ec2.amazonaws.com"}  # which service works as the role, where that is not SageMaker
VARIANT = "AllTraffic"
INSTANCE_TYPE = "ml.m5.large"
IMAGE = "kennel/sample"  # the embedded AWS runs no images; the name says where the job or model came from
MARKS = {"kennel:made-by": "kennel", "kennel:sample": "true"}
TAGS = [{"Key": key, "Value": value} for key, value in MARKS.items()]
OBJECT_TAGS = "&".join(f"{key}={value}" for key, value in MARKS.items())
UPLOADS_AT_ONCE = 4
READY_SECONDS = 120.0

Connect = Callable[[str], Any]
"""Makes a boto3 client for a service."""


class SampleAccountError(Exception):
    """The account could not be built; the sentence says why and what to do."""


@dataclass(frozen=True)
class Builder:
    """connect: boto3 clients; say: takes a progress line; sleep: waits so many seconds; now: with a zone."""

    connect: Connect
    account: str
    region: str
    say: Callable[[str], None] = print
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def bucket(self) -> str:
        return f"kennel-{self.account}-{self.region}"

    def role_arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.account}:role/{role}"

    def build(self) -> None:
        """Build what is missing. Raises SampleAccountError, or botocore's errors when the account cannot be reached."""
        self._bucket()
        for name, policy in _policies(self.bucket).items():
            self._role(name, policy)
        self._instance_profile("KennelInstance")
        self._trail()
        self._roles.make()
        self._starter_model()
        self._endpoint()
        self._roles.uses(self._model_data, IMAGE)
        self.replays()
        self._dataset()
        self._run()
        self._endpoint_in_service()
        self.say("sample account: complete")

    def replays(self) -> None:
        """Record the trainings of the reference projects that are not there yet. Raises botocore's errors."""
        made = self._replays.make()
        if made:
            self.say(f"replayed trainings: {made}")

    def marks(self) -> None:
        """Tell of the trainings that are there what an older Kennel did not. Raises botocore's errors."""
        self._replays.mark()

    def roles(self) -> None:
        """Make the reference projects' roles in an account that was built before there were any, and give Kennel's own
        there, whose policies nothing was held to then, what they need.

        Raises botocore's errors.
        """
        for name, policy in _policies(self.bucket).items():
            if self._policy_of(name):
                self._give(name, policy)
        self._trail()
        made = self._roles.make()
        if _found(lambda: self.connect("s3").head_object(Bucket=self.bucket, Key=STARTER_KEY)):
            self._roles.uses(self._model_data, IMAGE)
        if made:
            self.say(f"roles and policies of the reference projects: {made}")

    def _trail(self) -> None:
        if sample_trail.make(self.connect, self.account, self.region, MARKS):
            self.say(f"trail {sample_trail.TRAIL}")

    @property
    def _roles(self) -> SampleRoles:
        return SampleRoles(self.connect, self.account, self.region, MARKS, self.now(), STARTER)

    @property
    def _model_data(self) -> str:
        return f"s3://{self.bucket}/{STARTER_KEY}"

    @property
    def _replays(self) -> Replays:
        return Replays(self.connect, self.account, self.region, MARKS, self.now())

    def _bucket(self) -> None:
        s3 = self.connect("s3")
        if not _found(lambda: s3.head_bucket(Bucket=self.bucket)):
            self.say(f"bucket {self.bucket}")
            where = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
            s3.create_bucket(Bucket=self.bucket, **({"CreateBucketConfiguration": where} if where else {}))
        if not _found(lambda: s3.get_bucket_tagging(Bucket=self.bucket)):
            s3.put_bucket_tagging(Bucket=self.bucket, Tagging={"TagSet": TAGS})

    def _role(self, name: str, policy: dict[str, Any]) -> None:
        iam = self.connect("iam")
        if not _found(lambda: iam.get_role(RoleName=name)):
            self.say(f"role {name}")
            service = SERVICES.get(name, "sagemaker.amazonaws.com")
            statement: dict[str, Any] = {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
            }
            if service != "ec2.amazonaws.com":  # which sends no source account
                statement["Condition"] = {"StringEquals": {"aws:SourceAccount": self.account}}
            trust = {"Version": "2012-10-17", "Statement": [statement]}
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), Tags=TAGS)
        self._give(name, policy)

    def _give(self, role: str, policy: dict[str, Any]) -> None:
        """Its policy, unless a person wrote it another one. What allows a part of ours alone is of an older Kennel."""
        kept = self._policy_of(role)
        if not kept or _grants(kept) < _grants(policy):
            self.connect("iam").put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=json.dumps(policy))

    def _policy_of(self, role: str) -> Any:
        """The role's policy of its own name; None where there is no such policy, or no such role."""
        try:
            return self.connect("iam").get_role_policy(RoleName=role, PolicyName=role)["PolicyDocument"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
            return None

    def _instance_profile(self, name: str) -> None:
        """The profile through which an EC2 instance gets the role of the same name."""
        iam = self.connect("iam")
        if not _found(lambda: iam.get_instance_profile(InstanceProfileName=name)):
            iam.create_instance_profile(InstanceProfileName=name, Tags=TAGS)
        if not iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]:
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)

    def _starter_model(self) -> None:
        s3, sagemaker = self.connect("s3"), self.connect("sagemaker")
        if not _found(lambda: s3.head_object(Bucket=self.bucket, Key=STARTER_KEY)):
            self.say("starter model: build and upload")
            with TemporaryDirectory(prefix="kennel-") as folder:
                archive = Path(folder) / "model.tar.gz"
                _python("training.model", "starter", str(Path(folder) / "model"), "--tar", str(archive))
                with archive.open("rb") as body:
                    s3.put_object(Bucket=self.bucket, Key=STARTER_KEY, Body=body, Tagging=OBJECT_TAGS)
        if not _found(lambda: sagemaker.describe_model(ModelName=STARTER)):
            sagemaker.create_model(
                ModelName=STARTER,
                ExecutionRoleArn=self.role_arn("KennelEndpoint"),
                PrimaryContainer={"Image": IMAGE, "ModelDataUrl": self._model_data},
                Tags=TAGS,
            )

    def _endpoint(self) -> None:
        sagemaker = self.connect("sagemaker")
        if not _found(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=STARTER)):
            variant = {
                "VariantName": VARIANT,
                "ModelName": STARTER,
                "InstanceType": INSTANCE_TYPE,
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
            }
            sagemaker.create_endpoint_config(EndpointConfigName=STARTER, ProductionVariants=[variant], Tags=TAGS)
        if not _found(lambda: sagemaker.describe_endpoint(EndpointName=STARTER)):
            self.say(f"endpoint {STARTER}")
            sagemaker.create_endpoint(EndpointName=STARTER, EndpointConfigName=STARTER, Tags=TAGS)

    def _dataset(self) -> None:
        s3 = self.connect("s3")
        prefix = f"datasets/{DATASET}/"
        complete = f"samples/{DATASET}.complete"  # beside the data, which holds photos only
        if _found(lambda: s3.head_object(Bucket=self.bucket, Key=complete)):
            return
        self.say(f"dataset {DATASET}: draw and upload")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        there = {one["Key"] for page in pages for one in page.get("Contents", ())}
        with TemporaryDirectory(prefix="kennel-") as folder, ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            _python("training.sample_data", folder)

            def upload(path: Path) -> None:
                key = prefix + path.relative_to(folder).as_posix()
                if key not in there:
                    s3.put_object(
                        Bucket=self.bucket,
                        Key=key,
                        Body=path.read_bytes(),
                        ContentType="image/jpeg",
                        Tagging=OBJECT_TAGS,
                    )

            for _ in pool.map(upload, sorted(Path(folder).rglob("*.jpg"))):
                pass
        s3.put_object(Bucket=self.bucket, Key=complete, Body=b"", Tagging=OBJECT_TAGS)

    def _run(self) -> None:
        """One real training run. One that the server's end interrupted is followed by another."""
        sagemaker = self.connect("sagemaker")
        for name in _names(RUN):
            try:
                found = sagemaker.describe_training_job(TrainingJobName=name)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationException":
                    raise
                self.say(f"training run {name}")
                sagemaker.create_training_job(**self._training_request(name))
                return
            interrupted = found.get("FailureReason", "").startswith("InternalServerError")
            if found["TrainingJobStatus"] != "Failed" or not interrupted:
                return

    def _training_request(self, name: str) -> dict[str, Any]:
        data = {
            "S3DataType": "S3Prefix",
            "S3Uri": f"s3://{self.bucket}/datasets/{DATASET}/",
            "S3DataDistributionType": "FullyReplicated",
        }
        return {
            "TrainingJobName": name,
            "RoleArn": self.role_arn(TRAINING),  # as the reference projects ran theirs: the audit has something to find
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python", "-m", "training.train"],
                "MetricDefinitions": METRIC_DEFINITIONS,
            },
            "HyperParameters": {"learning_rate": "0.01", "batch_size": "32", "epochs": "10"},
            "InputDataConfig": [{"ChannelName": "training", "DataSource": {"S3DataSource": data}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/runs/"},
            "ResourceConfig": {"InstanceType": INSTANCE_TYPE, "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "Tags": TAGS,
        }

    def _endpoint_in_service(self) -> None:
        """Wait until the starter answers; a failed one is deleted, so that the next build makes a new one."""
        sagemaker = self.connect("sagemaker")
        for _ in range(int(READY_SECONDS / 0.2)):
            try:
                found = sagemaker.describe_endpoint(EndpointName=STARTER)
            except ClientError as error:
                raise SampleAccountError(f"The endpoint {STARTER} was deleted while it was being built.") from error
            if found["EndpointStatus"] == "InService":
                return
            if found["EndpointStatus"] == "Failed":
                sagemaker.delete_endpoint(EndpointName=STARTER)
                raise SampleAccountError(f"The endpoint {STARTER} failed: {found.get('FailureReason', 'unknown')}")
            self.sleep(0.2)
        raise SampleAccountError(f"The endpoint {STARTER} was not in service within {READY_SECONDS:g} s.")


def build(connect: Connect, *, account: str, region: str, say: Callable[[str], None] = print) -> None:
    """Build the sample account with the given boto3 clients. Raises SampleAccountError or botocore's errors."""
    Builder(connect, account, region, say).build()


def connect_to(state: Path) -> tuple[Connect, str]:
    """Clients for the embedded AWS of a state folder, and its region. Raises SampleAccountError where there is none."""
    try:
        told = json.loads((state / "client.json").read_text())
    except (OSError, ValueError) as error:
        raise SampleAccountError(
            f"No embedded AWS has been started on {state} ({error}). "
            f"Start it with `python -m local_aws --state {state}`."
        ) from error
    session = boto3.Session(told["access_key_id"], told["secret_access_key"], region_name=told["region"])
    clients: dict[str, Any] = {}
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 5},
        max_pool_connections=2 * UPLOADS_AT_ONCE,
        proxies={},  # it is on this machine, whatever the environment says about the way out
    )

    def connect(service: str) -> Any:
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=told["endpoint_url"], config=config)
        return clients[service]

    return connect, told["region"]


def _found(look: Callable[[], Any]) -> bool:
    """Whether what `look` describes is there."""
    try:
        look()
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        missing = code in ("404", "NoSuchEntity", "NoSuchBucket", "NoSuchKey", "NoSuchTagSet", "NotFound")
        if missing or (code == "ValidationException" and message.startswith("Could not find")):
            return False
        raise
    return True


def _names(first: str) -> Iterator[str]:
    yield first
    number = 2
    while True:
        yield f"{first}-{number}"
        number += 1


def _python(module: str, *arguments: str) -> None:
    """Run one of our modules in a process of its own: what draws and exports is heavy, and this stays small."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SampleAccountError(f"python -m {module} ended with code {done.returncode}: {done.stderr.strip()[-500:]}")


def _allow(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _grants(policy: dict[str, Any]) -> frozenset[str]:
    """Each action on each resource under each value of a condition; what has not the form of ours as a whole."""
    found: set[str] = set()
    for one in policy["Statement"] if isinstance(policy["Statement"], list) else [policy]:
        if set(one) - {"Condition"} != {"Effect", "Action", "Resource"} or one["Effect"] != "Allow":
            found.add(json.dumps(one))
            continue
        asked = [(test, key, values) for test, keys in one.get("Condition", {}).items() for key, values in keys.items()]
        conditions: list[Any] = [(test, key, value) for test, key, values in asked for value in listed(values)]
        granted = product(listed(one["Action"]), listed(one["Resource"]), conditions or [None])
        found |= {json.dumps(grant) for grant in granted}
    return frozenset(found)


def _logs(group: str) -> dict[str, Any]:
    actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
    return _allow(actions, [f"arn:aws:logs:*:*:log-group:{group}*"])


def _metrics(*namespaces: str) -> dict[str, Any]:
    """PutMetricData knows no resources: the namespace is what limits it."""
    condition = {"StringEquals": {"cloudwatch:namespace": list(namespaces)}}
    return _allow(["cloudwatch:PutMetricData"], ["*"]) | {"Condition": condition}


def _list(bucket: str, *prefixes: str) -> dict[str, Any]:
    condition = {"StringLike": {"s3:prefix": [f"{prefix}/*" for prefix in prefixes]}}
    return _allow(["s3:ListBucket"], [f"arn:aws:s3:::{bucket}"]) | {"Condition": condition}


def _objects(actions: list[str], bucket: str, *prefixes: str) -> dict[str, Any]:
    return _allow(actions, [f"arn:aws:s3:::{bucket}/{prefix}/*" for prefix in prefixes])


def _images() -> list[dict[str, Any]]:
    """Pulling AWS's PyTorch images, whose registry is another account in each region."""
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    images = [f"arn:aws:ecr:*:*:repository/{name}" for name in ("pytorch-*", "huggingface-pytorch-*")]
    return [_allow(["ecr:GetAuthorizationToken"], ["*"]), _allow(actions, images)]


def _policies(bucket: str) -> dict[str, dict[str, Any]]:
    """Kennel's own roles, each with its policy."""
    return {
        "KennelTraining": _training_policy(bucket),
        "KennelEndpoint": _endpoint_policy(bucket),
        "KennelInstance": _instance_policy(bucket),
    }


def _training_policy(bucket: str) -> dict[str, Any]:
    """What a training job needs: data and code in, runs and checkpoints out, log, metrics, AWS's image.

    The SageMaker SDK sends its code to a folder of the outputs', since this role may write nowhere else.
    """
    read = ("datasets", "code", "runs/code", "checkpoints")
    statements = [
        _list(bucket, *read),
        _objects(["s3:GetObject"], bucket, *read),
        _objects(["s3:PutObject", "s3:AbortMultipartUpload"], bucket, "runs", "checkpoints"),
        _logs("/aws/sagemaker/TrainingJobs"),
        _metrics("/aws/sagemaker/TrainingJobs"),
        *_images(),
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _instance_policy(bucket: str) -> dict[str, Any]:
    """What a training on an EC2 instance needs: data, code and a checkpoint in, its own run out, log, metrics.

    Nothing of EC2: it ends itself by shutting down, which needs no permission.
    """
    statements = [
        _list(bucket, "datasets", "code", "checkpoints", "ec2-runs"),
        _objects(["s3:GetObject"], bucket, "datasets", "code", "checkpoints", "ec2-runs"),
        _objects(["s3:PutObject", "s3:AbortMultipartUpload"], bucket, "checkpoints", "ec2-runs"),
        _logs("/kennel/ec2-runs"),
        _metrics("Kennel/EC2Training"),
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _endpoint_policy(bucket: str) -> dict[str, Any]:
    """What an endpoint needs: read models, log, metrics, AWS's image."""
    models = [f"arn:aws:s3:::{bucket}/models/*", f"arn:aws:s3:::{bucket}/runs/*"]
    statements = [
        _allow(["s3:GetObject"], models),
        _logs("/aws/sagemaker/Endpoints/"),
        _metrics("/aws/sagemaker/Endpoints"),
        *_images(),
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local_aws.sample_account", description="Build an example account.")
    parser.add_argument("--state", type=Path, required=True, help="the state folder of a running embedded AWS")
    parser.add_argument(
        "--only", nargs="+", choices=("roles", "replays", "marks"), default=(), help="add what an older account lacks"
    )
    options = parser.parse_args(arguments)

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    try:
        connect, region = connect_to(options.state)
        account = connect("sts").get_caller_identity()["Account"]
        if options.only:
            builder = Builder(connect, account, region, say)
            for part in options.only:
                {"roles": builder.roles, "replays": builder.replays, "marks": builder.marks}[part]()
        else:
            build(connect, account=account, region=region, say=say)
    except (SampleAccountError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"The sample account is not complete: {error} Run this again to go on.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
