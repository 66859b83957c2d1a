"""How requests go over to another model: at once, a few first, or step by step; and what takes it back. Pure.

Source: SageMaker Developer Guide, "Deployment guardrails"; ranges: API reference, DeploymentConfig.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboard.core import tags
from dashboard.core.errors import InvalidInput

WAIT = (0, 3600)
LONGEST = (600, 28_800)
CANARY_PERCENT, LINEAR_PERCENT = (1, 50), (10, 50)
STARTING = 1800
"""Seconds that the new instances may take to start, beside the waits, before the update is given up."""
PERIOD = 60


class Shift(StrEnum):
    """How requests go over, by AWS's name of it."""

    AT_ONCE = "ALL_AT_ONCE"
    CANARY = "CANARY"
    LINEAR = "LINEAR"

    @property
    def word(self) -> str:
        return _WORDS[self]


_WORDS = {Shift.AT_ONCE: "All at once", Shift.CANARY: "A few first", Shift.LINEAR: "Step by step"}


@dataclass(frozen=True)
class Guard:
    """What takes an update back: so many 5xx a minute, or a p90 of so many seconds in the model; None: not."""

    errors: int | None = 5
    latency: float | None = None

    @property
    def is_set(self) -> bool:
        return self.errors is not None or self.latency is not None


@dataclass(frozen=True)
class Rollout:
    """How an update is carried out. percent: of the capacity, the canary's or each step's; waits: seconds.

    `wait` follows each step but the last; `keep` is how long the old instances stay after that. In both the alarms are
    watched: of all at once, which is one step, only `keep` counts.
    """

    shift: Shift = Shift.AT_ONCE
    percent: int = 50
    wait: int = 300
    keep: int = 300
    guard: Guard = Guard()

    @property
    def steps(self) -> int:
        """In how many steps requests go over."""
        if self.shift is Shift.AT_ONCE:
            return 1
        return 2 if self.shift is Shift.CANARY else math.ceil(100 / self.percent)

    @property
    def overlap(self) -> int:
        """Seconds for which both fleets are there, watched and billed, beside the start of the new one."""
        return (self.steps - 1) * self.wait + self.keep

    @property
    def words(self) -> str:
        if self.shift is Shift.AT_ONCE:
            return "all requests go over at once"
        if self.shift is Shift.CANARY:
            return f"{self.percent} % go over first, the rest afterwards"
        return f"{self.percent} % at a time go over, in {self.steps} steps"


def check(asked: Rollout) -> None:
    """Raises InvalidInput, with the field, for what SageMaker would refuse."""
    for name, field, value in (
        ("wait after each step", "wait", asked.wait),
        ("time for which the old instances stay", "keep", asked.keep),
    ):
        if not WAIT[0] <= value <= WAIT[1]:
            raise InvalidInput(
                f"the {name} must be between {WAIT[0]} and {WAIT[1]} s", f"it is {value} s", "change it", field=field
            )
    if asked.shift is not Shift.AT_ONCE:
        low, high = CANARY_PERCENT if asked.shift is Shift.CANARY else LINEAR_PERCENT
        if not low <= asked.percent <= high:
            raise InvalidInput(
                f"a step must be between {low} and {high} % of the capacity",
                f"it is {asked.percent} %",
                "change it",
                field="percent",
            )
    if longest(asked) > LONGEST[1]:
        raise InvalidInput(
            "the update would take longer than SageMaker lets one take",
            f"{asked.steps - 1} waits of {asked.wait} s, {asked.keep} s with the old instances and time to start, "
            f"of {LONGEST[1]} s",
            "wait less, or in fewer steps",
            field="wait",
        )
    if asked.guard.errors is not None and asked.guard.errors < 1:
        raise InvalidInput("the number of errors must be 1 or more", "", "change it", field="errors")
    if asked.guard.latency is not None and asked.guard.latency <= 0:
        raise InvalidInput("the latency must be more than 0 s", "", "change it", field="latency")


def longest(asked: Rollout) -> int:
    """Seconds after which SageMaker gives the update up."""
    return max(LONGEST[0], asked.overlap + STARTING)


def config(asked: Rollout, alarms: Iterable[str]) -> dict[str, Any]:
    """DeploymentConfig of UpdateEndpoint; `alarms` are the names of those that take it back."""
    routing: dict[str, Any] = {"Type": asked.shift.value, "WaitIntervalInSeconds": asked.wait}
    if asked.shift is not Shift.AT_ONCE:
        member = "CanarySize" if asked.shift is Shift.CANARY else "LinearStepSize"
        routing[member] = {"Type": "CAPACITY_PERCENT", "Value": asked.percent}
    made: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": asked.keep,
            "MaximumExecutionTimeoutInSeconds": longest(asked),
        }
    }
    names = [{"AlarmName": name} for name in alarms]
    return made | ({"AutoRollbackConfiguration": {"Alarms": names}} if names else {})


def alarm_prefix(endpoint: str) -> str:
    """What the names of Kennel's alarms of an endpoint begin with."""
    return f"kennel-{endpoint}/"


def alarms(guard: Guard, endpoint: str, variants: Iterable[str]) -> list[dict[str, Any]]:
    """PutMetricAlarm's parameters, one a variant and condition. Putting one again changes nothing.

    A minute without requests is no reason to go back.
    """
    made = []
    for variant in variants:
        common = {
            "Namespace": "AWS/SageMaker",
            "Dimensions": [
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": variant},
            ],
            "Period": PERIOD,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "Tags": tags.listed({tags.MADE_BY: tags.KENNEL}),
        }
        if guard.errors is not None:
            made.append(
                {
                    "AlarmName": f"{alarm_prefix(endpoint)}{variant}/5xx",
                    "AlarmDescription": f"Takes an update of {endpoint} back: {guard.errors} errors in a minute",
                    "MetricName": "Invocation5XXErrors",
                    "Statistic": "Sum",
                    "Threshold": float(guard.errors),
                    **common,
                }
            )
        if guard.latency is not None:
            made.append(
                {
                    "AlarmName": f"{alarm_prefix(endpoint)}{variant}/latency",
                    "AlarmDescription": f"Takes an update of {endpoint} back: p90 in the model of {guard.latency:g} s",
                    "MetricName": "ModelLatency",
                    "ExtendedStatistic": "p90",
                    "Threshold": guard.latency * 1e6,
                    **common,
                }
            )
    return made
