"""How far back the live part of a page looks, as the address and a field say, and the charts of that while."""

from collections.abc import Sequence

import streamlit as st

from dashboard.core.serving.span import Span
from dashboard.ui import address, chart
from dashboard.ui.figures_endpoint import Panel

SPAN = "span"
REDRAWN = 10
"""Seconds between two looks: Streamlit puts a chart that changed into the page anew, which shows."""
_WORDS = [one.value for one in Span]


def span() -> Span:
    """How far back the page looks, as the field says, or the address."""
    asked = st.session_state.get(SPAN) or st.query_params.get(SPAN)
    return next((one for one in Span if one.value == asked), Span.QUARTER)


def field() -> None:
    """The span to choose; one in the address that is not known is said, and left out."""
    address.misread(address.unknown_of(st.query_params.to_dict(), {SPAN: ("the span", _WORDS)}))
    if st.query_params.get(SPAN, Span.QUARTER) not in _WORDS:
        del st.query_params[SPAN]
    st.segmented_control(
        "In the last", _WORDS, default=Span.QUARTER.value, required=True, key=SPAN, bind="query-params"
    )


def charts(drawn: Sequence[Panel], chosen: Span, *, is_quiet: bool) -> None:
    """Charts of a span, two beside each other, an odd one at the end as wide as both.

    is_quiet: nobody asked in it, and the first one says so for all.
    """
    if is_quiet:
        chart.panel(drawn[0].key, drawn[0].finding, None, drawn[0].wait, alone=True)
        drawn = [panel for panel in drawn if panel.lines]
    is_dark = st.context.theme.type == "dark"
    for first in range(0, len(drawn), 2):
        beside = drawn[first : first + 2]
        for place, panel in zip(st.columns(len(beside), gap="small"), beside, strict=True):
            with place:
                chart.panel(panel.key, panel.finding, panel.draw(chosen, is_dark=is_dark), panel.wait)
