"""What a page has read: with its moment, under the account it is of."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from dashboard import sample_account
from dashboard.core.aws import Aws, lasting

T = TypeVar("T")


@dataclass(frozen=True)
class Reading(Generic[T]):
    """What AWS said, and when."""

    value: T
    at: datetime


def now() -> datetime:
    return datetime.now(UTC)


def where(aws: Aws) -> str:
    """What tells the readings of one account, region and identity from another's."""
    account = aws.account
    kind = "embedded" if account.is_embedded else "profile"
    who = lasting(account.identity)
    return f"{kind} {account.name} {account.account_id} {account.region} {account.endpoint_url} {who}"


def is_filling(aws: Aws) -> bool:
    """Whether the sample account is being filled right now, as a first start does."""
    return aws.account.is_embedded and sample_account.is_filling(Path(aws.account.client_file).parent)
