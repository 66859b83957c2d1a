"""Labels that visitors corrected: looked at one by one, and made a new version of a data set."""

import secrets
from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.data import reviews
from dashboard.core.data.datasets import Dataset
from dashboard.core.data.reviews import Correction, Verdict
from dashboard.core.errors import AlreadyExists, InvalidInput
from dashboard.core.format import count
from dashboard.core.serving import feedback
from dashboard.ui import chart, confirm, data_dialogs, data_photos, data_words, empty, page, table
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import bars, facts, literal, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

AT = "review-at"
LOOKED = 640
"""Pixels of a photo that somebody decides about."""


def show(aws: Aws, corrections: Sequence[Correction], datasets: Sequence[Dataset]) -> None:
    """The next one that waits, what was decided so far, and the way to a new version."""
    if not corrections:
        on = "" if feedback.is_on() else f" They are off here: start Kennel with {feedback.SETTING}=1 to collect them."
        empty.show(
            "corrections",
            "No visitor corrected an answer yet.",
            "On Classify a visitor may say what is really on a photo. It waits here until somebody looked at it, and "
            f"then becomes part of a new version of a data set.{on}",
            Place.CLASSIFY,
            "Open Classify",
        )
        return
    waiting = [one for one in corrections if one.is_waiting]
    decided = [one for one in corrections if not one.is_waiting]
    if waiting:
        _one(aws, waiting, datasets)
    else:
        many = f"All {len(decided):,} corrections are reviewed."
        st.html(note(many if len(decided) > 1 else "The one correction is reviewed."))
    _decided(aws, decided, datasets)


def _one(aws: Aws, waiting: Sequence[Correction], datasets: Sequence[Dataset]) -> None:
    number = min(len(waiting), int(st.session_state.get(AT) or 1))
    one = waiting[number - 1]
    page.section(f"Waiting: {number} of {len(waiting)}")
    with st.container(border=True, key="panel-review"):
        left, right = st.columns((4, 5), gap="medium")
        with left:
            (picture,) = state.pictures(aws, aws.account.bucket, ((one.photo_key, one.digest),), LOOKED)
            shown = data_photos.image(picture, f"A visitor's photo, said to show {one.breed}")
            st.html(f'<div class="kn-review">{shown}</div>')
        with right:
            st.html(
                facts(
                    {
                        "Visitor says": one.breed,
                        "Model": one.model or "unknown",
                        "Sent": data_words.sent(one, state.now()),
                    }
                )
            )
            if one.said:
                st.html(f'<p class="kn-note">The model said</p>{bars(one.said[:5], "What the model said")}')
            if aws.account.writable:
                _verdicts(aws, one, datasets)
            else:
                st.html(note("This account is connected to read only: nothing can be decided here."))
    if len(waiting) > 1:
        st.pagination(len(waiting), key=AT)


def _verdicts(aws: Aws, one: Correction, datasets: Sequence[Dataset]) -> None:
    with st.container(horizontal=True, gap="small", key="review-verdicts"):
        _button(aws, f"Accept as {one.breed}", "accept", one, Verdict.ACCEPTED, one.breed, is_main=True)
        _button(aws, "Reject", "reject", one, Verdict.REJECTED, "")
    classes = state.contents(aws, datasets[0].name).value.classes if datasets else ()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="review-otherwise"):
        label = st.selectbox(
            "It is something else",
            [name for name in reviews.labels(classes) if name != one.breed],
            index=None,
            key=f"review-label-{one.digest}",
            placeholder="Type a breed",
            width=280,
        )
        _button(aws, "Relabel", "relabel", one, Verdict.RELABELLED, label or "", is_disabled=label is None)


def _button(
    aws: Aws,
    label: str,
    key: str,
    one: Correction,
    verdict: Verdict,
    breed: str,
    *,
    is_main: bool = False,
    is_disabled: bool = False,
) -> None:
    what = f"{verdict.value.capitalize()}: a visitor's photo as {breed}" if breed else "Rejected: a visitor's photo"
    st.button(
        literal(label),
        key=f"review-{key}",
        type="primary" if is_main else "secondary",
        disabled=is_disabled,
        on_click=confirm.at_once,
        args=(what, lambda: reviews.decide(aws, one, verdict, breed, state.now()), state.forget),
    )


