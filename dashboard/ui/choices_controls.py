"""What Choices shows: its controls are the address, and the address is the view that somebody else opens."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from dashboard.choice_readings import Choices
from dashboard.core.costs.frontier import Wish
from dashboard.core.costs.groups import Grouping
from dashboard.core.costs.outcomes import VALIDATION, Outcome
from dashboard.core.costs.receipt import Nature
from dashboard.core.format import count
from dashboard.ui import markup

OF, DATA, BY, RUNS, OPENED = "of", "data", "by", "runs", "open"
"""Their names in the address; `RUNS` are the keys of chosen runs, `OPENED` the choice whose runs are listed."""
WITHIN, RIGHT = "within", "right"
ALL = "all"


@dataclass(frozen=True)
class Asked:
    """Which outcomes are put side by side, and how. `chosen` are keys of runs; () is all of the data."""

    nature: Nature
    data: str  # its address, "" for all data
    by: Grouping
    chosen: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def left_out(self) -> int:
        """Chosen runs that are not there, have not completed, or are of other money."""
        there = {one.run.key for one in self.outcomes}
        return sum(key not in there for key in self.chosen)


def show(seen: Choices) -> Asked | None:
    """Draw the controls; None when no run has completed."""
    natures = seen.natures()
    if not natures:
        return None
    chosen = tuple(dict.fromkeys(key for key in st.query_params.get(RUNS, "").split(",") if key))
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices-controls"):
        nature = _asked_nature(natures, seen, chosen)
        there = seen.of(nature)
        if chosen:
            data, found = "", tuple(one for one in there if one.run.key in chosen)
            _only(len(found))
        else:
            data = _data(there)
            found = tuple(one for one in there if data in ("", uri(one)))
        by = _by(Grouping.RUN if chosen else Grouping.WAY)
        if len(natures) > 1:
            _nature(natures, nature)
    return Asked(nature, data, by, chosen, found)


def wish() -> Wish:
    """The two inputs: a deadline in minutes and an accuracy in percent; empty is no matter."""
    minutes = st.number_input(
        "Within (minutes)",
        min_value=0.1,
        max_value=100_000.0,
        value=None,
        step=1.0,
        format="%g",
        placeholder="no matter",
        key=WITHIN,
        bind="query-params",
        help="From a run's launch to its end",
    )
    right = st.number_input(
        "Right at least (%)",
        min_value=0.0,
        max_value=100.0,
        value=None,
        step=1.0,
        format="%g",
        placeholder="no matter",
        key=RIGHT,
        bind="query-params",
        help="Of the test photos, or of the validation photos where a run has no test",
    )
    return Wish(None if minutes is None else minutes * 60, None if right is None else right / 100)


def uri(one: Outcome) -> str:
    """The address of an outcome's data, without its last stroke."""
    return one.run.dataset_uri.rstrip("/")


def names(uris: Sequence[str]) -> dict[str, str]:
    """Each address's short name; the whole address where two have the same."""
    last = [one.rsplit("/", 1)[-1] for one in uris]
    return {one: name if last.count(name) == 1 else one for one, name in zip(uris, last, strict=True)}


def note(asked: Asked) -> None:
    """What is to be known about what is shown."""
    if asked.left_out:
        told = f"{count(asked.left_out, 'chosen run')} left out: not there, not completed, or another kind of money."
        st.html(markup.note(told))
    valid = sum(one.accuracy_on == VALIDATION for one in asked.outcomes)
    if valid:
        st.html(markup.note(f"{count(valid, 'run')} had no test photos: accuracy there is on the validation photos."))
    guessed = sum(one.is_guessed for one in asked.outcomes)
    if guessed:
        told = f"{guessed} of {count(len(asked.outcomes), 'run')} are replayed with an estimated duration"
        st.html(markup.note(f"{told}: what they say about time, and with it about cost, is that estimate."))
    if len({uri(one) for one in asked.outcomes}) > 1:
        st.html(markup.note("Runs on different data did different work: their cost and time are not alike."))


def address(asked: Asked) -> str:
    """The link that shows exactly this view: what is shown by itself is named in it too."""
    own = {OF: asked.nature.value, BY: asked.by.value}
    if not asked.chosen:
        own[DATA] = asked.data.rsplit("/", 1)[-1] if asked.data else ALL
        own[DATA] = st.query_params.get(DATA, own[DATA])
    beside = {name: st.query_params.get_all(name) for name in st.query_params if name not in own}
    page = (st.context.url or "").split("?")[0]
    return f"{page}?{urlencode({**own, **beside}, doseq=True)}"


def _asked_nature(natures: Sequence[Nature], seen: Choices, chosen: Sequence[str]) -> Nature:
    """The address's; else that of the chosen runs, the account's own where there is any, or the samples'."""
    asked = st.query_params.get(OF, "")
    if asked in Nature._value2member_map_ and Nature(asked) in natures:
        return Nature(asked)
    return next((one.nature for one in seen.outcomes if one.run.key in chosen), natures[0])  # samples come last


def _nature(natures: Sequence[Nature], nature: Nature) -> None:
    key = "choices-of"
    st.session_state[key] = nature

    def choose() -> None:
        if value := st.session_state[key]:
            _go({OF: Nature(value).value}, DATA, OPENED, RUNS)

    st.segmented_control(
        "Money",
        natures,
        format_func=lambda one: Nature(one).word,
        key=key,
        required=True,
        on_change=choose,
        help="Kinds of money are never added up together",
    )


def _data(there: Sequence[Outcome]) -> str:
    """One dataset, first that with most runs; "" for all of them."""
    runs: dict[str, int] = {}
    for one in there:
        runs[uri(one)] = runs.get(uri(one), 0) + 1
    words = names(sorted(runs, key=lambda one: (-runs[one], one)))
    if len(words) == 1:
        return next(iter(words))
    words |= {"": ALL}
    asked = st.query_params.get(DATA, "")
    chosen = next((one for one, word in words.items() if word == asked), next(iter(words)))
    key = "choices-data"
    st.session_state[key] = chosen

    def choose() -> None:
        _go({DATA: words[st.session_state[key]]}, OPENED)

    st.selectbox("Data", list(words), format_func=words.__getitem__, key=key, on_change=choose, width=190)
    return chosen


def _by(usual: Grouping) -> Grouping:
    asked, key = st.query_params.get(BY, ""), "choices-by"
    by = Grouping(asked) if asked in Grouping._value2member_map_ else usual
    st.session_state[key] = by
    st.selectbox(
        "Put together by",
        list(Grouping),
        format_func=lambda one: Grouping(one).word,
        key=key,
        on_change=lambda: _go({BY: Grouping(st.session_state[key]).value}, OPENED),
        width=190,
    )
    return by


def _only(number: int) -> None:
    st.button(
        f"Only {count(number, 'run')}",
        key="choices-all",
        icon=":material/close:",
        help="Take all runs again",
        on_click=_go,
        args=({}, RUNS, BY, OPENED),
    )


def _go(more: dict[str, str], *without: str) -> None:
    """Make the address say this, in a callback. What is bound to a widget stays: only the widget may set it."""
    for name in without:
        st.query_params.pop(name, None)
    for name, value in more.items():
        st.query_params[name] = value
