"""What a browser or a stray program may not do, decided before anything else is looked at.

The server listens on loopback, yet a web page can make this machine's browser call it: by a host name that resolves to
127.0.0.1 (refused by Host) or by a cross-site request (refused by Origin and Sec-Fetch-Site).
"""

from collections.abc import Mapping

_LOCAL = ("127.0.0.1", "localhost", "[::1]")


def host_name(host: str) -> str:
    """A Host header without its port, lower case."""
    name, _, port = host.lower().rpartition(":")
    return name if name and port.isdigit() else host.lower()


def bucket_of_host(host: str) -> str | None:
    """The bucket that a virtual-host request names: `photos` of `photos.localhost:4566`."""
    name = host_name(host)
    return name.removesuffix(".localhost") if name.endswith(".localhost") else None


def refusal(headers: Mapping[str, str], path: str) -> str | None:
    """Why a request is refused, or None. headers: case-insensitive."""
    host = headers.get("host", "")
    if host_name(host) not in _LOCAL and bucket_of_host(host) is None:
        return "This server answers only to 127.0.0.1 and localhost. Use the endpoint_url in client.json."
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        return "Requests made by web pages are refused. Use an AWS client with the keys in client.json."
    if headers.get("sec-fetch-site", "").lower() == "cross-site":
        return "Requests that come from another site are refused. Open the address directly."
    if path == "/moto-api" or path.startswith("/moto-api/"):
        return "The simulator's own control interface is closed. To start anew, stop the server and delete its folder."
    return None
