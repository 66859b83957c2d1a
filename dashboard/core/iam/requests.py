"""Which rights a request needs: the actions, each with its resource and with what the request says of condition keys.

By the Service Authorization Reference and each service's own guide; `needs/` has one table a service.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from dashboard.core.iam.needs import (
    cloudformation,
    ec2,
    functions,
    iam,
    metrics,
    money,
    s3,
    sagemaker,
    scaling,
    systems,
)
from dashboard.core.iam.needs.request import Lookup, Needs, Request, Unasked
from dashboard.core.iam.rights import Right, Where

__all__ = ["Lookup", "Unasked", "UnknownRequest", "known_operations", "known_services", "rights_of"]

_DATED = re.compile(r"\d{4}_?\d{2}_?\d{2}(v\d+)?$")  # as CloudTrail writes Lambda's: CreateFunction20150331


class UnknownRequest(LookupError):  # noqa: N818 (it says what is wrong)
    """No table says what this operation needs."""


def rights_of(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    where: Where,
    lookup: Lookup | None = None,
) -> tuple[Right, ...]:
    """What a request needs; () for one that is open to everybody who is signed in.

    service: botocore's name ("sagemaker-runtime"). operation: its name there ("ListObjectsV2"), or as CloudTrail writes
    it. parameters: as boto3 takes them; what is left out of them that a resource is named by stands as "*" in its ARN.
    lookup: knows what requests do not say: paths of roles, and which role is in an instance profile. Raises
    UnknownRequest.
    """
    needs = _tables().get(service)
    name = _DATED.sub("", operation) if service == "lambda" else operation
    found = needs.rights(Request(name, parameters, where, lookup or Unasked())) if needs else None
    if found is None:
        raise UnknownRequest(f"Which rights {service} {operation} needs is not known")
    return found


def known_services() -> frozenset[str]:
    """The services (botocore's names) of which `rights_of` knows operations."""
    return frozenset(_tables())


def known_operations(service: str) -> frozenset[str]:
    """The operations of a service (botocore's name) that `rights_of` knows."""
    needs = _tables().get(service)
    return needs.operations if needs else frozenset()


@cache
def _tables() -> Mapping[str, Needs]:
    return {
        "application-autoscaling": scaling.AUTO_SCALING,
        "budgets": money.BUDGETS,
        "ce": money.COST_EXPLORER,
        "cloudformation": cloudformation.CLOUDFORMATION,
        "cloudtrail": systems.CLOUDTRAIL,
        "cloudwatch": metrics.CLOUDWATCH,
        "ec2": ec2.EC2,
        "ecr": systems.ECR,
        "iam": iam.IAM,
        "kms": systems.KMS,
        "lambda": functions.LAMBDA,
        "logs": metrics.LOGS,
        "pricing": money.PRICING,
        "s3": s3.S3,
        "sagemaker": sagemaker.SAGEMAKER,
        "sagemaker-runtime": sagemaker.RUNTIME,
        "scheduler": scaling.SCHEDULER,
        "service-quotas": scaling.QUOTAS,
        "sns": systems.SNS,
        "ssm": systems.SSM,
        "sts": iam.STS,
    }
