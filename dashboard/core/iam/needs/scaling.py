"""Application Auto Scaling, Service Quotas and EventBridge Scheduler."""

from collections.abc import Iterator

from dashboard.core.iam.needs.request import Needs, Request
from dashboard.core.iam.rights import Right

_TARGET = {
    "application-autoscaling:service-namespace": "ServiceNamespace",
    "application-autoscaling:scalable-dimension": "ScalableDimension",
}
_ON_TARGETS = """
    RegisterScalableTarget DeregisterScalableTarget PutScalingPolicy DeleteScalingPolicy PutScheduledAction
    DeleteScheduledAction
"""

AUTO_SCALING = Needs(
    prefix="application-autoscaling",
    base="arn:{partition}:application-autoscaling:{region}:{account}:",
    resources={
        "*": """
            DescribeScalableTargets DescribeScalingActivities DescribeScalingPolicies DescribeScheduledActions
            GetPredictiveScalingForecast
        """,
        "scalable-target/*": _ON_TARGETS,  # its id is made by AWS and is in no request
        "{ResourceARN}": "ListTagsForResource TagResource UntagResource",
    },
    contexts=dict.fromkeys(_ON_TARGETS.split(), _TARGET),
    tagging="TagResource",
)

QUOTAS = Needs(
    prefix="servicequotas",
    base="arn:{partition}:servicequotas:{region}:{account}:",
    resources={
        "*": """
            GetAWSDefaultServiceQuota GetRequestedServiceQuotaChange ListAWSDefaultServiceQuotas
            ListRequestedServiceQuotaChangeHistory ListServiceQuotas ListServices ListTagsForResource TagResource
            UntagResource
        """,
        "{ServiceCode}/{QuotaCode}": """
            GetServiceQuota ListRequestedServiceQuotaChangeHistoryByQuota RequestServiceQuotaIncrease
        """,
    },
    contexts={
        operation: {"servicequotas:service": "ServiceCode"}
        for operation in (
            "GetServiceQuota",
            "ListRequestedServiceQuotaChangeHistoryByQuota",
            "RequestServiceQuotaIncrease",
        )
    },
)


def _schedule(request: Request) -> Iterator[Right]:
    group, name = request.value("GroupName") or "default", request.value("Name") or "*"
    yield Right(f"scheduler:{request.operation}", request.arn("scheduler", f"schedule/{group}/{name}"))
    if request.operation != "DeleteSchedule":
        yield from request.passes(request.value("Target.RoleArn"), "scheduler.amazonaws.com")


SCHEDULER = Needs(
    prefix="scheduler",
    base="arn:{partition}:scheduler:{region}:{account}:",
    resources={
        "*": "ListSchedules ListScheduleGroups",
        "schedule-group/{Name}": "CreateScheduleGroup GetScheduleGroup DeleteScheduleGroup",
        "{ResourceArn}": "ListTagsForResource TagResource UntagResource",
    },
    tagging="TagResource",
    special=dict.fromkeys(("CreateSchedule", "GetSchedule", "UpdateSchedule", "DeleteSchedule"), _schedule),
)
