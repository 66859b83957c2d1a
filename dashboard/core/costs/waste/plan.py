"""What doing something about waste would do: planned from how the thing is now, not from how the sweep found it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from botocore import xform_name

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.waste import expiry, sweep_artifacts
from dashboard.core.costs.waste import role as waste_role
from dashboard.core.costs.waste import schedule as waste_schedule
from dashboard.core.costs.waste import standing as waste_standing
from dashboard.core.costs.waste.expiry import Keep
from dashboard.core.costs.waste.standing import Standing
from dashboard.core.costs.waste.waste import Act, Finding, Thing, told
from dashboard.core.errors import NotFound, Refused
from dashboard.core.format import count, size
from dashboard.core.showcode import connection, literal, variable


@dataclass(frozen=True)
class Call:
    """One request to AWS."""

    service: str
    operation: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What an action does, to be confirmed: the requests in their order, what goes and what stays.

    `standing` is the thing as it was when this was planned: another one is not acted on. `folders`: the prefixes of S3
    whose files are deleted.
    """

    finding: Finding
    act: Act
    title: str
    button: str
    calls: tuple[Call, ...]
    said: str  # once it is done
    standing: Standing
    goes: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def saves(self) -> Decimal | None:
        """USD a day from then on; None where that is unknown, or nothing is saved."""
        return None if self.act in (Act.KEEP, Act.UNSCHEDULE) else self.finding.per_day

    def code(self, account: Account) -> str:
        """The same as Python."""
        services = dict.fromkeys(call.service for call in self.calls)
        lines = [connection(account, *services)]
        for call in self.calls:
            begun = f"{variable(call.service)}.{xform_name(call.operation)}("
            body = ",\n".join(f"    {name}={literal(value, 4)}" for name, value in call.parameters.items())
            lines.append(f"{begun}\n{body},\n)")
        return "\n".join(lines) + "\n"


def plan(
    aws: Aws,
    finding: Finding,
    act: Act,
    now: datetime,
    *,
    when: datetime | None = None,
    keep: Keep = expiry.DEFAULT,
) -> Plan:
    """What an act on a finding would do. Nothing is changed.

    when: for SCHEDULE; keep: for KEEP. Raises Refused for what Kennel did not make and for what has changed so that
    there is nothing to do, NotFound for what is gone, and the errors of `Aws.call`.
    """
    if act not in finding.acts:
        raise Refused(
            f"Kennel does not {act} {finding.name}",
            "it did not make it" if not finding.is_kennels else "that makes no sense for it",
            "do it where it was made",
        )
    standing = waste_standing.read(aws, finding)
    if standing is None:
        raise NotFound(f"the {finding.thing} {finding.name} is gone", "somebody deleted it", "nothing is left to do")
    makers: dict[tuple[Thing, Act], Callable[[], Plan]] = {
        (Thing.ENDPOINT, Act.SHRINK): lambda: _shrink(aws, finding, standing),
        (Thing.ENDPOINT, Act.SCHEDULE): lambda: _schedule(aws, finding, standing, when, now),
        (Thing.ENDPOINT, Act.UNSCHEDULE): lambda: _unschedule(finding, standing),
        (Thing.ENDPOINT, Act.KEEP): lambda: _keep(aws, finding, standing, keep.until(now)),
        (Thing.NOTEBOOK, Act.STOP): lambda: _stop_notebook(finding, standing),
        (Thing.FUNCTION, Act.DELETE): lambda: _unprovision(finding, standing),
        (Thing.INSTANCE, Act.STOP): lambda: _stop_instance(finding, standing),
        (Thing.INSTANCE, Act.DELETE): lambda: _terminate(finding, standing),
        (Thing.VOLUME, Act.DELETE): lambda: _delete_volume(finding, standing),
        (Thing.ADDRESS, Act.DELETE): lambda: _release(finding, standing),
        (Thing.FILES, Act.DELETE): lambda: _delete_files(aws, finding, standing),
    }
    made = makers.get((finding.thing, act))
    if made is None:
        raise Refused(f"Kennel cannot {act} the {finding.thing} {finding.name}", "there is another way", "delete it")
    return made()


