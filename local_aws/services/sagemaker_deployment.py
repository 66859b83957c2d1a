"""SageMaker's DeploymentConfig: how UpdateEndpoint is to replace an endpoint's variants, checked and made a plan of.

Limits are those of the API reference (BlueGreenUpdatePolicy, TrafficRoutingConfig, CapacitySize, RollingUpdatePolicy);
botocore's model has only some of them, as words.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from local_aws.engine.deployment import Deployment, Step, canary, steps_of
from local_aws.engine.endpoint import Variant
from local_aws.errors import ServiceError

Config = Mapping[str, Any]


def plan(config: Config, variants: Sequence[Variant]) -> Deployment:
    """What a DeploymentConfig means for these variants; without a policy, everything at once.

    Raises ServiceError ValidationException.
    """
    blue_green, rolling = config.get("BlueGreenUpdatePolicy"), config.get("RollingUpdatePolicy")
    alarms = tuple(one["AlarmName"] for one in config.get("AutoRollbackConfiguration", {}).get("Alarms", ()))
    if blue_green and rolling:
        raise _wrong("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be used in a DeploymentConfig.")
    if rolling:
        return _rolling(rolling, variants, alarms)
    if blue_green:
        return _blue_green(blue_green, variants, alarms)
    return Deployment(alarms=alarms)


def _blue_green(policy: Config, variants: Sequence[Variant], alarms: tuple[str, ...]) -> Deployment:
    routing = policy["TrafficRoutingConfiguration"]
    wait, last = float(routing["WaitIntervalInSeconds"]), float(policy.get("TerminationWaitInSeconds", 0))
    sizes = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
    needed = sizes.get(routing["Type"])
    for member in sizes.values():
        if member in routing and member != needed:
            raise _wrong(f"{member} cannot be used with the traffic routing type {routing['Type']}.")
    if needed and needed not in routing:
        raise _wrong(f"The traffic routing type {routing['Type']} needs a {needed}.")
    steps: tuple[Step, ...]
    if routing["Type"] == "CANARY":
        steps = canary(_share(routing["CanarySize"], variants, "CanarySize", 0, 50), wait, last)
    elif routing["Type"] == "LINEAR":
        steps = steps_of(_share(routing["LinearStepSize"], variants, "LinearStepSize", 10, 50), wait, last)
    else:
        steps = (Step(1.0, last),)
    return Deployment(steps, longest=_longest(policy, steps), alarms=alarms)


def _rolling(policy: Config, variants: Sequence[Variant], alarms: tuple[str, ...]) -> Deployment:
    if any(one.serverless for one in variants):
        raise _wrong("RollingUpdatePolicy replaces instances, and a serverless variant has none.")
    batch = _share(policy["MaximumBatchSize"], variants, "MaximumBatchSize", 5, 50)
    back = policy.get("RollbackMaximumBatchSize")
    wait = float(policy["WaitIntervalInSeconds"])
    steps = steps_of(batch, wait, wait)
    share = _share(back, variants, "RollbackMaximumBatchSize", 0, 100) if back else 1.0
    return Deployment(steps, rolling=True, longest=_longest(policy, steps), back=share, alarms=alarms)


def _share(size: Config, variants: Sequence[Variant], member: str, low: float, high: float) -> float:
    """A CapacitySize as a part (0–1) of the variants' instances. Raises ServiceError out of `low` to `high` percent.

    One instance is always allowed: of fewer than three it is more than half already.
    """
    value: int = size["Value"]
    instances = sum(one.count for one in variants)
    if size["Type"] == "INSTANCE_COUNT":
        if not instances:
            raise _wrong(f"{member} of the type INSTANCE_COUNT cannot be used with a serverless variant.")
        percent = 100 * value / instances
    else:
        percent = float(value)
    single = size["Type"] == "INSTANCE_COUNT" and value == 1
    if not low <= percent <= high and not single:
        allowed = f"at most {high:g}" if not low else f"{low:g} to {high:g}"
        raise _wrong(
            f"{member} must be {allowed} percent of the variant's instances; {value} "
            f"{'instances are' if size['Type'] == 'INSTANCE_COUNT' else 'percent is'} not."
        )
    return min(percent / 100, 1.0)


def _longest(policy: Config, steps: Sequence[Step]) -> float | None:
    longest = policy.get("MaximumExecutionTimeoutInSeconds")
    if longest is None:
        return None
    waits = sum(step.wait for step in steps)
    if longest <= waits:
        raise _wrong(
            f"MaximumExecutionTimeoutInSeconds ({longest}) must be larger than the waits of the deployment together "
            f"({waits:g} s)."
        )
    return float(longest)


def _wrong(sentence: str) -> ServiceError:
    return ServiceError("ValidationException", sentence)
