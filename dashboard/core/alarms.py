"""CloudWatch alarms that have gone off: somebody asked to be told of it, so that the first page tells it too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboard.core.aws import Aws

TRACKING = "TargetTracking-"
"""What the alarms of Application Auto Scaling are called by. They work a policy, and one of each pair is in ALARM
whenever nobody asks: that is how a policy scales in. Source: Application Auto Scaling User Guide, "Target tracking"."""


@dataclass(frozen=True)
class Alarm:
    """An alarm in the state ALARM. dimensions: of the metric that it watches, {} for one of several metrics."""

    name: str
    why: str
    since: datetime | None = None
    metric: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        """The SageMaker endpoint that it watches, "" for none."""
        return self.dimensions.get("EndpointName", "")

    @property
    def function(self) -> str:
        """The Lambda function that it watches, "" for none."""
        return self.dimensions.get("FunctionName", "")


def ringing(aws: Aws) -> tuple[Alarm, ...]:
    """Alarms in ALARM, the newest first, without those that work a scaling policy. Raises the errors of `Aws.call`."""
    found = []
    for page in aws.pages(
        "cloudwatch", "DescribeAlarms", StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    ):
        told = [*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())]
        found += [_alarm(one) for one in told if not one["AlarmName"].startswith(TRACKING)]
    return tuple(sorted(found, key=lambda one: (-one.since.timestamp() if one.since else 0.0, one.name)))


def _alarm(told: Mapping[str, Any]) -> Alarm:
    return Alarm(
        told["AlarmName"],
        told.get("StateReason", ""),
        told.get("StateUpdatedTimestamp"),
        told.get("MetricName", ""),
        {one["Name"]: one["Value"] for one in told.get("Dimensions", ())},
    )
