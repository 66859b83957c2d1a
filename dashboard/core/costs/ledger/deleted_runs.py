"""What deleted runs have cost: AWS tells nothing of them any more, and their money was spent all the same.

Noted when Kennel deletes them; a run that somebody deletes elsewhere is gone from the sums.
"""

import json
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.costs.ledger import trail_kept
from dashboard.core.costs.ledger.run_receipt import run_receipt
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Receipt
from dashboard.core.errors import ServiceFault
from dashboard.core.runs.model import Capacity, Platform, Run, RunStatus

NOTE = "it was deleted: counted by what AWS told of it before"
_writing = threading.Lock()


def place(account: Account) -> Path:
    """Where they are kept: beside what CloudTrail told of the account."""
    kept = trail_kept.place(account)
    return kept.with_name(f"{kept.stem}-deleted-runs.jsonl")


def note(file: Path, runs: Iterable[Run]) -> None:
    """Keep what these runs are counted by; tuning jobs have no cost of their own. Raises ServiceFault."""
    lines = [json.dumps(_told(run)) + "\n" for run in runs if not run.is_tuning]
    if not lines:
        return
    try:
        with _writing:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as log:
                log.writelines(lines)
    except OSError as error:
        raise ServiceFault(
            "the runs were deleted, and what they cost could not be kept", f"{file}: {error}", "free some space"
        ) from error


def receipts(account: Account, prices: PriceBook, now: datetime) -> tuple[Receipt, ...]:
    """The receipts of all that were noted, each once. Raises ServiceFault where they cannot be read."""
    file = place(account)
    try:
        runs = [_run(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines() if line]
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise ServiceFault(
            "what deleted runs have cost cannot be read", f"{file}: {error}", "mend that file, or remove it"
        ) from error
    once = {(run.key, run.created): run for run in runs}
    return tuple(_receipt(run, prices, account, now) for run in once.values())


def is_deleted(receipt: Receipt) -> bool:
    return NOTE in receipt.notes


def _receipt(run: Run, prices: PriceBook, account: Account, now: datetime) -> Receipt:
    made = run_receipt(run, prices, account.region, now, is_embedded=account.is_embedded)
    return replace(
        made,
        key=f"deleted-{made.key}@{int(run.created.timestamp())}",  # no page shows the run itself any more
        status=f"{made.status}, deleted",
        notes=(*made.notes, NOTE),
    )


def _told(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "platform": run.platform.value,
        "status": run.status.value,
        "instance_type": run.instance_type,
        "instance_count": run.instance_count,
        "capacity": run.capacity.value,
        "created": run.created.isoformat(),
        "started": run.started and run.started.isoformat(),
        "ended": run.ended and run.ended.isoformat(),
        "modified": run.modified and run.modified.isoformat(),
        "training_seconds": run.training_seconds,
        "billable_seconds": run.billable_seconds,
        "volume_gb": run.volume_gb,
        "spot_price": None if run.spot_price is None else str(run.spot_price),
        "parent": run.parent,
        "tags": dict(run.tags),
    }


def _run(told: dict[str, Any]) -> Run:
    """Raises KeyError, TypeError, ValueError or ArithmeticError for what is no run."""
    price = told["spot_price"]
    run = Run(
        name=str(told["name"]),
        status=RunStatus(told["status"]),
        instance_type=str(told["instance_type"]),
        instance_count=int(told["instance_count"]),
        created=datetime.fromisoformat(told["created"]),
        training_seconds=told["training_seconds"],
        billable_seconds=told["billable_seconds"],
        volume_gb=told["volume_gb"],
        platform=Platform(told["platform"]),
        capacity=Capacity(told["capacity"]),
        spot_price=None if price is None else Decimal(price),
        parent=str(told["parent"]),
        tags={str(key): str(value) for key, value in told["tags"].items()},
        started=_time(told["started"]),
        ended=_time(told["ended"]),
        modified=_time(told["modified"]),
    )
    if run.created.tzinfo is None:
        raise ValueError(f"{run.created} names no zone")
    return run


def _time(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
