"""The ledger of one account and region, kept up to date whoever looks: an ended run's receipt is made once, and what
else costs money is read in the background.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.collect import OFTEN, Collected, Collector
from dashboard.core.costs.ledger.deleted_runs import is_deleted
from dashboard.core.costs.ledger.ledger import Ledger, Unread
from dashboard.core.costs.ledger.run_receipt import run_receipt
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Receipt
from dashboard.core.runs.listing import Listing
from dashboard.core.runs.model import Run

RENEWED = timedelta(minutes=1)
"""After so long a ledger in which nothing has changed is made anew, so that its day is today."""


class LedgerBook:
    """Receipts of ONE account and region. Safe to share between threads; `now` is the clock."""

    def __init__(self, now: Callable[[], datetime], collector: Collector) -> None:
        self._now = now
        self._collector = collector
        self._changed = threading.Condition()
        self._prices: PriceBook | None = None
        self._listed: Listing | None = None
        self._ended: dict[tuple[str, str, datetime], tuple[Run, Receipt]] = {}
        self._settled: tuple[Receipt, ...] = ()
        self._going: tuple[Run, ...] = ()
        self._others = Collected()
        self._at: datetime | None = None
        self._others_at: datetime | None = None
        self._changes = self._looked_up = 0
        self._is_read = False
        self._worker: threading.Thread | None = None
        self._failed: BaseException | None = None
        self._days: dict[str, tuple[Receipt, dict[date, Decimal]]] = {}
        self._ledger: Ledger | None = None

    def look(
        self, aws: Aws, listing: Listing, prices: PriceBook, *, patience: float, fresh: timedelta = OFTEN
    ) -> Ledger:
        """The ledger of these runs and of all else that costs money, which is waited for at most `patience` seconds.

        For a minute the same object as the last time where nothing has changed and nothing goes on.
        """
        with self._changed:
            if prices is not self._prices:
                self._prices, self._listed, self._ended, self._at = prices, None, {}, None
            self._changed.wait_for(
                lambda: self._failed is not None or self._is_fresh(aws, listing, prices, fresh), patience
            )
            failed, self._failed = self._failed, None
            if failed is not None:
                raise failed
            return self._made(aws, listing, prices)

    def stale(self) -> None:
        """Something was changed: read again at the next look."""
        with self._changed:
            self._at = None
            self._changes += 1

    @property
    def is_read(self) -> bool:
        """Whether everything beside the runs has been read once."""
        with self._changed:
            return self._is_read

    def as_of(self, ledger: Ledger) -> datetime:
        """When what a ledger shows was read: what is beside the runs may be of long before it was made."""
        with self._changed:
            read = self._others_at or ledger.at
            return read if ledger.at - read > OFTEN else ledger.at

    def _is_fresh(self, aws: Aws, listing: Listing, prices: PriceBook, fresh: timedelta) -> bool:
        """Called with the lock held; begins a reading where the last one is too old."""
        if self._at is not None and self._now() - self._at < fresh:
            return True
        if self._worker is None:
            self._worker = threading.Thread(
                target=self._work, args=(aws, prices, self._changes, listing.runs), name="costs", daemon=True
            )
            self._worker.start()
        return False

    def _work(self, aws: Aws, prices: PriceBook, changes: int, runs: Sequence[Run]) -> None:
        now = self._now()
        failed: BaseException | None = None
        found = Collected()
        try:
            found = self._collector.collect(aws, prices, now, runs, again=changes != self._looked_up)
        except BaseException as error:  # noqa: BLE001 - raised to whoever looks next
            failed = error
        with self._changed:
            self._worker, self._failed = None, failed
            if failed is None and prices is self._prices:
                if found != self._others:
                    self._others, self._ledger = found, None
                # A reading that was under way when something was changed may not have seen it.
                self._at = now if changes == self._changes else None
                self._is_read, self._looked_up, self._others_at = True, changes, now
            self._changed.notify_all()

    def _made(self, aws: Aws, listing: Listing, prices: PriceBook) -> Ledger:
        """Called with the lock held."""
        now = self._now()
        known = self._ledger
        is_same = listing is self._listed and not self._going
        if known is not None and is_same and known.is_complete and now - known.at < RENEWED:
            return known
        region, is_embedded = aws.account.region, aws.account.is_embedded
        if listing is not self._listed:
            self._settle(listing.runs, prices, region, now, is_embedded=is_embedded)
            self._listed = listing
        live = [run_receipt(run, prices, region, now, is_embedded=is_embedded) for run in self._going]
        unread = [Unread(what, problem) for what, problem in listing.problems.items()]
        self._ledger = Ledger(
            receipts=(*self._settled, *live, *self._beside()),
            at=now,
            unread=(*unread, *self._others.unread),
            is_complete=listing.is_complete and self._is_read,
            counted=self._days,
        )
        return self._ledger

    def _beside(self) -> list[Receipt]:
        """All that is not a run, and runs that are gone: one that could not be deleted is listed, and counted so."""
        others = self._others.receipts
        if not any(map(is_deleted, others)):
            return list(others)
        listed = {(receipt.platform, receipt.name, receipt.started) for receipt in self._settled}
        return [one for one in others if not is_deleted(one) or (one.platform, one.name, one.started) not in listed]

    def _settle(self, runs: Sequence[Run], prices: PriceBook, region: str, now: datetime, *, is_embedded: bool) -> None:
        """Receipts of the runs that will not change again; those that were made already are kept."""
        kept: dict[tuple[str, str, datetime], tuple[Run, Receipt]] = {}
        going: list[Run] = []
        for run in runs:
            if run.is_tuning:
                continue
            if not run.status.is_final:
                going.append(run)
                continue
            stamp = (run.platform, run.name, run.created)
            known = self._ended.get(stamp)
            if known is None or known[0] is not run:
                known = (run, run_receipt(run, prices, region, now, is_embedded=is_embedded))
            kept[stamp] = known
        self._ended, self._going = kept, tuple(going)
        self._settled = tuple(receipt for _, receipt in kept.values())
