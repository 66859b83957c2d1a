"""What was done here lately, by whom, and how it ended: the trail's newest, on the first page."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

import streamlit as st

from dashboard import morning_readings
from dashboard.core.aws import Aws
from dashboard.core.format import ago
from dashboard.core.trail.model import Deed
from dashboard.ui import problem
from dashboard.ui.markup import badge, literal, note
from dashboard.ui.page import Place

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
    """ "✓ done  Delete dogs / dogs is being deleted · ada · 4 min ago"."""
    parts = (one.said or one.why, one.who, ago(one.at, now), "undone since" if one.is_undone else "")
    told = " · ".join(part for part in parts if part)
    return (
        f'<div class="kn-row"><p>{badge(one.result.tone, one.result)} <strong>{escape(one.what)}</strong></p>'
        f'<p class="kn-note">{escape(told)}</p></div>'
    )
