"""Delete an endpoint: what goes with it, what stays and why, planned before it is done."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quote import Quote
from dashboard.core.costs.waste import schedule as waste_schedule
from dashboard.core.errors import AccessDenied, InvalidInput, NotFound, ServiceFault
from dashboard.core.format import count
from dashboard.core.parallel import gather
from dashboard.core.serving import dependents, parts
from dashboard.core.serving.dependents import Target
from dashboard.core.serving.endpoints import config as described
from dashboard.core.serving.endpoints import get_endpoint
from dashboard.core.serving.model import Endpoint

EARLIER = 50
"""Configurations that are followed back, one a past update."""


@dataclass(frozen=True)
class DeletePlan:
    """What deleting an endpoint takes with it, what stays and why, and what is saved for each hour."""

    endpoint: str
    config: str  # "" when it stays
    models: tuple[str, ...]
    kept: tuple[str, ...]  # sentences
    saves: Quote
    schedule: str = ""  # of EventBridge Scheduler, that would delete it later
    targets: tuple[Target, ...] = ()  # that auto scaling keeps
    alarms: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()  # configurations of updates before, those that were taken back too

    @property
    def deletes(self) -> tuple[str, ...]:
        """Every resource that goes, in words."""
        found = [f"endpoint {self.endpoint}"]
        found += [f"endpoint configuration {self.config}"] if self.config else []
        found += [f"earlier configuration {name}" for name in self.earlier]
        found += [f"model {name}" for name in self.models]
        found += [f"auto scaling of {one.variant}{_with(one)}" for one in self.targets]
        found += [f"alarm {name}" for name in self.alarms]
        return (*found, *([f"schedule {self.schedule}, which would have deleted it"] if self.schedule else []))


def _with(target: Target) -> str:
    parts = [count(target.policies, "policy", "policies")] if target.policies else []
    parts += [count(target.scheduled, "scheduled action")] if target.scheduled else []
    return f" with {' and '.join(parts)}" if parts else ""


def plan_delete(aws: Aws, prices: PriceBook, name: str) -> DeletePlan:
    """What deleting an endpoint would do. Its configuration and models go too, unless something else uses them.

    Nothing that Kennel did not make is deleted along with it; a schedule of Kennel's that would delete it later goes,
    so that it does not meet another endpoint of that name, and so does what auto scaling keeps for it. Raises NotFound.
    """
    endpoint = get_endpoint(aws, prices, name)
    plan = _with_dependents(aws, endpoint, _plan_delete(aws, endpoint))
    try:
        schedule = waste_schedule.find(aws, waste_schedule.name_of(name))
    except ServiceFault:
        return plan  # there is no EventBridge Scheduler here, and so no schedule
    except AccessDenied:
        why = "a schedule that deletes it later, if there is one, stays: scheduler:GetSchedule is not allowed"
        return replace(plan, kept=(*plan.kept, why))
    return replace(plan, schedule=schedule["Name"]) if schedule else plan


def _with_dependents(aws: Aws, endpoint: Endpoint, plan: DeletePlan) -> DeletePlan:
    """The plan with what hangs on the endpoint: what goes with it, and what stays and then has nothing to ask."""
    found = dependents.find(aws, endpoint.name, [one.name for one in endpoint.variants])
    kept = [f"Lambda function {one} asks it: it answers 503 from then on" for one in found.functions]
    kept += [f"alarm {one} watches it: it hears nothing from then on" for one in found.others]
    # a service that is not there has nothing that hangs on an endpoint
    unread = [(what, why) for what, why in found.unread if not isinstance(why, ServiceFault)]
    kept += [f"{what}, if there are any, stay: {why.what}" for what, why in unread]
    return replace(plan, kept=(*plan.kept, *kept), targets=found.targets, alarms=found.alarms)


def _plan_delete(aws: Aws, endpoint: Endpoint) -> DeletePlan:
    name, config = endpoint.name, endpoint.config_name
    told = described(aws, config)
    if told is None:
        return DeletePlan(name, "", (), (f"its configuration {config} is already gone",), endpoint.hourly)
    kept = []
    user = _other_endpoint_with(aws, config, name)
    if user:
        kept.append(f"endpoint configuration {config} and its model stay: endpoint {user} uses them")
        return DeletePlan(name, "", (), tuple(kept), endpoint.hourly)
    marks = tags.of_sagemaker(aws, told["EndpointConfigArn"])
    if not _is_kennels(marks):
        kept.append(f"endpoint configuration {config} and its model stay: Kennel did not make them")
        return DeletePlan(name, "", (), tuple(kept), endpoint.hourly)
    earlier = _earlier(aws, name, marks)
    earlier += _taken_back(aws, name, {config, *(one["EndpointConfigName"] for one in earlier)})
    going = {config, *(one["EndpointConfigName"] for one in earlier)}
    models = []
    for model in sorted({one for each in (told, *earlier) for one in _models(each)}):
        used_by = _other_config_with(aws, model, going)
        arn = _model_arn(aws, model)
        if used_by:
            kept.append(f"model {model} stays: endpoint configuration {used_by} uses it")
        elif arn and not _is_kennels(tags.of_sagemaker(aws, arn)):
            kept.append(f"model {model} stays: Kennel did not make it")
        elif arn:
            models.append(model)
    names = tuple(one["EndpointConfigName"] for one in earlier)
    return DeletePlan(name, config, tuple(models), tuple(kept), endpoint.hourly, earlier=names)


def _earlier(aws: Aws, endpoint: str, marks: Mapping[str, str]) -> list[dict[str, Any]]:
    """The configurations that the present one took the place of, one after the other, that only Kennel's own use."""
    found: list[dict[str, Any]] = []
    while (before := marks.get(tags.REPLACES, "")) and len(found) < EARLIER:
        told = described(aws, before)
        if told is None or _other_endpoint_with(aws, before, endpoint):
            break
        marks = tags.of_sagemaker(aws, told["EndpointConfigArn"])
        if not _is_kennels(marks):
            break
        found.append(told)
    return found


