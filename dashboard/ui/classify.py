"""Classify's work: photos in, answers kept for this tab, one card an answer."""

import io
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError
from dashboard.core.format import count
from dashboard.core.parallel import gather
from dashboard.core.serving import feedback
from dashboard.core.serving.classify import MAX_PHOTOS, Answer, Photo, classify, fetch_photo, prepare_photo
from dashboard.core.serving.starter import STARTER
from dashboard.core.serving.through import classify_through
from dashboard.ui import classify_card, classify_feedback, visiting
from dashboard.ui.classify_result import GENERATION, Asking, Incoming, Result, Way, card_key, generation, keep, results
from training.breeds import written

LEFT_OUT, FETCHED = "classify.left-out", "classify.fetched"
AT_ONCE = 4
LOOKED_HELP = "Shows which part of the photo spoke most for the first breed, from the same run of the model"
NAMED = 5
"""Photos that were left out and are named one by one."""
RECOGNISED = (
    ("057.Dalmatian", 2),
    ("124.Poodle", 14),
    ("057.Dalmatian", 18),
    ("124.Poodle", 1),
    ("057.Dalmatian", 19),
    ("124.Poodle", 17),
    ("057.Dalmatian", 13),
    ("124.Poodle", 21),
)
"""Drawings (breed, seed) of which the starter names the breed first and says that they are dogs: measured."""


class Upload(Protocol):
    """What arrives: a file with a name."""

    name: str

    def getvalue(self) -> bytes: ...


def take(
    aws: Aws,
    asking: Asking,
    uploads: Sequence[Upload],
    slot: "st.delta_generator.DeltaGenerator",
    looked: bool = False,
) -> None:
    """Classify what was dropped, keep the answers, and let go of the files. Reruns the page."""
    st.session_state[LEFT_OUT] = tuple(upload.name for upload in uploads[MAX_PHOTOS:])
    batch = [Incoming(upload.name, upload.getvalue()) for upload in uploads[:MAX_PHOTOS]]
    answer(aws, asking, batch, slot, looked)
    for upload in uploads:
        state.let_go(upload)
    st.session_state[GENERATION] = generation() + 1
    st.rerun()


def answer(
    aws: Aws,
    asking: Asking,
    batch: Sequence[Incoming],
    slot: "st.delta_generator.DeltaGenerator",
    looked: bool = False,
) -> None:
    """Classify a batch, some at a time; what is done is kept at once, so that an interruption loses nothing.

    Photos above a visitor's limit are not sent: `visiting.sentence` says so.
    """
    number = 1 + max((result.batch for result in results().values()), default=0)
    sent = visiting.granted(batch)
    for start in range(0, len(sent), AT_ONCE):
        if len(sent) > 1:
            slot.progress(start / len(sent), text=f"Photo {start + 1} of {len(sent)}")
        part = sent[start : start + AT_ONCE]
        for incoming, result in zip(part, gather(partial(one, aws, asking, looked), part), strict=True):
            keep(f"{asking.key} {incoming.key}", replace(result, batch=number))
    st.session_state[FETCHED] = any(incoming.url for incoming in sent)


def one(aws: Aws, asking: Asking, looked: bool, incoming: Incoming) -> Result:
    """One photo's card; a photo that cannot be classified gets its own sentence and stops no other."""
    front = asking.front
    result = Result(
        incoming.name,
        asking.endpoint,
        is_drawn=incoming.is_drawn,
        function=front.function if front else "",
        asking=asking,
    )
    try:
        photo = incoming.photo or prepare_photo(
            fetch_photo(incoming.url) if incoming.url else incoming.data, incoming.name
        )
        result = replace(result, photo=photo)
        result = replace(result, answer=_ask(aws, asking, photo, looked))
    except KennelError as error:
        return replace(result, problem=error)
    if asking.way is not Way.BOTH or front is None:
        return result
    try:
        return replace(result, second=classify_through(aws, front, photo))
    except KennelError as error:
        return replace(result, second_problem=error)


def _ask(aws: Aws, asking: Asking, photo: Photo, looked: bool) -> Answer:
    """By the one way, or by the first of both."""
    if asking.way is Way.LAMBDA and asking.front is not None:
        return classify_through(aws, asking.front, photo, looked=looked)
    return classify(aws, asking.endpoint, photo, looked=looked)


