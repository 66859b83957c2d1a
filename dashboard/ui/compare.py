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
from dashboard.core.runs.reading import reading
from dashboard.ui import chart, figures, figures_compare, markup, page, run, run_columns, run_page, table
from dashboard.ui.compare_words import (
    cheapest,
    compared,
    dollars,
    money,
    most_accurate,
    places,
    quickest,
    sentence,
    short,
    unlike_note,
)
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
    natures = [_nature(aws, one) for one in runs]
    rows = [
        compared(measured, style, nature)
        for measured, style, nature in zip(told.measures, STYLES, natures, strict=False)
    ]
    page.title("Compare", sentence(rows))
    for said in (*missing, *silent(aws, runs)):
        st.html(markup.note(said, Tone.WAITING))
    if len(keys) > MOST:
        st.html(markup.note(f"Only the first {MOST} are shown.", Tone.WAITING))
    if not runs:
        return False
    if why := unlike_note(rows):
        st.html(markup.note(why))
    for one, row, measured in zip(runs, rows, told.measures, strict=True):
        if said := reading(one, measured.amount):
            st.html(markup.note(f"{row.style.letter}: {said}."))
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
    told = [_row(measured, row, nature) for measured, row, nature in zip(compared.measures, rows, natures, strict=True)]
    hidden = set() if len(set(natures)) > 1 else {"Money"}
    shown = [
        {name: value for name, value in line.items() if name not in hidden}
        | {"Cost": dollars(line["Cost"], places(rows))}
        for line in told
    ]
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
    chart.download(lambda: [_plain(line) for line in told], "comparison.csv", "download-comparison", is_quiet=True)


def _row(measured: Measures, row: Compared, nature: Nature) -> dict[str, Any]:
    one = measured.run
    return {
        "Mark": f"{row.style.mark} {row.style.letter}",
        "Run": one.name,
        "Cost": row.cost,
        "Money": nature.word,
        "Kind": run.kind(one),
        "Status": table.status(one),
        "Instance": table.instances(one),
        "Trained": _seconds(measured.seconds),
        "Billed": _seconds(measured.billable_seconds),
        "Interrupted": f"{measured.interruptions}×" if measured.interruptions else None,
        "Accuracy": None if row.accuracy is None else row.accuracy * 100,
    }


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=round(value))


def _plain(line: Mapping[str, Any]) -> dict[str, Any]:
    """As a file has it: durations in seconds, the cost as a number of US dollars to a billionth."""
    names = {"Trained": "Trained (s)", "Billed": "Billed (s)", "Cost": "Cost (USD)", "Accuracy": "Accuracy (%)"}
    found = {}
    for name, value in line.items():
        told = value.total_seconds() if isinstance(value, timedelta) else value
        found[names.get(name, name)] = round(told, 9) if isinstance(told, float) else told
    return found


def _bars(rows: Sequence[Compared], natures: Sequence[Nature]) -> None:
    grey = figures_compare.dominated(rows)
    is_dark = st.context.theme.type == "dark"
    digits = places(rows)
    quick, cheap, right = quickest(rows), cheapest(rows), most_accurate(rows)
    took = (
        (f"Trained for: {quick} quickest" if quick else "Trained for") + money(natures),
        Bars("seconds", [(row, row.seconds, duration(row.seconds)) for row in rows]),
    )
    kinds = list(dict.fromkeys(natures))
    spent = {}
    for kind in kinds:  # one axis holds one kind of money
        of = [row for row, nature in zip(rows, natures, strict=True) if nature is kind]
        first = cheap if len(kinds) == 1 else cheapest(of)
        spent["cost" if len(kinds) == 1 else f"cost-{kind.value}"] = (
            (f"Cost: {first} cheapest" if first else "Cost") + money([kind]),
            Bars("USD", [(row, row.cost, dollars(row.cost, digits)) for row in of]),
        )
    reached = (
        f"Photos right: {right} best" if right else "Photos right",
        Bars(
            "share of the test photos (%)",
            [(row, row.accuracy and row.accuracy * 100, percent(row.accuracy, 1)) for row in rows],
            most=100.0,
        ),
    )
    with st.container(key="compare-bars"):
        columns = st.columns(3, gap="small")
    for column, panels in zip(columns, ({"seconds": took}, spent, {"accuracy": reached}), strict=True):
        with column:
            for name, (finding, bars) in panels.items():
                chart.panel(f"bars-{name}", finding, figures_compare.bars(bars, grey, is_dark=is_dark), "")
    told = "A cost in the table opens its receipt."
    if grey:
        letters = ", ".join(sorted(grey))
        told = f"Grey: {letters}, because another run was no slower, no dearer and no worse. {told}"
    st.html(markup.note(told))


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
    if rows := _by_epoch(compared):
        chart.table(lambda: rows, "comparison-curves.csv", "download-compared", "Accuracy and loss by epoch")


def _by_epoch(compared: Comparison) -> list[dict[str, Any]]:
    """The numbers behind both charts, a row an epoch."""
    found: dict[float, dict[str, Any]] = {}
    for measure in (figures.ACCURACY, figures.LOSS):
        curves = compared.curves.get(f"valid:{measure.name}", ())
        for one, style, points in zip(compared.runs, STYLES, curves, strict=False):
            for epoch, value in points:
                found.setdefault(epoch, {})[f"{style.letter} {one.name}, {measure.name}"] = value
    return [{"epoch": epoch, **found[epoch]} for epoch in sorted(found)]


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
    if key := table.opened(OPEN, st.session_state.get(SHOWN, ())):
        page.go(Place.RUN, {"run": key})


def _open_receipt() -> None:
    run_columns.to_receipt(RECEIPT, st.session_state.get(SHOWN, ()))
