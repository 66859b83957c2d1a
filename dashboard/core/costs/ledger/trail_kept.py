"""What CloudTrail told is kept on disk: what is older than its 90 days stays known, and only what is new is looked up.

One file for each account and region. A file that cannot be read is set aside under another name.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.costs import whole_file
from dashboard.core.costs.ledger.trail import KNOWN, Happening, in_order
from dashboard.core.home import of_account

VERSION = 1
MOST = 20_000
"""Happenings that are kept, the newest."""


@dataclass(frozen=True)
class Kept:
    """What is known: `read_to` is the moment of the last lookup; `failed` are endpoints that never were in service."""

    happenings: tuple[Happening, ...] = ()
    read_to: datetime | None = None
    failed: tuple[str, ...] = ()

    def with_more(self, found: list[Happening], at: datetime | None) -> "Kept":
        """After a lookup at that moment."""
        return replace(self, happenings=tuple(in_order((*self.happenings, *found))[-MOST:]), read_to=at)


def place(account: Account) -> Path:
    """Where it is kept: one file for each account and region."""
    return of_account(account.client_file) / "costs" / f"{account.account_id}-{account.region}.json"


def read(path: Path) -> Kept:
    """What is kept; nothing where there is no file, or none that makes sense."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["version"] != VERSION:
            raise ValueError("another version")
        read_to = told["read_to"]
        return Kept(
            tuple(_happening(one) for one in told["happenings"]),
            None if read_to is None else datetime.fromisoformat(read_to),
            tuple(map(str, told["failed"])),
        )
    except FileNotFoundError:
        return Kept()
    except (OSError, ValueError, KeyError, TypeError):
        with suppress(OSError):
            path.replace(path.with_suffix(".broken"))
        return Kept()


def write(path: Path, kept: Kept) -> None:
    """All or nothing. Raises OSError."""
    document = {
        "version": VERSION,
        "read_to": None if kept.read_to is None else kept.read_to.isoformat(),
        "failed": kept.failed,
        "happenings": [asdict(one) | {"at": one.at.isoformat()} for one in kept.happenings],
    }
    whole_file.write(path, document)


def _happening(told: Mapping[str, Any]) -> Happening:
    at = datetime.fromisoformat(told["at"])
    if at.tzinfo is None or told["name"] not in KNOWN:
        raise ValueError("no happening")
    return Happening(
        str(told["id"]), at, told["name"], dict(told["asked"]), tuple(told["variants"]), dict(told["tags"])
    )
