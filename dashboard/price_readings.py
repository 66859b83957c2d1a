"""The price book as pages use it: the shipped prices, with those that AWS told on request, as they lie on disk.

It is read again when a file of them changes, whoever changed it: this server after a refresh, or another process.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from dashboard.core.aws import Account, Aws
from dashboard.core.costs import price_cache, spot_history
from dashboard.core.costs.price_cache import Refreshed, SpotDay
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.refresh import Refreshing, RefreshPlan, refresh
from dashboard.core.errors import KennelError, Refused
from dashboard.core.home import home
from dashboard.readings import now, where

EMBEDDED = "embedded-"


@dataclass(frozen=True)
class Told:
    """What AWS told of a region, None before the first refresh; and the files that made no sense."""

    kept: Refreshed | None
    broken: tuple[str, ...] = ()


def prices(account: Account) -> PriceBook:
    """The price book of a kind of account: the embedded AWS, or a real one. The same object until a refresh."""
    return _merged(prices_stamp(account))


def prices_stamp(account: Account) -> str:
    """Changes when `prices` would give other prices: a part of the key of what was counted with them."""
    files = _files(is_embedded=account.is_embedded)
    return "\n".join(f"{one} {changed}" for one in files if (changed := _changed(one)))


def told_prices(account: Account, region: str) -> Told:
    """What this kind of account told of a region."""
    prices(account)  # a file that makes no sense is set aside by reading it
    path = price_cache.file(home(os.environ), region, is_embedded=account.is_embedded)
    kept = _kept(str(path), changed) if (changed := _changed(path)) else None
    aside = sorted(path.parent.glob(f"*{price_cache.BROKEN}")) if path.parent.is_dir() else []
    return Told(kept, tuple(one.name for one in aside))


def spot_days(aws: Aws, instance_type: str, kept: Refreshed | None, region: str) -> tuple[tuple[SpotDay, ...], str]:
    """What spot cost on the last days, oldest first, and why EC2 could not be asked: then it is what is kept.

    EC2 is asked of the account's own region alone; of another it is what the last refresh read.
    """
    before = {one.day: one for one in (kept.spot if kept else ()) if one.instance_type == instance_type}
    problem = ""
    try:
        if region == aws.account.region:
            before |= {one.day: one for one in _spot_days(where(aws), instance_type, aws)}
    except KennelError as error:
        problem = str(error)
    return tuple(before[day] for day in sorted(before)), problem


def refresh_prices(aws: Aws, plan: RefreshPlan) -> Refreshing:
    """Ask AWS as planned, and keep what it told beside what was known. Raises the errors of `Aws.call`, and Refused."""
    made = refresh(aws, plan, now)
    lacking = tuple(f"{half} could not be read: {error}" for half, error in made.problems)
    found = replace(made.found, left_out=(*lacking, *made.found.left_out))
    path = price_cache.file(home(os.environ), plan.region, is_embedded=aws.account.is_embedded)
    before, _ = price_cache.read(path)
    try:
        price_cache.write(path, found.after(before))
    except OSError as error:
        raise Refused(
            "the prices were read, and could not be kept",
            f"{path} cannot be written ({error.strerror})",
            "free some space or change the folder's rights, then refresh again",
        ) from error
    return made


def _changed(file: Path) -> int:
    """When a file was changed, in nanoseconds; 0 for one that is not there, or was set aside a moment ago."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _files(*, is_embedded: bool) -> list[Path]:
    """The refreshed prices of this kind of account, of all regions."""
    folder = home(os.environ) / "prices"
    if not folder.is_dir():
        return []
    return sorted(one for one in folder.glob("*.json") if one.name.startswith(EMBEDDED) is is_embedded)


@st.cache_resource(show_spinner=False, max_entries=4)
def _merged(stamp: str) -> PriceBook:
    book = PriceBook.load()
    for line in stamp.splitlines():
        kept, _ = price_cache.read(Path(line.rpartition(" ")[0]))
        if kept is not None:
            book = kept.into(book)
    return book


@st.cache_data(show_spinner=False, ttl=3600, max_entries=40)
def _spot_days(where: str, instance_type: str, _aws: Aws) -> tuple[SpotDay, ...]:
    days, _ = spot_history.spot_days(_aws, [instance_type], now())
    return tuple(one for one in days if one.instance_type == instance_type)


@st.cache_resource(show_spinner=False, max_entries=4)
def _kept(path: str, changed: int) -> Refreshed | None:
    return price_cache.read(Path(path))[0]
