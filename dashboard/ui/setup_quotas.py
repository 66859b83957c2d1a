"""The quotas that are zero for what Kennel launches, each with what it stops and how it is raised."""

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.setup import quotas
from dashboard.core.setup.quotas import Quotas
from dashboard.ui import chart, page, problem, setup_words, unread
from dashboard.ui.markup import note
from dashboard.ui.tones import Tone

EVERY = 2
"""Seconds between two looks while they are being read."""


def show(aws: Aws) -> None:
    """The section; where they are not read yet it looks again by itself."""
    page.section("Quotas")
    if state.zero_quotas(aws) is None:
        st.fragment(_waiting, run_every=EVERY, key="setup-quotas-wait")(aws)
    else:
        _known(aws)


def _waiting(aws: Aws) -> None:
    with problem.shown("setup-quotas"):
        if state.zero_quotas(aws) is not None:
            st.rerun()
        st.html(note("Reading the account's quotas: SageMaker has one for each kind of instance and use."))


def _known(aws: Aws) -> None:
    with problem.shown("setup-quotas"):
        found = state.zero_quotas(aws)
        if found is not None:
            _table(aws, found)


def _table(aws: Aws, found: Quotas) -> None:
    account = aws.account
    if not found.zero:
        st.html(note(f"None of the {found.looked} quotas that Kennel's launches count against is zero.", Tone.DONE))
    else:
        st.html(
            note(
                "Nothing of this kind starts in this account until AWS has raised its quota: ask for it in the "
                "console, or from a shell. AWS answers in minutes to days.",
                Tone.WAITING,
            )
        )
        rows = setup_words.zero_rows(found.zero, account)
        st.dataframe(
            rows,
            key="setup-zero",
            hide_index=True,
            alt="Quotas that are zero",
            column_config={
                "Stops": st.column_config.TextColumn("Stops", width=220, pinned=True),
                "Quota": st.column_config.TextColumn("Quota", width=330),
                "Service": st.column_config.TextColumn("Service", width=100),
                "Ask for": st.column_config.NumberColumn("Ask for", width=80),
                "Raise it": st.column_config.LinkColumn("Raise it", display_text="In the console", width=130),
            },
        )
        chart.download(lambda: rows, "kennel-quotas.csv", "download-quotas", is_quiet=True)
        with st.expander("Show as code"):
            st.code(quotas.as_code(found.zero, account), language="bash", wrap_lines=True)
    unread.show("Not checked", found.unread, "setup-quotas")
