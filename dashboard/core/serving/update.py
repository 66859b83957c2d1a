"""Another model for an endpoint that serves: planned, shown, sent, and taken back by SageMaker when an alarm says so.

A change makes a new configuration out of the present one; SageMaker brings up its instances beside the old ones,
sends the requests over, and ends the old ones (blue/green).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call, code
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quote import Quote
from dashboard.core.errors import AlreadyExists, InvalidInput, Refused
from dashboard.core.format import count, duration
from dashboard.core.serving import parts, rollout, variant
from dashboard.core.serving.model import Endpoint, EndpointStatus
from dashboard.core.serving.rollout import Rollout
from dashboard.core.serving.source import Source

KEPT = ("DataCaptureConfig", "KmsKeyId", "AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants",
        "ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation")  # fmt: skip
"""Members of a configuration that the new one keeps."""


class Kind(StrEnum):
    """What an update does."""

    REPLACE = "Replace the model"
    BESIDE = "Add a variant beside"
    REMOVE = "Remove a variant"


@dataclass(frozen=True)
class Change:
    """What is wanted. variant: whose model is replaced, or the name of the one that comes or goes.

    model: None when one goes. instance_type, count, weight: of one that comes beside; a weight beside those there.
    """

    kind: Kind
    variant: str
    model: Source | None = None
    instance_type: str = ""
    count: int = 1
    weight: float = 1.0


@dataclass(frozen=True)
class UpdatePlan:
    """An update, ready to be confirmed. `calls` in their order; the last one is UpdateEndpoint.

    `after` is what the endpoint costs for an hour then; `extra` what both fleets together cost more at most while
    requests go over, None where a price is unknown or nothing is started beside.
    """

    endpoint: str
    config_name: str
    words: str
    calls: tuple[Call, ...]
    before: Quote
    after: Quote
    extra: Decimal | None
    warnings: tuple[str, ...]
    code: str


def plan_update(
    aws: Aws, one: Endpoint, change: Change, asked: Rollout, *, prices: PriceBook, token: str
) -> UpdatePlan:
    """What an update would do. Reads the configuration that is there.

    Raises Refused while the endpoint changes, InvalidInput for a field that SageMaker would not take, NotFound when
    the configuration is gone.
    """
    check_status(one)
    _check(one, change)
    told = aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=one.config_name)
    order = tags.order(token, one.name, one.config_name, change, asked)
    made, account = parts.made_name(one.name, order), aws.account
    before = [_as_it_is(each, one) for each in told["ProductionVariants"]]
    variants = _changed(before, change, made)
    names = [each["VariantName"] for each in variants]
    has_guardrails = change.kind is Kind.REPLACE and not one.is_serverless
    if has_guardrails:
        rollout.check(asked)
    marks = tags.of_plan(order, change.model.run if change.model else "")
    marks += tags.listed({tags.PACKAGE: change.model.package if change.model else "", tags.REPLACES: one.config_name})
    calls: list[Call] = []
    if change.model is not None:
        machine = next((each for each in variants if each["VariantName"] == change.variant), {})
        model = parts.model(made, change.model.uri, str(machine.get("InstanceType", "")), account, marks)
        calls.append(Call("sagemaker", "CreateModel", model, f"makes a model of {change.model.uri}"))
    kept = {name: told[name] for name in KEPT if told.get(name)}
    config = {"EndpointConfigName": made, "ProductionVariants": variants, **kept, "Tags": marks}
    calls.append(Call("sagemaker", "CreateEndpointConfig", config, f"says what runs then: {', '.join(names)}"))
    sent: dict[str, Any] = {"EndpointName": one.name, "EndpointConfigName": made}
    if has_guardrails:
        alarms = rollout.alarms(asked.guard, one.name, names)
        calls += [Call("cloudwatch", "PutMetricAlarm", each, f"makes the alarm {each['AlarmName']}") for each in alarms]
        sent |= {
            # what auto scaling has made of them by then is kept: AWS's advice for endpoints that scale
            "RetainAllVariantProperties": True,
            "DeploymentConfig": rollout.config(asked, [each["AlarmName"] for each in alarms]),
        }
    calls.append(Call("sagemaker", "UpdateEndpoint", sent, "starts the new fleet and sends the requests over"))
    after = variant.together(variant.read(variants, (), prices, account.region))
    extra = _extra(after, asked) if has_guardrails else None
    return UpdatePlan(
        endpoint=one.name,
        config_name=made,
        words=_words(one, change, asked, has_guardrails=has_guardrails),
        calls=tuple(calls),
        before=one.hourly,
        after=after,
        extra=extra,
        warnings=tuple(_warnings(one, asked, aws.account, has_guardrails=has_guardrails)),
        code=code(calls, account),
    )


def update(aws: Aws, plan: UpdatePlan) -> None:
    """Carry the plan out: sent again it makes nothing twice, and an update that goes on already is left alone.

    Raises Refused when the endpoint is being changed by something else, and the errors of `Aws.call`.
    """
    told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=plan.endpoint)
    pending = told.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    if plan.config_name in (told["EndpointConfigName"], pending):
        return
    if told["EndpointStatus"] != EndpointStatus.IN_SERVICE:
        raise _busy(plan.endpoint, EndpointStatus.of(told["EndpointStatus"]))
    for call in plan.calls:
        # the names of a model and a configuration are made from the order: they are this plan's own
        with suppress(*((AlreadyExists,) if call.operation.startswith("Create") else ())):
            aws.call(call.service, call.operation, **call.parameters)


def check_status(one: Endpoint) -> None:
    """Raises Refused unless it serves and nothing is being changed."""
    if one.status is not EndpointStatus.IN_SERVICE:
        raise _busy(one.name, one.status)


def _busy(name: str, status: EndpointStatus) -> Refused:
    return Refused(
        f"the endpoint {name} cannot be updated now", f"it is {status.word}", "wait until it serves, then try again"
    )


def _check(one: Endpoint, change: Change) -> None:
    names = [each.name for each in one.variants]
    if change.kind is Kind.BESIDE:
        if not parts.VARIANT_NAME.fullmatch(change.variant):
            raise InvalidInput(
                "a variant's name may have letters, digits and hyphens, at most 63",
                f'it is "{change.variant}"',
                "change it",
                field="variant",
            )
        if change.variant in names:
            raise InvalidInput(
                f"there is already a variant {change.variant}", "", "choose another name", field="variant"
            )
        if change.weight < 0:
            raise InvalidInput("the weight must be 0 or more", f"it is {change.weight:g}", "change it", field="weight")
        if one.is_serverless:
            raise Refused(
                "a variant on instances cannot stand beside a serverless one",
                "SageMaker does not mix them in one endpoint",
                "deploy the other model as an endpoint of its own",
            )
        parts.check(change.instance_type, change.count, None)
    elif change.variant not in names:
        raise InvalidInput(
            f"the endpoint {one.name} has no variant {change.variant}",
            f"it has {', '.join(names)}",
            "choose one",
            field="variant",
        )
    elif change.kind is Kind.REMOVE and len(names) < 2:
        raise Refused(
            f"the variant {change.variant} is the only one", "an endpoint needs one", "delete the endpoint instead"
        )
    if change.kind is not Kind.REMOVE and change.model is None:
        raise InvalidInput("no model was chosen", "", "choose one", field="model")


def _as_it_is(told: Mapping[str, Any], one: Endpoint) -> dict[str, Any]:
    """A variant of the configuration with the weight and number of instances that it has now."""
    made = dict(told)
    now = next((each for each in one.variants if each.name == told["VariantName"]), None)
    if now is not None:
        made["InitialVariantWeight"] = now.desired_weight
        if "InitialInstanceCount" in made:
            made["InitialInstanceCount"] = max(1, now.desired)
    return made


def _changed(before: list[dict[str, Any]], change: Change, model_name: str) -> list[dict[str, Any]]:
    if change.kind is Kind.REMOVE:
        return [each for each in before if each["VariantName"] != change.variant]
    if change.kind is Kind.BESIDE:
        beside = parts.variant(
            change.variant, model_name, change.instance_type, change.count, None, weight=change.weight
        )
        return [*before, beside]
    return [{**each, "ModelName": model_name} if each["VariantName"] == change.variant else each for each in before]


def _extra(after: Quote, asked: Rollout) -> Decimal | None:
    """What the new instances cost while the old ones are still there, without the time that they take to start."""
    if after.amount is None:
        return None
    return after.amount * asked.overlap / 3600


def _words(one: Endpoint, change: Change, asked: Rollout, *, has_guardrails: bool) -> str:
    name = change.model.name if change.model else ""
    if change.kind is Kind.REMOVE:
        return f"{change.variant} goes; the other variants share its requests."
    if change.kind is Kind.BESIDE:
        return f"{name} comes beside as {change.variant}, with the weight {change.weight:g}."
    if not has_guardrails:
        return f"{change.variant} of {one.name} answers with {name}; all requests go over at once."
    watched = f"; for {duration(asked.overlap)} the old instances stay" if asked.overlap else ""
    return f"{change.variant} of {one.name} answers with {name}: {asked.words}{watched}."


def _warnings(one: Endpoint, asked: Rollout, account: Account, *, has_guardrails: bool) -> list[str]:
    found = []
    if not account.is_embedded:
        found.append("not yet run against a live account: watch the first update until it serves")
    if not has_guardrails:
        why = "serverless endpoints have no instances to keep" if one.is_serverless else "the variants are not the same"
        found.append(f"requests go over at once, and only new instances that do not start take it back: {why}")
        return found
    if not asked.guard.is_set:
        found.append("nothing is watched: only new instances that do not start take it back")
    elif not asked.overlap:
        found.append("the old instances go at once: there is no time in which an alarm could take it back")
    elif asked.overlap < rollout.PERIOD:
        found.append(f"an alarm looks at whole minutes: in {count(asked.overlap, 'second')} it may see nothing")
    return found
