"""What takes a call back: for each operation, how to read what it changes, and the calls that bring that back.

It is read before the call is sent and again when the deed is over; both stand in the trail. What is made anew, such as
an endpoint, has a deletion of its own instead, and roles have records of their own (core/iam/replace).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.calls import Call
from dashboard.core.errors import NotFound

Asked = Mapping[str, Any]
State = dict[str, Any]
"""{} where the thing is not there."""
SCALING, FUNCTIONS, SERVING, MONEY = "application-autoscaling", "lambda", "sagemaker", "budgets"
TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")
POLICY = (*TARGET, "PolicyName")
SCHEDULED = (*TARGET, "ScheduledActionName")


@dataclass(frozen=True)
class Inverse:
    """read: how what the call changes is now, of its parameters. back: what brings that state back; () where nothing
    can. names: the parameters that say what it changes. costs: what is paid for again once it is taken back, "" for
    nothing.
    """

    read: Callable[[Aws, Asked], State]
    back: Callable[[Asked, Asked], Sequence[Call]]
    names: tuple[str, ...]
    costs: str = ""

    def thing(self, asked: Asked) -> str:
        """What a call with these parameters changes: the same for two calls that change the same."""
        inner = asked.get("NewBudget", asked.get("Budget", {}))
        return repr((self.names, [asked.get(name, inner.get(name)) for name in self.names]))


def _some(told: Asked, *names: str) -> State:
    return {name: told[name] for name in names if told.get(name) is not None}


def _same(asked: Asked, names: Sequence[str]) -> State:
    return {name: asked[name] for name in names if name in asked}


# --- auto scaling: a target, its policies, its scheduled changes ------------------------------------------------------

_POLICY = ("PolicyType", "TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration")
_SCHEDULED = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")


def _target(aws: Aws, asked: Asked) -> State:
    told = aws.call(
        SCALING,
        "DescribeScalableTargets",
        ServiceNamespace=asked["ServiceNamespace"],
        ResourceIds=[asked["ResourceId"]],
        ScalableDimension=asked["ScalableDimension"],
    )["ScalableTargets"]
    return _some(told[0], "MinCapacity", "MaxCapacity", "SuspendedState") if told else {}


def _policies(aws: Aws, asked: Asked) -> dict[str, State]:
    told = aws.call(SCALING, "DescribeScalingPolicies", **_same(asked, TARGET))["ScalingPolicies"]
    return {one["PolicyName"]: _some(one, *_POLICY) for one in told}


def _actions(aws: Aws, asked: Asked) -> dict[str, State]:
    told = aws.call(SCALING, "DescribeScheduledActions", **_same(asked, TARGET))["ScheduledActions"]
    return {one["ScheduledActionName"]: _some(one, *_SCHEDULED) for one in told}


def _whole_target(aws: Aws, asked: Asked) -> State:
    there = _target(aws, asked)
    return there | {"policies": _policies(aws, asked), "scheduled": _actions(aws, asked)} if there else {}


def _target_back(asked: Asked, before: Asked) -> list[Call]:
    of = _same(asked, TARGET)
    if not before:
        return [Call(SCALING, "DeregisterScalableTarget", of, f"ends auto scaling of {of['ResourceId']}")]
    ends = _some(before, "MinCapacity", "MaxCapacity", "SuspendedState")
    does = f"lets {of['ResourceId']} scale between {ends['MinCapacity']} and {ends['MaxCapacity']} again"
    calls = [Call(SCALING, "RegisterScalableTarget", of | ends, does)]
    for name, one in before.get("policies", {}).items():
        calls += _policy_back({**of, "PolicyName": name}, one)
    for name, one in before.get("scheduled", {}).items():
        calls += _action_back({**of, "ScheduledActionName": name}, one)
    return calls


def _policy_back(asked: Asked, before: Asked) -> list[Call]:
    of = _same(asked, POLICY)
    if not before:
        return [Call(SCALING, "DeleteScalingPolicy", of, f"removes the policy {of['PolicyName']}")]
    return [Call(SCALING, "PutScalingPolicy", of | dict(before), f"sets the policy {of['PolicyName']} as it was")]


def _action_back(asked: Asked, before: Asked) -> list[Call]:
    of = _same(asked, SCHEDULED)
    name = of["ScheduledActionName"]
    if not before:
        return [Call(SCALING, "DeleteScheduledAction", of, f"removes the scheduled change {name}")]
    return [Call(SCALING, "PutScheduledAction", of | dict(before), f"sets the scheduled change {name} as it was")]


_TARGET = Inverse(_target, _target_back, TARGET)
_WHOLE_TARGET = Inverse(_whole_target, _target_back, TARGET)
_A_POLICY = Inverse(lambda aws, asked: _policies(aws, asked).get(asked["PolicyName"], {}), _policy_back, POLICY)
_AN_ACTION = Inverse(
    lambda aws, asked: _actions(aws, asked).get(asked["ScheduledActionName"], {}), _action_back, SCHEDULED
)


# --- Lambda: concurrency, and what an alias points at -----------------------------------------------------------------

_KEPT_READY = "it keeps environments ready again, which are paid by the hour"


def _reserved(aws: Aws, asked: Asked) -> State:
    told = aws.call(FUNCTIONS, "GetFunction", FunctionName=asked["FunctionName"])
    return _some(told.get("Concurrency", {}), "ReservedConcurrentExecutions")


def _reserved_back(asked: Asked, before: Asked) -> list[Call]:
    of = _same(asked, ("FunctionName",))
    if not before:
        return [Call(FUNCTIONS, "DeleteFunctionConcurrency", of, "takes its ceiling away")]
    number = before["ReservedConcurrentExecutions"]
    return [Call(FUNCTIONS, "PutFunctionConcurrency", of | dict(before), f"lets at most {number:,} run at once again")]


def _ready(aws: Aws, asked: Asked) -> State:
    of = _same(asked, ("FunctionName", "Qualifier"))
    try:
        told = aws.call(FUNCTIONS, "GetProvisionedConcurrencyConfig", **of)
    except NotFound:
        return {}
    return {"ProvisionedConcurrentExecutions": told["RequestedProvisionedConcurrentExecutions"]}


def _ready_back(asked: Asked, before: Asked) -> list[Call]:
    of = _same(asked, ("FunctionName", "Qualifier"))
    if not before:
        return [Call(FUNCTIONS, "DeleteProvisionedConcurrencyConfig", of, "keeps nothing ready any more")]
    number = before["ProvisionedConcurrentExecutions"]
    does = f"keeps {number:,} ready again, which is paid by the hour"
    return [Call(FUNCTIONS, "PutProvisionedConcurrencyConfig", of | dict(before), does)]


def _alias(aws: Aws, asked: Asked) -> State:
    told = aws.call(FUNCTIONS, "GetAlias", **_same(asked, ("FunctionName", "Name")))
    return {
        **_some(told, "FunctionVersion"),
        "RoutingConfig": told.get("RoutingConfig", {"AdditionalVersionWeights": {}}),
    }


def _alias_back(asked: Asked, before: Asked) -> list[Call]:
    does = f"points {asked['Name']} at version {before['FunctionVersion']} again"
    return [Call(FUNCTIONS, "UpdateAlias", _same(asked, ("FunctionName", "Name")) | dict(before), does)]


_RESERVED, _READY = (
    Inverse(_reserved, _reserved_back, ("FunctionName",)),
    Inverse(_ready, _ready_back, ("FunctionName", "Qualifier"), _KEPT_READY),
)


# --- SageMaker: endpoints, versions in the registry, notebooks, tags --------------------------------------------------


def _configuration(aws: Aws, asked: Asked) -> State:
    told = aws.call(SERVING, "DescribeEndpoint", EndpointName=asked["EndpointName"])
    pending = told.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    return {"EndpointConfigName": pending or told["EndpointConfigName"]}


def _configuration_back(asked: Asked, before: Asked) -> list[Call]:
    of = _same(asked, ("EndpointName",)) | dict(before)
    return [Call(SERVING, "UpdateEndpoint", of, f"gives it the configuration {of['EndpointConfigName']} again")]


def _weights(aws: Aws, asked: Asked) -> State:
    told = aws.call(SERVING, "DescribeEndpoint", EndpointName=asked["EndpointName"])
    mine = {one["VariantName"]: one for one in asked["DesiredWeightsAndCapacities"]}
    return {
        one["VariantName"]: _some(
            one,
            *(["DesiredWeight"] if "DesiredWeight" in mine[one["VariantName"]] else []),
            *(["DesiredInstanceCount"] if "DesiredInstanceCount" in mine[one["VariantName"]] else []),
        )
        for one in told.get("ProductionVariants", [])
        if one["VariantName"] in mine
    }


def _weights_back(asked: Asked, before: Asked) -> list[Call]:
    wanted = [{"VariantName": name, **one} for name, one in before.items()]
    of = {**_same(asked, ("EndpointName",)), "DesiredWeightsAndCapacities": wanted}
    return [Call(SERVING, "UpdateEndpointWeightsAndCapacities", of, "shares its requests and instances as before")]


def _decision(aws: Aws, asked: Asked) -> State:
    told = aws.call(SERVING, "DescribeModelPackage", ModelPackageName=asked["ModelPackageArn"])
    return _some(told, "ModelApprovalStatus", "ApprovalDescription")


def _decision_back(asked: Asked, before: Asked) -> list[Call]:
    of = {"ModelPackageArn": asked["ModelPackageArn"], "ApprovalDescription": "", **before}
    return [Call(SERVING, "UpdateModelPackage", of, f"sets its approval to {before['ModelApprovalStatus']} again")]


def _notebook(aws: Aws, asked: Asked) -> State:
    told = aws.call(SERVING, "DescribeNotebookInstance", NotebookInstanceName=asked["NotebookInstanceName"])
    return {"runs": told["NotebookInstanceStatus"] in ("InService", "Pending")}


def _notebook_back(asked: Asked, before: Asked) -> list[Call]:
    of = _same(asked, ("NotebookInstanceName",))
    if before["runs"]:
        return [Call(SERVING, "StartNotebookInstance", of, "starts it again; it is paid by the hour from then on")]
    return [Call(SERVING, "StopNotebookInstance", of, "stops it again")]


def _marks(aws: Aws, asked: Asked) -> State:
    names = asked.get("TagKeys") or [one["Key"] for one in asked.get("Tags", ())]
    told = tags.of_sagemaker(aws, asked["ResourceArn"])
    return {name: told.get(name) for name in names}


def _marks_back(asked: Asked, before: Asked) -> list[Call]:
    if tags.INTERRUPT in before:
        return []  # what a mark set off does not come back with it
    of, name = _same(asked, ("ResourceArn",)), asked["ResourceArn"].rpartition("/")[2]
    old = {key: value for key, value in before.items() if value is not None}
    new = [key for key in before if key not in old]
    calls = []
    if old:
        does = f"marks {name} as it was: {', '.join(old)}"
        calls.append(Call(SERVING, "AddTags", {**of, "Tags": [{"Key": k, "Value": v} for k, v in old.items()]}, does))
    if new:
        calls.append(Call(SERVING, "DeleteTags", {**of, "TagKeys": new}, f"takes off {name}: {', '.join(new)}"))
    return calls


_RUNS, _TAGS = (
    Inverse(_notebook, _notebook_back, ("NotebookInstanceName",), "a notebook that runs is paid by the hour"),
    Inverse(_marks, _marks_back, ("ResourceArn", "Tags", "TagKeys")),
)
_MACHINES = "its instances are paid as those of that configuration"


# --- budgets, and deletions that are planned for later ----------------------------------------------------------------

_BUDGET = ("BudgetName", "BudgetLimit", "CostFilters", "FilterExpression", "Metrics", "CostTypes", "TimeUnit",
           "BudgetType")  # fmt: skip
_SCHEDULE = ("ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "ActionAfterCompletion",
             "Description", "Target", "State")  # fmt: skip


def _budget(aws: Aws, asked: Asked) -> State:
    name = asked.get("NewBudget", asked.get("Budget", asked)).get("BudgetName")
    try:
        told = aws.call(
            MONEY, "DescribeBudget", AccountId=asked["AccountId"], BudgetName=name, ShowFilterExpression=True
        )
    except NotFound:
        return {}
    return _some(told["Budget"], *_BUDGET)


def _budget_back(asked: Asked, before: Asked) -> list[Call]:
    of = _same(asked, ("AccountId",))
    if not before:
        name = asked["Budget"]["BudgetName"]
        return [Call(MONEY, "DeleteBudget", {**of, "BudgetName": name}, f"deletes {name} and its alerts")]
    limit = before.get("BudgetLimit", {})
    does = f"sets {before['BudgetName']} to {limit.get('Amount')} {limit.get('Unit')} again"
    return [Call(MONEY, "UpdateBudget", {**of, "NewBudget": dict(before)}, does)]


def _alert(aws: Aws, asked: Asked) -> State:
    of = _same(asked, ("AccountId", "BudgetName"))
    told = aws.call(MONEY, "DescribeNotificationsForBudget", **of).get("Notifications", [])
    of_alert = {name: value for name, value in asked["Notification"].items() if name != "NotificationState"}
    return {"there": any(all(one.get(name) == value for name, value in of_alert.items()) for one in told)}


def _alert_back(asked: Asked, before: Asked) -> list[Call]:
    if before["there"]:
        return []
    of = _same(asked, ("AccountId", "BudgetName", "Notification"))
    return [Call(MONEY, "DeleteNotification", of, f"ends the alert at {asked['Notification'].get('Threshold'):g} %")]


def _schedule(aws: Aws, asked: Asked) -> State:
    try:
        return _some(aws.call("scheduler", "GetSchedule", Name=asked["Name"]), *_SCHEDULE)
    except NotFound:
        return {}


def _schedule_back(asked: Asked, before: Asked) -> list[Call]:
    of = _same(asked, ("Name",))
    if not before:
        return [Call("scheduler", "DeleteSchedule", of, f"cancels {asked['Name']}")]
    does = f"plans {asked['Name']} as it was, {before['ScheduleExpression']}"
    operation = "UpdateSchedule" if "ScheduleExpression" in asked else "CreateSchedule"
    return [Call("scheduler", operation, of | dict(before), does)]


_A_BUDGET, _PLANNED = (
    Inverse(_budget, _budget_back, ("AccountId", "BudgetName")),
    Inverse(_schedule, _schedule_back, ("Name",)),
)

INVERSES: Mapping[tuple[str, str], Inverse] = {
    (SCALING, "RegisterScalableTarget"): _TARGET,
    (SCALING, "DeregisterScalableTarget"): _WHOLE_TARGET,
    (SCALING, "PutScalingPolicy"): _A_POLICY,
    (SCALING, "DeleteScalingPolicy"): _A_POLICY,
    (SCALING, "PutScheduledAction"): _AN_ACTION,
    (SCALING, "DeleteScheduledAction"): _AN_ACTION,
    (FUNCTIONS, "PutFunctionConcurrency"): _RESERVED,
    (FUNCTIONS, "DeleteFunctionConcurrency"): _RESERVED,
    (FUNCTIONS, "PutProvisionedConcurrencyConfig"): _READY,
    (FUNCTIONS, "DeleteProvisionedConcurrencyConfig"): _READY,
    (FUNCTIONS, "UpdateAlias"): Inverse(_alias, _alias_back, ("FunctionName", "Name")),
    (SERVING, "UpdateEndpoint"): Inverse(_configuration, _configuration_back, ("EndpointName",), _MACHINES),
    (SERVING, "UpdateEndpointWeightsAndCapacities"): Inverse(
        _weights, _weights_back, ("EndpointName", "DesiredWeightsAndCapacities")
    ),
    (SERVING, "UpdateModelPackage"): Inverse(_decision, _decision_back, ("ModelPackageArn",)),
    (SERVING, "StopNotebookInstance"): _RUNS,
    (SERVING, "StartNotebookInstance"): _RUNS,
    (SERVING, "AddTags"): _TAGS,
    (SERVING, "DeleteTags"): _TAGS,
    (MONEY, "CreateBudget"): _A_BUDGET,
    (MONEY, "UpdateBudget"): _A_BUDGET,
    (MONEY, "CreateNotification"): Inverse(_alert, _alert_back, ("AccountId", "BudgetName", "Notification")),
    ("scheduler", "CreateSchedule"): _PLANNED,
    ("scheduler", "UpdateSchedule"): _PLANNED,
    ("scheduler", "DeleteSchedule"): _PLANNED,
}

STAYS: Mapping[tuple[str, str], str] = {
    (SERVING, "CreateEndpointConfig"): "the configuration that was made",
    (SERVING, "CreateModel"): "the model that was made",
    ("cloudwatch", "PutMetricAlarm"): "its alarms",
    (FUNCTIONS, "PublishVersion"): "the version that was published",
    ("iam", "CreateRole"): "the role that was made for it",
    ("iam", "PutRolePolicy"): "the rights of that role",
    ("sns", "CreateTopic"): "the topic for alerts",
    ("sns", "SetTopicAttributes"): "the topic's policy",
}
"""What a deed made on the way and an undo leaves: it costs nothing and is in nobody's way."""
