"""Carry a plan out: what it is about is looked at once more, then the requests are sent, each of them idempotent."""

import time
from collections.abc import Callable
from datetime import datetime

from dashboard.core.aws import Aws
from dashboard.core.costs.waste import standing as waste_standing
from dashboard.core.costs.waste import sweep_artifacts
from dashboard.core.costs.waste.plan import Call, Plan
from dashboard.core.costs.waste.waste import Act, Thing
from dashboard.core.errors import AlreadyExists, InvalidInput, NotFound, Refused
from dashboard.core.runs.delete import delete_objects

ROLE_SECONDS = 30.0
"""A role that was just made may not be known everywhere at once: so long CreateSchedule is tried again."""
ROLE_PAUSE = 2.0


def act(aws: Aws, plan: Plan, *, sleep: Callable[[float], None] = time.sleep) -> str:
    """Do what the plan says, and say so. What is done already, by an earlier click, counts as done.

    Raises Refused when the thing is not any more as it was planned for, and the errors of `Aws.call`.
    """
    if _is_done(aws, plan):
        return plan.said
    if plan.finding.thing is Thing.FILES:
        _delete_files(aws, plan)
        return plan.said
    made_role = any(call.operation == "CreateRole" for call in plan.calls)
    for call in plan.calls:
        patience = ROLE_SECONDS if made_role and call.service == "scheduler" else 0.0
        _send(aws, call, patience, sleep)
    return plan.said


def _is_done(aws: Aws, plan: Plan) -> bool:
    """Whether nothing is left to do. Raises Refused when the thing is another one, or in another state."""
    found = waste_standing.read(aws, plan.finding)
    if found is None:
        if plan.act in (Act.DELETE, Act.STOP):
            return True
        raise Refused(f"the {plan.finding.thing} {plan.finding.name} is gone", "somebody deleted it", "close this")
    if found.identity != plan.standing.identity:
        raise _changed(plan, "another one has its name since")
    if plan.act in (Act.SCHEDULE, Act.UNSCHEDULE, Act.KEEP) or found.state == plan.standing.state:
        return False
    if plan.act is Act.SHRINK and found.state == str(plan.finding.wanted):
        return True
    if plan.act is Act.STOP and found.state.lower() in ("stopping", "stopped"):
        return True
    raise _changed(plan, f"it was {plan.standing.state}, it is {found.state}")


def _changed(plan: Plan, why: str) -> Refused:
    return Refused(f"{plan.finding.name} has changed since this was planned", why, "close this and look again")


def _send(aws: Aws, call: Call, patience: float, sleep: Callable[[float], None]) -> None:
    left = patience
    while True:
        try:
            aws.call(call.service, call.operation, **call.parameters)
        except AlreadyExists:
            if call.operation == "CreateSchedule":  # made by the same click, sent twice: what was asked last counts
                aws.call("scheduler", "UpdateSchedule", **call.parameters)
            elif call.operation != "CreateRole":
                raise
        except NotFound:
            if call.operation == "UpdateSchedule":  # it was cancelled, or has fired for another one of this name
                aws.call("scheduler", "CreateSchedule", **call.parameters)
            elif not call.operation.startswith(("Delete", "Release", "Terminate")):
                raise
        except InvalidInput as wrong:
            if left <= 0 or "assume the role" not in str(wrong):
                raise
            sleep(ROLE_PAUSE)
            left -= ROLE_PAUSE
            continue
        return


def _delete_files(aws: Aws, plan: Plan) -> None:
    before = datetime.fromisoformat(plan.finding.details["before"])
    still = {one.prefix for one in sweep_artifacts.unused(aws, plan.finding.name, before)}
    for folder in plan.folders:
        if folder in still:  # else something new lies in it, a model uses it, or it is gone
            delete_objects(aws, f"s3://{aws.account.bucket}/{folder}")
