"""The ways back of budgets, and of deletions that are planned for later."""

from dashboard.core.aws import Aws
from dashboard.core.calls import Call
from dashboard.core.errors import NotFound
from dashboard.core.trail.way import Asked, Inverse, State, same, some

MONEY = "budgets"

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
    return some(told["Budget"], *_BUDGET)


def _budget_back(asked: Asked, before: Asked) -> list[Call]:
    of = same(asked, ("AccountId",))
    if not before:
        name = asked["Budget"]["BudgetName"]
        return [Call(MONEY, "DeleteBudget", {**of, "BudgetName": name}, f"deletes {name} and its alerts")]
    limit = before.get("BudgetLimit", {})
    does = f"sets {before['BudgetName']} to {limit.get('Amount')} {limit.get('Unit')} again"
    return [Call(MONEY, "UpdateBudget", {**of, "NewBudget": dict(before)}, does)]


def _alert(aws: Aws, asked: Asked) -> State:
    of = same(asked, ("AccountId", "BudgetName"))
    told = aws.call(MONEY, "DescribeNotificationsForBudget", **of).get("Notifications", [])
    of_alert = {name: value for name, value in asked["Notification"].items() if name != "NotificationState"}
    return {"there": any(all(one.get(name) == value for name, value in of_alert.items()) for one in told)}


def _alert_back(asked: Asked, before: Asked) -> list[Call]:
    if before["there"]:
        return []
    of = same(asked, ("AccountId", "BudgetName", "Notification"))
    return [Call(MONEY, "DeleteNotification", of, f"ends the alert at {asked['Notification'].get('Threshold'):g} %")]


def _schedule(aws: Aws, asked: Asked) -> State:
    try:
        return some(aws.call("scheduler", "GetSchedule", Name=asked["Name"]), *_SCHEDULE)
    except NotFound:
        return {}


def _schedule_back(asked: Asked, before: Asked) -> list[Call]:
    of = same(asked, ("Name",))
    if not before:
        return [Call("scheduler", "DeleteSchedule", of, f"cancels {asked['Name']}")]
    does = f"plans {asked['Name']} as it was, {before['ScheduleExpression']}"
    operation = "UpdateSchedule" if "ScheduleExpression" in asked else "CreateSchedule"
    return [Call("scheduler", operation, of | dict(before), does)]


OF_BUDGET = Inverse(_budget, _budget_back, ("AccountId", "BudgetName"))
OF_SCHEDULE = Inverse(_schedule, _schedule_back, ("Name",))
OF_ALERT = Inverse(_alert, _alert_back, ("AccountId", "BudgetName", "Notification"))
