"""How a variant scales now, read in two rounds of calls side by side."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import CredentialsProblem, KennelError, NotFound, Unreachable
from dashboard.core.parallel import gather
from dashboard.core.serving.model import EndpointStatus
from dashboard.core.serving.scaling import parse
from dashboard.core.serving.scaling.policy import Settings
from dashboard.core.serving.scaling.scaling import Alarm, Scaling
from dashboard.core.serving.scaling.variant import NAMESPACE, Kind, Variant

SERVICE = "application-autoscaling"
MOST_ACTIVITIES = 50
ALARMS = 100
"""Names that DescribeAlarms takes at a time."""

Answer = list[dict[str, Any]]


def read(aws: Aws, endpoint: str, variant: str = "") -> Scaling:
    """All that scales a variant; "" is the endpoint's first one.

    Raises NotFound when there is no such endpoint or variant. A part that cannot be read (no right to it, a service
    that is not there) is named in `unread`, and the rest is told.
    """
    told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=endpoint)
    listed = _variants(aws, told)
    chosen = next((one for one in listed if not variant or one["VariantName"] == variant), None)
    if chosen is None:
        known = ", ".join(str(one["VariantName"]) for one in listed)
        raise NotFound(f"the endpoint {endpoint} has no variant {variant}", f"it has {known}" if known else "")
    resource = f"endpoint/{endpoint}/variant/{chosen['VariantName']}"
    asks: dict[str, Callable[[], Answer]] = {
        "auto scaling": lambda: _all(aws, "DescribeScalableTargets", "ScalableTargets", ResourceIds=[resource]),
        "its policies": lambda: _all(aws, "DescribeScalingPolicies", "ScalingPolicies", ResourceId=resource),
        "scheduled actions": lambda: _all(aws, "DescribeScheduledActions", "ScheduledActions", ResourceId=resource),
        "activities": lambda: _activities(aws, resource),
        "its configuration": lambda: _config(aws, told["EndpointConfigName"]),
        "its tags": lambda: [tags.of_sagemaker(aws, told["EndpointArn"])],
    }
    found, unread = _each(asks)
    name = str(chosen["VariantName"])
    configured = next((one for one in found["its configuration"] if one.get("VariantName") == name), {})
    marks = found["its tags"][0] if found["its tags"] else {}
    about = _variant(told, chosen, configured, marks)
    of_it = [one for one in found["auto scaling"] if one["ScalableDimension"] == about.kind.dimension]
    target = of_it[0] if of_it else None
    is_known = not {one.what for one in unread} & {"auto scaling", "its policies", "scheduled actions"}
    settings = None
    if target is not None and is_known:
        tracking, steps = parse.policies(_of(about, found["its policies"]))
        actions = parse.scheduled(_of(about, found["scheduled actions"]))
        settings = Settings(int(target["MinCapacity"]), int(target["MaxCapacity"]), tracking, steps, actions)
    alarms, alarms_unread = _alarms(aws, settings)
    return Scaling(
        about,
        settings,
        alarms,
        parse.activities(_of(about, found["activities"])),
        parse.suspended(target or {}),
        (*unread, *alarms_unread),
        is_known,
        target.get("CreationTime") if target else None,
        tuple(str(one["VariantName"]) for one in listed),
    )


def _each(asks: Mapping[str, Callable[[], Answer]]) -> tuple[dict[str, Answer], tuple[Unread, ...]]:
    """What each part answers, side by side; one that cannot be read is empty, and named with its problem."""

    def one(what: str) -> Answer | KennelError:
        try:
            return asks[what]()
        except (Unreachable, CredentialsProblem):
            raise
        except KennelError as problem:
            return problem

    answers = dict(zip(asks, gather(one, list(asks)), strict=True))
    unread = tuple(Unread(what, told) for what, told in answers.items() if isinstance(told, KennelError))
    return {what: told if isinstance(told, list) else [] for what, told in answers.items()}, unread


def _all(aws: Aws, operation: str, key: str, **which: Any) -> Answer:
    pages = aws.pages(SERVICE, operation, ServiceNamespace=NAMESPACE, **which)
    return [one for page in pages for one in page[key]]


def _activities(aws: Aws, resource: str) -> Answer:
    """The newest, those that changed nothing among them. AWS lists six weeks of them, the newest first."""
    told = aws.call(
        SERVICE,
        "DescribeScalingActivities",
        ServiceNamespace=NAMESPACE,
        ResourceId=resource,
        MaxResults=MOST_ACTIVITIES,
        IncludeNotScaledActivities=True,
    )
    return list(told["ScalingActivities"])


def _config(aws: Aws, name: str) -> Answer:
    """The variants as they were configured; none when the configuration is gone: its endpoint may outlive it."""
    try:
        return list(aws.call("sagemaker", "DescribeEndpointConfig", EndpointConfigName=name)["ProductionVariants"])
    except NotFound:
        return []


def _variants(aws: Aws, told: Mapping[str, Any]) -> Answer:
    """Those that run; while an endpoint is being made AWS lists none, and its configuration knows them."""
    return list(told.get("ProductionVariants") or []) or _config(aws, told["EndpointConfigName"])


def _variant(
    told: Mapping[str, Any], running: Mapping[str, Any], configured: Mapping[str, Any], marks: Mapping[str, str]
) -> Variant:
    serverless = running.get("CurrentServerlessConfig") or configured.get("ServerlessConfig") or {}
    kind = Kind.REAL_TIME
    if serverless:
        kind = Kind.SERVERLESS
    elif told.get("AsyncInferenceConfig"):
        kind = Kind.ASYNCHRONOUS
    elif configured and not configured.get("ModelName"):
        kind = Kind.COMPONENTS  # its models come later, and are scaled one by one
    if serverless:
        wanted = running.get("DesiredServerlessConfig") or serverless
        current = int(serverless.get("ProvisionedConcurrency", 0))
        desired = int(wanted.get("ProvisionedConcurrency", 0))
    else:
        current = int(running.get("CurrentInstanceCount", 0))
        desired = int(running.get("DesiredInstanceCount", configured.get("InitialInstanceCount", current)))
    return Variant(
        told["EndpointName"],
        running["VariantName"],
        kind,
        EndpointStatus.of(told["EndpointStatus"]),
        str(configured.get("InstanceType", "")),
        current,
        desired,
        int(serverless.get("MemorySizeInMB", 0)),
        int(serverless.get("MaxConcurrency", 0)),
        tags.is_sample(marks),
        tags.is_kennels(marks),
    )


def _of(variant: Variant, told: Answer) -> Answer:
    return [one for one in told if one["ScalableDimension"] == variant.kind.dimension]


def _alarms(aws: Aws, settings: Settings | None) -> tuple[tuple[Alarm, ...], tuple[Unread, ...]]:
    policies = settings.policies if settings else ()
    policy_of = {name: policy.name for policy in policies for name in policy.alarms}
    try:
        return parse.alarms(_described(aws, list(policy_of)), policy_of), ()
    except (Unreachable, CredentialsProblem):
        raise
    except KennelError as problem:
        return (), (Unread("alarms", problem),)


def _described(aws: Aws, names: Sequence[str]) -> Answer:
    found: Answer = []
    for first in range(0, len(names), ALARMS):
        some = list(names[first : first + ALARMS])
        for page in aws.pages("cloudwatch", "DescribeAlarms", AlarmNames=some, AlarmTypes=["MetricAlarm"]):
            found += page["MetricAlarms"]
    return found
