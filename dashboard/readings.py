"""What a page has read: with its moment, under the account it is of, and the prices to count with."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.prices import PriceBook

T = TypeVar("T")


@dataclass(frozen=True)
class Reading(Generic[T]):
    """What AWS said, and when."""

    value: T
    at: datetime


def now() -> datetime:
    return datetime.now(UTC)


def where(aws: Aws) -> str:
    """What tells one account's readings from another's."""
    account = aws.account
    return f"{account.name} {account.account_id} {account.region} {account.endpoint_url}"


@st.cache_resource(show_spinner=False)
def prices() -> PriceBook:
    """The price book; it does not change while Kennel runs."""
    return PriceBook.load()
