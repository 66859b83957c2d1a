"""The result of a load test, once its last answer is there."""

from datetime import datetime

from dashboard.core.aws import Aws
from dashboard.core.serving.measure.plan import Plan
from dashboard.core.serving.measure.result import Level, Measurement


def finish(aws: Aws, plan: Plan, levels: tuple[Level, ...], ended: str, now: datetime) -> Measurement:
    """What was measured, of which configuration and of how many instances by now. Raises the errors of `Aws.call`."""
    told = aws.call("sagemaker", "DescribeEndpoint", EndpointName=plan.endpoint)
    running = {one["VariantName"]: one for one in told.get("ProductionVariants", [])}
    after = int(running.get(plan.variant, {}).get("CurrentInstanceCount", plan.instances))
    return Measurement(
        plan.endpoint,
        plan.variant,
        now,
        told["EndpointConfigName"],
        plan.instance_type,
        plan.instances,
        after,
        levels,
        ended,
    )
