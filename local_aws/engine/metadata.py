"""The instance metadata service (IMDS) of one instance, on a port of 127.0.0.1, as botocore and scripts ask it.

Version 2: a token by PUT, then GETs that carry it; version 1, without a token, where HttpTokens is "optional". On AWS
only the instance reaches 169.254.169.254; here only its own processes are answered, which is looked up in /proc where
the system has it, so that neither another instance nor anybody else on this machine gets the role's keys.
"""

import http.client
import json
import logging
import os
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from local_aws.engine.leash import descendants

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
TOKEN_HEADER, TTL_HEADER = "X-aws-ec2-metadata-token", "X-aws-ec2-metadata-token-ttl-seconds"
LONGEST_TOKEN = 21_600
_VERSION = re.compile(r"latest|1\.0|20\d\d-\d\d-\d\d")
_SECONDS = re.compile(r"[0-9]{1,5}")
_IDLE_SECONDS = 30.0
_MOST_TOKENS = 2048
_LARGEST_BODY = 4096  # of a request, which has no use for one

Leaf = str | Callable[[], str | None]
Tree = Mapping[str, "Leaf | Tree"]


@dataclass(frozen=True)
class Facts:
    """What the service tells now. metadata: below meta-data/, texts or what makes one (None: not there)."""

    metadata: Tree
    user_data: bytes = b""
    identity: Mapping[str, Any] = field(default_factory=dict)
    tokens_required: bool = True
    enabled: bool = True


