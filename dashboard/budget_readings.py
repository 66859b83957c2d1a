"""The cache of the account's budgets: read seldom, as AWS itself looks at a budget a few times a day."""

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.budgets.budgets import Budget, read_budgets
from dashboard.core.costs.budgets.sent import Sent, read_sent
from dashboard.core.errors import KennelError
from dashboard.readings import Reading, now, where


@dataclass(frozen=True)
class Budgets:
    """The account's budgets, or why they could not be read: a page stands without them."""

    all: tuple[Budget, ...] = ()
    problem: KennelError | None = None


def budgets(aws: Aws) -> Reading[Budgets]:
    """The budgets of the account, or why they could not be read."""
    return _budgets(where(aws), aws)


def budget_messages(aws: Aws) -> tuple[Sent, ...]:
    """What would have been mailed this month, the newest first, where the account keeps that: see `budgets_sent`."""
    return _messages(where(aws), budgets(aws).at, aws)


def forget_budgets() -> None:
    """Something was changed: read the budgets again at the next look."""
    _budgets.clear()
    _messages.clear()


@st.cache_data(show_spinner=False, ttl=60, refresh_mode="background", max_entries=8)
def _budgets(where: str, _aws: Aws) -> Reading[Budgets]:
    try:
        return Reading(Budgets(read_budgets(_aws)), now())
    except KennelError as error:  # they have an address of their own, which may be shut where the region's is open
        return Reading(Budgets(problem=error), now())


@st.cache_data(show_spinner=False, max_entries=8)
def _messages(where: str, budgets_at: datetime, _aws: Aws) -> tuple[Sent, ...]:
    """Read with the budgets: an alert that they say was told has its message beside it."""
    return read_sent(_aws, now().replace(day=1, hour=0, minute=0, second=0, microsecond=0))
