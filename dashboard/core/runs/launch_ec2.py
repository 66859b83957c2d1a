"""Start a training on EC2, so that it can be tried again at every point and still makes one instance.

The run's document in S3 is written first, and only where none is: it makes the name the run's own. Its order is EC2's
client token, so that a second RunInstances gives the first one's instance.
"""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import (
    AlreadyExists,
    InvalidInput,
    KennelError,
    NotFound,
    ServiceFault,
    Throttled,
    Unreachable,
)
from dashboard.core.runs.plan import Plan
from dashboard.core.runs.requests_ec2 import RUNS, index_key
from dashboard.core.runs.security_group import own_group


def launch_ec2(aws: Aws, plan: Plan) -> None:
    """Write the run down, start its instance, and write down which that is.

    When EC2 refuses (no capacity, a quota, a permission) and has no instance of this order, what was written is taken
    back, so that the name is free again. When that is not certain it stays: the next try finds the instance by its
    token, and until then the run is listed. Raises AlreadyExists when the name belongs to another run, ServiceFault
    when its documents cannot be read, and the errors of `Aws.call`.
    """
    if not plan.request["ImageId"]:
        raise InvalidInput(
            "no Deep Learning AMI is known for this launch",
            "it could not be looked up in SSM",
            "look at the checks beside the form, then try again",
        )
    bucket, folder = aws.account.bucket, f"{RUNS}{plan.name}/"
    created = _written(aws, plan, f"{folder}request.json")
    if _read(aws, f"{folder}instance.json"):
        return
    index = index_key(plan.name, created)
    aws.call("s3", "PutObject", Bucket=bucket, Key=index, Body=b"")
    # A token holds for a day or so: what has reported already must not be started a second time after that.
    has_begun = bool(_read(aws, f"{folder}status.json"))
    try:
        instance = _found(aws, plan) if has_begun else _started(aws, plan)
    except (Unreachable, ServiceFault, Throttled):
        raise  # it may have started all the same
    except KennelError as refusal:
        instance = _in_spite_of(aws, plan, refusal)
        if instance is None:
            _take_back(aws, f"{folder}request.json", index)
            raise
    if instance is None:
        return
    launched = {"instance_id": instance["InstanceId"], "launched": instance["LaunchTime"].astimezone(UTC).isoformat()}
    if plan.spot_price is not None:
        launched["spot_price"] = str(plan.spot_price)
    aws.call("s3", "PutObject", Bucket=bucket, Key=f"{folder}instance.json", Body=json.dumps(launched).encode())
    if not _read(aws, f"{folder}request.json"):  # a second tab was refused in the meantime, and took it back
        created = _written(aws, plan, f"{folder}request.json")
        aws.call("s3", "PutObject", Bucket=bucket, Key=index_key(plan.name, created), Body=b"")


def _in_spite_of(aws: Aws, plan: Plan, refusal: KennelError) -> Any | None:
    """The instance of this order, which an earlier attempt started before the last one was refused; None without one.

    Raises the refusal when EC2 does not say.
    """
    try:
        return _found(aws, plan)
    except KennelError:
        raise refusal from None


def _take_back(aws: Aws, *keys: str) -> None:
    """Delete what was written for a launch that came to nothing."""
    # Where that is not allowed either, the refusal is what a person has to read; the run is listed as broken off.
    with suppress(KennelError):
        for key in keys:
            aws.call("s3", "DeleteObject", Bucket=aws.account.bucket, Key=key)


def _written(aws: Aws, plan: Plan, key: str) -> datetime:
    """Write the run's document where there is none; when the run that is there was created."""
    call = plan.calls[0]
    document = dict(call.parameters["Body"])
    try:
        aws.call(call.service, call.operation, **{**call.parameters, "Body": json.dumps(document).encode()})
    except AlreadyExists as there:
        document = _read(aws, key)
        if not document:  # S3 answers so while another write goes on, too (ConditionalRequestConflict)
            raise ServiceFault(
                f"another launch of {plan.name} is under way", "both wrote its document at once", "try again"
            ) from there
        if document.get("order") != plan.order:
            raise AlreadyExists(
                f"there is already a run named {plan.name}",
                f"it lies at s3://{aws.account.bucket}/{key}",
                "choose another name, or leave it empty to get one",
            ) from there
    return datetime.fromisoformat(str(document["created"]))


def _started(aws: Aws, plan: Plan) -> Any:
    """RunInstances' record of the one instance with this plan's token."""
    request = dict(plan.request)
    if not request.get("SecurityGroupIds"):
        request["SecurityGroupIds"] = [own_group(aws, plan.spec)]
    try:
        return aws.call("ec2", "RunInstances", **request)["Instances"][0]
    except AlreadyExists:
        # An earlier try had started it, with another image or price of the day: the token is the run's, not theirs.
        found = _found(aws, plan)
        if found is None:
            raise
        return found


def _found(aws: Aws, plan: Plan) -> Any | None:
    """DescribeInstances' record of the instance with this plan's token, None when EC2 knows none."""
    found = aws.call("ec2", "DescribeInstances", Filters=[{"Name": "client-token", "Values": [plan.order]}])
    return next((one for group in found["Reservations"] for one in group["Instances"]), None)


def _read(aws: Aws, key: str) -> dict[str, Any]:
    """A JSON object of the account's bucket; {} when it is not there. Raises ServiceFault for what is no JSON."""
    try:
        answer = aws.call("s3", "GetObject", Bucket=aws.account.bucket, Key=key)
    except NotFound:
        return {}
    with aws.translated("s3", "GetObject"):
        content = answer["Body"].read()
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ServiceFault(
            f"the launch found a document that is no JSON at s3://{aws.account.bucket}/{key}",
            "it was changed after it was written",
            "delete it, or choose another name",
        ) from error
    return found if isinstance(found, dict) else {}
