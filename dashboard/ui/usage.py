"""How busy a run's instances are, and what size would have done."""

from datetime import datetime
from functools import partial
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.runs.instances import hardware
from dashboard.core.runs.model import Run
from dashboard.core.runs.suggest import LEAST_SECONDS, Change, is_too_short, suggest
from dashboard.core.runs.usage import Usage
from dashboard.ui import chart, figures_usage, page, pages, problem, receipt
from dashboard.ui.markup import Markup, literal, note
from dashboard.ui.page import Place


def show(aws: Aws, one: Run) -> None:
    """Processor, memory and GPU over time; without the right to read metrics the page stands and says so."""
    page.section("Use of the instance")
    with problem.shown("usage"):
        used = state.usage(aws, one).value
        of = hardware(one.instance_type)
        begin = one.started or one.created
        if used.is_empty:
            waiting = (
                "The first figures come within seconds of its start."
                if one.status.is_active
                else "Nothing was measured."
            )
            chart.panel("usage", "No figures yet" if one.status.is_active else "No figures", None, waiting, alone=True)
            return
        chart.panel(
            "usage",
            figures_usage.finding(used, of.vcpu if of else None),
            figures_usage.over_time(used, of.vcpu if of else None, begin, is_dark=st.context.theme.type == "dark"),
            "",
            alone=True,
        )
        if told := figures_usage.measured(one, is_embedded=aws.account.is_embedded):
            st.html(note(told))
        _table(one, used, begin)
        _suggestion(aws, one, used)


def _suggestion(aws: Aws, one: Run, used: Usage) -> None:
    """What to train it on the next time, where what was measured says so."""
    if one.status.is_final and is_too_short(used):
        st.html(note(f"Too short to tell whether another instance would fit better: {LEAST_SECONDS} s are needed."))
        return
    is_embedded = aws.account.is_embedded
    told = suggest(one, used, state.prices(), aws.account.region, is_embedded=is_embedded)
    if told is None:
        return
    with st.container(border=True, key="panel-suggestion", gap="xsmall"):
        said = Markup(f"{escape(told.sentence)} {receipt.mark(aws.account)}")
        where = note("Measured on this machine, simulated: an instance of AWS may be busier.") if is_embedded else ""
        st.html(f'<h2 class="kn-finding">{escape(told.title)}</h2>{note(said)}{where}')
        other = {"volume": str(told.volume_gb)} if told.change is Change.VOLUME else {"instance": told.instance_type}
        changed = f"with {told.volume_gb} GB" if told.change is Change.VOLUME else f"on {literal(told.instance_type)}"
        pages.link(Place.TRAIN, f"Train again {changed}", ":material/replay:", {"like": one.key, **other})


def _table(one: Run, used: Usage, begin: datetime) -> None:
    rows = partial(figures_usage.rows, used, begin)
    chart.table(rows, f"{one.name}-usage.csv", "download-usage", "How busy each instance was over time")
