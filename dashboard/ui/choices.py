"""Which choice is best? Cost × duration × accuracy, the cheapest that will do, and the runs behind every figure."""

from datetime import timedelta
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.choices.book import ChoiceBook, View
from dashboard.core.costs.choices.frontier import Answer, Wish, cheapest
from dashboard.ui import (
    chart,
    choices_versus,
    choices_what_if,
    empty,
    figures_choice_bars,
    figures_choices,
    markup,
    page,
    paper_table,
    receipt,
    receipt_lines,
)
from dashboard.ui import choices_controls as controls
from dashboard.ui import choices_words as words
from dashboard.ui.choices_controls import OPENED
from dashboard.ui.page import Place
from dashboard.ui.run_columns import to_receipt
from dashboard.ui.table import local, opened, zone

CHOSEN, RECEIPTS, LISTED, LISTED_RUNS = "choices-open", "choices-receipt", "choices-listed", "choices-listed-runs"
MOST_BARS = 14
MOST_RUNS, MOST_ROWS = 200, 500
ACCURACY = "{:.1f} %"
PRINTED = {"Mark": "", "Choice": "", "Runs": "{}", "Cost": "${:.4f}", "Took": "", "Accuracy": ACCURACY, "Beaten by": ""}
RUNS_PRINTED = {"Run": "", "Receipt": "", "Took": "", "Trained": "", "Accuracy": ACCURACY, "On": "", "Project": ""}


def show(aws: Aws) -> bool:
    """Draw the page; whether runs are still being read."""
    read = state.choices(aws)
    head = st.container()
    seen = controls.show(read.book)
    with head:
        if seen is None:
            page.title("Choices", "no run has completed yet" if read.listing.is_complete else "reading the runs")
        else:
            _title(seen)
        for what, wrong in read.listing.problems.items():
            st.html(markup.note(f"{what} are not in it: {wrong}"))
    if seen is None:
        if read.listing.is_complete:
            empty.show(
                "choices",
                "No run has completed yet.",
                "Train the same data in two ways, on another instance or on spot: here you see which was worth it.",
                Place.TRAIN,
                "Train a model",
            )
    elif not seen.groups:
        empty.show("choices", "None of these runs has completed.", "Take all runs again, or wait for them to end.")
    else:
        _choices(aws, seen, read.book)
    return not read.listing.is_complete


def _title(seen: View) -> None:
    """The title line, with the link that shows exactly this."""
    asked = seen.question
    told = words.title_sentence(seen.groups, asked.by.word, asked.data.rsplit("/", 1)[-1])
    with st.container(horizontal=True, vertical_alignment="center", key="choices-head"):
        page.title("Choices", told, marks=receipt.of(asked.nature))
        st.space("stretch")
        with st.popover("Link", icon=":material/link:", type="tertiary"):
            st.caption("This address shows exactly this view.")
            st.code(controls.address(asked), language=None, wrap_lines=True)


def _choices(aws: Aws, seen: View, book: ChoiceBook) -> None:
    nature = seen.question.nature
    controls.note(seen, book)
    with st.container(border=True, key="panel-choices-answer"):
        inputs, said = st.columns((2, 5), gap="medium", vertical_alignment="center")
        with inputs, st.container(horizontal=True):
            wish = controls.wish()
        answer = cheapest(seen.groups, wish)
        with said:
            st.html(f'<p class="kn-choice">{markup.escape(answer.sentence)} {receipt.word_of(nature)}</p>')
    left, right = st.columns((9, 12), gap="small")
    with left:
        _frontier(seen, answer, wish)
        controls.examples(seen, book)
    with right:
        _table(seen)
    _runs(seen, answer)
    _bars(seen)
    choices_versus.show(seen)
    choices_what_if.show(aws, nature, seen.works, wish.seconds)
    st.html(receipt_lines.foot(nature, aws.account, state.now(), controls.address(seen.question)))


def _frontier(seen: View, answer: Answer, wish: Wish) -> None:
    groups, lost = seen.groups, seen.beaten
    dots = words.dots(groups, lost, answer)
    figure = None
    if dots:
        figure = figures_choices.frontier(
            dots, seen.question.nature.word, deadline=wish.seconds, wanted=wish.accuracy, is_dark=_is_dark()
        )
    chart.panel("frontier", words.finding(groups, lost), figure, "No cost of a completed run is known.")
    hidden = sum(one.cost is not None for one in groups) - len(dots)
    st.html(markup.note(words.legend(dots, wish, hidden)))


