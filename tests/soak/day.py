"""A scripted day of use of the embedded AWS, in which it is killed with kill -9 at moments that a seed draws.

Whatever was answered is written into a journal, as a person would remember it. After each restart all of it is looked
up: what was acknowledged is there, what was acknowledged as deleted is not. Of a call whose answer never came either
may be so, and it is asked which, once, and held to that from then on.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.conftest import Embedded, start_embedded
from tests.local_aws.lambda_world import package

ACCOUNT = "123456789012"
GONE = "gone"
Look = Callable[[Embedded], Any]
"""What a thing is now, as a plain value; GONE where it is not there. Raises no ClientError."""


class LostError(AssertionError):
    """Something that was acknowledged is not so any more."""


@dataclass
class Journal:
    """What the embedded AWS has answered for: by the thing's name, how one looks it up and what it was."""

    known: dict[str, tuple[Look, Any]] = field(default_factory=dict)
    acknowledged: int = 0
    unanswered: int = 0

    def note(self, name: str, look: Look, value: Any) -> None:
        self.known[name] = (look, value)
        self.acknowledged += 1

    def check(self, aws: Embedded) -> int:
        """Look all of it up; how much that was. Raises LostError."""
        for name, (look, value) in self.known.items():
            found = look(aws)
            if found != value:
                raise LostError(f"{name} was {value!r} when it was answered, and is {found!r}")
        return len(self.known)


@dataclass(frozen=True)
class Step:
    """One call of the day. does: asks for it. name, look: what it is about; value: what that is from then on; before:
    what it was, where nothing was answered for it yet.
    """

    name: str
    does: Callable[[Embedded], Any]
    look: Look
    value: Any
    before: Any = GONE


def looked(read: Callable[[Embedded], Any]) -> Look:
    def look(aws: Embedded) -> Any:
        try:
            return read(aws)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise
            return GONE

    return look


def steps(bucket: str, number: int, chooser: random.Random) -> Iterator[Step]:
    """What one person does in an hour, in order: data, a run, a role, a function, scaling, a budget, and some of it
    taken away again. number: of the hour, so that names differ.
    """
    own = f"{number:03d}-{chooser.randrange(10**6):06d}"
    body = chooser.randbytes(chooser.choice((10, 4_000, 200_000)))
    key = f"datasets/day/{own}.bin"
    s3, iam, sagemaker, functions = "s3", "iam", "sagemaker", "lambda"

    # fmt: off
    yield Step(f"object {key}", lambda aws: aws.client(s3).put_object(Bucket=bucket, Key=key, Body=body),
               looked(lambda aws: aws.client(s3).get_object(Bucket=bucket, Key=key)["Body"].read() == body), True)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]},
        "Action": "sts:AssumeRole"}]})
    role, policy = f"day-{own}", json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}]})
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    yield Step(f"role {role}", lambda aws: aws.client(iam).create_role(RoleName=role, AssumeRolePolicyDocument=trust),
               looked(lambda aws: aws.client(iam).get_role(RoleName=role)["Role"]["Arn"]), arn)
    yield Step(f"policy of {role}", lambda aws: aws.client(iam).put_role_policy(
                   RoleName=role, PolicyName="work", PolicyDocument=policy),
               looked(lambda aws: sorted(aws.client(iam).list_role_policies(RoleName=role)["PolicyNames"])), ["work"],
               [])
    job = f"day-{own}"
    asked = {
        "TrainingJobName": job, "RoleArn": arn,
        "AlgorithmSpecification": {"TrainingImage": "kennel/test", "TrainingInputMode": "File",
                                   "ContainerEntrypoint": ["/bin/true"]},
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/runs/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    yield Step(f"training {job}", lambda aws: aws.client(sagemaker).create_training_job(**asked),
               looked(lambda aws: aws.client(sagemaker).describe_training_job(TrainingJobName=job)["RoleArn"]), arn)
    yield Step(f"model group {job}",
               lambda aws: aws.client(sagemaker).create_model_package_group(ModelPackageGroupName=job),
               looked(lambda aws: aws.client(sagemaker).describe_model_package_group(
                   ModelPackageGroupName=job)["ModelPackageGroupName"]), job)
    name = f"day-{own}"
    code = package(app="def handler(event, context):\n    return 1\n")
    yield Step(f"function {name}", lambda aws: aws.client(functions).create_function(
                   FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=arn, Code={"ZipFile": code}),
               looked(lambda aws: aws.client(functions).get_function_configuration(FunctionName=name)["Role"]), arn)
    yield Step(f"concurrency of {name}", lambda aws: aws.client(functions).put_function_concurrency(
                   FunctionName=name, ReservedConcurrentExecutions=2),
               looked(lambda aws: aws.client(functions).get_function_concurrency(
                   FunctionName=name).get("ReservedConcurrentExecutions")), 2, None)
    budget = {"BudgetName": name, "BudgetLimit": {"Amount": "25", "Unit": "USD"}, "TimeUnit": "MONTHLY",
              "BudgetType": "COST"}
    yield Step(f"budget {name}", lambda aws: aws.client("budgets").create_budget(AccountId=ACCOUNT, Budget=budget),
               looked(lambda aws: float(aws.client("budgets").describe_budget(
                   AccountId=ACCOUNT, BudgetName=name)["Budget"]["BudgetLimit"]["Amount"])), 25.0)
    yield Step(f"model {name}", lambda aws: aws.client(sagemaker).create_model(
                   ModelName=name, ExecutionRoleArn=arn, PrimaryContainer={"Image": "kennel/test"}),
               looked(lambda aws: aws.client(sagemaker).describe_model(ModelName=name)["ExecutionRoleArn"]), arn)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large",
               "InitialInstanceCount": 1}
    yield Step(f"configuration {name}", lambda aws: aws.client(sagemaker).create_endpoint_config(
                   EndpointConfigName=name, ProductionVariants=[variant]),
               looked(lambda aws: aws.client(sagemaker).describe_endpoint_config(
                   EndpointConfigName=name)["ProductionVariants"][0]["ModelName"]), name)
    if chooser.random() < 0.5:
        yield Step(f"object {key}", lambda aws: aws.client(s3).delete_object(Bucket=bucket, Key=key),
                   looked(lambda aws: aws.client(s3).head_object(Bucket=bucket, Key=key)["ContentLength"]), GONE)
        yield Step(f"budget {name}",
                   lambda aws: aws.client("budgets").delete_budget(AccountId=ACCOUNT, BudgetName=name),
                   looked(lambda aws: aws.client("budgets").describe_budget(
                       AccountId=ACCOUNT, BudgetName=name)["Budget"]["BudgetName"]), GONE)
        yield Step(f"concurrency of {name}",
                   lambda aws: aws.client(functions).delete_function_concurrency(FunctionName=name),
                   looked(lambda aws: aws.client(functions).get_function_concurrency(
                       FunctionName=name).get("ReservedConcurrentExecutions")), None)
    # fmt: on


