"""Classify's cards: a photo beside its five bars, one honest sentence, and how long which way took."""

from html import escape

import streamlit as st

from dashboard.core.format import duration
from dashboard.core.serving.classify import Answer, Photo
from dashboard.core.serving.starter import STARTER
from dashboard.ui import markup
from dashboard.ui.classify_result import Result
from dashboard.ui.markup import badge, note
from dashboard.ui.tones import Tone

NO_CLAIM = (
    "Whether this is a dog at all, this model does not say: it learnt from pictures in which the network that it is "
    "built on sees no dogs, such as drawings."
)
NO_ANSWER = "This photo has no answer: the model cannot be asked at this moment"
CANNOT_LOOK = "Where it looked, this model does not show: only a linear head on a network's last maps can."


def problem(result: Result) -> None:
    """Why there is no answer. A visitor is told what is wrong with the photo, and not what is wrong with the model."""
    if result.problem is not None:
        kind = "not classified"
        if result.asking and result.asking.is_visitors and result.photo is not None:
            st.html(markup.problem(kind, NO_ANSWER, "", "Try again in a minute"))
            return
        what = markup.sentence(result.problem.what)
        st.html(markup.problem(kind, what, result.problem.why, result.problem.next_step))


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
    return (
        f'<div class="kn-answer{muted}"><p class="kn-answer-name">{escape(result.name)} {marks}</p>'
        f'<p class="kn-answer-sentence">{escape(unbroken(said.sentence))}</p>'
        f"{markup.bars(shares, title)}"
        + "".join(note(line) for line in timing(result, said, title))
        + note(origin(result, said, photo))
        + (note(NO_CLAIM) if said.is_dog is None else "")
        + "</div>"
    )


def timing(result: Result, said: Answer, title: str) -> list[str]:
    """Who answered in what time, by each way that was asked; both side by side where both were."""
    if result.asking and result.asking.is_visitors:
        return [f"{title} · answered in {seconds(said.seconds)}"]
    by = result.endpoint if said.model == result.endpoint else f"{result.endpoint} ({said.model})"
    through = f" through Lambda {result.function}" if result.function and result.second is None else ""
    lines = [f"{title} · answered by {by}{through} in {parts(said)}"]
    if result.second is not None:
        agrees = result.second.predictions[0].breed == said.predictions[0].breed
        same = "the same first breed" if agrees else f"another first breed, {result.second.predictions[0].breed}"
        lines.append(f"Through Lambda {result.function} in {parts(result.second)}: {same}")
    elif result.second_problem is not None:
        told = result.second_problem
        lines.append(f"Through Lambda {result.function} there is no answer: {told.why or told.what}")
    return lines


def parts(said: Answer) -> str:
    """A time with what it was spent on: "0.31 s, 0.05 s of it in Lambda, 0.01 s in the model, after a cold start"."""
    inside = []
    if said.lambda_seconds is not None:
        inside.append(f"{seconds(said.lambda_seconds)} of it in Lambda")
    if said.model_seconds is not None:
        inside.append(f"{seconds(said.model_seconds)} {'' if inside else 'of it '}in the model")
    if said.cold_seconds is not None:
        inside.append(f"{seconds(said.cold_seconds)} of a cold start")
    return ", ".join([seconds(said.seconds), *inside])


def origin(result: Result, said: Answer, photo: Photo) -> str:
    """Where the picture came from, and what that means for its answer."""
    if not result.is_drawn:
        return f"{markup.sentence(photo.note)}."
    if said.model == STARTER and not (result.asking and result.asking.is_visitors):
        return "Drawn by Kennel, no real photo; the starter learnt from photos and recognises only some drawings."
    return "Drawn by Kennel, no real photo."


def unbroken(text: str) -> str:
    """A number and its percent sign stay on one line."""
    return text.replace(" %", "\u00a0%")


def seconds(taken: float) -> str:
    """How long an answer took: "0.04 s"."""
    return f"{taken:.2f} s" if taken < 1 else duration(taken)
