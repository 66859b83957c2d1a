"""What an endpoint's containers or a function print: the newest lines, and search."""

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.format import count
from dashboard.core.serving import logs
from dashboard.ui import markup, page, problem, table

HEIGHT = 460
SEARCH = "serving-log-search"


def show(aws: Aws, name: str, group: str) -> None:
    """The field, and the lines of a log group, read again every few seconds while nothing is searched for."""
    with st.container(horizontal=True, vertical_alignment="center", key="log-head"):
        page.section("Log")
        st.space("stretch")
        searched = st.text_input(
            "Search the log",
            key=SEARCH,
            type="search",
            live=True,
            placeholder="Search",
            label_visibility="collapsed",
            width=180,
        )
    wanted = (searched or "").strip()
    st.fragment(_lines, run_every=None if wanted else 2, key="serving-log")(aws, name, group, wanted)


def _lines(aws: Aws, name: str, group: str, wanted: str) -> None:
    with problem.shown("serving-log"):
        found = state.find_in_serving_log(aws, group, wanted) if wanted else state.serving_log(aws, group)
        timezone, several = st.context.timezone, len({line.host for line in found}) > 1
        texts = [
            f"{table.local(line.time, timezone):%H:%M:%S}  {f'{line.host}  ' if several else ''}{line.text}"
            for line in found
        ]
        nothing = f"No line holds “{wanted}”." if wanted else "Nothing printed yet."
        with st.container(height=HEIGHT if found else "content", autoscroll=not wanted, key="log"):
            st.html(markup.log(texts or [nothing], f"Log of {name}, newest line last", "", wanted))
        told = f"{count(len(found), 'line')} with “{wanted}”" if wanted else f"The newest {count(len(found), 'line')}"
        cut = ", and perhaps more" if len(found) >= logs.LINES else ""
        st.html(markup.note(f"{told}{cut}, of {group} in CloudWatch Logs."))
