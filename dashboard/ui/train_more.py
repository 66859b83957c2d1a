"""The part of the Train form that most people leave alone: limits, labels, network, access, and what to simulate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st

from dashboard.core.runs.setting_problems import choices
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.surroundings import Surroundings
from dashboard.ui import train_fields as fields
from dashboard.ui import train_search as search
from dashboard.ui.markup import note
from dashboard.ui.tones import Tone
from dashboard.ui.train_tuning import words
from training.settings import RANGES

INTERRUPTIONS = "Simulated interruptions"


@dataclass(frozen=True)
class Choices:
    """What the account has to choose from: each id with what tells it from others; `unread`, by the field that the list
    is for: why there is none."""

    subnets: Mapping[str, str] = field(default_factory=dict)
    security_groups: Mapping[str, str] = field(default_factory=dict)
    key_pairs: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, seen: Surroundings) -> "Choices":
        """Those that were read; none where they could not be."""
        lists = {"subnets": seen.subnets, "security_groups": seen.security_groups, "key_pairs": seen.key_pairs}
        listed = {name: {one.id: one.text for one in read.value or ()} for name, read in lists.items()}
        return cls(**listed, unread={name: read.why for name, read in lists.items() if read.value is None and read.why})


def show(spec: TrainingSpec, choices: Choices, slots: dict[str, Any], *, simulates: bool) -> None:
    """Draw the fields, in groups, and add a slot for each field's problems."""
    if spec.resume_from:
        _resumed(slots)
    with st.expander(title(simulates=simulates), key="train-more-open"):
        _limits(slots)
        _labels(slots)
        _network(choices, slots, is_ec2=spec.is_on_ec2, has_kms=not simulates)
        if spec.is_on_ec2:
            _access(choices, slots)
        _settings(slots)
        if simulates and spec.is_spot:
            _interruptions(slots, is_ec2=spec.is_on_ec2)
        elif simulates:
            _group(INTERRUPTIONS)
            st.html(note("Only a spot instance is taken back: choose Spot above, and say here when."))


def title(*, simulates: bool) -> str:
    """The line that these fields are folded behind. Whatever is chosen, an account has the one: the browser closes a
    fold whose line changes, under the hands of who writes into it."""
    simulated = f", {INTERRUPTIONS.lower()}" if simulates else ""
    return f"More: cost cap, labels, network, further settings{simulated}"


def _group(name: str) -> None:
    st.html(f'<h3 class="kn-group">{name}</h3>')


