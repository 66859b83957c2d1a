"""Which variant of an endpoint gets how much: weights and instances, planned and then set."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isclose
from typing import Any

from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call, code
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import Quote, hourly
from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.format import percent, plain
from dashboard.core.serving import parts, variant
from dashboard.core.serving.model import Endpoint, EndpointStatus


@dataclass(frozen=True)
class Share:
    """What one variant is to have: its weight, and its number of instances (ignored for a serverless one)."""

    weight: float
    count: int


@dataclass(frozen=True)
class WeightsPlan:
    """The one call, what it changes in words, and what the endpoint costs for an hour before and after."""

    endpoint: str
    call: Call
    changes: tuple[str, ...]
    before: Quote
    after: Quote
    code: str


def plan_weights(one: Endpoint, wanted: Mapping[str, Share], *, account: Account, prices: PriceBook) -> WeightsPlan:
    """What giving variants these weights and instances would do; variants that are not named stay as they are.

    Raises InvalidInput for what SageMaker would not take, Refused while the endpoint changes or when nothing would.
    """
    _check_status(one)
    after = []
    for each in one.variants:
        share = wanted.get(each.name, Share(each.desired_weight, each.desired))
        _check(each.name, share, is_serverless=each.serverless is not None)
        after.append(_with(each, share, prices, account.region))
    if not any(each.desired_weight > 0 for each in after):
        raise InvalidInput(
            "no variant would be asked", "all weights are 0", "give one of them a weight above 0", field="weight"
        )
    changes = _changes(one, after)
    if not changes:
        raise Refused("nothing would change", "weights and instances are as they are", "change one of them")
    call = Call("sagemaker", "UpdateEndpointWeightsAndCapacities", _asked(one, after), "; ".join(changes))
    return WeightsPlan(
        one.name,
        call,
        changes,
        variant.together(one.variants),
        variant.together(after),
        code([call], account),
    )


def set_weights(aws: Aws, plan: WeightsPlan) -> None:
    """Send the plan's call; nothing where the endpoint is as planned already, or on its way there.

    Raises the errors of `Aws.call`: InvalidInput when something else changes the endpoint.
    """
    told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=plan.endpoint)
    there = {one["VariantName"]: one for one in told.get("ProductionVariants", ())}
    wanted = plan.call.parameters["DesiredWeightsAndCapacities"]
    if not all(_is_so(there.get(one["VariantName"], {}), one) for one in wanted):
        aws.call(plan.call.service, plan.call.operation, **plan.call.parameters)


def _is_so(told: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether AWS wants of a variant what was asked; it keeps weights as numbers of 32 bits."""
    weight = told.get("DesiredWeight")
    instances = wanted.get("DesiredInstanceCount")
    return (
        weight is not None
        and isclose(weight, wanted["DesiredWeight"], rel_tol=1e-6)
        and instances in (None, told.get("DesiredInstanceCount"))
    )


def _check_status(one: Endpoint) -> None:
    if one.status is not EndpointStatus.IN_SERVICE:
        raise Refused(
            f"the endpoint {one.name} cannot be changed now",
            f"it is {one.status.word}",
            "wait until it serves, then try again",
        )


def _check(name: str, share: Share, *, is_serverless: bool) -> None:
    if not 0 <= share.weight <= 1_000_000:
        raise InvalidInput(
            f"the weight of {name} must be 0 or more", f"it is {share.weight:g}", "change it", field="weight"
        )
    if not is_serverless and not parts.COUNT[0] <= share.count <= parts.COUNT[1]:
        raise InvalidInput(
            f"the variant {name} must have between {parts.COUNT[0]} and {parts.COUNT[1]} instances",
            f"it is {share.count}",
            "a variant without instances cannot be: give it the weight 0 to ask it no more",
            field="count",
        )


def _with(each: variant.Variant, share: Share, prices: PriceBook, region: str) -> variant.Variant:
    if each.serverless:
        return replace(each, weight=share.weight, desired_weight=share.weight)
    price = hourly(prices, Kind.ENDPOINT, each.instance_type, region, share.count)
    return replace(
        each,
        weight=share.weight,
        desired_weight=share.weight,
        count=share.count,
        desired=share.count,
        hourly=price if each.instance_type else each.hourly,
    )


def _changes(one: Endpoint, after: list[variant.Variant]) -> tuple[str, ...]:
    shares = variant.shares(one.variants), variant.shares(after)
    found = []
    for old, new in zip(one.variants, after, strict=True):
        if new.desired != old.desired:
            found.append(f"{old.name}: {old.desired} → {new.desired} instances")
        if new.desired_weight != old.desired_weight:
            weight = f"{plain(old.desired_weight)} → {plain(new.desired_weight)}"
            part = f"{percent(shares[0][old.name])} → {percent(shares[1][old.name])} of the requests"
            found.append(f"{old.name}: weight {weight}, {part}")
    return tuple(found)


def _asked(one: Endpoint, after: list[variant.Variant]) -> dict[str, Any]:
    wanted: list[dict[str, Any]] = []
    for old, new in zip(one.variants, after, strict=True):
        asked: dict[str, Any] = {"VariantName": new.name, "DesiredWeight": new.desired_weight}
        if new.desired != old.desired:  # what is left out stays, whatever auto scaling has made of it meanwhile
            asked["DesiredInstanceCount"] = new.desired
        wanted.append(asked)
    return {"EndpointName": one.name, "DesiredWeightsAndCapacities": wanted}
