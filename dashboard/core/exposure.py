"""Who can reach the server, and whether that may be: everybody who can may do everything where nobody signs in."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from dashboard.core.errors import InvalidInput, Refused

ADDRESS, HOSTS, PUBLIC, SHARE = "KENNEL_ADDRESS", "KENNEL_HOSTS", "KENNEL_PUBLIC", "KENNEL_SHARE"
LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104 - named to be refused
EVERYBODY = "everybody"
SWITCHES = frozenset({"yes", "true", "on", "y", "t", "no", "false", "off", "n", "f"})
"""What people write for 1 and 0, and would not call an endpoint."""
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_HOST = re.compile(r"\*|(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[?[0-9a-f:.]+\]?")


@dataclass(frozen=True)
class Share:
    """Classify alone, for everybody. `endpoint`: the one that answers; "" for the starter, else the newest."""

    endpoint: str = ""


def shared(environ: Mapping[str, str] = os.environ) -> Share | None:
    """What KENNEL_SHARE asks for: 1, or an endpoint's name; None for nothing. Raises InvalidInput for no name."""
    told = environ.get(SHARE, "").strip()
    if told in ("", "0"):
        return None
    if told == "1":
        return Share()
    if not _NAME.fullmatch(told) or told.lower() in SWITCHES:
        raise InvalidInput(f"{SHARE} names no endpoint", f'it is "{told}"', f"set {SHARE}=1, or an endpoint's name")
    return Share(told)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


def check(address: str, environ: Mapping[str, str], *, has_sign_in: bool) -> None:
    """Raises Refused for an address that others reach, where whoever opens it would be an engineer.

    A name in KENNEL_HOSTS says that others do, through a proxy: whatever this server itself listens on.
    """
    named = [name for name in hosts(environ) if not is_loopback(name)]
    if (is_loopback(address) and not named) or has_sign_in or shared(environ) is not None:
        return
    told = environ.get(PUBLIC, "").strip()
    if told == EVERYBODY:
        return
    raise Refused(
        f"Kennel does not listen on {named[0] if named else address} without sign-in",
        "whoever reaches that address could read and change everything in the account",
        "let people sign in ([auth] in the secrets file), share Classify alone (KENNEL_SHARE=1), or say that "
        f"everybody may do everything: {PUBLIC}={EVERYBODY}",
    )


def hosts(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The names by which people reach this server through a proxy, by KENNEL_HOSTS. Raises InvalidInput."""
    told = [part.strip().lower() for part in environ.get(HOSTS, "").split(",") if part.strip()]
    if wrong := [part for part in told if not _HOST.fullmatch(part)]:
        raise InvalidInput(
            f"{HOSTS} has what is no host name",
            f'it names "{wrong[0]}"',
            "name hosts without https:// and without a port: kennel.example.com",
        )
    return tuple(part.strip("[]") for part in told)
