"""The account that a deed was planned on: while it is carried out, no other one is called."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.core.aws import Account

_on: ContextVar["Account | None"] = ContextVar("planned_on", default=None)


def planned_on() -> "Account | None":
    """The account that this thread is held to; None where it is free."""
    return _on.get()


@contextmanager
def only_on(account: "Account | None") -> Iterator[None]:
    """Inside, whatever calls another account, region or identity is refused, and changes are where `account` may not.

    What was planned on one account so never acts on another, whichever connection a button still holds. None: free.
    """
    token = _on.set(account)
    try:
        yield
    finally:
        _on.reset(token)
