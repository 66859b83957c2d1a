"""From how a variant scales to how it should: the calls in a safe order, the difference in words, and its cost. Pure.

Safe means that there is no moment without any policy, and none at which AWS refuses because an old one stands in the
way of a new one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from dashboard.core import tags
from dashboard.core.aws import Account
from dashboard.core.calls import Call, code
from dashboard.core.costs.prices import Kind as PriceKind
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quantities import MONTH_HOURS
from dashboard.core.costs.quote import Quote, hourly, unknown
from dashboard.core.format import duration, plain
from dashboard.core.serving.scaling import requests
from dashboard.core.serving.scaling.policy import Scheduled, Settings, StepPolicy, TargetTracking, Tracked
from dashboard.core.serving.scaling.scaling import Scaling, Suspended
from dashboard.core.serving.scaling.variant import Kind, Variant

NOTHING = "–"


@dataclass(frozen=True)
class Change:
    """One line of the difference, in words."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Cost:
    """What the variant costs each hour at its smallest and at its largest."""

    least: Quote
    most: Quote

    @staticmethod
    def monthly(quote: Quote) -> Decimal | None:
        """A month of 730 hours at that."""
        return None if quote.amount is None else quote.amount * MONTH_HOURS


@dataclass(frozen=True)
class ScalingPlan:
    """The calls that turn `before` into `after` (None: no auto scaling), to be confirmed; none when it is so."""

    variant: Variant
    before: Settings | None
    after: Settings | None
    calls: tuple[Call, ...]
    changes: tuple[Change, ...]
    cost: Cost
    code: str

    @property
    def removes(self) -> bool:
        return self.after is None


def plan(scaling: Scaling, after: Settings | None, account: Account, prices: PriceBook) -> ScalingPlan:
    """What changing a variant's settings would do; `after` None ends auto scaling."""
    variant, before = scaling.variant, scaling.settings
    calls = tuple(_calls(variant, before, after))
    ends = (after.minimum, after.maximum) if after else (variant.desired, variant.desired)
    return ScalingPlan(
        variant,
        before,
        after,
        calls,
        tuple(changes(before, after, variant.kind.noun)),
        Cost(*(at(variant, count, account.region, prices) for count in ends)),
        code(calls, account) if calls else "",
    )


def plan_suspend(scaling: Scaling, suspended: Suspended, account: Account) -> tuple[Call, str]:
    """The call that switches ways of scaling off or on again, and the same as a program."""
    call = requests.suspend(scaling.variant, suspended)
    return call, code([call], account)


def at(variant: Variant, count: int, region: str, prices: PriceBook) -> Quote:
    """What so many instances of a variant cost each hour."""
    if variant.kind is Kind.SERVERLESS:
        return unknown("no price for a serverless endpoint's provisioned concurrency in the price book")
    if not variant.instance_type:
        return unknown("the endpoint's configuration, which names the instance type, is gone")
    return hourly(prices, PriceKind.ENDPOINT, variant.instance_type, region, count)


def _calls(variant: Variant, before: Settings | None, after: Settings | None) -> Iterable[Call]:
    if after is None:
        if before is not None:
            yield requests.deregister(variant)
        return
    if before is None or (before.minimum, before.maximum) != (after.minimum, after.maximum):
        marks = {} if before else {tags.MADE_BY: tags.KENNEL, tags.ORDER: tags.order(variant.resource_id, after)}
        yield requests.register(variant, after.minimum, after.maximum, marks)
    old = {one.name: one for one in before.tracking} if before else {}
    new = {one.name: one for one in after.tracking}
    gone: list[TargetTracking | StepPolicy] = [one for name, one in old.items() if name not in new]
    kept_steps = {one.name for one in after.steps}
    gone += [one for one in (before.steps if before else ()) if one.name not in kept_steps]
    metrics = {_metric(one) for one in new.values()}
    # AWS takes one policy for a metric: the old one of another name goes before the new one comes
    blocking = [one for one in gone if isinstance(one, TargetTracking) and _metric(one) in metrics]
    yield from (requests.delete_policy(variant, one) for one in blocking)
    for name, policy in new.items():
        if name not in old or _plain(old[name]) != _plain(policy):
            yield requests.put_tracking(variant, policy)
    yield from (requests.delete_policy(variant, one) for one in gone if one not in blocking)
    acts = {one.name: one for one in before.scheduled} if before else {}
    wanted = {one.name: one for one in after.scheduled}
    yield from (requests.put_scheduled(variant, one) for name, one in wanted.items() if acts.get(name) != one)
    yield from (requests.delete_scheduled(variant, one) for name, one in acts.items() if name not in wanted)


