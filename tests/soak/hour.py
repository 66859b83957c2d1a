"""What one person does in an hour with the embedded AWS, call by call, and how one sees of each whether it was done."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from tests.conftest import Embedded
from tests.local_aws.lambda_world import package

ACCOUNT, IMAGE = "123456789012", "kennel/test"
GONE = "gone"
Look = Callable[[Embedded], Any]
"""What a thing is now, as a plain value; GONE where it is not there. Raises no ClientError."""
PATIENCE = 60.0
"""Seconds within which something that takes its time is over, without a kill."""


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


def after(read: Callable[[Embedded], Any], wanted: Any, does: Callable[[Embedded], Any]) -> Callable[[Embedded], Any]:
    """Do it once `read` tells what is wanted: what is still on its way to there takes no other change.

    Raises ResponseParserError for an answer that a kill cut off after its first line: then nothing is in it.
    """

    def told(aws: Embedded) -> Any:
        try:
            return read(aws)
        except KeyError as cut:
            raise ResponseParserError(f"the answer has no {cut}") from cut

    def waited(aws: Embedded) -> Any:
        end = time.monotonic() + PATIENCE
        while (found := told(aws)) != wanted:
            assert time.monotonic() < end, f"it is {found!r}, and was to be {wanted!r}"
            time.sleep(0.05)
        return does(aws)

    return waited


def steps(bucket: str, number: int, chooser: random.Random, served: Mapping[str, str]) -> Iterator[Step]:
    """An hour, in order: data and a role, then the rest of it in an order that is drawn, and some of it taken away
    again. number: of the hour, so that names differ. served: the settings under which a model's server is a small one.
    """
    name = f"day-{number:03d}-{chooser.randrange(10**6):06d}"
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    yield from _role(name, arn)
    parts = [
        _photo(bucket, name, chooser),
        _upload(bucket, name),
        _training(bucket, name, arn),
        _function(name, arn),
        _budget(name, chooser),
        _endpoint(name, arn, served),
        _stack(name),
        _notebook(name, arn),
    ]
    chooser.shuffle(parts)
    for part in parts:
        yield from part
    yield from _replacement(name)


# fmt: off
def _role(name: str, arn: str) -> Iterator[Step]:
    services = ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}]})
    yield Step(f"role {name}",
               lambda aws: aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust),
               looked(lambda aws: aws.client("iam").get_role(RoleName=name)["Role"]["Arn"]), arn)
    yield Step(f"policy of {name}",
               lambda aws: aws.client("iam").put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=RIGHTS),
               looked(lambda aws: sorted(aws.client("iam").list_role_policies(RoleName=name)["PolicyNames"])),
               ["work"], [])


RIGHTS = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}]})


def _replacement(name: str) -> Iterator[Step]:
    """The role gets another policy, and loses the one that it had: first what is new, as Kennel does it."""
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    yield Step(f"managed policy {name}",
               lambda aws: aws.client("iam").create_policy(PolicyName=name, PolicyDocument=RIGHTS),
               looked(lambda aws: aws.client("iam").get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]), "v1")
    yield Step(f"attached to {name}", lambda aws: aws.client("iam").attach_role_policy(RoleName=name, PolicyArn=arn),
               looked(lambda aws: [one["PolicyArn"] for one in aws.client("iam").list_attached_role_policies(
                   RoleName=name)["AttachedPolicies"]]), [arn], [])
    yield Step(f"managed policy {name}",
               lambda aws: aws.client("iam").create_policy_version(
                   PolicyArn=arn, PolicyDocument=RIGHTS, SetAsDefault=True),
               looked(lambda aws: aws.client("iam").get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]), "v2")
    yield Step(f"policy of {name}",
               lambda aws: aws.client("iam").delete_role_policy(RoleName=name, PolicyName="work"),
               looked(lambda aws: sorted(aws.client("iam").list_role_policies(RoleName=name)["PolicyNames"])), [])


def _photo(bucket: str, name: str, chooser: random.Random) -> Iterator[Step]:
    body, key = chooser.randbytes(chooser.choice((10, 4_000, 200_000))), f"datasets/day/{name}.bin"
    yield Step(f"object {key}", lambda aws: aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body),
               looked(lambda aws: aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == body), True)
    if chooser.random() < 0.5:
        yield Step(f"object {key}", lambda aws: aws.client("s3").delete_object(Bucket=bucket, Key=key),
                   looked(lambda aws: aws.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"]), GONE)


def _upload(bucket: str, name: str) -> Iterator[Step]:
    """One object in parts: how many of them are there while it comes, "whole" once it is."""
    key, large, small = f"datasets/day/{name}.zip", b"a" * (5 * 1024 ** 2), b"the end"

    def uploaded(aws: Embedded) -> str:
        found = aws.client("s3").list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads", [])
        return str(found[0]["UploadId"]) if found else ""

    def parts(aws: Embedded) -> list[dict[str, Any]]:
        told = aws.client("s3").list_parts(Bucket=bucket, Key=key, UploadId=uploaded(aws))
        return [{"PartNumber": one["PartNumber"], "ETag": one["ETag"]} for one in told.get("Parts", [])]

    def read(aws: Embedded) -> Any:
        if uploaded(aws):
            return len(parts(aws))
        body = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return "whole" if body == large + small else f"{len(body)} bytes"

    look, what = looked(read), f"upload {key}"
    yield Step(what, lambda aws: aws.client("s3").create_multipart_upload(Bucket=bucket, Key=key), look, 0)
    for number, body in ((1, large), (2, small)):
        yield Step(what, lambda aws, number=number, body=body: aws.client("s3").upload_part(
                       Bucket=bucket, Key=key, UploadId=uploaded(aws), PartNumber=number, Body=body), look, number)
    yield Step(what, lambda aws: aws.client("s3").complete_multipart_upload(
                   Bucket=bucket, Key=key, UploadId=uploaded(aws), MultipartUpload={"Parts": parts(aws)}),
               look, "whole")


def _training(bucket: str, job: str, arn: str) -> Iterator[Step]:
    asked = {
        "TrainingJobName": job, "RoleArn": arn,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File",
                                   "ContainerEntrypoint": ["/bin/true"]},
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/runs/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    yield Step(f"training {job}", lambda aws: aws.client("sagemaker").create_training_job(**asked),
               looked(lambda aws: aws.client("sagemaker").describe_training_job(TrainingJobName=job)["RoleArn"]), arn)
    yield Step(f"model group {job}",
               lambda aws: aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=job),
               looked(lambda aws: aws.client("sagemaker").describe_model_package_group(
                   ModelPackageGroupName=job)["ModelPackageGroupName"]), job)


def _function(name: str, arn: str) -> Iterator[Step]:
    code, functions = package(app="def handler(event, context):\n    return 1\n"), "lambda"
    reserved = looked(lambda aws: aws.client(functions).get_function_concurrency(
        FunctionName=name).get("ReservedConcurrentExecutions"))
    yield Step(f"function {name}", lambda aws: aws.client(functions).create_function(
                   FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=arn, Code={"ZipFile": code}),
               looked(lambda aws: aws.client(functions).get_function_configuration(FunctionName=name)["Role"]), arn)
    yield Step(f"concurrency of {name}", lambda aws: aws.client(functions).put_function_concurrency(
                   FunctionName=name, ReservedConcurrentExecutions=2), reserved, 2, None)
    yield Step(f"concurrency of {name}",
               lambda aws: aws.client(functions).delete_function_concurrency(FunctionName=name), reserved, None)


def _budget(name: str, chooser: random.Random) -> Iterator[Step]:
    budget = {"BudgetName": name, "BudgetLimit": {"Amount": "25", "Unit": "USD"}, "TimeUnit": "MONTHLY",
              "BudgetType": "COST"}
    look = looked(lambda aws: float(aws.client("budgets").describe_budget(
        AccountId=ACCOUNT, BudgetName=name)["Budget"]["BudgetLimit"]["Amount"]))
    yield Step(f"budget {name}", lambda aws: aws.client("budgets").create_budget(AccountId=ACCOUNT, Budget=budget),
               look, 25.0)
    if chooser.random() < 0.5:
        yield Step(f"budget {name}",
                   lambda aws: aws.client("budgets").delete_budget(AccountId=ACCOUNT, BudgetName=name), look, GONE)


def _endpoint(name: str, arn: str, served: Mapping[str, str]) -> Iterator[Step]:
    """A model, two configurations, an endpoint of the one that goes over to the other, scaling, and its end."""
    def sagemaker(aws: Embedded) -> Any:
        return aws.client("sagemaker")

    model = {"ModelName": name, "ExecutionRoleArn": arn, "PrimaryContainer": {"Image": IMAGE, "Environment": served}}
    yield Step(f"model {name}", lambda aws: sagemaker(aws).create_model(**model),
               looked(lambda aws: sagemaker(aws).describe_model(ModelName=name)["ExecutionRoleArn"]), arn)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large",
               "InitialInstanceCount": 1}
    first, second = f"{name}-1", f"{name}-2"
    for config in (first, second):
        yield Step(f"configuration {config}",
                   lambda aws, config=config: sagemaker(aws).create_endpoint_config(
                       EndpointConfigName=config, ProductionVariants=[variant]),
                   looked(lambda aws, config=config: sagemaker(aws).describe_endpoint_config(
                       EndpointConfigName=config)["ProductionVariants"][0]["ModelName"]), name)

    def config(aws: Embedded) -> Any:
        """What it serves, or goes over to."""
        told = sagemaker(aws).describe_endpoint(EndpointName=name)
        going = told.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
        return GONE if told["EndpointStatus"] == "Deleting" else going or told["EndpointConfigName"]

    def status(aws: Embedded) -> Any:
        return sagemaker(aws).describe_endpoint(EndpointName=name)["EndpointStatus"]

    yield Step(f"endpoint {name}",
               lambda aws: sagemaker(aws).create_endpoint(EndpointName=name, EndpointConfigName=first),
               looked(config), first)
    yield Step(f"endpoint {name}",
               after(status, "InService", lambda aws: sagemaker(aws).update_endpoint(
                   EndpointName=name, EndpointConfigName=second)), looked(config), second)
    which = {"ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{name}/variant/AllTraffic",
             "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    policy = {"TargetValue": 70.0, "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}

    def scaling(aws: Embedded) -> Any:
        return aws.client("application-autoscaling")

    def targets(aws: Embedded) -> Any:
        found = scaling(aws).describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[which["ResourceId"]])["ScalableTargets"]
        return found[0]["MaxCapacity"] if found else GONE

    def policies(aws: Embedded) -> Any:
        found = scaling(aws).describe_scaling_policies(
            ServiceNamespace="sagemaker", ResourceId=which["ResourceId"])["ScalingPolicies"]
        return [one["PolicyName"] for one in found]

    yield Step(f"scaling of {name}",
               after(status, "InService", lambda aws: scaling(aws).register_scalable_target(
                   MinCapacity=1, MaxCapacity=3, **which)), targets, 3)
    yield Step(f"scaling policy of {name}",
               lambda aws: scaling(aws).put_scaling_policy(
                   PolicyName=name, PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=policy,
                   **which), policies, [name], [])
    yield Step(f"scaling policy of {name}",
               lambda aws: scaling(aws).delete_scaling_policy(PolicyName=name, **which), policies, [])
    yield Step(f"scaling of {name}", lambda aws: scaling(aws).deregister_scalable_target(**which), targets, GONE)
    yield Step(f"endpoint {name}",
               after(status, "InService", lambda aws: sagemaker(aws).delete_endpoint(EndpointName=name)),
               looked(config), GONE)


def _stack(name: str) -> Iterator[Step]:
    """A stack of one log group, made and deleted by CloudFormation while nobody asks."""
    template = json.dumps({"Resources": {"Log": {
        "Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/{name}", "RetentionInDays": 30}}}})

    def status(aws: Embedded) -> Any:
        return aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]

    def read(aws: Embedded) -> Any:
        if (told := status(aws)).startswith("DELETE_"):
            return GONE
        groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=f"/{name}")["logGroups"]
        has_all = bool(groups) or told == "CREATE_IN_PROGRESS"
        return "there" if told.startswith("CREATE_") and has_all else f"{told} with {len(groups)} log groups"

    cloudformation = "cloudformation"
    yield Step(f"stack {name}",
               lambda aws: aws.client(cloudformation).create_stack(StackName=name, TemplateBody=template),
               looked(read), "there")
    yield Step(f"stack {name}",
               after(status, "CREATE_COMPLETE", lambda aws: aws.client(cloudformation).delete_stack(StackName=name)),
               looked(read), GONE)


def _notebook(name: str, arn: str) -> Iterator[Step]:
    which = {"NotebookInstanceName": name}
    words = {"Pending": "there", "InService": "there", "Stopping": "stopped", "Stopped": "stopped", "Deleting": GONE}

    def status(aws: Embedded) -> Any:
        return aws.client("sagemaker").describe_notebook_instance(**which)["NotebookInstanceStatus"]

    look = looked(lambda aws: words.get(status(aws), status(aws)))
    yield Step(f"notebook {name}",
               lambda aws: aws.client("sagemaker").create_notebook_instance(
                   InstanceType="ml.t3.medium", RoleArn=arn, **which), look, "there")
    yield Step(f"notebook {name}",
               after(status, "InService", lambda aws: aws.client("sagemaker").stop_notebook_instance(**which)),
               look, "stopped")
    yield Step(f"notebook {name}",
               after(status, "Stopped", lambda aws: aws.client("sagemaker").delete_notebook_instance(**which)),
               look, GONE)
# fmt: on