def _resumed(slots: dict[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="train-resumed"):
        st.html(note(f"Goes on from the checkpoints in {st.session_state[fields.RESUME]}"))
        st.button("Start anew", key="train-anew", type="tertiary", on_click=_anew)
    slots["resume_from"] = st.container()


def _anew() -> None:
    st.session_state[fields.RESUME] = ""


def _limits(slots: dict[str, Any]) -> None:
    _group("Limits")
    left, right = st.columns(2, gap="small", wrap=False)
    with left:
        st.number_input(
            "Cost cap ($)",
            key=fields.CAP,
            value=None,
            step=0.1,
            format="%.2f",
            placeholder="none",
            persist_state="session",
            help="A launch that could cost more is refused",
        )
        slots["max_cost"] = st.container()
    with right:
        st.number_input("Volume (GB)", key=fields.VOLUME, step=10, persist_state="session")
        slots["volume_gb"] = st.container()


def _labels(slots: dict[str, Any]) -> None:
    _group("Labels")
    left, right = st.columns(2, gap="small", wrap=False)
    with left:
        st.text_input(
            "Project", key=fields.PROJECT, persist_state="session", help="A tag, by which costs are told apart"
        )
        slots["project"] = st.container()
    with right:
        st.text_input("Owner", key=fields.OWNER, persist_state="session", help="A tag: whom to ask about this run")
        slots["owner"] = st.container()


def _network(choices: Choices, slots: dict[str, Any], *, is_ec2: bool, has_kms: bool) -> None:
    _group("Network and encryption")
    own = "AWS's own network"
    for key, field_name, label, offered, without in (
        (fields.SUBNETS, "subnets", "Subnet" if is_ec2 else "Subnets", choices.subnets, "the default one"),
        (fields.GROUPS, "security_groups", "Security groups", choices.security_groups, "Kennel's: no way in"),
    ):
        listed = [*offered, *(one for one in st.session_state[key] if one not in offered)]
        st.multiselect(
            label,
            listed,
            key=key,
            persist_state="session",
            accept_new_options=True,
            format_func=partial(_labelled, offered),
            placeholder=without if is_ec2 else own,
        )
        _unread(choices, field_name)
        slots[field_name] = st.container()
    st.text_input(
        "KMS key",
        key=fields.KMS,
        persist_state="session",
        placeholder="AWS's own key" if has_kms else "none: no KMS here",
        help="Encrypts volume and model" if has_kms else "Encrypts volume and model. The embedded AWS has no KMS.",
    )
    slots["kms_key"] = st.container()


def _unread(choices: Choices, field_name: str) -> None:
    """Why a list offers nothing; what one knows can be typed all the same."""
    if why := choices.unread.get(field_name):
        st.html(note(f"Not listed: {why.rstrip('.')}. An id can be typed.", Tone.WAITING))


def _labelled(offered: Mapping[str, str], one: str) -> str:
    """A choice as a person reads it, always with its id."""
    text = offered.get(one, one)
    return text if one in text else f"{text} · {one}"


def _access(choices: Choices, slots: dict[str, Any]) -> None:
    _group("Access by SSH")
    st.html(note("No port is open. Session Manager reaches the instance without one; SSH only if both are given."))
    left, right = st.columns(2, gap="small", wrap=False)
    chosen = st.session_state[fields.KEY_PAIR]
    with left:
        st.selectbox(
            "Key pair",
            [*dict.fromkeys(("", *choices.key_pairs, chosen or ""))],
            key=fields.KEY_PAIR,
            persist_state="session",
            format_func=lambda name: name or "none",
        )
        if why := choices.unread.get("key_pairs"):
            st.html(note(f"Not listed: {why.rstrip('.')}.", Tone.WAITING))
        slots["key_name"] = st.container()
    with right:
        st.text_input("From the address", key=fields.ADDRESS, persist_state="session", placeholder="203.0.113.7")
        slots["ssh_address"] = st.container()


def _settings(slots: dict[str, Any]) -> None:
    _group("Further settings of the training")
    chosen = st.multiselect(
        "Settings",
        fields.SETTINGS,
        key=fields.ADVANCED,
        persist_state="session",
        format_func=words,
        placeholder="weight decay, seed, fine-tuning …",
        label_visibility="collapsed",
    )
    places = st.columns(2, gap="small") if chosen else ()
    for number, name in enumerate(chosen):
        with places[number % len(places)]:
            _setting(name)
    slots["advanced"] = st.container()


def _setting(name: str) -> None:
    key, about = fields.setting_key(name), fields.explained(name)
    st.session_state.setdefault(key, fields.first_setting(name))
    if offered := choices(name):
        st.selectbox(words(name), offered, key=key, persist_state="session", help=about)
    elif name in RANGES:
        how: dict[str, Any] = {"step": 1} if search.is_whole(name) else {"step": 0.01, "format": "%.6g"}
        st.number_input(words(name), key=key, persist_state="session", help=about, **how)
    else:
        st.text_input(words(name), key=key, persist_state="session", help=about)


def _interruptions(slots: dict[str, Any], *, is_ec2: bool) -> None:
    _group(INTERRUPTIONS)
    then = "the run ends, and can be resumed from" if is_ec2 else "the training waits, then goes on from"
    st.html(
        note(
            f"Takes the spot instance back, as AWS may: {then} its checkpoint. Before the first epoch there is none. "
            "Only the embedded AWS does this on request."
        )
    )
    left, right = st.columns(2, gap="small", wrap=False)
    with left:
        st.text_input(
            "After (seconds since it runs)" if is_ec2 else "After (seconds of training)",
            key=fields.INTERRUPT_AFTER,
            persist_state="session",
            placeholder="60" if is_ec2 else "20 45",
            help="Counted from the moment the instance runs: it starts, loads the data and reads the photos in that "
            "time too. One moment is enough, since the run ends with it."
            if is_ec2
            else "Counted in seconds of training, over all restarts. Each of these moments interrupts once.",
        )
        slots["interrupt_after"] = st.container()
    with right:
        st.number_input(
            "Interruptions an hour",
            key=fields.INTERRUPT_RATE,
            step=1.0,
            format="%.6g",
            persist_state="session",
            help="On average, at moments drawn at random",
        )
        slots["interruptions_per_hour"] = st.container()
