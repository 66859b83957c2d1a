"""A file at an https address, for training.download: its parts, its version, and what a refusal means."""

import http.client
import ipaddress
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from training.download import Interrupted, Part
from training.errors import BadSource

_TIMEOUT = 30.0
_WORTH_ANOTHER_TRY = frozenset((408, 429, 500, 502, 503, 504))
_NO_NETWORK = (socket.gaierror, ConnectionRefusedError)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        require_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(frozen=True)
class _Answer:
    """An answer's body."""

    response: Any

    def read(self, amount: int, /) -> bytes:
        try:
            return bytes(self.response.read(amount))
        except (OSError, http.client.HTTPException) as error:
            raise Interrupted(f"the connection broke: {_why(error)}") from error

    def close(self) -> None:
        self.response.close()


@dataclass(frozen=True)
class WebFile:
    """A file at an https address (http on this machine only); proxies are those of the environment."""

    url: str
    timeout: float = _TIMEOUT
    """Seconds without a byte after which a connection counts as broken"""

    @property
    def name(self) -> str:
        return self.url

    def open(self, start: int, version: str) -> Part:
        require_https(self.url)
        request = urllib.request.Request(self.url, headers={"Accept-Encoding": "identity", "User-Agent": "kennel"})
        if start and version:
            request.add_header("Range", f"bytes={start}-")
            # Another version by now comes whole, with 200 instead of 206.
            request.add_header("If-Range", version)
        try:
            answer = urllib.request.build_opener(_SafeRedirects).open(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            with error:
                return self._refused(error, start)
        except urllib.error.URLError as error:
            raise self._unreachable(error.reason, start) from error
        except (OSError, http.client.HTTPException) as error:
            raise Interrupted(_why(error)) from error
        return self._part(answer)

    def _part(self, answer: Any) -> Part:
        headers = answer.headers
        # A weak tag only promises a file that means the same, not the same bytes.
        tag = headers.get("ETag", "")
        version = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
        if headers.get("Content-Encoding", "identity") != "identity":
            answer.close()
            raise BadSource(f"{self.url} comes in another coding than was asked for: download it by hand.")
        if answer.status == http.client.PARTIAL_CONTENT:
            start, total = _range(headers.get("Content-Range", ""))
            return Part(_Answer(answer), start, total, version)
        length = headers.get("Content-Length", "")
        return Part(_Answer(answer), 0, int(length) if length.isdecimal() else None, version)

    def _refused(self, error: urllib.error.HTTPError, start: int) -> Part:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            # Nothing is left to send, or the file has become shorter; beginning anew is right in both cases.
            return self.open(0, "")
        if error.code in _WORTH_ANOTHER_TRY:
            raise Interrupted(f"its server answered {error.code} {error.reason}") from error
        advice = "check the address" if error.code in (404, 410) else "check that it may be read without signing in"
        raise BadSource(f"{self.url} cannot be downloaded (HTTP {error.code} {error.reason}): {advice}.") from error

    def _unreachable(self, reason: object, start: int) -> Exception:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return BadSource(
                f"{self.url} is not trusted ({reason.verify_message}): check the address and this machine's clock."
            )
        if not start and isinstance(reason, _NO_NETWORK):
            host = urlsplit(self.url).hostname
            return BadSource(
                f"{host} cannot be reached ({_why(reason)}): there may be no network here. Download {self.url} "
                "elsewhere and give the .zip file instead."
            )
        return Interrupted(_why(reason))


def require_https(url: str) -> None:
    """Raises BadSource for an address whose content anybody on the way could have changed."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and _is_this_machine(parts.hostname or ""):
        return
    raise BadSource(
        f"{url} is not downloaded: only https addresses are, so that nobody on the way can change the data."
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _range(header: str) -> tuple[int, int | None]:
    """`bytes 5-9/10` → (5, 10)."""
    span, _, total = header.removeprefix("bytes ").partition("/")
    start = span.partition("-")[0]
    if not start.isdecimal():
        raise Interrupted(f"its server answered with a range that makes no sense: {header!r}")
    return int(start), int(total) if total.isdecimal() else None


def _why(error: object) -> str:
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, TimeoutError):
        return "nothing came any more"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
