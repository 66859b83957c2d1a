"""A real fleet that is scaled while it is asked: an embedded AWS with a time scale, tiny servers, requests at will."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import bucket, create_endpoint, tiny_package, wait_for

VARIANT = "AllTraffic"
SAMPLED = 0.1  # seconds between looks at the fleet


class ScalingWorld:
    """An endpoint of one variant. scale: how many times faster waits go; times are real seconds since it was made."""

    def __init__(self, aws: Embedded, endpoint: str, scale: float) -> None:
        self.aws = aws
        self.endpoint = endpoint
        self.scale = scale
        self.resource = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }
        self.began = time.time()

    @property
    def scaling(self) -> Any:
        return self.aws.client("application-autoscaling")

    def register(self, low: int = 1, high: int = 3) -> None:
        self.scaling.register_scalable_target(MinCapacity=low, MaxCapacity=high, **self.resource)

    def track(
        self,
        target: float,
        metric: str = "SageMakerVariantInvocationsPerInstance",
        *,
        name: str = "policy",
        cooldowns: tuple[int, int] = (30, 30),
    ) -> None:
        """A target tracking policy. cooldowns: in and out, prescribed seconds."""
        self.scaling.put_scaling_policy(
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": target,
                "ScaleInCooldown": cooldowns[0],
                "ScaleOutCooldown": cooldowns[1],
                "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            },
            **self.resource,
        )

    def instances(self) -> tuple[int, int]:
        """How many there are, and are to be."""
        (variant,) = self.aws.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)["ProductionVariants"]
        return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]

    def activities(self) -> list[dict[str, Any]]:
        """Oldest first."""
        told = self.scaling.describe_scaling_activities(
            ServiceNamespace="sagemaker", ResourceId=self.resource["ResourceId"]
        )
        return list(reversed(told["ScalingActivities"]))

    def ask(self, per_second: float, seconds: float, body: bytes = b"x") -> tuple[int, int]:
        """Requests at an even rate, whatever they take; how many were answered and how many were refused."""
        runtime = self.aws.client("sagemaker-runtime", max_pool_connections=32)

        def once() -> bool:
            try:
                runtime.invoke_endpoint(EndpointName=self.endpoint, Body=body)["Body"].read()
            except ClientError:
                return False
            return True

        begun = time.monotonic()
        with ThreadPoolExecutor(16) as people:
            asked = []
            for number in range(round(per_second * seconds)):
                pause = begun + number / per_second - time.monotonic()
                if pause > 0:
                    time.sleep(pause)
                asked.append(people.submit(once))
            answered = sum(one.result() for one in asked)
        return answered, len(asked) - answered

    @contextmanager
    def asked(self, per_second: float) -> Iterator[None]:
        """Requests at an even rate for as long as the block takes."""
        ended = threading.Event()

        def go_on() -> None:
            while not ended.is_set():
                self.ask(per_second, 1.0)

        person = threading.Thread(target=go_on)
        person.start()
        try:
            yield
        finally:
            ended.set()
            person.join()

    @contextmanager
    def sampled(self) -> Iterator[list[tuple[float, int]]]:
        """(seconds since this was made, desired instances) whenever they change, for as long as the block takes."""
        found: list[tuple[float, int]] = []
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(SAMPLED):
                desired = self.instances()[1]
                if not found or found[-1][1] != desired:
                    found.append((time.time() - self.began, desired))

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield found
        finally:
            ended.set()
            watcher.join()

    def wait_for(self, desired: int, seconds: float) -> float:
        """Until so many instances serve and no activity goes on; the real seconds it took.

        Raises AssertionError when that is not so in time.
        """
        begun = time.monotonic()
        while time.monotonic() < begun + seconds:
            if self.instances() == (desired, desired) and all("EndTime" in one for one in self.activities()):
                return time.monotonic() - begun
            time.sleep(SAMPLED)
        raise AssertionError(f"{self.instances()} instances, not {desired}: {self.activities()}")


@contextmanager
def scaling_world(folder: Path, *, scale: float = 60, endpoint: str = "dogs", count: int = 1) -> Iterator[ScalingWorld]:
    """An embedded AWS whose waits go `scale` times faster, with an endpoint in service.

    A test may put another server in the place of `aws`; the one that is there at the end is stopped.
    """
    made = ScalingWorld(start_embedded(folder / "aws", "--time-scale", f"{scale:g}"), endpoint, scale)
    try:
        bucket(made.aws)
        create_endpoint(made.aws.client("sagemaker"), endpoint, tiny_package(folder / "package"), count=count)
        wait_for(made.aws.client("sagemaker"), endpoint, "InService")
        yield made
    finally:
        stop_embedded(made.aws)
