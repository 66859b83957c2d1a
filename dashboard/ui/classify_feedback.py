""" "Wrong? Tell us": a card's correction, with what is kept said before it is, and the way to take it back."""

from dataclasses import replace
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, KennelError
from dashboard.core.people import Role
from dashboard.core.serving import feedback
from dashboard.core.serving.feedback import KEPT
from dashboard.ui import deed, problem, visiting
from dashboard.ui.classify_result import Result, card_key, results
from dashboard.ui.markup import note

FAILED = "classify.feedback-failed"


def show(aws: Aws, key: str, result: Result) -> None:
    """Under an answer: the correction that was sent, or the way to send one. Nothing where it is off or impossible."""
    if result.is_drawn or result.answer is None or not feedback.is_on() or not aws.account.writable:
        return
    card = card_key(key)
    if (failed := st.session_state.get(FAILED)) and failed[0] == key:
        problem.card(failed[1], f"feedback-{card}")
    if result.correction is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"kept-{card}"):
            st.html(note(f"Kept as {result.correction.breed}, to be learnt from."))
            st.button("Take it back", key=f"undo-{card}", type="tertiary", on_click=partial(_undo, aws, key))
        return
    with st.popover("Wrong? Tell us", type="tertiary", key=f"wrong-{card}"):
        breed = st.selectbox(
            "What is on it",
            feedback.choices(result.answer),
            index=None,
            key=f"breed-{card}",
            placeholder="Type a breed",
        )
        st.html(note(KEPT))
        st.button(
            "Send photo and correction",
            key=f"send-{card}",
            type="primary",
            disabled=breed is None,
            on_click=partial(_send, aws, key, breed),
        )


def _send(aws: Aws, key: str, breed: str | None) -> None:
    result = results().get(key)
    if result is None or result.answer is None or result.photo is None or breed is None:
        return
    st.session_state.pop(FAILED, None)
    try:
        if not visiting.granted([key]):
            raise InvalidInput("this correction was not kept", "too many photos in a minute", visiting.sentence())
        photo, answer = result.photo, result.answer
        kept = deed.carry_out(
            f"Keep a photo as {breed}",
            lambda: feedback.keep(aws, photo, answer, breed, state.now()),
            Role.VISITOR,
        )
    except KennelError as error:
        st.session_state[FAILED] = (key, error)
        return
    results()[key] = replace(result, correction=kept)


def _undo(aws: Aws, key: str) -> None:
    result = results().get(key)
    if result is None or result.correction is None:
        return
    st.session_state.pop(FAILED, None)
    try:
        correction = result.correction
        deed.carry_out("Take a kept photo back", lambda: feedback.take_back(aws, correction), Role.VISITOR)
    except KennelError as error:
        st.session_state[FAILED] = (key, error)
        return
    results()[key] = replace(result, correction=None)
