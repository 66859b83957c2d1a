"""The Security page: how the account stands, who is the worst, and every finding with what is behind it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import partial

import streamlit as st

from dashboard import role_readings, state
from dashboard.core.aws import Aws
from dashboard.core.format import count
from dashboard.core.iam.finding import Finding
from dashboard.core.iam.judge.audited import by_subject
from dashboard.core.iam.judge.posture import Posture
from dashboard.core.iam.judge.risks import Point
from dashboard.security_readings import Standing
from dashboard.ui import (
    address,
    chart,
    empty,
    figures_security,
    open_part,
    own_rights,
    page,
    security_file,
    security_finding,
    security_table,
    security_unused,
    security_words,
    strip,
    unread,
)
from dashboard.ui.markup import note

DAYS, FINDING, HELD = "unused", "finding", "accepted"


class Part(StrEnum):
    """A part of the page, as the address names it."""

    FINDINGS = "Findings"
    ROLES = "Roles"
    UNUSED = "Old and unused"
    FILE = "Audit a file"
    OWN = "Kennel's own roles"


def show(aws: Aws) -> None:
    """Head and figures; below, the part that is open."""
    reading = state.posture(aws, days())
    found = reading.posture
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="security-head"):
        page.title(
            "Security",
            security_words.sentence(found.audited, found.findings),
            security_words.age(found.at, state.now()),
        )
        st.space("stretch")
        st.button("Look again", key="security-again", icon=":material/refresh:", on_click=role_readings.forget_roles)
    account = st.container(key="security-account")
    chosen = open_part.choose(Part)
    if chosen is not Part.FILE:  # which has figures of its own
        with account:
            strip.show(security_words.figures(found.audited, found.score, found.findings, found.held, reading.points))
            if found.score is not None:
                st.html(note(f"Score: {found.score.arithmetic}."))
    _PARTS[chosen](aws, reading)
    if chosen not in (Part.FILE, Part.OWN):
        _foot(reading)


def days() -> int:
    """After how many days without a use a role counts as unused, as the address says."""
    known = {str(one): one for one in security_words.DAYS}
    return known.get(address.known(DAYS, "the number of days", known), security_words.USUAL_DAYS)


def _findings(aws: Aws, reading: Standing) -> None:
    found = reading.posture
    _charts(by_subject(found.findings), reading.points)
    every = (*found.findings, *found.held) if _shows_held(found.held) else found.findings
    shown: Sequence[Finding] = ()
    if every:
        every = security_words.ordered(every)
        shown = security_table.show(every, reading.accepted, f"kennel-security-{found.at:%Y-%m-%d}", "security")
    else:
        _clean(found)
    one = found.finding(st.query_params.get(FINDING, "")) or next(iter(shown), None)
    if one is not None:
        security_finding.show(aws, found.audited, one, reading.accepted.get(one.key), state.now())


def _charts(named: Mapping[str, Sequence[Finding]], points: Sequence[Point]) -> None:
    """How the score went beside who has the most findings; neither where there is nothing to draw."""
    dark = st.context.theme.type == "dark"
    trend = figures_security.trend(points, is_dark=dark)
    if trend is None and not named:
        return
    left, right = st.columns((5, 6), gap="medium") if trend is not None and named else 2 * (st.container(),)
    if trend is not None:
        with left:
            chart.panel("security-trend", figures_security.trend_finding(points), trend, "")
    if named:
        bars = figures_security.subjects(named, is_dark=dark)
        with right:
            chart.panel("security-subjects", figures_security.subjects_finding(named), bars, "")
    with st.expander("The figures as a table"):
        if named:
            st.dataframe(figures_security.subject_rows(named), hide_index=True, key="security-subject-rows")
        chart.download(
            partial(figures_security.trend_rows, points), "kennel-score.csv", "security-trend-csv", is_quiet=True
        )


def _shows_held(held: Sequence[Finding]) -> bool:
    """Whether accepted risks stand in the table too."""
    if not held:
        return False
    return st.toggle(f"Show accepted risks ({len(held)})", key=HELD, bind="query-params")


def _clean(found: Posture) -> None:
    """In the table's place: that nothing counts, and as far as what."""
    first = "Nothing was found."
    if found.audited.unread:
        first = "Nothing was found in what could be read."
    elif found.held:
        first = f"Nothing is open: {count(len(found.held), 'risk is', 'risks are')} accepted."
    empty.show(
        "security",
        first,
        "Whole services given away, roles passed on, trust in strangers, one role for everything and roles that nobody "
        "uses appear here, each with the statement to blame and what mends it.",
        framed=True,
    )


def _roles(aws: Aws, reading: Standing) -> None:
    security_table.roles(reading.posture, state.now())


def _unused(aws: Aws, reading: Standing) -> None:
    st.segmented_control(
        "Unused after",
        [str(one) for one in security_words.DAYS],
        format_func=lambda one: f"{one} d",
        default=str(security_words.USUAL_DAYS),
        required=True,
        key=DAYS,
        bind="query-params",
        help="After how many days without a use a role is listed; AWS keeps the last 400",
    )
    security_unused.show(aws, reading.posture, state.now())


def _file(aws: Aws, reading: Standing) -> None:
    security_file.show(state.now(), days())


def _own(aws: Aws, reading: Standing) -> None:
    own_rights.section(aws, reading.posture.audited)


def _foot(reading: Standing) -> None:
    """What was looked at and what could not be: silence about a part would look as if it were clean."""
    page.section("Looked at")
    audited = reading.posture.audited
    with st.container(border=True, key="panel-security-looked", gap=None):
        st.html(note(security_words.looked(audited)))
        for why in audited.partial:
            st.html(note(f"Not all: {why}."))
        unread.show("Not checked", (*audited.unread, *reading.unread), "security")


_PARTS = {
    Part.FINDINGS: _findings,
    Part.ROLES: _roles,
    Part.UNUSED: _unused,
    Part.FILE: _file,
    Part.OWN: _own,
}
