"""The page of one run: its head and actions, and the parts that are drawn again while it goes on."""

from datetime import datetime
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import NotFound
from dashboard.core.format import count, duration
from dashboard.core.runs import watch
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.model import Run
from dashboard.state import Reading, Tail
from dashboard.ui import chart, confirm, endpoint, markup, page, problem, receipt, run, table
from dashboard.ui.confirm import Action, Question
from dashboard.ui.figures import ACCURACY, LOSS
from dashboard.ui.markup import literal
from dashboard.ui.page import Place

SHOWN_LINES = 400
LOG_HEIGHT = 280


def found(aws: Aws, name: str) -> Reading[Run]:
    """The run; when there is none of that name the page says so and ends."""
    try:
        return state.run(aws, name)
    except NotFound as missing:
        page.title(name, "no such run")
        problem.card(missing, "no-run")
        st.stop()


def head(aws: Aws, one: Run, token: str, at: datetime) -> None:
    """Name, state as it was read `at` then, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run-head"):
        page.title(one.name, run.sentence(one, at))
        if one.status.can_stop:
            st.button(
                "Stop run",
                key="stop-run",
                icon=":material/stop_circle:",
                on_click=confirm.ask,
                args=(partial(stop_question, aws, one),),
            )
        if one.status.is_good and one.artifact_uri:
            st.button(
                "Deploy model",
                key="deploy-model",
                type="primary",
                icon=":material/rocket_launch:",
                on_click=confirm.ask,
                args=(partial(endpoint.deploy_question, aws, one, token),),
            )
        if not one.status.is_active:
            st.page_link(Place.TRAIN, label="Train again", icon=":material/replay:", query_params={"like": one.name})


def stop_question(aws: Aws, one: Run) -> Question:
    """What a stop costs and keeps: SIGTERM lets the training save the best epoch it has."""
    return Question(f"Stop {literal(one.name)}", partial(_draw_stop, aws, one))


def _draw_stop(aws: Aws, one: Run) -> Action:
    cost = run_cost(one, state.prices(), aws.account.region, state.now())
    spent = receipt.inline(receipt.amount(cost), aws.account) if cost.is_known else cost.why_unknown
    st.html(
        markup.facts(
            {
                "Stops": f"{one.name}, {one.status.word} for {duration(one.elapsed(state.now()))}",
                "Already billed": spent,
                "Kept": "its log and figures",
                "Model": "the best epoch so far, if an epoch is complete; else none",
            }
        )
    )

    def do() -> str:
        return f"{one.name} is {watch.stop(aws, one.name).status.word}"

    return Action("Stop run", do)


def live(aws: Aws, one: Run, tail: Tail, at: datetime) -> None:
    """Everything about a run that changes while it goes on; nothing moves when it is drawn again.

    Times and cost are those of the reading, taken `at` then: counted up to now, a stage that has ended since would
    seem to have lasted longer than it did.
    """
    now = state.now()
    st.html(markup.timeline(run.steps(one, at), "Stages"))
    lines = tail.lines
    if one.status.is_active:
        printed = lines[-1].time if lines else None
        st.progress(
            min(1.0, tail.progress.fraction or 0.0), text=literal(run.progress_text(tail.progress, printed, now))
        )
    if one.status.is_bad:
        _failure(one, [line.text for line in lines])
    curves = tail.progress.curves
    if curves or one.status.is_active:
        left, right = st.columns(2, gap="small")
        with left:
            chart.learning(curves, ACCURACY)
        with right:
            chart.learning(curves, LOSS)
    if curves:
        chart.behind(curves, one.name)
    left, right = st.columns((11, 10), gap="medium")
    with left:
        _log(one, tail)
    with right:
        page.section("Cost")
        cost = run_cost(one, state.prices(), aws.account.region, at)
        with st.container(border=True, key="panel-receipt"):
            st.html(receipt.receipt(cost, aws.account))
        page.section("Set up as")
        with st.container(border=True, key="panel-facts"):
            st.html(markup.facts(facts(one, st.context.timezone)))


def facts(one: Run, timezone: str | None) -> dict[str, str]:
    """What a run was given and made; times on the reader's clock."""
    begun = one.created.astimezone(table.zone(timezone))
    given = {name.replace("_", " "): value for name, value in sorted(one.hyperparameters.items())}
    return {
        "Data": one.dataset_uri,
        "Instance": table.instances(one),
        "Time limit": duration(one.max_seconds),
        **given,
        "Model": one.artifact_uri or ("made at its end" if one.status.is_active else "none"),
        "Role": one.role.rsplit("/", 1)[-1],
        "Image": one.image,
        "Begun": f"{begun:%d %b %Y, %H:%M:%S %Z}",
    }


def _failure(one: Run, lines: list[str]) -> None:
    told = one.failure.strip() or "AWS gives no reason."
    line = run.telling_line(lines)
    with st.container(border=True, key="panel-failure"):
        st.html(
            markup.problem(
                one.status.word,
                told,
                f"the line that matters in its log: {line}" if line and line not in told else "",
                "mend the cause, then train again: Train again takes over this run's settings",
            )
        )


def _log(one: Run, tail: Tail) -> None:
    lines = tail.lines
    with st.container(horizontal=True, vertical_alignment="center"):
        page.section("Log")
        if lines:
            st.download_button(
                "Download",
                data=partial(_whole, tail),
                file_name=f"{one.name}.log",
                mime="text/plain",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
                key="download-log",
            )
    texts = [line.text for line in lines[-SHOWN_LINES:]]
    if not texts:
        texts = ["Nothing printed yet." if one.status.is_active else "This run printed nothing."]
    mark = run.telling_line([line.text for line in lines]) if one.status.is_bad else ""
    with st.container(height=LOG_HEIGHT, autoscroll=True, key="log"):
        st.html(markup.log(texts, f"Log of {one.name}, newest line last", mark))
    if tail.count > SHOWN_LINES:
        st.html(markup.note(f"The last {SHOWN_LINES} of {count(tail.count, 'line')}."))


def _whole(tail: Tail) -> str:
    return "\n".join(f"{line.time:%Y-%m-%dT%H:%M:%S} {line.host} {line.text}" for line in tail.lines)


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
