"""Sentences for title lines and notes, from what core says. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from dashboard.core.aws import Account
from dashboard.core.format import ago, count
from dashboard.core.overview import Overview
from dashboard.core.runs.model import Run

STALE = timedelta(seconds=15)


def overview_sentence(seen: Overview) -> str:
    """Overview's live sentence: "2 running, 1 failed since yesterday, 2 endpoints serving"."""
    if seen.is_empty:
        return "nothing was trained or served here yet"
    failed = f"{seen.failed_recently} failed since yesterday" if seen.failed_recently else "none failed since yesterday"
    return f"{_running(len(seen.running))}, {failed}, {count(len(seen.serving), 'endpoint')} serving"


def runs_sentence(runs: Sequence[Run], shown: int) -> str:
    """Runs' live sentence: how many there are, how many run, and how many the filter leaves."""
    if not runs:
        return "no run yet"
    active = sum(run.status.is_active for run in runs)
    filtered = f", {shown} shown" if shown != len(runs) else ""
    return f"{count(len(runs), 'run')}, {_running(active)}{filtered}"


def classify_sentence(answers: int) -> str:
    """Classify's live sentence."""
    return f"{count(answers, 'photo')} answered in this tab" if answers else "drop a photo, see the breed"


def age(at: datetime, now: datetime) -> str:
    """How old a reading is, once that matters; "" while it is fresh."""
    return f"as of {ago(at, now)}" if now - at > STALE else ""


def simulated(account: Account) -> str:
    """The word that stands beside every label of money: " · simulated", or nothing on a real account."""
    return " · simulated" if account.is_embedded else ""


def _running(number: int) -> str:
    return f"{number} running" if number else "nothing running"
