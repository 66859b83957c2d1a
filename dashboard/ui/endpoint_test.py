"""The test panel: a photo in, the raw and the readable answer out, and the same question as code."""

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.format import size
from dashboard.core.serving.ask import Asked, Form, ask
from dashboard.core.serving.ask_code import LANGUAGES, as_code
from dashboard.core.serving.classify import prepare_photo
from dashboard.core.serving.model import Endpoint
from dashboard.ui import classify, markup, page, problem
from dashboard.ui.endpoint_words import milliseconds
from dashboard.ui.markup import note

ANYONE = "whichever the weights choose"
DRAWN, ANSWER = "test-drawn", "test-answer"


def show(aws: Aws, one: Endpoint) -> None:
    """Left the question, right the answer, below the code."""
    left, right = st.columns((9, 11), gap="medium")
    with left:
        page.section("Question")
        form, variant = _asked(one)
        with problem.shown("test"):
            _question(aws, one, form, variant)
    with right:
        page.section("Answer")
        _answer(one)
    page.section("The same as code")
    code = as_code(aws.account, one.name, form, variant)
    for tab, (name, text) in zip(st.tabs(list(code), key="test-code"), code.items(), strict=True):
        with tab:
            st.code(text, language=LANGUAGES[name], wrap_lines=True)


def _asked(one: Endpoint) -> tuple[Form, str]:
    """In which form the answer is wanted, and from which variant."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        form = st.selectbox("Answer as", list(Form), format_func=lambda form: Form(form).word, key="test-form")
        names = [each.name for each in one.variants]
        if len(names) < 2:
            return form or Form.BREEDS, ""
        chosen = st.selectbox("Variant", [ANYONE, *names], key="test-variant")
    return form or Form.BREEDS, "" if chosen in (None, ANYONE) else chosen


def _question(aws: Aws, one: Endpoint, form: Form, variant: str) -> None:
    if not one.status.is_serving:
        st.html(note(f"{one.name} answers nobody now: it is {one.status.word}."))
        return
    upload = st.file_uploader(
        "Photo", key="test-photo", max_upload_size=20, help="20 MB at most; place and other hidden data are dropped"
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        send = st.button("Ask", key="test-ask", type="primary", disabled=upload is None)
        drawn = st.button("Ask with a drawn example", key="test-drawn-ask", icon=":material/draw:")
    if send and upload is not None:
        _send(aws, one, upload.getvalue(), upload.name, form, variant)
        state.let_go(upload)
    elif drawn:
        number = int(st.session_state.get(DRAWN, 0))
        st.session_state[DRAWN] = number + 1
        example = classify.draw_example(number, one.name)
        _send(aws, one, example.data, example.name, form, variant)


def _send(aws: Aws, one: Endpoint, data: bytes, name: str, form: Form, variant: str) -> None:
    st.session_state.pop(ANSWER, None)
    photo = prepare_photo(data, name)
    st.session_state[ANSWER] = (one.name, photo, ask(aws, one.name, photo, form, variant))


def _answer(one: Endpoint) -> None:
    kept = st.session_state.get(ANSWER)
    if kept is None or kept[0] != one.name:
        st.html(note("The answer appears here: what it says, and as it came."))
        return
    _, photo, answer = kept
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        st.image(photo.jpeg, caption=markup.literal(photo.name), width=150)
        with st.container():
            if answer.answer is not None:
                st.html(f'<p class="kn-answer">{markup.escape(answer.answer.sentence)}</p>')
                shares = [(each.breed, each.probability) for each in answer.answer.predictions]
                st.html(markup.bars(shares, "Breeds with their probability"))
            else:
                st.html(note("This answer is not in a form that Kennel reads; it is below as it came."))
    st.html(note(told(answer)))
    st.code(answer.text, language="json", height=260)


def told(answer: Asked) -> str:
    """ "main answered in 38 ms, 7.6 ms of it in the model · 1.2 KiB application/json · request 4f2a…"."""
    model = answer.answer.model_seconds if answer.answer else None
    inside = f", {milliseconds(model)} of it in the model" if model is not None else ""
    of = f" · request {answer.request_id}" if answer.request_id else ""
    who = answer.variant or "it"
    return f"{who} answered in {milliseconds(answer.seconds)}{inside} · {size(answer.size)} {answer.content_type}{of}"
