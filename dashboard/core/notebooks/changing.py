"""Change a stopped notebook instance: its size, its volume, and after how long without work it stops itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call
from dashboard.core.costs import quote
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.errors import AccessDenied, InvalidInput, NotFound
from dashboard.core.notebooks import lifecycle, role
from dashboard.core.notebooks.model import Notebook
from dashboard.core.notebooks.plan import Deed, Plan, cannot, ours
from dashboard.core.notebooks.wanted import VOLUMES


@dataclass(frozen=True)
class Change:
    """How it is to be from then on. idle_minutes: 0 never stops it; None leaves what stops it as it is."""

    instance_type: str
    volume_gb: int
    idle_minutes: int | None


def as_is(one: Notebook) -> Change:
    """The change that changes nothing. A script that is not Kennel's is left as it is."""
    stops = lifecycle.stops(one.lifecycle)
    return Change(one.instance_type, one.volume_gb, stops if stops is not None or one.lifecycle else 0)


def granted(aws: Aws, one: Notebook) -> dict[str, Any] | None:
    """The policy of the role that Kennel made for it; None where it has another role, or that may not be read."""
    if one.role_name != role.name_of(one.name) or not tags.is_own_role(aws, one.role_name):
        return None
    try:
        told = aws.call("iam", "GetRolePolicy", RoleName=one.role_name, PolicyName=role.POLICY)["PolicyDocument"]
    except (NotFound, AccessDenied):
        return None
    found: dict[str, Any] = json.loads(told) if isinstance(told, str) else dict(told)
    return found


def plan_change(
    one: Notebook, change: Change, rights: Mapping[str, Any] | None, prices: PriceBook, *, account: Account
) -> Plan:
    """What the change would do. rights: as `granted` tells them.

    Raises Refused for what is not stopped and for what Kennel did not make, InvalidInput for what is no change, or one
    that AWS would not take.
    """
    ours(one, "change")
    if not one.status.is_at_rest:
        raise cannot(one, "changed", "stop it first" if one.status.is_serving else "wait a minute")
    _check(one, change)
    asked: dict[str, Any] = {"NotebookInstanceName": one.name}
    calls: list[Call] = []
    warnings: list[str] = []
    goes: list[str] = []
    if change.instance_type != one.instance_type:
        asked["InstanceType"] = change.instance_type
        goes.append(f"{one.instance_type}: it is {change.instance_type} at its next start")
    if change.volume_gb != one.volume_gb:
        asked["VolumeSizeInGB"] = change.volume_gb
        warnings.append("a volume cannot be made smaller again")
    if change.idle_minutes:
        if (config := lifecycle.name_of(change.idle_minutes)) != one.lifecycle:
            asked["LifecycleConfigName"] = config
            calls.append(lifecycle.create_call(change.idle_minutes))
    elif change.idle_minutes == 0 and one.lifecycle:
        asked["DisassociateLifecycleConfig"] = True
        warnings.append("nothing stops it: it costs until somebody does")
    if one.lifecycle and asked.keys() & {"LifecycleConfigName", "DisassociateLifecycleConfig"}:
        goes.append(f"its script {one.lifecycle}: it no longer runs when it starts")
    if "LifecycleConfigName" in asked:
        if (more := _may_stop(one, rights, account)) is not None:
            calls.append(more)
        elif rights is None:
            warnings.append(f"it can stop itself only if {one.role_name} allows sagemaker:StopNotebookInstance")
    calls.append(Call("sagemaker", "UpdateNotebookInstance", asked, "changes the instance; it stays stopped"))
    return Plan(
        deed=Deed.CHANGE,
        notebook=one.name,
        title=f"Change {one.name}",
        button="Change notebook",
        calls=tuple(calls),
        said=f"{one.name} is being changed",
        created=one.created,
        status=one.status,
        hourly=quote.hourly(prices, Kind.NOTEBOOK, change.instance_type, account.region),
        goes=tuple(goes),
        stays=(f"every file on its volume, which has {change.volume_gb} GB then",),
        warnings=tuple(warnings),
    )


def is_as_wanted(told: Mapping[str, Any], plan: Plan) -> bool:
    """Whether DescribeNotebookInstance tells of one that the plan changed already."""
    asked = plan.calls[-1].parameters
    config = told.get("NotebookInstanceLifecycleConfigName") or ""
    return (
        asked.get("InstanceType", told["InstanceType"]) == told["InstanceType"]
        and asked.get("VolumeSizeInGB", told.get("VolumeSizeInGB")) == told.get("VolumeSizeInGB")
        and asked.get("LifecycleConfigName", config) == config
        and not (asked.get("DisassociateLifecycleConfig") and config)
    )


def _check(one: Notebook, change: Change) -> None:
    if not one.volume_gb <= change.volume_gb <= VOLUMES[1]:
        raise InvalidInput(
            "that is no size of its volume",
            f"it has {one.volume_gb} GB, can only grow, and SageMaker takes {VOLUMES[1]:,} GB at most",
            "change it",
            field="volume",
        )
    if change == as_is(one) and not _is_older(one, change):
        raise InvalidInput("nothing would change", "it is like that already", "choose another size, or close this")


def _is_older(one: Notebook, change: Change) -> bool:
    """Whether its script is one that Kennel wrote earlier, and writes otherwise now."""
    return bool(change.idle_minutes) and lifecycle.name_of(change.idle_minutes or 0) != one.lifecycle


def _may_stop(one: Notebook, rights: Mapping[str, Any] | None, account: Account) -> Call | None:
    """What lets it stop itself; None where it may, or where its role is not Kennel's to change."""
    if rights is None or any(each.get("Sid") == role.STOPS for each in rights.get("Statement", ())):
        return None
    document = {**rights, "Statement": [*rights.get("Statement", ()), role.stops_itself(account, one.name)]}
    asked = {"RoleName": one.role_name, "PolicyName": role.POLICY, "PolicyDocument": json.dumps(document)}
    return Call("iam", "PutRolePolicy", asked, "adds to its rights that it stops itself")