def look_again(aws: Aws, serving: Sequence[str], slot: "st.delta_generator.DeltaGenerator") -> None:
    """Ask where the model looked on photos that were answered without it; those of an endpoint that is gone stay.

    The answers themselves are kept as they were given. Raises what `classify` raises.
    """
    wanted = [(key, result) for key, result in results().items() if _can_look(result, serving)]
    if not wanted:
        return
    open_ones = visiting.granted(wanted)
    for start in range(0, len(open_ones), AT_ONCE):
        if len(open_ones) > AT_ONCE:
            slot.progress(start / len(open_ones), text=f"Photo {start + 1} of {len(open_ones)}")
        part = open_ones[start : start + AT_ONCE]
        for (key, _), result in zip(part, gather(partial(_looked_at, aws), [each for _, each in part]), strict=True):
            results()[key] = result
    slot.empty()


def _can_look(result: Result, serving: Sequence[str]) -> bool:
    return (
        result.answer is not None
        and not result.answer.was_looked_for
        and result.photo is not None
        and result.endpoint in serving
    )


def _looked_at(aws: Aws, result: Result) -> Result:
    assert result.answer and result.photo  # noqa: S101 - _can_look chose it
    said = _ask(aws, result.asking or Asking(result.endpoint), result.photo, True)
    return replace(result, answer=replace(result.answer, looked=said.looked, was_looked_for=True))


def clear() -> None:
    """Throw this tab's photos and answers away."""
    results().clear()
    st.session_state.pop(LEFT_OUT, None)
    visiting.forget()


def draw_example(number: int, endpoint: str) -> Incoming:
    """A dog that we draw ourselves, another one for each number.

    The starter learnt from photos and takes most drawings for something else: it gets those that it does recognise.
    """
    from training.sample_data import BREEDS, draw_dog  # draws with numpy: only when asked

    if endpoint == STARTER:
        breed, seed = RECOGNISED[number % len(RECOGNISED)]
    else:
        breed, seed = sorted(BREEDS)[number % len(BREEDS)], number
    file = io.BytesIO()
    draw_dog(breed, seed=seed).save(file, "JPEG", quality=90)
    return Incoming(f"drawn {written(breed)}", file.getvalue(), is_drawn=True)


def card(aws: Aws, key: str, result: Result, looked: bool = False) -> None:
    """A photo with five bars and one honest sentence, or the reason why there is none.

    With `looked` also where the model looked, if it says.
    """
    with st.container(border=True, key=f"panel-answer-{card_key(key)}"):
        if result.problem is not None or result.answer is None or result.photo is None:
            classify_card.problem(result)
            return
        left, right = st.columns((4, 7), gap="medium")
        with left:
            classify_card.picture(result, result.answer, result.photo, looked)
        with right:
            st.html(classify_card.answer_markup(result, result.answer, result.photo))
            classify_feedback.show(aws, key, result)


def ask_address() -> Incoming | None:
    """A field for the address of a photo; the photo when it was sent. The address of one that was not is kept."""
    if st.session_state.pop(FETCHED, False):
        st.session_state["url"] = ""
    row = st.form("address", border=False)
    with row, st.container(horizontal=True, vertical_alignment="bottom", key="ask-address"):
        url = st.text_input(
            "Or the address of a photo",
            key="url",
            placeholder="https://…",
            max_chars=2048,
            help="https only, 10 MiB at most, and only what the open internet gives",
        )
        sent = st.form_submit_button("Fetch and classify", key="fetch")
    return Incoming.at(url) if sent and url and url.strip() else None


def kept_sentence() -> str:
    """What is done with photos, before one is dropped."""
    leaves = " unless you send a correction" if feedback.is_on() else ""
    return (
        f"Up to {MAX_PHOTOS} photos at a time, 20 MB each. Place and other hidden data are dropped on arrival; "
        f"photos stay in this tab and are gone when it closes{leaves}."
    )


def left_out() -> str:
    """What to say when more photos came than are taken at once; "" otherwise."""
    names: tuple[str, ...] = st.session_state.get(LEFT_OUT, ())
    if not names:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (
        f"{count(len(names), 'photo')} left out: {', '.join(names[:NAMED])}{more}. "
        f"Up to {MAX_PHOTOS} are taken at a time: drop {'it' if len(names) == 1 else 'those'} next."
    )
