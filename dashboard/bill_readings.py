"""AWS's bill as far as somebody asked for it: asking costs money, so that nothing here asks by itself, or twice."""

import threading
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.bill import requests as bill_requests
from dashboard.core.costs.bill.activate_tags import ActivationPlan, activate
from dashboard.core.costs.bill.billed import Billed, Question, ask, billed
from dashboard.readings import Reading, now, where

MOST_KEPT = 100


@dataclass(frozen=True)
class _Bills:
    """The answers of one account, shared by all who look; kept until Kennel ends, since they were paid for."""

    answers: MutableMapping[Question, Reading[Billed]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def bill(aws: Aws, question: Question) -> Reading[Billed] | None:
    """The answer that there is, None when nobody has asked yet. Never asks."""
    return _bills(where(aws)).answers.get(question)


def ask_bill(aws: Aws, question: Question, instead_of: datetime | None) -> Reading[Billed]:
    """Ask Cost Explorer, for $0.01, unless there is a newer answer than the one of `instead_of` by now.

    So a second click, or another tab with the same dialog, is not charged again. Raises what `ask` and `billed` raise.
    """
    kept = _bills(where(aws))
    with kept.lock:
        found = kept.answers.get(question)
        if found is not None and (instead_of is None or found.at > instead_of):
            return found
        moment = now()
        answered = ask(aws, question, moment)
        try:
            found = Reading(billed(answered), moment)
            kept.answers.pop(question, None)
            kept.answers[question] = found
            while len(kept.answers) > MOST_KEPT:
                del kept.answers[next(iter(kept.answers))]
        finally:  # it is paid for, whatever it says
            _note(aws, "GetCostAndUsage", len(answered.pages))
        return found


def activate_tags(aws: Aws, plan: ActivationPlan) -> str:
    """Carry the plan out, for $0.01 too; what was done, in a sentence. Raises what `activate` raises."""
    said = activate(aws, plan)
    _note(aws, "UpdateCostAllocationTagsStatus", 1)
    return said


def _note(aws: Aws, operation: str, pages: int) -> None:
    bill_requests.note(bill_requests.place(aws.account), bill_requests.Asked(operation, pages, now()))


@st.cache_resource(show_spinner=False)  # of as many accounts as there are: it is more than a reading
def _bills(where: str) -> _Bills:
    return _Bills()
