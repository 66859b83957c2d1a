"""Deploy a trained model: plan → confirm → model, endpoint configuration, endpoint."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call, code
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import Quote, hourly, unknown
from dashboard.core.costs.waste import expiry
from dashboard.core.costs.waste import schedule as waste_schedule
from dashboard.core.costs.waste.expiry import Keep
from dashboard.core.errors import (
    AccessDenied,
    AlreadyExists,
    InvalidInput,
    NotFound,
    QuotaExceeded,
    Refused,
    ServiceFault,
)
from dashboard.core.format import money, rate
from dashboard.core.runs.instances import hardware
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec_problems import NAME
from dashboard.core.serving import parts
from dashboard.core.serving.model import Endpoint
from dashboard.core.serving.parts import COUNT, ROLE
from dashboard.core.serving.source import Source
from dashboard.core.serving.source import of as source_of
from dashboard.core.serving.variant import BY_USE, PROVISIONED, Serverless

__all__ = ["COUNT", "ROLE", "VARIANT", "DeployPlan", "check_free", "deploy", "free_name", "plan_deploy"]

VARIANT = "main"
NAME_LENGTH = 63


@dataclass(frozen=True)
class DeployPlan:
    """An endpoint, ready to be confirmed: the three requests that make it, and what it costs for each hour."""

    name: str
    model_name: str
    config_name: str
    model_uri: str
    instance_type: str
    count: int
    requests: tuple[tuple[str, dict[str, Any]], ...]  # (operation, parameters), in this order
    hourly: Quote
    warnings: tuple[str, ...]
    code: str
    order: str  # the mark that what this plan makes carries
    expires: datetime | None = None  # when it counts as waste; nothing deletes it then
    serverless: Serverless | None = None

    @property
    def summary(self) -> str:
        """The plan in one sentence."""
        if self.serverless:
            return f"Serve {self.model_uri} as {self.name}, {self.serverless.words}: {self.hourly.why_unknown}."
        if self.hourly.amount is None:
            cost = f"cost unknown ({self.hourly.why_unknown})"
        else:
            cost = f"{rate(self.hourly.amount, 'h', self.hourly.currency)} until it is deleted"
        return f"Serve {self.model_uri} as {self.name} on {self.count} × {self.instance_type}: {cost}."


def plan_deploy(
    model: Run | Source | str,
    name: str,
    instance_type: str,
    *,
    account: Account,
    prices: PriceBook,
    token: str,
    count: int = 1,
    serverless: Serverless | None = None,
    keep: Keep = Keep.NEVER,
    now: datetime | None = None,
) -> DeployPlan:
    """What serving a completed run's model (or the model.tar.gz at an S3 address) would do.

    serverless: instead of `count` instances of `instance_type`. keep: how long from `now` on it is wanted; it carries
    that as a tag, and is found as waste afterwards.

    Raises InvalidInput for a bad field, Refused for a run that has no model.
    """
    source = source_of(model)
    _check(name)
    parts.check(instance_type, count, serverless)
    expires = keep.until(now) if now else None
    # of two plans that differ in how long it is kept, one must not be taken for the other
    more = (*((serverless,) if serverless else ()), *((keep.value,) if expires else ()))
    order = tags.order(token, source.uri, name, instance_type, count, *more)
    made = parts.made_name(name, order)
    price = _cost(prices, account, instance_type, count, serverless)
    marks = tags.of_plan(order, source.run) + tags.listed({tags.PACKAGE: source.package})
    until = tags.listed(expiry.mark(expires))
    variant = parts.variant(VARIANT, made, instance_type, count, serverless)
    requests = (
        ("CreateModel", parts.model(made, source.uri, "" if serverless else instance_type, account, marks)),
        ("CreateEndpointConfig", {"EndpointConfigName": made, "ProductionVariants": [variant], "Tags": marks}),
        ("CreateEndpoint", {"EndpointName": name, "EndpointConfigName": made, "Tags": [*marks, *until]}),
    )
    return DeployPlan(
        name=name,
        model_name=made,
        config_name=made,
        model_uri=source.uri,
        instance_type="" if serverless else instance_type,
        count=0 if serverless else count,
        requests=requests,
        hourly=price,
        warnings=tuple(_warnings(account, instance_type, price, serverless)),
        code=code((Call("sagemaker", operation, asked, "") for operation, asked in requests), account),
        order=order,
        expires=expires,
        serverless=serverless,
    )


def deploy(aws: Aws, plan: DeployPlan) -> str:
    """Make the planned endpoint and return its name; it is serving some time later.

    Sending the same plan again makes nothing twice and completes what an interruption left out. Where AWS refuses the
    endpoint, its model and configuration do not stay behind. Raises AlreadyExists when the endpoint's name belongs to
    another one, and the errors of `Aws.call`.
    """
    if _stands(aws, plan) is False:
        raise _taken(plan.name)  # before anything is made for it
    for operation, parameters in plan.requests:
        try:
            aws.call("sagemaker", operation, **parameters)
        except AlreadyExists:
            # The model's and the configuration's names are made from the order: they are this plan's own.
            if operation == "CreateEndpoint" and _stands(aws, plan) is not True:
                _take_back(aws, plan)
                raise _taken(plan.name) from None
        except (InvalidInput, QuotaExceeded, AccessDenied, Refused):
            if operation == "CreateEndpoint" and _stands(aws, plan) is not True:
                _take_back(aws, plan)
            raise
        else:
            if operation == "CreateEndpoint":
                _cancel_schedule(aws, plan.name)
    return plan.name


def check_free(plan: DeployPlan, endpoints: Iterable[Endpoint]) -> None:
    """Raises AlreadyExists when one of these endpoints has the plan's name, unless it is what the plan made.

    Capitals make no other name. Source: EndpointName of CreateEndpoint in the SageMaker API reference.
    """
    for one in endpoints:
        if one.name.lower() == plan.name.lower() and one.tags.get(tags.ORDER) != plan.order:
            raise _taken(one.name)


def free_name(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or with the first number behind it that makes a name which is not taken: "dogs-2"."""
    lower = {one.lower() for one in taken}
    numbered = (f"{wanted[: NAME_LENGTH - 1 - len(str(number))]}-{number}" for number in range(2, len(lower) + 3))
    return next(name for name in chain([wanted], numbered) if name.lower() not in lower)


