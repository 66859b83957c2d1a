"""The budgets of an account, as AWS Budgets keeps them: a limit for a month, and who is told when it is reached.

AWS holds a budget against its bill. Pages hold it against Kennel's receipts too, of the account's own nature: sample
money is nobody's, and no budget counts it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import partial
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import By, Selection
from dashboard.core.format import money, plain
from dashboard.core.parallel import gather

PREFIX = "kennel-month"
"""How the names of the budgets begin that Kennel makes; others are shown, and left alone."""
CURRENCY = "USD"
MOST_BUDGETS = 10  # pages of a hundred


class Scope(StrEnum):
    """Whose money a budget counts."""

    ALL = "all"
    PROJECT = "project"
    OWNER = "owner"
    OTHER = "other"  # by something that pages do not group by

    @property
    def by(self) -> By | None:
        """What a page groups by to show the same money; None for ALL and OTHER."""
        return {Scope.PROJECT: By.PROJECT, Scope.OWNER: By.OWNER}.get(self)


SCOPE_OF = {tags.PROJECT: Scope.PROJECT, tags.OWNER: Scope.OWNER}


@dataclass(frozen=True, slots=True)
class Alert:
    """Who is told when more than `threshold` of the limit is spent, or (`is_forecast`) is expected to be.

    `threshold` is in percent, or in the budget's currency where it `is_absolute`. What `is_odd` Kennel never makes,
    and leaves as it is: absolute ones, parts of a percent, and those that tell of what is less than something.
    """

    threshold: Decimal
    is_forecast: bool = False
    is_absolute: bool = False
    emails: tuple[str, ...] = ()
    topic: str = ""  # the ARN of an SNS topic
    is_raised: bool = False  # AWS's ALARM: passed in this period
    is_odd: bool = False

    @property
    def words(self) -> str:
        """ "80 % spent", "100 % expected"."""
        limit = money(self.threshold) if self.is_absolute else f"{plain(float(self.threshold))} %"
        return f"{limit} {'expected' if self.is_forecast else 'spent'}"

    def edge(self, limit: Decimal) -> Decimal:
        """The amount beyond which it tells, in the budget's currency."""
        return self.threshold if self.is_absolute else limit * self.threshold / 100

    @property
    def listeners(self) -> str:
        """Whom it tells: "ada@example.com, topic alerts"; "nobody"."""
        topic = [f"topic {self.topic.rsplit(':', 1)[-1]}"] if self.topic else []
        return ", ".join([*self.emails, *topic]) or "nobody"

    @property
    def mark(self) -> tuple[bool, bool, Decimal]:
        """What makes it another alert; who is told is not part of it."""
        return self.is_odd, self.is_forecast, self.threshold


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget. `actual` and `forecast` are what AWS has billed and expects of it; None while it has not said.

    `why_apart` says why it cannot be held against a month of receipts ("it counts years"), "" when it can.
    """

    name: str
    limit: Decimal
    scope: Scope = Scope.ALL
    group: str = ""  # the project's or the owner's name
    alerts: tuple[Alert, ...] = ()
    actual: Decimal | None = None
    forecast: Decimal | None = None
    updated: datetime | None = None
    currency: str = CURRENCY
    why_apart: str = ""

    @property
    def is_kennels(self) -> bool:
        """Whether Kennel made it, and may so change it."""
        return self.name.startswith(PREFIX)

    @property
    def words(self) -> str:
        """Whose money it is: "the whole account", "project dogs"."""
        if self.scope is Scope.ALL:
            return "the whole account"
        return f"{self.scope} {self.group}" if self.scope.by else self.group

    def is_of(self, selection: Selection) -> bool:
        """Whether it counts exactly the money that a page shows, whatever the days."""
        if self.why_apart or selection.nature is Nature.SAMPLE:
            return False
        if self.scope is Scope.ALL:
            return not selection.only
        return self.scope.by is not None and selection.only == ((self.scope.by, self.group),)


def budget_of(budgets: Iterable[Budget], selection: Selection) -> Budget | None:
    """The monthly budget of what a page shows: the account's, or that of the one project or owner it is narrowed to.

    Of several the one that Kennel made, then the tightest. None for sample money, and where nobody has set one.
    """
    fitting = [one for one in budgets if one.is_of(selection)]
    return min(fitting, key=lambda one: (not one.is_kennels, one.limit, one.name), default=None)


def read_budgets(aws: Aws) -> tuple[Budget, ...]:
    """The cost budgets of the account, Kennel's own first. Raises the errors of `Aws.call`.

    One call, and two more for each budget and alert of Kennel's own: whom the others tell is not read.
    """
    account = aws.account.account_id
    pages = aws.pages("budgets", "DescribeBudgets", MOST_BUDGETS, AccountId=account, ShowFilterExpression=True)
    told = [one for page in pages for one in page.get("Budgets") or () if one.get("BudgetType") == "COST"]
    found = gather(partial(_read, aws), told)
    return tuple(sorted(found, key=lambda one: (not one.is_kennels, one.scope is not Scope.ALL, one.name)))


def _read(aws: Aws, told: Mapping[str, Any]) -> Budget:
    alerts = read_alerts(aws, told["BudgetName"]) if told["BudgetName"].startswith(PREFIX) else ()
    return parse_budget(told, alerts)


def read_alerts(aws: Aws, name: str) -> tuple[Alert, ...]:
    """Whom a budget tells, and when. Raises the errors of `Aws.call`."""
    of: dict[str, Any] = {"AccountId": aws.account.account_id, "BudgetName": name}
    alerts = []
    for page in aws.pages("budgets", "DescribeNotificationsForBudget", **of):
        for one in page.get("Notifications") or ():
            asked = {key: value for key, value in one.items() if key != "NotificationState"}
            pages = aws.pages("budgets", "DescribeSubscribersForNotification", **of, Notification=asked)
            alerts.append(parse_alert(one, [who for page in pages for who in page.get("Subscribers") or ()]))
    return tuple(sorted(alerts, key=lambda alert: alert.mark))


def parse_budget(told: Mapping[str, Any], alerts: Sequence[Alert] = ()) -> Budget:
    """A budget from AWS's answer."""
    limit = told.get("BudgetLimit") or {}
    spent = told.get("CalculatedSpend") or {}
    scope, group = _scope(told)
    currency = str(limit.get("Unit") or CURRENCY)
    return Budget(
        name=told["BudgetName"],
        limit=_amount(limit) or Decimal(0),
        scope=scope,
        group=group,
        alerts=tuple(alerts),
        actual=_amount(spent.get("ActualSpend")),
        forecast=_amount(spent.get("ForecastedSpend")),
        updated=told.get("LastUpdatedTime"),
        currency=currency,
        why_apart=_why_apart(told, scope, currency),
    )