def _shrink(aws: Aws, finding: Finding, standing: Standing) -> Plan:
    name, wanted = finding.name, finding.wanted
    if len(standing.variants) != 1:
        raise Refused(
            f"{name} has {count(len(standing.variants), 'variant')}",
            "which of them is too large is for a person to see",
            "change its capacity in the SageMaker console",
        )
    if wanted >= int(standing.state):
        raise Refused(f"{name} has {standing.state} by now", f"{wanted} would do", "nothing is left to do")
    variant, target = standing.variants[0], waste_standing.scalable_target(aws, name, standing.variants[0])
    if target is not None:
        call = Call(
            "application-autoscaling",
            "RegisterScalableTarget",
            {
                "ServiceNamespace": "sagemaker",
                "ResourceId": target["ResourceId"],
                "ScalableDimension": target["ScalableDimension"],
                "MinCapacity": wanted,
                "MaxCapacity": target["MaxCapacity"],
            },
        )
        stays = (f"auto scaling, up to {target['MaxCapacity']} when requests need them",)
    else:
        desired = [{"VariantName": variant, "DesiredInstanceCount": wanted}]
        parameters = {"EndpointName": name, "DesiredWeightsAndCapacities": desired}
        call = Call("sagemaker", "UpdateEndpointWeightsAndCapacities", parameters)
        stays = (f"{count(wanted, 'instance')}; it serves meanwhile",)
    goes = (f"{count(int(standing.state) - wanted, 'instance')} of {name}",)
    button = f"Shrink to {wanted}"
    return Plan(finding, Act.SHRINK, f"Shrink {name}", button, (call,), f"{name} gets smaller", standing, goes, stays)


def _schedule(aws: Aws, finding: Finding, standing: Standing, when: datetime | None, now: datetime) -> Plan:
    if when is None or when <= now:
        raise Refused("a schedule needs a time that is still to come", f"it is {told(now)}", "choose a later one")
    asked = waste_schedule.request(finding.name, when, aws.account)
    taken = waste_schedule.find(aws, asked["Name"])
    calls = (
        *(Call("iam", operation, parameters) for operation, parameters in waste_role.missing(aws)),
        Call("scheduler", "UpdateSchedule" if taken else "CreateSchedule", asked),
    )
    return Plan(
        finding,
        Act.SCHEDULE,
        f"Delete {finding.name} later",
        "Schedule the deletion",
        calls,
        f"{finding.name} will be deleted on {told(when)}",
        standing,
        (f"the endpoint {finding.name}, on {told(when)}, whether Kennel runs or not",),
        ("its configuration and its model, which cost nothing",),
    )


def _unschedule(finding: Finding, standing: Standing) -> Plan:
    call = Call("scheduler", "DeleteSchedule", {"Name": waste_schedule.name_of(finding.name)})
    stays = (f"the endpoint {finding.name}, until somebody deletes it",)
    said = f"{finding.name} stays"
    return Plan(
        finding, Act.UNSCHEDULE, f"Keep {finding.name}", "Cancel the deletion", (call,), said, standing, (), stays
    )


def _keep(aws: Aws, finding: Finding, standing: Standing, until: datetime | None) -> Plan:
    arn = standing.arn
    if until is None:
        call = Call("sagemaker", "DeleteTags", {"ResourceArn": arn, "TagKeys": [tags.EXPIRES]})
    else:
        call = Call("sagemaker", "AddTags", {"ResourceArn": arn, "Tags": tags.listed(expiry.mark(until))})
    how_long = f"until {told(until)}" if until else "until somebody deletes it"
    said = f"{finding.name} is kept {how_long}"
    stays = (f"the endpoint {finding.name}, {how_long}",)
    return Plan(finding, Act.KEEP, f"Keep {finding.name}", "Keep it", (call,), said, standing, (), stays)


