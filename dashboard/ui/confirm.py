"""Plan → confirm → execute: one dialog for everything that costs money or removes something.

A button `ask`s; the dialog draws the plan; its button's callback acts. The action is one idempotent call made inside
the callback, so that an impatient second click, or a rerun in between, cannot do it twice or half.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import state, tab
from dashboard.core.aws import Account
from dashboard.core.errors import KennelError, Refused
from dashboard.core.people import Role
from dashboard.core.planned import only_on
from dashboard.ui import access, account, deed, page, problem, say, told
from dashboard.ui.markup import literal, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

ASKED, FAILED, SAID = "confirm.asked", "confirm.failed", "confirm.said"
ON = "confirm.on"
"""The account that the open plan was made on."""
NAMELESS = {"it", "them"}
"""Words of a button for what the title above it names."""


@dataclass(frozen=True)
class Action:
    """What the dialog's button does: `do` acts and returns a sentence that says so; then the page `then` opens.

    The button of a dangerous action looks like one. `typed`: a name that must be typed before, and why. `needs`: the
    least role of who may do it; others see the plan. `undoes`: the deed of the trail that it takes back. `about`: the
    name of what it makes or changes, for the trail.
    """

    label: str
    do: Callable[[], str]
    then: Place | None = None
    query: dict[str, str] | None = None
    is_dangerous: bool = False
    typed: tuple[str, str] | None = None
    needs: Role = Role.ENGINEER
    undoes: str = ""
    about: str = ""


@dataclass(frozen=True)
class Question:
    """A dialog. `draw` shows the plan and returns the action, or None while the plan cannot be carried out.

    `changes`: whether it is about something that a tab which only reads cannot do.
    """

    title: str
    draw: Callable[[], Action | None]
    changes: bool = True


Make = Callable[[], Question]


def ask(make: Make) -> None:
    """Open a dialog; for `on_click`. Making the plan may fail: then the dialog says why instead."""
    put(make)
    st.rerun()


def put(make: Make) -> None:
    """The same in this run of the script, before `show`: for a plan of what its fields say."""
    st.session_state.pop(FAILED, None)
    try:
        planned_on = state.connection().account
        with only_on(planned_on):
            st.session_state[ASKED] = make()
        st.session_state[ON] = planned_on
        tab.touched()
    except KennelError as error:
        st.session_state[FAILED] = error


def at_once(what: str, do: Callable[[], object], then: Callable[[], None] = lambda: None) -> None:
    """Carry out what costs and removes nothing, without a plan; for `on_click`. The sentence that it returns, if it
    does, is said; why it cannot be, a dialog tells. then: called whatever came of it.
    """
    try:
        if isinstance(said := deed.carry_out(what, do), str):
            st.session_state[SAID] = said
    except KennelError as error:
        st.session_state[FAILED] = error
        st.rerun()  # the whole page: the dialog is not of a part that is looked at again
    finally:
        then()


def show() -> None:
    """Draw the open dialog, if any, and say what the last action did. Once a run, after the page."""
    if said := st.session_state.pop(SAID, None):
        say.say(said, icon=":material/check:")
    question: Question | None = st.session_state.get(ASKED)
    if question is not None:
        st.dialog(question.title, width="medium", on_dismiss=dismiss)(_draw)(question)
    elif failed := st.session_state.get(FAILED):
        st.dialog("That cannot be done now", width="medium", on_dismiss=dismiss)(_refused)(failed)


def dismiss() -> None:
    """Close the dialog without doing anything."""
    for key in (ASKED, FAILED, ON):
        st.session_state.pop(key, None)


def _type_name(name: str, why: str) -> bool:
    """A field in which the name must be typed before something dangerous is done; whether it was."""
    typed = st.text_input(f"{why} Type {literal(name)} to go on", key="confirm-name", live=True, autocomplete="off")
    return (typed or "").strip() == name


def _draw(question: Question) -> None:
    with problem.shown("plan"):
        if (on := st.session_state.get(ON)) is not None:
            account.planned(on, says_read_only=question.changes)
        with told.heard() as lines:
            action = question.draw()
        is_theirs = action is None or access.may(action.needs)
        is_ready = action is not None and is_theirs and (action.typed is None or _type_name(*action.typed))
        if failed := st.session_state.get(FAILED):
            problem.card(failed, "action")
        elif action is not None and not is_theirs:
            st.html(note(access.whose(action.needs), Tone.WAITING))
        look = "confirm-danger" if action is not None and action.is_dangerous else "confirm-buttons"
        with st.container(horizontal=True, horizontal_alignment="right", key=look):
            st.button("Cancel", key="confirm-cancel", on_click=_cancel)
            if action is not None and is_ready:
                st.button(
                    literal(action.label),
                    key="confirm-do",
                    type="primary",
                    on_click=_act,
                    args=(action, told.unmarked(question.title), tuple(lines)),
                )
            else:
                label = "Not possible yet" if action is None else literal(action.label)
                st.button(label, key="confirm-blocked", disabled=True)


def _refused(why: KennelError) -> None:
    """Why no plan could be made: where the plan would have been, not below a long page."""
    problem.card(why, "ask")
    with st.container(horizontal=True, horizontal_alignment="right", key="confirm-buttons"):
        st.button("Close", key="confirm-cancel", on_click=_cancel)


def _cancel() -> None:
    dismiss()
    st.rerun()


def _act(action: Action, title: str, plan: Sequence[str]) -> None:
    what = named(action.label, title, action.about)
    try:
        on: Account | None = st.session_state.get(ON)
        if on is None or not on.is_same(state.connection().account):
            moved = Refused(
                "it was not done", "this tab is on another account now", "plan it there, if it is meant there"
            )
            deed.turned_away(what, moved, plan=plan)
            raise moved
        said = deed.carry_out(what, action.do, action.needs, plan=plan, undoes=action.undoes)
    except KennelError as error:
        st.session_state[FAILED] = error  # the dialog stays open and shows it beside the plan
        return
    dismiss()
    state.forget()
    st.session_state[SAID] = said
    if action.then is not None:
        page.go(action.then, action.query)
    st.rerun()


def named(what: str, title: str, about: str = "") -> str:
    """A deed by the button and the title of its dialog: both, unless one of them says all that the other does.

    about: the name of what it makes or changes, which neither of them need say.
    """
    if about and about not in f"{title} {what}":
        title = f"{title}: {about}"
    if title in what:
        return what
    return title if _words(what) <= _words(title) | NAMELESS else f"{title} · {what}"


def _words(text: str) -> set[str]:
    return {word.strip(":,.?").casefold() for word in text.split()}
