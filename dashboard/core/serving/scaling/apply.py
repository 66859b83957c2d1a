"""Carry out a confirmed plan: look at how things are once more, then only what is still to be done."""

from dataclasses import replace

from dashboard.core.aws import Aws
from dashboard.core.calls import send
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import Refused
from dashboard.core.serving.scaling.plan import ScalingPlan, plan, same
from dashboard.core.serving.scaling.policy import Settings
from dashboard.core.serving.scaling.read import read


def apply(aws: Aws, planned: ScalingPlan, prices: PriceBook) -> str:
    """Make it so; a sentence that says it is. Sending a plan twice, or after half of it, changes nothing more.

    Raises Refused when somebody else has changed the settings since, and the errors of `Aws.call`.
    """
    variant = planned.variant
    now = read(aws, variant.endpoint, variant.name)
    if not now.is_known:
        raise now.unread[0].problem
    if not _is_between(now.settings, planned.before, planned.after):
        raise Refused(
            f"the auto scaling of {variant.endpoint} was changed in the meantime",
            "its settings are neither those that this plan was made from nor a part of what it makes",
            "close this dialog and look at the settings again",
        )
    for call in plan(now, planned.after, aws.account, prices).calls:
        send(aws, call)
    if planned.after is None:
        return f"{variant.endpoint} scales no more: it stays at {variant.kind.many(now.variant.desired)}"
    if same(planned.before, planned.after):
        return f"{variant.endpoint} scales as it did"
    return f"{variant.endpoint} scales between {planned.after.minimum} and {variant.kind.many(planned.after.maximum)}"


def _is_between(now: Settings | None, before: Settings | None, after: Settings | None) -> bool:
    """Whether each part is as it was before the plan, or as it makes it: so a plan that was cut off goes on."""
    if same(now, before) or same(now, after):
        return True
    if now is None or after is None:
        return False
    parts, old, new = (_parts(one) for one in (now, before, after))
    return all(parts.get(name) in (old.get(name), new.get(name)) for name in {*parts, *old, *new})


def _parts(settings: Settings | None) -> dict[str, object]:
    if settings is None:
        return {}
    found: dict[str, object] = {"ends": (settings.minimum, settings.maximum)}
    found |= {f"policy {one.name}": replace(one, alarms=()) for one in settings.policies}
    found |= {f"scheduled {one.name}": one for one in settings.scheduled}
    return found
