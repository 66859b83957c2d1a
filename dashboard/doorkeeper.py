"""Who is let in by this server: the settings as they stand now, and what they say of a sign-in.

Whether people sign in at all is settled when the server starts. Who they are is read again whenever the secrets file
changed, so that a role that is taken away is gone with the next thing that is done. A file that cannot be read any
more lets nobody in.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from dashboard.core import exposure, sign_in
from dashboard.core.errors import KennelError, Refused
from dashboard.core.exposure import Share
from dashboard.core.home import home
from dashboard.core.people import GUEST, OWNER, Person, called, person, verified_address
from dashboard.core.sign_in import SignIn
from dashboard.core.signed_out import SignedOut, sign_in_of


class Doorkeeper:
    """Says who somebody is. Safe to share between threads."""

    def __init__(self, secrets: Path, signed_out: SignedOut, share: Share | None, clock: Callable[[], float]) -> None:
        """Raises what `sign_in.read` raises."""
        self.share = share
        self.is_guarded = False
        """Whether the gate (gate.py) stands before the pages: without it their pictures and files are everybody's."""
        self._secrets = secrets
        self._signed_out = signed_out
        self._clock = clock
        self._lock = threading.Lock()
        self._stamp = self._now()
        self._sign_in = None if share else sign_in.read(secrets)

    @property
    def asks(self) -> bool:
        """Whether people sign in here."""
        return self._sign_in is not None

    @property
    def origin(self) -> str:
        """This server as a browser knows it, by the address that the provider sends people back to; "" without one."""
        return self._sign_in.origin if self._sign_in else ""

    @property
    def settings(self) -> SignIn:
        """How people sign in, as the file says it now. Raises InvalidInput or Refused where it says so no more."""
        with self._lock:
            if (stamp := self._now()) != self._stamp or self._sign_in is None:
                self._sign_in = sign_in.read(self._secrets) or self._sign_in_is_gone()
                self._stamp = stamp
            return self._sign_in

    def who(self, claims: Mapping[str, Any]) -> Person | None:
        """The person behind the claims of a cookie; None for nobody, or for whom the sign-in has ended.

        Raises Refused for who signed in and has no role here, and what `settings` raises.
        """
        if self.share:
            return GUEST
        if not self.asks:
            return OWNER
        settings = self.settings
        if not claims.get("is_logged_in") or self.has_ended(claims):
            return None
        if found := person(claims, settings.rules):
            return found
        address = str(claims.get("email") or "")
        is_doubtful = bool(address) and not verified_address(claims)
        verify = "have the provider verify it and sign in again, or " if is_doubtful else ""
        raise Refused(
            f"there is no role here for {address or called(claims)}",
            "the sign-in provider has not verified that address"
            if is_doubtful
            else "you are signed in, and nobody has said what you may do",
            f"{verify}ask {settings.ask or 'whoever runs this Kennel'} for one",
        )

    def knows(self, claims: Mapping[str, Any]) -> Person | None:
        """The same for a request that nobody reads the refusal of: None for everybody who is not let in."""
        try:
            return self.who(claims)
        except KennelError:
            return None

    def has_ended(self, claims: Mapping[str, Any]) -> bool:
        """Whether the sign-in was ended, or is older than sign-ins hold. One without its moment has."""
        return self._clock() >= self._until(claims) or self._signed_out.has(sign_in_of(claims))

    def until(self, claims: Mapping[str, Any]) -> datetime:
        """When a sign-in ends by itself."""
        return datetime.fromtimestamp(self._until(claims), UTC)

    def end(self, claims: Mapping[str, Any]) -> None:
        """Somebody signs out: in every tab, and for whoever copied their cookie. Raises ServiceFault."""
        self._signed_out.end(sign_in_of(claims), self._until(claims))

    def _until(self, claims: Mapping[str, Any]) -> float:
        at = claims.get("iat")
        if isinstance(at, bool) or not isinstance(at, (int, float)):
            return 0.0
        return at + self.settings.hours * 3600

    def _now(self) -> tuple[int, int, int]:
        try:
            told = self._secrets.stat()
        except OSError:
            return (0, 0, 0)
        return (told.st_ino, told.st_size, told.st_mtime_ns)

    def _sign_in_is_gone(self) -> SignIn:
        raise Refused(
            "nobody can be let in",
            f"{self._secrets.name} no longer says how people sign in",
            "put [auth] back, or start Kennel again to run it without sign-in",
        )


@cache
def doorkeeper() -> Doorkeeper:
    """The one of this server, by the environment it was started in. Raises InvalidInput or Refused."""
    ended = SignedOut(home() / "signed-out.sqlite")
    return Doorkeeper(sign_in.secrets_file(os.environ), ended, exposure.shared(os.environ), time.time)
