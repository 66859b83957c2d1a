"""Set a budget: what a person wishes → the calls that make it so → confirmed → done. Pure until `carry_out`.

The limit and its alerts live in AWS Budgets, which tells by e-mail, and by an SNS topic where that is wished: whoever
wants to hear (a chat, a program) subscribes to it. Setting and watching budgets is free of charge.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call, code, send
from dashboard.core.costs.budgets.budgets import CURRENCY, Alert, Budget, Scope, parse_budget, read_alerts
from dashboard.core.costs.budgets.calls import (
    notification,
    subscribers,
    topic_arn,
    topic_calls,
    topic_policy,
)
from dashboard.core.costs.budgets.wish import Wish, check, name_of
from dashboard.core.errors import AccessDenied, AlreadyExists, KennelError, NotFound, ServiceFault
from dashboard.core.format import count, money


@dataclass(frozen=True, slots=True)
class There:
    """What the account has already: the budget as AWS tells it (None without one) and the topic's policy (None: none).

    Read just before a plan is made, as it is what the plan changes. `topic_problem` is why the topic could not be read:
    it matters to those who publish.
    """

    told: Mapping[str, Any] | None = None
    alerts: tuple[Alert, ...] = ()
    topic_policy: str | None = None
    topic_problem: KennelError | None = None

    @property
    def budget(self) -> Budget | None:
        return None if self.told is None else parse_budget(self.told, self.alerts)


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """The calls that make the account's budget what was wished, in order; none when it is so already."""

    name: str
    wish: Wish
    calls: tuple[Call, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]  # what is good to know
    code: str

    @property
    def is_new(self) -> bool:
        return any(call.operation == "CreateBudget" for call in self.calls)


def look(aws: Aws, scope: Scope, group: str) -> There:
    """What is there of this budget and of the topic. Raises the errors of `Aws.call` for budgets alone."""
    name = name_of(scope, group)
    of = {"AccountId": aws.account.account_id, "BudgetName": name}
    try:
        told = aws.call("budgets", "DescribeBudget", **of, ShowFilterExpression=True)["Budget"]
        there = There(told, read_alerts(aws, name))
    except NotFound:
        there = There()
    try:
        return replace(there, topic_policy=topic_policy(aws))
    except (AccessDenied, ServiceFault) as problem:
        return replace(there, topic_problem=problem)


def plan_budget(wish: Wish, there: There, account: Account) -> BudgetPlan:
    """What setting this budget would do.

    Raises InvalidInput for a bad field, and why the topic could not be read where it is to be published to.
    """
    check(wish)
    name = name_of(wish.scope, wish.group)
    alerts = _alerts(wish, account)
    calls: list[Call] = []
    if alerts and wish.publishes:
        if there.topic_problem is not None:  # its policy may say more than Kennel's part, and is replaced whole
            raise there.topic_problem
        calls += topic_calls(there.topic_policy, account)
    if there.told is None:
        calls.append(_create(name, wish, alerts, account))
    else:
        calls += _changes(name, wish, alerts, there, account)
    return BudgetPlan(
        name, wish, tuple(calls), tuple(_warnings(account)), tuple(_notes(wish, account)), code(calls, account)
    )


def carry_out(aws: Aws, plan: BudgetPlan) -> str:
    """Do what was planned; a sentence that says so. Sending a plan twice changes nothing more.

    Raises AlreadyExists when another budget has taken the name since, and the errors of `Aws.call`.
    """
    for call in plan.calls:
        try:
            send(aws, call)
        except AlreadyExists as taken:  # a notification or subscriber that is there is what was wished
            if call.operation == "CreateBudget":
                _check_same(aws, plan, taken)
            elif call.operation == "CreateTopic":
                raise
    return f"{plan.name} is set: {money(plan.wish.limit)} a month for {plan.wish.words}"


def plan_delete(budget: Budget, account: Account) -> BudgetPlan:
    """What deleting a budget of Kennel's would do: nobody is told any more, and no money changes."""
    parameters = {"AccountId": account.account_id, "BudgetName": budget.name}
    call = Call("budgets", "DeleteBudget", parameters, f"deletes {budget.name} and its alerts")
    wish = Wish(budget.limit, budget.scope, budget.group)
    return BudgetPlan(budget.name, wish, (call,), (), (), code([call], account))


def delete(aws: Aws, plan: BudgetPlan) -> str:
    """Delete the planned budget; one that is gone already is deleted. Raises the errors of `Aws.call`."""
    for call in plan.calls:
        send(aws, call)
    return f"{plan.name} is deleted"


def _alerts(wish: Wish, account: Account) -> tuple[Alert, ...]:
    if not wish.emails and not wish.publishes:
        return ()
    topic = topic_arn(account) if wish.publishes else ""
    emails = tuple(sorted(wish.emails))
    return tuple(
        Alert(Decimal(percent).normalize(), is_forecast, emails=emails, topic=topic)
        for is_forecast, percents in ((False, wish.spent), (True, wish.expected))
        for percent in sorted(set(percents))
    )


