"""Look around in the account before a launch: everything that could make it fail, read at once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import AccessDenied, CredentialsProblem, KennelError, NotFound, Unreachable
from dashboard.core.iam.documents import listed
from dashboard.core.parallel import gather
from dashboard.core.runs import requests, requests_ec2
from dashboard.core.runs.checks_around import SERVICE
from dashboard.core.runs.instances import EC2_TRAINING
from dashboard.core.runs.permissions import permissions
from dashboard.core.runs.quota import Limits, quotas
from dashboard.core.runs.security_group import find_group, network_of
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.surroundings import Choice, Image, Role, Seen, SpotPrice, Surroundings
from dashboard.core.s3_address import parts

T = TypeVar("T")

_DLAMI = "/aws/service/deeplearning/ami/x86_64/oss-nvidia-driver-gpu-pytorch-{}/latest/ami-id"
IMAGES = tuple(_DLAMI.format(kind) for kind in ("2.10-ubuntu-24.04", "2.9-ubuntu-24.04", "2.8-ubuntu-24.04",
                                                "2.7-ubuntu-22.04"))  # fmt: skip
"""AWS's public parameters that name the newest PyTorch Deep Learning AMI, newest PyTorch first (DLAMI developer guide).
All of them have PyTorch at /opt/pytorch; regions get a new one at different times."""


def look(
    aws: Aws,
    spec: TrainingSpec,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    limits: Limits | None = None,
) -> Surroundings:
    """Read what this launch will meet: about ten reads at once, nothing is changed.

    `limits`: what `sagemaker_limits` gave a while ago; without it they are read too.
    A reading that is not allowed, or fails, is in the answer as unknown with its reason. Raises Unreachable and
    CredentialsProblem, which are about everything.
    """
    bucket, (data_bucket, data) = aws.account.bucket, parts(spec.dataset_uri)
    reads: dict[str, Callable[[], Any]] = {
        "bucket_region": partial(_seen, lambda: _region(aws, bucket)),
        "data_region": partial(_seen, lambda: _region(aws, data_bucket)),
        "data": partial(_seen, lambda: _has_data(aws, data_bucket, data)),
        "role": partial(_seen, lambda: _role(aws, spec)),
        "quotas": lambda: quotas(aws, spec, limits),
        "permissions": lambda: permissions(aws, spec),
        "subnets": partial(_seen, lambda: _subnets(aws)),
        "security_groups": partial(_seen, lambda: _groups(aws)),
    }
    if spec.is_on_ec2:
        reads |= {
            "image": partial(_seen, lambda: _image(aws)),
            "group": partial(_seen, lambda: _group(aws, spec)),
            "key_pairs": partial(_seen, lambda: _key_pairs(aws)),
            "spot_prices": partial(_seen, lambda: spot_prices(aws, (*EC2_TRAINING, spec.instance_type), now())),
        }
    return Surroundings(**dict(zip(reads, gather(lambda read: read(), reads.values()), strict=True)))


def spot_prices(aws: Aws, instance_types: Sequence[str], now: datetime) -> Mapping[str, SpotPrice]:
    """What spot instances of these types cost now, in the cheapest zone of each. Raises the errors of `Aws.call`."""
    found: dict[str, SpotPrice] = {}
    newest: dict[tuple[str, str], datetime] = {}
    prices: dict[tuple[str, str], Decimal] = {}
    for page in aws.pages(
        "ec2",
        "DescribeSpotPriceHistory",
        InstanceTypes=sorted(set(instance_types)),
        ProductDescriptions=["Linux/UNIX"],
        StartTime=now,
        EndTime=now,
    ):
        for one in page["SpotPriceHistory"]:
            where = (one["InstanceType"], one["AvailabilityZone"])
            if where not in newest or one["Timestamp"] > newest[where]:
                newest[where], prices[where] = one["Timestamp"], Decimal(one["SpotPrice"])
    for (kind, zone), amount in prices.items():
        if kind not in found or amount < found[kind].amount:
            found[kind] = SpotPrice(amount, zone, newest[kind, zone].date())
    return found


def _seen(read: Callable[[], T]) -> Seen[T]:
    try:
        return Seen(read())
    except (Unreachable, CredentialsProblem):
        raise
    except AccessDenied as error:
        return Seen(None, error.what, error.statement)
    except KennelError as error:
        return Seen(None, ": ".join(part for part in (error.what, error.why) if part))


def _region(aws: Aws, bucket: str) -> str:
    """The region of a bucket, "" when there is none of this name."""
    try:
        answer = aws.call("s3", "HeadBucket", Bucket=bucket)
    except NotFound:
        return ""
    if answer.get("BucketRegion"):
        return str(answer["BucketRegion"])
    told = aws.call("s3", "GetBucketLocation", Bucket=bucket).get("LocationConstraint")
    return str(told or "us-east-1")


def _has_data(aws: Aws, bucket: str, prefix: str) -> bool:
    try:
        return bool(aws.call("s3", "ListObjectsV2", Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"))
    except NotFound:
        return False


def _role(aws: Aws, spec: TrainingSpec) -> Role:
    name = requests_ec2.ROLE if spec.is_on_ec2 else requests.ROLE
    try:
        if spec.is_on_ec2:
            profile = aws.call("iam", "GetInstanceProfile", InstanceProfileName=name)["InstanceProfile"]
            if not profile["Roles"]:
                return Role(name, trusts=False, missing="role in the instance profile")
            trust = profile["Roles"][0].get("AssumeRolePolicyDocument")
        else:
            trust = aws.call("iam", "GetRole", RoleName=name)["Role"].get("AssumeRolePolicyDocument")
    except NotFound:
        return Role(name, trusts=False, missing="instance profile" if spec.is_on_ec2 else "role")
    return Role(name, trusts(trust or {}, SERVICE[spec.is_on_ec2]))


def trusts(document: Mapping[str, Any], service: str) -> bool:
    """Whether a trust policy lets a service act as the role; conditions are taken to fit."""

    def says(statement: Mapping[str, Any], effect: str) -> bool:
        principal = statement.get("Principal", {})
        who = listed(principal.get("Service", [])) if isinstance(principal, Mapping) else [principal]
        does = [str(action).lower() for action in listed(statement.get("Action", []))]
        return (
            statement.get("Effect") == effect
            and (service in who or "*" in who)
            and bool({"sts:assumerole", "sts:*", "*"} & set(does))
        )

    statements = listed(document.get("Statement", []))
    return any(says(one, "Allow") for one in statements) and not any(
        says(one, "Deny") and not one.get("Condition") for one in statements
    )


def _image(aws: Aws) -> Image:
    found = aws.call("ssm", "GetParameters", Names=list(IMAGES))
    ids = {one["Name"]: one["Value"] for one in found["Parameters"]}
    chosen = next((ids[name] for name in IMAGES if name in ids), None)
    if chosen is None:
        raise NotFound(f"AWS names no PyTorch Deep Learning AMI in {aws.account.region}")
    described = aws.call("ec2", "DescribeImages", ImageIds=[chosen])["Images"]
    if not described:
        raise NotFound(f"the image {chosen} is not in {aws.account.region}")
    image = described[0]
    root = image.get("RootDeviceName", "/dev/sda1")
    disks = [one["Ebs"] for one in image.get("BlockDeviceMappings", []) if one["DeviceName"] == root and "Ebs" in one]
    return Image(chosen, image.get("Name", ""), root, int(disks[0].get("VolumeSize", 0)) if disks else 0)


def _group(aws: Aws, spec: TrainingSpec) -> str:
    found = find_group(aws, spec, network_of(aws, spec))
    return str(found["GroupId"]) if found else ""


def _subnets(aws: Aws) -> tuple[Choice, ...]:
    found = [one for page in aws.pages("ec2", "DescribeSubnets") for one in page["Subnets"]]
    rows = [
        Choice(
            one["SubnetId"],
            _named(one, one["SubnetId"], f"{one['AvailabilityZone']}, {one['CidrBlock']}"),
            one["VpcId"],
            bool(one.get("MapPublicIpOnLaunch", True)),
        )
        for one in found
    ]
    return tuple(sorted(rows, key=lambda row: row.text))


def _groups(aws: Aws) -> tuple[Choice, ...]:
    found = [one for page in aws.pages("ec2", "DescribeSecurityGroups") for one in page["SecurityGroups"]]
    rows = [Choice(one["GroupId"], f"{one['GroupName']} · {one['GroupId']}", one.get("VpcId", "")) for one in found]
    return tuple(sorted(rows, key=lambda row: row.text))


def _key_pairs(aws: Aws) -> tuple[Choice, ...]:
    found = aws.call("ec2", "DescribeKeyPairs")["KeyPairs"]
    return tuple(sorted((Choice(one["KeyName"], one["KeyName"]) for one in found), key=lambda row: row.text))


def _named(thing: Mapping[str, Any], other: str, more: str) -> str:
    name = tags.as_dict(thing.get("Tags", [])).get("Name", "")
    return f"{name or other} · {more}"
