"""What CreateTrainingJob looks at before it accepts a job: the request as a whole, and the account around it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_aws.engine.hosts import MOST_HOSTS
from local_aws.engine.job import Job
from local_aws.engine.metrics import wrong_expression
from local_aws.engine.objects import Location, Objects
from local_aws.errors import ServiceError
from local_aws.quotas import SAGEMAKER, Quotas
from local_aws.services.sagemaker_resources import Document

PRINCIPAL = "sagemaker.amazonaws.com"


@dataclass(frozen=True)
class Surroundings:
    """The rest of the account. None leaves a check out, for a service that stands alone.

    role_exists: whether a role (ARN) is there and lets a service assume it for something (ARN); missing_network: in a
    region, which of these subnets and security groups are not there, as a sentence, or "".
    """

    role_exists: Callable[[str, str, str], bool] | None = None
    missing_network: Callable[[str, Sequence[str], Sequence[str]], str] | None = None
    quotas: Quotas | None = None


def check_request(params: Mapping[str, Any]) -> None:
    """What no single member's shape can say. Raises ServiceError ValidationException."""
    algorithm = params["AlgorithmSpecification"]
    resources = params.get("ResourceConfig", {})
    if not algorithm.get("TrainingImage"):
        raise wrong("AlgorithmSpecification needs a TrainingImage.")
    for member in ("InstanceType", "InstanceCount"):
        if not resources.get(member):
            raise wrong(f"ResourceConfig needs an {member} (of at least 1).")
    if resources["InstanceCount"] > MOST_HOSTS:
        raise wrong(f"The embedded AWS cannot do more than {MOST_HOSTS} instances (ResourceConfig.InstanceCount).")
    if resources["InstanceCount"] > 1 and params.get("EnableInterContainerTrafficEncryption"):
        raise wrong(
            "The embedded AWS cannot do encryption of the traffic between instances yet "
            "(EnableInterContainerTrafficEncryption). Leave it out: their traffic never leaves this machine."
        )
    names = [channel["ChannelName"] for channel in params.get("InputDataConfig", ())]
    if len(set(names)) < len(names):
        raise wrong("Two channels in InputDataConfig have the same name.")
    _check_times(params)
    for definition in algorithm.get("MetricDefinitions", ()):
        why = wrong_expression(definition["Regex"])
        if why:
            raise wrong(f"The Regex of metric definition {definition['Name']} is not a regular expression: {why}")


def _check_times(params: Mapping[str, Any]) -> None:
    condition = params["StoppingCondition"]
    longest_wait = condition.get("MaxWaitTimeInSeconds")
    if not params.get("EnableManagedSpotTraining"):
        if longest_wait is not None:
            raise wrong("MaxWaitTimeInSeconds is only for managed spot training (EnableManagedSpotTraining).")
    elif longest_wait is None or longest_wait < condition["MaxRuntimeInSeconds"]:
        raise wrong(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
        )


def check_role(around: Surroundings, role: str, arn: str) -> None:
    """arn: of the job that would work as that role."""
    if around.role_exists and not around.role_exists(role, PRINCIPAL, arn):
        raise wrong(
            f"Could not assume role {role}. Please ensure that the role exists and allows principal '{PRINCIPAL}' to "
            "assume the role."
        )


def check_network(around: Surroundings, params: Mapping[str, Any], region: str) -> None:
    asked = params.get("VpcConfig")
    if asked and around.missing_network:
        missing = around.missing_network(region, asked["Subnets"], asked["SecurityGroupIds"])
        if missing:
            raise wrong(missing)


def check_buckets(objects: Objects, job: Job, region: str) -> None:
    """Whether input, output and checkpoints can be reached at all, which SageMaker looks at before it accepts a job."""
    for channel in job.channels:
        why = _no_input(objects, channel.source, region)
        if why is not None:
            raise wrong(
                f'No S3 objects found under S3 URL "{channel.source.uri}" given in input data source. Please '
                f"ensure that the bucket exists in the selected region ({region}), that objects exist under that "
                f'S3 prefix, and that the role "{job.role}" has "s3:ListBucket" permissions on bucket '
                f'"{channel.source.bucket}".{why}'
            )
    written = {"S3OutputPath": job.output} | ({"CheckpointConfig": job.checkpoint.target} if job.checkpoint else {})
    for member, target in written.items():
        try:
            lies_in = objects.bucket_region(target.bucket)
        except ServiceError as error:
            raise wrong(f"The {member} {target.uri} cannot be used: {error.message}") from error
        if lies_in != region:
            raise wrong(f"The {member} {target.uri} cannot be used: {_elsewhere(lies_in)}")


def _no_input(objects: Objects, source: Location, region: str) -> str | None:
    """What to add about a channel that cannot be read; None when it can."""
    try:
        lies_in = objects.bucket_region(source.bucket)
        if lies_in != region:
            return f" Error message from S3: {_elsewhere(lies_in)}"
        return None if objects.find(source.bucket, source.key) else ""
    except ServiceError as error:
        return " Error message from S3: Access Denied" if error.code == "AccessDenied" else ""


def _elsewhere(region: str) -> str:
    return f"The bucket is in this region: {region}. Please use this region to retry the request"


def check_quota(around: Surroundings, job: Job, active: Iterable[Document]) -> None:
    """Whether the account may run that many instances more. active: the jobs that have not ended.

    Raises ServiceError ResourceLimitExceeded in AWS's words.
    """
    used = sum(
        one["Request"]["ResourceConfig"]["InstanceCount"]
        for one in active
        if one["Request"]["ResourceConfig"]["InstanceType"] == job.instance_type
        and bool(one["Request"].get("EnableManagedSpotTraining")) == bool(job.spot)
        and one["TrainingJobArn"].split(":")[3] == job.region
    )
    name = f"{job.instance_type} for {'spot ' if job.spot else ''}training job usage"
    check_room(around, name, job.region, used, job.instance_count)


def check_room(around: Surroundings, name: str, region: str, used: int, more: int) -> None:
    """Whether the quota of that name has room for so many instances more.

    Raises ServiceError ResourceLimitExceeded in AWS's words.
    """
    if around.quotas is None:
        return
    limit = around.quotas.value(SAGEMAKER, name, region)
    if used + more > limit:
        raise ServiceError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{name}' is {limit:.0f} Instances, with current utilization of {used} "
            f"Instances and a request delta of {more} Instances. Please use AWS Service Quotas to request an increase "
            "for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for "
            "this quota.",
        )


def wrong(sentence: str) -> ServiceError:
    return ServiceError("ValidationException", sentence)
