"""The part of the Train form that turns a training into a tuning job: what is searched, how, and for what."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.core.runs.tuning_problems import OBJECTIVES, SCALINGS, STRATEGIES
from dashboard.ui import train_search as search
from dashboard.ui.markup import note
from training.settings import RANGES

HOW = {
    "Bayesian": "Each trial is chosen from what the ones before it found.",
    "Random": "Every trial is drawn at random.",
    "Grid": "Every combination of the values is tried once.",
}
SCALE_WORDS = {"Auto": "auto", "Linear": "linear", "Logarithmic": "log", "ReverseLogarithmic": "reverse log"}


def searched(kept: Mapping[str, Any]) -> frozenset[str]:
    """The hyperparameters that the form searches; none while tuning is off."""
    return frozenset(kept[search.OVER]) if kept[search.TUNE] else frozenset()


def show(kept: Mapping[str, Any], slots: dict[str, Any]) -> None:
    """Draw the switch and, when it is on, the search; adds a slot for each field's problems."""
    st.toggle(
        "Tune: try several settings, keep the best",
        key=search.TUNE,
        persist_state="session",
        help="A SageMaker tuning job: it starts several trainings and compares them by their objective",
    )
    if not st.session_state[search.TUNE]:
        return
    with st.container(border=True, key="panel-tuning"):
        _how(slots)
        st.multiselect(
            "Search over",
            [*search.TUNABLE, *(one for one in kept[search.OVER] if one not in search.TUNABLE)],
            key=search.OVER,
            persist_state="session",
            format_func=words,
            placeholder="Choose hyperparameters",
        )
        slots["tuning"] = st.container()
        for name in st.session_state[search.OVER]:
            _range(name, kept, slots)


def _how(slots: dict[str, Any]) -> None:
    left, right = st.columns(2, gap="small", wrap=False)
    with left:
        strategy = st.selectbox("Strategy", STRATEGIES, key=search.STRATEGY, persist_state="session")
    with right:
        st.selectbox("Objective", OBJECTIVES, key=search.OBJECTIVE, persist_state="session", format_func=objective)
    st.html(note(HOW[str(strategy)]))
    is_grid = strategy == "Grid"
    left, middle, right = st.columns(3, gap="small", wrap=False)
    whole: dict[str, Any] = {"step": 1, "persist_state": "session"}
    with left:
        st.number_input(
            "Trials",
            key=search.JOBS,
            disabled=is_grid,
            help="Trainings in all, at most. A grid has as many as it has combinations.",
            **whole,
        )
    with middle:
        st.number_input("At once", key=search.PARALLEL, help="Trainings side by side", **whole)
    with right:
        st.number_input(
            "Seed", key=search.SEED, value=None, placeholder="none", help="The same seed repeats the search", **whole
        )
    st.toggle(
        "End hopeless trials early",
        key=search.EARLY,
        persist_state="session",
        help="A trial whose objective is worse than the median of the others at the same epoch is stopped",
    )


def _range(name: str, kept: Mapping[str, Any], slots: dict[str, Any]) -> None:
    first = search.first_range(name)
    for key, value in first.items():
        st.session_state.setdefault(key, value)
    with st.container(key=f"range-{name}", gap="xsmall"):
        can_choose = st.session_state[search.STRATEGY] != "Grid" and name in RANGES
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.html(f'<p class="kn-range">{words(name)}</p>', width="content")
            if can_choose:
                st.segmented_control(
                    f"How {words(name).lower()} is searched",
                    (search.AS_RANGE, search.AS_VALUES),
                    key=search.kind_key(name),
                    required=True,
                    persist_state="session",
                    label_visibility="collapsed",
                )
        if search.takes_values(name, {**first, **kept}, str(st.session_state[search.STRATEGY])):
            offered = [*dict.fromkeys((*first[search.among_key(name)], *st.session_state[search.among_key(name)]))]
            st.multiselect(
                f"Values of {words(name).lower()}",
                offered,
                key=search.among_key(name),
                persist_state="session",
                accept_new_options=True,
                label_visibility="collapsed",
                placeholder="Type a value",
            )
        else:
            _ends(name)
        slots[f"tuning.{name}"] = st.container()


def _ends(name: str) -> None:
    how: dict[str, Any] = {"step": 1} if search.is_whole(name) else {"step": 0.001, "format": "%.6g"}
    left, middle, right = st.columns((3, 3, 2), gap="small", wrap=False)
    with left:
        st.number_input("From", key=search.low_key(name), persist_state="session", **how)
    with middle:
        st.number_input("To", key=search.high_key(name), persist_state="session", **how)
    with right:
        st.selectbox(
            "Scale",
            SCALINGS,
            key=search.scale_key(name),
            persist_state="session",
            format_func=lambda scale: SCALE_WORDS[scale],
        )


def words(name: str) -> str:
    """A hyperparameter as a label: "Learning rate"."""
    return name.replace("_", " ").capitalize()


def objective(name: str) -> str:
    """A metric as an aim: "valid:loss, as low as possible"."""
    return f"{name}, {'low' if search.goal(name) == 'Minimize' else 'high'}"
