"""Charts on a page: the figure, and the table and CSV behind it."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from dashboard.ui import figures
from dashboard.ui.figures import Measure, Points

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

CONFIG = {"displayModeBar": False}
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def panel(name: str, finding: str, figure: "Figure | None", wait: str, *, alone: bool = False) -> None:
    """A figure under the sentence that says what it shows; `wait` stands in its place while there is none.

    Panels beside each other are of one height; one that stands `alone` is as high as what is in it.
    """
    height: Literal["content", "stretch"] = "content" if alone else "stretch"
    with st.container(border=True, key=f"panel-{name}", gap="xsmall", height=height):
        if figure is None:
            small = " kn-wait-alone" if alone else ""
            st.html(
                f'<div class="kn-empty kn-wait{small}"><p class="kn-empty-what">{escape(finding)}</p>'
                f"<p>{escape(wait)}</p></div>"
            )
            return
        st.html(f'<h2 class="kn-finding">{escape(finding)}</h2>')
        st.plotly_chart(figure, key=f"chart-{name}", config=CONFIG, alt=finding)


def learning(curves: Mapping[str, Points], measure: Measure) -> None:
    """A learning curve, or the place where it will be."""
    has_points = bool(figures.learning_rows(curves, measure))
    panel(
        f"curve-{measure.name}",
        figures.learning_finding(curves, measure),
        figures.learning_curve(curves, measure, is_dark=st.context.theme.type == "dark") if has_points else None,
        "The curve begins with the first epoch.",
    )


def behind(curves: Mapping[str, Points], name: str) -> None:
    """The numbers behind both curves as a table and as a file."""
    rows = merged(curves)
    with st.expander("The figures as a table"):
        st.dataframe(rows, hide_index=True, placeholder="–", key="curve-table", alt="Loss and accuracy by epoch")
        download(lambda: rows, f"{name}-curves.csv", "download-curves")


def table(rows: Callable[[], Sequence[Mapping[str, Any]]], file: str, key: str, alt: str) -> None:
    """The numbers behind a chart as a table and as a CSV file; put together only once somebody opens it."""
    behind = st.expander("The figures as a table", key=f"{key}-behind", on_change="rerun")
    with behind:
        if behind.open:
            st.dataframe(rows(), hide_index=True, placeholder="–", key=f"{key}-rows", alt=alt)
        download(rows, file, key, is_quiet=True)


def merged(curves: Mapping[str, Points]) -> list[dict[str, float | int | None]]:
    """One row an epoch with loss and accuracy, training and validation."""
    rows: dict[float | int | None, dict[str, float | int | None]] = {}
    for measure in (figures.LOSS, figures.ACCURACY):
        for row in figures.learning_rows(curves, measure):
            rows.setdefault(row["epoch"], {}).update(row)
    return [rows[epoch] for epoch in sorted(rows, key=lambda e: e or 0)]


def download(rows: Callable[[], Sequence[Mapping[str, Any]]], file: str, key: str, *, is_quiet: bool = False) -> None:
    """A button that saves rows as a CSV file; they are put together only once it is pressed."""
    st.download_button(
        "Download CSV",
        data=lambda: to_csv(rows()),
        file_name=file,
        mime="text/csv",
        type="tertiary" if is_quiet else "secondary",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV with a header; a row without a column leaves it empty. No cell of it is a formula."""
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([safe(name) for name in names])
    writer.writerows([[safe(row.get(name, "")) for name in names] for row in rows])
    return out.getvalue()


def safe(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: such text begins with an apostrophe; numbers stay as they are."""
    if not isinstance(cell, str):
        return cell
    told = cell.replace("\r", " ")  # csv does not quote it where lines end without one
    if not cell.startswith(FORMULA):
        return told
    try:
        Decimal(cell)
    except InvalidOperation:
        return f"'{told}"
    return told
