"""Execute a training plan. Sending the same plan twice makes one run."""

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import AlreadyExists
from dashboard.core.runs.plan import Plan


def launch(aws: Aws, plan: Plan) -> str:
    """Start the planned run and return its name.

    A run of that name that carries this plan's order is this run: a double click, a second tab, or a retry after a
    lost answer. Raises AlreadyExists when the name belongs to another run, and the errors of `Aws.call`.
    """
    try:
        aws.call("sagemaker", "CreateTrainingJob", **plan.request)
    except AlreadyExists as taken:
        there = aws.call("sagemaker", "DescribeTrainingJob", TrainingJobName=plan.name)
        if tags.of_sagemaker(aws, there["TrainingJobArn"]).get(tags.ORDER) != plan.order:
            raise AlreadyExists(
                f"there is already a run named {plan.name}",
                "names are unique in an account and region, also those of runs that have ended",
                "choose another name, or leave it empty to get one",
            ) from taken
    return plan.name
