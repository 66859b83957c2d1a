"""Things that are switched on and off, and cost money while they are on: notebooks, provisioned concurrency. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from dashboard.core.costs.ledger.trail import Happening


@dataclass(frozen=True)
class On:
    """A time in which it was on, as large as `size` says ("ml.t3.medium", or how many); `ended` None goes on."""

    started: datetime
    ended: datetime | None
    size: str


@dataclass(frozen=True)
class Life:
    """One thing of a name, from when it was made to when it was deleted; `began_before`: its making is not told."""

    name: str
    created: datetime
    ended: datetime | None = None
    on: tuple[On, ...] = ()
    size: str = ""
    gigabytes: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    began_before: bool = False

    def switched_on(self, at: datetime) -> "Life":
        """On from then; nothing when it is on already."""
        return self if self.is_on else replace(self, on=(*self.on, On(at, None, self.size)))

    def switched_off(self, at: datetime) -> "Life":
        if not self.is_on:
            return self
        return replace(self, on=(*self.on[:-1], replace(self.on[-1], ended=max(at, self.on[-1].started))))

    @property
    def is_on(self) -> bool:
        return bool(self.on) and self.on[-1].ended is None


def notebook_lives(happenings: Iterable[Happening]) -> dict[str, list[Life]]:
    """Each notebook instance as CloudTrail tells it, oldest first; the last one of a name may still be there."""
    found: dict[str, list[Life]] = {}
    for one in happenings:
        name = str(one.asked.get("notebookInstanceName", ""))
        if not name:
            continue
        lives = found.setdefault(name, [])
        if one.name == "CreateNotebookInstance":
            size, volume = str(one.asked.get("instanceType", "")), _whole(one.asked.get("volumeSizeInGB"), 5)
            life = Life(name, one.at, size=size, gigabytes=volume, tags=one.tags)
            lives.append(life.switched_on(one.at))
            continue
        if not lives or lives[-1].ended is not None:
            lives.append(Life(name, one.at, began_before=True))
        life = lives[-1]
        match one.name:
            case "StartNotebookInstance":
                lives[-1] = life.switched_on(one.at)
            case "StopNotebookInstance":
                lives[-1] = life.switched_off(one.at)
            case "UpdateNotebookInstance":
                size = str(one.asked.get("instanceType", life.size))
                volume = _whole(one.asked.get("volumeSizeInGB"), life.gigabytes)
                lives[-1] = replace(life, size=size, gigabytes=volume)
            case "DeleteNotebookInstance":
                lives[-1] = replace(life.switched_off(one.at), ended=one.at)
    return found


def provisioned_lives(happenings: Iterable[Happening]) -> dict[tuple[str, str], list[On]]:
    """How many environments of each function and qualifier were kept ready, from when to when."""
    found: dict[tuple[str, str], list[On]] = {}
    for one in happenings:
        function = str(one.asked.get("functionName", "")).rpartition(":")[2]
        times = found.setdefault((function, str(one.asked.get("qualifier", ""))), [])
        if not one.name.endswith("ProvisionedConcurrencyConfig"):
            continue
        if times and times[-1].ended is None:
            times[-1] = replace(times[-1], ended=one.at)
        if one.name == "PutProvisionedConcurrencyConfig":
            count = _whole(one.asked.get("provisionedConcurrentExecutions"), 0)
            times.append(On(one.at, None, str(count)))
    return {key: times for key, times in found.items() if times}


def _whole(told: Any, otherwise: int) -> int:
    try:
        return max(0, int(told))
    except (TypeError, ValueError):
        return otherwise
