"""Cost allocation tags: which tag keys the bill is told by, and since when. A key counts only while it is active."""

from dataclasses import dataclass
from typing import Any

from local_aws.store import Documents, Store


@dataclass(frozen=True)
class Activation:
    """One tag key: from when to when it was active (None: still); changed: when that changed. All epoch seconds."""

    key: str
    spans: tuple[tuple[float, float | None], ...]
    changed: float

    @property
    def is_active(self) -> bool:
        return bool(self.spans) and self.spans[-1][1] is None

    def covers(self, moment: float) -> bool:
        return any(start <= moment and (end is None or moment < end) for start, end in self.spans)

    @property
    def moments(self) -> list[float]:
        """When it began or ended to count."""
        return [moment for span in self.spans for moment in span if moment is not None]


class CostTags:
    """The activations of the account, in the store."""

    def __init__(self, store: Store) -> None:
        self._kept = Documents(store, "cost-allocation-tag")

    def all(self) -> dict[str, Activation]:
        return {one["key"]: _activation(one) for one in self._kept.all()}

    def set(self, key: str, *, active: bool, now: float) -> None:
        """Begin or end to count a key; nothing where it is so already."""
        kept = self._kept.get(key)
        found = _activation(kept) if kept else Activation(key, (), now)
        if found.is_active == active:
            if kept is None:
                self._kept.put(key, {"key": key, "spans": [], "changed": now})
            return
        spans: tuple[tuple[float, float | None], ...]
        spans = (*found.spans, (now, None)) if active else (*found.spans[:-1], (found.spans[-1][0], now))
        self._kept.put(key, {"key": key, "spans": [list(span) for span in spans], "changed": now})


def _activation(kept: dict[str, Any]) -> Activation:
    return Activation(kept["key"], tuple((float(start), end) for start, end in kept["spans"]), float(kept["changed"]))
