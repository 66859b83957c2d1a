"""Receipts as they stood at an earlier moment: cut there, with nothing that came later."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.costs.ledger.up_to import PARAMETER, ledger_up_to, parse, query, receipt_up_to
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import Period, Selection
from tests.core.costs.receipts import HOUR, NOW, endpoint, ledger, run

ALL = Selection(Nature.SIMULATED, Period.parse("12m", NOW))


def test_what_goes_on_is_cut_at_the_moment_and_what_began_later_is_left_out() -> None:
    over, serving = run("over", NOW - 9 * HOUR, 2), endpoint("serving", NOW - 4 * HOUR)
    held = ledger(over, serving, run("later", NOW - HOUR))
    then = ledger_up_to(held, NOW - 3 * HOUR)
    assert [one.name for one in then.receipts] == ["over", "serving"]
    assert then.receipts[0] is over
    assert then.receipts[1].amount == Decimal("0.24")
    assert then.total(ALL).amount == Decimal("0.96")
    assert held.total(ALL).amount == Decimal("2.04")  # nothing of it is changed


def test_what_ended_since_was_still_going_on() -> None:
    gone = endpoint("gone", NOW - 4 * HOUR, NOW - HOUR)
    then = receipt_up_to(gone, NOW - 2 * HOUR)
    assert then is not None
    assert (then.ended, then.amount, then.seconds) == (None, Decimal("0.48"), 7200)
    assert receipt_up_to(gone, NOW - HOUR) is gone
    assert receipt_up_to(gone, NOW - 4 * HOUR) is None


def test_what_is_unknown_stays_unknown() -> None:
    then = receipt_up_to(run("u", NOW - 4 * HOUR, 3, None), NOW - 2 * HOUR)
    assert then is not None
    assert then.amount is None


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_quantity_times_price_stays_the_amount_and_never_grows(before: int, after: int) -> None:
    started = NOW - timedelta(microseconds=before)
    whole = endpoint("e", started, NOW + timedelta(microseconds=after))
    then = receipt_up_to(whole, NOW)
    assert then is not None
    (line,) = then.lines
    assert line.quantity is not None and line.price is not None and line.amount is not None
    assert abs(line.quantity * line.price.amount - line.amount) < Decimal("1E-20")
    assert 0 <= line.amount <= (whole.lines[0].amount or 0)


def test_the_moment_is_kept_in_an_address() -> None:
    at = datetime(2026, 11, 21, 19, 42, 3, 4567, tzinfo=UTC)
    assert parse(query(at)[PARAMETER]) == at
    assert parse("") is parse("soon") is parse("2026-11-21T19:42") is None
