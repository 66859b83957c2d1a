"""What was done here lately, by whom, and how it ended: the trail's newest, on the first page."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

import streamlit as st

from dashboard import morning_readings
from dashboard.core.aws import Aws
from dashboard.core.format import ago
from dashboard.core.trail.model import Deed, Result
from dashboard.ui import problem
from dashboard.ui.deed import ALONE
from dashboard.ui.markup import badge, literal, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

MOST = 5


def show(aws: Aws, now: datetime) -> None:
    """The newest deeds, or where they will stand."""
    with problem.shown("deeds"):
        draw(morning_readings.deeds(aws, MOST), now)


def draw(deeds: Sequence[Deed], now: datetime) -> None:
    """A line a deed."""
    if not deeds:
        st.html(
            note("Whatever is launched, deployed, changed or deleted from here on is listed here, with who did it.")
        )
    for one in deeds:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-deed-{one.id}"):
            st.html(line(one, now))
            st.page_link(Place.ACTIVITY, label="Details", query_params={"deed": one.id}, help=literal(one.what))


def line(one: Deed, now: datetime) -> str:
    """ "Delete dogs / 4 min ago by ada: dogs is being deleted". What was said then is told as of then. What went as
    it should needs no mark; who did it is told where more than one could have.
    """
    stands = "" if one.result is Result.DONE else badge(one.result.tone, one.result)
    undone = badge(Tone.STOPPED, "undone since") if one.is_undone else ""
    by = f" by {one.who}" if one.who != ALONE else ""
    came = one.said or one.why
    told = f"{ago(one.at, now)}{by}{f': {came}' if came else ''}"
    return (
        f'<div class="kn-row"><p>{stands} <strong>{escape(one.what)}</strong> {undone}</p>'
        f'<p class="kn-note">{escape(told)}</p></div>'
    )
