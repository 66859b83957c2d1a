"""Work on data sets that goes on in the background, or is over: how far, what became of it, and how it is stopped."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.data.work import Progress
from dashboard.core.format import count
from dashboard.ui import confirm, data_unfinished, data_words, pages
from dashboard.ui.data_sets import CHOSEN
from dashboard.ui.markup import badge, escape, note, sentence
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone


def show(aws: Aws) -> None:
    """The list, looked at again while something goes on. Nothing without any."""
    told = state.data_jobs(aws).all()
    if any(not one.stage.is_over for one in told):
        st.fragment(_watched, run_every=1, key="data-work")(aws)
    elif told:
        _list(aws, told)


def _watched(aws: Aws) -> None:
    told = state.data_jobs(aws).all()
    _list(aws, told)
    if all(one.stage.is_over for one in told):
        state.forget()
        st.rerun()


def _list(aws: Aws, told: tuple[Progress, ...]) -> None:
    jobs = state.data_jobs(aws)
    with st.container(border=True, key="panel-data-work", gap="xsmall"):
        for one in told:
            token = one.work.token
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-work-{token}"):
                st.html(line(one))
                if not one.stage.is_over:
                    _button("Stop", token, one, partial(jobs.stop, token))
                else:
                    if one.has_made:
                        pages.link(
                            Place.DATA, f"Show {one.work.name}", ":material/photo_library:", {CHOSEN: one.work.name}
                        )
                    if one.stage.may_go_on and aws.account.writable:
                        _button("Go on", token, one, partial(jobs.go_on, aws, token))
                    if one.stage.may_go_on and one.work.kind.changes:
                        _asking(aws, one)
                    else:
                        _button("Dismiss", token, one, partial(jobs.dismiss, token))
            if one.share is not None and not one.stage.is_over:
                st.progress(one.share)
            _refused(one)


def _button(label: str, token: str, one: Progress, do: Callable[[], None]) -> None:
    st.button(
        label,
        key=f"work-{label.lower().replace(' ', '-')}-{token}",
        type="tertiary",
        help=f"{label}: {one.work.words}",
        on_click=confirm.at_once,
        args=(f"{label}: {one.work.words}", do),
    )


def _asking(aws: Aws, one: Progress) -> None:
    """Work that broke off leaves a data set that is not whole: what becomes of it is asked first."""
    st.button(
        "Dismiss",
        key=f"work-dismiss-{one.work.token}",
        type="tertiary",
        help=f"Dismiss: {one.work.words}",
        on_click=confirm.ask,
        args=(partial(data_unfinished.dismiss_question, aws, one),),
    )


def _refused(one: Progress) -> None:
    if not one.refused:
        return
    with st.expander(f"{count(len(one.refused), 'file was', 'files were')} not taken"):
        rows = [{"File": file, "Why": why} for file, why in one.refused.items()]
        st.dataframe(rows, hide_index=True, key=f"refused-{one.work.token}", alt="Files that were not taken")


def line(one: Progress) -> str:
    """One piece of work: what, how it stands, and what became of it."""
    tone = data_words.STAGES.get(one.stage, Tone.RUNNING)
    name = f"<strong>{escape(sentence(one.work.words))}</strong>"
    said = data_words.work_line(one)
    more = note(sentence(said), Tone.FAILED if one.problem else "") if said else ""
    return f'<div class="kn-row"><p>{name} {badge(tone, one.stage.value)}</p>{more}</div>'
