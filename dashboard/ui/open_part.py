"""Which part of a page is open, as its address and a field say."""

from enum import StrEnum
from typing import TypeVar

import streamlit as st

from dashboard.ui import address

PART = "part"
P = TypeVar("P", bound=StrEnum)


def choose(parts: type[P]) -> P:
    """The field, and the part that is open: the first one, where nothing is asked for.

    An address may write a part in small letters and with a hyphen for a space ("what-if"); one that is not known is
    said, and left out.
    """
    words = [part.value for part in parts]
    asked = st.query_params.get(PART, "")
    if asked not in ("", *words):
        known = next((word for word in words if word.lower() == asked.lower().replace("-", " ")), None)
        if known is not None:
            st.query_params[PART] = known  # as the field below writes it, and reads it in the next run
            st.rerun()
        address.known(PART, "the part", words)
    chosen = st.segmented_control(
        "Part",
        words,
        default=words[0],
        required=True,
        key=PART,
        bind="query-params",
        label_visibility="collapsed",
    )
    return parts(chosen or words[0])
