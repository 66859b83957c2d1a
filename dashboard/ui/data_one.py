"""One data set: what it holds, what is wrong with it, its photos, and what can be done with it."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.data.contents import Contents
from dashboard.core.data.datasets import Dataset
from dashboard.core.data.work import Kind
from dashboard.core.errors import NotFound
from dashboard.ui import (
    chart,
    confirm,
    data_dialogs,
    data_photos,
    data_report_part,
    data_unfinished,
    data_words,
    figures_data,
    page,
    pages,
)
from dashboard.ui.markup import Markup, badge, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone


def show(aws: Aws, chosen: Dataset, datasets: Sequence[Dataset]) -> None:
    """Head with its actions, classes beside the report, and its photos."""
    try:
        content = state.contents(aws, chosen.name).value
    except NotFound:
        st.html(note(f"{chosen.name} is not there any more."))
        return
    tone, word = data_words.state_of(chosen)
    marks = [badge(tone, word, chosen.problem)]
    if chosen.is_sample:
        marks.append(badge(Tone.SIMULATED, "sample"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="dataset-head"):
        page.section(chosen.name, Markup(" ".join(marks)))
        st.space("stretch")
        _actions(aws, content, datasets, can_train=not chosen.problem)
    st.html(note(f"{data_words.summary(content)}. {content.uri}"))
    if content.is_uploading:
        data_unfinished.told(aws, content)
    left, right = st.columns((6, 5), gap="medium")
    with left:
        _classes(content)
    with right:
        data_report_part.show(aws, content)
    data_photos.show(aws, content)


def _actions(aws: Aws, content: Contents, datasets: Sequence[Dataset], *, can_train: bool) -> None:
    if can_train:
        pages.link(Place.TRAIN, "Train on this", ":material/model_training:", {"data": content.name})
    if not aws.account.writable:
        return
    taken = tuple(one.name for one in datasets)
    for kind, label, icon in (
        (Kind.COPY, "Copy", ":material/content_copy:"),
        (Kind.RENAME, "Rename", ":material/edit:"),
        (Kind.DELETE, "Delete", ":material/delete:"),
    ):
        st.button(
            label,
            key=f"dataset-{kind.name.lower()}",
            icon=icon,
            type="tertiary",
            help=f"{label} {content.name}",
            on_click=confirm.ask,
            args=(partial(data_dialogs.question, aws, content, kind, taken),),
        )


def _classes(content: Contents) -> None:
    is_dark = st.context.theme.type == "dark"
    chart.panel(
        "classes",
        data_words.classes_finding(content.classes),
        figures_data.classes(content.classes, is_dark=is_dark),
        "Classes appear once there are photos.",
        alone=True,
    )
    rows = data_words.class_rows(content.classes)
    with st.expander("The figures as a table"):
        st.dataframe(rows, hide_index=True, key="classes-table", alt=f"Photos by class of {content.name}")
        chart.download(lambda: rows, f"{content.name}-classes.csv", "download-classes", is_quiet=True)
