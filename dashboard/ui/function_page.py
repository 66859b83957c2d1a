"""The page of one function: its head, its live strip, and the part of it that the address names."""

from decimal import Decimal
from enum import StrEnum
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, NotFound
from dashboard.core.serving.functions.concurrency import kept_ready_cost
from dashboard.core.serving.functions.delete import plan_delete
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.model import Architecture
from dashboard.core.serving.functions.usage import Usage
from dashboard.core.serving.span import Span
from dashboard.ui import (
    confirm,
    function_concurrency,
    function_deploy,
    function_invokers,
    function_live,
    function_network,
    function_plan,
    function_test,
    function_versions,
    function_what_if,
    function_words,
    looking,
    markup,
    open_part,
    page,
    problem,
    strip,
    unread,
    words,
)
from dashboard.ui.confirm import Question
from dashboard.ui.markup import Markup, badge
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone


class Part(StrEnum):
    """A part of the page, as the address names it."""

    LIVE = "Live"
    CONCURRENCY = "Concurrency"
    WHAT_IF = "What if"
    TEST = "Test"
    INVOKERS = "Who may invoke"
    NETWORK = "Network"
    VERSIONS = "Versions"


def show(aws: Aws, name: str) -> None:
    """Head and strip, looked at again every two seconds; below, the part that is open."""
    page.back(Place.FUNCTIONS, "All functions")
    try:
        details = state.function(aws, name).value
    except NotFound as missing:
        page.title(name, "no such function")
        problem.card(missing, "no-function")
        return
    st.fragment(_watched, run_every=2, key="function-head")(aws, name)
    chosen = open_part.choose(Part)
    with problem.shown(f"function-{chosen}"):
        _part(aws, details, chosen)


def _part(aws: Aws, details: Details, part: Part) -> None:
    shown = {
        Part.LIVE: function_live.show,
        Part.CONCURRENCY: function_concurrency.show,
        Part.WHAT_IF: function_what_if.show,
        Part.TEST: function_test.show,
        Part.INVOKERS: function_invokers.show,
        Part.NETWORK: function_network.show,
        Part.VERSIONS: function_versions.show,
    }
    shown[part](aws, details)


def _watched(aws: Aws, name: str) -> None:
    with problem.shown("function-watched", title=name):
        seen = state.function(aws, name)
        details = seen.value
        _head(aws, details, words.age(seen.at, state.now()))
        if details.function.problem and details.function.state.tone == Tone.FAILED:
            why = details.function.problem
            st.html(
                markup.problem(details.function.state.word, f"Lambda could not make {name} ready", why, "update it")
            )
        usage, problem_with = _usage(aws, name, looking.span())
        tried = function_test.answered(name, state.now() - usage.span.length) if usage else 0
        strip.show(function_words.page_strip(details, usage, _hourly(aws, details), aws.account, tried=tried))
        if problem_with is not None:
            st.html(markup.note(f"Not checked: invocations and durations: {problem_with}", Tone.WAITING))
        unread.show("Not checked", details.unread, "function")


def _head(aws: Aws, details: Details, age: str) -> None:
    one = details.function
    marks = [badge(one.state.tone, one.state.word, one.problem)]
    if one.is_sample:
        marks.append(badge(Tone.SIMULATED, "sample"))
    if any(row.is_open for row in details.policy):
        marks.append(badge(Tone.FAILED, "anybody may invoke it", "see Who may invoke"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="function-actions"):
        page.title(
            one.name,
            function_words.sentence(details),
            age,
            Markup(f'<span class="kn-marks">{" ".join(marks)}</span>'),
        )
        st.space("stretch")
        if one.endpoint:
            st.page_link(Place.ENDPOINT, label="Endpoint", query_params={"endpoint": one.endpoint})
        if (one.is_kennels or one.is_sample) and aws.account.writable:
            st.button(
                "Update",
                key="update-function",
                icon=":material/published_with_changes:",
                disabled=details.is_changing,
                on_click=confirm.ask,
                args=(partial(function_deploy.update_question, aws, one.name),),
            )
            st.button(
                "Delete",
                key="delete-function",
                type="tertiary",
                icon=":material/delete:",
                on_click=confirm.ask,
                args=(partial(_delete_question, aws, one.name),),
            )


def _delete_question(aws: Aws, name: str) -> Question:
    plan = plan_delete(aws, state.function(aws, name).value)
    return function_plan.question(aws, plan, then=Place.FUNCTIONS)


def _usage(aws: Aws, name: str, span: Span) -> tuple[Usage | None, KennelError | None]:
    """What it did; without the right to read metrics the page stands without."""
    try:
        return state.function_usage(aws, name, span).value, None
    except KennelError as wrong:
        return None, wrong


def _hourly(aws: Aws, details: Details) -> Decimal | None:
    """What is kept ready costs an hour."""
    one = details.function
    return kept_ready_cost(
        state.prices(),
        aws.account.region,
        memory_mb=one.memory_mb,
        number=details.kept_ready,
        arm=one.architecture is Architecture.ARM,
        hours=Decimal(1),
    )