def parse_alert(told: Mapping[str, Any], subscribers: Sequence[Mapping[str, Any]]) -> Alert:
    """An alert from AWS's answers."""
    threshold = Decimal(str(told["Threshold"])).normalize()
    is_absolute = told.get("ThresholdType") == "ABSOLUTE_VALUE"
    return Alert(
        threshold=threshold,
        is_forecast=told["NotificationType"] == "FORECASTED",
        is_absolute=is_absolute,
        is_odd=is_absolute or threshold != int(threshold) or told["ComparisonOperator"] != "GREATER_THAN",
        emails=tuple(sorted(one["Address"] for one in subscribers if one["SubscriptionType"] == "EMAIL")),
        topic=next((one["Address"] for one in subscribers if one["SubscriptionType"] == "SNS"), ""),
        is_raised=told.get("NotificationState") == "ALARM",
    )


def _amount(told: Mapping[str, Any] | None) -> Decimal | None:
    try:
        amount = Decimal(str((told or {})["Amount"]))
    except (KeyError, InvalidOperation):
        return None
    return amount if amount.is_finite() else None


def _why_apart(told: Mapping[str, Any], scope: Scope, currency: str) -> str:
    if told.get("TimeUnit") != "MONTHLY":
        return f"its period is {str(told.get('TimeUnit', 'unknown')).lower()}, not a month"
    if "BudgetLimit" not in told:
        return "its limit changes from month to month"
    if currency != CURRENCY:
        return f"its currency is {currency}, and receipts are in {CURRENCY}"
    return f"it counts {_words(told)}" if scope is Scope.OTHER else ""


def _scope(told: Mapping[str, Any]) -> tuple[Scope, str]:
    """Whose money it is, from either of the two ways in which AWS writes a filter."""
    filters, expression = told.get("CostFilters") or {}, told.get("FilterExpression") or {}
    if not filters and not expression:
        return Scope.ALL, ""
    pairs: list[tuple[str, str]] = []
    if expression:  # AWS may tell the older way beside it
        if set(expression) == {"Tags"} and set(expression["Tags"].get("MatchOptions") or ()) <= {"EQUALS"}:
            key = str(expression["Tags"].get("Key", "")).removeprefix("user:")
            pairs = [(key, value) for value in expression["Tags"].get("Values") or ()]
    elif set(filters) == {"TagKeyValue"}:
        split = [one.removeprefix("user:").partition("$") for one in filters["TagKeyValue"]]
        pairs = [(key, value) for key, _, value in split]
    if len(pairs) == 1 and pairs[0][0] in SCOPE_OF:
        return SCOPE_OF[pairs[0][0]], pairs[0][1]
    return Scope.OTHER, _words(told)


def _words(told: Mapping[str, Any]) -> str:
    filters = told.get("CostFilters") or told.get("FilterExpression") or {}
    return f"only a part of the account ({', '.join(sorted(filters))})"
