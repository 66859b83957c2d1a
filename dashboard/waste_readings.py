"""The cache of the sweep for forgotten spend. Pages use it through `state`; one sweep is shared by all who look."""

import threading
from datetime import timedelta

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.waste.sweep import IDLE, sweep
from dashboard.core.costs.waste.waste import Sweep
from dashboard.price_readings import prices
from dashboard.readings import Reading, now, where

SECONDS = 300
"""How long a sweep is shown before it is made again, in the background: a dozen calls and a few for each thing, and
CloudWatch charges a real account for each metric that GetMetricData reads."""
NEW = timedelta(minutes=1)
SELDOM = timedelta(minutes=15)
"""The same for a page that is open all day and says no more of waste than that it is there."""


def waste(aws: Aws, idle: timedelta = IDLE) -> Reading[Sweep]:
    """What costs money and serves nobody; `idle`: after how long without a request. Raises nothing of `Aws.call`."""
    return _waste(where(aws), idle, aws)


def waste_so_far(aws: Aws) -> Sweep | None:
    """The last sweep, whoever asked for it, without waiting: None until there is one.

    One that is older than SELDOM, or was made before something changed, is made again in the background.
    """
    return _glances().setdefault(where(aws), _Glance()).look(aws, prices())


def forget_waste() -> None:
    """Something was changed: look again."""
    _waste.clear()
    for glance in _glances().values():
        glance.stale()


class _Glance:
    """The last sweep of one account, and the one thread that makes another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Sweep | None = None
        self._is_stale = True
        self._worker: threading.Thread | None = None
        self._failed: BaseException | None = None

    def look(self, aws: Aws, prices: PriceBook) -> Sweep | None:
        with self._lock:
            failed, self._failed = self._failed, None
            if failed is not None:
                raise failed
            is_old = self._is_stale or self._seen is None or now() - self._seen.at >= SELDOM
            if is_old and self._worker is None:
                self._is_stale = False
                self._worker = threading.Thread(target=self._work, args=(aws, prices), name="waste", daemon=True)
                self._worker.start()
            return self._seen

    def stale(self) -> None:
        with self._lock:
            self._is_stale = True

    def newest(self) -> Sweep | None:
        """The sweep that is being made, waited for, or one of this minute; None without."""
        worker = self._worker
        if worker is not None:
            worker.join()
        with self._lock:
            is_new = self._seen is not None and not self._is_stale and now() - self._seen.at < NEW
            return self._seen if is_new else None

    def keep(self, found: Sweep) -> None:
        """A page has waited for a newer one."""
        with self._lock:
            if self._seen is None or found.at > self._seen.at:
                self._seen, self._is_stale = found, False

    def _work(self, aws: Aws, prices: PriceBook) -> None:
        found: Sweep | None = None
        failed: BaseException | None = None
        try:
            found = sweep(aws, prices, now())
        except BaseException as error:  # noqa: BLE001 - raised to whoever looks next
            failed = error
        with self._lock:
            self._worker, self._failed = None, failed
            self._seen = found or self._seen


@st.cache_resource(show_spinner=False)
def _glances() -> dict[str, _Glance]:
    return {}


@st.cache_data(show_spinner=False, ttl=SECONDS, refresh_mode="background", max_entries=16)
def _waste(where: str, idle: timedelta, _aws: Aws) -> Reading[Sweep]:
    glance = _glances().setdefault(where, _Glance())
    found = glance.newest() if idle == IDLE else None
    if found is None:
        found = sweep(_aws, prices(), now(), idle=idle)
        if idle == IDLE:
            glance.keep(found)
    return Reading(found, found.at)
