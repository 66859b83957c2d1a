"""The five steps from a photo to a deployed model, ticked off, each with the button of the page where it is taken."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core import first_steps
from dashboard.core.aws import Aws
from dashboard.core.first_steps import Step, Taken
from dashboard.core.overview import Attention, Overview, Severity
from dashboard.core.people import Role
from dashboard.ui import access, page
from dashboard.ui.markup import badge, sentence
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

WAYS = {
    Step.PHOTO: (Place.CLASSIFY, "Classify a photo"),
    Step.DATA: (Place.DATA, "Bring photos"),
    Step.TRAIN: (Place.TRAIN, "Train a model"),
    Step.DEPLOY: (Place.RUNS, "Choose a run"),
    Step.CALL: (Place.FUNCTIONS, "Deploy function"),
}
NEXT = badge(Tone.RUNNING, "next", shape="")
OLD = timedelta(seconds=30)
"""While somebody looks, what the steps are ticked off by is never so old."""


def ahead(aws: Aws, seen: Overview) -> tuple[Taken, ...] | None:
    """The steps, for as long as who may take them is on the way; () for others, None before it is known how far."""
    if not _is_for_them(seen):
        return ()
    found = state.first_steps(aws, seen)
    if found is None:
        return None
    taken = first_steps.steps(seen, found.value)
    return taken if first_steps.is_shown(seen, taken) else ()


def is_behind(aws: Aws, seen: Overview, now: datetime) -> bool:
    """Whether what the steps are ticked off by is not known yet, or of before somebody came back: soon it is newer."""
    if not _is_for_them(seen):
        return False
    found = state.first_steps(aws, seen)
    return found is None or now - found.at > OLD


def _is_for_them(seen: Overview) -> bool:
    return first_steps.is_newcomers(seen) and access.may(Role.ENGINEER)


def show(taken: Sequence[Taken], before: Attention | None = None) -> None:
    """The steps under their heading, if there are any to show. before: what has to be done first, see `needed`."""
    if taken:
        page.section(f"From a photo to your own model: {sum(one.is_done for one in taken)} of {len(taken)} steps")
        if before is not None:
            with st.container(
                horizontal=True, vertical_alignment="center", border=True, gap="small", key="step-next-set-up"
            ):
                st.html(first(before))
                st.page_link(Place.SETTINGS, label="Set up this account", query_params=dict(before.query))
        draw(taken, None if before is not None else first_steps.coming(taken))


def needed(seen: Overview) -> Attention | None:
    """What the account lacks without which the steps lead nowhere; None where nothing is known to be missing."""
    return next((one for one in seen.attention if one.page == "setup" and one.severity is Severity.WARNING), None)


def draw(taken: Sequence[Taken], coming: Step | None) -> None:
    """A card a step, in their order; the one that is to be taken next stands out."""
    with st.grid(len(taken), gap="small", min_column_width=170):
        for number, one in enumerate(taken, 1):
            look = "next" if one.step is coming else "done" if one.is_done else "later"
            with st.container(border=True, height="stretch", gap=None, key=f"step-{look}-{number}"):
                st.html(card(number, one, is_next=one.step is coming))
                place, label, query = way(one)
                st.page_link(place, label=label, query_params=query)


def way(one: Taken) -> tuple[Place, str, dict[str, str]]:
    """Where a step is taken: the page, what leads there, and its address."""
    if one.step is Step.CALL and one.name:
        return Place.FUNCTION, "Test the function", {"function": one.name, "part": "Test"}
    return *WAYS[one.step], {}


def first(before: Attention) -> str:
    """What has to be done before the steps, in the looks of one."""
    return (
        f'<div class="kn-first-step"><p class="kn-figure-name">First of all {NEXT}</p>'
        f'<p class="kn-first-step-name">Set up this account</p><p class="kn-note">{escape(sentence(before.what))}. '
        f"{escape(sentence(before.why))}</p></div>"
    )


def card(number: int, one: Taken, *, is_next: bool) -> str:
    """What stands on a step's card: its number and name, whether it is done, and by what or how."""
    mark = badge(Tone.DONE, "done") if one.is_done else NEXT if is_next else ""
    return (
        f'<div class="kn-first-step"><p class="kn-figure-name">Step {number} {mark}</p>'
        f'<p class="kn-first-step-name">{escape(one.step)}</p><p class="kn-note">{escape(one.told)}</p></div>'
    )
