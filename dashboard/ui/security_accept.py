"""The dialogs in which a risk is accepted, with a reason, a name and an end, and taken back."""

from datetime import UTC, datetime, time, timedelta
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.iam.finding import Finding
from dashboard.core.iam.judge.audited import subject
from dashboard.core.iam.judge.risks import LONGEST, LONGEST_TEXT, SHORTEST_REASON, Accepted
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import facts, literal, note

USUAL = timedelta(days=90)


def told(accepted: Accepted, now: datetime) -> str:
    """Who accepted it, why and until when; that it counts again, once that is over."""
    by = f"accepted by {accepted.by} on {accepted.at:%Y-%m-%d}: {accepted.reason}"
    if accepted.is_over(now):
        return f"It counts again since {accepted.until:%Y-%m-%d}; it was {by}"
    return f"Does not count until {accepted.until:%Y-%m-%d}; {by}"


def question(aws: Aws, finding: Finding) -> Question:
    """Accept the risk of a finding until a day."""
    return Question(f"Accept a risk of {literal(subject(finding))}", partial(_draw, aws, finding))


def _draw(aws: Aws, finding: Finding) -> Action | None:
    now = state.now()
    st.html(facts({"Risk": finding.reason, "Attack": finding.attack, "Severity": finding.severity}))
    st.html(
        note(
            "It stays in the list of accepted risks and in exports, and does not count in the score. If the statement "
            "changes, it is a new finding. Nothing is sent to AWS."
        )
    )
    reason = st.text_area(
        "Why may it stay?",
        key="security-reason",
        max_chars=LONGEST_TEXT,
        placeholder="What keeps the risk small, and what it waits for",
    )
    by = st.text_input("Who answers for it?", key="security-by", max_chars=LONGEST_TEXT, autocomplete="name")
    day = st.date_input(
        "Until",
        value=(now + USUAL).date(),
        min_value=(now + timedelta(days=1)).date(),
        max_value=(now + LONGEST - timedelta(days=1)).date(),
        key="security-until",
    )
    if len((reason or "").strip()) < SHORTEST_REASON or not (by or "").strip():
        st.html(note(f"A reason of at least {SHORTEST_REASON} letters and a name are needed."))
        return None
    until = datetime.combine(day, time(), UTC)
    return Action("Accept the risk", partial(_accept, aws, finding, reason or "", by or "", until))


def _accept(aws: Aws, finding: Finding, reason: str, by: str, until: datetime) -> str:
    made = state.risks(aws).accept(finding, reason=reason, by=by, until=until, now=state.now())
    return f"Accepted until {made.until:%Y-%m-%d}: it does not count in the score until then."


def back_question(aws: Aws, finding: Finding) -> Question:
    """Let an accepted risk count again."""
    return Question(f"Accept a risk of {literal(subject(finding))} no longer", partial(_draw_back, aws, finding))


def _draw_back(aws: Aws, finding: Finding) -> Action:
    st.html(facts({"Risk": finding.reason}))
    return Action("Let it count again", partial(_take_back, aws, finding))


def _take_back(aws: Aws, finding: Finding) -> str:
    state.risks(aws).take_back(finding.key)
    return f"The risk of {subject(finding)} counts again."
