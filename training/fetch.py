"""Fetching a photo from an address that a stranger names, without becoming the stranger's hands.

An address may lead to the instance's own metadata service, to machines of the private network or to a server that
never ends its answer. So: https only, the host's every address must be a public one, the connection goes to exactly
the address that was checked (nothing is resolved twice), each redirect starts over from the first check, and time,
bytes and redirects are limited in total. No proxy, cookie, credential or Referer is ever sent.

This file also travels inside model archives; it needs the standard library and images.py, which lies beside it.
"""

import functools
import http.client
import io
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

if __package__:
    from training.images import BadPhoto
else:  # in a model archive, where images.py lies beside this file
    from images import BadPhoto  # type: ignore[import-not-found,no-redef,unused-ignore]

Address = IPv4Address | IPv6Address
MAX_BYTES = 10 * 1024 * 1024
"""Bytes of one fetched photo."""
SECONDS = 8.0
"""For everything together: names, connections, redirects and the photo itself."""
_MAX_URL = 2048
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
_HOST = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_LITERAL = "This address is written in an unusual way: give it as https://host/path, with the host's plain name."
# IANA's special-purpose registries and what clouds answer on inside; kept here because Python's own idea of "global"
# changed between its versions. 168.63.129.16 is Azure's own, in the middle of public space.
_NOT_PUBLIC = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
            "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)  # fmt: skip
# Only 2000::/3 is in public use; within it Teredo, ORCHID and benchmarks (2001::/23), documentation, 6to4.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")))
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)


def is_public(address: Address) -> bool:
    """Whether an address belongs to a machine of the open internet.

    IPv6 forms that carry an IPv4 address inside are refused, but for NAT64's well-known prefix: that is how networks
    without IPv4 see the public IPv4 world, and it is judged by the address inside.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address not in _GLOBAL_UNICAST or address.scope_id is not None:
        return False
    return (int(address) >> 32 & 0xFFFFFFFF) not in _ISATAP and not any(address in net for net in _NOT_PUBLIC_6)


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


@dataclass(frozen=True)
class Target:
    """A checked URL, taken apart. `host` is a plain lower-case name or an address as text, `path` has its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}{self.path}"


def fetch(url: str, rules: Rules | None = None) -> bytes:
    """The bytes behind a URL, at most `rules.max_bytes`. Raises BadPhoto with a sentence for whoever sent the URL.

    That sentence never tells what an address that is not public answers: such an address is never asked.
    """
    rules = rules or Rules()
    deadline = rules.clock() + rules.seconds
    target = parse(url, rules)
    for _ in range(rules.redirects + 1):
        found = _get(target, rules, deadline)
        if isinstance(found, bytes):
            return found
        try:
            url = urljoin(target.url, found)
        except ValueError as error:
            raise BadPhoto(_LITERAL) from error
        target = parse(url, rules)
    raise BadPhoto(f"This address redirects more than {rules.redirects} times: give the photo's own address.")


def parse(url: str, rules: Rules) -> Target:
    """A URL taken apart, if it is one that may be asked for. Raises BadPhoto.

    Refused are other schemes and ports, credentials, and every spelling of a host that programs read differently: odd
    numbers (0x7f.1, 2130706433, 0177.0.0.1), percent signs, backslashes, control characters, letters beyond ASCII.
    """
    if len(url) > _MAX_URL:
        raise BadPhoto(f"This address is longer than {_MAX_URL} characters: give a shorter one.")
    # urlsplit would drop line ends and tabs, and browsers read a backslash as a slash.
    if any(character <= " " or character in "\\\x7f" for character in url):
        raise BadPhoto(_LITERAL)
    try:
        url.encode()  # half a character, as JSON can hold it, has no bytes
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadPhoto(_LITERAL) from error
    if parts.scheme not in rules.ports:
        spoken = " or ".join(f"{scheme}://" for scheme in rules.ports)
        raise BadPhoto(f"Photos are fetched from {spoken} addresses only: give one, or send the photo itself.")
    if "@" in parts.netloc:
        raise BadPhoto("This address holds a user name or password, which is never sent on: give it without them.")
    if port is not None and port != rules.ports[parts.scheme]:
        raise BadPhoto(f"Port {port} is not asked for photos: give an address without a port.")
    host = _host(parts.netloc)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return Target(parts.scheme, host, rules.ports[parts.scheme], f"{path}?{query}" if query else path)


def _host(netloc: str) -> str:
    if netloc.startswith("["):
        inside, _, rest = netloc[1:].partition("]")
        try:
            address = IPv6Address(inside)
        except ValueError as error:
            raise BadPhoto(_LITERAL) from error
        if address.scope_id is not None or (rest and not rest.startswith(":")):
            raise BadPhoto(_LITERAL)
        return str(address)
    name, _, _ = netloc.partition(":")
    if not name.isascii():  # some letters beyond ASCII become ASCII when they are lowered
        raise BadPhoto(_LITERAL)
    host = name.lower().removesuffix(".")
    # A last label that is a number makes the whole an IPv4 address to some programs and a name to others.
    if _NUMERIC_END.fullmatch(host):
        try:
            return str(IPv4Address(host))
        except ValueError as error:
            raise BadPhoto(_LITERAL) from error
    if not _HOST.fullmatch(host):
        raise BadPhoto(_LITERAL)
    return host


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
