"""Measurements are kept on disk, one file each, the newest twenty of a variant."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.costs import whole_file
from dashboard.core.home import of_account
from dashboard.core.serving.measure.result import Level, Measurement

VERSION = 1
MOST = 20
BROKEN = ".broken"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")


def place(account: Account) -> Path:
    """Where they are kept: one folder for each account and region."""
    return of_account(account.client_file) / "measure" / f"{account.account_id}-{account.region}"


def keep(folder: Path, measured: Measurement) -> None:
    """Keep one; older ones than the newest twenty go. Raises OSError."""
    of = _of(folder, measured.endpoint, measured.variant)
    whole_file.write(of / f"{measured.at:%Y%m%dT%H%M%S%f}.json", _document(measured), indent=1)
    for old in sorted(of.glob("*.json"))[:-MOST]:
        old.unlink(missing_ok=True)


def measurements(folder: Path, endpoint: str, variant: str) -> tuple[Measurement, ...]:
    """What is kept of a variant, the newest first. A file that makes no sense is set aside under another name."""
    found = []
    for file in sorted(_of(folder, endpoint, variant).glob("*.json"), reverse=True):
        try:
            found.append(_read(json.loads(file.read_text(encoding="utf-8"))))
        except FileNotFoundError:
            continue  # another one has just thrown it away
        except (ValueError, KeyError, TypeError):
            file.replace(file.with_name(file.name + BROKEN))
    return tuple(found)


def _of(folder: Path, endpoint: str, variant: str) -> Path:
    """A variant's folder; names of AWS hold nothing that means something in a path, and others are no names."""
    if not _NAME.fullmatch(endpoint) or not _NAME.fullmatch(variant):
        raise ValueError(f"{endpoint}/{variant} are no names of an endpoint and its variant")
    return folder / endpoint / variant


def _document(one: Measurement) -> dict[str, Any]:
    return {
        "version": VERSION,
        "endpoint": one.endpoint,
        "variant": one.variant,
        "at": one.at.isoformat(),
        "config": one.config,
        "instance_type": one.instance_type,
        "instances": one.instances,
        "instances_after": one.instances_after,
        "ended": one.ended,
        "levels": [
            {
                "clients": level.clients,
                "requests": level.requests,
                "seconds": level.seconds,
                "p50": level.p50,
                "p90": level.p90,
                "p99": level.p99,
                "errors": dict(level.errors),
            }
            for level in one.levels
        ],
    }


def _read(told: dict[str, Any]) -> Measurement:
    if told["version"] != VERSION:
        raise ValueError(f"version {told['version']}")

    def seconds(value: Any) -> float | None:
        return None if value is None else float(value)

    levels = tuple(
        Level(
            int(level["clients"]),
            int(level["requests"]),
            float(level["seconds"]),
            seconds(level["p50"]),
            seconds(level["p90"]),
            seconds(level["p99"]),
            {str(name): int(times) for name, times in level["errors"].items()},
        )
        for level in told["levels"]
    )
    return Measurement(
        str(told["endpoint"]),
        str(told["variant"]),
        datetime.fromisoformat(told["at"]),
        str(told["config"]),
        str(told["instance_type"]),
        int(told["instances"]),
        int(told["instances_after"]),
        levels,
        str(told["ended"]),
    )
