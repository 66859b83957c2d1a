"""Carry a plan for a notebook instance out: it is looked at once more, then its requests are sent, each idempotent."""

import time
from collections.abc import Callable

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.calls import Call
from dashboard.core.errors import AlreadyExists, InvalidInput, NotFound, Refused
from dashboard.core.notebooks import changing, role
from dashboard.core.notebooks.model import NotebookStatus
from dashboard.core.notebooks.plan import Deed, Plan

ROLE_SECONDS = 30.0
"""A role that was just made may not be known everywhere at once: so long CreateNotebookInstance is tried again."""
GONE_SECONDS = 180.0
"""How long a deletion is waited for, after which its role can go."""
PAUSE = 1.0
_NEW_ROLE = ("cannot act as the role", "the role exists")
"""What SageMaker says of a role that it does not know yet."""
_DONE = {
    Deed.START: (NotebookStatus.PENDING, NotebookStatus.IN_SERVICE),
    Deed.STOP: (NotebookStatus.STOPPING, NotebookStatus.STOPPED),
    Deed.DELETE: (NotebookStatus.DELETING,),
}
"""The statuses in which what was asked for has been done, by an earlier click; a change is seen in what it changed."""


def act(aws: Aws, plan: Plan, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """Do what the plan says, and say so. Sent again, it completes what was left out and makes nothing twice.

    Raises Refused when the instance is not any more as it was planned for, AlreadyExists when a new one's name belongs
    to another, and the errors of `Aws.call`.
    """
    if plan.deed is Deed.CREATE and _is_made(aws, plan):  # its instance is made last: nothing is left to do
        return plan.said
    skips = plan.deed is not Deed.CREATE and _is_done(aws, plan)
    for call in plan.calls:
        if call.service == "sagemaker" and skips:
            pass
        elif call.operation == "CreateNotebookInstance":
            _create(aws, call, plan, sleep)
        else:
            _send(aws, call)
        if call.operation == "DeleteNotebookInstance" and len(plan.calls) > 1 and not _gone(aws, plan.notebook, sleep):
            return f"{plan.notebook} is being deleted; its role {role.name_of(plan.notebook)} stays, and is free"
    return plan.said


def _is_done(aws: Aws, plan: Plan) -> bool:
    """Whether the instance is as the plan wants it. Raises Refused for another one, or one in another status."""
    try:
        told = aws.call("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=plan.notebook)
    except NotFound:
        if plan.deed is Deed.DELETE:
            return True
        raise
    status = NotebookStatus(told["NotebookInstanceStatus"])
    if told["CreationTime"] != plan.created:
        raise _changed(plan, "another one has its name since")
    if plan.deed is Deed.CHANGE and changing.is_as_wanted(told, plan):
        return True
    if status in _DONE.get(plan.deed, ()):
        return True
    if status is not plan.status:
        raise _changed(plan, f"it is {status.word} now")
    return False


def _changed(plan: Plan, why: str) -> Refused:
    return Refused(f"{plan.notebook} has changed since this was planned", why, "close this and look again")


def _is_made(aws: Aws, plan: Plan) -> bool:
    """Whether an earlier click made the instance. Raises AlreadyExists for another one of this name: its role has this
    name too, and must keep its rights."""
    try:
        told = aws.call("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=plan.notebook)
    except NotFound:
        return False
    if tags.of_sagemaker(aws, told["NotebookInstanceArn"]).get(tags.ORDER) == plan.order:
        return True
    raise AlreadyExists(
        f"there is already a notebook instance named {plan.notebook}",
        "names are unique in an account and region",
        "choose another name",
    )


def _create(aws: Aws, call: Call, plan: Plan, sleep: Callable[[float], None]) -> None:
    left = ROLE_SECONDS
    while True:
        try:
            aws.call(call.service, call.operation, **call.parameters)
            return
        except AlreadyExists:
            if _is_made(aws, plan):
                return
            raise
        except (Refused, InvalidInput) as wrong:
            if left <= 0 or not any(words in str(wrong) for words in _NEW_ROLE):
                raise
        sleep(PAUSE)
        left -= PAUSE


def _send(aws: Aws, call: Call) -> None:
    try:
        aws.call(call.service, call.operation, **call.parameters)
    except AlreadyExists as taken:
        if call.operation == "CreateRole" and not tags.is_own_role(aws, str(call.parameters["RoleName"])):
            raise AlreadyExists(
                f"there is already a role named {call.parameters['RoleName']}",
                f"Kennel did not make it for a notebook in {aws.account.region}, and does not change its rights",
                "choose another name for the notebook, or delete that role first",
            ) from taken
        if call.operation not in ("CreateRole", "CreateNotebookInstanceLifecycleConfig"):
            raise
    except NotFound:
        if not call.operation.startswith("Delete"):
            raise  # what is to go is gone


def _gone(aws: Aws, name: str, sleep: Callable[[float], None]) -> bool:
    """Whether the instance is gone, after waiting for it."""
    left = GONE_SECONDS
    while left > 0:
        try:
            aws.call("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=name)
        except NotFound:
            return True
        sleep(PAUSE)
        left -= PAUSE
    return False
