"""One notebook instance: what is to be known of it, and what can be done with it."""

from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.waste.waste import Finding
from dashboard.core.errors import KennelError
from dashboard.core.format import duration
from dashboard.core.notebooks.model import Notebook
from dashboard.core.notebooks.open import Link, link
from dashboard.core.notebooks.plan import plan_delete, plan_start, plan_stop
from dashboard.ui import confirm, deed, notebook_change, notebook_plan, notebook_words, problem
from dashboard.ui.confirm import Question
from dashboard.ui.markup import Markup, badge, escape, facts, literal, note, sentence
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

LINK, UNOPENED = "notebook.link", "notebook.unopened"


def show(aws: Aws, one: Notebook, idle: list[Finding]) -> None:
    """idle: what Waste finds of this one."""
    with st.container(border=True, key="panel-notebook"):
        marks = badge(one.status.tone, one.status.word, one.failure)
        st.html(Markup(f'<h2 class="kn-section">{escape(one.name)} {marks}</h2>'))
        if one.failure:
            st.html(note(f"{sentence(one.failure)}", Tone.FAILED))
        for finding in idle:
            said = "; ".join(each.what for each in finding.evidence)
            st.html(note(f"{sentence(finding.kind.word)}: {said}.", Tone.WAITING))
        st.html(facts(notebook_words.details(one, aws.account)))
        st.page_link(Place.ROLE, label=f"Its role {literal(one.role_name)}", query_params={"role": one.role_name})
        if not (one.is_kennels or one.is_sample):
            st.html(note("Kennel did not make this notebook, and does not change or open it."))
        elif aws.account.writable:
            _actions(aws, one)


def _actions(aws: Aws, one: Notebook) -> None:
    with st.container(horizontal=True, gap="small", key="notebook-actions"):
        if one.status.is_serving:
            _opening(aws, one)
            _button("Stop", "stop", ":material/stop_circle:", partial(_stop, aws, one.name))
        elif one.status.is_at_rest:
            _button("Start", "start", ":material/play_circle:", partial(_start, aws, one.name), is_main=True)
            _button("Change", "change", ":material/tune:", partial(notebook_change.question, aws, one.name))
            _button("Delete", "delete", ":material/delete:", partial(_delete, aws, one.name))
        else:
            st.html(note(f"It is {one.status.word}: what can be done with it is offered in a moment."))
    wrong = st.session_state.get(UNOPENED)
    if wrong and wrong[0] == one.name:
        problem.card(wrong[1], "notebook-unopened")


def _button(label: str, key: str, icon: str, make: partial[Question], *, is_main: bool = False) -> None:
    st.button(
        label,
        key=f"notebook-{key}",
        icon=icon,
        type="primary" if is_main else "secondary",
        on_click=confirm.ask,
        args=(make,),
    )


def _opening(aws: Aws, one: Notebook) -> None:
    """The link, for as long as AWS lets in whoever has it; else the button that has AWS sign one."""
    kept: Link | None = st.session_state.get(LINK)
    now = state.now()
    if kept is not None and kept.notebook == one.name and kept.until > now:
        st.link_button(
            f"Open Jupyter (for {duration((kept.until - now).total_seconds() // 60 * 60 + 60)})",
            kept.address,
            type="primary",
            icon=":material/open_in_new:",
            help="Whoever has this address works as the notebook's role. It is shown to you alone, and kept nowhere.",
        )
        return
    st.button(
        "Open by a link",
        key="notebook-open",
        type="primary",
        icon=":material/link:",
        help="Has AWS sign an address that opens Jupyter, for five minutes",
        on_click=_sign,
        args=(aws, one.name),
    )


def _sign(aws: Aws, name: str) -> None:
    st.session_state.pop(UNOPENED, None)
    try:
        st.session_state[LINK] = deed.carry_out(
            f"Open the notebook {name}",
            lambda: link(aws, name, state.now()),
            plan=("AWS signs an address that lets in whoever has it, for five minutes",),
        )
    except KennelError as wrong:
        st.session_state[UNOPENED] = (name, wrong)


def _start(aws: Aws, name: str) -> Question:
    return notebook_plan.question(aws, plan_start(state.notebook(aws, name)))


def _stop(aws: Aws, name: str) -> Question:
    return notebook_plan.question(aws, plan_stop(state.notebook(aws, name)))


def _delete(aws: Aws, name: str) -> Question:
    return notebook_plan.question(aws, plan_delete(aws, state.notebook(aws, name)))
