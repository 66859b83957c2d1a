"""A run's log: its newest lines as they are printed, search, one host of several, and the whole as a file."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.format import count
from dashboard.core.runs.log import LogLine
from dashboard.core.runs.model import Run
from dashboard.state import Tail
from dashboard.ui import markup, page, problem

SHOWN_LINES = 400
HEIGHT = 340
SEARCH, HOST = "log-search", "log-host"


def show(aws: Aws, one: Run, tail: Tail) -> None:
    """The log's end, or the lines that hold what is searched for."""
    lines = tail.lines
    if tail.problem is not None:
        problem.card(tail.problem, "log-problem")
    with st.container(horizontal=True, vertical_alignment="center", key="log-head"):
        page.section("Log")
        st.space("stretch")
        searched, host = "", None
        if lines:
            searched, host = _asked(sorted({line.host for line in lines}))
            _download(aws, one)
    is_whole = tail.count <= len(lines)
    found = lines if is_whole or not searched else state.find_in_log(aws, one.key, searched)
    left = [line for line in found if (not host or line.host == host) and searched.lower() in line.text.lower()]
    with st.container(height=HEIGHT, autoscroll=not searched, key="log"):
        told = state.explanation(aws, one)
        label = f"Log of {one.name}, newest line last"
        if lines or tail.problem is None:
            st.html(markup.log(_texts(one, lines, left, host), label, told.line if told else "", searched))
    if said := _said(tail, left, searched):
        st.html(markup.note(said))


def _asked(hosts: Sequence[str]) -> tuple[str, str | None]:
    """What is searched for, and of which of several hosts."""
    searched = st.text_input(
        "Search the log",
        key=SEARCH,
        type="search",
        live=True,
        placeholder="Search",
        label_visibility="collapsed",
        width=180,
    )
    host = st.pills("Host", hosts, key=HOST, label_visibility="collapsed") if len(hosts) > 1 else None
    return (searched or "").strip(), host


def _download(aws: Aws, one: Run) -> None:
    """The whole log as a file; it is read when it is asked for."""
    st.download_button(
        "Download",
        data=partial(state.whole_log, aws, one.key),
        file_name=f"{one.name}.log",
        mime="text/plain",
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
        key="download-log",
    )


def _texts(one: Run, lines: Sequence[LogLine], left: Sequence[LogLine], host: str | None) -> list[str]:
    if not lines:
        return ["Nothing printed yet." if one.status.is_active else "This run printed nothing."]
    if not left:
        return ["No line holds that."]
    several = not host and len({line.host for line in lines}) > 1
    return [f"{line.host}  {line.text}" if several else line.text for line in left[-SHOWN_LINES:]]


def _said(tail: Tail, left: Sequence[LogLine], searched: str) -> str:
    if searched:
        cut = f", the last {SHOWN_LINES} are shown" if len(left) > SHOWN_LINES else ""
        return f"{count(len(left), 'line')} with “{searched}”{cut}."
    return f"The last {SHOWN_LINES} of {count(tail.count, 'line')}." if tail.count > SHOWN_LINES else ""
