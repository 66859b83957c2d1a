"""What an account tells of a variant that a replay has to know: price, latency, and how long an instance takes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from dashboard.core import metrics
from dashboard.core.aws import Aws
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import Quote, hourly, unknown
from dashboard.core.errors import KennelError
from dashboard.core.format import count, duration
from dashboard.core.serving.measure import knee
from dashboard.core.serving.measure.result import Measurement
from dashboard.core.serving.scaling.recorded import statistic
from dashboard.core.serving.scaling.replay import START_SECONDS
from dashboard.core.serving.scaling.scaling import Activity, Scaling

LATENCY, PLACES, QUEUE = 0.05, 1.0, 64
"""Assumed of an instance of which nothing is known: seconds for a photo, photos at once, photos that may wait."""
HOUR = 3600
PAST = timedelta(days=1)
LONGEST_START = 1800.0
"""Seconds. An endpoint that was modified later after its creation has been updated since."""


@dataclass(frozen=True)
class Fact:
    """A number, and in words where it comes from."""

    value: float
    source: str
    is_assumed: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known of a variant. latency and start in seconds; places: photos at once on an instance; instances: how
    many serve now; config: its name."""

    instance_type: str
    instances: int
    price: Quote
    latency: Fact
    start: Fact
    places: Fact
    config: str = ""

    @property
    def hourly(self) -> Decimal | None:
        return self.price.amount


def read(aws: Aws, scaling: Scaling, prices: PriceBook, now: datetime) -> Facts:
    """What the account tells. A latency or start that it does not tell is assumed, and says so.

    Raises the errors of `Aws.call` for the endpoint itself.
    """
    variant = scaling.variant
    told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=variant.endpoint)
    price = (
        hourly(prices, Kind.ENDPOINT, variant.instance_type, aws.account.region)
        if variant.instance_type
        else unknown("it has no instances")
    )
    return Facts(
        variant.instance_type,
        max(variant.current, 1),
        price,
        _latency(aws, variant.endpoint, variant.name, now),
        start(scaling.activities, told, aws.account.time_scale),
        Fact(PLACES, "assumed: Measure finds it", is_assumed=True),
        told["EndpointConfigName"],
    )


def with_measured(known: Facts, measured: Sequence[Measurement]) -> Facts:
    """What the newest measurement of this configuration tells of an instance, in place of what was known of it."""
    newest = next((one for one in measured if one.config == known.config), None)
    found = knee.service(newest) if newest else None
    if newest is None or found is None:
        return known
    source = f"measured {newest.at:%Y-%m-%d %H:%M} UTC"
    return replace(known, latency=Fact(found.latency, source), places=Fact(found.places, source))


def start(activities: Sequence[Activity], endpoint: dict[str, Any], time_scale: float = 1.0) -> Fact:
    """How long an instance takes: the median of what auto scaling added before, else what creating the endpoint took.

    endpoint: DescribeEndpoint's answer. time_scale: a wait of the embedded AWS is so many times longer on AWS.
    """
    added = _added(activities)
    faster = f", times {time_scale:g} because waiting goes so much faster here" if time_scale > 1 else ""
    if added:
        of = count(len(added), "time", "times")
        return Fact(median(added) * time_scale, f"measured: instances were added {of} before{faster}")
    took = (endpoint["LastModifiedTime"] - endpoint["CreationTime"]).total_seconds()
    if endpoint["EndpointStatus"] == "InService" and 0 < took <= LONGEST_START:
        return Fact(took * time_scale, f"measured: the endpoint took {duration(took)} to be created{faster}")
    return Fact(START_SECONDS, "assumed: nothing was measured of this endpoint, AWS says minutes", is_assumed=True)


def _added(activities: Sequence[Activity]) -> list[float]:
    """Seconds of each activity that ended well with more instances than the one before it left."""
    done = sorted(
        (one for one in activities if one.status.is_done and one.ended and one.capacity is not None),
        key=lambda one: one.started,
    )
    found: list[float] = []
    for before, one in zip([None, *done], done, strict=False):
        is_out = "AlarmHigh" in one.cause if before is None else (one.capacity or 0) > (before.capacity or 0)
        if is_out and one.ended:
            found.append((one.ended - one.started).total_seconds())
    return found


def _latency(aws: Aws, endpoint: str, variant: str, now: datetime) -> Fact:
    """The median of the hourly medians of ModelLatency, which CloudWatch has in microseconds."""
    asked = statistic("ModelLatency", endpoint, variant, "p50", HOUR)
    try:
        (points,) = metrics.read(aws, [asked], now - PAST, now)
    except KennelError as problem:
        return Fact(LATENCY, f"assumed: CloudWatch did not tell it ({problem.what})", is_assumed=True)
    values = [value for _, value in points if value > 0]
    if not values:
        return Fact(LATENCY, "assumed: nobody asked this endpoint in the last day", is_assumed=True)
    return Fact(median(values) / 1e6, "CloudWatch: the median of ModelLatency in the last day")
