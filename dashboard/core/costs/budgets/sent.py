"""Alerts as they went out, where that can be read: the embedded AWS sends no e-mail and keeps each as a line of a log.

A real account has no such log group, and AWS tells nobody what it has mailed: there is nothing to show then.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.costs.budgets.budgets import Alert, Budget
from dashboard.core.errors import AccessDenied, NotFound

OUTBOX = "kennel/outbox"
MOST = 20
PAGES = 10


@dataclass(frozen=True, slots=True)
class Sent:
    """One message: to whom, when, what; `problem` says why it would not have arrived, "" when it would."""

    to: str
    at: datetime
    subject: str
    message: str
    problem: str = ""

    @property
    def threshold(self) -> str:
        """The alert's edge as the message has it, "> $80.00"; "" in one of another kind."""
        return self._told.get("Alert Threshold", "")

    @property
    def _told(self) -> dict[str, str]:
        return dict(line.split(": ", 1) for line in self.message.splitlines() if ": " in line)

    def is_of(self, budget: Budget, alert: Alert) -> bool:
        """Whether it told of this alert of this budget, as the budget is now."""
        told = self._told
        kind = "FORECASTED" if alert.is_forecast else "ACTUAL"
        if (told.get("Budget Name"), told.get("Alert Type")) != (budget.name, kind):
            return False
        try:
            edge = Decimal(self.threshold.partition("$")[2].replace(",", ""))
            return alert.edge(budget.limit).quantize(edge) == edge  # a message rounds
        except InvalidOperation:
            return False


def when(sent: Iterable[Sent], budget: Budget, alert: Alert) -> datetime | None:
    """When an alert was last told, as far as that was kept."""
    return max((one.at for one in sent if one.is_of(budget, alert)), default=None)


def read_sent(aws: Aws, since: datetime) -> tuple[Sent, ...]:
    """The newest messages since a moment, the newest first; none without the log group or the right to read it."""
    found: list[Sent] = []
    start = int(since.timestamp() * 1000)
    try:
        for page in aws.pages("logs", "FilterLogEvents", PAGES, logGroupName=OUTBOX, startTime=start):
            found += [sent for event in page.get("events") or () if (sent := _parse(event)) is not None]
    except (NotFound, AccessDenied):
        return ()
    return tuple(sorted(found, key=lambda sent: sent.at, reverse=True)[:MOST])


def _parse(event: dict[str, Any]) -> Sent | None:
    try:
        told = json.loads(event["message"])
        to, subject, message = str(told["to"]), str(told["subject"]), str(told["message"])
    except (ValueError, KeyError, TypeError):
        return None  # a line of somebody else's
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return Sent(to, at, subject, message, str(told.get("problem", "")))