class Metadata:
    """The service; `look` gives the facts at each request. Close it when the instance goes down.

    process: the one that all others of the instance are below, 0 when it is down; without it, every process of the user
    who runs this server is answered.
    """

    def __init__(
        self,
        look: Callable[[], Facts],
        *,
        process: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._process = process
        self._clock = clock
        self._tokens: dict[str, float] = {}
        self._lock = threading.Lock()
        service = self

        class Handler(_Handler):
            metadata = service

        self._server = _Server((HOST, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="metadata", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The value of AWS_EC2_METADATA_SERVICE_ENDPOINT."""
        return "http://{}:{}".format(*self.address)

    @property
    def address(self) -> tuple[str, int]:
        return HOST, self._server.server_address[1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def new_token(self, seconds: str | None) -> str | None:
        """A token for so many seconds; None for a time to live that is none."""
        if seconds is None or not _SECONDS.fullmatch(seconds) or not 1 <= int(seconds) <= LONGEST_TOKEN:
            return None
        token = secrets.token_urlsafe(40)
        now = self._clock()
        with self._lock:
            if len(self._tokens) >= _MOST_TOKENS:
                valid = [(known, until) for known, until in self._tokens.items() if until > now]
                self._tokens = dict(valid[-_MOST_TOKENS // 2 :])  # bounded, whatever a script asks for
            self._tokens[token] = now + int(seconds)
        return token

    def knows(self, host: str, port: int) -> bool:
        """Whether the other end of a connection on this machine is the instance's."""
        found = end_of(host, port)
        if found is None:
            return True  # a system that does not say
        if self._process is None:
            return found.user == os.getuid()
        first = self._process()
        return bool(first) and any(_holds(pid, found.inode) for pid in (first, *descendants(first)))

    def answer(self, path: str, token: str | None) -> tuple[int, bytes, str]:
        """Status, body and content type of a GET."""
        facts = self._look()
        if not facts.enabled:
            return 403, b"", "text/plain"
        if (token is None and facts.tokens_required) or (token is not None and not self._is_valid(token)):
            return 401, b"", "text/plain"
        found = _find(facts, [part for part in path.split("?")[0].split("/") if part])
        if found is None:
            return 404, b"", "text/plain"
        kind = "application/octet-stream" if isinstance(found, bytes) else "text/plain"
        return 200, found if isinstance(found, bytes) else found.encode(), kind

    def _is_valid(self, token: str) -> bool:
        with self._lock:
            return self._tokens.get(token, 0.0) > self._clock()


def _find(facts: Facts, parts: list[str]) -> str | bytes | None:
    if not parts:
        return "latest"
    if not _VERSION.fullmatch(parts[0]):
        return None
    match parts[1:]:
        case []:
            return "dynamic\nmeta-data\nuser-data"
        case ["user-data"]:
            return facts.user_data or None
        case ["dynamic"]:
            return "instance-identity/"
        case ["dynamic", "instance-identity"]:
            return "document"
        case ["dynamic", "instance-identity", "document"]:
            return json.dumps(facts.identity, indent=2)
        case ["meta-data", *rest]:
            return _walk(facts.metadata, rest)
    return None


def _walk(tree: Tree, parts: list[str]) -> str | None:
    found: Leaf | Tree | None = tree
    for part in parts:
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    if isinstance(found, Mapping):
        return "\n".join(name + ("/" if isinstance(below, Mapping) else "") for name, below in found.items())
    return found() if callable(found) else found


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # who asked has gone
            log.exception("metadata for %s", client_address)


class _Handler(BaseHTTPRequestHandler):
    metadata: Metadata
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS

    @cached_property
    def _is_known(self) -> bool:
        """Looked up once a connection."""
        return self.metadata.knows(*self.client_address[:2])

    def do_PUT(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not _SECONDS.fullmatch(length) or int(length) > _LARGEST_BODY:
            self.close_connection = True
            self._send(400, b"")
            return
        self.rfile.read(int(length))
        if self._is_strange():
            self._send(403, b"")
        elif self.path.split("?")[0].rstrip("/") != "/latest/api/token":
            self._send(405, b"")
        elif token := self.metadata.new_token(self.headers.get(TTL_HEADER)):
            self._send(200, token.encode(), **{TTL_HEADER: self.headers[TTL_HEADER]})
        else:
            self._send(400, b"")

    def do_GET(self) -> None:
        if self._is_strange():
            self._send(403, b"")
            return
        self._send(*self.metadata.answer(self.path, self.headers.get(TOKEN_HEADER)))

    def _is_strange(self) -> bool:
        """Whether the request does not come from the instance: through a proxy, from a web page, or another user."""
        host = (self.headers.get("Host") or "").rpartition(":")[0]
        forwarded = any(self.headers.get(name) for name in ("X-Forwarded-For", "Origin", "Sec-Fetch-Site"))
        return forwarded or host != HOST or not self._is_known

    def _send(self, status: int, body: bytes, kind: str = "text/plain", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self._send(code, (message or http.client.responses.get(code, "")).encode())

    def log_message(self, format: str, *args: object) -> None:
        return


@dataclass(frozen=True)
class Peer:
    """The other end of a connection: its user's id and its socket's number; -1 and 0 for one that is gone."""

    user: int = -1
    inode: int = 0


def end_of(host: str, port: int, folder: Path = Path("/proc/net")) -> Peer | None:
    """Who is at the other end of a connection on this machine; None where the system does not say."""
    address = "".join(f"{int(part):02X}" for part in reversed(host.split(".")))
    # a socket of IPv6 can reach an address of IPv4, and is listed apart
    for table, packed in (("tcp", address), ("tcp6", f"0000000000000000FFFF0000{address}")):
        try:
            lines = (folder / table).read_text().splitlines()[1:]
        except OSError:
            if table == "tcp":
                return None
            continue
        for fields in (line.split() for line in lines):
            if fields[1] == f"{packed}:{port:04X}" and fields[3] == "01":  # established
                return Peer(int(fields[7]), int(fields[9]))
    return Peer()


def _holds(pid: int, inode: int) -> bool:
    """Whether a process has that socket open."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            return any(os.readlink(entry.path) == f"socket:[{inode}]" for entry in entries)  # noqa: PTH115
    except OSError:  # it ended while we looked
        return False
