"""Who may invoke a function: the statements of its policy in words, and the way to let somebody in or out."""

from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.invokers import Caller, Invitation, Statement, refuse
from dashboard.core.serving.functions.invokers_plan import plan_invite, plan_no_url, plan_remove
from dashboard.ui import confirm, function_plan, markup, page
from dashboard.ui.confirm import Question
from dashboard.ui.markup import badge, escape, note
from dashboard.ui.tones import Tone


def show(aws: Aws, details: Details) -> None:
    """Left who may, right whom to let in."""
    left, right = st.columns((11, 9), gap="medium")
    with left:
        page.section("Who may invoke it")
        _statements(aws, details)
    with right:
        page.section("Let somebody in")
        _invite(aws, details)


def _statements(aws: Aws, details: Details) -> None:
    ours = (details.function.is_kennels or details.function.is_sample) and aws.account.writable
    st.html(note("Whoever has lambda:InvokeFunction by a policy of their own in this account may invoke it as well."))
    if details.url is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="function-url"):
            mark = badge(Tone.FAILED, "anybody") if details.url.is_open else badge(Tone.DONE, "signed requests")
            st.html(f'<div class="kn-row"><p><strong>{escape(details.url.url)}</strong> {mark}</p></div>')
            if ours:
                st.button(
                    "Take the URL away",
                    key="function-url-away",
                    type="tertiary",
                    on_click=confirm.ask,
                    args=(partial(_no_url, aws, details.function.name),),
                )
    if not details.policy:
        st.html(note("Its policy is empty: nobody else may."))
    for row in details.policy:
        _statement(aws, details, row, can_remove=ours)


def _statement(aws: Aws, details: Details, row: Statement, *, can_remove: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-{row.qualifier}-{row.sid}"):
        mark = badge(Tone.FAILED, "anybody", row.problem) if row.is_open else ""
        of = row.qualifier or "the function itself"
        st.html(
            f'<div class="kn-row"><p>{escape(markup.sentence(row.words))} {mark}</p>'
            f'<p class="kn-note">{escape(row.sid)} · of {escape(of)}</p></div>'
        )
        if can_remove:
            st.button(
                "Take away",
                key=f"away-{row.qualifier}-{row.sid}",
                type="tertiary",
                help=f"Take the right {markup.literal(row.sid)} away",
                on_click=confirm.ask,
                args=(partial(_remove, aws, details.function.name, row),),
            )
    if row.problem:
        st.html(note(markup.sentence(row.problem), Tone.FAILED))


def _invite(aws: Aws, details: Details) -> None:
    chosen = st.selectbox("Who", list(Caller), format_func=lambda one: Caller(one).value, key="invite-who")
    caller = Caller(chosen or Caller.API_GATEWAY)
    source = ""
    if caller is Caller.API_GATEWAY:
        account = aws.account
        source = st.text_input(
            "ARN of the API, with stage, method and path",
            key="invite-arn",
            placeholder=f"arn:aws:execute-api:{account.region}:{account.account_id}:API-ID/prod/POST/classify",
            help="Without it, any API of anybody's account could invoke the function in your name",
        )
    elif caller is not Caller.URL_OPEN:
        source = st.text_input("Account, twelve digits", key="invite-account", max_chars=12)
    wanted = Invitation(caller, source.strip())
    wrong = refuse(wanted, aws.account)
    if wrong is not None and wanted.source:
        st.html(note(f"{wrong}", Tone.FAILED))
    if not (details.function.is_kennels or details.function.is_sample):
        st.html(note("Kennel did not make this function, and does not change it."))
        return
    st.button(
        "Review",
        key="invite-review",
        type="primary",
        disabled=wrong is not None,
        on_click=confirm.ask,
        args=(partial(_ask, aws, details.function.name, wanted),),
        help="Shows the plan; nobody is let in yet",
    )


def _ask(aws: Aws, name: str, wanted: Invitation) -> Question:
    return function_plan.question(aws, plan_invite(state.function(aws, name).value, wanted, account=aws.account))


def _remove(aws: Aws, name: str, row: Statement) -> Question:
    return function_plan.question(aws, plan_remove(state.function(aws, name).value, row, account=aws.account))


def _no_url(aws: Aws, name: str) -> Question:
    return function_plan.question(aws, plan_no_url(state.function(aws, name).value, account=aws.account))