def _taken_back(aws: Aws, endpoint: str, chain: Collection[str]) -> list[dict[str, Any]]:
    """The configurations of updates that were taken back: made to replace one of the chain, and not in it."""
    begin = parts.made_name(endpoint, "")
    pages = aws.pages("sagemaker", "ListEndpointConfigs", NameContains=begin, limit=5)
    names = [one["EndpointConfigName"] for page in pages for one in page["EndpointConfigs"]]

    def look(name: str) -> dict[str, Any] | None:
        told = described(aws, name)
        marks = tags.of_sagemaker(aws, told["EndpointConfigArn"]) if told else {}
        return told if _is_kennels(marks) and marks.get(tags.REPLACES) in chain else None

    mine = gather(look, [name for name in names if name.startswith(begin) and name not in chain])
    return [one for one in mine if one and not _other_endpoint_with(aws, one["EndpointConfigName"], endpoint)]


def delete_endpoint(aws: Aws, plan: DeletePlan) -> None:
    """Delete what the plan names, the endpoint first because only that costs money. What is gone already is fine."""
    dependents.release(aws, plan.targets)  # first, so that nothing scales what is being deleted
    _delete(aws, "DeleteEndpoint", EndpointName=plan.endpoint)
    dependents.silence(aws, plan.alarms)
    if plan.schedule:
        with suppress(NotFound):
            aws.call("scheduler", "DeleteSchedule", Name=plan.schedule)
    for config in (*([plan.config] if plan.config else []), *plan.earlier):
        _delete(aws, "DeleteEndpointConfig", EndpointConfigName=config)
    for model in plan.models:
        _delete(aws, "DeleteModel", ModelName=model)


def _delete(aws: Aws, operation: str, **which: str) -> None:
    try:
        aws.call("sagemaker", operation, **which)
    except NotFound:
        return
    except InvalidInput as error:
        # An endpoint that is being deleted refuses a second DeleteEndpoint.
        if operation != "DeleteEndpoint" or "deleting" not in str(error).lower():
            raise


def _models(config: dict[str, Any]) -> set[str]:
    return {v["ModelName"] for v in config["ProductionVariants"] if v.get("ModelName")}


def _model_arn(aws: Aws, name: str) -> str:
    try:
        return str(aws.call("sagemaker", "DescribeModel", ModelName=name)["ModelArn"])
    except NotFound:
        return ""


def _is_kennels(found: Mapping[str, str]) -> bool:
    return tags.is_kennels(found) or tags.is_sample(found)


def _other_endpoint_with(aws: Aws, config: str, but: str) -> str:
    listed = (e["EndpointName"] for page in aws.pages("sagemaker", "ListEndpoints") for e in page["Endpoints"])

    def config_of(name: str) -> str:
        try:
            return str(aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)["EndpointConfigName"])
        except NotFound:
            return ""

    return _first_with(config, config_of, (name for name in listed if name != but))


def _other_config_with(aws: Aws, model: str, but: Collection[str]) -> str:
    pages = aws.pages("sagemaker", "ListEndpointConfigs")
    listed = (c["EndpointConfigName"] for page in pages for c in page["EndpointConfigs"])

    def has_model(name: str) -> str:
        told = described(aws, name)
        return model if told and model in _models(told) else ""

    return _first_with(model, has_model, (name for name in listed if name not in but))


def _first_with(wanted: str, look: Callable[[str], str], names: Iterable[str]) -> str:
    candidates = list(names)
    found = gather(look, candidates)
    return next((name for name, value in zip(candidates, found, strict=True) if value == wanted), "")
