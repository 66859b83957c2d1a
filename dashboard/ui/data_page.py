"""The Data page: what there is to learn from, what is wrong with it, what visitors corrected, and where it lies."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.prices import Extra
from dashboard.core.data.buckets import Bucket
from dashboard.core.data.datasets import Dataset
from dashboard.core.data.reviews import Correction
from dashboard.core.errors import KennelError
from dashboard.core.parallel import gather
from dashboard.ui import (
    confirm,
    data_add,
    data_buckets,
    data_one,
    data_review,
    data_sets,
    data_words,
    data_work,
    open_part,
    page,
    problem,
    strip,
    words,
)

T = TypeVar("T")


class Part(StrEnum):
    """A part of the page, as the address names it."""

    SETS = "Data sets"
    CORRECTIONS = "Corrections"
    BUCKETS = "Buckets"


def full(aws: Aws) -> None:
    """Head, work that goes on and figures; below, the part that is open."""
    asks: tuple[Callable[[], Any], ...] = (
        lambda: state.datasets(aws),
        lambda: _read(lambda: state.corrections(aws).value),
        lambda: _read(lambda: state.buckets(aws).value),
    )
    seen, (corrections, no_corrections), (buckets, no_buckets) = gather(lambda ask: ask(), asks)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="data-head"):
        said = data_words.sentence(seen.value, corrections, buckets)
        page.title("Data", said, words.age(seen.at, state.now()))
        st.space("stretch")
        actions = st.container(horizontal=True, gap="small", key="data-actions", width="content")
    data_work.show(aws)
    figures = st.container(key="data-figures")
    part = open_part.choose(Part)
    with actions:
        if aws.account.writable:
            _actions(aws, part)
    if part is not Part.SETS or seen.value:
        with figures:
            _figures(aws, seen.value, corrections, buckets)
    with problem.shown(f"data-{part.name.lower()}"):
        if part is Part.SETS:
            _sets(aws, seen.value)
        elif part is Part.CORRECTIONS:
            if no_corrections is not None:
                raise no_corrections
            data_review.show(aws, corrections or (), seen.value)
        else:
            if no_buckets is not None:
                raise no_buckets
            data_buckets.show(aws, buckets or ())


def _read(ask: Callable[[], T]) -> tuple[T | None, KennelError | None]:
    """What was read, or why it could not be: the other parts stand without it."""
    try:
        return ask(), None
    except KennelError as error:
        return None, error


def _actions(aws: Aws, part: Part) -> None:
    if part is Part.BUCKETS:
        _button("New bucket", "new-bucket", ":material/add:", partial(data_buckets.new_question, aws))
    else:
        _button("Add photos", "add-photos", ":material/upload:", partial(data_add.question, aws))


def _button(label: str, key: str, icon: str, question: confirm.Make) -> None:
    st.button(label, key=key, icon=icon, type="primary", on_click=confirm.ask, args=(question,))


def _figures(
    aws: Aws,
    datasets: Sequence[Dataset],
    corrections: Sequence[Correction] | None,
    buckets: Sequence[Bucket] | None,
) -> None:
    price = state.prices().beside(Extra.S3_STANDARD, aws.account.region)
    per_gib = price.amount if price else None
    strip.show(data_words.figures(datasets, corrections, buckets, per_gib, words.simulated(aws.account)))


def _sets(aws: Aws, datasets: Sequence[Dataset]) -> None:
    if not datasets:
        data_sets.none(aws)
        return
    chosen = data_sets.table_of(datasets)
    data_one.show(aws, chosen, datasets)
