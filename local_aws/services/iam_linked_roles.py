"""Service-linked roles: made by the services that work in an account, each once, or by who asks IAM for one."""

import json
from typing import Any

from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto

POLICIES = {
    "sagemaker.application-autoscaling.amazonaws.com": (
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "AWSApplicationAutoscalingSageMakerEndpointPolicy",
    ),
    "lambda.application-autoscaling.amazonaws.com": (
        "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency",
        "AWSApplicationAutoscalingLambdaConcurrencyPolicy",
    ),
}
"""By the service that assumes it: the role's name and the policy that AWS gives it."""


def linked_role(moto: Moto, service: str) -> str:
    """The ARN of a service's role, which is made if it is not there. service: one of POLICIES."""
    with moto.using("iam") as backends:
        found = _found(backends, POLICIES[service][0])
    return str(found.arn) if found is not None else str(make(moto, service)["Arn"])


def make(moto: Moto, service: str, description: str = "") -> dict[str, Any]:
    """The role of one of POLICIES as CreateServiceLinkedRole tells it.

    Raises ServiceError InvalidInput when it is there already.
    """
    name, policy = POLICIES[service]
    trust = {"Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sts:AssumeRole"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    with moto.using("iam", changes=True) as backends:
        if _found(backends, name) is not None:
            raise ServiceError(
                "InvalidInput",
                f"Service role name {name} has been taken in this account, please try a different suffix.",
            )
        iam = backends[ACCOUNT]["aws"]
        role = iam.create_role(
            name,
            document,
            f"/aws-service-role/{service}/",
            permissions_boundary=None,
            description=description,
            tags=[],
            max_session_duration="3600",
            linked_service=service,
        )
        iam.attach_role_policy(f"arn:aws:iam::aws:policy/aws-service-role/{policy}", name)
        return {
            "Path": role.path,
            "RoleName": name,
            "RoleId": role.id,
            "Arn": role.arn,
            "CreateDate": role.create_date,
            "AssumeRolePolicyDocument": document,
        }


def _found(backends: Any, name: str) -> Any:
    """moto's role of a name, None without."""
    return next((role for role in backends[ACCOUNT]["aws"].roles.values() if role.name == name), None)
