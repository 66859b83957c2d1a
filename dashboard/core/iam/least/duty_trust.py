"""Who may act as a role of one duty: the one service that has to, for this account's own resources. Pure.

SageMaker says on whose behalf it acts, so that another account cannot have it act as the role (the "confused deputy");
Lambda and EC2 send no source along, and none can be asked of them. Endpoints and notebooks are assumed for several
kinds of resources, so that theirs cannot be narrower than the account's (SageMaker Developer Guide, "Cross-service
confused deputy prevention").
"""

from typing import Any

from dashboard.core.iam.documents import CURRENT
from dashboard.core.iam.rights import Where
from dashboard.core.iam.usage import Duty

_JOBS = ("training-job/*", "hyper-parameter-tuning-job/*")
_KINDS = {Duty.TRAINING: _JOBS, Duty.ENDPOINT: ("*",), Duty.NOTEBOOK: ("*",)}


def trust(duty: Duty, where: Where) -> dict[str, Any]:
    """The trust policy of a role of this duty."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": duty.service},
        "Action": "sts:AssumeRole",
    }
    kinds = _KINDS.get(duty)
    if kinds:
        here = f"arn:{where.partition}:sagemaker:{where.region}:{where.account}"
        arns = [f"{here}:{kind}" for kind in kinds]
        statement["Condition"] = {
            "StringEquals": {"aws:SourceAccount": where.account},
            "ArnLike": {"aws:SourceArn": arns[0] if len(arns) == 1 else arns},
        }
    return {"Version": CURRENT, "Statement": [statement]}
