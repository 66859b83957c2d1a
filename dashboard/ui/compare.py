"""Several runs side by side: what they took, cost and reached, their curves, and the settings that differ."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import NotFound
from dashboard.core.format import count, duration, percent
from dashboard.core.runs.model import Run
from dashboard.ui import chart, figures, figures_compare, markup, page, run, run_columns, run_page, table
from dashboard.ui.figures_compare import Bars, Compared
from dashboard.ui.lines import STYLES, Line
from dashboard.ui.lines import figure as lines
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone
from dashboard.ui.words import simulated

OPEN, SHOWN = "compared-open", "compared-shown"
MOST = len(STYLES)


def found(aws: Aws, keys: Sequence[str]) -> tuple[list[Run], list[str]]:
    """The runs that are there, the first MOST of them, and the keys of those that are not."""
    runs, missing = [], []
    for key in dict.fromkeys(keys):
        try:
            runs.append(state.run(aws, key).value)
        except NotFound:
            missing.append(key)
    return runs[:MOST], missing


def is_busy(aws: Aws, keys: Sequence[str]) -> bool:
    """Whether one of them may still change."""
    return any(one.status.is_active for one in found(aws, keys)[0])


def back() -> None:
    """The way to all runs, as they were filtered."""
    run_page.back()


def show(aws: Aws, keys: Sequence[str]) -> bool:
    """Draw the comparison; whether one of the runs may still change."""
    runs, missing = found(aws, keys)
    rows = [compared(aws, one, place) for place, one in enumerate(runs)]
    page.title("Compare", sentence(rows))
    for key in missing:
        st.html(markup.note(f"{key} is not there: it was never made, or was deleted.", Tone.WAITING))
    if len(keys) > MOST:
        st.html(markup.note(f"Only the first {MOST} are shown.", Tone.WAITING))
    if not runs:
        return False
    _table(aws, runs, rows)
    _bars(aws, rows)
    _curves(aws, runs)
    _settings(runs)
    return any(one.status.is_active for one in runs)


def compared(aws: Aws, one: Run, place: int) -> Compared:
    """A run's measures: seconds from its creation to its end, money, and photos right."""
    cost = state.cost(aws, one).amount
    return Compared(
        one.name,
        STYLES[place],
        one.elapsed(state.now()) if one.status.is_final else None,
        None if cost is None else float(cost),
        run.accuracy(one),
    )


def sentence(rows: Sequence[Compared]) -> str:
    """Which was the cheapest, the quickest and the best."""
    if len(rows) < 2:
        return f"{count(len(rows), 'run')}: choose two or more under All runs"
    parts = []
    for word, measured, is_least in (
        ("cheapest", [(row.cost, row) for row in rows], True),
        ("quickest", [(row.seconds, row) for row in rows], True),
        ("most accurate", [(row.accuracy, row) for row in rows], False),
    ):
        known = [(value, row.style.letter) for value, row in measured if value is not None]
        if known:
            best = (min if is_least else max)(value for value, _ in known)
            letters = [letter for value, letter in known if value == best]
            parts.append(f"{' and '.join(letters) if len(letters) < 4 else f'{len(letters)} alike'} {word}")
    return f"{count(len(rows), 'run')}: {', '.join(parts)}" if parts else f"{count(len(rows), 'run')}, none has ended"


