"""How a message of SNS or of AWS Budgets gets to people and programs.

No e-mail leaves this machine: what would be sent is kept as lines of the log group `OUTBOX`, a stream for each
address, where people and pages read it. Programs of this machine get theirs by HTTP, as SNS posts it.
"""

import http.client
import ipaddress
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from local_aws.errors import ServiceError

log = logging.getLogger(__name__)

OUTBOX = "kennel/outbox"
TIMEOUT_SECONDS = 15.0  # SNS waits as long for an HTTP endpoint
RETRIES, RETRY_SECONDS = 3, 20.0  # SNS's default policy for HTTP: three retries, 20 s apart
WORKERS = 4
MOST_WAITING = 1_000  # messages for programs; one that takes none must not fill the memory
_PRINTABLE = re.compile(r"[!-~]+")

Append = Callable[[str, str, Sequence[tuple[int, str]]], None]


class Delivery:
    """append: writes (epoch milliseconds, line) to a log group and stream. now: epoch seconds."""

    def __init__(
        self,
        append: Append,
        *,
        now: Callable[[], float] = time.time,
        apart: float = RETRY_SECONDS,
        waiting: int = MOST_WAITING,
    ) -> None:
        self._append = append
        self._now = now
        self._apart = apart
        self._ended = threading.Event()
        self._workers: ThreadPoolExecutor | None = None
        self._places = threading.BoundedSemaphore(waiting)

    def start(self) -> None:
        self._ended.clear()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="sns")

    def stop(self) -> None:
        """Give up on what has not been delivered."""
        self._ended.set()
        if self._workers is not None:
            self._workers.shutdown(wait=True, cancel_futures=True)

    def keep(self, to: str, subject: str, message: str, sender: str, problem: str = "") -> None:
        """Keep what would be mailed to an address; `problem` says why even AWS would not have sent it."""
        told = {"to": to, "from": sender, "subject": subject, "message": message, "problem": problem}
        stream = "".join("-" if sign in ":*" else sign for sign in to)[:512]
        self._append(OUTBOX, stream, [(int(self._now() * 1000), json.dumps(told))])

    def post(self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
        """Post to a program of this machine, later and up to four times; nobody waits for it."""
        text = json.dumps(body)
        if self._workers is None or self._ended.is_set():
            return
        if self._places.acquire(blocking=False):
            self._workers.submit(self._try, url, dict(headers), text).add_done_callback(self._done)
        else:
            self._keep_undelivered(url, text, "too many messages wait to be delivered")

    def _done(self, tried: Future[None]) -> None:
        self._places.release()
        failed = None if tried.cancelled() else tried.exception()
        if failed is not None:
            log.error("a message was lost", exc_info=failed)

    def _try(self, url: str, headers: Mapping[str, str], text: str) -> None:
        for attempt in range(1 + RETRIES):
            if attempt and self._ended.wait(self._apart):
                return
            try:
                status = _send(url, headers, text)
            except (OSError, http.client.HTTPException, ValueError) as failed:  # ValueError: no request can hold it
                problem = f"{type(failed).__name__}: {failed}"
            else:
                if 200 <= status < 300:
                    return
                problem = f"HTTP {status}"
                if 400 <= status < 500 and status != 429:
                    break  # SNS does not try again what the other side refuses for good
        self._keep_undelivered(url, text, problem)

    def _keep_undelivered(self, url: str, text: str, problem: str) -> None:
        log.warning("not delivered to %s: %s", url, problem)
        told = json.loads(text)
        self.keep(url, str(told.get("Subject", "")), str(told.get("Message", "")), "sns.amazonaws.com", problem)


def check_is_local(url: str) -> None:
    """Raises ServiceError InvalidParameter for an address that is not on this machine."""
    try:
        parts = urlsplit(url)
        host, is_plain = parts.hostname or "", parts.scheme == "http" and not parts.username
        port = parts.port
    except ValueError:
        host, is_plain, port = "", False, None
    if not is_plain or not host or port == 0 or not _is_loopback(host) or not _PRINTABLE.fullmatch(url):
        raise ServiceError(
            "InvalidParameter",
            "Invalid parameter: Endpoint Reason: The embedded AWS delivers by http:// to programs of this machine "
            "only (127.0.0.1, [::1] or localhost), written in ASCII. Use a real AWS account for another address.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return "%" not in host and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _send(url: str, headers: Mapping[str, str], text: str) -> int:
    """The HTTP status that a program answers. Raises OSError and http.client.HTTPException."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, text.encode(), {"Content-Type": "text/plain; charset=UTF-8", **headers})
        return connection.getresponse().status
    finally:
        connection.close()
