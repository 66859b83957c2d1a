"""The tables of the Security page: findings with their filter and files, and roles."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

import streamlit as st

from dashboard.core.format import count
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge.audited import subject
from dashboard.core.iam.judge.posture import Posture
from dashboard.core.iam.judge.risks import Accepted
from dashboard.ui import chart, page, role_words, security_words, table
from dashboard.ui.markup import note
from dashboard.ui.page import Place
from dashboard.ui.security_words import Asked
from dashboard.ui.tones import Tone

TEXT, SEVERITY, KIND, FINDING = "q", "severity", "kind", "finding"
OPEN, ROLES, SHOWN, NAMES = "security-open", "security-roles", "security-shown", "security-names"
LETTER, NARROWEST, WIDEST = 7, 160, 480
LONG, HIGH = 12, 467
"""Rows, and the pixels that a table of more of them has."""


def show(
    findings: Sequence[Finding], accepted: Mapping[str, Accepted], file: str, key: str, *, bound: bool = True
) -> Sequence[Finding]:
    """The filter, the findings that it leaves in, and their files; which those are.

    bound: the filter and the chosen row stand in the address; a page has one such table.
    """
    asked = _filter(findings, key, bound=bound)
    shown = [one for one in findings if asked.fits(one)]
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}-files"):
        st.html(note(f"{len(shown):,} of {count(len(findings), 'finding')}"), width="content")
        st.space("stretch")
        if shown:
            chart.download(lambda: security_words.plain(shown, accepted), f"{file}.csv", f"{key}-csv")
            _download_json(shown, accepted, f"{file}.json", f"{key}-json")
    if not shown:
        if findings:
            st.html(note("No finding fits the filter: take a word or a choice away."))
        return shown
    keys = [one.key for one in shown]
    st.session_state[f"{SHOWN}-{key}"] = keys
    table_key = f"table-{key}-{crc32(''.join(keys).encode()):08x}"  # of other rows the chosen one is another
    st.dataframe(
        security_words.rows(shown),
        key=table_key,
        hide_index=True,
        height="content" if len(shown) <= LONG else HIGH,
        alt="Findings; a row that is chosen opens below, a click on a name its page",
        on_select=lambda: _choose(key, table_key, bound=bound),
        selection_mode="single-row",
        column_config=_columns(shown, key, leads=bound),
    )
    return shown


def chosen(key: str) -> str:
    """The key of the finding whose row is chosen in a table that is not bound to the address; "" for none."""
    return str(st.session_state.get(f"{FINDING}-{key}", ""))


def _choose(key: str, table_key: str, *, bound: bool) -> None:
    rows = st.session_state[table_key]["selection"]["rows"]
    shown = st.session_state.get(f"{SHOWN}-{key}", ())
    found = shown[rows[0]] if rows and rows[0] < len(shown) else ""
    if not bound:
        st.session_state[f"{FINDING}-{key}"] = found
    elif found:
        st.query_params[FINDING] = found
    else:
        st.query_params.pop(FINDING, None)


def _filter(findings: Sequence[Finding], key: str, *, bound: bool) -> Asked:
    bind: dict[str, Any] = {"bind": "query-params"} if bound else {}

    def name(of: str) -> str:
        return of if bound else f"{key}-{of}"

    severities = [one.value for one in Severity if any(each.severity is one for each in findings)]
    there = security_words.kinds(findings)
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}-filters"):
        text = st.text_input(
            "Search", key=name(TEXT), type="search", live=True, placeholder="Role, policy, reason …", width=220, **bind
        )
        chosen = st.pills(
            "Severity",
            [one.value for one in Severity] if bound else severities,
            selection_mode="multi",
            key=name(SEVERITY),
            **bind,
        )
        kinds = st.multiselect(
            "Kind",
            [role_words.KINDS[one] for one in (Kind if bound else there)],
            key=name(KIND),
            placeholder="all kinds",
            width=260,
            **bind,
        )
    return Asked(text or "", tuple(chosen), tuple(kinds))


def _columns(findings: Sequence[Finding], key: str, *, leads: bool) -> dict[str, Any]:
    """leads: the names open pages of this account."""
    column = st.column_config
    about = "Or the policy or function it is about"
    wide = width([subject(one) for one in findings])
    name = (
        table.opening("Role", f"{NAMES}-{key}", lambda: _open_subject(key, findings), wide)
        if leads
        else column.TextColumn("Role", width=wide, help=about)
    )
    return {
        "Role": name,
        "Severity": table.states("Severity", security_words.looks(findings), 100),
        "Kind": column.TextColumn("Kind", width=160),
        "What": column.TextColumn("What", width=490),
        "Policy": column.TextColumn("Policy", width=190),
    }


def width(names: Iterable[str]) -> int:
    """Pixels in which a column of names shows each whole, as far as they are of a usual length."""
    return min(WIDEST, max(NARROWEST, LETTER * max((len(name) for name in names), default=0) + 30))


def _open_subject(key: str, findings: Sequence[Finding]) -> None:
    """The page of what a finding is about; what has none opens below, as its row does."""
    shown = st.session_state.get(f"{SHOWN}-{key}", ())
    opened = table.opened(f"{NAMES}-{key}", shown)
    one = next((each for each in findings if each.key == opened), None)
    if one is None:
        return
    if way := security_words.way(one):
        page.go(*way)
    st.query_params[FINDING] = one.key


def _download_json(findings: Sequence[Finding], accepted: Mapping[str, Accepted], file: str, key: str) -> None:
    st.download_button(
        "Download JSON",
        data=lambda: json.dumps(security_words.records(findings, accepted), indent=2, ensure_ascii=False, default=str),
        file_name=file,
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )


def roles(found: Posture, now: Any) -> None:
    """Every role that can be changed, the worst first; a click on a name opens its page."""
    rows = security_words.role_rows(found.audited, found.findings, found.held, now)
    if not rows:
        st.html(note("No role was read."))
        return
    st.session_state[ROLES] = [str(row["Role"]) for row in rows]
    column = st.column_config
    looks = [
        *security_words.looks(found.findings),
        (Tone.DONE, security_words.CLEAN),
        (Tone.STOPPED, security_words.ACCEPTED),
    ]
    st.dataframe(
        rows,
        key="table-security-roles",
        hide_index=True,
        placeholder="–",
        height="content" if len(rows) <= LONG else HIGH,
        alt="Roles; a click on a name opens its page",
        column_config={
            "Role": table.opening("Role", OPEN, _open, width([str(row["Role"]) for row in rows])),
            "Worst": table.states("Worst", looks, 130),
            **{one.value.capitalize(): column.NumberColumn(one.value.capitalize(), width=74) for one in Severity},
            "Accepted": column.NumberColumn("Accepted", width=84, help="Risks that somebody accepted"),
            "Works for": column.TextColumn("Works for", width=190),
            "Last used": column.TextColumn("Last used", width=110),
            "Policies": column.NumberColumn("Policies", width=80),
            "Boundary": column.TextColumn("Boundary", width=150),
        },
    )
    file = f"kennel-roles-{found.at:%Y-%m-%d}.csv"
    chart.download(lambda: table.plain(rows, "Worst"), file, "security-roles-csv", is_quiet=True)


def _open() -> None:
    if name := table.opened(OPEN, st.session_state.get(ROLES, ())):
        page.go(Place.ROLE, {"role": name})
