"""Execute a training plan. Sending the same plan twice makes one run."""

from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import AlreadyExists, Refused
from dashboard.core.runs import code
from dashboard.core.runs.launch_ec2 import launch_ec2
from dashboard.core.runs.plan import Plan

_NAMED = {
    "CreateTrainingJob": ("DescribeTrainingJob", "TrainingJobName", "TrainingJobArn"),
    "CreateHyperParameterTuningJob": (
        "DescribeHyperParameterTuningJob",
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
    ),
}
"""How to look at what an operation made: the operation, its parameter, and the member with the ARN."""


def launch(aws: Aws, plan: Plan) -> str:
    """Start the planned run and return its key ("dogs-1", "tuning:dogs-2", "ec2:dogs-3").

    A run of that name that carries this plan's order is this run: a double click, a second tab, or a retry after a
    lost answer. Raises Refused when a check says that it cannot work, AlreadyExists when the name belongs to another
    run, and the errors of `Aws.call`.
    """
    for check in plan.stops:
        raise Refused(check.sentence.rstrip("."), f"the check “{check.title}” says so", check.next_step.rstrip("."))
    code.upload(aws)
    if plan.spec.is_on_ec2:
        launch_ec2(aws, plan)
    else:
        _create(aws, plan)
    return plan.key


def _create(aws: Aws, plan: Plan) -> None:
    call = plan.calls[-1]
    try:
        aws.call("sagemaker", call.operation, **call.parameters)
    except AlreadyExists as there:
        describe, parameter, arn = _NAMED[call.operation]
        asked: dict[str, Any] = {parameter: plan.name}
        found = aws.call("sagemaker", describe, **asked)
        if tags.of_sagemaker(aws, found[arn]).get(tags.ORDER) != plan.order:
            raise taken(plan.name) from there


def taken(name: str) -> AlreadyExists:
    """The name belongs to another run."""
    return AlreadyExists(
        f"there is already a run named {name}",
        "names are unique in an account and region, also those of runs that have ended",
        "choose another name, or leave it empty to get one",
    )
