"""Roles of the sample account that are older than it: the tag `kennel:replay` says since when they are there.

As with replayed trainings, so that an account of this morning can show what an audit finds in one of years. AWS's own
CreateDate cannot be chosen; the embedded one takes it from this tag, and a role that carries it is marked as replayed.
"""

from datetime import UTC, datetime
from typing import Any

from local_aws import ACCOUNT

TAG = "kennel:replay"


def backdate(backends: Any) -> None:
    """Give every role that carries the tag the day in it. A text that is no past day changes nothing."""
    for role in backends[ACCOUNT]["aws"].roles.values():
        told = next((one["Value"] for one in _tags(role) if one["Key"] == TAG), "")
        since = _day(told)
        if since is not None and since < role.create_date:
            role.create_date = since


def _tags(role: Any) -> list[dict[str, str]]:
    tags = role.tags or []
    return list(tags.values()) if isinstance(tags, dict) else list(tags)


def _day(text: str) -> datetime | None:
    """Without a zone, as moto keeps its times."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    except ValueError:
        return None