def _stop_notebook(finding: Finding, standing: Standing) -> Plan:
    call = Call("sagemaker", "StopNotebookInstance", {"NotebookInstanceName": finding.name})
    stays = ("its volume with everything in it, which costs a little while it is stopped",)
    goes = ("what runs in it now: unsaved work in memory is lost",)
    said = f"{finding.name} is stopping"
    return Plan(finding, Act.STOP, f"Stop {finding.name}", "Stop the notebook", (call,), said, standing, goes, stays)


def _unprovision(finding: Finding, standing: Standing) -> Plan:
    which = {"FunctionName": finding.details["function"], "Qualifier": finding.details["qualifier"]}
    call = Call("lambda", "DeleteProvisionedConcurrencyConfig", which)
    stays = ("the function: it answers as before, the first request after a pause somewhat later",)
    goes = (f"the {standing.state} environments that are kept ready for {finding.name}",)
    said = f"nothing is kept ready for {finding.name} any more"
    button = "Remove provisioned concurrency"
    return Plan(finding, Act.DELETE, f"Shrink {finding.name}", button, (call,), said, standing, goes, stays)


def _stop_instance(finding: Finding, standing: Standing) -> Plan:
    call = Call("ec2", "StopInstances", {"InstanceIds": [finding.name]})
    stays = ("its volumes, which are paid for while it is stopped",)
    goes = ("what runs on it now",)
    said = f"{finding.name} is stopping"
    return Plan(finding, Act.STOP, f"Stop {finding.name}", "Stop the instance", (call,), said, standing, goes, stays)


def _terminate(finding: Finding, standing: Standing) -> Plan:
    call = Call("ec2", "TerminateInstances", {"InstanceIds": [finding.name]})
    goes = (f"the instance {finding.name}", *(f"its volume {name}" for name in standing.taken))
    stays = tuple(f"its volume {name}, which is not deleted with it and goes on costing" for name in standing.kept)
    button, said = "Terminate the instance", f"{finding.name} is being terminated"
    return Plan(finding, Act.DELETE, f"Terminate {finding.name}", button, (call,), said, standing, goes, stays)


def _delete_volume(finding: Finding, standing: Standing) -> Plan:
    if standing.state != "available":
        raise Refused(f"{finding.name} is {standing.state} by now", "something may use it", "nothing is left to do")
    call = Call("ec2", "DeleteVolume", {"VolumeId": finding.name})
    goes = (f"the volume {finding.name} with everything on it; a snapshot of it, if there is one, stays",)
    button, said = "Delete the volume", f"{finding.name} is deleted"
    return Plan(finding, Act.DELETE, f"Delete {finding.name}", button, (call,), said, standing, goes)


def _release(finding: Finding, standing: Standing) -> Plan:
    if standing.state != "loose":
        raise Refused(f"{finding.name} is used by now", f"it belongs to {standing.state}", "nothing is left to do")
    call = Call("ec2", "ReleaseAddress", {"AllocationId": finding.name})
    goes = ("the address: nobody gets the same one back",)
    button, said = "Release the address", f"{finding.name} is released"
    return Plan(finding, Act.DELETE, f"Release {finding.name}", button, (call,), said, standing, goes)


def _delete_files(aws: Aws, finding: Finding, standing: Standing) -> Plan:
    before = datetime.fromisoformat(finding.details["before"])
    folders = sweep_artifacts.unused(aws, finding.name, before)
    if not folders:
        raise Refused(f"no file below {finding.name} is old and unused any more", "", "nothing is left to do")
    objects, total = sum(one.objects for one in folders), sum(one.size for one in folders)
    goes = (
        f"{count(objects, 'file')} ({size(total)}) in {count(len(folders), 'folder')}",
        *(one.prefix for one in folders[:5]),
        *((f"and {count(len(folders) - 5, 'more folder')}",) if len(folders) > 5 else ()),
    )
    stays = ("what is newer, and what a model of SageMaker is made of",)
    return Plan(
        finding,
        Act.DELETE,
        f"Delete old files below {finding.name}",
        f"Delete {count(objects, 'file')}",
        (),
        f"{count(objects, 'file')} deleted",
        standing,
        goes,
        stays,
        tuple(one.prefix for one in folders),
    )
