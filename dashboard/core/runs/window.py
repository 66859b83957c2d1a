"""How far back a list of runs goes."""

from datetime import datetime, timedelta
from enum import StrEnum


class Window(StrEnum):
    """A time window by creation, as a person chooses it."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    ALL = "all"

    @property
    def word(self) -> str:
        return {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "all": "all time"}[self]

    def since(self, now: datetime) -> datetime | None:
        """When it begins; None for all time. Raises nothing: `now` has a zone."""
        length = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}.get(self)
        return now - length if length else None
