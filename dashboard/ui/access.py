"""Who looks at this page, what they may do, and the check before anything is done."""

from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.core.errors import KennelError, Refused
from dashboard.core.people import Person, Role, called
from dashboard.doorkeeper import doorkeeper


def claims() -> dict[str, Any]:
    """What the provider says of whoever signed in; {} for nobody, outside of a page, and where nobody signs in."""
    return dict(st.user.to_dict()) if get_script_run_ctx() and doorkeeper().asks else {}


def person() -> Person | None:
    """Who looks at this page; None where they have not signed in, or not any more.

    Raises Refused for who has no role here, and InvalidInput for settings that nobody can be judged by.
    """
    return doorkeeper().who(claims())


def key() -> str:
    """What tells this person's drafts and intents from another's; "" where nobody signs in."""
    found = doorkeeper().knows(claims())
    return found.key if found else ""


def name() -> str:
    """Who looks at this page, as people say it; "" where nobody signs in."""
    found = doorkeeper().knows(claims())
    return found.name if found else ""


def asks() -> tuple[str, str]:
    """What whoever is at this page is called, and what tells them from others, let in or not; "" for what nobody knows:
    a role that was taken away, or a sign-in that has ended, still says whose it was."""
    told = claims()
    found = doorkeeper().knows(told)
    if found is not None:
        return found.name, found.key
    return called(told), f"{told.get('iss', '')} {told.get('sub', '')}".strip()


def may(needed: Role) -> bool:
    """Whether who looks at this page may do what asks for that role."""
    found = doorkeeper().knows(claims())
    return found is not None and found.may(needed)


def is_visitor() -> bool:
    """Whether the page is drawn for somebody who classifies photos and is to learn nothing of the account."""
    return not may(Role.MANAGER)


def require(needed: Role, what: str) -> Person:
    """Who asks for this, as of now. what: the deed as its button says it. Raises Refused for whom it is not."""
    found = person()
    if found is None:
        raise Refused(
            f'"{what}" was not done: your sign-in has ended',
            "it was ended in another tab, or has lasted as long as sign-ins do",
            "sign in again; what you typed is still here",
        )
    if not found.may(needed):
        raise not_for(found, f'"{what}"', needed)
    return found


def whose(needed: Role) -> str:
    """What a dialog says to who may see its plan and not carry it out."""
    return f"This is for {needed}s: show the plan to one, or ask {_whom_to_ask()} for that role."


def not_for(found: Person, what: str, needed: Role) -> KennelError:
    """Why somebody may not have this, and whom they can ask."""
    who = f"you are signed in as {found.name}, {found.role.one}, and {found.role.may.replace('may', 'may only', 1)}"
    if not found.name:
        who = "this address is for classifying photos"
    return Refused(
        f"{what} is for {needed}s",
        who,
        f"ask {_whom_to_ask()} for the role of {needed.one}",
    )


def _whom_to_ask() -> str:
    return (doorkeeper().settings.ask if doorkeeper().asks else "") or "whoever runs this Kennel"
