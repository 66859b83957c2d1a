"""Set a function's concurrency: the requests, in an order in which Lambda takes each of them."""

from collections.abc import Sequence
from decimal import Decimal

from dashboard.core.aws import Account
from dashboard.core.calls import Call
from dashboard.core.costs.prices import PriceBook
from dashboard.core.format import count, percent
from dashboard.core.serving.functions.concurrency import Concurrency, kept_ready_cost, of
from dashboard.core.serving.functions.concurrency_refusals import refuse
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.model import Architecture
from dashboard.core.serving.functions.plan import About, Plan, account_warnings, differences, ours, standing
from dashboard.core.serving.functions.scaled import Scaling, deregister_request, policy_request, register_request


def plan(details: Details, wanted: Concurrency, *, account: Account, prices: PriceBook) -> Plan:
    """What setting it takes, in an order in which Lambda takes each step; an empty plan when it is set already.

    Raises Refused for a function that Kennel did not make, and the first of `refuse`.
    """
    one, before = details.function, of(details, wanted.qualifier)
    ours(one, "change")
    problems = refuse(details, wanted)
    if problems:
        raise problems[0]
    which = {"FunctionName": one.name, "Qualifier": wanted.qualifier}
    scaled = details.scaled_of(wanted.qualifier)
    calls: list[Call] = []
    if scaled is not None and wanted.scaling is None:
        does = "ends its auto scaling; the alarms go with it"
        request = deregister_request(one.name, wanted.qualifier)
        calls.append(Call("application-autoscaling", "DeregisterScalableTarget", request, does))
    is_higher = wanted.reserved is None or (before.reserved is not None and wanted.reserved >= before.reserved)
    reserve = _reserve(one.name, before.reserved, wanted.reserved)
    ready: list[Call] = []
    if wanted.provisioned != before.provisioned and wanted.scaling is None:
        if wanted.provisioned:
            asked = {**which, "ProvisionedConcurrentExecutions": wanted.provisioned}
            does = f"keeps {count(wanted.provisioned, 'environment')} ready for {wanted.qualifier}"
            ready = [Call("lambda", "PutProvisionedConcurrencyConfig", asked, does)]
        else:
            does = f"keeps nothing ready for {wanted.qualifier} any more"
            ready = [Call("lambda", "DeleteProvisionedConcurrencyConfig", which, does)]
    # room first, what goes into it second; what is given up first, then the room that it had
    calls += [*reserve, *ready] if is_higher else [*ready, *reserve]
    if wanted.scaling is not None and wanted.scaling != before.scaling:
        calls += _scaling_calls(one.name, wanted.qualifier, wanted.scaling)
    return Plan(
        function=one.name,
        about=About.CONCURRENCY,
        title=f"Set the concurrency of {one.name}",
        button="Set concurrency",
        calls=tuple(calls),
        said=f"the concurrency of {one.name} is set",
        before=standing(details, About.CONCURRENCY),
        after=_after(details, wanted),
        changes=differences(
            (
                ("reserved", _none(before.reserved), _none(wanted.reserved)),
                ("kept ready", _ready_words(before), _ready_words(wanted)),
                ("auto scaling", _scaling_words(before.scaling), _scaling_words(wanted.scaling)),
            )
        ),
        warnings=(*_warnings(details, wanted), *account_warnings(account)),
        hourly=_hourly(details, wanted, account.region, prices),
    )


def _scaling_calls(function: str, qualifier: str, scaling: Scaling) -> list[Call]:
    service = "application-autoscaling"
    between = f"lets it scale between {scaling.minimum} and {scaling.maximum}"
    to = f"so that the busiest moment of a minute uses {percent(scaling.target)} of what is ready"
    return [
        Call(service, "RegisterScalableTarget", register_request(function, qualifier, scaling), between),
        Call(service, "PutScalingPolicy", policy_request(function, qualifier, scaling), to),
    ]


def _reserve(name: str, before: int | None, after: int | None) -> list[Call]:
    if before == after:
        return []
    if after is None:
        does = "takes its ceiling away: it shares the account's concurrency with the others"
        return [Call("lambda", "DeleteFunctionConcurrency", {"FunctionName": name}, does)]
    asked = {"FunctionName": name, "ReservedConcurrentExecutions": after}
    does = f"lets at most {after:,} run at once, and keeps these for it" if after else "stops it: every call is refused"
    return [Call("lambda", "PutFunctionConcurrency", asked, does)]


def _after(details: Details, wanted: Concurrency) -> str:
    kept = {each.qualifier: each.requested for each in details.provisioned if each.requested}
    if wanted.scaling is None:
        kept[wanted.qualifier] = wanted.provisioned
    scaled = [
        (each.qualifier, each.minimum, each.maximum, each.target)
        for each in details.scaled
        if each.qualifier != wanted.qualifier
    ]
    if wanted.scaling:
        scaled.append((wanted.qualifier, wanted.scaling.minimum, wanted.scaling.maximum, wanted.scaling.target))
    moved = {each[0] for each in scaled}
    left = sorted(each for each in kept.items() if each[1] and each[0] not in moved)
    return repr((wanted.reserved, left, sorted(scaled)))


def _hourly(details: Details, wanted: Concurrency, region: str, prices: PriceBook) -> Decimal | None:
    """What is kept ready costs an hour from then on; with auto scaling at least."""
    others = sum(each.requested for each in details.provisioned if each.qualifier != wanted.qualifier)
    number = others + (wanted.scaling.minimum if wanted.scaling else wanted.provisioned)
    arm = details.function.architecture is Architecture.ARM
    memory = details.function.memory_mb
    return kept_ready_cost(prices, region, memory_mb=memory, number=number, arm=arm, hours=Decimal(1))


def _warnings(details: Details, wanted: Concurrency) -> Sequence[str]:
    found = []
    if wanted.reserved == 0:
        found.append("reserved 0 stops the function: every invocation is refused until that is changed")
    if wanted.scaling:
        found.append(
            f"it scales on its own between {wanted.scaling.minimum} and {wanted.scaling.maximum}; up after about 3 min "
            "above the target, down after about 15 min below 90 % of it"
        )
    return found


def _ready_words(wanted: Concurrency) -> str:
    return str(wanted.provisioned) if wanted.scaling is None else "as auto scaling sets it"


def _scaling_words(scaling: Scaling | None) -> str:
    if scaling is None:
        return "none"
    return f"{scaling.minimum} to {scaling.maximum} at {percent(scaling.target)} of the maximum"


def _none(number: int | None) -> str:
    return "none" if number is None else f"{number:,}"
