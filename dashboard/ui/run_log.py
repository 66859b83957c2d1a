"""A run's log: its newest lines as they are printed, search, one host of several, and the whole as a file."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard.core.format import count
from dashboard.core.runs.log import LogLine
from dashboard.core.runs.model import Run
from dashboard.state import Tail
from dashboard.ui import markup, page, run

SHOWN_LINES = 400
HEIGHT = 340
SEARCH, HOST = "log-search", "log-host"


def show(one: Run, tail: Tail) -> None:
    """The log's end, or the lines that hold what is searched for."""
    lines = tail.lines
    with st.container(horizontal=True, vertical_alignment="center", key="log-head"):
        page.section("Log")
        st.space("stretch")
        searched, host = "", None
        if lines:
            searched = (
                st.text_input(
                    "Search the log",
                    key=SEARCH,
                    type="search",
                    live=True,
                    placeholder="Search",
                    label_visibility="collapsed",
                    width=180,
                )
                or ""
            ).strip()
            hosts = sorted({line.host for line in lines})
            if len(hosts) > 1:
                host = st.pills("Host", hosts, key=HOST, label_visibility="collapsed")
            download(one, tail)
    left = [line for line in lines if (not host or line.host == host) and searched.lower() in line.text.lower()]
    mark = run.telling_line([line.text for line in lines]) if one.status.is_bad else ""
    with st.container(height=HEIGHT, autoscroll=not searched, key="log"):
        st.html(markup.log(_texts(one, lines, left, host), f"Log of {one.name}, newest line last", mark, searched))
    if said := _said(tail, left, searched):
        st.html(markup.note(said))


def download(one: Run, tail: Tail) -> None:
    """The whole log as a file; it is read when it is asked for."""
    st.download_button(
        "Download",
        data=partial(whole, tail),
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
        within = f" of the last {len(tail.lines):,}" if tail.count > len(tail.lines) else ""
        return f"{count(len(left), 'line')}{within} with “{searched}”."
    return f"The last {SHOWN_LINES} of {count(tail.count, 'line')}." if tail.count > SHOWN_LINES else ""


def whole(tail: Tail) -> str:
    """The log as a file: when, from which host, and what."""
    return "\n".join(f"{line.time:%Y-%m-%dT%H:%M:%S} {line.host} {line.text}" for line in tail.lines)
