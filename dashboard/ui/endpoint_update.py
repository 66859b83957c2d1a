"""Another model for an endpoint: how far the one that goes on has come."""

from collections.abc import Iterable

import streamlit as st

from dashboard.core.serving.model import Endpoint, EndpointStatus
from dashboard.core.serving.variant import Variant
from dashboard.ui import markup
from dashboard.ui.markup import note
from dashboard.ui.tones import Tone


def progress(one: Endpoint) -> None:
    """What is being done to it, while something is."""
    if not one.status.is_changing or one.status.is_coming or one.status.is_going:
        return
    st.html(note(told(one), Tone.WAITING if one.status is EndpointStatus.ROLLING_BACK else Tone.RUNNING))
    for line in steps([*one.variants, *(one.pending.variants if one.pending else ())]):
        st.html(note(markup.sentence(line)))


def told(one: Endpoint) -> str:
    """One sentence: what goes on and what serves meanwhile."""
    if one.pending is None:
        return "Instances are being added or taken away; those that are there go on serving."
    if one.status is EndpointStatus.ROLLING_BACK:
        return f"Going back to {one.config_name}: what {one.pending.config} brought is being taken away."
    there = sum(each.count for each in one.pending.variants)
    wanted = sum(each.desired for each in one.pending.variants)
    return (
        f"Going over to {one.pending.config}: {there} of {wanted} new instances are there; {one.config_name} serves on."
    )


def steps(variants: Iterable[Variant]) -> list[str]:
    """What AWS says of the variants, each once."""
    return list(dict.fromkeys(f"{each.name}: {step}" for each in variants for step in each.steps))
