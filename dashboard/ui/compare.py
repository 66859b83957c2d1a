"""Several runs side by side: what they took, cost and reached, their curves, and the settings that differ."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.receipt import Nature
from dashboard.core.errors import CredentialsProblem, KennelError, NotFound, Unreachable
from dashboard.core.format import duration, percent
from dashboard.core.runs.compare import Comparison, Measures
from dashboard.core.runs.model import Run
from dashboard.ui import chart, figures, figures_compare, markup, page, run, run_columns, run_page, table
from dashboard.ui.compare_words import compared, dollars, first, money, places, sentence, short
from dashboard.ui.figures_compare import Bars, Compared
from dashboard.ui.lines import STYLES, Line
from dashboard.ui.lines import figure as lines
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

OPEN, SHOWN, RECEIPT = "compared-open", "compared-shown", "compared-receipt"
MOST = len(STYLES)


def found(aws: Aws, keys: Sequence[str]) -> tuple[list[Run], list[str]]:
    """The runs that are there, the first MOST of them, and a sentence for each that is not, or cannot be read."""
    runs, missing = [], []
    for key in dict.fromkeys(keys):
        try:
            runs.append(state.run(aws, key).value)
        except NotFound:
            missing.append(f"{key} is not there: it was never made, or was deleted.")
        except (Unreachable, CredentialsProblem):
            raise  # they are about all of them
        except KennelError as error:
            missing.append(f"{key} cannot be read: {error}")
    return runs[:MOST], missing


def is_busy(aws: Aws, keys: Sequence[str]) -> bool:
    """Whether one of them may still change."""
    return any(one.status.is_active for one in found(aws, keys)[0])


def back(keys: Sequence[str]) -> None:
    """The way to all runs, as they were filtered, and to these as choices: which was worth it, and what if."""
    with st.container(horizontal=True, key="compare-ways"):
        run_page.back()
        st.page_link(
            Place.CHOICES,
            label="Which was worth it, and what if",
            icon=":material/balance:",
            query_params={"runs": ",".join(keys)},
        )


def show(aws: Aws, keys: Sequence[str]) -> bool:
    """Draw the comparison; whether one of the runs may still change."""
    runs, missing = found(aws, keys)
    told = with_best_trials(aws, state.comparison(aws, runs))
    rows = [compared(measured, style) for measured, style in zip(told.measures, STYLES, strict=False)]
    page.title("Compare", sentence(rows))
    for said in (*missing, *silent(aws, runs)):
        st.html(markup.note(said, Tone.WAITING))
    if len(keys) > MOST:
        st.html(markup.note(f"Only the first {MOST} are shown.", Tone.WAITING))
    if not runs:
        return False
    natures = [_nature(aws, one) for one in runs]
    if len(set(natures)) > 1:
        st.html(markup.note("Costs of several kinds stand beside each other: see the column Money."))
    _table(told, rows, natures)
    _bars(rows, natures)
    _curves(told)
    _settings(told)
    return any(one.status.is_active for one in runs)


def silent(aws: Aws, runs: Sequence[Run]) -> list[str]:
    """Why curves are missing: a sentence for each reason, whatever the number of runs."""
    problems = [state.log(aws, one.key).problem for one in runs]
    return list(dict.fromkeys(f"Curves are missing: {problem}" for problem in problems if problem is not None))


def with_best_trials(aws: Aws, told: Comparison) -> Comparison:
    """A tuning job stands with the seconds of all its trials, and with accuracy and curves of the best of them."""
    measures, curves = list(told.measures), {metric: list(lines) for metric, lines in told.curves.items()}
    for place, measured in enumerate(told.measures):
        facts = measured.run.tuning
        if facts is None:
            continue
        spent = measured.cost.seconds
        measures[place] = replace(measured, seconds=spent, billable_seconds=spent)
        if not facts.best_key:
            continue
        try:
            best = state.run(aws, facts.best_key).value
        except NotFound:  # deleted since
            continue
        measures[place] = replace(measures[place], accuracy=run.accuracy(best))
        for metric, points in state.log(aws, best.key).progress.curves.items():
            curves.setdefault(metric, [()] * len(measures))[place] = points
    return replace(told, measures=tuple(measures), curves={name: tuple(lines) for name, lines in curves.items()})


def _nature(aws: Aws, one: Run) -> Nature:
    return Nature.of(one.tags, is_embedded=aws.account.is_embedded)


def _table(compared: Comparison, rows: Sequence[Compared], natures: Sequence[Nature]) -> None:
    st.session_state[SHOWN] = tuple(one.key for one in compared.runs)
    column = st.column_config
    told = [
        _row(measured, row) | ({"Money": nature.word} if len(set(natures)) > 1 else {})
        for measured, row, nature in zip(compared.measures, rows, natures, strict=True)
    ]
    shown = [line | {"Cost": dollars(line["Cost"], places(rows))} for line in told]
    st.container(key="table-compared").dataframe(
        shown,
        key="compared-table",
        hide_index=True,
        placeholder="–",
        height="content",
        alt="The compared runs with their letter, time, cost and accuracy",
        column_config={
            "Mark": column.TextColumn(
                "Mark", width=52, alignment="center", pinned=True, help="Its letter and mark in the charts"
            ),
            "Run": column.ButtonColumn("Run", alignment="left", type="tertiary", key=OPEN, on_click=_open),
            "Trained": column.NumberColumn(
                f"Trained{money(natures)}", format="localized", help="Measured seconds, as AWS counts them"
            ),
            "Billed": column.NumberColumn("Billed", format="localized", help="Billable seconds of each instance"),
            "Cost": column.ButtonColumn(
                f"Cost{money(natures)}",
                alignment="right",
                type="tertiary",
                key=RECEIPT,
                on_click=_open_receipt,
                help="Opens its receipt",
            ),
            "Accuracy": column.NumberColumn("Accuracy", format="%.1f %%"),
        },
    )
    st.download_button(
        "Download CSV",
        data=chart.to_csv([_plain(line) for line in told]),
        file_name="comparison.csv",
        mime="text/csv",
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
        key="download-comparison",
    )


def _row(measured: Measures, row: Compared) -> dict[str, Any]:
    one = measured.run
    return {
        "Mark": f"{row.style.mark} {row.style.letter}",
        "Run": one.name,
        "Kind": run.kind(one),
        "Status": table.status(one),
        "Instance": table.instances(one),
        "Trained": _seconds(measured.seconds),
        "Billed": _seconds(measured.billable_seconds),
        "Interrupted": f"{measured.interruptions}×" if measured.interruptions else None,
        "Cost": row.cost,
        "Accuracy": None if row.accuracy is None else row.accuracy * 100,
    }


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=round(value))


def _plain(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.total_seconds() if isinstance(value, timedelta) else value for name, value in line.items()}


def _bars(rows: Sequence[Compared], natures: Sequence[Nature]) -> None:
    grey = figures_compare.dominated(rows)
    is_dark = st.context.theme.type == "dark"
    digits = places(rows)
    quick, cheap = (
        first(rows, lambda row: row.seconds, least=True),
        first(rows, lambda row: row.cost, least=True),
    )
    right = first(rows, lambda row: row.accuracy, least=False)
    shown = {
        "seconds": (
            (f"Trained for: {quick} quickest" if quick else "Trained for") + money(natures),
            Bars("seconds", [(row, row.seconds, duration(row.seconds)) for row in rows]),
        ),
        "cost": (
            (f"Cost: {cheap} cheapest" if cheap else "Cost") + money(natures),
            Bars("USD", [(row, row.cost, dollars(row.cost, digits)) for row in rows]),
        ),
        "accuracy": (
            f"Photos right: {right} best" if right else "Photos right",
            Bars(
                "share of the test photos (%)",
                [(row, row.accuracy and row.accuracy * 100, percent(row.accuracy, 1)) for row in rows],
                most=100.0,
            ),
        ),
    }
    with st.container(key="compare-bars"):
        columns = st.columns(3, gap="small")
    for column, (name, (finding, bars)) in zip(columns, shown.items(), strict=True):
        with column:
            chart.panel(f"bars-{name}", finding, figures_compare.bars(bars, grey, is_dark=is_dark), "")
    if grey:
        letters = ", ".join(sorted(grey))
        st.html(markup.note(f"Grey: {letters}, because another run was no slower, no dearer and no worse."))


def _curves(compared: Comparison) -> None:
    is_dark = st.context.theme.type == "dark"
    with st.container(key="compare-curves"):
        columns = st.columns(2, gap="small")
    for column, measure in zip(columns, (figures.ACCURACY, figures.LOSS), strict=True):
        curves = compared.curves.get(f"valid:{measure.name}", ())
        drawn = [
            Line(one.name, f"{style.letter} {measure.text(points[-1][1])}", style, points)
            for one, style, points in zip(compared.runs, STYLES, curves, strict=False)
            if points
        ]
        highest = 1.03 if measure.is_share else None
        figure = lines(drawn, "epoch", measure.unit, is_dark=is_dark, percent=measure.is_share, highest=highest)
        with column:
            chart.panel(
                f"compared-{measure.name}",
                f"Validation {measure.name} by epoch",
                figure if drawn else None,
                "None of these runs has printed an epoch.",
            )


def _settings(compared: Comparison) -> None:
    page.section("Settings that differ")
    if not compared.different:
        st.html(markup.note("None: these runs were set up alike."))
        return
    letters = [f"{style.mark} {style.letter}" for style, _ in zip(STYLES, compared.runs, strict=False)]
    st.dataframe(
        [
            {"Setting": setting.name, **dict(zip(letters, (short(value) for value in setting.values), strict=True))}
            for setting in compared.different
        ],
        hide_index=True,
        height="content",
        alt="Settings in which the runs differ",
        key="settings-table",
    )
    alike = ", ".join(f"{name} {value}" for name, value in compared.same if name not in ("image", "code", "data"))
    if alike:
        st.html(markup.note(f"Alike: {alike}."))


def _open() -> None:
    if key := run_columns.opened(OPEN, st.session_state.get(SHOWN, ())):
        page.go(Place.RUN, {"run": key})


def _open_receipt() -> None:
    run_columns.to_receipt(RECEIPT, st.session_state.get(SHOWN, ()))
