"""What is wrong with the network, the encryption key or the SSH access that a person asks for."""

import ipaddress
import re
from collections.abc import Iterator

from dashboard.core.errors import InvalidInput
from dashboard.core.runs.spec import TrainingSpec

IDENTIFIER = re.compile(r"[-0-9a-zA-Z]{1,32}")  # SageMaker's own pattern for a subnet and a security group
KMS_KEY = re.compile(r"[a-zA-Z0-9:/_-]{0,2048}")  # SageMaker's own pattern for KmsKeyId
MOST_SUBNETS = 16  # of SageMaker's VpcConfig, as the next
MOST_GROUPS = 5


def network_problems(spec: TrainingSpec) -> Iterator[InvalidInput]:
    """What is wrong with the subnets, security groups, encryption key and SSH of a spec."""
    if bool(spec.subnets) != bool(spec.security_groups) and not spec.is_on_ec2:
        missing = "security_groups" if spec.subnets else "subnets"
        yield InvalidInput(
            "a network needs subnets and security groups",
            f"no {missing.replace('_', ' ')} were chosen",
            "choose both, or neither",
            field=missing,
        )
    if spec.is_on_ec2 and len(spec.subnets) > 1:
        yield InvalidInput("an EC2 instance is in one subnet", f"{len(spec.subnets)} were chosen", "keep one",
                           field="subnets")  # fmt: skip
    for field, called, most in (
        ("subnets", "subnet", MOST_SUBNETS),
        ("security_groups", "security group", MOST_GROUPS),
    ):
        chosen = getattr(spec, field)
        for odd in [one for one in chosen if not IDENTIFIER.fullmatch(one)][:1]:
            yield InvalidInput(f"that is no {called}", f'it is "{odd[:80]}"', "choose one from the list", field=field)
        if len(chosen) > most:
            yield InvalidInput(f"at most {most} {called}s fit one training", f"{len(chosen)} were chosen", "drop some",
                               field=field)  # fmt: skip
    if not KMS_KEY.fullmatch(spec.kms_key):
        yield InvalidInput(
            "the key must be an id, an alias or an ARN of AWS KMS, like alias/dogs",
            f'it is "{spec.kms_key[:80]}"',
            "correct it, or leave it empty",
            field="kms_key",
        )
    if spec.ssh_address:
        yield from _ssh(spec)
    elif spec.key_name and not spec.is_on_ec2:
        yield InvalidInput(
            "a key pair is for EC2 only", "SageMaker's instances have no SSH", "drop it", field="key_name"
        )


def _ssh(spec: TrainingSpec) -> Iterator[InvalidInput]:
    if not spec.is_on_ec2:
        yield InvalidInput("SSH is for EC2 only", "SageMaker's instances have none", "drop the address",
                           field="ssh_address")  # fmt: skip
        return
    if not _is_address(spec.ssh_address):
        yield InvalidInput(
            "SSH is opened to one address, like 203.0.113.7",
            f'it is "{spec.ssh_address}"',
            "give the address of your own machine as the internet sees it",
            field="ssh_address",
        )
    if not spec.key_name:
        yield InvalidInput(
            "SSH needs a key pair", "without one nobody can sign in", "choose a key pair, or drop the address",
            field="key_name",
        )  # fmt: skip


def _is_address(text: str) -> bool:
    """Of one machine. Python also takes IPv6 with a zone of this machine, "fe80::1%eth0", which may be any text."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text
