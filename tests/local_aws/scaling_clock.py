"""The embedded scaler with a clock of its own: real alarms, policies and activities, hours in a moment.

Only the fleet is played: a variant whose new instances serve after so many seconds, asked so many times a second.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.pace import AS_AWS, Pace
from local_aws.protocol import Caller
from local_aws.services.application_autoscaling import ApplicationAutoScaling
from local_aws.services.application_autoscaling_capacity import Reading
from local_aws.services.application_autoscaling_request import FUNCTION, INSTANCES, Resource, invalid
from local_aws.services.cloudwatch import CloudWatch
from local_aws.services.cloudwatch_alarms_states import Transitions
from local_aws.services.cloudwatch_alarms_store import AlarmStore
from local_aws.services.cloudwatch_alarms_watch import LAG, Watch
from local_aws.services.cloudwatch_store import Datum, MetricStore
from local_aws.store import Store

CALLER = Caller(ACCOUNT, "us-east-1", "AKIA", f"arn:aws:iam::{ACCOUNT}:root")
ENDPOINT, VARIANT = "dogs", "AllTraffic"
RESOURCE = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{ENDPOINT}/variant/{VARIANT}",
    "ScalableDimension": INSTANCES.name,
}
FUNCTION_RESOURCE = {
    "ServiceNamespace": "lambda",
    "ResourceId": "function:classify:live",
    "ScalableDimension": FUNCTION.name,
}
MIDNIGHT = 1_800_000_000.0 // 86_400 * 86_400


@dataclass
class PlayedFleet:
    """A variant that is there: `desired` instances, of which `running` serve. starts: real seconds of a new one."""

    starts: float = 0.0
    desired: int = 1
    running: int = 1
    due: float | None = None
    gone: bool = False
    refusal: str = ""  # what it says to the next change
    failure: str = ""  # why it never gets there
    undone: str = ""  # why it is as it was before
    asked: list[int] = field(default_factory=list)
    now: float = 0.0

    def check(self, resource: Resource) -> None:
        if self.gone:
            raise invalid(f"{resource.id} is not there")

    def read(self, resource: Resource) -> Reading | None:
        return None if self.gone else Reading(self.desired, self.due is None, self.failure, self.undone)

    def set(self, resource: Resource, number: int) -> None:
        if self.refusal:
            raise ServiceError("ResourceLimitExceeded", self.refusal)
        self.asked.append(number)
        self.due = self.now + (self.starts if number > self.running else 0.0)
        self.desired = number

    def tick(self, now: float) -> None:
        self.now = now
        if self.due is not None and now >= self.due:
            self.running, self.due = self.desired, None


class Topics:
    """SNS, as far as alarms see it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.refusal = ""

    def publish_as(self, service: str, source: str, topic_arn: str, subject: str, message: str) -> str:
        if self.refusal:
            raise ServiceError("AuthorizationError", self.refusal, 403)
        self.told.append((topic_arn, subject, message))
        return "id"


class ClockWorld:
    """The services over a folder; a second one over the same folder is what a restarted server finds."""

    def __init__(
        self, folder: Path, *, pace: Pace = AS_AWS, fleet: PlayedFleet | None = None, now: float = MIDNIGHT
    ) -> None:
        self.now = now
        self.began = now
        self.pace = pace
        self.fleet = fleet or PlayedFleet(now=now)
        self.topics = Topics()
        self._store = Store(folder)
        self.metrics = MetricStore(folder / "metrics", fine=pace.scale > 1)
        self.alarms = AlarmStore(self._store)
        states = Transitions(self.alarms, self.topics, lambda: self.now)
        self.watch = Watch(states, self.metrics, lambda: self.now, pace=pace)
        self.cloudwatch = CloudWatch(self.metrics, states, now=lambda: self.now)
        dimensions = dict.fromkeys((INSTANCES.name, FUNCTION.name), self.fleet)
        self.scaling = ApplicationAutoScaling(
            self._store, self.watch, dimensions, lambda name: f"arn:role/{name}", now=lambda: self.now, pace=pace
        )
        self.history: list[tuple[float, int]] = [(0.0, self.fleet.desired)]

    def close(self) -> None:
        self.metrics.close()
        self._store.close()

    def ask(self, operation: str, **params: Any) -> dict[str, Any]:
        """An operation of Application Auto Scaling on the played variant."""
        of = {} if operation.startswith("describe") or "tag" in operation else RESOURCE
        found: dict[str, Any] = getattr(self.scaling, operation)(of | params, CALLER) or {}
        return found

    def watching(self, operation: str, **params: Any) -> dict[str, Any]:
        """An operation of CloudWatch."""
        found: dict[str, Any] = getattr(self.cloudwatch, operation)(params, CALLER)
        return found

    def register(self, low: int = 1, high: int = 3) -> None:
        self.ask("register_scalable_target", MinCapacity=low, MaxCapacity=high)

    def track(
        self,
        target: float,
        metric: str = "SageMakerVariantInvocationsPerInstance",
        *,
        name: str = "policy",
        cooldowns: tuple[int, int] = (30, 30),
        **more: Any,
    ) -> dict[str, Any]:
        """A target tracking policy. cooldowns: in and out, prescribed seconds."""
        config = {
            "TargetValue": target,
            "ScaleInCooldown": cooldowns[0],
            "ScaleOutCooldown": cooldowns[1],
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
        } | more
        return self.ask(
            "put_scaling_policy",
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=config,
        )

    def activities(self, **params: Any) -> list[dict[str, Any]]:
        """Newest first."""
        told = self.ask("describe_scaling_activities", ServiceNamespace="sagemaker", **params)
        return list(told["ScalingActivities"])

    def pass_time(self, seconds: float, per_second: float = 0.0, *, at_once: float | None = None) -> None:
        """Let real seconds go by, each with so many requests. at_once: requests that each instance has meanwhile.

        What is put is in the store at once; alarms look at it when their lag has passed.
        """
        end = self.now + seconds
        owed = 0.0
        while self.now < end:
            owed += per_second
            number = math.floor(owed + 1e-9)
            owed -= number
            self._measure(number, at_once)
            self.now += 1.0
            self.fleet.tick(self.now)
            self.watch.look()
            self.scaling.step()
            if self.fleet.desired != self.history[-1][1]:
                self.history.append((self.now - self.began, self.fleet.desired))

    def _measure(self, number: int, at_once: float | None) -> None:
        of = (("EndpointName", ENDPOINT), ("VariantName", VARIANT))
        data: list[Datum] = []
        if number:
            share = 1.0 / self.fleet.running
            data.append(Datum("InvocationsPerInstance", of, self.now, share, "Count", float(number)))
        if at_once is not None:
            data.append(Datum("ConcurrentRequestsPerModel", of, self.now, at_once, "Count"))
        self.metrics.put("us-east-1", "AWS/SageMaker", data, resolution=1)

    def put(self, name: str, value: float, namespace: str = "Mine") -> None:
        """A metric of one's own, at this moment."""
        self.metrics.put("us-east-1", namespace, [Datum(name, (), self.now, value)], resolution=1)


@contextmanager
def clock_world(folder: Path, **settings: Any) -> Iterator[ClockWorld]:
    made = ClockWorld(folder, **settings)
    try:
        yield made
    finally:
        made.close()


__all__ = ["LAG", "ClockWorld", "PlayedFleet", "clock_world"]
