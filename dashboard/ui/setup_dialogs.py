"""The plans of the part "Set up": what CloudFormation would do, what deleting leaves, and the same as code."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from dashboard.core.aws import Account, Aws
from dashboard.core.calls import code
from dashboard.core.format import count
from dashboard.core.setup import change, retention, rights
from dashboard.core.setup.change import FILE, ChangeSet
from dashboard.core.setup.missing import Found
from dashboard.core.setup.stack import Stack
from dashboard.core.setup.template import DAYS, RETENTIONS, STACK, Template
from dashboard.ui import as_code, calls, deed, setup_table, setup_words, told
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import facts, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

HERE = {"part": "Set up"}


def prepared(aws: Aws, stack: Stack, made: Template, days: int) -> Question:
    """Have the change prepared, and show it. Raises as `change.prepare`."""
    do = partial(change.prepare, aws, stack, made, days)
    found = deed.carry_out(f"Prepare a change of the stack {STACK}", do)
    title = "Make what is missing" if found.is_new else f"Change the stack {STACK}"
    return Question(title, partial(_draw, aws, found))


def _draw(aws: Aws, found: ChangeSet) -> Action:
    account = aws.account
    st.html(
        facts(
            {
                "CloudFormation": setup_words.summary(found.changes),
                "Costs": "nothing by being there: S3 and CloudWatch charge for what is put into them",
                "When one fails": "all of it is taken back, and the account is as it was",
            }
        )
    )
    rows = setup_words.change_rows(found, account)
    for row in rows:
        told.tell(f"{row['CloudFormation']} {row['Resource']} ({row['Kind']}): {row['What it is for']}")
    with st.container(border=True, key="panel-setup-changes"):
        st.html(setup_table.changes(rows))
    if any(one.is_replaced for one in found.changes):
        st.html(
            note("What is replaced is made anew first; the old one is deleted when all else has worked.", Tone.WAITING)
        )
    does = setup_words.named(found.changes, account)
    st.html(calls.listed([replace(one, does=f"{does}, in your name") for one in change.calls(found)]))
    with st.expander("Show as code"):
        st.code(code(change.calls(found), account), language="python")
        st.html(note("Or without Kennel, from the template:"))
        st.code(change.as_code(account, found.template, found.days), language="bash", wrap_lines=True)
    return Action(
        setup_words.button(found),
        partial(change.execute, aws, found),
        Place.SETTINGS,
        HERE,
        typed=None if account.is_embedded else (account.account_id, "This changes a real account."),
    )


def deletion(aws: Aws, stack: Stack) -> Question:
    """What deleting the stack takes and leaves."""
    return Question(f"Delete the stack {STACK}", partial(_draw_deletion, aws, stack))


def _draw_deletion(aws: Aws, stack: Stack) -> Action:
    account = aws.account
    planned = change.deletion(stack)
    kept = [one for one in stack.held if one.type.startswith(("AWS::S3::", "AWS::Logs::"))]
    goes = [one for one in stack.held if one not in kept]
    st.html(
        facts(
            {
                "Goes": ", ".join(one.physical.rpartition("/")[2] or one.name for one in goes)
                or "the stack's record alone: nothing that it made is there any more",
                "Stays": ", ".join(dict.fromkeys(one.physical for one in kept if one.physical)) or "nothing",
            }
        )
    )
    if goes:
        st.html(
            note(
                "What works as one of these roles fails from then on: trainings, endpoints that start anew, EC2 runs.",
                Tone.WAITING,
            )
        )
    as_code.below(planned, code(planned, account))
    why = "This changes a real account." if not account.is_embedded else ""
    return Action(
        f"Delete {count(len(goes), 'resource')}" if goes else "Delete the stack",
        partial(change.delete, aws, stack),
        Place.SETTINGS,
        HERE,
        is_dangerous=True,
        typed=(account.account_id, why) if why else (STACK, "Its roles are gone then.") if goes else None,
    )


def ending(aws: Aws, groups: Sequence[Found]) -> Question:
    """How long these log groups keep what is written to them."""
    return Question("Give logs an end", partial(_draw_ending, aws, groups))


def _draw_ending(aws: Aws, groups: Sequence[Found]) -> Action:
    days = st.selectbox(
        "Keep what is written for",
        RETENTIONS,
        index=RETENTIONS.index(DAYS),
        format_func=lambda one: count(one, "day"),
        key="setup-end-days",
    )
    planned = retention.plan(groups, days)
    st.html(
        facts(
            {
                "Log groups": ", ".join(one.name for one in groups),
                "Costs": "less than now: CloudWatch charges by the GB that is kept",
            }
        )
    )
    st.html(note("What is older than that is deleted at once, and for good.", Tone.WAITING))
    as_code.below(planned, code(planned, aws.account))
    return Action(
        f"Delete what is older than {count(days, 'day')}",
        partial(retention.carry_out, aws, planned),
        Place.SETTINGS,
        HERE,
        is_dangerous=True,
        typed=None if aws.account.is_embedded else (aws.account.account_id, "This changes a real account."),
    )


def template(account: Account, made: Template, days: int) -> None:
    """The template to read and to take along, the same as a command, and who may do this."""
    with st.expander(f"The template: {count(len(made.pieces), 'piece')} in {count(len(made.resources), 'resource')}"):
        text, shell, whose = st.tabs(["Template", "As code", "Who may do this"], key="setup-template")
        with text:
            st.download_button(
                "Download the template",
                made.text,
                file_name=FILE,
                mime="application/yaml",
                icon=":material/download:",
                on_click="ignore",
                key="setup-download",
            )
            st.code(made.text, language="yaml", height=420)
        with shell:
            st.code(change.as_code(account, made, days), language="bash", wrap_lines=True)
        with whose:
            st.html(
                note(
                    "CloudFormation makes all of it in the name of whoever agrees: that person needs the right to make "
                    "roles, which none of Kennel's own roles has. Afterwards the operator's rights are enough."
                )
            )
            st.code(json.dumps(rights.document_for(account, made), indent=2), language="json")
