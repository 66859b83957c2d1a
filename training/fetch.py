"""Fetching a photo from an address that a stranger names, without becoming the stranger's hands.

An address may lead to the instance's own metadata service, to machines of the private network or to a server that
never ends its answer. So: https only, the host's every address must be a public one, the connection goes to exactly
the address that was checked (nothing is resolved twice), each redirect starts over from the first check, and time,
bytes and redirects are limited in total. No proxy, cookie, credential or Referer is ever sent.

This file also travels inside model archives; it needs the standard library, and the two modules imported
below, which lie beside it.
"""

import functools
import http.client
import io
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin

if __package__:
    from training.images import BadPhoto
    from training.public_url import UNUSUAL, Address, Target, is_public, parse
else:  # in a model archive, where the others lie beside this file
    from images import BadPhoto  # type: ignore[import-not-found,no-redef,unused-ignore]
    from public_url import (  # type: ignore[import-not-found,no-redef,unused-ignore]
        UNUSUAL,
        Address,
        Target,
        is_public,
        parse,
    )

MAX_BYTES = 10 * 1024 * 1024
"""Bytes of one fetched photo."""
SECONDS = 8.0
"""For everything together: names, connections, redirects and the photo itself."""
_MAX_HEADERS = 64 * 1024
_MAX_LOOKUPS = 32
_MAX_ADDRESSES = 4
_CHUNK = 64 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_NO_PHOTO = (
    "text/",
    "application/json",
    "application/xml",
    "application/xhtml",
    "application/javascript",
    "multipart/",
)


def system_addresses(host: str, port: int) -> list[str]:
    """The host's addresses as text, as this machine resolves them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _ports_from_environment() -> dict[str, int]:
    return {"https": 443} | ({"http": 80} if os.environ.get("KENNEL_ALLOW_HTTP") == "1" else {})


@dataclass(frozen=True)
class Rules:
    """What may be fetched. Everything but the defaults is for tests and for networks of their own.

    `ports` are the schemes that are spoken and the one port of each; `is_allowed` judges an address; `resolve` gives a
    host's addresses as text, or raises OSError; `seconds` and `max_bytes` hold for one photo in all.
    """

    ports: dict[str, int] = field(default_factory=_ports_from_environment)
    seconds: float = SECONDS
    max_bytes: int = MAX_BYTES
    redirects: int = 3
    is_allowed: Callable[[Address], bool] = is_public
    resolve: Callable[[str, int], Sequence[str]] = system_addresses
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context
    clock: Callable[[], float] = time.monotonic


def fetch(url: str, rules: Rules | None = None) -> bytes:
    """The bytes behind a URL, at most `rules.max_bytes`. Raises BadPhoto with a sentence for whoever sent the URL.

    That sentence never tells what an address that is not public answers: such an address is never asked.
    """
    rules = rules or Rules()
    deadline = rules.clock() + rules.seconds
    target = parse(url, rules.ports)
    for _ in range(rules.redirects + 1):
        found = _get(target, rules, deadline)
        if isinstance(found, bytes):
            return found
        try:
            url = urljoin(target.url, found)
        except ValueError as error:
            raise BadPhoto(UNUSUAL) from error
        target = parse(url, rules.ports)
    raise BadPhoto(f"This address redirects more than {rules.redirects} times: give the photo's own address.")


def _get(target: Target, rules: Rules, deadline: float) -> bytes | str:
    """The body of one answer, or the address that it redirects to."""
    addresses = _addresses(target, rules, deadline)
    raw = _connected(addresses, target.port, rules, deadline)
    try:
        try:
            wire: socket.socket = raw
            if target.scheme == "https":
                raw.settimeout(_left(rules, deadline))
                wire = raw = _tls(rules.tls).wrap_socket(raw, server_hostname=target.host)
            return _exchange(wire, target, rules, deadline)
        except ssl.SSLCertVerificationError as error:
            raise BadPhoto("This address has no certificate that proves whose it is: give another one.") from error
        except TimeoutError as error:
            raise BadPhoto(_too_slow(rules)) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BadPhoto("The server at this address gave no answer that makes sense: give another one.") from error
    finally:
        raw.close()


@functools.cache
def _tls(make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Made once: reading the certificates of all authorities takes 20 ms."""
    return make()


