"""The steps that have been taken once, kept on disk: a step that was taken stays taken, whatever is deleted later."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dashboard.core.aws import Account
from dashboard.core.costs import whole_file
from dashboard.core.first_steps import Step
from dashboard.core.home import of_account


def place(account: Account) -> Path:
    """One file for each account and region."""
    return of_account(account.client_file) / "steps" / f"{account.account_id}-{account.region}.json"


def taken(file: Path, now: Iterable[Step]) -> frozenset[Step]:
    """All steps that were ever taken, with those that are taken now, which are kept.

    A file that makes no sense is begun anew; one that cannot be written costs no more than what is deleted later.
    """
    before = _read(file)
    known = before.union(now)
    if known != before:
        with suppress(OSError):
            whole_file.write(file, sorted(known))
    return known


def _read(file: Path) -> frozenset[Step]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return frozenset(map(Step, told))
    except (OSError, ValueError, TypeError):
        return frozenset()
