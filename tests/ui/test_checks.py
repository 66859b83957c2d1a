"""Checks in words: what blocks a launch is loud, what is fine is quiet."""

from dashboard.core.runs.checks import Check, CheckState
from dashboard.ui import checks
from dashboard.ui.tones import Tone

FINE = Check("Role", CheckState.OK, "the role is there")
STOP = Check("Quota", CheckState.STOP, "the limit is 0 <now>", "Ask AWS for more.")
WARN = Check("Spot", CheckState.WARN, "the price moves")
OPEN = Check("Permission", CheckState.UNKNOWN, "not allowed to ask")


def test_the_verdict_is_that_of_the_worst() -> None:
    assert checks.verdict([FINE]) == (Tone.DONE, "nothing in the way")
    assert checks.verdict([FINE, OPEN])[0] is Tone.STOPPED
    assert checks.verdict([FINE, OPEN, WARN])[0] is Tone.WAITING
    assert checks.verdict([FINE, WARN, STOP, STOP]) == (Tone.FAILED, "2 things to solve first")


def test_those_that_are_folded_away_are_counted_by_kind() -> None:
    assert checks.counted([FINE, FINE, OPEN]) == "2 passed, 1 not checked"


def test_a_check_says_what_it_found_and_what_to_do_and_carries_no_markup_in() -> None:
    row = checks.row(STOP)
    assert 'aria-label="stops the launch"' in row
    assert "The limit is 0 &lt;now&gt;" in row
    assert "Ask AWS for more." in row
