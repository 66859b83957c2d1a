"""Sentences for title lines and notes, from what core says. Pure."""

from collections.abc import Collection
from datetime import datetime, timedelta

from dashboard.core.aws import Account
from dashboard.core.costs.receipt import Nature
from dashboard.core.format import ago, count
from dashboard.core.overview import ENDPOINTS, Overview
from dashboard.core.runs.listing import Listing
from dashboard.core.runs.window import Window

STALE = timedelta(seconds=15)


def overview_sentence(seen: Overview) -> str:
    """Overview's live sentence: "3 need attention · 2 running, 1 failed since yesterday, 2 endpoints serving"."""
    wanting = len(seen.attention)
    lead = f"{wanting} need{'s' if wanting == 1 else ''} attention · " if wanting else ""
    if seen.is_empty:
        return f"{lead}nothing was trained or served here yet"
    failed = f"{seen.failed_recently} failed since yesterday" if seen.failed_recently else "none failed since yesterday"
    back = f", {seen.taken_back_recently} taken back by EC2" if seen.taken_back_recently else ""
    is_known = seen.why_unread(ENDPOINTS) is None
    serving = f"{count(len(seen.serving), 'endpoint')} serving" if is_known else "endpoints not read"
    return f"{lead}{_running(len(seen.running))}, {failed}{back}, {serving}"


def runs_sentence(seen: Listing, shown: int) -> str:
    """Runs' live sentence: how many there are, how many run, and how many the filter leaves."""
    since = "" if seen.window is Window.ALL else f" in the last {seen.window.word}"
    if not seen.runs:
        return f"no run{since or ' yet'}" if seen.is_complete else "reading"
    active = sum(run.status.is_active for run in seen.runs if not run.parent)
    busy = sum(run.status.is_active for run in seen.runs if run.parent)
    running = _running(active) + (f" and {count(busy, 'trial')}" if busy else "")
    trials = sum(bool(run.parent) for run in seen.runs)
    told = len(seen.runs) - trials
    with_trials = f" with {count(trials, 'trial')}" if trials else ""
    filtered = f", {shown:,} shown" if shown != told else ""
    return f"{count(told, 'run')}{with_trials}{since}, {running}{filtered}"


def classify_sentence(answers: int) -> str:
    """Classify's live sentence."""
    return f"{count(answers, 'photo')} answered in this tab" if answers else "drop a photo, see the breed"


def age(at: datetime, now: datetime) -> str:
    """How old a reading is, once that matters; "" while it is fresh."""
    return f"as of {ago(at, now)}" if now - at > STALE else ""


def simulated(account: Account) -> str:
    """The word that stands beside every label of money: " · simulated", or nothing on a real account."""
    return " · simulated" if account.is_embedded else ""


def money_word(nature: Nature) -> str:
    """The same for money of one nature: " · simulated", " · sample", or nothing for list prices."""
    return "" if nature is Nature.LISTED else f" · {nature.word}"


def money_of(natures: Collection[Nature]) -> str:
    """The words beside the title of a column of money: of one nature, or of several, which the column Origin tells."""
    return " · see Origin" if len(natures) > 1 else "".join(money_word(nature) for nature in natures)


def _running(number: int) -> str:
    return f"{number} running" if number else "nothing running"
