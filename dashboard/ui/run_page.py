"""The page of one run: its head and actions, and the parts that are drawn again while it goes on."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Literal

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import AccessDenied, NotFound
from dashboard.core.runs.model import Run, RunKey, RunKind, RunStatus
from dashboard.state import Reading, Tail
from dashboard.ui import (
    chart,
    confirm,
    endpoint,
    markup,
    models_dialogs,
    page,
    pages,
    problem,
    replayed,
    run,
    run_actions,
    run_log,
    run_parts,
    tuning,
    usage,
    watching,
)
from dashboard.ui.figures import ACCURACY, LOSS
from dashboard.ui.markup import Markup, badge, literal
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone


def found(aws: Aws, key: str) -> Reading[Run]:
    """The run; when there is none of that name the page says so and ends."""
    try:
        return state.run(aws, key)
    except NotFound as missing:
        back()
        page.title(RunKey.parse(key).name, "no such run")
        problem.card(missing, "no-run")
        st.stop()


def back(parent: str = "") -> None:
    """The way to all runs, with the filter as it was left; from a trial also to its tuning job."""
    with st.container(horizontal=True, gap="small", key="back"):
        st.page_link(
            Place.RUNS,
            label="All runs",
            icon=":material/arrow_back:",
            query_params=st.session_state.get(run_actions.TABLE) or None,
        )
        if parent:
            st.page_link(
                Place.RUN,
                label=f"Tuning {literal(parent)}",
                icon=":material/account_tree:",
                query_params={"run": f"tuning:{parent}"},
            )


def head(aws: Aws, one: Run, token: str, at: datetime) -> None:
    """Name, state as it was read `at` then, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run-head"):
        early = f", {tuning.EARLY} of the trials before it" if _is_early(aws, one) else ""
        said = replayed.sentence(one) if one.is_replayed and not one.is_tuning else run.sentence(one, at) + early
        page.title(one.name, said, marks=marks(one))
        if one.can_interrupt and aws.account.is_embedded:
            _ask("Interrupt now", "interrupt-run", ":material/bolt:", partial(run_actions.interrupt, aws, one))
        if one.status.can_stop:
            _ask("Stop run", "stop-run", ":material/stop_circle:", partial(run_actions.stop, aws, one))
        if one.status.is_good and one.artifact_uri:
            if aws.account.writable:
                register = partial(models_dialogs.register_question, aws, one)
                _ask("Register", "register-model", ":material/inventory_2:", register)
            _ask(
                "Deploy model",
                "deploy-model",
                ":material/rocket_launch:",
                partial(endpoint.deploy_question, aws, one, token),
                is_main=True,
            )
        if one.tuning is not None and one.tuning.best_key:
            st.page_link(
                Place.RUN, label="Best trial", icon=":material/star:", query_params={"run": one.tuning.best_key}
            )
        if one.can_resume:
            pages.link(Place.TRAIN, "Resume", ":material/resume:", {"like": one.key, "resume": "1"})
        if one.status.is_final:
            if not one.is_replayed:  # the photos and the code of that training are not here
                pages.link(Place.TRAIN, "Train again", ":material/replay:", {"like": one.key})
            _ask("Delete", "delete-run", ":material/delete:", partial(run_actions.remove, aws, [one]), is_quiet=True)


def _is_early(aws: Aws, one: Run) -> bool:
    """Whether it is a trial that its tuning job ended early."""
    if not one.parent or one.status is not RunStatus.STOPPED:
        return False
    try:
        search = state.run(aws, str(RunKey(one.parent, kind=RunKind.TUNING))).value
    except (NotFound, AccessDenied):  # then nobody can say
        return False
    return tuning.ended_early(one, search)


def with_trials(aws: Aws, one: Run) -> Run:
    """A tuning job that goes on, counted as its trials stand now: title, bar and table then say the same."""
    return tuning.counted(one, state.trials(aws, one))


def _ask(
    label: str,
    key: str,
    icon: str,
    question: Callable[[], confirm.Question],
    *,
    is_main: bool = False,
    is_quiet: bool = False,
) -> None:
    look: Literal["primary", "secondary", "tertiary"] = (
        "primary" if is_main else "tertiary" if is_quiet else "secondary"
    )
    st.button(label, key=key, icon=icon, type=look, on_click=confirm.ask, args=(question,))


def marks(one: Run) -> Markup:
    """What it is and where, as badges."""
    made = [badge(Tone.STOPPED, run.kind(one), "where it runs and how it is paid", shape="")]
    if one.is_sample:
        made.append(replayed.mark() if one.is_replayed else badge(Tone.SIMULATED, "sample"))
    if one.is_proof:
        made.append(badge(Tone.STOPPED, "proof", "tried what a role was to be allowed", shape=""))
    return Markup(f'<span class="kn-marks">{" ".join(made)}</span>')


def live(aws: Aws, one: Run, tail: Tail, at: datetime) -> None:
    """Everything about a run that changes while it goes on; nothing moves when it is drawn again.

    Times and cost are those of the reading, taken `at` then: counted up to now, a stage that has ended since would
    seem to have lasted longer than it did.
    """
    watching.watch(one)
    if one.is_replayed:
        if one.tuning is not None:
            tuning.table(aws, one, one.tuning, at)
        replayed.show(aws, one)
        return
    if one.tuning is not None:
        if one.status.is_bad:
            run_parts.failure(aws, one)
        tuning.show(aws, one, one.tuning, at)
        left, right = st.columns(2, gap="medium")
        with left:
            run_parts.cost(aws, one)
        with right:
            run_parts.given(one, tuning.facts(one, one.tuning))
        return
    now = state.now()
    lines = tail.lines
    st.html(markup.timeline(run.steps(one, at), "Stages"))
    bar = st.empty()  # emptied at once when the run has ended, not with the rest of what is no longer drawn
    if one.status.is_active:
        printed = lines[-1].time if lines else None
        bar.progress(
            min(1.0, tail.progress.fraction or 0.0), text=literal(run.progress_text(tail.progress, printed, now))
        )
    if one.status.is_bad:
        run_parts.failure(aws, one)
    curves = tail.progress.curves
    if curves or one.status.is_active:
        with st.container(key="curves"):
            left, right = st.columns(2, gap="small")
        with left:
            chart.learning(curves, ACCURACY)
        with right:
            chart.learning(curves, LOSS)
    if curves:
        chart.behind(curves, one.name)
    left, right = st.columns((11, 10), gap="medium")
    with left:
        run_log.show(aws, one, tail)
        usage.show(aws, one)
    with right:
        run_parts.cost(aws, one)
        run_parts.model(aws, one)
        run_parts.given(one)


@st.fragment(run_every=3, key="serving")
def endpoints(aws: Aws, one: Run) -> None:
    """The endpoints that serve this run's model."""
    with problem.shown("serving"):
        now = state.now()
        mine = [found for found in state.endpoints(aws).value if found.run == one.name]
        if not mine:
            return
        page.section("Serving this model")
        with st.container(border=True, key="panel-serving", gap=None):
            for found in mine:
                endpoint.row(aws, found, now)