def _cancel_schedule(aws: Aws, name: str) -> None:
    """A schedule that was to delete an earlier endpoint of this name must not meet the new one.

    Where there is no EventBridge Scheduler, or no right to it, Kennel scheduled nothing as whoever deploys.
    """
    with suppress(NotFound, ServiceFault, AccessDenied):
        aws.call("scheduler", "DeleteSchedule", Name=waste_schedule.name_of(name))


def _stands(aws: Aws, plan: DeployPlan) -> bool | None:
    """Whether the endpoint of this name is what the plan made; None where there is none."""
    try:
        told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=plan.name)
    except NotFound:
        return None
    return tags.of_sagemaker(aws, told["EndpointArn"]).get(tags.ORDER) == plan.order


def _take_back(aws: Aws, plan: DeployPlan) -> None:
    """Delete what was made for an endpoint that AWS refused; why it did is told, and not that this is not allowed."""
    with suppress(NotFound, AccessDenied):
        aws.call("sagemaker", "DeleteEndpointConfig", EndpointConfigName=plan.config_name)
    with suppress(NotFound, AccessDenied):
        aws.call("sagemaker", "DeleteModel", ModelName=plan.model_name)


def _taken(name: str) -> AlreadyExists:
    return AlreadyExists(
        f"there is already an endpoint named {name}",
        "names are unique in an account and region",
        "choose another name, or delete that endpoint first",
    )


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "the endpoint's name may have letters, digits and hyphens, at most 63 in all, no hyphen at either end",
            f'it is "{name}"' if name else "it is empty",
            "change the name",
            field="name",
        )


def _cost(prices: PriceBook, account: Account, instance_type: str, count: int, serverless: Serverless | None) -> Quote:
    if serverless:
        return unknown(PROVISIONED if serverless.provisioned else BY_USE)
    return hourly(prices, Kind.ENDPOINT, instance_type, account.region, count)


def _warnings(account: Account, instance_type: str, price: Quote, serverless: Serverless | None) -> list[str]:
    found = []
    if not account.is_embedded:
        found.append("not yet run against a live account: watch the first endpoint until it serves")
        if not account.writable:
            found.append("this account is connected read-only: the deployment will be refused")
    if serverless:
        if not serverless.provisioned:
            found.append("nothing is kept ready: after a quiet time the first request waits for a process to start")
        return found
    if price.amount is None:
        found.append(f"the cost is unknown: {price.why_unknown}")
    else:
        day = money(price.amount * 24, price.currency)
        found.append(f"an endpoint costs money whether or not it is asked: {day} a day")
        if price.is_estimate:
            found.append(f"the price is an estimate ({price.source})")
    of = hardware(instance_type)
    if of and of.gpu:
        found.append("the model runs on the processor: a GPU instance does the same for more")
    return found
