"""Set up this account: what Kennel needs of it, what is missing, and the stack that makes it."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.format import count
from dashboard.core.setup import change, retention
from dashboard.core.setup.change import Wish
from dashboard.core.setup.missing import Found, Standing
from dashboard.core.setup.pieces import EVERY_FUNCTION, NEEDED, Piece
from dashboard.core.setup.stack import Stack
from dashboard.core.setup.template import DAYS, RETENTIONS, STACK, Template
from dashboard.ui import (
    chart,
    confirm,
    page,
    setup_dialogs,
    setup_quotas,
    setup_stack,
    setup_table,
    setup_words,
    strip,
)
from dashboard.ui.markup import note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

TAKEN = {
    "logs": "setup-days",
    "versions": "setup-versions",
    "own": "setup-own-roles",
}


def show(aws: Aws) -> None:
    """The part of the page."""
    stack = state.setup_stack(aws).value
    found = setup_words.settled(state.pieces(aws).value, stack)
    strip.show(setup_words.figures(found, stack, state.zero_quotas(aws)))
    setup_stack.show(aws, stack)
    _pieces(aws, found, stack)
    _making(aws, found, stack)
    setup_quotas.show(aws)


def _pieces(aws: Aws, found: Sequence[Found], stack: Stack) -> None:
    page.section("What Kennel needs here")
    st.html(note(f"{setup_words.sentence(found)}. {EVERY_FUNCTION}"))
    with st.container(border=True, key="panel-setup-pieces"):
        st.html(setup_table.table(found, stack))
    chart.download(lambda: setup_words.rows(found, stack), "kennel-account.csv", "download-setup", is_quiet=True)
    _otherwise(aws, found)


def _otherwise(aws: Aws, found: Sequence[Found]) -> None:
    """What is there and was made otherwise is left alone: each with the page, or the plan, that mends it."""
    lacking = [one for one in found if one.standing is Standing.LACKING]
    if not lacking:
        return
    page.section("What was made otherwise")
    with st.container(border=True, key="panel-setup-otherwise", gap=None):
        if any(one.piece is Piece.BUCKET for one in lacking):
            with _row("bucket", "The bucket is left as it is. Data makes it safe by a plan."):
                st.page_link(
                    Place.DATA,
                    label="Make the bucket safe",
                    icon=":material/lock:",
                    query_params={"part": "Buckets"},
                )
        if logs := retention.endless(found):
            number = count(len(logs), "log group")
            with _row("logs", f"{number} {'keeps' if len(logs) == 1 else 'keep'} all that is written, for ever."):
                if aws.account.writable:
                    st.button(
                        "Give logs an end",
                        key="setup-end-logs",
                        icon=":material/auto_delete:",
                        on_click=confirm.ask,
                        args=(partial(setup_dialogs.ending, aws, logs),),
                    )
        if any(one.piece.duty is not None for one in lacking):
            with _row("roles", "A role that was made otherwise stays as it is. Security shows what it may."):
                st.page_link(Place.SECURITY, label="Look at the roles", icon=":material/shield:")


def _row(name: str, told: str) -> DeltaGenerator:
    """One line with what is told, and room for what mends it."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-setup-{name}")
    row.html(f'<div class="kn-row"><p>{told}</p></div>')
    return row


def _making(aws: Aws, found: Sequence[Found], stack: Stack) -> None:
    """What is chosen, what that makes, and the button."""
    lacking = {one.piece for one in found if one.is_missing}
    if not stack.is_kennels:
        st.html(
            note(
                f"There is a stack {STACK} that Kennel did not make: it is left alone. Rename it, or make what is "
                "missing from a template by hand.",
                Tone.WAITING,
            )
        )
        return
    if not stack.status.can_change:
        return
    page.section("Make what is missing")
    wish = _wish(lacking, stack)
    wanted = change.wanted(stack, lacking, wish)
    if not wanted:
        st.html(note("Nothing is missing that Kennel could make.", Tone.DONE))
        return
    made = change.designed(aws.account, stack, lacking, wish)
    _button(aws, stack, made, wish, lacking)
    setup_dialogs.template(aws.account, made, wish.days)


def _wish(lacking: set[Piece], stack: Stack) -> Wish:
    """What may be chosen: how long logs are kept, versions of a bucket that is to be made, Kennel's own roles."""
    there = int(stack.parameters.get("LogDays", DAYS))
    logs = {Piece.TRAINING_LOG, Piece.INSTANCE_LOG} & (lacking | set(stack.pieces))
    with st.container(horizontal=True, vertical_alignment="bottom", key="setup-choices"):
        days = (
            there
            if not logs
            else st.selectbox(
                "Keep logs for",
                RETENTIONS,
                index=RETENTIONS.index(there) if there in RETENTIONS else RETENTIONS.index(DAYS),
                format_func=lambda one: f"{one} days" if one != 1 else "1 day",
                key=TAKEN["logs"],
                width=160,
                help="Log groups that are not given an end keep everything for ever, and CloudWatch charges for it",
            )
        )
        versions = Piece.BUCKET in lacking and st.toggle(
            "Keep what is overwritten or deleted in the bucket",
            key=TAKEN["versions"],
            help="S3 then keeps every version of every object, and charges for each. The embedded AWS cannot.",
        )
        own = bool({Piece.READER_ROLE, Piece.OPERATOR_ROLE} & lacking) and st.toggle(
            "Also roles for people: reader and operator",
            key=TAKEN["own"],
            help="Kennel's own roles, as Security shows them: with one of them a person works with no more rights "
            "than Kennel's pages need",
        )
    pieces = (*NEEDED, Piece.READER_ROLE, Piece.OPERATOR_ROLE) if own else NEEDED
    return Wish(pieces, days, bool(versions))


def _button(aws: Aws, stack: Stack, made: Template, wish: Wish, lacking: set[Piece]) -> None:
    new = [piece for piece in made.pieces if piece in lacking]
    outdated = not new and change.is_outdated(stack, aws.account)
    days = str(wish.days) != stack.parameters.get("LogDays", str(wish.days))
    with st.container(horizontal=True, vertical_alignment="center", key="setup-prepare-row"):
        if not new and not outdated and not days:
            st.html(note("Nothing is missing: the stack is as this version of Kennel would make it.", Tone.DONE))
            return
        label = f"Prepare {len(new)} missing" if new else "Prepare the change"
        st.button(
            label,
            key="setup-prepare",
            type="primary",
            icon=":material/playlist_add_check:",
            disabled=not aws.account.writable,
            on_click=confirm.ask,
            args=(partial(setup_dialogs.prepared, aws, stack, made, wish.days),),
        )
        if not aws.account.writable:
            st.html(note("This tab only reads: allow changes under Account first.", Tone.WAITING))
        elif outdated:
            st.html(note("This version of Kennel would make some of it otherwise.", Tone.WAITING))
        else:
            st.html(note("CloudFormation says first what it would do. Nothing is made before you have agreed to it."))
