"""What is about to be done to a notebook instance, to be confirmed: its requests, what goes and stays, its cost."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dashboard.core import calls as shown
from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call
from dashboard.core.costs import quote
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import Quote
from dashboard.core.errors import Refused
from dashboard.core.notebooks import lifecycle, role
from dashboard.core.notebooks.model import SAFE_PLATFORM, Notebook, NotebookStatus
from dashboard.core.notebooks.wanted import Wanted, check


class Deed(StrEnum):
    """What is done to it."""

    CREATE = "create"
    START = "start"
    STOP = "stop"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True)
class Plan:
    """created, status: how the instance was when this was planned, None and "" for one that is to be made.

    hourly: what an hour costs from then on; None where it costs no more than before.
    """

    deed: Deed
    notebook: str
    title: str
    button: str
    calls: tuple[Call, ...]
    said: str
    order: str = ""
    created: datetime | None = None
    status: NotebookStatus | None = None
    hourly: Quote | None = None
    goes: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def code(self, account: Account) -> str:
        """The same as Python."""
        return shown.code(self.calls, account)


def plan_create(wanted: Wanted, prices: PriceBook, *, account: Account, token: str) -> Plan:
    """What making it would do. Raises InvalidInput for a value that AWS would not take.

    token: of the form; the same form confirmed twice makes one instance.
    """
    check(wanted)
    order = tags.order(token, wanted)
    made = {
        "NotebookInstanceName": wanted.name,
        "InstanceType": wanted.instance_type,
        "RoleArn": account.role_arn(role.name_of(wanted.name)),
        "VolumeSizeInGB": wanted.volume_gb,
        "RootAccess": "Enabled" if wanted.has_root else "Disabled",
        "DirectInternetAccess": "Disabled" if wanted.is_private else "Enabled",
        "PlatformIdentifier": SAFE_PLATFORM,
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
        **({"SubnetId": wanted.subnet, "SecurityGroupIds": list(wanted.groups)} if wanted.subnet else {}),
        **({"LifecycleConfigName": lifecycle.name_of(wanted.idle_minutes)} if wanted.idle_minutes else {}),
        "Tags": tags.of_plan(order),
    }
    return Plan(
        deed=Deed.CREATE,
        notebook=wanted.name,
        title=f"Create {wanted.name}",
        button="Create notebook",
        calls=(
            *role.create_calls(account, wanted),
            *((lifecycle.create_call(wanted.idle_minutes),) if wanted.idle_minutes else ()),
            Call("sagemaker", "CreateNotebookInstance", made, "makes the instance, which starts by itself"),
        ),
        said=f"{wanted.name} is starting",
        order=order,
        hourly=quote.hourly(prices, Kind.NOTEBOOK, wanted.instance_type, account.region),
        warnings=tuple(_warnings(wanted)),
    )


def _warnings(wanted: Wanted) -> list[str]:
    found = []
    if not wanted.idle_minutes:
        found.append("nothing stops it: it costs until somebody does")
    if wanted.has_root:
        found.append("its users are root on it, and can change what stops it and what it sends where")
    if wanted.is_private:
        found.append("it reaches S3, SageMaker and package indexes only as far as the routes of its subnet lead there")
        if wanted.idle_minutes:
            found.append("to stop itself it must reach SageMaker's API: through a NAT gateway or an interface endpoint")
    return found


def plan_start(one: Notebook) -> Plan:
    """What starting would do. Raises Refused for what is not stopped, and for what Kennel did not make."""
    ours(one, "start")
    if not one.status.is_at_rest:
        raise cannot(one, "started", "stop it first" if one.status.is_serving else "wait a minute")
    call = Call("sagemaker", "StartNotebookInstance", _named(one), "starts an instance with its volume")
    return Plan(
        Deed.START, one.name, f"Start {one.name}", "Start notebook", (call,), f"{one.name} is starting",
        created=one.created, status=one.status, hourly=one.hourly,
        stays=(f"its volume of {one.volume_gb} GB with everything on it",),
        warnings=() if lifecycle.stops(one.lifecycle) else ("Kennel knows of nothing that stops it when it is idle",),
    )  # fmt: skip


def plan_stop(one: Notebook) -> Plan:
    """What stopping would do. Raises Refused for what is not in service, and for what Kennel did not make."""
    ours(one, "stop")
    if not one.status.is_serving:
        raise cannot(one, "stopped", "nothing is left to do" if one.status.is_at_rest else "wait a minute")
    call = Call("sagemaker", "StopNotebookInstance", _named(one), "ends the instance, and what it costs by the hour")
    return Plan(
        Deed.STOP, one.name, f"Stop {one.name}", "Stop notebook", (call,), f"{one.name} is stopping",
        created=one.created, status=one.status,
        goes=("what runs in it now, and what is not saved: only /home/ec2-user/SageMaker is kept",),
        stays=(f"its volume of {one.volume_gb} GB, which costs a little while it is stopped",),
    )  # fmt: skip


def plan_delete(aws: Aws, one: Notebook) -> Plan:
    """What deleting would do. Raises Refused for what is not stopped, and for what Kennel did not make; the errors of
    `Aws.call`."""
    ours(one, "delete")
    if not one.status.is_at_rest:
        raise cannot(one, "deleted", "stop it first" if one.status.is_serving else "wait a minute")
    own = one.role_name == role.name_of(one.name) and tags.is_own_role(aws, one.role_name)
    call = Call("sagemaker", "DeleteNotebookInstance", _named(one), "deletes the instance and its volume")
    return Plan(
        Deed.DELETE, one.name, f"Delete {one.name}", "Delete notebook",
        (call, *(role.delete_calls(one.name) if own else ())), f"{one.name} is deleted",
        created=one.created, status=one.status,
        goes=(f"its volume of {one.volume_gb} GB with every notebook and file on it, for good",
              *((f"its role {one.role_name}",) if own else ())),
        stays=("what was copied to S3", *(() if own else (f"the role {one.role_name}, which others may use",))),
    )  # fmt: skip


def _named(one: Notebook) -> dict[str, str]:
    return {"NotebookInstanceName": one.name}


def ours(one: Notebook, does: str) -> None:
    """Raises Refused for one that Kennel did not make. does: "start", "change"."""
    if not (one.is_kennels or one.is_sample):
        raise Refused(f"Kennel does not {does} {one.name}", "it did not make it", f"{does} it where it was made")


def cannot(one: Notebook, done: str, instead: str) -> Refused:
    """Why something cannot be done with it in its status. done: "started"."""
    return Refused(f"{one.name} cannot be {done} now", f"it is {one.status.word}", instead)
