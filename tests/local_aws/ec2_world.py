"""Requests for EC2's tests: instances that run a shell script, with a role that is there."""

import json
import time
from typing import Any

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import WORK, allow, client

PROFILE = "KennelInstance"
IMAGE = "/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-pytorch-2.9-ubuntu-24.04/latest/ami-id"


def image(aws: Embedded) -> str:
    return str(client(aws, "ssm").get_parameter(Name=IMAGE)["Parameter"]["Value"])


def profile(aws: Embedded, name: str = PROFILE, service: str = "ec2.amazonaws.com") -> str:
    """An instance profile that is there, with a role of the same name which the service may assume."""
    iam = client(aws, "iam")
    if name not in {one["InstanceProfileName"] for one in iam.list_instance_profiles()["InstanceProfiles"]}:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        trust = {"Version": "2012-10-17", "Statement": [statement]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        allow(aws, name, *WORK, "ec2:DescribeInstances")
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return name


def request(aws: Embedded, script: str = "", **changes: Any) -> dict[str, Any]:
    """RunInstances' parameters for one instance that runs a shell script and then stays up."""
    made = {"ImageId": image(aws), "InstanceType": "m5.large", "MinCount": 1, "MaxCount": 1}
    if script:
        made["UserData"] = "#!/bin/bash\n" + script
    return made | changes


def spot(**tags: str) -> dict[str, Any]:
    """The members of a request that make it a spot request, with tags such as interrupt_after="1"."""
    listed = [{"Key": f"kennel:{key.replace('_', '-')}", "Value": value} for key, value in tags.items()]
    specification = [{"ResourceType": "instance", "Tags": listed}] if listed else []
    return {"InstanceMarketOptions": {"MarketType": "spot"}, "TagSpecifications": specification}


def run(aws: Embedded, script: str = "", **changes: Any) -> str:
    """Launch one instance; its id."""
    found = client(aws, "ec2").run_instances(**request(aws, script, **changes))
    return str(found["Instances"][0]["InstanceId"])


def describe(aws: Embedded, instance_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client(aws, "ec2").describe_instances(InstanceIds=[instance_id])
    return dict(found["Reservations"][0]["Instances"][0])


def console(aws: Embedded, instance_id: str) -> str:
    return str(client(aws, "ec2").get_console_output(InstanceId=instance_id).get("Output", ""))


def in_state(aws: Embedded, instance_id: str, state: str, seconds: float = 20.0) -> dict[str, Any]:
    """The instance's record once it is in that state."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = describe(aws, instance_id)
        if found["State"]["Name"] == state:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{instance_id} is {found['State']['Name']}: {console(aws, instance_id)}")


def printed(aws: Embedded, instance_id: str, text: str, seconds: float = 20.0) -> str:
    """The console once it holds that text."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = console(aws, instance_id)
        if text in found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{text!r} never came: {found}")


def terminate(aws: Embedded, *ids: str) -> None:
    client(aws, "ec2").terminate_instances(InstanceIds=list(ids))
    for instance_id in ids:
        in_state(aws, instance_id, "terminated")
