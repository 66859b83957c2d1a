"""Carry out what a person asked for: the one way in which a page changes anything, in an account or on this machine.

Whatever goes this way stands in the trail: that it begins is written down before, or it is not done at all.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar, cast

from dashboard import state, tab
from dashboard.core import noting
from dashboard.core.errors import KennelError, ServiceFault
from dashboard.core.people import Role
from dashboard.core.planned import only_on
from dashboard.core.trail import scribe
from dashboard.core.trail.book import Book
from dashboard.core.trail.refusals import Refusals
from dashboard.ui import access

T = TypeVar("T")
ALONE, VISITOR, NOBODY = "not signed in", "a visitor", "somebody who is not signed in"
"""Who does it where nobody signs in: whoever sits at this machine, or opens a page that is shared; and who tries it
where people do."""
logger = logging.getLogger(__name__)
refusals = Refusals(time.monotonic)
"""Those of this server."""

LOST = "what came of it could not be written down in the trail: see the dashboard's log"


def carry_out(
    what: str,
    do: Callable[[], T],
    needs: Role = Role.ENGINEER,
    *,
    plan: Sequence[str] = (),
    undoes: str = "",
) -> T:
    """Do it and return what it returns. what: the deed in words. Raises what `do` raises.

    needs: the least role of who may do it; Refused is raised for others. plan: what its dialog told, line by line.
    undoes: the deed that this one takes back. Raises ServiceFault where it cannot be written down: then nothing is
    done.
    """
    try:
        who = access.require(needs, what)
    except KennelError as error:
        turned_away(what, error, plan=plan)
        raise
    account = state.connection().account
    written = scribe.begin(
        Book.kept(),
        what,
        who.name or _nameless(),
        account,
        key=who.key,
        identity=account.identity,
        plan=plan,
        undoes=undoes,
    )
    problem: KennelError | None = ServiceFault("it was broken off", "", "look at what of it was done")
    try:
        with noting.under(written), only_on(account):
            done = do()
        tab.touched()
        problem = None
        if isinstance(done, str):
            written.said(done)
    except KennelError as error:
        problem = error
        raise
    except Exception as error:
        problem = ServiceFault("a fault in Kennel broke it off", type(error).__name__, "look at what of it was done")
        raise
    finally:
        written.release(problem)
    return cast(T, f"{done}, but {LOST}") if written.is_lost and isinstance(done, str) else done


def turned_away(what: str, why: KennelError, *, plan: Sequence[str] = ()) -> None:
    """Write down that somebody tried this and was not let begin. Nothing is done either way: a trail that cannot be
    written keeps nobody from being told why."""
    name, key = access.asks()
    who = name or _nameless()
    account = None
    with suppress(KennelError):  # who is refused need not be connected to any
        account = state.connection().account
    try:
        refusals.write(Book.kept(), what, who, account, why, key=key, plan=plan)
    except ServiceFault:
        logger.exception("a refused attempt could not be written down: %s by %s", what, who)


def _nameless() -> str:
    """What whoever is at this page is called where no name is known."""
    if access.may(Role.MANAGER):
        return ALONE
    return VISITOR if access.may(Role.VISITOR) else NOBODY
