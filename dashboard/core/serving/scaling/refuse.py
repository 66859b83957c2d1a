"""What AWS would reject, each with its reason, before anything is sent; and what it would take and one should know."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dashboard.core.errors import InvalidInput
from dashboard.core.serving.scaling.around import MAKE, PRINCIPAL, ROLE, Around
from dashboard.core.serving.scaling.policy import CustomMetric, Scheduled, Settings, TargetTracking, Tracked
from dashboard.core.serving.scaling.schedule import happens
from dashboard.core.serving.scaling.variant import Kind, Variant

STATISTICS = ("Average", "Minimum", "Maximum", "Sum", "SampleCount")
MOST_POLICIES, MOST_SCHEDULED = 50, 200
"""Of one scalable target (Application Auto Scaling User Guide, "Quotas")."""
MOST_COOLDOWN = 2**31 - 1
_NAME = re.compile(r"[ -~]{1,256}")
_ACTION_NAME = re.compile(r"(?! )[^\x00-\x1f\x7f-\x9f:/|]{1,256}(?<! )")
_NAMESPACE, _METRIC = re.compile(r"[^:].{0,254}"), re.compile(r".{1,255}")


@dataclass(frozen=True)
class Problem:
    """Something that AWS would not take. `field`: "minimum", "maximum", "target", "cooldown", "metric", "schedule" or
    "variant", the part of the form that it belongs to.
    """

    field: str
    what: str
    why: str
    next_step: str


def refuse(settings: Settings, variant: Variant, around: Around, now: datetime) -> tuple[Problem, ...]:
    """Why AWS would reject these settings for this variant; nothing when it would take them."""
    return (
        *_variant(variant, around),
        *_ends(settings, variant),
        *_policies(settings, variant),
        *_scheduled(settings, variant, now),
    )


def _variant(variant: Variant, around: Around) -> Iterable[Problem]:
    if variant.kind is Kind.COMPONENTS:
        yield Problem(
            "variant",
            f"the variant {variant.name} holds inference components",
            "each of these is scaled by its own copies, and not the variant",
            "scale the inference components where they were made",
        )
    if variant.is_burstable:
        yield Problem(
            "variant",
            f"instances of {variant.instance_type} cannot scale",
            "SageMaker does not support auto scaling for burstable instances: they earn credits while they idle, and "
            "so answer more under load by themselves",
            "deploy on a type without bursts, such as ml.m5.large or ml.c5.large",
        )
    if variant.status.is_bad or variant.status.is_going or variant.status.is_coming:
        yield Problem(
            "variant",
            f"the endpoint {variant.endpoint} is {variant.status.word}",
            "a variant can be registered once its endpoint is in service",
            "wait until it serves" if variant.status.is_coming else "deploy it again",
        )
    if variant.kind is Kind.SERVERLESS and not variant.desired:
        yield Problem(
            "variant",
            f"the serverless variant {variant.name} has no provisioned concurrency",
            "a serverless variant scales with its requests by itself; auto scaling moves provisioned concurrency only",
            "give it some in its configuration first, or leave it as it is",
        )
    if around.lacks_role:
        yield Problem(
            "variant",
            f"the role {ROLE} is missing",
            f"Application Auto Scaling acts as it and makes it when a variant is registered, for which this identity "
            f"lacks {MAKE}",
            f"ask somebody who may: aws iam create-service-linked-role --aws-service-name {PRINCIPAL}",
        )


def _ends(settings: Settings, variant: Variant) -> Iterable[Problem]:
    least, kind = settings.minimum, variant.kind
    if least < kind.least:
        why = {
            Kind.SERVERLESS: "provisioned concurrency has a minimum of 1",
        }.get(kind, "a real-time endpoint keeps at least 1 instance: without one, nobody would answer")
        yield Problem(
            "minimum",
            f"a minimum of {least} is too low",
            "fewer than none cannot be" if least < 0 else why,
            "set at least 1" if kind.least else "set 0 or more",
        )
    if settings.maximum < max(1, settings.minimum):
        yield Problem(
            "maximum",
            f"a maximum of {settings.maximum} is below "
            + (f"the minimum of {settings.minimum}" if settings.maximum < settings.minimum else "1"),
            "AWS wants the maximum to be at least the minimum, and at least 1",
            f"set a maximum of {max(1, settings.minimum)} or more",
        )
    if kind is Kind.SERVERLESS and variant.most and settings.maximum > variant.most:
        yield Problem(
            "maximum",
            f"a maximum of {settings.maximum} is above the variant's own",
            f"its MaxConcurrency is {variant.most}, and provisioned concurrency is a part of that",
            f"set at most {variant.most}, or deploy it with more",
        )


def _policies(settings: Settings, variant: Variant) -> Iterable[Problem]:
    for policy in settings.tracking:
        yield from _tracking(policy, variant)
    for tracked, times in Counter(
        one.tracked for one in settings.tracking if one.tracked is not Tracked.CUSTOM
    ).items():
        if times > 1:
            yield Problem(
                "metric",
                f"{times} policies track {tracked}",
                "a scalable target takes one target tracking policy for each predefined metric",
                "keep one of them",
            )
    customs = Counter(one.custom for one in settings.tracking if one.custom)
    for custom, times in customs.items():
        if times > 1:
            yield Problem(
                "metric",
                f"{times} policies track {custom.name}",
                "a scalable target takes one target tracking policy for each metric",
                "keep one of them",
            )
    names = Counter(one.name for one in settings.policies)
    for name, times in names.items():
        if times > 1:
            yield Problem(
                "metric", f"{times} policies are named {name}", "a name stands for one policy", "rename one of them"
            )
    if len(names) > MOST_POLICIES:
        yield Problem(
            "metric", f"{len(names)} policies are too many", f"AWS takes {MOST_POLICIES}", "remove some of them"
        )


def _tracking(policy: TargetTracking, variant: Variant) -> Iterable[Problem]:
    is_serverless = variant.kind is Kind.SERVERLESS
    if policy.tracked is not Tracked.CUSTOM and (policy.tracked is Tracked.PROVISIONED) is not is_serverless:
        yield Problem(
            "metric",
            f"the metric {policy.tracked} is not measured here",
            f"a {variant.kind} variant does not send it",
            f"choose {Tracked.PROVISIONED if is_serverless else Tracked.INVOCATIONS}",
        )
    if not math.isfinite(policy.target) or policy.target <= 0:
        yield Problem(
            "target",
            f"a target of {policy.target:g} cannot be kept",
            "the target is what one instance should have of the metric: more than 0",
            "set a target above 0",
        )
    elif policy.tracked is Tracked.PROVISIONED and policy.target > 1:
        yield Problem(
            "target",
            f"a target of {policy.target:g} is more than all",
            "utilisation is a share, from 0 to 1",
            "set a target such as 0.7",
        )
    for seconds, way in ((policy.scale_in_cooldown, "in"), (policy.scale_out_cooldown, "out")):
        if not 0 <= seconds <= MOST_COOLDOWN:
            yield Problem(
                "cooldown",
                f"a scale-{way} cooldown of {seconds} s cannot be",
                "a cooldown is a number of seconds from 0 on",
                "set 0 or more",
            )
    if not _NAME.fullmatch(policy.name):
        yield Problem(
            "metric", "a policy needs a name", "AWS takes 1 to 256 printable characters", "name it, in plain letters"
        )
    if policy.custom is not None:
        yield from _custom(policy.custom)


def _custom(metric: CustomMetric) -> Iterable[Problem]:
    for value, what, taken in ((metric.namespace, "namespace", _NAMESPACE), (metric.name, "name", _METRIC)):
        if not taken.fullmatch(value):
            yield Problem(
                "metric",
                f"the custom metric has no {what} that CloudWatch takes",
                "it is 1 to 255 characters" + (", and begins with no colon" if taken is _NAMESPACE else ""),
                f"copy the {what} from CloudWatch's list of metrics",
            )
    if metric.statistic not in STATISTICS:
        yield Problem(
            "metric",
            f"the statistic {metric.statistic or 'that is missing'} is none",
            f"AWS takes {', '.join(STATISTICS)}",
            "choose one of these",
        )
    names = [name for name, _ in metric.dimensions]
    if not all(name and value for name, value in metric.dimensions):
        yield Problem(
            "metric",
            "a dimension lacks its name or its value",
            "each is written Name=value",
            "write such as EndpointName=dogs, one a line",
        )
    if len(set(names)) < len(names) or len(names) > 30:
        yield Problem(
            "metric", "the dimensions cannot be told apart", "a metric has up to 30, each named once", "correct them"
        )


def _scheduled(settings: Settings, variant: Variant, now: datetime) -> Iterable[Problem]:
    for action in settings.scheduled:
        yield from _action(action, variant, now)
    for name, times in Counter(one.name for one in settings.scheduled).items():
        if times > 1:
            yield Problem(
                "schedule", f"{times} scheduled actions are named {name}", "a name stands for one", "rename one of them"
            )
    if len(settings.scheduled) > MOST_SCHEDULED:
        yield Problem(
            "schedule",
            f"{len(settings.scheduled)} scheduled actions are too many",
            f"AWS takes {MOST_SCHEDULED}",
            "remove some of them",
        )


def _action(action: Scheduled, variant: Variant, now: datetime) -> Iterable[Problem]:
    if not _ACTION_NAME.fullmatch(action.name):
        yield Problem(
            "schedule",
            "a scheduled action needs a name",
            "AWS takes up to 256 characters without : / and |, and no space at its ends",
            "name it, such as morning",
        )
    least, most = action.minimum, action.maximum
    if least is None and most is None:
        yield Problem(
            "schedule", f"the action {action.name} changes nothing", "it names no minimum and no maximum", "set one"
        )
    if least is not None and least < variant.kind.least:
        yield Problem(
            "schedule",
            f"the action {action.name} sets a minimum of {least}",
            f"a {variant.kind} variant keeps at least {variant.kind.least}",
            f"set {variant.kind.least} or more",
        )
    if most is not None and most < max(1, least or 0):
        yield Problem(
            "schedule",
            f"the action {action.name} sets a maximum of {most}",
            "AWS wants it to be at least the minimum, and at least 1",
            f"set {max(1, least or 0)} or more",
        )
    try:
        if not happens(action.schedule, action.timezone, now):
            yield Problem(
                "schedule",
                f"the action {action.name} never happens",
                f"no time of {action.schedule} is still to come",
                "give it one",
            )
    except InvalidInput as wrong:
        yield Problem("schedule", f"the action {action.name}: {wrong.what}", wrong.why, wrong.next_step)
    if action.start and action.end and action.start >= action.end:
        yield Problem(
            "schedule",
            f"the action {action.name} ends before it begins",
            "its end is not after its start",
            "correct one of them",
        )
