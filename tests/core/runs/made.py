"""Runs for tests, with everything that a test does not care about filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.core.runs.model import Run, RunStatus

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DOGS = "s3://kennel-123456789012-us-east-1/datasets/dogs/"


def run(name: str = "dogs-1", status: RunStatus = RunStatus.COMPLETED, **more: Any) -> Run:
    """A run of an hour ago that took 11 min 3 s on one ml.c5.2xlarge, changed by `more`."""
    created = more.pop("created", NOW - timedelta(hours=1))
    done = status.is_final
    usual: dict[str, Any] = {
        "instance_type": "ml.c5.2xlarge",
        "instance_count": 1,
        "created": created,
        "started": created + timedelta(seconds=20),
        "ended": created + timedelta(seconds=683) if done else None,
        "modified": created + timedelta(seconds=683),
        "billable_seconds": 663 if done else None,
        "dataset_uri": DOGS,
        "hyperparameters": {"epochs": "20"},
    }
    return Run(name=name, status=status, **(usual | more))
