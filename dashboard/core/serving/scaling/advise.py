"""What AWS takes and a person should know before it is applied. Pure."""

from collections.abc import Iterable

from dashboard.core.format import duration
from dashboard.core.serving.scaling.around import ROLE, Around
from dashboard.core.serving.scaling.policy import Settings, Tracked
from dashboard.core.serving.scaling.variant import Kind, Variant

START_TAKES = 240
"""Seconds that a new instance takes until it answers where nothing was measured: an assumption, AWS says "minutes"."""


def advise(settings: Settings, variant: Variant, around: Around, starts_in: float | None = None) -> tuple[str, ...]:
    """Sentences, the weightiest first. `starts_in`: seconds that an instance of this endpoint takes to start."""
    return (
        tuple(_moves(settings, variant))
        + tuple(_limits(settings, variant, around))
        + tuple(_ways(settings, variant, starts_in))
    )


def _moves(settings: Settings, variant: Variant) -> Iterable[str]:
    """What happens as soon as it is applied."""
    inside = min(max(variant.desired, settings.minimum), settings.maximum)
    if inside != variant.desired and settings.minimum <= settings.maximum:
        yield (
            f"it has {variant.kind.many(variant.desired)} now, and is brought to {variant.kind.many(inside)} at once: "
            f"that is the {'minimum' if inside > variant.desired else 'maximum'}"
        )


def _limits(settings: Settings, variant: Variant, around: Around) -> Iterable[str]:
    if around.limit is not None and settings.maximum > around.limit:
        yield (
            f"the account's limit is {around.limit} of {variant.instance_type} for all endpoints together: AWS takes a "
            f"maximum of {settings.maximum}, and fails when it scales there. Ask for more in Service Quotas"
        )
    elif around.limit is None and around.limit_why:
        yield f"the account's limit of {variant.instance_type} was not checked: {around.limit_why}"
    if around.has_role is False and around.may_make_role is not False:
        unsure = f". Whether this identity may have it made was not checked: {around.role_why}"
        known = around.may_make_role or not around.role_why
        yield f"AWS makes the role {ROLE} in this account, as which it scales from then on{'' if known else unsure}"
    elif around.has_role is None and around.role_why:
        yield f"whether the role {ROLE} is there was not checked: {around.role_why}"


def _ways(settings: Settings, variant: Variant, starts_in: float | None) -> Iterable[str]:
    if not settings.policies and not settings.scheduled and settings.minimum < settings.maximum:
        yield "no policy and no scheduled action: nothing scales between the two ends"
    if settings.minimum == settings.maximum:
        yield f"minimum and maximum are both {settings.minimum}: policies have nothing to move"
    if variant.kind is Kind.ASYNCHRONOUS and not settings.minimum:
        yield (
            "from 0 instances only a step policy on HasBacklogWithoutCapacity starts one: the predefined metrics say "
            "nothing while no instance is there"
        )
    if settings.steps and settings.tracking:
        yield (
            "step and target tracking policies beside each other: the largest capacity wins, and a step policy may "
            "scale in before target tracking would"
        )
    if len(settings.tracking) > 1:
        yield "several target tracking policies: the largest capacity wins, and it scales in only when all agree"
    if any(one.tracked is not Tracked.CUSTOM for one in settings.tracking) and variant.kind is Kind.REAL_TIME:
        yield (
            "an endpoint without any request sends no metric: its alarms then have no data, and it does not scale in "
            "until there are requests again"
        )
    start = starts_in or START_TAKES
    shortest = min((one.scale_out_cooldown for one in settings.tracking), default=None)
    if shortest is not None and shortest < start and variant.kind is not Kind.SERVERLESS:
        said = f"{duration(start)}, as measured" if starts_in else "minutes"
        yield (
            f"a new instance takes {said}: it begins to help long after the alarm, while the cooldown of {shortest} s "
            "begins once it serves"
        )
    for one in settings.tracking:
        if not one.can_scale_in:
            yield f"the policy {one.name} never scales in: what it added stays, and costs, until it is taken away"
