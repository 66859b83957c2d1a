"""The live part of a function's page: its charts, the numbers behind them, and its log."""

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.serving.functions.functions import Details
from dashboard.ui import chart, figures_function, looking, problem, serving_log


def show(aws: Aws, details: Details) -> None:
    """The span to choose, the charts, and the log, drawn again every few seconds."""
    looking.field()
    st.fragment(_charts, run_every=looking.REDRAWN, key="function-charts")(aws, details)
    serving_log.show(aws, details.function.name, details.function.log_group)


def _charts(aws: Aws, details: Details) -> None:
    with problem.shown("function-charts"):
        chosen = looking.span()
        seen = state.function_usage(aws, details.function.name, chosen)
        drawn = figures_function.panels(details, seen.value, seen.at)
        looking.charts(drawn, chosen, is_quiet=not drawn[0].lines)
        rows = figures_function.rows(seen.value)
        if rows:
            file = f"{details.function.name}-invocations.csv"
            chart.table(lambda: rows, file, "download-invocations", "Invocations and durations over time")