def _table(aws: Aws, runs: Sequence[Run], rows: Sequence[Compared]) -> None:
    st.session_state[SHOWN] = tuple(one.key for one in runs)
    column = st.column_config
    told = [_row(aws, one, row) for one, row in zip(runs, rows, strict=True)]
    st.container(key="table-compared").dataframe(
        told,
        key="compared-table",
        hide_index=True,
        placeholder="–",
        height="content",
        alt="The compared runs with their letter, time, cost and accuracy",
        column_config={
            "": column.TextColumn("", width=44, alignment="center", help="Its letter and mark in the charts"),
            "Run": column.ButtonColumn("Run", alignment="left", type="tertiary", key=OPEN, on_click=_open),
            "Time": column.NumberColumn("Time", format="localized", help="From its creation to its end"),
            "Billed": column.NumberColumn("Billed", format="localized", help="Billable seconds of each instance"),
            "Cost": column.NumberColumn(f"Cost{simulated(aws.account)}", format="$%.4f"),
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


def _row(aws: Aws, one: Run, row: Compared) -> dict[str, Any]:
    billed = one.billed_so_far(state.now())
    return {
        "": f"{row.style.mark} {row.style.letter}",
        "Run": one.name,
        "Kind": run.kind(one),
        "Status": table.status(one),
        "Instance": table.instances(one),
        "Time": timedelta(seconds=round(one.elapsed(state.now()))),
        "Billed": None if billed is None else timedelta(seconds=round(billed)),
        "Interrupted": one.interruptions or None,
        "Cost": row.cost,
        "Accuracy": None if row.accuracy is None else row.accuracy * 100,
    }


def _plain(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name or "letter": value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in line.items()
    }


def _bars(aws: Aws, rows: Sequence[Compared]) -> None:
    grey = figures_compare.dominated(rows)
    is_dark = st.context.theme.type == "dark"
    measures = (
        (
            "time",
            "Time",
            "seconds",
            [(row, row.seconds, duration(row.seconds) if row.seconds else "not over") for row in rows],
        ),
        ("cost", f"Cost{simulated(aws.account)}", "USD", [(row, row.cost, _dollars(row.cost)) for row in rows]),
        (
            "accuracy",
            "Photos right",
            "share of the test photos (%)",
            [(row, None if row.accuracy is None else row.accuracy * 100, percent(row.accuracy, 1)) for row in rows],
        ),
    )
    with st.container(key="compare-bars"):
        columns = st.columns(3, gap="small")
    for column, (name, title, unit, told) in zip(columns, measures, strict=True):
        with column:
            most = 100.0 if name == "accuracy" else None
            chart.panel(f"bars-{name}", title, figures_compare.bars(Bars(unit, told, most), grey, is_dark=is_dark), "")
    if grey:
        st.html(
            markup.note(f"Grey: {', '.join(sorted(grey))}, because another run was no slower, no dearer and no worse.")
        )


def _dollars(amount: float | None) -> str:
    return "unknown" if amount is None else f"${amount:.4f}"


def _curves(aws: Aws, runs: Sequence[Run]) -> None:
    is_dark = st.context.theme.type == "dark"
    curves = {one.key: state.log(aws, one.key).progress.curves for one in runs if not one.is_tuning}
    with st.container(key="compare-curves"):
        columns = st.columns(2, gap="small")
    for column, measure in zip(columns, (figures.ACCURACY, figures.LOSS), strict=True):
        drawn = []
        for one, style in zip(runs, STYLES, strict=False):
            points = curves.get(one.key, {}).get(f"valid:{measure.name}", ())
            if points:
                last = measure.text(points[-1][1])
                drawn.append(Line(one.name, f"{style.letter} {last}", style, points))
        with column:
            chart.panel(
                f"compared-{measure.name}",
                f"Validation {measure.name} by epoch",
                lines(drawn, "epoch", measure.unit, is_dark=is_dark, percent=measure.is_share,
                      highest=1.03 if measure.is_share else None) if drawn else None,
                "None of these runs has printed an epoch.",
            )  # fmt: skip


def differing(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """The settings in which these runs differ: name and each run's value, "–" where it has none."""
    told = [
        {
            "platform": one.platform.word,
            "data": one.dataset,
            "instance": table.instances(one),
            "paid as": one.capacity.value,
            **{name.replace("_", " "): value for name, value in one.hyperparameters.items() if name[0] != "_"},
        }
        for one in runs
    ]
    names = dict.fromkeys(name for one in told for name in one)
    rows = [(name, [one.get(name, "–") for one in told]) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _settings(runs: Sequence[Run]) -> None:
    page.section("Settings that differ")
    rows = differing(runs)
    if not rows:
        st.html(markup.note("None: these runs were set up alike."))
        return
    letters = [f"{style.mark} {style.letter}" for style, _ in zip(STYLES, runs, strict=False)]
    st.dataframe(
        [{"Setting": name, **dict(zip(letters, values, strict=True))} for name, values in rows],
        hide_index=True,
        height="content",
        alt="Settings in which the runs differ",
        key="settings-table",
    )


def _open() -> None:
    if key := run_columns.opened(OPEN, st.session_state.get(SHOWN, ())):
        page.go(Place.RUN, {"run": key})
