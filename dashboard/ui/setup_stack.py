"""The stack as it stands: what CloudFormation is at work on, what came of it, why it failed, and its deletion."""

from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.format import count
from dashboard.core.setup import change
from dashboard.core.setup.stack import Stack, StackStatus
from dashboard.core.setup.template import STACK
from dashboard.ui import chart, confirm, page, problem, setup_dialogs, setup_words, table
from dashboard.ui.markup import Markup, badge, facts, note
from dashboard.ui.tones import Tone

BUSY = "setup-busy"
EVERY = 2
"""Seconds between two looks at a stack that is being made."""


def show(aws: Aws, stack: Stack) -> None:
    """Nothing for an account that has no stack."""
    if stack.status is StackStatus.ABSENT:
        return
    if stack.status.is_busy:
        st.fragment(_live, run_every=EVERY, key="setup-live")(aws)
    else:
        _panel(aws, stack)


def _live(aws: Aws) -> None:
    with problem.shown("setup-live"):
        stack = state.setup_stack(aws).value
        if not stack.status.is_busy:
            state.forget_setup()
            st.rerun()  # with everything else on the page
        _panel(aws, stack)


def _panel(aws: Aws, stack: Stack) -> None:
    page.section(f"The stack {STACK}", Markup(badge(stack.status.tone, stack.status.words.split(":")[0])))
    with st.container(border=True, key="panel-stack"):
        if stack.status.is_busy:
            done, total = setup_words.progress(stack)
            st.progress(done / total if total else 0.0, f"{done} of {total} resources done with")
        elif stack.status is StackStatus.REVIEW_IN_PROGRESS:
            st.html(note("A change is prepared, and nothing is made yet. Prepare it again to go on, or throw it away."))
        for failure in stack.failures:
            st.html(note(f"{failure.resource} failed: {failure.reason}", Tone.FAILED))
        if stack.status.must_go:
            st.html(note("Nothing can be changed in it any more. Delete it, then set up again: that takes seconds."))
        if stack.outputs and not stack.status.must_go:
            st.html(facts(dict(stack.outputs)))
        _events(stack)
        _actions(aws, stack)


def _events(stack: Stack) -> None:
    latest = stack.latest
    if not latest:
        return
    rows = setup_words.event_rows(latest)
    zone = st.context.timezone
    shown = [{**row, "When": table.local(row["When"], zone)} for row in rows]
    with st.expander(
        f"What happened: {count(len(rows), 'event')}", expanded=stack.status.is_busy or bool(stack.failures)
    ):
        st.dataframe(
            shown,
            key="setup-events",
            hide_index=True,
            height=280 if len(rows) > 7 else "auto",
            alt="What happened to the stack, the newest first",
            column_config={
                "When": st.column_config.DatetimeColumn("When", format="HH:mm:ss", width=80),
                "Resource": st.column_config.TextColumn("Resource", width=140),
                "Kind": st.column_config.TextColumn("Kind", width=130),
                "State": st.column_config.TextColumn("State", width=150),
                "Why": st.column_config.TextColumn("Why", width=420),
            },
        )
        chart.download(lambda: rows, "kennel-stack.csv", "download-setup-events", is_quiet=True)


def _actions(aws: Aws, stack: Stack) -> None:
    if not aws.account.writable or stack.status.is_busy or not stack.is_kennels:
        return
    with st.container(horizontal=True, horizontal_alignment="right", key="setup-stack-actions"):
        if stack.status is StackStatus.REVIEW_IN_PROGRESS:
            st.button(  # an empty stack holds nothing: what goes is the preparation alone
                "Throw the prepared change away",
                key="setup-discard",
                on_click=confirm.at_once,
                args=("Throw the prepared change away", partial(change.withdraw, aws), state.forget_setup),
            )
        elif stack.status.is_there:
            st.button(
                "Delete the stack",
                key="setup-delete",
                icon=":material/delete:",
                on_click=confirm.ask,
                args=(partial(setup_dialogs.deletion, aws, stack),),
            )
