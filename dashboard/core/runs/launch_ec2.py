"""Start a training on EC2, so that it can be tried again at every point and still makes one instance.

The run's document in S3 is written first, and only where none is: it makes the name the run's own. Its order is EC2's
client token, so that a second RunInstances gives the first one's instance.
"""

import json
from datetime import UTC, datetime
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import AlreadyExists, InvalidInput, KennelError, NotFound, ServiceFault, Unreachable
from dashboard.core.runs.plan import Plan
from dashboard.core.runs.requests_ec2 import RUNS, index_key
from dashboard.core.runs.security_group import own_group


def launch_ec2(aws: Aws, plan: Plan) -> None:
    """Write the run down, start its instance, and write down which that is.

    When EC2 refuses (no capacity, a quota, a permission), what was written is taken back, so that the name is free
    again. When its answer was lost it stays: the next try finds the instance by its token.
    Raises AlreadyExists when the name belongs to another run, and the errors of `Aws.call`.
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
    try:
        instance = _started(aws, plan)
    except (Unreachable, ServiceFault):
        raise  # it may have started all the same
    except KennelError:
        for key in (index, f"{folder}request.json"):
            aws.call("s3", "DeleteObject", Bucket=bucket, Key=key)
        raise
    launched = {"instance_id": instance["InstanceId"], "launched": instance["LaunchTime"].astimezone(UTC).isoformat()}
    if plan.spot_price is not None:
        launched["spot_price"] = str(plan.spot_price)
    aws.call("s3", "PutObject", Bucket=bucket, Key=f"{folder}instance.json", Body=json.dumps(launched).encode())


def _written(aws: Aws, plan: Plan, key: str) -> datetime:
    """Write the run's document where there is none; when the run that is there was created."""
    call = plan.calls[0]
    document = dict(call.parameters["Body"])
    try:
        aws.call(call.service, call.operation, **{**call.parameters, "Body": json.dumps(document).encode()})
    except AlreadyExists as there:
        document = _read(aws, key)
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
        found = aws.call("ec2", "DescribeInstances", Filters=[{"Name": "client-token", "Values": [plan.order]}])
        instances = [one for group in found["Reservations"] for one in group["Instances"]]
        if not instances:
            raise
        return instances[0]


def _read(aws: Aws, key: str) -> dict[str, Any]:
    """A JSON object of the account's bucket; {} when it is not there."""
    try:
        answer = aws.call("s3", "GetObject", Bucket=aws.account.bucket, Key=key)
    except NotFound:
        return {}
    with aws.translated("s3", "GetObject"):
        content = answer["Body"].read()
    found = json.loads(content)
    return found if isinstance(found, dict) else {}
