"""A budget as a person describes it, checked before anything is planned. Pure."""

import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal

from dashboard.core.costs.budgets.budgets import PREFIX, Scope
from dashboard.core.errors import InvalidInput

SPENT, EXPECTED = (80, 100), (100,)
"""The percents that a new budget tells of: of what is spent, and of what AWS expects by the month's end."""
MOST_MAILS, MOST_ALERTS, MOST_PERCENT = 10, 10, 1000
LARGEST = Decimal(1_000_000_000)
MAIL = re.compile(r"[^\s@,;]+@[^\s@,;]+\.[^\s@,;.]+")


@dataclass(frozen=True, slots=True)
class Wish:
    """A budget as a person describes it. `limit` in USD a month; `group` is the project's or owner's name."""

    limit: Decimal
    scope: Scope = Scope.ALL
    group: str = ""
    spent: tuple[int, ...] = SPENT
    expected: tuple[int, ...] = EXPECTED
    emails: tuple[str, ...] = ()
    publishes: bool = False

    @property
    def words(self) -> str:
        return "the whole account" if self.scope is Scope.ALL else f"{self.scope} {self.group}"


def name_of(scope: Scope, group: str) -> str:
    """The name of Kennel's budget for some money, the same each time: "kennel-month-project-dogs".

    Signs that AWS does not take, or might take for an address, become hyphens; a mark then keeps names apart.
    """
    if scope is Scope.ALL:
        return PREFIX
    plain = re.sub(r"[^A-Za-z0-9_. -]+", "-", group)[:60].strip("- ")
    mark = "" if plain == group else f"-{hashlib.sha256(group.encode()).hexdigest()[:6]}"
    return f"{PREFIX}-{scope}-{plain}{mark}"


def check(wish: Wish) -> None:
    """Raises InvalidInput for the first value that does not fit."""
    if not wish.limit.is_finite() or not 0 < wish.limit <= LARGEST or -int(wish.limit.as_tuple().exponent) > 2:
        raise InvalidInput(
            f"the limit must be an amount of dollars and cents above 0, at most {LARGEST:,}",
            f"it is {wish.limit}",
            "change it",
            field="limit",
        )
    if wish.scope is Scope.OTHER or (wish.scope.by is not None and not wish.group.strip()):
        raise InvalidInput(
            "the budget must be for the whole account, a project or an owner",
            "none is named",
            "name one",
            field="group",
        )
    wrong = [one for one in wish.emails if not MAIL.fullmatch(one)]
    if wrong:
        raise InvalidInput(
            f"{wrong[0]} is not an e-mail address", "AWS would refuse it", "mend or remove it", field="emails"
        )
    if len(wish.emails) > MOST_MAILS:
        raise InvalidInput(
            f"an alert goes to at most {MOST_MAILS} e-mail addresses",
            f"there are {len(wish.emails)}",
            "tell a mailing list, or publish to the topic, which takes any number",
            field="emails",
        )
    percents = (*wish.spent, *wish.expected)
    if any(not 0 < one <= MOST_PERCENT for one in percents) or len(percents) > MOST_ALERTS:
        raise InvalidInput(
            f"alerts are at most {MOST_ALERTS} percents from 1 to {MOST_PERCENT}",
            f"they are {', '.join(map(str, percents))}",
            "change them",
            field="alerts",
        )


def addresses(text: str) -> tuple[str, ...]:
    """E-mail addresses from a field, apart by commas, semicolons, spaces or lines; each once."""
    return tuple(dict.fromkeys(one for one in re.split(r"[\s,;]+", text) if one))