def _decided(aws: Aws, decided: Sequence[Correction], datasets: Sequence[Dataset]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="review-decided-head"):
        page.section("Reviewed")
        st.space("stretch")
        if aws.account.writable and datasets and any(one.may_be_learnt for one in decided):
            st.button(
                "Make a new version",
                key="new-version",
                type="primary",
                icon=":material/new_label:",
                on_click=confirm.ask,
                args=(partial(version_question, aws),),
            )
    if not decided:
        st.html(note("What you accept, relabel or reject is listed here; what is accepted makes a new version."))
        return
    rows = data_words.correction_rows(decided)
    tones = [data_words.VERDICTS[one.verdict] for one in decided if one.verdict is not None]
    looks = [(tone, row["Verdict"][0]) for tone, row in zip(tones, rows, strict=True)]
    timezone = st.context.timezone
    st.dataframe(
        [{**row, "Decided": table.local(row["Decided"], timezone) if row["Decided"] else None} for row in rows],
        hide_index=True,
        placeholder="–",
        key="reviewed-table",
        alt="Corrections that were reviewed",
        column_config={
            "Verdict": table.states("Verdict", looks),
            "Decided": st.column_config.DatetimeColumn(format="D MMM, HH:mm", help=str(table.zone(timezone))),
        },
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="review-back"):
        chart.download(
            lambda: table.plain(rows, "Verdict"), "kennel-corrections.csv", "download-corrections", is_quiet=True
        )
        if aws.account.writable:
            _take_back(aws, sorted(decided, key=lambda one: one.decided, reverse=True))


def _take_back(aws: Aws, decided: Sequence[Correction]) -> None:
    """Any decision, the last one first; what is in a version stays in it."""
    by_digest = {one.digest: one for one in decided}
    chosen = st.selectbox(
        "Take back",
        list(by_digest),
        format_func=lambda digest: f"{by_digest[digest].label or by_digest[digest].breed}, {by_digest[digest].verdict}",
        key="review-back-choice",
        width=240,
    )
    st.button(
        "Take it back",
        key="review-take-back",
        type="tertiary",
        icon=":material/undo:",
        help="It waits again",
        on_click=confirm.at_once,
        args=(
            "Take back what was decided about a visitor's photo",
            lambda: reviews.take_back(aws, by_digest[chosen]),
            state.forget,
        ),
    )


def version_question(aws: Aws) -> Question:
    """Which data set the reviewed photos are added to, as which new one."""
    return Question("Make a new version", partial(_draw_version, aws, secrets.token_hex(8)))


def _draw_version(aws: Aws, token: str) -> Action | None:
    datasets = [one for one in state.datasets(aws).value if not one.problem]
    names = [one.name for one in state.datasets(aws).value]
    if not datasets:
        st.html(note("No data set is whole: there is nothing to make a version of.", Tone.WAITING))
        return None
    base = st.selectbox("Data set", [one.name for one in datasets], key="version-base")
    name = st.text_input(
        "New name",
        value=reviews.next_name(base, names),
        key=f"version-name-{base}",
        live=True,
        max_chars=63,
    )
    try:
        plan = reviews.plan_version(
            state.contents(aws, base).value, state.corrections(aws).value, name or "", token, taken=names
        )
    except (InvalidInput, AlreadyExists) as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    added = ", ".join(f"{label} {number}" for label, number in plan.labels.items())
    rows = {
        "Copied": data_words.summary(plan.base),
        "Added to train": f"{count(len(plan.work.added), 'reviewed photo')}: {added}",
        "Unchanged": data_words.unchanged(plan.base.splits),
        "Costs a month": f"{data_dialogs.stored(aws, plan.base.bytes)} in S3 Standard, and one copy request a photo",
    }
    if plan.left:
        rows["Left out"] = ", ".join(f"{number:,} {why}" for why, number in plan.left.items())
    st.html(facts(rows))
    if plan.new:
        said = f"{', '.join(plan.new)}: no class of {base} yet. With so few photos a class is learnt badly."
        st.html(note(said, Tone.WAITING))
    data_dialogs.code(aws, plan.work)
    return Action(
        f"Make {plan.work.name}",
        partial(data_dialogs.begin, aws, plan.work),
        then=Place.DATA,
        query={"part": "Data sets"},
    )
