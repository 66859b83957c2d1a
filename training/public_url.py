"""What a URL that a stranger names may look like, and which addresses belong to the open internet.

This file also travels inside model archives; it needs the standard library and images.py, which lies beside it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import quote, urlsplit

if __package__:
    from training.images import BadPhoto
else:  # in a model archive, where images.py lies beside this file
    from images import BadPhoto  # type: ignore[import-not-found,no-redef,unused-ignore]

Address = IPv4Address | IPv6Address
UNUSUAL = "This address is written in an unusual way: give it as https://host/path, with the host's plain name."
_MAX_URL = 2048
_HOST = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
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


def parse(url: str, ports: Mapping[str, int]) -> Target:
    """A URL taken apart, if it is one that may be asked for. Raises BadPhoto.

    `ports` are the schemes that are spoken, with the one port of each.

    Refused are other schemes and ports, credentials, and every spelling of a host that programs read differently: odd
    numbers (0x7f.1, 2130706433, 0177.0.0.1), percent signs, backslashes, control characters, letters beyond ASCII.
    """
    if len(url) > _MAX_URL:
        raise BadPhoto(f"This address is longer than {_MAX_URL} characters: give a shorter one.")
    # urlsplit would drop line ends and tabs, and browsers read a backslash as a slash.
    if any(character <= " " or character in "\\\x7f" for character in url):
        raise BadPhoto(UNUSUAL)
    try:
        url.encode()  # half a character, as JSON can hold it, has no bytes
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadPhoto(UNUSUAL) from error
    if parts.scheme not in ports:
        spoken = " or ".join(f"{scheme}://" for scheme in ports)
        raise BadPhoto(f"Photos are fetched from {spoken} addresses only: give one, or send the photo itself.")
    if "@" in parts.netloc:
        raise BadPhoto("This address holds a user name or password, which is never sent on: give it without them.")
    if port is not None and port != ports[parts.scheme]:
        raise BadPhoto(f"Port {port} is not asked for photos: give an address without a port.")
    host = _host(parts.netloc)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return Target(parts.scheme, host, ports[parts.scheme], f"{path}?{query}" if query else path)


def _host(netloc: str) -> str:
    if netloc.startswith("["):
        inside, _, rest = netloc[1:].partition("]")
        try:
            address = IPv6Address(inside)
        except ValueError as error:
            raise BadPhoto(UNUSUAL) from error
        if address.scope_id is not None or (rest and not rest.startswith(":")):
            raise BadPhoto(UNUSUAL)
        return str(address)
    name, _, _ = netloc.partition(":")
    if not name.isascii():  # some letters beyond ASCII become ASCII when they are lowered
        raise BadPhoto(UNUSUAL)
    host = name.lower().removesuffix(".")
    # A last label that is a number makes the whole an IPv4 address to some programs and a name to others.
    if _NUMERIC_END.fullmatch(host):
        try:
            return str(IPv4Address(host))
        except ValueError as error:
            raise BadPhoto(UNUSUAL) from error
    if not _HOST.fullmatch(host):
        raise BadPhoto(UNUSUAL)
    return host


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
