"""How long the keys of a profile hold, as the files of this machine tell: no service is asked.

Of a sign-in with SSO it is in the cache of the AWS CLI: ~/.aws/sso/cache, a file named by the SHA-1 of the session's
name, or of the start URL where there is none (botocore.utils.SSOTokenLoader).
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from dashboard.core.accounts.profiles import Kind, Profile

CACHE = Path("~/.aws/sso/cache")
ENDS = ("aws_expiration", "x_security_token_expires", "expiration")
"""What programs that write temporary keys into the credentials file call their end."""


class Hold(StrEnum):
    """What keys hold by."""

    THEMSELVES = "themselves"
    RENEWAL = "renewal"
    SIGN_IN = "a sign-in"
    TIME = "time"
    MACHINE = "the machine"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Holding:
    """until: None where nothing tells of an end."""

    by: Hold
    until: datetime | None = None

    def has_ended(self, now: datetime) -> bool:
        """Whether they hold no more."""
        return self.by is Hold.NOTHING or (self.until is not None and self.until <= now)


def of(one: Profile, cache: Path = CACHE) -> Holding:
    """How long its keys hold."""
    if one.sign_in:
        return _signed_in(cache.expanduser() / file_of(one.sign_in))
    if one.kind is Kind.KEYS and one.is_temporary:
        told = (_moment(one.settings.get(name)) for name in ENDS)
        return Holding(Hold.TIME, next(filter(None, told), None))
    return Holding({Kind.KEYS: Hold.THEMSELVES, Kind.NONE: Hold.MACHINE}.get(one.kind, Hold.RENEWAL))


def file_of(sign_in: str) -> str:
    """The file in which the AWS CLI keeps a sign-in."""
    return f"{hashlib.sha1(sign_in.encode(), usedforsecurity=False).hexdigest()}.json"


def _signed_in(file: Path) -> Holding:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        until = _moment(told["expiresAt"])
    except (OSError, ValueError, KeyError, TypeError):
        return Holding(Hold.NOTHING)  # nobody has signed in, or has signed out since
    if told.get("refreshToken"):
        return Holding(Hold.RENEWAL)
    return Holding(Hold.SIGN_IN, until) if until is not None else Holding(Hold.NOTHING)


def _moment(told: Any) -> datetime | None:
    """ "2026-11-22T10:00:00Z", as older versions of the CLI wrote it "…UTC"; None for anything else."""
    try:
        found = datetime.fromisoformat(str(told).replace("UTC", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
