"""A tuning job on its run's page: how its trials did, which settings they tried, and the best of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.format import count, duration
from dashboard.core.runs.model import Run, RunStatus, TuningFacts
from dashboard.ui import chart, figures_tuning, markup, page
from dashboard.ui.figures_tuning import Trial
from dashboard.ui.markup import literal
from dashboard.ui.page import Place
from dashboard.ui.table import opened, status
from dashboard.ui.tones import LOOKS, Tone, label
from dashboard.ui.words import money_word

OPEN, SHOWN = "trials-open", "trials-shown"
EARLY = "stopped early: worse than the median"
"""Of a trial that its tuning job ended, by SageMaker's rule: its objective fell behind what earlier trials had."""
BEST = "★"


def ended_early(child: Run, search: Run | None) -> bool:
    """Whether a trial was ended by its tuning job's rule; when the whole job was stopped, that cannot be told."""
    if search is None or search.tuning is None or search.status in (RunStatus.STOPPING, RunStatus.STOPPED):
        return False
    return search.tuning.early_stopping and child.status is RunStatus.STOPPED


def trials(facts: TuningFacts, children: Sequence[Run], search: Run | None = None) -> list[Trial]:
    """The children of `search` as trials, in the order in which they were started; only what was searched."""
    searched = [name for name, _ in facts.ranges]
    return [
        Trial(
            number,
            child.name,
            child.metrics.get(facts.objective),
            EARLY if ended_early(child, search) else child.status.word,
            {name: child.hyperparameters[name] for name in searched if name in child.hyperparameters},
            is_best=child.key == facts.best_key,
            has_ended=child.status.is_final,
        )
        for number, child in enumerate(children, 1)
    ]


def counted(one: Run, children: Sequence[Run]) -> Run:
    """A tuning job as its trials stand: their counts while it goes on, and the best where it names none itself.

    AWS's own counters and the trials are two answers of two moments; of a job that was stopped AWS may name no best.
    """
    if one.tuning is None or not children:
        return one
    one = _with_best(one, one.tuning, children)
    if one.tuning is None or not one.status.is_active:
        return one
    counts = Counter(
        "InProgress" if child.status.is_active
        else "Completed" if child.status.is_good
        else "NonRetryableError" if child.status.is_bad
        else "Stopped"
        for child in children
    )  # fmt: skip
    return replace(one, tuning=replace(one.tuning, counts=dict(counts)))


def _with_best(one: Run, facts: TuningFacts, children: Sequence[Run]) -> Run:
    if facts.best_key:
        return one
    best: Run | None = None
    for child in children:
        value = child.metrics.get(facts.objective)
        than = None if best is None else best.metrics[facts.objective]
        if value is not None and child.status.is_final and facts.is_better(value, than):
            best = child
    if best is None:
        return one
    return replace(one, tuning=replace(facts, best_key=best.key, best_value=best.metrics[facts.objective]))


def show(aws: Aws, one: Run, facts: TuningFacts, at: datetime) -> None:
    """All of a tuning job that changes while it goes on."""
    children = state.trials(aws, one)
    shown = trials(facts, children, one)
    bar = st.empty()
    if one.status.is_active:
        left = f"{facts.ended} of {count(facts.max_jobs, 'trial')} ended"
        running = facts.counts.get("InProgress", 0)
        bar.progress(facts.fraction, text=literal(f"{left} · {running} running, at most {facts.parallel} at once"))
    is_least = facts.goal == "Minimize"
    has_values = any(trial.value is not None for trial in shown)
    is_dark = st.context.theme.type == "dark"
    with st.container(key="trial-charts"):
        left_side, right_side = st.columns(2, gap="small")
    with left_side:
        chart.panel(
            "trials",
            figures_tuning.finding(shown, facts.objective, is_least=is_least),
            figures_tuning.objective(shown, facts.objective, is_least=is_least, is_dark=is_dark)
            if has_values
            else None,
            "A point appears with the first trial that reports it.",
        )
    with right_side:
        best = next((trial for trial in shown if trial.is_best), None)
        told = settings(best.settings) if best else ""
        chart.panel(
            "side-by-side",
            f"Best with {told}" if told else "Which settings did best",
            figures_tuning.side_by_side(shown, facts.objective, is_dark=is_dark) if has_values else None,
            "Each trial becomes a line through the values that it tried.",
        )
    _list(aws, facts, children, shown, at)


