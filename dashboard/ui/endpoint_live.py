"""The live part of an endpoint's page: four charts and the numbers behind them."""

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.serving.span import Span
from dashboard.ui import address, chart, figures_endpoint, problem

SPAN = "span"


def span() -> Span:
    """How far back the page looks, as the address or the field says."""
    asked = st.session_state.get(SPAN) or st.query_params.get(SPAN)
    return next((one for one in Span if one.value == asked), Span.QUARTER)


def show(aws: Aws, name: str) -> None:
    """The span to choose, and the charts, drawn again every few seconds."""
    address.misread(address.unknown_of(st.query_params.to_dict(), {SPAN: ("the span", [one.value for one in Span])}))
    if st.query_params.get(SPAN, Span.QUARTER) not in Span._value2member_map_:
        del st.query_params[SPAN]
    st.segmented_control(
        "In the last",
        [one.value for one in Span],
        default=Span.QUARTER.value,
        required=True,
        key=SPAN,
        bind="query-params",
    )
    st.fragment(_charts, run_every=3, key="endpoint-charts")(aws, name)


def _charts(aws: Aws, name: str) -> None:
    with problem.shown("endpoint-charts"):
        one = state.endpoint(aws, name).value
        chosen = span()
        seen = state.traffic(aws, one, chosen)
        is_dark = st.context.theme.type == "dark"
        drawn = figures_endpoint.panels(one, seen.value, chosen, seen.at)
        if not any(each.requests for each in seen.value.values()):
            quiet = drawn[0]
            chart.panel(quiet.key, quiet.finding, None, quiet.wait, alone=True)  # one that says it for all
            drawn = [panel for panel in drawn if panel.lines]
        for first in range(0, len(drawn), 2):
            for place, panel in zip(st.columns(2, gap="small"), drawn[first : first + 2], strict=False):
                with place:
                    chart.panel(panel.key, panel.finding, panel.draw(chosen, is_dark=is_dark), panel.wait)
        rows = figures_endpoint.rows(seen.value)
        if rows:
            chart.download(lambda: rows, f"{name}-traffic.csv", "download-traffic", is_quiet=True)
