"""The five steps from a photo to a deployed model, ticked off, each with the button of the page where it is taken."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core import first_steps
from dashboard.core.aws import Aws
from dashboard.core.first_steps import Step, Taken
from dashboard.core.overview import Attention, Overview, Severity
from dashboard.core.people import Role
from dashboard.ui import access, page
from dashboard.ui.markup import badge, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

WAYS = {
    Step.PHOTO: (Place.CLASSIFY, "Classify a photo"),
    Step.DATA: (Place.DATA, "Bring photos"),
    Step.TRAIN: (Place.TRAIN, "Train a model"),
    Step.DEPLOY: (Place.RUNS, "Choose a run"),
    Step.CALL: (Place.FUNCTIONS, "Deploy a function"),
}


def ahead(aws: Aws, seen: Overview) -> tuple[Taken, ...]:
    """The steps, for as long as who may take them is on the way; () before it is known how far, and for others."""
    if not first_steps.is_newcomers(seen) or not access.may(Role.ENGINEER):
        return ()
    found = state.first_steps(aws)
    taken = first_steps.steps(seen, found) if found is not None else ()
    return taken if first_steps.is_shown(seen, taken) else ()


def show(taken: Sequence[Taken], before: Attention | None = None) -> None:
    """The steps under their heading, if there are any to show. before: what has to be done first, see `needed`."""
    if taken:
        page.section(f"From a photo to your own model: {sum(one.is_done for one in taken)} of {len(taken)} steps")
        if before is not None:
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key="step-set-up"):
                st.html(note(f"First of all: {before.what}.", Tone.WAITING))
                st.page_link(Place.SETTINGS, label="Set up this account", query_params=dict(before.query))
        draw(taken)


def needed(seen: Overview) -> Attention | None:
    """What the account lacks without which the steps lead nowhere; None where nothing is known to be missing."""
    return next((one for one in seen.attention if one.page == "setup" and one.severity is Severity.WARNING), None)


def draw(taken: Sequence[Taken]) -> None:
    """A card a step, in their order; the first that is not done stands out."""
    coming = first_steps.coming(taken)
    with st.grid(len(taken), gap="small", min_column_width=170):
        for number, one in enumerate(taken, 1):
            look = "next" if one.step is coming else "done" if one.is_done else "later"
            with st.container(border=True, height="stretch", gap=None, key=f"step-{look}-{number}"):
                st.html(card(number, one, is_next=one.step is coming))
                place, label = WAYS[one.step]
                st.page_link(place, label=label)


def card(number: int, one: Taken, *, is_next: bool) -> str:
    """What stands on a step's card: its number and name, whether it is done, and by what or how."""
    mark = badge(Tone.DONE, "done") if one.is_done else badge(Tone.RUNNING, "next", shape="") if is_next else ""
    return (
        f'<div class="kn-first-step"><p class="kn-figure-name">Step {number} {mark}</p>'
        f'<p class="kn-first-step-name">{escape(one.step)}</p><p class="kn-note">{escape(one.told)}</p></div>'
    )
