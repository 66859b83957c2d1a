"""What starts a training on EC2: the run's own document in S3, and RunInstances' parameters. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account
from dashboard.core.runs import user_data
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.surroundings import Image

ROLE = "KennelInstance"
"""The role that the instance acts as, and the instance profile of the same name that carries it."""
RUNS, INDEX = "ec2-runs/", "ec2-index/"
LAST_SECOND = 9_999_999_999
"""The index counts down from here, so that a listing gives the newest run first."""
LOG_GROUP = "/kennel/ec2-runs"
NAMESPACE = "Kennel/EC2Training"


def run_document(
    spec: TrainingSpec, name: str, account: Account, marks: Mapping[str, str], code: str, image: Image, now: datetime
) -> dict[str, Any]:
    """request.json: everything about the run that its instance, and whoever looks at it later, has to know."""
    folder = f"s3://{account.bucket}/{RUNS}{name}/"
    return {
        "schema": 1,
        "name": name,
        "order": marks[tags.ORDER],
        "created": now.isoformat(),
        "region": account.region,
        "instance_type": spec.instance_type,
        "capacity": str(spec.capacity),
        "image_id": image.id,
        "volume_gb": volume(spec, image),
        "max_seconds": spec.max_seconds,
        "dataset_uri": spec.dataset_uri,
        "code_uri": code,
        "output_uri": f"{folder}output/",
        "checkpoint_uri": spec.resume_from or f"{folder}checkpoints/",
        "hyperparameters": spec.hyperparameters,
        "log_group": LOG_GROUP,
        "log_stream": f"{name}/algo-1",
        "metric_namespace": NAMESPACE,
        "role": account.role_arn(ROLE),
        "tags": dict(marks),
    }


def index_key(name: str, created: datetime) -> str:
    """The empty object by which a listing of the bucket finds the run."""
    return f"{INDEX}{LAST_SECOND - int(created.timestamp()):010d}-{name}"


def volume(spec: TrainingSpec, image: Image) -> int:
    """The root volume in GB: what was asked for, or what the image itself takes when that is more."""
    return max(spec.volume_gb, image.volume_gb)


def instance_request(
    spec: TrainingSpec,
    name: str,
    account: Account,
    marks: Mapping[str, str],
    code: str,
    image: Image,
    groups: tuple[str, ...],
) -> dict[str, Any]:
    """RunInstances' parameters: IMDSv2 only, an encrypted gp3 volume, a shutdown that terminates, no port opened.

    `groups`: the security groups; without any, EC2 takes the network's default group, so `launch` adds Kennel's own.
    """
    disk: dict[str, Any] = {
        "VolumeSize": volume(spec, image),
        "VolumeType": "gp3",
        "Encrypted": True,
        "DeleteOnTermination": True,
    }
    if spec.kms_key:
        disk["KmsKeyId"] = spec.kms_key
    listed = tags.listed(marks)
    named = [{"Key": "Name", "Value": name}, *listed]
    request: dict[str, Any] = {
        "ImageId": image.id,
        "InstanceType": spec.instance_type,
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": marks[tags.ORDER],
        "IamInstanceProfile": {"Name": ROLE},
        "InstanceInitiatedShutdownBehavior": "terminate",
        "MetadataOptions": {"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "BlockDeviceMappings": [{"DeviceName": image.root_device, "Ebs": disk}],
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": named},
            {"ResourceType": "volume", "Tags": listed},
        ],
        "UserData": user_data.render(account.bucket, name, code, region=account.region, max_seconds=spec.max_seconds),
    }
    if spec.is_spot:
        options = {"SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate"}
        request["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": options}
    if spec.subnets:
        request["SubnetId"] = spec.subnets[0]
    if groups:
        request["SecurityGroupIds"] = list(groups)
    if spec.key_name:
        request["KeyName"] = spec.key_name
    return request
