"""Scheduled actions of a variant: what they do and when next, one more, one less."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from zoneinfo import available_timezones

import streamlit as st

from dashboard import state
from dashboard.core.errors import InvalidInput
from dashboard.core.serving.scaling.plan import action as action_words
from dashboard.core.serving.scaling.policy import Scheduled
from dashboard.core.serving.scaling.schedule import occurrences
from dashboard.core.serving.scaling.variant import Variant
from dashboard.ui.markup import escape, note
from dashboard.ui.table import zone

YEAR = timedelta(days=366)
LARGEST = 2**31 - 1
OWN = "Own expression"
DAYS = {"Every day": "?", "Monday to Friday": "MON-FRI", "Saturday and Sunday": "SAT,SUN"}

Set = Callable[[tuple[Scheduled, ...]], None]


def show(scheduled: tuple[Scheduled, ...], variant: Variant, put: Set) -> tuple[Scheduled, ...]:
    """The actions, each with a button that removes it, and a form for another."""
    for one in scheduled:
        with st.container(horizontal=True, vertical_alignment="center", key=f"row-action-{one.name}"):
            told = note(f"{action_words(one)} · {upcoming(one, state.now())}")
            st.html(f'<div class="kn-row"><p><strong>{escape(one.name)}</strong></p>{told}</div>')
            rest = tuple(other for other in scheduled if other.name != one.name)
            st.button("Remove", key=f"scaling-unschedule-{one.name}", type="tertiary", on_click=put, args=(rest,))
    with st.expander("Add a scheduled action", key="scaling-add-action"):
        _add(scheduled, variant, put)
    return scheduled


def upcoming(one: Scheduled, now: datetime) -> str:
    """When it happens next, in its own time zone: "next Mon 23 Nov 08:00"; or that it does not, or cannot."""
    begin = max(now, one.start) if one.start else now
    end = min(now + YEAR, one.end) if one.end else now + YEAR
    if one.schedule.startswith("rate"):
        return "counted from when AWS takes it"
    try:
        found = occurrences(one.schedule, one.timezone, begin, end)
    except InvalidInput as wrong:
        return wrong.why
    return f"next {found[0].astimezone(zone(one.timezone)):%a %-d %b %H:%M}" if found else "never within a year"


def expression(days: str, at: time) -> str:
    """The cron expression of a time on some days."""
    weekday = DAYS[days]
    return f"cron({at.minute} {at.hour} {'*' if weekday == '?' else '?'} * {weekday} *)"


def _add(scheduled: tuple[Scheduled, ...], variant: Variant, put: Set) -> None:
    left, right = st.columns(2, gap="small")
    with left:
        name = st.text_input("Name", key="scaling-action-name", placeholder="morning", live=True)
        when = st.selectbox("When", [*DAYS, OWN], key="scaling-action-when")
        least = st.number_input(
            "Minimum", 0, LARGEST, None, step=1, key="scaling-action-min", placeholder="as it is"
        )  # fmt: skip
    with right:
        zones = sorted(available_timezones())
        usual = st.context.timezone if st.context.timezone in zones else "UTC"
        place = st.selectbox("Time zone", zones, index=zones.index(usual), key="scaling-action-zone")
        if when == OWN:
            told = st.text_input(
                "Expression",
                key="scaling-action-expression",
                placeholder="cron(0 8 ? * MON-FRI *)",
                help="at(2026-12-24T18:00:00), rate(6 hours) or cron(minutes hours day month weekday year)",
                live=True,
            )
        else:
            clock = st.time_input("At", value=time(8, 0), key="scaling-action-at", step=timedelta(minutes=5))
            told = expression(when, clock)
        most = st.number_input(
            "Maximum", 0, LARGEST, None, step=1, key="scaling-action-max", placeholder="as it is"
        )  # fmt: skip
    made = Scheduled(
        (name or "").strip() or f"action-{len(scheduled) + 1}",
        (told or "").strip(),
        None if least is None else int(least),
        None if most is None else int(most),
        place,
    )
    if made.schedule:
        st.html(note(f"{made.name}: {upcoming(made, state.now())}."))
    known = any(one.name == made.name for one in scheduled)
    st.button(
        "Replace it" if known else "Add to the form",
        key="scaling-action-add",
        disabled=not made.schedule or (least is None and most is None),
        on_click=put,
        args=((*(one for one in scheduled if one.name != made.name), made),),
    )
