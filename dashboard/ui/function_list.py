"""All Lambda functions as a table, with what each does and asks; a click on a name opens its page."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError
from dashboard.core.serving.functions.functions import Limits
from dashboard.core.serving.functions.model import Function
from dashboard.core.serving.functions.usage import Usage
from dashboard.core.serving.span import Span
from dashboard.ui import (
    chart,
    confirm,
    empty,
    function_deploy,
    function_words,
    markup,
    page,
    problem,
    strip,
    table,
    words,
)
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone, label

OPEN, SHOWN = "functions-open", "functions-shown"
SPAN = Span.HOUR


def full(aws: Aws) -> None:
    """The page; looked at again every few seconds."""
    st.fragment(_full, run_every=4, key="functions")(aws)


def _full(aws: Aws) -> None:
    with problem.shown("functions-live", title="Lambda"):
        seen = state.functions(aws)
        _head(aws, seen.value, words.age(seen.at, state.now()))
        if not seen.value:
            _none()
            return
        usage, unread = _usage(aws, seen.value)
        limits, unknown = _limits(aws)
        strip.show(function_words.list_strip(seen.value, usage, limits, SPAN.word))
        for what, wrong in (("Invocations and durations", unread), ("The account's limit", unknown)):
            if wrong is not None:
                st.html(markup.note(f"Not checked: {what.lower()}: {wrong}", Tone.WAITING))
        _table(seen.value, usage)


def _head(aws: Aws, functions: Sequence[Function], age: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="functions-head"):
        page.title("Lambda", function_words.list_sentence(functions), age)
        st.space("stretch")
        if aws.account.writable:
            st.button(
                "Deploy function",
                key="deploy-function",
                type="primary",
                icon=":material/rocket_launch:",
                on_click=confirm.ask,
                args=(partial(function_deploy.deploy_question, aws),),
            )


def _none() -> None:
    empty.show(
        "functions",
        "No Lambda function yet.",
        "A function stands between callers and an endpoint: it takes a photo or its address, asks the endpoint, and "
        "answers names. It costs nothing while nobody calls. Deploy one for any endpoint with the button above.",
        Place.ENDPOINTS,
        "See the endpoints",
    )


def _usage(aws: Aws, functions: Sequence[Function]) -> tuple[Mapping[str, Usage], KennelError | None]:
    """What they did; without the right to read metrics the table stands without."""
    try:
        return state.functions_usage(aws, [one.name for one in functions], SPAN).value, None
    except KennelError as wrong:
        return {}, wrong


def _limits(aws: Aws) -> tuple[Limits | None, KennelError | None]:
    try:
        return state.lambda_limits(aws), None
    except KennelError as wrong:
        return None, wrong


def _table(functions: Sequence[Function], usage: Mapping[str, Usage]) -> None:
    shown = function_words.rows(functions, usage)
    st.session_state[SHOWN] = [one.name for one in functions]
    st.dataframe(
        shown,
        key="table-functions",
        hide_index=True,
        placeholder="–",
        alt="Lambda functions; a click on a name opens its page",
        column_config=_columns(functions),
    )
    chart.download(lambda: table.plain(shown), "functions.csv", "download-functions", is_quiet=True)


def _columns(functions: Sequence[Function]) -> dict[str, Any]:
    column = st.column_config
    last = f"In the last {SPAN.word}"
    return {
        "Function": table.opening("Function", OPEN, _open, 160),
        "State": table.states("State", ((one.state.tone, label(one.state.tone, one.state.word)) for one in functions)),
        "Asks": column.TextColumn("Asks", width=120, help="The endpoint that it asks"),
        "Invocations": column.NumberColumn("Invocations/min", width=110, format="%.1f", help=last),
        "p90": column.NumberColumn("p90", width=76, format="%.0f ms", help=f"Of its duration. {last}"),
        "Errors": column.NumberColumn("Errors", width=70, format="%.1f %%", help=last),
        "Throttled": column.NumberColumn("Throttled", width=84, format="%.1f %%", help=f"Refused with a 429. {last}"),
        "Reserved": column.NumberColumn("Reserved", width=80, help="Its own ceiling of invocations at once"),
        "Memory": column.NumberColumn("Memory", width=84, format="%d MB"),
        "Processor": column.TextColumn("Processor", width=80),
        "Runtime": column.TextColumn("Runtime", width=90),
        "Origin": column.TextColumn("Origin", width=70),
    }


def _open() -> None:
    if name := table.opened(OPEN, st.session_state.get(SHOWN, ())):
        page.go(Place.FUNCTION, {"function": name})
