"""What a page has read: with its moment, under the account it is of."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from dashboard.core.aws import Aws

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