def _table(seen: View) -> None:
    groups = seen.groups
    rows = words.choice_rows(groups[:MOST_ROWS], seen.beaten)
    st.session_state[LISTED] = tuple(one.name for one in groups[:MOST_ROWS])
    column = st.column_config
    money = f"$%.{words.places(groups)}f"
    st.container(key="table-choices").dataframe(
        rows,
        key="choices-table",
        hide_index=True,
        placeholder="–",
        height="content" if len(rows) <= 11 else 430,
        alt="Choices with their runs, cost, duration and accuracy, the cheapest first",
        column_order=("Mark", "Choice", "Runs", "Cost", "Took", "Accuracy", "Beaten by"),
        column_config={
            "Mark": column.TextColumn(
                "Mark", width=46, alignment="center", pinned=True, help="Its letter in the charts"
            ),
            "Choice": column.ButtonColumn(
                "Choice",
                alignment="left",
                type="tertiary",
                key=CHOSEN,
                on_click=_open,
                width=206,
                help="Its runs, each with its receipt",
            ),
            "Runs": column.NumberColumn("Runs", width=44),
            "Cost": column.NumberColumn(
                "Cost", format=money, width=76, help=f"The median of its runs. {seen.question.nature.note}"
            ),
            "Took": column.NumberColumn("Took", format="localized", width=112, help="Median, from launch to end"),
            "Accuracy": column.NumberColumn("Right", format="%.1f %%", width=64, help="Median share of photos right"),
            "Beaten by": column.TextColumn(
                "Beaten by", width=78, help="A choice that was no dearer, no slower and no worse"
            ),
        },
    )
    st.html(paper_table.table(rows, PRINTED))
    if why := words.unknowns(groups):
        st.html(markup.note(why))
    if len(rows) < len(groups):
        st.html(markup.note(f"The cheapest {len(rows):,} of {len(groups):,} are listed"))
    choices_versus.download("choices", rows, seen.question.nature)


def _bars(seen: View) -> None:
    groups, lost = seen.groups, seen.beaten
    shown = groups[:MOST_BARS]
    unit, length = figures_choices.scale(max((one.seconds.most for one in shown if one.seconds), default=0.0))
    costs, times = words.cost_bars(shown, lost), words.time_bars(shown, lost, length)
    left, right = st.columns(2, gap="small")
    with left:
        chart.panel(
            "choices-cost",
            f"Cost of a run: {words.ends(costs)}",
            figures_choice_bars.bars(
                costs, f"USD, {seen.question.nature.word}; median, least to most", is_money=True, is_dark=_is_dark()
            ),
            "",
        )
    with right:
        chart.panel(
            "choices-time",
            f"From launch to end: {words.ends(times)}",
            figures_choice_bars.bars(times, f"{unit}; median, least to most", is_dark=_is_dark()),
            "",
        )
    more = len(groups) - len(shown)
    dearer = f" {more} dearer ones are in the table only." if more else ""
    hollow = " Hollow has an unknown cost, so that nobody can say whether another one beats it."
    is_any = any(one.cost is None for one in shown)
    st.html(markup.note(f"In brackets the number of runs.{hollow if is_any else ''}{dearer}"))


def _runs(seen: View, answer: Answer) -> None:
    """The runs of the choice that was opened, else of the answer, else of the first: each leads to its receipt."""
    groups = seen.groups
    name = st.query_params.get(OPENED, answer.choice.name if answer.choice else groups[0].name)
    shown = next((one for one in groups if one.name == name), groups[0])
    listed = shown.outcomes[:MOST_RUNS]
    page.section(f"The runs of {shown.title}", receipt.of(seen.question.nature))
    st.session_state[LISTED_RUNS] = tuple(one.run.key for one in listed)
    column = st.column_config
    rows: list[dict[str, Any]] = [
        {
            "Run": one.run.name,
            "Receipt": words.amount(one),
            "Took": timedelta(seconds=round(one.seconds)),
            "Trained": None if one.trained is None else timedelta(seconds=round(min(one.trained, one.seconds))),
            "Accuracy": None if one.accuracy is None else one.accuracy * 100,
            "On": one.way.word,
            "Created": local(one.run.created, st.context.timezone),
            "Project": one.run.project,
            "Owner": one.run.owner,
        }
        for one in listed
    ]
    st.container(key="table-choice-runs").dataframe(
        rows,
        key="choice-runs",
        hide_index=True,
        placeholder="–",
        height="content" if len(rows) <= 8 else 330,
        alt=f"The runs of {shown.title}, newest first",
        column_config={
            "Run": column.ButtonColumn(
                "Run", pinned=True, alignment="left", type="tertiary", key="choices-run", on_click=_open_run, width=190
            ),
            "Receipt": column.ButtonColumn(
                "Cost", alignment="left", type="tertiary", key=RECEIPTS, on_click=_open_receipt, width=86,
                help="Opens its receipt",
            ),
            "Took": column.NumberColumn("Took", format="localized", help="From launch to end"),
            "Trained": column.NumberColumn("Trained", format="localized", help="Without the wait for its start"),
            "Accuracy": column.NumberColumn("Right", format="%.1f %%"),
            "Created": column.DatetimeColumn(
                "Created", format="D MMM, HH:mm", help=f"Your time: {zone(st.context.timezone)}"
            ),
        },
    )  # fmt: skip
    st.html(paper_table.table(rows, RUNS_PRINTED))
    if len(listed) < shown.n:
        st.html(markup.note(f"The newest {len(listed)} of {shown.n} are listed."))


def _open() -> None:
    if name := opened(CHOSEN, st.session_state.get(LISTED, ())):
        st.query_params[OPENED] = name


def _open_run() -> None:
    if key := opened("choices-run", st.session_state.get(LISTED_RUNS, ())):
        page.go(Place.RUN, {"run": key})


def _open_receipt() -> None:
    to_receipt(RECEIPTS, st.session_state.get(LISTED_RUNS, ()))


def _is_dark() -> bool:
    return st.context.theme.type == "dark"
