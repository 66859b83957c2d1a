"""What an instance's metadata service tells of it: the paths and words of AWS's instance metadata categories."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from local_aws import ACCOUNT
from local_aws.account_facts import trusts
from local_aws.engine.metadata import Facts, Leaf, Tree
from local_aws.run_keys import RunKeys

LIFETIME = timedelta(hours=6)
_SERVICE = "ec2.amazonaws.com"


def facts(found: Any, region: str, iam: Any, runs: RunKeys | None, reclaimed_at: float | None, now: datetime) -> Facts:
    """found: moto's instance; iam: moto's; reclaimed_at: when a spot instance is taken back, once it is told."""
    options = found.metadata_options
    data = base64.b64decode(str(found.user_data)) if found.user_data else b""
    return Facts(
        metadata=_tree(found, region, iam, runs, reclaimed_at, now),
        user_data=data,
        identity=_identity(found, region),
        tokens_required=options.http_tokens == "required",
        enabled=options.http_endpoint == "enabled",
    )


def _tree(found: Any, region: str, iam: Any, runs: RunKeys | None, reclaimed_at: float | None, now: datetime) -> Tree:
    nic = found.nics[0]
    address = str(nic.private_ip_address)
    zone = str(found.availability_zone)
    tree: dict[str, Leaf | Tree] = {
        "ami-id": found.image_id,
        "ami-launch-index": str(found.ami_launch_index),
        "block-device-mapping": {"ami": found.root_device_name, "root": found.root_device_name},
        "hostname": found.private_dns_name,
        "instance-action": "none",
        "instance-id": found.id,
        "instance-life-cycle": "spot" if found.kennel["spot"] else "on-demand",
        "instance-type": found.instance_type,
        "local-hostname": found.private_dns_name,
        "local-ipv4": address,
        "mac": nic.mac_address,
        "network": {
            "interfaces": {
                "macs": {
                    nic.mac_address: {
                        "device-number": "0",
                        "interface-id": nic.id,
                        "local-ipv4s": address,
                        "mac": nic.mac_address,
                        "owner-id": ACCOUNT,
                        "security-group-ids": "\n".join(group.id for group in found.security_groups),
                        "subnet-id": nic.subnet.id,
                        "vpc-id": nic.subnet.vpc_id,
                    }
                }
            }
        },
        "placement": {"availability-zone": zone, "region": region},
        "profile": "default-hvm",
        "reservation-id": next(
            (one.id for one in found.ec2_backend.reservations.values() if found in one.instances), ""
        ),
        "security-groups": "\n".join(group.name for group in found.security_groups),
        "services": {"domain": "amazonaws.com", "partition": "aws"},
    }
    if nic.public_ip:
        tree |= {"public-ipv4": nic.public_ip, "public-hostname": found.public_dns_name}
    if found.key_name:
        tree["public-keys"] = {"0": f"0={found.key_name}"}
    if found.iam_instance_profile:
        tree["iam"] = _iam(found, region, iam, runs, now)
    if found.metadata_options.instance_metadata_tags == "enabled":
        tree["tags"] = {"instance": {tag["key"]: tag["value"] for tag in found.get_tags()}}
    if reclaimed_at is not None:
        at = f"{datetime.fromtimestamp(reclaimed_at, UTC):%Y-%m-%dT%H:%M:%SZ}"
        tree["spot"] = {
            "instance-action": json.dumps({"action": "terminate", "time": at}),
            "termination-time": at,
        }
    return tree


def _iam(found: Any, region: str, iam: Any, runs: RunKeys | None, now: datetime) -> Tree:
    profile = next(
        (one for one in iam.instance_profiles.values() if one.arn == found.iam_instance_profile["Arn"]), None
    )
    updated = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    if profile is None or not profile.roles:
        return {"info": json.dumps({"Code": "InstanceProfileNotFound", "LastUpdated": updated})}
    role = profile.roles[0]
    info = {
        "Code": "Success",
        "LastUpdated": updated,
        "InstanceProfileArn": profile.arn,
        "InstanceProfileId": profile.id,
    }
    return {
        "info": json.dumps(info),
        "security-credentials": {role.name: json.dumps(_credentials(role, region, found.id, runs, now))},
    }


def _credentials(role: Any, region: str, instance_id: str, runs: RunKeys | None, now: datetime) -> Mapping[str, str]:
    updated = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    instance = f"arn:aws:ec2:{region}:{ACCOUNT}:instance/{instance_id}"
    policy = role.assume_role_policy_document
    if not trusts(json.loads(policy) if isinstance(policy, str) else policy, _SERVICE, instance):
        return {
            "Code": "AssumeRoleUnauthorizedAccess",
            "Message": f"EC2 cannot assume the role {role.name}. Please see documentation at "
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc.",
            "LastUpdated": updated,
        }
    if runs is None:
        return {"Code": "Failed", "LastUpdated": updated}
    key = runs.of_instance(role.arn, region, instance_id)
    return {
        "Code": "Success",
        "LastUpdated": updated,
        "Type": "AWS-HMAC",
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret,
        "Token": key.session_token or "",
        "Expiration": f"{now + LIFETIME:%Y-%m-%dT%H:%M:%SZ}",
    }


def _identity(found: Any, region: str) -> Mapping[str, Any]:
    return {
        "accountId": ACCOUNT,
        "architecture": found.architecture,
        "availabilityZone": found.availability_zone,
        "imageId": found.image_id,
        "instanceId": found.id,
        "instanceType": found.instance_type,
        "pendingTime": f"{found.launch_time:%Y-%m-%dT%H:%M:%SZ}",
        "privateIp": found.private_ip_address,
        "region": region,
        "version": "2017-09-30",
    }
