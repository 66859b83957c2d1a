"""The data report of a data set: made in the background by a process of its own, kept for what was looked at."""

from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.data.contents import Contents
from dashboard.core.data.report import Report
from dashboard.core.data.work import Kind, Stage
from dashboard.ui import chart, confirm, data_dialogs, data_words
from dashboard.ui.markup import badge, escape, facts, note
from dashboard.ui.tones import Tone


def show(aws: Aws, content: Contents) -> None:
    """What the report found, or how it comes about."""
    found = state.data_report_of(content)
    with st.container(border=True, key="panel-data-report", gap="xsmall"):
        if found is None:
            _none(aws, content)
            return
        _found(found)
        with st.expander("Files and why"):
            rows = data_words.report_table(found)
            if rows:
                st.dataframe(rows, hide_index=True, key="report-table", alt="What is wrong, file by file")
                chart.download(lambda: rows, f"{content.name}-report.csv", "download-report", is_quiet=True)
            else:
                st.html(note("No file is named: nothing is wrong with any of them."))


def _found(found: Report) -> None:
    if found.is_clean:
        st.html(f'<h2 class="kn-finding">Nothing is wrong with it</h2><p>{badge(Tone.DONE, "clean")}</p>')
    else:
        first, *rest = found.warnings
        st.html(f'<h2 class="kn-finding">{escape(first[:1].upper() + first[1:])}</h2>')
        for text in rest:
            st.html(note(f"{text[:1].upper()}{text[1:]}", Tone.WAITING))
    st.html(facts(data_words.report_rows(found)))
    for text in found.notes:
        st.html(note(f"{text[:1].upper()}{text[1:]}."))


def _none(aws: Aws, content: Contents) -> None:
    going = state.data_jobs(aws).on(content.name)
    if going is not None and going.work.kind is Kind.REPORT and going.stage is not Stage.WAITING:
        st.html(
            '<div class="kn-empty"><p class="kn-empty-what">Every photo is being looked at.</p>'
            "<p>The report appears here by itself.</p></div>"
        )
        return
    st.html(
        '<div class="kn-empty"><p class="kn-empty-what">Nobody has looked through these photos yet.</p>'
        "<p>The report opens every photo: copies within and across splits, the same picture under two labels, what "
        "cannot be read, tiny photos, and classes with few. It is what a training finds, before you pay for "
        "one.</p></div>"
    )
    st.button(
        "Look through them",
        key="make-report",
        icon=":material/search_insights:",
        disabled=going is not None,
        on_click=confirm.ask,
        args=(partial(data_dialogs.report_question, aws, content),),
    )