def _exchange(wire: socket.socket, target: Target, rules: Rules, deadline: float) -> bytes | str:
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = _Wire(wire, rules, deadline)  # all that http.client uses of a socket
    connection.putrequest("GET", target.path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", f"[{target.host}]" if ":" in target.host else target.host)
    connection.putheader("User-Agent", "kennel")
    connection.putheader("Accept", "image/*")
    connection.putheader("Accept-Encoding", "identity")
    connection.putheader("Connection", "close")
    connection.endheaders()
    answer = connection.getresponse()
    if answer.status in _REDIRECTS:
        place = answer.getheader("Location")
        if not place:
            raise BadPhoto("This address redirects to nowhere: give the photo's own address.")
        return place.encode("latin-1").decode("utf-8", "replace")
    if answer.status != 200:
        raise BadPhoto(f"The server at this address answered with {answer.status}, not with a photo: check it.")
    kind = (answer.getheader("Content-Type") or "").strip().lower()
    if kind.startswith(_NO_PHOTO):
        raise BadPhoto(f"This address gives {kind.partition(';')[0][:60]}, not a photo: give the photo's own address.")
    # Asked for without; a small body that inflates to gigabytes is an old trick, so it is not inflated at all.
    if (answer.getheader("Content-Encoding") or "identity").strip().lower() != "identity":
        raise BadPhoto("The server at this address compresses photos once more: give another address.")
    if answer.length is not None and answer.length > rules.max_bytes:
        raise BadPhoto(_too_large(rules))
    body = bytearray()
    while chunk := answer.read(_CHUNK):
        body += chunk
        if len(body) > rules.max_bytes:
            raise BadPhoto(_too_large(rules))
    if answer.length:
        raise BadPhoto("The server at this address broke off within the photo: try again.")
    return bytes(body)


def _addresses(target: Target, rules: Rules, deadline: float) -> list[Address]:
    """The host's addresses, all of them allowed: one that is not makes the whole host suspicious."""
    try:
        found: list[Address] = [ip_address(target.host)]
    except ValueError:
        texts = _in_time(lambda: rules.resolve(target.host, target.port), rules, deadline)
        try:
            found = [ip_address(text) for text in texts]
        except ValueError as error:
            raise BadPhoto(_unknown(target.host)) from error
    if not found:
        raise BadPhoto(_unknown(target.host))
    if not all(rules.is_allowed(address) for address in found):
        raise BadPhoto("This address does not lead to the open internet, and nothing else is asked: give another one.")
    return found


_lookups = threading.BoundedSemaphore(_MAX_LOOKUPS)


def _in_time(resolve: Callable[[], Sequence[str]], rules: Rules, deadline: float) -> Iterable[str]:
    """A name's addresses. The system's resolver knows no time limit, so it gets a thread that may be left behind."""
    if not _lookups.acquire(blocking=False):
        raise BadPhoto("This machine waits for too many names already: try again in a few seconds.")
    found: list[Sequence[str] | OSError | UnicodeError] = []

    def look() -> None:
        try:
            found.append(resolve())
        except (OSError, UnicodeError) as error:
            found.append(error)
        finally:
            _lookups.release()

    thread = threading.Thread(target=look, name="resolve", daemon=True)
    thread.start()
    thread.join(_left(rules, deadline))
    if not found:
        raise BadPhoto(_too_slow(rules))
    if isinstance(found[0], Exception):
        raise BadPhoto("The host of this address is not known: check the spelling.") from found[0]
    return found[0]


def _connected(addresses: Sequence[Address], port: int, rules: Rules, deadline: float) -> socket.socket:
    """A connection to the first of the checked addresses that takes one."""
    last: OSError | None = None
    for address in addresses[:_MAX_ADDRESSES]:
        raw = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
        try:
            # The others get their turn too when the first swallows everything.
            raw.settimeout(_left(rules, deadline) / (1 if len(addresses) == 1 else 2))
            raw.connect((str(address), port))
        except OSError as error:
            raw.close()
            last = error
        except BaseException:
            raw.close()
            raise
        else:
            return raw
    raise BadPhoto("The server at this address cannot be reached: check it, or try again later.") from last


def _left(rules: Rules, deadline: float) -> float:
    """Seconds until the deadline. Raises BadPhoto when it is over."""
    left = deadline - rules.clock()
    if left <= 0:
        raise BadPhoto(_too_slow(rules))
    return left


class _Wire:
    """What http.client needs of a socket, with time and bytes limited in total."""

    def __init__(self, wire: socket.socket, rules: Rules, deadline: float) -> None:
        self._wire, self._rules, self._deadline = wire, rules, deadline

    def sendall(self, data: bytes) -> None:
        self._wire.settimeout(_left(self._rules, self._deadline))
        self._wire.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Stream(self._wire, self._rules, self._deadline), _CHUNK)

    def close(self) -> None:
        """http.client closes its side as soon as the headers are read; the body is read after that."""


class _Stream(io.RawIOBase):
    """The bytes that come in.

    A socket's own time-out starts again with every byte, so that one byte a second would hold a thread for hours.
    """

    def __init__(self, wire: socket.socket, rules: Rules, deadline: float) -> None:
        self._wire, self._rules, self._deadline = wire, rules, deadline
        self._bytes_left = rules.max_bytes + _MAX_HEADERS + _CHUNK

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._wire.settimeout(_left(self._rules, self._deadline))
        count = self._wire.recv_into(buffer)
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise BadPhoto(_too_large(self._rules))
        return count


def _too_slow(rules: Rules) -> str:
    return f"This address did not give its photo within {rules.seconds:g} s: try again, or send the photo itself."


def _too_large(rules: Rules) -> str:
    return f"This address gives more than {rules.max_bytes / 2**20:g} MiB: give a smaller photo."


def _unknown(host: str) -> str:
    return f"The host {host} is not known: check the spelling."
