"""Charts on a page: the figure, and the table and CSV behind it."""

import csv
import io
from collections.abc import Mapping
from html import escape

import streamlit as st

from dashboard.ui import figures
from dashboard.ui.figures import Measure, Points

CONFIG = {"displayModeBar": False}


def learning(curves: Mapping[str, Points], measure: Measure) -> None:
    """A learning curve, or the place where it will be."""
    with st.container(border=True, key=f"panel-curve-{measure.name}", gap="xsmall", height="stretch"):
        if not figures.learning_rows(curves, measure):
            st.html(
                f'<div class="kn-empty kn-wait"><p class="kn-empty-what">No {measure.name} yet</p>'
                "<p>The curve begins with the first epoch.</p></div>"
            )
            return
        finding = figures.learning_finding(curves, measure)
        st.html(f'<h2 class="kn-finding">{escape(finding)}</h2>')
        st.plotly_chart(
            figures.learning_curve(curves, measure, is_dark=st.context.theme.type == "dark"),
            key=f"curve-{measure.name}",
            config=CONFIG,
            alt=finding,
        )


def behind(curves: Mapping[str, Points], name: str) -> None:
    """The numbers behind both curves as a table and as a file."""
    rows = merged(curves)
    with st.expander("The figures as a table"):
        st.dataframe(rows, hide_index=True, placeholder="–", key="curve-table", alt="Loss and accuracy by epoch")
        st.download_button(
            "Download CSV",
            data=to_csv(rows),
            file_name=f"{name}-curves.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="download-curves",
        )


def merged(curves: Mapping[str, Points]) -> list[dict[str, float | int | None]]:
    """One row an epoch with loss and accuracy, training and validation."""
    rows: dict[float | int | None, dict[str, float | int | None]] = {}
    for measure in (figures.LOSS, figures.ACCURACY):
        for row in figures.learning_rows(curves, measure):
            rows.setdefault(row["epoch"], {}).update(row)
    return [rows[epoch] for epoch in sorted(rows, key=lambda e: e or 0)]


def to_csv(rows: list[dict[str, float | int | None]]) -> str:
    """Rows of equal shape as CSV with a header."""
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
