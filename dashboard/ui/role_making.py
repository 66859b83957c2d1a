"""Who may not make the role that something new gets is told so before it is confirmed, and what to do instead."""

import streamlit as st

from dashboard import role_readings
from dashboard.core import role_making
from dashboard.core.aws import Aws
from dashboard.ui.markup import note
from dashboard.ui.tones import Tone


def told(aws: Aws, prefix: str, service: str, what: str) -> None:
    """prefix: of the role's name. service: the one that acts as it. what: "a notebook". Nothing for who may."""
    lacks = role_readings.role_making(aws, f"{prefix}*", service)
    if not lacks:
        return
    st.html(
        note(
            f"This will be refused: {what} gets a role of its own, and {aws.account.identity or 'this identity'} lacks "
            f"{', '.join(lacks)}. Kennel's operator role is without them on purpose: whoever makes roles and hands "
            "them over can do everything. Have somebody run “Show as code” who may, or ask for this statement:",
            Tone.FAILED,
        )
    )
    st.code(role_making.statement(aws.account.role_arn(f"{prefix}*"), lacks), language="json")