@dataclass(frozen=True)
class Told:
    """How a day went."""

    seed: int
    kills: int
    acknowledged: int
    unanswered: int
    looked_up: int
    slowest_start: float  # seconds from a restart to its ready line


def live(state: Path, seed: int, *, kills: int, longest: float = 1.5) -> Told:
    """A day of use with so many kills, each at most `longest` seconds after the last start. Raises LostError."""
    chooser, journal, looked_up, slowest = random.Random(seed), Journal(), 0, 0.0
    bucket, hour = f"day-{seed}", 0
    aws = start_embedded(state, "--time-scale", "60")
    aws.client("s3").create_bucket(Bucket=bucket)
    coming: Iterator[Step] = iter(())
    for _ in range(kills):
        killer = threading.Timer(chooser.uniform(0.05, longest), aws.process.kill)
        killer.start()
        lost: Step | None = None
        while lost is None:
            step = next(coming, None)
            if step is None:
                hour += 1
                coming = steps(bucket, hour, chooser)
                continue
            try:
                step.does(aws)
            except BotoCoreError:
                lost = step
            else:
                journal.note(step.name, step.look, step.value)
        killer.join()
        _end(aws)
        begun = time.monotonic()
        aws = start_embedded(state, "--time-scale", "60")
        slowest = max(slowest, time.monotonic() - begun)
        seen, before = journal.known.pop(lost.name, (lost.look, lost.before))  # it was being changed: either is right
        looked_up += journal.check(aws)
        found = lost.look(aws)
        if found != lost.value and (was := seen(aws)) != before:
            raise LostError(f"{lost.name} was {before!r}, was to be {lost.value!r}, and is {was!r}")
        if found == lost.value:
            journal.note(lost.name, lost.look, found)
        else:  # not done: the person does it again, and the day goes on from there
            journal.unanswered += 1
            lost.does(aws)
            journal.note(lost.name, lost.look, lost.value)
    looked_up += journal.check(aws)
    aws.process.kill()
    _end(aws)
    return Told(seed, kills, journal.acknowledged, journal.unanswered, looked_up, slowest)


def _end(aws: Embedded) -> None:
    aws.process.wait(timeout=30)
    for client in aws.clients.values():
        client.close()
    if aws.process.stdout:
        aws.process.stdout.close()
