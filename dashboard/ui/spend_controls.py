"""Which money a page shows: its controls are the address, and the address is the view that somebody else opens."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

import streamlit as st

from dashboard import state
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.ledger.ledger import Ledger, groups
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import EARLIEST, LATEST, NAMES, By, Period, Selection
from dashboard.ui import address as address_page
from dashboard.ui import spend_words
from dashboard.ui.markup import literal

OF, PERIOD, DAYS, BY = "spend-of", "spend-period", "spend-days", "spend-by"
OWN = "spend-own-days"
"""The period that is shown as days of one's own although it has a name."""
AGAINST = "against"
"""The period that a selection is held against, in the address of a change."""
BESIDE = ("chart", "sort", "p")
FILTERS = (By.PROJECT, By.OWNER)
ALL = "*"
"""No group alone; "all" might be somebody's project."""


def chosen(ledger: Ledger, account: Account, now: datetime) -> Selection:
    """The selection that the address asks for."""
    return Selection.parse(st.query_params, now, ledger.usual(is_embedded=account.is_embedded))


def show(ledger: Ledger, selection: Selection, now: datetime) -> None:
    """The controls, as the address has them; a change of one changes the address."""
    address_page.misread(Selection.misread(st.query_params, now))
    with st.container(horizontal=True, vertical_alignment="bottom", key="spend-controls"):
        _period(selection, now)
        _by(selection)
        for by in FILTERS:
            _filter(ledger, selection, by)
        _nature(ledger, selection)
    kept = [(by, name) for by, name in selection.only if by not in FILTERS]
    if kept:
        with st.container(horizontal=True, key="spend-only"):
            for by, name in kept:
                st.button(
                    f"Only {literal(spend_words.kept(by, name))}",
                    key=f"spend-without-{by}",
                    icon=":material/close:",
                    help="Show the others too",
                    on_click=go,
                    args=(selection.without(by),),
                )


def go(selection: Selection) -> None:
    """Make the address say this; what the page keeps beside it stays. In a callback."""
    kept = {name: value for name, value in st.query_params.items() if name not in NAMES and name != "p"}
    st.query_params.from_dict(selection.query() | kept)


def address(selection: Selection) -> str:
    """The link that shows exactly this view."""
    return link(selection.query() | beside())


def link(query: Mapping[str, str]) -> str:
    """The address of the page that is open, with this query."""
    page = (st.context.url or "").split("?")[0]
    return f"{page}?{urlencode(query)}"


def against(selection: Selection, before: Period) -> dict[str, str]:
    """The address of the difference between a selection and the same of an earlier period."""
    return selection.query() | {AGAINST: str(before)}


def wait(aws: Aws) -> None:
    """Look again until every receipt has been read."""
    st.fragment(_wait, run_every=1.5, key="costs-waiting")(aws)


def _wait(aws: Aws) -> None:
    if state.ledger(aws).value.is_complete:
        st.rerun()


def beside() -> dict[str, str]:
    """What the address keeps beside the selection: the kind of chart, the order and the page of the table."""
    return {name: st.query_params[name] for name in BESIDE if name in st.query_params}


def _period(selection: Selection, now: datetime) -> None:
    named = spend_words.presets(now)
    name = next((name for name, period in named.items() if period == selection.period), spend_words.CUSTOM)
    is_own = name == spend_words.CUSTOM or st.session_state.get(OWN) == str(selection.period)
    st.session_state[PERIOD] = spend_words.CUSTOM if is_own else name

    def choose() -> None:
        period = named.get(st.session_state[PERIOD])
        st.session_state[OWN] = str(selection.period) if period is None else ""
        if period is not None:
            go(selection.over(period))

    st.selectbox("Period", [*named, spend_words.CUSTOM], key=PERIOD, on_change=choose, width=150)
    if not is_own:
        return
    st.session_state[DAYS] = (selection.period.first, selection.period.last)

    def pick() -> None:
        picked = st.session_state[DAYS]
        if isinstance(picked, tuple) and len(picked) == 2:  # one day is only the first click of two
            st.session_state[OWN] = str(Period(*picked))
            go(selection.over(Period(*picked)))

    st.date_input(
        "First and last day (UTC)",
        key=DAYS,
        on_change=pick,
        min_value=EARLIEST,
        max_value=LATEST,
        format="YYYY-MM-DD",
        width=220,
    )


def _by(selection: Selection) -> None:
    st.session_state[BY] = selection.by
    st.selectbox(
        "Put together by",
        list(By),
        format_func=lambda by: By(by).word,
        key=BY,
        on_change=lambda: go(selection.put_together(By(st.session_state[BY]))),
        width=160,
    )


def _filter(ledger: Ledger, selection: Selection, by: By) -> None:
    """One group alone, where there is more than one."""
    there = groups([receipt for receipt in ledger.receipts if receipt.nature is selection.nature], by)
    kept = dict(selection.only).get(by)
    if len(there) < 2 and kept is None:
        return
    key = f"spend-only-{by}"
    st.session_state[key] = ALL if kept is None else kept

    def choose() -> None:
        value = st.session_state[key]
        go(selection.without(by) if value == ALL else selection.within(by, value))

    options = [ALL, *there] if kept is None or kept in there else [ALL, kept, *there]
    st.selectbox(
        by.word.capitalize(),
        options,
        format_func=lambda name: f"all {by.word}s" if name == ALL else spend_words.group(by, name),
        key=key,
        on_change=choose,
        width=150,
    )


def _nature(ledger: Ledger, selection: Selection) -> None:
    there = [nature for nature in Nature if nature in ledger.natures or nature is selection.nature]
    if len(there) < 2:
        return
    st.session_state[OF] = selection.nature

    def choose() -> None:
        if value := st.session_state[OF]:
            go(selection.of(Nature(value)))

    st.segmented_control(
        "Money",
        there,
        format_func=lambda nature: Nature(nature).word,
        key=OF,
        required=True,
        on_change=choose,
        help="Kinds of money are never added up together",
    )
