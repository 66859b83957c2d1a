"""Settings: the account that this tab works on, and what it lacks for Kennel."""

from enum import StrEnum

from dashboard import state
from dashboard.ui import account, account_chooser, open_part, page, setup


class Part(StrEnum):
    """What is open on the page, and what its address says."""

    ACCOUNT = "Account"
    SETUP = "Set up"


def show() -> None:
    """The page. It stands without a connection too: this is where another account is chosen."""
    problem = account.failure()
    aws = state.connection() if problem is None else None
    page.title("Settings", account_chooser.sentence(aws))
    part = open_part.choose(Part) if len(Part) > 1 else Part.ACCOUNT
    if part is Part.ACCOUNT or aws is None:
        account_chooser.show(aws, problem)
    else:
        setup.show(aws)
