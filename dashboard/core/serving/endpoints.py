"""The account's endpoints: list them, look at one, delete one with what hangs on it."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quote import Quote
from dashboard.core.costs.waste import schedule as waste_schedule
from dashboard.core.errors import AccessDenied, InvalidInput, NotFound, ServiceFault
from dashboard.core.parallel import gather
from dashboard.core.serving import variant
from dashboard.core.serving.model import Endpoint, EndpointStatus
from dashboard.core.serving.variant import Pending

__all__ = [
    "DeletePlan",
    "Endpoint",
    "EndpointStatus",
    "delete_endpoint",
    "get_endpoint",
    "list_endpoints",
    "plan_delete",
]


@dataclass(frozen=True)
class DeletePlan:
    """What deleting an endpoint takes with it, what stays and why, and what is saved for each hour."""

    endpoint: str
    config: str  # "" when it stays
    models: tuple[str, ...]
    kept: tuple[str, ...]  # sentences
    saves: Quote
    schedule: str = ""  # of EventBridge Scheduler, that would delete it later

    @property
    def deletes(self) -> tuple[str, ...]:
        """Every resource that goes, in words."""
        found = [f"endpoint {self.endpoint}"]
        found += [f"endpoint configuration {self.config}"] if self.config else []
        found += [f"model {name}" for name in self.models]
        return (*found, *([f"schedule {self.schedule}, which would have deleted it"] if self.schedule else []))


def list_endpoints(aws: Aws, prices: PriceBook, limit: int = 100) -> tuple[Endpoint, ...]:
    """The newest `limit` endpoints, newest first."""
    names: list[str] = []
    for page in aws.pages(
        "sagemaker",
        "ListEndpoints",
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"PageSize": min(limit, 100)},
    ):
        names += [found["EndpointName"] for found in page["Endpoints"]]
        if len(names) >= limit:
            break

    def look(name: str) -> Endpoint | None:
        try:
            return get_endpoint(aws, prices, name)
        except NotFound:
            return None  # deleted since it was listed

    return tuple(endpoint for endpoint in gather(look, names[:limit]) if endpoint)


def get_endpoint(aws: Aws, prices: PriceBook, name: str) -> Endpoint:
    """One endpoint as it is now. Raises NotFound."""
    told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)
    config = _config(aws, told["EndpointConfigName"]) or {}
    region = aws.account.region
    variants = variant.read(config.get("ProductionVariants", ()), told.get("ProductionVariants", ()), prices, region)
    first = variants[0] if variants else None
    count = sum(one.count for one in variants)
    has_answers = count > 0 or any(one.serverless for one in variants)
    return Endpoint(
        name=told["EndpointName"],
        status=EndpointStatus.of(told["EndpointStatus"], int(has_answers)),
        instance_type=first.instance_type if first else "",
        count=count,
        model_name=first.model_name if first else "",
        created=told["CreationTime"],
        hourly=variant.together(variants),
        modified=told.get("LastModifiedTime"),
        config_name=told["EndpointConfigName"],
        failure=told.get("FailureReason", ""),
        tags=tags.of_sagemaker(aws, told["EndpointArn"]),
        arn=told["EndpointArn"],
        variants=variants,
        pending=_pending(aws, told.get("PendingDeploymentSummary"), prices),
    )


def _pending(aws: Aws, told: dict[str, Any] | None, prices: PriceBook) -> Pending | None:
    """The deployment that goes on, from PendingDeploymentSummary."""
    if not told:
        return None
    config = _config(aws, told["EndpointConfigName"]) or {}
    running = told.get("ProductionVariants", ())
    variants = variant.read(config.get("ProductionVariants", ()), running, prices, aws.account.region)
    return Pending(told["EndpointConfigName"], told.get("StartTime"), variants)


def plan_delete(aws: Aws, prices: PriceBook, name: str) -> DeletePlan:
    """What deleting an endpoint would do. Its configuration and models go too, unless something else uses them.

    Nothing that Kennel did not make is deleted along with it; a schedule of Kennel's that would delete it later goes,
    so that it does not meet another endpoint of that name. Raises NotFound.
    """
    plan = _plan_delete(aws, prices, name)
    try:
        schedule = waste_schedule.find(aws, waste_schedule.name_of(name))
    except ServiceFault:
        return plan  # there is no EventBridge Scheduler here, and so no schedule
    except AccessDenied:
        why = "a schedule that deletes it later, if there is one, stays: scheduler:GetSchedule is not allowed"
        return replace(plan, kept=(*plan.kept, why))
    return replace(plan, schedule=schedule["Name"]) if schedule else plan


def _plan_delete(aws: Aws, prices: PriceBook, name: str) -> DeletePlan:
    endpoint = get_endpoint(aws, prices, name)
    config = endpoint.config_name
    told = _config(aws, config)
    if told is None:
        return DeletePlan(name, "", (), (f"its configuration {config} is already gone",), endpoint.hourly)
    kept = []
    user = _other_endpoint_with(aws, config, name)
    if user:
        kept.append(f"endpoint configuration {config} and its model stay: endpoint {user} uses them")
        return DeletePlan(name, "", (), tuple(kept), endpoint.hourly)
    if not _is_kennels(aws, told["EndpointConfigArn"]):
        kept.append(f"endpoint configuration {config} and its model stay: Kennel did not make them")
        return DeletePlan(name, "", (), tuple(kept), endpoint.hourly)
    models = []
    for model in sorted(_models(told)):
        used_by = _other_config_with(aws, model, config)
        arn = _model_arn(aws, model)
        if used_by:
            kept.append(f"model {model} stays: endpoint configuration {used_by} uses it")
        elif arn and not _is_kennels(aws, arn):
            kept.append(f"model {model} stays: Kennel did not make it")
        elif arn:
            models.append(model)
    return DeletePlan(name, config, tuple(models), tuple(kept), endpoint.hourly)


def delete_endpoint(aws: Aws, plan: DeletePlan) -> None:
    """Delete what the plan names, the endpoint first because only that costs money. What is gone already is fine."""
    _delete(aws, "DeleteEndpoint", EndpointName=plan.endpoint)
    if plan.schedule:
        with suppress(NotFound):
            aws.call("scheduler", "DeleteSchedule", Name=plan.schedule)
    if plan.config:
        _delete(aws, "DeleteEndpointConfig", EndpointConfigName=plan.config)
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


def _config(aws: Aws, name: str) -> dict[str, Any] | None:
    try:
        return aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=name)
    except NotFound:
        return None  # a configuration may be deleted while its endpoint goes on


def _models(config: dict[str, Any]) -> set[str]:
    return {v["ModelName"] for v in config["ProductionVariants"] if v.get("ModelName")}


def _model_arn(aws: Aws, name: str) -> str:
    try:
        return str(aws.call("sagemaker", "DescribeModel", ModelName=name)["ModelArn"])
    except NotFound:
        return ""


def _is_kennels(aws: Aws, arn: str) -> bool:
    found = tags.of_sagemaker(aws, arn)
    return found.get(tags.MADE_BY) == tags.KENNEL or found.get(tags.SAMPLE) == "true"


def _other_endpoint_with(aws: Aws, config: str, but: str) -> str:
    listed = (e["EndpointName"] for page in aws.pages("sagemaker", "ListEndpoints") for e in page["Endpoints"])

    def config_of(name: str) -> str:
        try:
            return str(aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)["EndpointConfigName"])
        except NotFound:
            return ""

    return _first_with(config, config_of, (name for name in listed if name != but))


def _other_config_with(aws: Aws, model: str, but: str) -> str:
    pages = aws.pages("sagemaker", "ListEndpointConfigs")
    listed = (c["EndpointConfigName"] for page in pages for c in page["EndpointConfigs"])

    def has_model(name: str) -> str:
        told = _config(aws, name)
        return model if told and model in _models(told) else ""

    return _first_with(model, has_model, (name for name in listed if name != but))


def _first_with(wanted: str, look: Callable[[str], str], names: Iterable[str]) -> str:
    candidates = list(names)
    found = gather(look, candidates)
    return next((name for name, value in zip(candidates, found, strict=True) if value == wanted), "")
