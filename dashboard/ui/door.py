"""What stands in place of a page for whom it is not: the way to sign in, or whom to ask; and the way out again."""

import os
from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from dashboard.core import exposure
from dashboard.core.errors import KennelError, Refused
from dashboard.core.people import Person
from dashboard.doorkeeper import doorkeeper
from dashboard.ui import access, page, pages, problem
from dashboard.ui.markup import note
from dashboard.ui.table import local
from dashboard.ui.tones import Tone

TOLD = "signin"
SAID = {
    "unreachable": "The sign-in provider does not answer. Try again in a minute.",
    "failed": "That sign-in did not succeed. Try again, or with another account.",
}
"""By what the address says after a sign-in that led to nothing."""


def enter() -> Person | None:
    """Who looks at this page. None for nobody, and then `lets_in` says why."""
    return None if _unsafe() else doorkeeper().knows(access.claims())


def lets_in(person: Person | None, opened: pages.Page) -> bool:
    """Whether this page is for them; what there is to say and do instead is drawn where it is not."""
    if person is None:
        _refuse()
        return False
    if doorkeeper().asks:
        _name(person)
    if not person.may(opened.role):
        page.title(opened.title, "is not for you")
        problem.drawn(access.not_for(person, opened.title, opened.role), "not-for-you")
        first = pages.first_of(person.role)
        st.page_link(first.place, label=first.title, icon=":material/arrow_back:")
        return False
    return True


def _unsafe() -> KennelError | None:
    """Why nobody may be let in by this server: it was started in a way that would let in everybody. None otherwise."""
    keeper = doorkeeper()
    if (keeper.asks or keeper.share) and not keeper.is_guarded:
        return Refused(
            "this server does not check who fetches files and pictures",
            "app.py was started alone",
            "start Kennel with make run or python -m dashboard",
        )
    try:
        exposure.check(str(st.get_option("server.address") or exposure.EVERYWHERE), os.environ, has_sign_in=keeper.asks)
    except KennelError as error:
        return error
    return None


def _name(person: Person) -> None:
    """Who is signed in, until when, below the navigation, and the way out."""
    ends = local(doorkeeper().until(access.claims()), st.context.timezone)
    with st.sidebar.container(key="person", gap="small"):
        st.html(
            f'<div class="kn-person"><p>{escape(person.name).replace("@", "@<wbr>")}</p>'
            f"<p>{escape(person.role.one.capitalize())}: {person.role.may}</p>"
            f"<p>Signed in until {ends:%-d %b, %H:%M}</p></div>"
        )
        st.button("Sign out", key="sign-out", icon=":material/logout:", on_click=_sign_out)


def _refuse() -> None:
    claims = access.claims()
    try:
        if wrong := _unsafe():
            raise wrong
        access.person()
    except KennelError as error:
        page.title("Kennel", "is not open to you")
        problem.drawn(error, "no-role")
        if claims.get("is_logged_in"):
            st.button("Sign out", key="sign-out", icon=":material/logout:", on_click=_sign_out)
        return
    page.title("Kennel", "the operations dashboard of an image classification service on AWS")
    with st.container(border=True, key="panel-sign-in", width=460):
        _sign_in(claims)


def _sign_in(claims: Mapping[str, Any]) -> None:
    """Why one is asked, and by whom."""
    if said := SAID.get(st.query_params.pop(TOLD, "")):
        st.html(note(said, Tone.WAITING))
    elif claims.get("is_logged_in"):
        hours = f"{doorkeeper().settings.hours:g}"
        st.html(note(f"Your sign-in has ended: it holds for {hours} h, or until you sign out.", Tone.WAITING))
    else:
        st.html(note("What you may see and do here depends on who you are."))
    with st.container(horizontal=True, key="sign-in"):
        for name in doorkeeper().settings.providers or ("",):
            st.button(
                f"Sign in with {name}" if name else "Sign in",
                key=f"sign-in-{name}",
                type="primary",
                icon=":material/login:",
                on_click=st.login,
                args=(name,) if name else (),
            )


def _sign_out() -> None:
    try:
        doorkeeper().end(access.claims())
    finally:
        st.logout()