def table(aws: Aws, one: Run, facts: TuningFacts, at: datetime) -> None:
    """Its trials without pictures: for a search that nobody measured."""
    children = state.trials(aws, one)
    _list(aws, facts, children, trials(facts, children, one), at)


def _list(aws: Aws, facts: TuningFacts, children: Sequence[Run], shown: Sequence[Trial], at: datetime) -> None:
    page.section("Trials")
    _table(aws, facts, children, shown, at)


def _table(aws: Aws, facts: TuningFacts, children: Sequence[Run], shown: Sequence[Trial], at: datetime) -> None:
    if not children:
        st.html(markup.note("No trial has begun yet."))
        return
    st.session_state[SHOWN] = tuple(child.key for child in children)
    column = st.column_config
    nature = Nature.of(children[0].tags, is_embedded=aws.account.is_embedded)  # trials carry the marks of their search
    seen = sorted({(child.status.tone, _status(child, trial)) for child, trial in zip(children, shown, strict=True)})
    lines = [row(aws, facts, child, trial, at) for child, trial in zip(children, shown, strict=True)]
    st.container(key="table-trials").dataframe(
        lines,
        key="trials-table",
        hide_index=True,
        placeholder="–",
        height="content" if len(children) <= 12 else 460,
        alt="Trials of this tuning job, the best marked with a star",
        column_config={
            "Best": column.TextColumn("Best", width=48, alignment="center", pinned=True),
            "Trial": column.ButtonColumn(
                "Trial", pinned=True, alignment="left", type="tertiary", key=OPEN, on_click=_open
            ),
            "Status": column.MultiselectColumn(
                "Status",
                options=[text for _, text in seen],
                color=[LOOKS[Tone(tone)].colour for tone, _ in seen],
                width=150,
                help=f"{EARLY[:1].upper()}{EARLY[1:]} of the trials before it, by SageMaker's rule"
                if facts.early_stopping
                else None,
            ),
            facts.objective: column.NumberColumn(facts.objective, format="%.4g"),
            **{
                name: column.NumberColumn(name.replace("_", " "), format="%.4g")
                for name, _ in facts.ranges
                if all(isinstance(line[name], float) for line in lines)
            },
            "Duration": column.NumberColumn("Duration", format="localized"),
            "Cost": column.NumberColumn(f"Cost{money_word(nature)}", format="$%.4f"),
        },
    )
    chart.download(
        lambda: [_plain(line) for line in lines],
        f"{children[0].parent or 'trials'}.csv",
        "download-trials",
        is_quiet=True,
    )


def row(aws: Aws, facts: TuningFacts, child: Run, trial: Trial, at: datetime) -> dict[str, Any]:
    """A trial as a row: status, objective, the values that were tried, time and cost."""
    amount = state.cost(aws, child).amount
    return {
        "Best": BEST if trial.is_best else "",
        "Trial": child.name,
        "Status": [_status(child, trial)],
        facts.objective: trial.value,
        **{name: _value(trial.settings.get(name, "")) for name, _ in facts.ranges},
        "Duration": timedelta(seconds=round(child.elapsed(at))),
        "Cost": None if amount is None else float(amount),
    }


def _status(child: Run, trial: Trial) -> str:
    return label(Tone.STOPPED, "stopped early") if trial.word == EARLY else status(child)


def _value(text: str) -> float | str | None:
    """A setting as a number, where it is one, so that a click on the header sorts it as one."""
    try:
        return float(text)
    except ValueError:
        return text or None


def _plain(line: dict[str, Any]) -> dict[str, Any]:
    """A row as text and numbers, for a file."""
    return {
        name: value[0] if isinstance(value, list) else value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in line.items()
    }


def facts(one: Run, told: TuningFacts) -> dict[str, str]:
    """What is searched, how, and how far."""
    return {
        "Objective": f"{told.goal.lower()} {told.objective}",
        "Strategy": told.strategy + (", stops trials that fall behind" if told.early_stopping else ""),
        "Trials": f"{told.max_jobs} in all, {told.parallel} at once",
        **{name.replace("_", " "): values for name, values in told.ranges},
        "Time limit": f"{duration(one.max_seconds)} for each trial" if one.max_seconds else "none",
    }


def settings(values: Mapping[str, str]) -> str:
    """Settings in words: "learning rate 0.0279, batch size 18"."""
    return ", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in values.items())


def _short(text: str) -> str:
    value = _value(text)
    return f"{value:.4g}" if isinstance(value, float) else text


def _open() -> None:
    if key := opened(OPEN, st.session_state.get(SHOWN, ())):
        page.go(Place.RUN, {"run": key})