def _metric(policy: TargetTracking) -> object:
    """What a policy tracks; of one that cannot be read its name, since nothing is known to be the same."""
    return policy.custom or (policy.name if policy.tracked is Tracked.CUSTOM else policy.tracked)


def _plain(policy: TargetTracking) -> TargetTracking:
    """A policy without the alarms that AWS made for it."""
    return replace(policy, alarms=())


def same(one: Settings | None, other: Settings | None) -> bool:
    """Whether two settings scale alike: the alarms that AWS made, and the order, are no matter."""
    return one == other if one is None or other is None else _sorted(one) == _sorted(other)


def _sorted(settings: Settings) -> Settings:
    return replace(
        settings,
        tracking=tuple(sorted((_plain(one) for one in settings.tracking), key=lambda one: one.name)),
        steps=tuple(sorted((replace(one, alarms=()) for one in settings.steps), key=lambda one: one.name)),
        scheduled=tuple(sorted(settings.scheduled, key=lambda one: one.name)),
    )


def changes(before: Settings | None, after: Settings | None, noun: str = "instances") -> Iterable[Change]:
    """What is different, line by line; nothing where both are the same. noun: what there is more or fewer of."""
    yield from _change(noun, _ends(before), _ends(after))
    old, new = _told(before), _told(after)
    for what in old:
        yield from _by_name(what, old[what], new[what])


def _told(settings: Settings | None) -> dict[str, dict[str, str]]:
    """By their sort and name, policies and scheduled actions in words."""
    of = settings or Settings(0, 0)
    return {
        "policy": {one.name: told(one) for one in of.tracking},
        "step policy": {one.name: steps(one) for one in of.steps},
        "scheduled action": {one.name: action(one) for one in of.scheduled},
    }


def _ends(settings: Settings | None) -> str:
    return "no auto scaling" if settings is None else f"{settings.minimum} to {settings.maximum}"


def _by_name(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterable[Change]:
    for name in dict.fromkeys((*old, *new)):
        yield from _change(f"{what} {name}", old.get(name, NOTHING), new.get(name, NOTHING))


def _change(what: str, before: str, after: str) -> Iterable[Change]:
    if before != after:
        yield Change(what, before, after)


def told(policy: TargetTracking) -> str:
    """A target tracking policy in words."""
    ways = f"waits {duration(policy.scale_out_cooldown)} after scaling out"
    ways += f", {duration(policy.scale_in_cooldown)} after scaling in" if policy.can_scale_in else ", never scales in"
    return f"{requests.words(policy)}, {ways}"


def steps(policy: StepPolicy) -> str:
    """A step policy in words: "+2 from 0 to 10, +4 above 10 over its alarm, waits 60 s"."""
    parts = []
    for one in policy.steps:
        between = f"from {plain(one.above)} " if one.above is not None else "from below "
        between += f"to {plain(one.below)}" if one.below is not None else "on"
        parts.append(f"{one.adjustment:+d}{_UNITS.get(policy.kind, '')} {between}")
    return f"{', '.join(parts) or 'no steps'} over its alarm, waits {duration(policy.cooldown)}"


_UNITS = {"PercentChangeInCapacity": " %"}


def action(one: Scheduled) -> str:
    """A scheduled action in words."""
    zone = "" if one.schedule.startswith("rate") else f" {one.timezone}"
    return f"{requests.limits(one)} at {one.schedule}{zone}"
