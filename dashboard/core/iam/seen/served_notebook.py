"""What a notebook instance names, and what it starts when it has the role of the trainings too."""

from collections.abc import Iterable

from dashboard.core.aws import Aws
from dashboard.core.iam.least.resources import Folder, Resources, family
from dashboard.core.iam.seen.served_training import key_arn
from dashboard.core.iam.usage import Use
from dashboard.core.notebooks import lifecycle


def look(aws: Aws, use: Use, role_arn: str) -> Resources:
    """Raises the errors of `Aws.call`."""
    told = aws.call("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=use.name)
    key, subnet = told.get("KmsKeyId"), told.get("SubnetId")
    stops = lifecycle.stops(str(told.get("NotebookInstanceLifecycleConfigName", "")))
    return Resources(
        keys=(key_arn(key, aws.account),) if key else (),
        notebooks=(told["NotebookInstanceArn"],) if stops else (),
        subnets=(subnet,) if subnet else (),
        security_groups=tuple(told.get("SecurityGroups", ())),
    )


def starts(trainings: Resources, jobs: Iterable[str], role_arn: str) -> Resources:
    """What a person in the notebook needs to start those trainings again. Pure.

    trainings: what they work on. jobs: their names. role_arn: the role that they are given.
    """
    folders: tuple[Folder, ...] = tuple(dict.fromkeys((*trainings.reads, *trainings.writes, *trainings.kept)))
    return Resources(
        reads=folders,
        writes=folders,
        jobs=tuple(dict.fromkeys(f"{family(name)}*" for name in jobs)),
        roles=(role_arn,),
    )
