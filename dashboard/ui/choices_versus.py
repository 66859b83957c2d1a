"""One choice against another for the same work: SageMaker and EC2, spot and on demand, one instance and several."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.core.costs.choices.book import View
from dashboard.core.costs.choices.outcomes import Outcome
from dashboard.core.costs.choices.versus import ALONE_NOTE, sentence
from dashboard.core.costs.receipt import Nature
from dashboard.ui import chart, choices_tables, markup, page, paper_table, receipt
from dashboard.ui.page import Place
from dashboard.ui.run_selection import MOST_COMPARED
from dashboard.ui.table import opened


def show(seen: View) -> None:
    """The three questions, each with the sentence that answers it and the pairs that it rests on."""
    pairs, savings, steps, nature = seen.pairs, seen.savings, seen.scalings, seen.question.nature
    page.section("SageMaker against EC2, for the same work", receipt.of(nature))
    alike = [pair for pair in pairs if pair.is_alike]
    if not pairs:
        _none("No work was done on both SageMaker and EC2 yet, so that there is nothing to set against each other.")
    else:
        best = (alike or pairs)[0]
        _said(f"{sentence(best)}{'' if best.is_alike else ', on other machines'}.")
        _table(
            "pairs",
            choices_tables.pair_rows(pairs),
            [(*one.one.outcomes, *one.other.outcomes) for one in pairs],
            nature,
        )
        if any(one.has_more for one in pairs):
            st.html(markup.note(ALONE_NOTE))
    page.section("Spot against on demand", receipt.of(nature))
    if not savings:
        _none("No completed run was on spot instances yet.")
    else:
        _said(choices_tables.spot_sentence(savings))
        sides = [(*one.spot.outcomes, *(one.pair.other.outcomes if one.pair else ())) for one in savings]
        _table("spot", choices_tables.spot_rows(savings), sides, nature)
    page.section("What more instances gained", receipt.of(nature))
    if not steps:
        _none("No work was done on one instance and on several of the same type yet.")
    else:
        first = steps[0]
        _said(f"{first.sentence(first.steps[-1])}.")
        sides = [(*one.base.outcomes, *step.outcomes) for one in steps for step in one.steps]
        _table("scaling", choices_tables.scaling_rows(steps), sides, nature)
        st.html(markup.note("Efficiency is T1 / (N × TN): 100 % when N instances need an Nth of one's time."))


def download(name: str, rows: Sequence[Mapping[str, Any]], nature: Nature) -> None:
    """The rows as a file, which names the kind of their money."""
    chart.download(
        lambda: [choices_tables.plain(row, nature.word) for row in rows],
        f"{name}.csv",
        f"download-{name}",
        is_quiet=True,
    )


def _table(name: str, rows: Sequence[Mapping[str, Any]], sides: Sequence[Sequence[Outcome]], nature: Nature) -> None:
    """The first column opens the runs behind a row, side by side."""
    key, kept = f"versus-{name}-open", f"versus-{name}-runs"
    st.session_state[kept] = tuple(",".join(one.run.key for one in side[:MOST_COMPARED]) for side in sides)
    first = next(iter(rows[0]))

    def look() -> None:
        if keys := opened(key, st.session_state.get(kept, ())):
            page.go(Place.COMPARE, {"compare": keys})

    st.container(key=f"table-versus-{name}").dataframe(
        list(rows),
        key=f"versus-{name}",
        hide_index=True,
        placeholder="–",
        height="content" if len(rows) <= 8 else 330,
        alt=f"{name}: pairs for the same work",
        column_config={
            first: st.column_config.ButtonColumn(
                first, pinned=True, alignment="left", type="tertiary", key=key, on_click=look, help="The runs behind it"
            )
        },
    )
    st.html(paper_table.table(rows, dict.fromkeys(rows[0], "")))
    download(name, rows, nature)


def _said(sentence: str) -> None:
    st.html(f'<p class="kn-card-line">{markup.escape(sentence)}</p>')


def _none(sentence: str) -> None:
    st.html(markup.note(sentence))