def _create(name: str, wish: Wish, alerts: Iterable[Alert], account: Account) -> Call:
    alerts = list(alerts)
    parameters: dict[str, Any] = {
        "AccountId": account.account_id,
        "Budget": {
            "BudgetName": name,
            "BudgetLimit": _usd(wish.limit),
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
            **_filter(wish),
        },
        "NotificationsWithSubscribers": [
            {"Notification": notification(one), "Subscribers": subscribers(one)} for one in alerts
        ],
        "ResourceTags": [{"Key": tags.MADE_BY, "Value": tags.KENNEL}],
    }
    does = f"sets {money(wish.limit)} a month for {wish.words}"
    if alerts:  # all of them tell the same people
        does += f", and tells {alerts[0].listeners} at {', '.join(one.words for one in alerts)}"
    return Call("budgets", "CreateBudget", parameters, does)


def _filter(wish: Wish) -> dict[str, Any]:
    if wish.scope is Scope.ALL:
        return {}
    key = {Scope.PROJECT: tags.PROJECT, Scope.OWNER: tags.OWNER}[wish.scope]
    tagged = {"Tags": {"Key": key, "Values": [wish.group], "MatchOptions": ["EQUALS"]}}
    return {"FilterExpression": tagged, "Metrics": ["UnblendedCost"]}


def _changes(name: str, wish: Wish, alerts: tuple[Alert, ...], there: There, account: Account) -> list[Call]:
    """What makes a budget that is there what is wished; alerts that are right already are left alone."""
    of: dict[str, Any] = {"AccountId": account.account_id, "BudgetName": name}
    calls: list[Call] = []
    budget = there.budget
    if budget is not None and budget.limit != wish.limit:
        new: dict[str, Any] = {"AccountId": account.account_id, "NewBudget": _with_limit(there.told or {}, wish.limit)}
        does = f"changes the limit from {money(budget.limit)} to {money(wish.limit)} a month"
        calls.append(Call("budgets", "UpdateBudget", new, does))
    wanted = {one.mark: one for one in alerts}
    known = {one.mark: one for one in there.alerts}
    for mark, one in known.items():
        if mark not in wanted and not one.is_odd:  # Kennel makes none of those: it is somebody else's
            gone = {**of, "Notification": notification(one)}
            calls.append(Call("budgets", "DeleteNotification", gone, f"ends the alert at {one.words}"))
    for mark, one in wanted.items():
        to = {**of, "Notification": notification(one)}
        if mark not in known:
            new = {**to, "Subscribers": subscribers(one)}
            calls.append(Call("budgets", "CreateNotification", new, f"adds an alert at {one.words} to {one.listeners}"))
            continue
        before, after = subscribers(known[mark]), subscribers(one)
        for who in after:  # first, as an alert must always have somebody to tell
            if who not in before:
                does = f"tells {who['Address']} at {one.words}"
                calls.append(Call("budgets", "CreateSubscriber", {**to, "Subscriber": who}, does))
        for who in before:
            if who not in after:
                does = f"no longer tells {who['Address']} at {one.words}"
                calls.append(Call("budgets", "DeleteSubscriber", {**to, "Subscriber": who}, does))
    return calls


def _with_limit(told: Mapping[str, Any], limit: Decimal) -> dict[str, Any]:
    """The budget with another limit and all else as it is: AWS replaces it whole."""
    left_out = {"CalculatedSpend", "LastUpdatedTime", "HealthStatus"}
    # AWS tells both ways of writing what is counted, and takes one
    left_out |= {"CostFilters", "CostTypes"} if told.get("FilterExpression") else {"FilterExpression", "Metrics"}
    return {key: value for key, value in told.items() if key not in left_out} | {"BudgetLimit": _usd(limit)}


def _usd(amount: Decimal) -> dict[str, str]:
    return {"Amount": f"{amount:f}", "Unit": CURRENCY}


def _warnings(account: Account) -> Iterable[str]:
    if not account.writable:
        yield "this account is connected read-only: the calls will be refused"


def _notes(wish: Wish, account: Account) -> Iterable[str]:
    if wish.emails and account.is_embedded:
        yield "no e-mail leaves the embedded AWS: what would be sent is kept under the budget on Spend"
    if not wish.emails and not wish.publishes:
        yield "nobody is told: the limit and its warning are shown by Kennel only"
    elif wish.expected:
        yield "AWS forecasts a month only after some weeks of spending: until then it tells of what is spent alone"
    if wish.scope.by is not None:
        yield f"AWS counts the tag {wish.scope} only from the day on which it is activated for cost allocation"


def _check_same(aws: Aws, plan: BudgetPlan, taken: AlreadyExists) -> None:
    """The same plan sent twice finds its own budget; another one of that name is somebody else's since."""
    there = look(aws, plan.wish.scope, plan.wish.group)
    if plan_budget(plan.wish, there, aws.account).calls:
        raise AlreadyExists(
            f"a budget named {plan.name} was made in the meantime",
            "its limit or its alerts are not those of this plan",
            "close this dialog and change that budget",
        ) from taken


def summary(plan: BudgetPlan) -> str:
    """ "3 calls to AWS", "nothing to change"."""
    return f"{count(len(plan.calls), 'call')} to AWS" if plan.calls else "nothing to change"
