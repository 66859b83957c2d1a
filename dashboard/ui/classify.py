"""Classify's parts: photos in, answers kept for this tab, one card an answer."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Protocol

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError
from dashboard.core.format import count, duration
from dashboard.core.parallel import gather
from dashboard.core.serving.classify import MAX_PHOTOS, Answer, Photo, classify, prepare_photo
from dashboard.core.serving.starter import STARTER
from dashboard.ui import markup
from dashboard.ui.markup import badge, note
from dashboard.ui.tones import Tone
from training.breeds import written

ANSWERS, GENERATION, LEFT_OUT = "classify.answers", "classify.generation", "classify.left-out"
ASKED = "classify.asked"
KEPT = 40
AT_ONCE = 4
NO_CLAIM = (
    "Whether this is a dog at all, the model does not say: it was not trained on photos that look like dogs to the "
    "network below it."
)
CANNOT_LOOK = "Where it looked, this model does not show: only a linear head on a network's last maps can."
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


@dataclass(frozen=True)
class Incoming:
    """One photo on its way to the model. `is_drawn` marks a picture that we drew ourselves."""

    name: str
    data: bytes
    is_drawn: bool = False

    @property
    def key(self) -> str:
        """The photo's content, so that the same one is not classified twice."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Result:
    """One card: the photo and its answer, or why there is none."""

    name: str
    endpoint: str
    photo: Photo | None = None
    answer: Answer | None = None
    problem: KennelError | None = None
    is_drawn: bool = False
    batch: int = 0


def results() -> dict[str, Result]:
    """This tab's cards by key, the newest last. They outlive reruns, other pages and a lost connection."""
    kept: dict[str, Result] = st.session_state.setdefault(ANSWERS, {})
    return kept


def shown() -> list[tuple[str, Result]]:
    """The cards as they stand on the page: the newest batch first, within it as the photos were dropped."""
    return sorted(results().items(), key=lambda item: -item[1].batch)


def generation() -> int:
    """Counts the batches; a new number empties the drop zone."""
    return int(st.session_state.setdefault(GENERATION, 0))


def take(
    aws: Aws, endpoint: str, uploads: Sequence[Upload], slot: "st.delta_generator.DeltaGenerator", looked: bool = False
) -> None:
    """Classify what was dropped, keep the answers, and let go of the files. Reruns the page."""
    st.session_state[LEFT_OUT] = tuple(upload.name for upload in uploads[MAX_PHOTOS:])
    batch = [Incoming(upload.name, upload.getvalue()) for upload in uploads[:MAX_PHOTOS]]
    answer(aws, endpoint, batch, slot, looked)
    for upload in uploads:
        state.let_go(upload)
    st.session_state[GENERATION] = generation() + 1
    st.rerun()


def answer(
    aws: Aws, endpoint: str, batch: Sequence[Incoming], slot: "st.delta_generator.DeltaGenerator", looked: bool = False
) -> None:
    """Classify a batch, some at a time; what is done is kept at once, so that an interruption loses nothing."""
    number = 1 + max((result.batch for result in results().values()), default=0)
    for start in range(0, len(batch), AT_ONCE):
        if len(batch) > 1:
            slot.progress(start / len(batch), text=f"Photo {start + 1} of {len(batch)}")
        part = batch[start : start + AT_ONCE]
        for incoming, result in zip(part, gather(partial(one, aws, endpoint, looked), part), strict=True):
            _keep(f"{endpoint} {incoming.key}", replace(result, batch=number))


def one(aws: Aws, endpoint: str, looked: bool, incoming: Incoming) -> Result:
    """One photo's card; a photo that cannot be classified gets its own sentence and stops no other."""
    photo = None
    try:
        photo = prepare_photo(incoming.data, incoming.name)
        said = classify(aws, endpoint, photo, looked=looked)
    except KennelError as error:
        return Result(incoming.name, endpoint, photo, problem=error, is_drawn=incoming.is_drawn)
    return Result(incoming.name, endpoint, photo, said, is_drawn=incoming.is_drawn)


def look_again(aws: Aws, serving: Sequence[str], slot: "st.delta_generator.DeltaGenerator") -> None:
    """Ask where the model looked on photos that were answered without it; those of an endpoint that is gone stay.

    The answers themselves are kept as they were given. Raises what `classify` raises.
    """
    open_ones = [(key, result) for key, result in results().items() if _can_look(result, serving)]
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
    said = classify(aws, result.endpoint, result.photo, looked=True)
    return replace(result, answer=replace(result.answer, looked=said.looked, was_looked_for=True))


def _keep(key: str, result: Result) -> None:
    kept = results()
    kept.pop(key, None)
    kept[key] = result
    while len(kept) > KEPT:
        del kept[next(iter(kept))]


