"""The page of one endpoint: its head, its live strip, and the part of it that the address names."""

from decimal import Decimal
from enum import StrEnum
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, NotFound
from dashboard.core.serving import logs, variant
from dashboard.core.serving.live import Traffic
from dashboard.core.serving.model import Endpoint
from dashboard.core.serving.span import Span
from dashboard.ui import (
    confirm,
    endpoint,
    endpoint_about,
    endpoint_live,
    endpoint_test,
    endpoint_update,
    endpoint_variants,
    endpoint_words,
    looking,
    markup,
    open_part,
    page,
    problem,
    serving_log,
    strip,
    words,
)
from dashboard.ui.markup import Markup, badge
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone


class Part(StrEnum):
    """A part of the page, as the address names it."""

    LIVE = "Live"
    TEST = "Test"
    VARIANTS = "Variants"
    LOG = "Log"
    ABOUT = "About"


def show(aws: Aws, name: str) -> None:
    """Head and strip, looked at again every two seconds; below, the part that is open."""
    page.back(Place.ENDPOINTS, "All endpoints")
    try:
        one = state.endpoint(aws, name).value
    except NotFound as missing:
        page.title(name, "no such endpoint")
        problem.card(missing, "no-endpoint")
        return
    st.fragment(_watched, run_every=2, key="endpoint-head")(aws, name)
    chosen = open_part.choose(Part)
    with problem.shown(f"endpoint-{chosen}"):
        _part(aws, one, chosen)


def _part(aws: Aws, one: Endpoint, part: Part) -> None:
    if part is Part.LIVE:
        endpoint_live.show(aws, one.name)
    elif part is Part.TEST:
        endpoint_test.show(aws, one)
    elif part is Part.VARIANTS:
        endpoint_variants.show(aws, one.name)
    elif part is Part.LOG:
        serving_log.show(aws, one.name, logs.endpoint_group(one.name))
    else:
        endpoint_about.show(aws, one)


def _watched(aws: Aws, name: str) -> None:
    with problem.shown("endpoint-watched", title=name):
        try:
            seen = state.endpoint(aws, name)
        except NotFound:
            st.rerun()  # it was deleted while somebody looked: the page says so as a whole
        one = seen.value
        _head(aws, one, words.age(seen.at, state.now()))
        if one.failure:
            st.html(markup.problem(*_failed(one), tone=Tone.FAILED if one.status.is_bad else Tone.WAITING))
        endpoint_update.progress(one)
        span = looking.span()
        traffic, unread = _traffic(aws, one, span)
        strip.show(endpoint_words.strip(one, traffic, span, aws.account, state.now(), _per_second(aws, one)))
        if unread is not None:
            st.html(markup.note(f"Requests and latencies are not shown: {unread}", Tone.WAITING))


def _traffic(aws: Aws, one: Endpoint, span: Span) -> tuple[dict[str, Traffic] | None, KennelError | None]:
    """How it does; without the right to read metrics the page stands without."""
    try:
        return state.traffic(aws, one, span).value, None
    except KennelError as wrong:
        return None, wrong


def _per_second(aws: Aws, one: Endpoint) -> Decimal | None:
    """What a second of a serverless endpoint's answering costs; None of any other, or where the book has no price."""
    first = one.variants[0].serverless if one.is_serverless and len(one.variants) == 1 else None
    return variant.answering(first, state.prices(), aws.account.region, 1).amount if first else None


def _scales(one: variant.Variant) -> bool:
    """Whether there is something to scale: instances, or what a serverless variant keeps ready."""
    return one.serverless is None or one.serverless.provisioned > 0


def _failed(one: Endpoint) -> tuple[str, str, str, str]:
    if one.status.is_bad:
        return one.status.word, f"{one.name} does not serve", one.failure, "see its log, then deploy another model"
    return (
        "not updated",
        "The last update was taken back; the model from before it serves",
        one.failure,
        "see what Live and Log say of that time, then update it again",
    )


def _head(aws: Aws, one: Endpoint, age: str) -> None:
    marks = [badge(one.status.tone, one.status.word, one.failure)]
    if one.is_sample:
        marks.append(badge(Tone.SIMULATED, "sample"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="endpoint-actions"):
        told = endpoint_words.sentence(one, state.now())
        page.title(one.name, told, age, Markup(f'<span class="kn-marks">{" ".join(marks)}</span>'))
        if one.status.is_serving:
            st.page_link(Place.CLASSIFY, label="Classify", icon=":material/pets:", query_params={"endpoint": one.name})
            if one.variants and _scales(one.variants[0]):
                query = {"endpoint": one.name, "variant": one.variants[0].name}
                st.page_link(Place.SCALING, label="Scaling", icon=":material/expand:", query_params=query)
        if one.is_kennels and not one.status.is_going and aws.account.writable:
            if one.status.is_serving:
                st.button(
                    "Update model",
                    key="update-endpoint",
                    icon=":material/published_with_changes:",
                    disabled=one.status.is_changing,
                    on_click=confirm.ask,
                    args=(partial(endpoint_update.question, aws, one.name),),
                )
            st.button(
                "Delete",
                key="delete-endpoint",
                type="tertiary",
                icon=":material/delete:",
                on_click=confirm.ask,
                args=(partial(endpoint.delete_question, aws, one.name, to_list=True),),
            )
