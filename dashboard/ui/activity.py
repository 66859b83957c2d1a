"""The Activity page's parts: what was done in figures, the filter, the table and its files."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import streamlit as st

from dashboard import activity_readings
from dashboard.core.format import ago, count, size
from dashboard.core.trail.model import Deed, Result
from dashboard.core.trail.read import MOST, Asked
from dashboard.ui import activity_words, chart, empty, page, problem, strip, table
from dashboard.ui.markup import note
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure
from dashboard.ui.tones import Tone

TEXT, WHEN, RESULT, DEED = "q", "when", "result", "deed"
WHO, ACCOUNT = "activity-who", "activity-account"
OPEN, SHOWN, CHECKED = "activity-open", "activity-shown", "activity-checked"
LONG, HIGH = 12, 467
"""Rows, and the pixels that a table of more of them has."""


def since(now: datetime) -> datetime | None:
    """From when on the page looks, as its address says."""
    span = activity_words.SINCE.get(st.query_params.get(WHEN, ""), activity_words.SINCE[activity_words.USUAL])
    return (now - span).replace(second=0, microsecond=0) if span else None  # another one each minute, not each run


def figures(deeds: Sequence[Deed], now: datetime) -> None:
    """What was done, what failed, what is not over."""
    failed = [one for one in deeds if one.result is Result.FAILED]
    open_ones = [one for one in deeds if not one.result.is_over]
    unknown = sum(one.result is Result.UNKNOWN for one in open_ones)
    undone = sum(one.is_undone for one in deeds)
    people = {one.who for one in deeds}
    strip.show(
        [
            Figure("activity-done", "Actions", f"{len(deeds):,}", f"by {count(len(people), 'person', 'people')}"),
            Figure(
                "activity-failed",
                "Failed",
                f"{len(failed):,}",
                f"the last one {ago(failed[0].at, now)}" if failed else "nothing went wrong",
                tone=Tone.FAILED if failed else "",
            ),
            Figure(
                "activity-open",
                "Not over",
                f"{len(open_ones):,}",
                f"of {unknown:,} the end is unknown" if unknown else f"{len(open_ones) or 'nothing'} under way",
                tone=Tone.WAITING if unknown else "",
            ),
            Figure(
                "activity-undone",
                "Undone",
                f"{undone:,}",
                "taken back by a plan of their own" if undone else "open one to see its way back",
            ),
        ]
    )


def filtered(deeds: Sequence[Deed]) -> Sequence[Deed]:
    """The filter, and what it leaves in; over nothing it asks for the time alone."""
    if not deeds:
        with st.container(key="activity-filters"):
            _time()
        return deeds
    people, places = sorted({one.who for one in deeds}), sorted({one.place.words for one in deeds if one.place})
    with st.container(horizontal=True, vertical_alignment="bottom", key="activity-filters"):
        text = st.text_input(
            "Search", key=TEXT, type="search", live=True, placeholder="Run, endpoint, operation …", width=220,
            bind="query-params",
        )  # fmt: skip
        _time()
        results = st.pills(
            "Result", [one.value for one in Result], selection_mode="multi", key=RESULT, bind="query-params"
        )
        who = st.multiselect("Who", people, key=WHO, placeholder="everybody", width=200) if len(people) > 1 else []
        where = st.multiselect("Account", places, key=ACCOUNT, placeholder="all", width=240) if len(places) > 1 else []
    asked = Asked(text or "", tuple(who), tuple(Result(one) for one in results), tuple(where))
    return [one for one in deeds if asked.fits(one)]


def _time() -> None:
    st.segmented_control(
        "Time",
        list(activity_words.SINCE),
        default=activity_words.USUAL,
        required=True,
        key=WHEN,
        bind="query-params",
    )


def listed(shown: Sequence[Deed], every: Sequence[Deed], now: datetime) -> None:
    """The table with its files; an empty one says what would stand here."""
    if not every:
        _none()
        return
    with st.container(horizontal=True, vertical_alignment="center", key="activity-files"):
        st.html(note(f"{len(shown):,} of {count(len(every), 'action')}"), width="content")
        st.space("stretch")
        if shown:
            file = f"kennel-activity-{now:%Y-%m-%d}"
            chart.download(partial(activity_words.plain, shown), f"{file}.csv", "activity-csv")
            _json([activity_words.exported(one) for one in shown], f"{file}.json", "activity-json")
    if len(every) >= MOST:
        st.html(note(f"The newest {MOST:,} actions of this time: choose a shorter one to see all of it.", Tone.WAITING))
    if not shown:
        st.html(note("No action fits the filter: take a word or a choice away."))
        return
    st.session_state[SHOWN] = [one.id for one in shown]
    column = st.column_config
    st.dataframe(
        activity_words.rows(shown, st.context.timezone),
        key="table-activity",
        hide_index=True,
        placeholder="–",
        height="content" if len(shown) <= LONG else HIGH,
        alt="Actions, the newest first; a click on one opens it below",
        column_config={
            "Action": table.opening("Action", OPEN, _open, 290),
            "Result": table.states("Result", [activity_words.look(one) for one in shown], 114),
            "When": column.DatetimeColumn("When", format="D MMM YYYY, HH:mm:ss", width=162),
            "Who": column.TextColumn("Who", width=124),
            "What came of it": column.TextColumn("What came of it", width=310),
            "Calls": column.NumberColumn("Calls", width=56, help="Changes that AWS was asked for"),
            "Took": column.TextColumn("Took", width=78, alignment="right"),
            "Account": column.TextColumn("Account", width=230),
        },
    )


def _none() -> None:
    empty.show(
        "activity",
        "Nothing was done in this time." if activity_readings.size()[0] else "Nothing was done with Kennel yet.",
        "Whatever is launched, deployed, changed, stopped or deleted with Kennel stands here from the moment it "
        "begins: who did it, on which account, what they had agreed to, every change that AWS was asked for, how "
        "it ended, and the button that takes it back where there is a way.",
        Place.TRAIN,
        "Train a model",
    )


def watch(deeds: Sequence[Deed]) -> None:
    """While something goes on, the page is drawn again as soon as the trail tells more of it."""
    if any(one.result is Result.UNDER_WAY for one in deeds):
        st.fragment(_look, run_every=2, key="activity-watch")(activity_readings.size()[0])


def _look(rows: int) -> None:
    if activity_readings.size()[0] != rows:
        st.rerun()


def foot() -> None:
    """What is kept, and whether it is as it was written."""
    page.section("The trail itself")
    with problem.shown("activity-foot"):
        rows, held = activity_readings.size()
        st.html(note(activity_words.kept(rows, size(held))))
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="activity-check"):
            if st.button("Check every row", key="activity-verify", icon=":material/link:", disabled=not rows):
                st.session_state[CHECKED] = activity_readings.check()
            if (checked := st.session_state.get(CHECKED)) is not None:
                good = f"{count(checked.rows, 'row')}, each as it was written. The last hash is {checked.last}"
                bad = f"The chain is broken: {checked.broken}. The {checked.rows:,} rows before it are whole."
                st.html(note(bad if checked.broken else good, Tone.FAILED if checked.broken else Tone.DONE))


def _open() -> None:
    if name := table.opened(OPEN, st.session_state.get(SHOWN, ())):
        st.query_params[DEED] = name


def _json(told: object, file: str, key: str) -> None:
    st.download_button(
        "Download JSON",
        data=lambda: json.dumps(told, indent=2, ensure_ascii=False, default=str),
        file_name=file,
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
        key=key,
    )
