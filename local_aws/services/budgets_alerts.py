"""Whether a budget's thresholds are passed, and who then hears of it: once in each of its periods.

AWS looks at its budgets up to three times a day; here it is done every `LOOK_SECONDS`, and after each change.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from local_aws.engine.rounds import Rounds
from local_aws.errors import ServiceError
from local_aws.services.billing import Bill
from local_aws.services.budgets_record import expression, period
from local_aws.services.cost_explorer_query import matcher
from local_aws.services.sns import Sns
from local_aws.services.sns_delivery import Delivery

LOOK_SECONDS = 60.0
SERVICE = "budgets.amazonaws.com"
HISTORY = timedelta(days=30)
LEAST_HISTORY = timedelta(days=1)

Charges = Callable[[datetime, datetime, Mapping[str, Any] | None, tuple[datetime, ...]], list[tuple[datetime, Decimal]]]
"""What was billed between two moments: each charge's beginning and USD, of what an expression of Cost Explorer's kind
keeps (None keeps everything). No charge reaches over one of the moments that come last."""


def charges_on(bill: Bill, account: str) -> Charges:
    """What a bill says, asked as a budget asks it. It raises ServiceError ValidationException for what it cannot."""

    def charges(
        since: datetime, until: datetime, wanted: Mapping[str, Any] | None, cuts: tuple[datetime, ...]
    ) -> list[tuple[datetime, Decimal]]:
        keeps = matcher(wanted, account)
        items = bill.items(since.timestamp(), until.timestamp(), [cut.timestamp() for cut in cuts])
        return [(datetime.fromtimestamp(one.started, UTC), one.amount) for one in items if one.amount and keeps(one)]

    return charges


def added(charges: Iterable[tuple[datetime, Decimal]]) -> Decimal:
    return sum((amount for _, amount in charges), Decimal(0))


@dataclass(frozen=True)
class Spend:
    """What a budget has counted in a period, and is expected to count by its end (None: too little is known). USD."""

    actual: Decimal
    forecast: Decimal | None


def spend(budget: Mapping[str, Any], charges: Charges, now: datetime) -> Spend:
    """The present period's. The forecast adds the mean of up to 30 days for the time that is left.

    AWS forecasts from about five weeks of history on; here a day is enough, counted from the day of the first charge.
    """
    start, end = period(budget["TimeUnit"], now)
    since = _day(now - HISTORY)
    found = charges(min(start, since), now, expression(budget), (start, since))
    actual = added(one for one in found if one[0] >= start)
    recent = [one for one in found if one[0] >= since]
    first = min((_day(at) for at, _ in recent), default=now)
    if now - first < LEAST_HISTORY:
        return Spend(actual, None)
    left = Decimal((end - now).total_seconds()) / Decimal((now - first).total_seconds())
    return Spend(actual, actual + added(recent) * left)


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def is_passed(notification: Mapping[str, Any], limit: Decimal, found: Spend) -> bool:
    """Whether what was spent, or is expected, stands beyond a notification's threshold."""
    amount = found.actual if notification["NotificationType"] == "ACTUAL" else found.forecast
    if amount is None:
        return False
    edge = threshold(notification, limit)
    match notification["ComparisonOperator"]:
        case "GREATER_THAN":
            return amount > edge
        case "LESS_THAN":
            return amount < edge
        case _:
            return amount == edge


def threshold(notification: Mapping[str, Any], limit: Decimal) -> Decimal:
    """In USD."""
    number = Decimal(str(notification["Threshold"]))
    return number if notification["ThresholdType"] == "ABSOLUTE_VALUE" else limit * number / 100


class Alerts:
    """look: looks at every budget once; called every `every` seconds until stopped."""

    def __init__(self, charges: Charges, sns: Sns, delivery: Delivery, *, every: float = LOOK_SECONDS) -> None:
        self._charges = charges
        self._sns = sns
        self._delivery = delivery
        self._every = every
        self._rounds: Rounds | None = None

    def start(self, look: Callable[[], None]) -> None:
        self._rounds = Rounds("budgets", self._every, look, "the budgets could not be looked at")
        self._rounds.start()

    def stop(self) -> None:
        if self._rounds is not None:
            self._rounds.stop()

    def spend(self, budget: Mapping[str, Any], now: datetime) -> Spend:
        return spend(budget, self._charges, now)

    def judge(self, record: dict[str, Any], found: Spend, account: str, now: datetime, *, anew: bool = False) -> bool:
        """Bring a budget's alerts up to date and tell of those that were passed just now; whether any changed.

        anew: the budget was changed, so that a threshold that is not passed any more is told of when it is again.
        """
        budget = record["Budget"]
        this = period(budget["TimeUnit"], now)[0].isoformat()
        limit = Decimal(budget["BudgetLimit"]["Amount"])
        changed = False
        for one in record["Notifications"]:
            raised = this if is_passed(one["Notification"], limit, found) else ""
            changed |= raised != one["raised"]
            one["raised"] = raised
            if anew and not raised and one["told"]:
                one["told"], changed = "", True
            if raised and one["told"] != this:
                one["told"], changed = this, True
                self._tell(budget, one, found, account, now)
        return changed

    def _tell(
        self, budget: Mapping[str, Any], one: Mapping[str, Any], found: Spend, account: str, now: datetime
    ) -> None:
        subject, message = alert_text(budget, one["Notification"], found, account, now)
        for who in one["Subscribers"]:
            if who["SubscriptionType"] == "EMAIL":
                self._delivery.keep(who["Address"], subject, message, SERVICE)
                continue
            source = f"arn:aws:budgets::{account}:budget/{budget['BudgetName']}"
            try:
                self._sns.publish_as(SERVICE, source, who["Address"], subject, message)
            except ServiceError as refused:  # AWS says nothing of it either; here it can be read
                self._delivery.keep(who["Address"], subject, message, SERVICE, refused.message)


def _dollars(amount: Decimal) -> str:
    """Two places after the point, and four where two would make another amount of it, or none."""
    return f"${amount:,.2f}" if amount >= 1 or amount == round(amount, 2) else f"${amount:,.4f}"


def alert_text(
    budget: Mapping[str, Any], notification: Mapping[str, Any], found: Spend, account: str, now: datetime
) -> tuple[str, str]:
    """Subject and text of an alert, with the figures that AWS puts in one."""
    limit = Decimal(budget["BudgetLimit"]["Amount"])
    kind = notification["NotificationType"]
    amount = found.actual if kind == "ACTUAL" else found.forecast
    sign = {"GREATER_THAN": ">", "LESS_THAN": "<"}.get(notification["ComparisonOperator"], "=")
    edge = f"{sign} {_dollars(threshold(notification, limit))}"
    lines = (
        f"AWS Budgets: {budget['BudgetName']} has passed an alert threshold.",
        "",
        f"AWS Account: {account}",
        f"Budget Name: {budget['BudgetName']}",
        "Budget Type: Cost",
        f"Budgeted Amount: {_dollars(limit)}",
        f"Alert Type: {kind}",
        f"Alert Threshold: {edge}",
        f"{kind} Amount: {_dollars(amount or Decimal(0))}",
        f"Time: {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    )
    return f"AWS Budgets: {budget['BudgetName']} has exceeded your alert threshold", "\n".join(lines)