def clear() -> None:
    """Throw this tab's photos and answers away."""
    results().clear()
    st.session_state.pop(LEFT_OUT, None)


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


def card(key: str, result: Result, looked: bool = False) -> None:
    """A photo with five bars and one honest sentence, or the reason why there is none.

    With `looked` also where the model looked, if it says.
    """
    with st.container(border=True, key=f"panel-answer-{key[-12:]}"):
        if result.problem is not None or result.answer is None or result.photo is None:
            if result.problem is not None:
                kind = "not classified"
                st.html(markup.problem(kind, result.problem.what, result.problem.why, result.problem.next_step))
            return
        left, right = st.columns((4, 7), gap="medium")
        with left:
            picture(result, result.answer, result.photo, looked)
        with right:
            st.html(answer_markup(result, result.answer, result.photo))


def picture(result: Result, said: Answer, photo: Photo, looked: bool) -> None:
    """The photo; with `looked`, in its place, the part that the model saw, warm where its first breed's score is from.

    A switch between the two compares them better than both at once, and moves nothing else on the page.
    """
    if looked and said.looked:
        breed = said.predictions[0].breed
        st.image(
            said.looked, width="stretch", alt=f"{result.name}: where the model looked, warm where it found {breed}"
        )
        st.html(note(f"Warm where it speaks for {breed}. This is the part of the photo that the model sees."))
        return
    st.image(photo.jpeg, width="stretch", alt=f"{result.name}. {said.sentence}")
    if looked and said.was_looked_for:
        st.html(note(CANNOT_LOOK))


def answer_markup(result: Result, said: Answer, photo: Photo) -> str:
    """The answer's text: sentence, bars, and how it came about."""
    marks = badge(Tone.STOPPED, "not a dog") if said.is_dog is False else ""
    marks += badge(Tone.SIMULATED, "drawn picture") if result.is_drawn else ""
    shares = [(prediction.breed, prediction.probability) for prediction in said.predictions]
    title = "Closest breeds, if it were a dog" if said.is_dog is False else "Most likely breeds"
    muted = " kn-muted" if said.is_dog is False else ""
    inside = f", {seconds(said.model_seconds)} of it in the model" if said.model_seconds is not None else ""
    by = result.endpoint if said.model == result.endpoint else f"{result.endpoint} ({said.model})"
    return (
        f'<div class="kn-answer{muted}"><p class="kn-answer-name">{escape(result.name)} {marks}</p>'
        f'<p class="kn-answer-sentence">{escape(unbroken(said.sentence))}</p>'
        f"{markup.bars(shares, title)}"
        + note(f"{title} · answered by {by} in {seconds(said.seconds)}{inside}")
        + note(origin(result, said, photo))
        + (note(NO_CLAIM) if said.is_dog is None else "")
        + "</div>"
    )


def origin(result: Result, said: Answer, photo: Photo) -> str:
    """Where the picture came from, and what that means for its answer."""
    if not result.is_drawn:
        return f"{markup.sentence(photo.note)}."
    if said.model == STARTER:
        return "Drawn by Kennel, no real photo; the starter learnt from photos and recognises only some drawings."
    return "Drawn by Kennel, no real photo."


def unbroken(text: str) -> str:
    """A number and its percent sign stay on one line."""
    return text.replace(" %", "\u00a0%")


def seconds(taken: float) -> str:
    """How long an answer took: "0.04 s"."""
    return f"{taken:.2f} s" if taken < 1 else duration(taken)


def answered() -> int:
    """How many photos have an answer."""
    return sum(result.answer is not None for result in results().values())


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


def preferred(serving: Sequence[str]) -> list[str]:
    """Endpoints in the order in which they are offered: the starter, then the newest; they come newest first."""
    return sorted(serving, key=lambda name: name != STARTER)


def choose(serving: Sequence[str]) -> str:
    """Which endpoint answers, said beside the drop zone; one that a link asked for comes first if it serves."""
    asked = st.query_params.get("endpoint", "")
    if asked:
        st.session_state[ASKED] = asked  # of a name that is no choice, the address is cleaned
    names = preferred(serving)
    if len(names) > 1:
        chosen = st.selectbox(
            "Model that answers", names, key="endpoint", bind="query-params", width=260, on_change=_chosen
        )
    else:
        chosen = names[0]
        st.html(f'<p class="kn-answers">Model that answers <strong>{escape(chosen)}</strong></p>')
    return chosen


def not_serving(serving: Sequence[str], chosen: str) -> str:
    """What to say when a link asked for an endpoint that does not serve; "" otherwise."""
    asked = st.session_state.get(ASKED, "")
    return f"{asked} is not serving: {chosen} answers instead." if asked and asked not in serving else ""


def _chosen() -> None:
    st.session_state.pop(ASKED, None)
