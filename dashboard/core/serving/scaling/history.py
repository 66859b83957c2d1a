"""What a variant's scaling metric and its instances were over the last while, as CloudWatch and its activities tell."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.core import metrics
from dashboard.core.aws import Aws
from dashboard.core.metrics import Points, Statistic
from dashboard.core.serving.scaling.policy import CustomMetric, TargetTracking, Tracked
from dashboard.core.serving.scaling.scaling import Activity, Scaling

NAMESPACE = "AWS/SageMaker"
BINS = 180
"""Points of a chart: three hours of minutes, half an hour of ten seconds."""
FRESH_PERIODS, FRESH_SECONDS = 4, 20
"""A point that began so many periods ago, and so many seconds, is not of now: CloudWatch needs some to have it."""
METRICS = {
    Tracked.INVOCATIONS: CustomMetric(NAMESPACE, "InvocationsPerInstance", "Sum"),
    Tracked.CONCURRENT: CustomMetric(NAMESPACE, "ConcurrentRequestsPerModel", "Maximum"),
    Tracked.PROVISIONED: CustomMetric(NAMESPACE, "ServerlessProvisionedConcurrencyUtilization", "Maximum"),
}
"""What the predefined metrics are in CloudWatch (SageMaker Developer Guide, "Endpoint Invocation Metrics")."""


@dataclass(frozen=True)
class Tracking:
    """One tracked metric over time: `period` seconds a point, in the unit that its target has."""

    tracked: Tracked
    name: str
    points: Points
    period: float


@dataclass(frozen=True)
class History:
    """The last while of a variant, from `begin` to `end`. `instances`: how many answered, where requests tell it;
    `desired`: what scaling asked for, from each moment on; `latency`: mean seconds of a request in the model, `None`
    without requests.
    """

    begin: datetime
    end: datetime
    tracking: tuple[Tracking, ...] = ()
    instances: Points = ()
    desired: tuple[tuple[datetime, int], ...] = ()
    latency: float | None = None
    requests: float = 0.0

    @property
    def is_quiet(self) -> bool:
        """No request in all that time: no metric is sent, and so nothing scales, not even in."""
        return not self.requests

    def newest(self, tracking: Tracking) -> float | None:
        """What a metric is now; None where its newest point is of a while ago, and so says nothing of now."""
        if not tracking.points:
            return None
        at, value = tracking.points[-1]
        fresh = timedelta(seconds=max(FRESH_PERIODS * tracking.period, FRESH_SECONDS))
        return value if self.end - at <= fresh else None


def metric_of(policy: TargetTracking, endpoint: str, variant: str) -> CustomMetric | None:
    """The metric in CloudWatch that a policy tracks; None where that is not told (metric math)."""
    of = METRICS.get(policy.tracked)
    if of is None:
        return policy.custom
    return CustomMetric(of.namespace, of.name, of.statistic, (("EndpointName", endpoint), ("VariantName", variant)))


def read(aws: Aws, scaling: Scaling, policies: Sequence[TargetTracking], now: datetime, scale: float = 1.0) -> History:
    """The metrics of some policies, the variant's requests and its instances.

    scale: how many times faster than AWS alarms look here, and so how much less time a point stands for. Raises the
    errors of `Aws.call`.
    """
    endpoint, variant = scaling.variant.endpoint, scaling.variant.name
    watched = [(one, metric_of(one, endpoint, variant)) for one in policies]
    longest = max((one.tracked.period for one in policies), default=60)
    period = width_of(longest, scale)
    end = datetime.fromtimestamp(math.ceil(now.timestamp() / period) * period, UTC)
    begin = end - timedelta(seconds=BINS * period)
    asked: dict[str, Statistic] = {}
    for place, (policy, metric) in enumerate(watched):
        if metric is not None:
            asked[f"m{place}"] = statistic(metric, fine(policy.tracked.period, scale))
    dimensions = (("EndpointName", endpoint), ("VariantName", variant))
    for name, metric_name in (
        ("share", "InvocationsPerInstance"),
        ("count", "Invocations"),
        ("latency", "ModelLatency"),
    ):
        asked[name] = Statistic(NAMESPACE, metric_name, dimensions, "Sum", fine(60, scale))
    found = dict(zip(asked, metrics.read(aws, list(asked.values()), begin, end), strict=True))
    tracking = []
    for place, (policy, metric) in enumerate(watched):
        width = width_of(policy.tracked.period, scale)
        points = _whole(binned(found.get(f"m{place}", ()), width, metric.statistic if metric else "Sum"), width, now)
        tracking.append(Tracking(policy.tracked, policy.name, points, width))
    minute = width_of(60, scale)
    count, share = (_whole(binned(found[name], minute, "Sum"), minute, now) for name in ("count", "share"))
    requests = sum(value for _, value in found["count"])
    busy = sum(value for _, value in found["latency"])
    return History(
        begin,
        end,
        tuple(tracking),
        answering(count, share),
        desired(scaling.activities, begin, end, scaling.variant.desired),
        busy / requests / 1e6 if requests else None,  # CloudWatch counts microseconds
        requests,
    )


def width_of(period: int, scale: float) -> float:
    """Real seconds that an alarm's period of so many takes here; none is shorter than CloudWatch's shortest, 1 s."""
    return period if scale == 1 else max(1.0, round(period / scale))


def fine(period: int, scale: float) -> int:
    """The period to ask CloudWatch for so that points can be put together to that width."""
    return period if scale == 1 else 1


def statistic(metric: CustomMetric, period: int) -> Statistic:
    """A metric as CloudWatch is asked for it, in periods of so many seconds."""
    return Statistic(metric.namespace, metric.name, metric.dimensions, metric.statistic, period, metric.unit)


def binned(points: Sequence[tuple[datetime, float]], width: float, statistic: str) -> Points:
    """Points put together to bins of `width` seconds, each dated to its begin, in order."""
    bins: dict[int, list[float]] = {}
    for moment, value in points:
        bins.setdefault(math.floor(round(moment.timestamp() / width, 6)), []).append(value)
    put = _TOGETHER.get(statistic, lambda several: sum(several) / len(several))
    return tuple((datetime.fromtimestamp(place * width, UTC), put(bins[place])) for place in sorted(bins))


def _whole(points: Points, width: float, now: datetime) -> Points:
    """The points of periods that are over: the one that goes on would look like a fall."""
    return tuple((at, value) for at, value in points if at + timedelta(seconds=width) <= now)


_TOGETHER: Mapping[str, Any] = {"Sum": sum, "SampleCount": sum, "Maximum": max, "Minimum": min}


def answering(count: Points, share: Points) -> Points:
    """How many instances answered: SageMaker sends 1/instances with each request, so that requests ÷ their sum are they
    ("InvocationsPerInstance", SageMaker Developer Guide). Nothing where there was no request.
    """
    shares = dict(share)
    return tuple((at, value / shares[at]) for at, value in count if shares.get(at))


def desired(
    activities: Sequence[Activity], begin: datetime, end: datetime, now: int
) -> tuple[tuple[datetime, int], ...]:
    """What scaling asked for, from each moment on; `now` at the end. Before the first activity it is not known."""
    known = [one for one in reversed(activities) if one.capacity is not None and one.status.is_done]
    steps = [(one.started, int(one.capacity or 0)) for one in known]
    before = [value for at, value in steps if at <= begin]
    within = [(at, value) for at, value in steps if begin < at <= end]
    return (*([(begin, before[-1])] if before else []), *within, (end, now))
