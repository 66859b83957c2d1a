"""The dialog that changes a stopped notebook: its size, its volume, and when it stops itself."""

from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.prices import Extra
from dashboard.core.errors import InvalidInput
from dashboard.core.format import money
from dashboard.core.notebooks.changing import Change, as_is, granted, plan_change
from dashboard.core.notebooks.model import Notebook
from dashboard.core.notebooks.wanted import IDLE_MINUTES, TYPES, VOLUMES
from dashboard.ui import notebook_plan, notebook_words, words
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import facts, literal, note, sentence
from dashboard.ui.notebook_create import priced
from dashboard.ui.tones import Tone


def question(aws: Aws, name: str) -> Question:
    """How one is to be from then on. Raises the errors of `Aws.call`."""
    one = state.notebook(aws, name)
    return Question(f"Change {literal(name)}", partial(_draw, aws, one, granted(aws, one)))


def _draw(aws: Aws, one: Notebook, rights: dict[str, object] | None) -> Action | None:
    now = as_is(one)
    kinds = TYPES if one.instance_type in TYPES else (one.instance_type, *TYPES)
    minutes = (*IDLE_MINUTES, 0) if now.idle_minutes in (*IDLE_MINUTES, 0) else (now.idle_minutes, *IDLE_MINUTES, 0)
    first, second, third = st.columns(3)
    kind = first.selectbox(
        "Instance", kinds, index=kinds.index(one.instance_type), format_func=partial(priced, aws), key="change-type"
    )
    volume = second.number_input("Volume (GB)", one.volume_gb, VOLUMES[1], one.volume_gb, key="change-volume")
    idle = third.selectbox(
        "Stops itself when idle for",
        minutes,
        index=minutes.index(now.idle_minutes),
        format_func=notebook_words.idle,
        key="change-idle",
    )
    change = Change(str(kind), int(volume), idle)
    prices = state.prices()
    try:
        plan = plan_change(one, change, rights, prices, account=aws.account)
    except InvalidInput as wrong:
        st.html(note(f"{sentence(str(wrong))}.", Tone.WAITING))
        return None
    if change.volume_gb > one.volume_gb:
        price = prices.beside(Extra.ML_STORAGE, aws.account.region)
        held = price.amount * (change.volume_gb - one.volume_gb) if price else None
        more = f"{money(held)} a month more{words.simulated(aws.account)}" if held is not None else "price unknown"
        st.html(facts({"Its larger volume costs": f"{more}; also while it is stopped"}))
    return notebook_plan.draw(aws, plan)
