"""What Choices shows: its controls are the address, and the address is the view that somebody else opens."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

import streamlit as st

from dashboard.core.costs.choices.book import ChoiceBook, Question, View, data_of
from dashboard.core.costs.choices.frontier import Wish
from dashboard.core.costs.choices.groups import Grouping
from dashboard.core.costs.choices.outcomes import VALIDATION
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import REAL, nature_of
from dashboard.core.format import count
from dashboard.core.runs.reading import reading
from dashboard.ui import address as address_page
from dashboard.ui import choices_words, markup

OF, DATA, BY, RUNS, OPENED = "of", "data", "by", "runs", "open"
"""Their names in the address; `RUNS` are the keys of chosen runs, `OPENED` the choice whose runs are listed."""
WITHIN, RIGHT = "within", "right"
ALL = "all"
MOST_READ = 3
"""Runs whose time can be read in two ways that are named."""


def show(book: ChoiceBook) -> View | None:
    """Draw the controls; the view that the address asks for, None when no run has completed."""
    if not book.natures:
        return None
    chosen = tuple(dict.fromkeys(key for key in st.query_params.get(RUNS, "").split(",") if key))
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices-controls"):
        nature = _asked_nature(book, chosen)
        data = "" if chosen else _data(book.data(nature), book.opens_on(nature))
        only = st.container(width="content") if chosen else None
        by = _by(Grouping.RUN if chosen else Grouping.WAY)
        if len(book.natures) > 1:
            _nature(book.natures, nature)
    address_page.misread(unknown(book, nature, chosen))
    seen = book.view(Question(nature, by, data, chosen))
    if only is not None:
        with only:
            _only(len(seen.outcomes))
    return seen


def unknown(book: ChoiceBook, nature: Nature, chosen: Sequence[str]) -> tuple[str, ...]:
    """What the address asks for and is not there: ("the data nope",)."""
    known: dict[str, tuple[str, Iterable[str]]] = {
        OF: ("the money", [one for one in (*Nature._value2member_map_, REAL) if nature_of(one) in book.natures]),
        BY: ("the grouping", [one.value for one in Grouping]),
    }
    if not chosen:
        known[DATA] = ("the data", [ALL, *names(book.data(nature)).values()])
    return address_page.unknown_of(st.query_params, known)


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


def names(uris: Sequence[str]) -> dict[str, str]:
    """Each address's short name; the whole address where two have the same."""
    last = [one.rsplit("/", 1)[-1] for one in uris]
    return {one: name if last.count(name) == 1 else one for one, name in zip(uris, last, strict=True)}


def note(seen: View, book: ChoiceBook) -> None:
    """What is to be known about what is shown."""
    there = {one.run.key for one in seen.outcomes}
    left_out = sum(key not in there for key in seen.question.chosen)
    valid = sum(one.accuracy_on == VALIDATION for one in seen.outcomes)
    guessed = sum(one.is_guessed for one in seen.outcomes)
    notes = [told] if (told := no_accuracy(seen, book)) else []
    if left_out:
        told = f"{count(left_out, 'chosen run')} left out: not there, not completed, or another kind of money."
        notes.append(told)
    if valid:
        notes.append(f"{count(valid, 'run')} had no test photos: accuracy there is on the validation photos.")
    if guessed:
        told = f"{guessed} of {count(len(seen.outcomes), 'run')} are replayed with an estimated duration"
        notes.append(f"{told}: what they say about time, and with it about cost, is that estimate.")
    if told := choices_words.cached(seen.outcomes):
        notes.append(told)
    if silent := sum(one.trained is not None and one.run.is_silent_on_cache for one in seen.outcomes):
        notes.append(choices_words.silent_on_cache(silent, len(seen.outcomes)))
    notes += [f"{one.run.name}: {said}." for one in seen.outcomes if (said := reading(one.run, one.amount))][:MOST_READ]
    if len({data_of(one) for one in seen.outcomes}) > 1:
        notes.append("Runs on different data did different work: their cost and time are not alike.")
    for told in notes:
        st.html(markup.note(told))


def examples(seen: View, book: ChoiceBook) -> None:
    """The way to the sample account's choices, where one of its own can be held against nothing yet."""
    asked = seen.question
    if len(seen.groups) > 1 or asked.chosen or asked.nature is Nature.SAMPLE or Nature.SAMPLE not in book.natures:
        return
    there = len(book.view(Question(Nature.SAMPLE, data=book.opens_on(Nature.SAMPLE))).groups)
    st.button(
        f"Look at the sample account's {count(there, 'choice')}",
        key="choices-examples",
        icon=":material/visibility:",
        type="tertiary",
        on_click=_go,
        args=({OF: Nature.SAMPLE.value}, DATA, OPENED, RUNS),
    )


def no_accuracy(seen: View, book: ChoiceBook) -> str:
    """That accuracy cannot be weighed here, why, and on which data it can; "" where one is known."""
    if not seen.outcomes or any(one.accuracy is not None for one in seen.outcomes):
        return ""
    many = len(seen.outcomes)
    runs = "The one run has no known accuracy" if many == 1 else f"None of the {many:,} runs has a known accuracy"
    why = ": write-ups tell none" if all(one.run.is_replayed for one in seen.outcomes) else ""
    known = book.with_accuracy(seen.question.nature)
    words = names(list(known))
    there = ", ".join(f"{words[uri]} ({count(number, 'run')})" for uri, number in known.items())
    return f"{runs}{why}, so that cost and time alone are weighed." + (f" It is known on {there}." if there else "")


def address(question: Question) -> str:
    """The link that shows exactly this view: what is shown by itself is named in it too."""
    own = {OF: question.nature.value, BY: question.by.value}
    if not question.chosen:
        name = question.data.rsplit("/", 1)[-1] if question.data else ALL
        own[DATA] = st.query_params.get(DATA, name)
    beside = {name: st.query_params.get_all(name) for name in st.query_params if name not in own}
    page = (st.context.url or "").split("?")[0]
    return f"{page}?{urlencode({**own, **beside}, doseq=True)}"


def _asked_nature(book: ChoiceBook, chosen: Sequence[str]) -> Nature:
    """The address's; else that of the chosen runs, the account's own where there is any, or the samples'."""
    asked = st.query_params.get(OF, "")
    told = nature_of(asked)
    if told in book.natures and told is not None:
        return told
    return book.nature_of(chosen) or book.natures[0]  # samples come last


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


def _data(there: Sequence[str], first: str) -> str:
    """One dataset, `first` where the address names none; "" for all of them."""
    words = names(there)
    if len(words) == 1:
        return next(iter(words))
    words |= {"": ALL}
    asked = st.query_params.get(DATA, "")
    chosen = next((one for one, word in words.items() if word == asked), first)
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
