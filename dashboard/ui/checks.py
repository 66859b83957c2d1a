"""What was looked at before a launch, as a list: what stands in its way first, what is fine folded away."""

import json
from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard.core.format import count
from dashboard.core.runs.checks import Check, CheckState, stops
from dashboard.ui import page
from dashboard.ui.markup import Markup, badge, sentence
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

SHAPES = {CheckState.OK: "✓", CheckState.WARN: "!", CheckState.STOP: "✕", CheckState.UNKNOWN: "?"}
WORDS = {
    CheckState.OK: "passed",
    CheckState.WARN: "to know",
    CheckState.STOP: "stops the launch",
    CheckState.UNKNOWN: "not checked",
}
LOUD = (CheckState.STOP, CheckState.WARN)


def panel(checks: Sequence[Check]) -> None:
    """All checks of a plan: stops and warnings with what to do, the others behind a line that counts them."""
    with st.container(border=True, key="panel-checks", gap="small"):
        page.section("Checks", Markup(badge(*verdict(checks))))
        loud(checks)
        quiet = [check for check in checks if check.state not in LOUD]
        if quiet:
            with st.expander(counted(quiet), key="checks-quiet", type="compact"):
                show(quiet)


def loud(checks: Sequence[Check]) -> None:
    """What stands in the way of a launch, and what to know before it, in this order."""
    show([check for state in LOUD for check in checks if check.state is state])


def show(checks: Sequence[Check]) -> None:
    """Checks under each other; the statement to ask for lies beside the one that lacks it."""
    for check in checks:
        st.html(row(check))
        if check.is_set_up:
            st.page_link(
                Place.SETTINGS,
                label="Set up this account",
                icon=":material/arrow_forward:",
                query_params={"part": "Set up"},
            )
        if check.statement:
            st.code(json.dumps(check.statement, indent=2), language="json")


def verdict(checks: Sequence[Check]) -> tuple[Tone, str]:
    """All checks in two words, with what their colour means."""
    if stopping := stops(checks):
        return Tone.FAILED, f"{count(len(stopping), 'thing')} to solve first"
    if any(check.state is CheckState.WARN for check in checks):
        return Tone.WAITING, "something to know"
    if any(check.state is CheckState.UNKNOWN for check in checks):
        return Tone.STOPPED, "nothing in the way, as far as can be seen"
    return Tone.DONE, "nothing in the way"


def counted(checks: Sequence[Check]) -> str:
    """How many checks there are of each kind: "7 passed, 2 not checked"."""
    found = {state: sum(check.state is state for check in checks) for state in CheckState}
    return ", ".join(f"{number} {WORDS[state]}" for state, number in found.items() if number)


def row(check: Check) -> Markup:
    """One check: its sign, its title, what was found and what to do."""
    next_step = "Ask for this statement:" if check.statement else check.next_step
    next_step = f'<p class="kn-note">{escape(next_step)}</p>' if next_step else ""
    sign = f'<span role="img" aria-label="{WORDS[check.state]}">{SHAPES[check.state]}</span>'
    return Markup(
        f'<div class="kn-check kn-check-{check.state}">{sign}<div><p><strong>{escape(check.title)}</strong> '
        f"{escape(sentence(check.sentence))}</p>{next_step}</div></div>"
    )
