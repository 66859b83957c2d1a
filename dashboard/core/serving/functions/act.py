"""Carry out a plan for a function: look once more, then send its requests, each of them idempotent.

Lambda takes one change of a function at a time and answers ResourceConflictException meanwhile; so each change is
waited for before the next one is sent.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.calls import Call
from dashboard.core.errors import AlreadyExists, InvalidInput, NotFound, Refused, ServiceFault
from dashboard.core.serving.functions.functions import Details, get_function, read
from dashboard.core.serving.functions.model import Function, FunctionState
from dashboard.core.serving.functions.plan import PUBLISHED, About, Plan, standing

ROLE_SECONDS = 30.0
"""A role that was just made may not be known everywhere at once: so long CreateFunction is tried again."""
CHANGE_SECONDS = 120.0
"""The longest that a change of a function is waited for; joining a VPC takes the longest, some 90 s."""
PAUSE = 0.2
_TAKES_TIME = ("CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration")
_REMOVES = ("Delete", "Deregister", "Remove")
_KEPT = ("CreateRole", "CreateLogGroup", "CreateAlias", "AddPermission", "CreateFunctionUrlConfig")
"""What an earlier click, or another function of the name, may have made already."""


def act(aws: Aws, plan: Plan, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """Do what the plan says, and say so. Sent again, it completes what was left out and makes nothing twice.

    Raises Refused when the function is not any more as it was planned for, AlreadyExists when a new one's name belongs
    to another, and the errors of `Aws.call`.
    """
    if not _check(aws, plan):
        return plan.said
    published = ""
    made_role = any(call.operation == "CreateRole" for call in plan.calls)
    for call in plan.calls:
        filled = {name: published if value == PUBLISHED else value for name, value in call.parameters.items()}
        answer = _send(aws, call, filled, plan, ROLE_SECONDS if made_role else 0.0, sleep)
        if call.operation in ("PublishVersion", "CreateFunction"):
            published = str(answer.get("Version", ""))
        if call.operation in _TAKES_TIME:
            settled(aws, plan.function, sleep=sleep)
    return plan.said


def settled(aws: Aws, name: str, *, sleep: Callable[[float], None] = time.sleep) -> Function:
    """The function once Lambda has made or changed it. Raises ServiceFault when that failed or takes too long."""
    left = CHANGE_SECONDS
    while True:
        one = get_function(aws, name)
        if one.state in (FunctionState.FAILED, FunctionState.UPDATE_FAILED):
            raise ServiceFault(f"Lambda could not change {name}", one.problem or "it gave no reason", "mend that first")
        if not one.state.is_changing:
            return one
        if left <= 0:
            raise ServiceFault(
                f"the function {name} is still {one.state.word}",
                f"it was waited for {CHANGE_SECONDS:.0f} s",
                "do it again later",
            )
        sleep(PAUSE)
        left -= PAUSE


def _check(aws: Aws, plan: Plan) -> bool:
    """Whether there is something to do. Raises Refused when the function has changed since."""
    if plan.about is About.NEW:
        with suppress(NotFound):  # another one of this name: its role has this name too, and must keep its rights
            _require_ours(get_function(aws, plan.function), plan)
        return True
    try:
        details = read(aws, plan.function)
    except NotFound:
        if plan.about is About.ALL:
            return True  # what belongs to it may be there still
        raise
    if plan.about is About.ALL:
        if details.function.is_kennels or details.function.is_sample:
            return True
        raise Refused(f"Kennel does not delete {plan.function}", "it did not make it", "delete it where it was made")
    if plan.about is About.INVOKERS and _is_in(details, plan):
        return False
    found = standing(details, plan.about, plan.calls)
    if found not in (plan.before, plan.after):
        raise Refused(
            f"the function {plan.function} has changed since this was planned",
            f"somebody else changed {plan.about}",
            "close this and look again",
        )
    return True


def _require_ours(one: Function, plan: Plan) -> None:
    """Raises AlreadyExists for a function that an earlier click of this plan did not make."""
    if one.tags.get(tags.ORDER) != plan.order:
        raise AlreadyExists(
            f"there is already a function named {plan.function}",
            "names are unique in an account and region",
            "choose another name, or change that function instead",
        )


def _is_in(details: Details, plan: Plan) -> bool:
    """Whether the URL and the statements that a plan makes or removes are as it wants them: an earlier click did it."""
    there = {one.sid for one in details.policy}
    named = {
        operation: {call.parameters.get("StatementId", "") for call in plan.calls if call.operation == operation}
        for operation in ("AddPermission", "RemovePermission", "CreateFunctionUrlConfig", "DeleteFunctionUrlConfig")
    }
    has_url = details.url is not None
    is_url = not named["DeleteFunctionUrlConfig"] if has_url else not named["CreateFunctionUrlConfig"]
    return named["AddPermission"] <= there and not named["RemovePermission"] & there and is_url


def _send(
    aws: Aws,
    call: Call,
    parameters: Mapping[str, Any],
    plan: Plan,
    patience: float,
    sleep: Callable[[float], None],
) -> Mapping[str, Any]:
    left = patience
    while True:
        try:
            return aws.call(call.service, call.operation, **parameters)
        except NotFound:
            if call.operation.startswith(_REMOVES):
                return {}  # it is gone already
            raise
        except AlreadyExists as taken:
            return _taken(aws, call, parameters, plan, taken)
        except InvalidInput as wrong:
            is_new_role = call.operation == "CreateFunction" and "role" in str(wrong) and "assume" in str(wrong)
            if left <= 0 or not is_new_role:
                raise
            sleep(1.0)
            left -= 1.0


def _taken(aws: Aws, call: Call, parameters: Mapping[str, Any], plan: Plan, taken: AlreadyExists) -> Mapping[str, Any]:
    """What is there already counts as made where it is this plan's own, or says the same whoever made it."""
    if call.operation == "CreateFunction":
        _require_ours(get_function(aws, plan.function), plan)
        return {"Version": "1"}
    if call.operation == "CreateRole":
        if not tags.is_own_role(aws, parameters["RoleName"]):
            raise AlreadyExists(
                f"there is already a role named {parameters['RoleName']}",
                f"Kennel did not make it for a function in {aws.account.region}, and does not change its rights",
                "choose another name for the function, or delete that role first",
            ) from taken
        return {}
    if call.operation == "CreateAlias":
        return aws.call("lambda", "UpdateAlias", **parameters)
    if call.operation in _KEPT:
        return {}
    raise taken
