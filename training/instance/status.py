"""How a run on an instance goes, kept in S3 as status.json, which outlives the instance."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Stage(StrEnum):
    """Where the run is. The words are SageMaker's secondary statuses, so that one page can show both."""

    STARTING = "Starting"
    DOWNLOADING = "Downloading"
    TRAINING = "Training"
    UPLOADING = "Uploading"
    INTERRUPTED = "Interrupted"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    OUT_OF_TIME = "MaxRuntimeExceeded"

    @property
    def is_final(self) -> bool:
        """Nothing comes after it on this instance."""
        return self not in (Stage.STARTING, Stage.DOWNLOADING, Stage.TRAINING, Stage.UPLOADING)

    @property
    def status(self) -> str:
        """The status that goes with it, in SageMaker's words."""
        if not self.is_final:
            return "InProgress"
        return str(self) if self in (Stage.COMPLETED, Stage.FAILED) else "Stopped"


class Status:
    """The stages so far. `write` puts the JSON text where it is kept; `now` gives aware times."""

    def __init__(
        self, name: str, instance_id: str, write: Callable[[str], None], now: Callable[[], datetime] = lambda: _now()
    ) -> None:
        self._write = write
        self._now = now
        self._told: dict[str, Any] = {
            "schema": 1,
            "name": name,
            "instance_id": instance_id,
            "stages": [],
            "started": now().isoformat(),
            "ended": None,
            "failure": "",
            "artifact_uri": "",
            "metrics": {},
        }

    def reached(self, stage: Stage, message: str, *, failure: str = "", artifact: str = "") -> None:
        """The run entered a stage; written at once."""
        now = self._now().isoformat()
        stages = self._told["stages"]
        if stages and stages[-1]["ended"] is None:
            stages[-1]["ended"] = now
        stages.append({"name": stage, "started": now, "ended": now if stage.is_final else None, "message": message})
        self._told |= {"status": stage.status, "stage": stage, "ended": now if stage.is_final else None}
        self._told["failure"] = failure or self._told["failure"]
        self._told["artifact_uri"] = artifact or self._told["artifact_uri"]
        self.write()

    def measured(self, metrics: dict[str, float]) -> None:
        """The newest value of each metric; written with the next stage or `write`."""
        self._told["metrics"] = dict(metrics)

    def write(self) -> None:
        """Say again that the run is alive."""
        self._told["updated"] = self._now().isoformat()
        self._write(json.dumps(self._told))


def _now() -> datetime:
    return datetime.now(UTC)
