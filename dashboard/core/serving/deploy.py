"""Deploy a trained model: plan → confirm → model, endpoint configuration, endpoint."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pprint import pformat
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import Quote, hourly
from dashboard.core.costs.waste import expiry
from dashboard.core.costs.waste import schedule as waste_schedule
from dashboard.core.costs.waste.expiry import Keep
from dashboard.core.errors import AccessDenied, AlreadyExists, InvalidInput, NotFound, Refused, ServiceFault
from dashboard.core.format import money, rate
from dashboard.core.runs.images import inference_image
from dashboard.core.runs.instances import hardware
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec_problems import INSTANCE, NAME, S3_URI
from dashboard.core.showcode import connection

ROLE = "KennelEndpoint"
VARIANT = "main"
COUNT = (1, 10)


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

    @property
    def summary(self) -> str:
        """The plan in one sentence."""
        if self.hourly.amount is None:
            cost = f"cost unknown ({self.hourly.why_unknown})"
        else:
            cost = f"{rate(self.hourly.amount, 'h', self.hourly.currency)} until it is deleted"
        return f"Serve {self.model_uri} as {self.name} on {self.count} × {self.instance_type}: {cost}."


def plan_deploy(
    model: Run | str,
    name: str,
    instance_type: str,
    *,
    account: Account,
    prices: PriceBook,
    token: str,
    count: int = 1,
    keep: Keep = Keep.NEVER,
    now: datetime | None = None,
) -> DeployPlan:
    """What serving a completed run's model (or the model.tar.gz at an S3 address) would do.

    keep: how long from `now` on it is wanted; it carries that as a tag, and is found as waste afterwards.

    Raises InvalidInput for a bad field, Refused for a run that has no model.
    """
    model_uri = _model_uri(model)
    _check(model_uri, name, instance_type, count)
    expires = keep.until(now) if now else None
    # of two plans that differ in how long it is kept, one must not be taken for the other
    order = tags.order(token, model_uri, name, instance_type, count, *((keep.value,) if expires else ()))
    made = f"{name[:54].rstrip('-')}-{order[:8]}"
    price = hourly(prices, Kind.ENDPOINT, instance_type, account.region, count)
    marks = tags.of_plan(order, "" if isinstance(model, str) else model.name)
    until = tags.listed(expiry.mark(expires))
    requests = _requests(name, made, model_uri, instance_type, count, account, marks, until)
    return DeployPlan(
        name=name,
        model_name=made,
        config_name=made,
        model_uri=model_uri,
        instance_type=instance_type,
        count=count,
        requests=requests,
        hourly=price,
        warnings=tuple(_warnings(account, instance_type, price)),
        code=_code(requests, account),
        order=order,
        expires=expires,
    )


def deploy(aws: Aws, plan: DeployPlan) -> str:
    """Make the planned endpoint and return its name; it is serving some time later.

    Sending the same plan again makes nothing twice and completes what an interruption left out. Raises AlreadyExists
    when the endpoint's name belongs to another one, and the errors of `Aws.call`.
    """
    for operation, parameters in plan.requests:
        try:
            aws.call("sagemaker", operation, **parameters)
        except AlreadyExists as taken:
            if operation == "CreateEndpoint":
                _check_ours(aws, plan, taken)
            # The model's and the configuration's names are made from the order: they are this plan's own.
        else:
            if operation == "CreateEndpoint":
                _cancel_schedule(aws, plan.name)
    return plan.name


def _cancel_schedule(aws: Aws, name: str) -> None:
    """A schedule that was to delete an earlier endpoint of this name must not meet the new one.

    Where there is no EventBridge Scheduler, or no right to it, Kennel scheduled nothing as whoever deploys.
    """
    with suppress(NotFound, ServiceFault, AccessDenied):
        aws.call("scheduler", "DeleteSchedule", Name=waste_schedule.name_of(name))


def _check_ours(aws: Aws, plan: DeployPlan, taken: AlreadyExists) -> None:
    told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=plan.name)
    if tags.of_sagemaker(aws, told["EndpointArn"]).get(tags.ORDER) != plan.order:
        raise AlreadyExists(
            f"there is already an endpoint named {plan.name}",
            "names are unique in an account and region",
            "choose another name, or delete that endpoint first",
        ) from taken


def _model_uri(model: Run | str) -> str:
    if isinstance(model, str):
        return model
    if not model.artifact_uri or not model.status.is_good:
        raise Refused(
            f"the run {model.name} has no model to deploy",
            f"it is {model.status.word}",
            "choose a run that has completed",
        )
    return model.artifact_uri


def _check(model_uri: str, name: str, instance_type: str, count: int) -> None:
    if not S3_URI.fullmatch(model_uri) or not model_uri.endswith(".tar.gz"):
        raise InvalidInput(
            "the model must be an address like s3://bucket/models/dogs/model.tar.gz",
            f'it is "{model_uri}"',
            "choose a completed run",
            field="model",
        )
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "the endpoint's name may have letters, digits and hyphens, at most 63 in all, no hyphen at either end",
            f'it is "{name}"' if name else "it is empty",
            "change the name",
            field="name",
        )
    if not INSTANCE.fullmatch(instance_type):
        raise InvalidInput(
            'the instance type must look like "ml.m5.large"',
            f'it is "{instance_type}"',
            "choose one from the list",
            field="instance_type",
        )
    if not COUNT[0] <= count <= COUNT[1]:
        raise InvalidInput(
            f"the number of instances must be between {COUNT[0]} and {COUNT[1]}",
            f"it is {count}",
            "choose a value in that range",
            field="count",
        )


def _requests(
    name: str,
    made: str,
    model_uri: str,
    instance_type: str,
    count: int,
    account: Account,
    marks: list[dict[str, str]],
    until: list[dict[str, str]],
) -> tuple[tuple[str, dict[str, Any]], ...]:
    container = {
        "Image": inference_image(account.region, instance_type),
        "ModelDataUrl": model_uri,
        # The archive brings its own code; this is how AWS's PyTorch image is told so.
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    variant = {
        "VariantName": VARIANT,
        "ModelName": made,
        "InstanceType": instance_type,
        "InitialInstanceCount": count,
        "InitialVariantWeight": 1.0,
    }
    return (
        (
            "CreateModel",
            {
                "ModelName": made,
                "ExecutionRoleArn": account.role_arn(ROLE),
                "PrimaryContainer": container,
                "Tags": marks,
            },
        ),
        (
            "CreateEndpointConfig",
            {"EndpointConfigName": made, "ProductionVariants": [variant], "Tags": marks},
        ),
        ("CreateEndpoint", {"EndpointName": name, "EndpointConfigName": made, "Tags": [*marks, *until]}),
    )


def _warnings(account: Account, instance_type: str, price: Quote) -> list[str]:
    found = []
    if not account.is_embedded:
        found.append("not yet run against a live account: watch the first endpoint until it serves")
        if not account.writable:
            found.append("this account is connected read-only: the deployment will be refused")
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


def _code(requests: tuple[tuple[str, dict[str, Any]], ...], account: Account) -> str:
    calls = {
        "CreateModel": "create_model",
        "CreateEndpointConfig": "create_endpoint_config",
        "CreateEndpoint": "create_endpoint",
    }
    steps = [
        f"sagemaker.{calls[operation]}(\n    **{pformat(parameters, width=100, sort_dicts=False, indent=1)}\n)"
        for operation, parameters in requests
    ]
    return "\n".join([connection(account, "sagemaker"), *steps]) + "\n"
