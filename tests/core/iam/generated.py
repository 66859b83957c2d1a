"""Roles as IAM tells of them, with AWS's own managed policies, and what the sample account's shared role works on."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from dashboard.core.iam.entities import Role, parse
from dashboard.core.iam.least.resources import Folder, Resources
from dashboard.core.iam.rights import Where
from dashboard.core.iam.seen.served import Served
from dashboard.core.iam.usage import Duty, Use

ACCOUNT, REGION = "123456789012", "us-east-1"
WHERE = Where(ACCOUNT, REGION)
BUCKET = f"kennel-{ACCOUNT}-{REGION}"
HERE = f"{REGION}:{ACCOUNT}"
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8.0-cpu-py312"
ENDPOINT = f"arn:aws:sagemaker:{HERE}:endpoint/dog-breeds"
FULL = ("AmazonSageMakerFullAccess", "AmazonS3FullAccess")
JOB = Use(Duty.TRAINING, "dogs-5d20e9f1", f"arn:aws:sagemaker:{HERE}:training-job/dogs-5d20e9f1")
MODEL = Use(Duty.ENDPOINT, "dogs-model", f"arn:aws:sagemaker:{HERE}:model/dogs-model")
FUNCTION = Use(Duty.FUNCTION, "dog-infer", f"arn:aws:lambda:{HERE}:function:dog-infer")
INSTANCE = Use(Duty.INSTANCE, "i-0123456789abcdef0", f"arn:aws:ec2:{HERE}:instance/i-0123456789abcdef0")
NOTEBOOK = Use(Duty.NOTEBOOK, "dogs", f"arn:aws:sagemaker:{HERE}:notebook-instance/dogs")

TRAINING_ON = Resources(
    reads=(Folder(BUCKET, "datasets/dogs/"), Folder(BUCKET, "code/")),
    writes=(Folder(BUCKET, "runs/"),),
    kept=(Folder(BUCKET, "checkpoints/"),),
    images=(IMAGE,),
)
WORK: Mapping[Duty, Resources] = {
    Duty.TRAINING: TRAINING_ON,
    Duty.ENDPOINT: Resources(reads=(Folder(BUCKET, "runs/"), Folder(BUCKET, "models/")), images=(IMAGE,)),
    Duty.FUNCTION: Resources(endpoints=(ENDPOINT,), groups=("/aws/lambda/dog-infer",)),
    Duty.INSTANCE: Resources(
        reads=(Folder(BUCKET, "ec2-runs/"), Folder(BUCKET, "datasets/dogs/"), Folder(BUCKET, "code/")),
        writes=(Folder(BUCKET, "ec2-runs/"),),
        groups=("/kennel/ec2-runs",),
        namespaces=("Kennel/EC2Training",),
        managed=True,
    ),
    Duty.NOTEBOOK: Resources(
        reads=(Folder(BUCKET, "datasets/dogs/"),),
        writes=(Folder(BUCKET, "datasets/dogs/"),),
        jobs=("dogs-*",),
        roles=(f"arn:aws:iam::{ACCOUNT}:role/DogProject",),
    ),
}
SERVED = Served(WORK)


@cache
def aws_managed(name: str) -> dict[str, Any]:
    """A managed policy's document, as AWS publishes it."""
    found: dict[str, Any] = json.loads(aws_managed_policies_data)[name]["Document"]
    return found


def role(
    name: str = "DogProject",
    managed: Sequence[str] = (),
    inline: Sequence[Mapping[str, Any]] = (),
    trust: Mapping[str, Any] | None = None,
) -> Role:
    return parse(details(name, managed, inline, trust))[0]


def details(
    name: str,
    managed: Sequence[str] = (),
    inline: Sequence[Mapping[str, Any]] = (),
    trust: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """GetAccountAuthorizationDetails' answer for one role."""
    arns = {one: f"arn:aws:iam::aws:policy/{one}" for one in managed}
    return {
        "RoleDetailList": [
            {
                "RoleName": name,
                "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
                "Path": "/",
                "RoleLastUsed": {"LastUsedDate": datetime.now(UTC)},
                "AssumeRolePolicyDocument": trust or {"Version": "2012-10-17", "Statement": []},
                "AttachedManagedPolicies": [{"PolicyName": one, "PolicyArn": arn} for one, arn in arns.items()],
                "RolePolicyList": [
                    {"PolicyName": f"inline-{number}", "PolicyDocument": one} for number, one in enumerate(inline)
                ],
            }
        ],
        "Policies": [
            {
                "PolicyName": one,
                "Arn": arn,
                "PolicyVersionList": [{"IsDefaultVersion": True, "Document": aws_managed(one)}],
            }
            for one, arn in arns.items()
        ],
    }


def allow(actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources, **more}],
    }
