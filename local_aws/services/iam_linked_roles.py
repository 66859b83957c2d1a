"""Service-linked roles: made by the services that work in an account, each once."""

import json

from local_aws import ACCOUNT
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
    name, policy = POLICIES[service]
    with moto.using("iam") as backends:
        found = next((role.arn for role in backends[ACCOUNT]["aws"].roles.values() if role.name == name), None)
    if found is not None:
        return str(found)
    trust = {"Effect": "Allow", "Principal": {"Service": [service]}, "Action": ["sts:AssumeRole"]}
    with moto.using("iam", changes=True) as backends:
        iam = backends[ACCOUNT]["aws"]
        role = iam.create_role(
            name,
            json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
            f"/aws-service-role/{service}/",
            permissions_boundary=None,
            description="",
            tags=[],
            max_session_duration="3600",
            linked_service=service,
        )
        iam.attach_role_policy(f"arn:aws:iam::aws:policy/aws-service-role/{policy}", name)
        return str(role.arn)
