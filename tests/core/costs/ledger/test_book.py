"""The ledger as it is kept: ended runs once, the rest in the background, and the same one while nothing changes."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest

from dashboard.core.aws import Account, Aws
from dashboard.core.costs.ledger.book import LedgerBook
from dashboard.core.costs.ledger.collect import Collected, Collector
from dashboard.core.costs.ledger.ledger import Ledger, Unread
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Receipt
from dashboard.core.errors import ServiceFault
from dashboard.core.runs.listing import Listing
from dashboard.core.runs.model import Run, RunKind, RunStatus
from dashboard.core.runs.window import Window
from tests.core.costs.receipts import endpoint
from tests.core.runs.made import NOW, run

AWS = cast(Aws, type("Connected", (), {"account": Account("embedded", "us-east-1", "1", True, True)})())
FAULT = ServiceFault("not there", "here", "elsewhere")


class Parts:
    """Stands for the collector: gives what a test says, and remembers how it was asked."""

    def __init__(self, receipts: Sequence[Receipt] = ()) -> None:
        self.found = Collected(tuple(receipts), (Unread("Lambda functions", FAULT),))
        self.again: list[bool] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.error: Exception | None = None

    def collect(
        self, aws: Aws, prices: PriceBook, now: object, runs: Sequence[Run] = (), *, again: bool = False
    ) -> Collected:
        assert self.may_go_on.wait(10)
        self.again.append(again)
        if self.error:
            raise self.error
        return self.found


class Desk:
    """A ledger book with its parts and its clock."""

    def __init__(self, *receipts: Receipt) -> None:
        self.now, self.prices, self.parts = NOW, PriceBook.load(), Parts(receipts)
        self.book = LedgerBook(lambda: self.now, cast(Collector, self.parts))

    def look(self, *runs: Run, patience: float = 5, listing: Listing | None = None) -> Ledger:
        return self.book.look(AWS, listing or listed(*runs), self.prices, patience=patience)


def listed(*runs: Run, **more: object) -> Listing:
    return Listing(runs, Window.ALL, NOW, **more)  # type: ignore[arg-type]


def test_runs_and_all_else_make_one_ledger() -> None:
    seen = Desk(endpoint("starter", NOW - timedelta(hours=1))).look(run(), run("search", kind=RunKind.TUNING))
    assert {one.name for one in seen.receipts} == {"dogs-1", "starter"}
    assert seen.is_complete
    assert [one.what for one in seen.unread] == ["Lambda functions"]


def test_what_could_not_be_listed_is_said_too() -> None:
    seen = Desk().look(listing=listed(run(), problems={"EC2 trainings": FAULT}, is_complete=False))
    assert [one.what for one in seen.unread] == ["EC2 trainings", "Lambda functions"]
    assert not seen.is_complete


def test_the_ledger_is_the_same_one_while_nothing_changes() -> None:
    desk, listing = Desk(), listed(run(), run("dogs-2"))
    first = desk.look(listing=listing)
    assert desk.look(listing=listing) is first
    desk.now += timedelta(seconds=30)
    assert desk.look(listing=listing) is first, "it was read again, and nothing was new"
    more = desk.look(*listing.runs, run("dogs-3"))
    assert more is not first
    assert more.find("run:dogs-1") is first.find("run:dogs-1"), "an ended run's receipt is made once"


def test_a_quiet_account_s_ledger_is_of_today() -> None:
    desk, listing = Desk(), listed(run())
    first = desk.look(listing=listing)
    desk.now += timedelta(days=1)
    assert desk.look(listing=listing).at == desk.now
    assert desk.look(listing=listing).receipts[0] is first.receipts[0]


def test_what_goes_on_costs_more_at_each_look() -> None:
    desk, listing = Desk(), listed(run(status=RunStatus.TRAINING))
    first = desk.look(listing=listing).receipts[0].amount
    desk.now += timedelta(minutes=10)
    second = desk.look(listing=listing).receipts[0].amount
    assert first is not None
    assert second is not None
    assert abs(second - first - Decimal("0.408") / 6) < Decimal("1E-11")


def test_a_run_of_the_same_name_that_is_another_has_its_own_receipt() -> None:
    desk = Desk()
    desk.look(run())
    again = run(created=NOW - timedelta(days=1), billable_seconds=100)
    assert desk.look(again).receipts[0].amount != desk.look(run()).receipts[0].amount


def test_an_ended_run_of_which_aws_tells_more_later_has_a_new_receipt() -> None:
    desk = Desk()
    ended = run(billable_seconds=None, started=None)
    assert desk.look(ended).receipts[0].amount is None
    assert desk.look(replace(ended, billable_seconds=100)).receipts[0].amount == Decimal("0.011333333333")


def test_other_prices_make_other_receipts() -> None:
    desk, listing = Desk(), listed(run())
    before = desk.look(listing=listing).receipts[0].amount
    desk.prices = replace(desk.prices, prices={}, markups={})
    assert before is not None
    assert desk.look(listing=listing).receipts[0].amount is None


def test_a_slow_account_is_not_waited_for_and_comes_later() -> None:
    desk = Desk(endpoint("starter", NOW))
    desk.parts.may_go_on.clear()
    first = desk.look(run(), patience=0.01)
    assert not first.is_complete
    assert [one.name for one in first.receipts] == ["dogs-1"]
    desk.parts.may_go_on.set()
    assert eventually(lambda: desk.look(run(), patience=1).is_complete)


def test_what_was_read_long_before_is_not_told_as_of_now() -> None:
    desk = Desk(endpoint("starter", NOW - timedelta(hours=1)))
    first = desk.look(run())
    assert desk.book.as_of(first) == first.at == NOW
    desk.now += timedelta(minutes=6)
    desk.parts.may_go_on.clear()
    old = desk.look(run(), patience=0)
    assert (old.at, desk.book.as_of(old)) == (desk.now, NOW)
    desk.parts.may_go_on.set()
    fresh = desk.look(run())
    assert desk.book.as_of(fresh) == desk.now


def test_after_a_change_everything_is_read_again_and_the_old_ledger_stays_meanwhile() -> None:
    desk = Desk(endpoint("starter", NOW))
    desk.look(run())
    desk.look(run())
    assert desk.parts.again == [False]
    desk.parts.may_go_on.clear()
    desk.book.stale()
    meanwhile = desk.look(run(), patience=0.01)
    assert meanwhile.is_complete
    assert len(meanwhile.receipts) == 2
    desk.parts.may_go_on.set()
    desk.look(run())
    assert desk.parts.again == [False, True]


def test_an_error_that_nobody_foresaw_is_raised_to_who_looks_and_the_next_look_tries_again() -> None:
    desk = Desk()
    desk.parts.error = RuntimeError("broken")
    with pytest.raises(RuntimeError, match="broken"):
        desk.look(run())
    desk.parts.error = None
    assert desk.look(run()).is_complete


def eventually(what: Callable[[], bool]) -> bool:
    return any(what() for _ in range(20))
