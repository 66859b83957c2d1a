"""A plan for a role in a dialog: what goes and comes, what AWS is asked, the name to type; then it goes on in the
background, step by step, on the role's page.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Protocol

import streamlit as st

from dashboard import role_readings
from dashboard.core.aws import Account, Aws
from dashboard.core.calls import Call
from dashboard.core.errors import Refused
from dashboard.core.iam.documents import PolicyError
from dashboard.core.iam.replace.going import Deed, Do, Tell
from dashboard.core.iam.replace.step import Step
from dashboard.ui import as_code, markup
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import literal, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone


class Plan(Protocol):
    """What a change, an undo and a retirement have in common before they are carried out."""

    @property
    def title(self) -> str: ...

    @property
    def button(self) -> str: ...

    @property
    def calls(self) -> Sequence[Call]: ...

    @property
    def warnings(self) -> Sequence[str]: ...

    def code(self, account: Account) -> str:
        """The same as Python."""
        ...


Steps = Callable[[], Iterator[Step]]


@contextmanager
def judged(role: str) -> Iterator[None]:
    """Inside, a policy that cannot be judged is a reason to leave its role alone."""
    try:
        yield
    except PolicyError as wrong:
        raise Refused(
            f"nothing is planned for {role}", f"{wrong}: what cannot be judged is not changed", "mend that policy first"
        ) from wrong


def steps(work: Steps) -> Do:
    """What carries out steps one by one; it is never ended half way, since it ends whole or takes itself back."""

    def do(tell: Tell, _stop: Event) -> None:
        for step in work():
            tell(step)

    return do


def question(
    aws: Aws,
    plan: Plan,
    role: str,
    deed: Deed,
    work: Steps,
    *,
    draw: Callable[[], None] = lambda: None,
    typed: str = "",
    nothing: str = "",
    part: str = "",
    at_once: bool = False,
    undoes: str = "",
) -> Question:
    """The dialog of a plan. draw: what it shows first. typed: why the role's name is to be typed, "" where it is not.

    nothing: why there is nothing to do, "" where there is. part: of the role's page, which opens then. at_once: it is
    done while the dialog waits, for what has no page of its own. undoes: the deed of the trail that it takes back.
    """
    return Question(
        literal(plan.title),
        partial(_draw, aws, plan, role, _Doing(deed, work, part, at_once=at_once, undoes=undoes), draw, typed, nothing),
    )


@dataclass(frozen=True)
class _Doing:
    """What is carried out, and where it is watched."""

    deed: Deed
    work: Steps
    part: str
    at_once: bool
    undoes: str


def _draw(
    aws: Aws, plan: Plan, role: str, doing: _Doing, draw: Callable[[], None], typed: str, nothing: str
) -> Action | None:
    draw()
    for warning in plan.warnings:
        st.html(note(markup.sentence(warning), Tone.WAITING))
    if nothing:
        st.html(note(nothing))
        return None
    as_code.below(plan.calls, plan.code(aws.account))
    named = (role, typed) if typed else None
    if doing.at_once:
        return Action(plan.button, partial(at_once, doing.work), is_dangerous=bool(typed), typed=named)
    query = {"role": role} | ({"part": doing.part} if doing.part else {})
    begin = partial(_begin, aws, role, doing)
    return Action(plan.button, begin, Place.ROLE, query, bool(typed), named, undoes=doing.undoes)


def _begin(aws: Aws, role: str, doing: _Doing) -> str:
    role_readings.begin(aws, role, doing.deed, steps(doing.work))
    return f"Begun: the steps are on the page of {role}"


def at_once(work: Steps) -> str:
    """Carry the steps out; what the last of them says. Raises Refused with what went wrong."""
    done = {step.number: step for step in work()}
    role_readings.forget_roles()
    failed = next((step for step in done.values() if step.state.is_failed), None)
    if failed is not None:
        raise Refused(f"{failed.title}: not done", failed.detail, "look at it again; its record says how it stands")
    return done[max(done)].detail
