"""That a tab may change a real account: a person said so, for this account and identity, until an hour is idle."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dashboard.core.aws import Account

IDLE = timedelta(hours=1)
"""So long after the last page that was opened, plan that was asked for or change that was made, it is over."""


@dataclass(frozen=True)
class Switch:
    """Changes are allowed on `account`; `used`: when the tab last did something that counts as work on it."""

    account: Account
    used: datetime

    @property
    def until(self) -> datetime:
        """When it ends, should nothing be done before."""
        return self.used + IDLE

    def allows(self, account: Account, now: datetime) -> bool:
        """Whether it holds for this account, region and identity at this moment."""
        return now < self.until and self.account.is_same(account)

    def touched(self, now: datetime) -> "Switch":
        """After something was done; what is over stays over."""
        return replace(self, used=now) if now < self.until else self
