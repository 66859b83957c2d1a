"""The live part of an endpoint's page: four charts and the numbers behind them."""

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.ui import chart, figures_endpoint, looking, problem


def show(aws: Aws, name: str) -> None:
    """The span to choose, and the charts, drawn again every few seconds."""
    looking.field()
    st.fragment(_charts, run_every=looking.REDRAWN, key="endpoint-charts")(aws, name)


def _charts(aws: Aws, name: str) -> None:
    with problem.shown("endpoint-charts"):
        one = state.endpoint(aws, name).value
        chosen = looking.span()
        seen = state.traffic(aws, one, chosen)
        is_quiet = not any(each.requests for each in seen.value.values())
        looking.charts(figures_endpoint.panels(one, seen.value, chosen, seen.at), chosen, is_quiet=is_quiet)
        rows = figures_endpoint.rows(seen.value)
        if rows:
            chart.table(
                lambda: rows, f"{name}-traffic.csv", "download-traffic", "Requests, errors and latencies over time"
            )
