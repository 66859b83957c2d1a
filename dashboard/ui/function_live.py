"""The live part of a function's page: its charts, the numbers behind them, and its log."""

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.span import Span
from dashboard.ui import address, chart, figures_function, markup, page, problem

SPAN = "span"
HEIGHT = 300


def span() -> Span:
    """How far back the page looks, as the address or the field says."""
    asked = st.session_state.get(SPAN) or st.query_params.get(SPAN)
    return next((one for one in Span if one.word == asked), Span.QUARTER)


def show(aws: Aws, details: Details) -> None:
    """The span to choose, the charts, and the log, drawn again every few seconds."""
    known = [one.word for one in Span]
    address.misread(address.unknown_of(st.query_params.to_dict(), {SPAN: ("span", known)}))
    st.segmented_control("In the last", known, default=Span.QUARTER.word, required=True, key=SPAN, bind="query-params")
    st.fragment(_charts, run_every=3, key="function-charts")(aws, details)
    page.section("Log")
    st.fragment(_log, run_every=3, key="function-log")(aws, details)


def _charts(aws: Aws, details: Details) -> None:
    with problem.shown("function-charts"):
        seen = state.function_usage(aws, details.function.name, span())
        is_dark = st.context.theme.type == "dark"
        drawn = figures_function.panels(details, seen.value, seen.at)
        if not drawn[0].lines:
            quiet = drawn[0]
            chart.panel(quiet.key, quiet.finding, None, quiet.wait, alone=True)  # one that says it for all
            drawn = [panel for panel in drawn if panel.lines]
        for first in range(0, len(drawn), 2):
            for place, panel in zip(st.columns(2, gap="small"), drawn[first : first + 2], strict=False):
                with place:
                    chart.panel(panel.key, panel.finding, panel.draw(span(), is_dark=is_dark), panel.wait)
        rows = figures_function.rows(seen.value)
        if rows:
            file = f"{details.function.name}-invocations.csv"
            chart.download(lambda: rows, file, "download-invocations", is_quiet=True)


def _log(aws: Aws, details: Details) -> None:
    with problem.shown("function-log"):
        one = details.function
        found = state.function_log(aws, one.name)
        if not found:
            st.html(markup.note("Nothing printed yet."))
            return
        with st.container(height=HEIGHT, autoscroll=True, key="log"):
            st.html(markup.log([line.text for line in found], f"Log of {one.name}, newest line last"))
        st.html(markup.note(f"The newest lines of {one.log_group} in CloudWatch Logs."))
