"""Until when something that is paid by the hour is wanted: the tag `kennel:expires`. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from dashboard.core import tags as tag


class Keep(StrEnum):
    """How long something is to be kept, as a person chooses it."""

    HOURS = "4 h"
    DAY = "24 h"
    DAYS = "3 d"
    WEEK = "7 d"
    NEVER = "never"

    @property
    def length(self) -> timedelta | None:
        """None for what is to be kept until somebody deletes it."""
        return _LENGTHS[self]

    @property
    def word(self) -> str:
        return "until it is deleted" if self is Keep.NEVER else f"for {_WORDS[self]}"

    def until(self, now: datetime) -> datetime | None:
        """When it expires, to the second; None for never."""
        return None if self.length is None else (now + self.length).astimezone(UTC).replace(microsecond=0)


_LENGTHS = {
    Keep.HOURS: timedelta(hours=4),
    Keep.DAY: timedelta(hours=24),
    Keep.DAYS: timedelta(days=3),
    Keep.WEEK: timedelta(days=7),
    Keep.NEVER: None,
}
_WORDS = {Keep.HOURS: "4 hours", Keep.DAY: "24 hours", Keep.DAYS: "3 days", Keep.WEEK: "7 days"}

DEFAULT = Keep.DAY


def mark(expires: datetime | None) -> dict[str, str]:
    """The tag that says so; none for what never expires."""
    return {} if expires is None else {tag.EXPIRES: expires.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def expires(tags: Mapping[str, str]) -> datetime | None:
    """When something with these tags expires; None when it does not, or when nobody can read what the tag says."""
    try:
        told = datetime.fromisoformat(tags.get(tag.EXPIRES, ""))
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def is_past(tags: Mapping[str, str], now: datetime) -> bool:
    """Whether something with these tags was to be gone by now."""
    when = expires(tags)
    return when is not None and when <= now
