"""Measure: a bounded load test of a variant, what it found, and the target that follows from it."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.format import ago, count, duration, money, plain
from dashboard.core.serving.measure import knee
from dashboard.core.serving.measure.plan import CLIENTS, HOLD, MOST_REQUESTS, Plan, plan
from dashboard.core.serving.measure.result import Measurement
from dashboard.core.serving.measure.running import Progress
from dashboard.ui import chart, confirm, figures_measure, markup, page, problem, scaling, scaling_draft, words
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import note

ASKED = "measure-asked"
MOST_CLIENTS, SECONDS, REQUESTS = "measure-clients", "measure-hold", "measure-requests"


def section(aws: Aws, endpoint: str, variant: str) -> None:
    """The section of the page: begin a load test or watch it, then its result."""
    page.section("Measure")
    with problem.shown("measure"):
        progress = state.measuring(aws, endpoint, variant)
        if progress and not progress.is_over:
            st.fragment(_watch, run_every=1, key="measure-watch")(aws, endpoint, variant)
            return
        if progress and progress.problem:
            problem.card(progress.problem, "measure-failed")
        done = state.measurements(aws, endpoint, variant)
        _begin(aws, endpoint, variant)
        if not done:
            chart.panel(
                "measure",
                "Not measured yet",
                None,
                "A load test of half a minute asks with 1, 2, 4 … clients at once, finds where more of them only wait "
                "longer, and recommends a target for both metrics.",
                alone=True,
            )
            return
        _result(aws, done)


def _begin(aws: Aws, endpoint: str, variant: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        clients = st.selectbox("Clients at once, up to", CLIENTS[1:], index=3, key=MOST_CLIENTS, width=150)
        hold = st.number_input("Seconds a level", *HOLD, value=5, key=SECONDS, width=130)
        most = st.number_input("Photos at most", *MOST_REQUESTS, value=5000, step=1000, key=REQUESTS, width=150)
        st.button("Measure…", key="measure", icon=":material/speed:", on_click=_ask)
    if st.session_state.pop(ASKED, False):  # a field that was changed a moment before the click is in it
        confirm.put(partial(_question, aws, endpoint, variant, int(clients), float(hold), int(most)))


def _ask() -> None:
    st.session_state[ASKED] = True


def _question(aws: Aws, endpoint: str, variant: str, clients: int, hold: float, most: int) -> Question:
    known = state.replay_facts(aws, endpoint, variant).value
    made = plan(
        state.scaling(aws, endpoint, variant).value,
        known.price,
        state.prices(),
        account=aws.account,
        now=state.now(),
        most_clients=clients,
        hold=hold,
        most_requests=most,
    )
    return Question(f"Measure {endpoint}", partial(_draw, aws, made))


def _draw(aws: Aws, made: Plan) -> Action:
    of = state.scaling(aws, made.endpoint, made.variant).value.variant
    kind = words.money_word(scaling.nature(of, aws.account))
    cost = "unknown" if made.cost is None else f"at most {money(made.cost)}{kind}" if made.cost else "nothing more"
    st.html(note(made.summary))
    st.html(
        markup.facts(
            {
                "Asks": f"{made.variant} on {made.machine}, drawn photos",
                "Costs": f"{cost}: {made.words}",
                "Ends early": "when more than 5 % fail, when two levels bring no more answers, or when you stop it",
                "Visitors": "wait in the same queue meanwhile; measure where nobody else asks",
            }
        )
    )
    with st.expander("Show as code"):
        st.code(made.code, language="python")
    label = f"Measure for {duration(made.seconds)}" + (f", {cost}" if made.cost != 0 else "")
    return Action(label, partial(_start, aws, made))


def _start(aws: Aws, made: Plan) -> str:
    state.measure(aws, made)
    return f"Measuring {made.endpoint}"


def _watch(aws: Aws, endpoint: str, variant: str) -> None:
    progress = state.measuring(aws, endpoint, variant)
    if progress is None or progress.is_over:
        st.rerun()  # the page shows what came of it
    with st.container(border=True, key="panel-measuring"):
        st.html(f'<h2 class="kn-finding">{markup.escape(_words(progress))}</h2>')
        st.progress(progress.share)
        failed = f", {count(progress.failed)} failed" if progress.failed else ""
        st.html(note(f"{count(progress.requests, 'photo')} sent{failed}. It goes on when you leave this page."))
        st.button(
            "Stopping…" if progress.is_stopping else "Stop",
            key="measure-stop",
            icon=":material/stop:",
            disabled=progress.is_stopping,
            on_click=confirm.at_once,
            args=(f"Stop measuring {endpoint}", partial(state.stop_measuring, aws, endpoint, variant)),
        )


def _words(progress: Progress) -> str:
    levels = progress.plan.levels
    left = max(0.0, progress.plan.seconds - progress.seconds)
    return (
        f"Asking with {count(levels[progress.level], 'client')} at once, level {progress.level + 1} of {len(levels)}; "
        f"at most {duration(left)} to go"
    )


def _result(aws: Aws, done: Sequence[Measurement]) -> None:
    measured = done[0]
    is_dark = st.context.theme.type == "dark"
    has_any = any(level.answered for level in measured.levels)
    drawn = figures_measure.figure(measured, is_dark=is_dark) if has_any else None
    chart.panel("measure", figures_measure.finding(measured), drawn, "No request was answered.", alone=True)
    ended = f"; ended early because {measured.ended}" if measured.ended else ""
    st.html(
        note(
            f"Measured {ago(measured.at, state.now())} on {measured.machine} with {count(measured.requests, 'photo')}"
            f"{ended}. Knee: the highest throughput ÷ latency (Kleinrock's power). Latency is what was waited here, "
            "the way there and back included."
        )
    )
    if aws.account.is_embedded:
        st.html(note("Of this machine, which asks and answers at once: an instance of AWS has another knee."))
    known = state.replay_facts(aws, measured.endpoint, measured.variant).value
    if known.config != measured.config:
        st.html(note("The endpoint has another configuration since: measure it again.", "waiting"))
    if not measured.is_steady:
        said = f"from {measured.instances} to {measured.instances_after}"
        st.html(note(f"Instances went {said} meanwhile, so that no target follows: measure it again.", "waiting"))
    _targets(measured)
    with st.expander("The figures as a table", key="measure-table"):
        st.dataframe(
            figures_measure.rows(measured),
            hide_index=True,
            placeholder="–",
            key="measure-rows",
            alt="Latency by clients",
        )
        name = f"{measured.endpoint}-measured.csv"
        chart.download(lambda: figures_measure.rows(measured), name, "download-measure", is_quiet=True)
        for one in done[1:]:
            st.html(note(f"{ago(one.at, state.now())}: {figures_measure.finding(one)}"))


def _targets(measured: Measurement) -> None:
    """The recommended target of each metric, and the button that puts it into the form."""
    for one in knee.targets(measured):
        with st.container(horizontal=True, vertical_alignment="center", key=f"row-target-{one.tracked.name.lower()}"):
            unit = one.tracked.unit if one.value != 1 else one.tracked.unit.replace("requests", "request", 1)
            said = f"<strong>{plain(one.value)} {markup.escape(unit)}</strong>"
            st.html(f'<div class="kn-row"><p>{said}</p>{note(one.how)}</div>')
            st.button(
                f"Use {plain(one.value)}",
                key=f"use-target-{one.tracked.name.lower()}",
                icon=":material/arrow_back:",
                on_click=scaling_draft.propose,
                args=(one.tracked, one.value),
            )
