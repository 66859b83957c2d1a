"""The embedded AWS as a child of whoever needs it: the launcher, or the dashboard's server when started alone."""

import json
import os
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path
from urllib.parse import urlsplit

from dashboard.child import Child, environment, log_file
from dashboard.core.errors import InvalidInput, ServiceFault, Unreachable
from dashboard.core.home import home as home_of

READY_SECONDS = 30.0
OURS = "_KENNEL_LAUNCHER"
"""Set by the launcher in the dashboard's environment: the embedded AWS is somebody else's child already."""


class Embedded:
    """An embedded AWS that is starting or running. `child` is None when it is another process's."""

    def __init__(self, state: Path, child: Child) -> None:
        self.state = state
        self.child: Child | None = child
        self._ready = threading.Event()
        self._address = ""
        # Its output must be read for as long as it lives, or it would stand still once the pipe is full.
        self._reader = threading.Thread(target=self._read, args=(child,), name="embedded-aws", daemon=True)
        self._reader.start()

    @property
    def address(self) -> str:
        """Where it listens; "" until it is ready."""
        return self._address

    def wait(self, seconds: float = READY_SECONDS, clock: Callable[[], float] = time.monotonic) -> str:
        """Wait until it answers; returns its address. Raises ServiceFault with the end of its log."""
        deadline = clock() + seconds
        while not self._ready.wait(0.05):
            child = self.child
            if child is None or self._is_taken(child):
                self.stop()
                self.child = None
                self._address = _answering(self.state, deadline, clock)
                self._ready.set()
            elif child.code is not None:
                self.stop()
                raise _failed(f"it ended with code {child.code}", child)
            elif clock() > deadline:
                child.kill()
                self.stop()
                raise _failed(f"it was not ready within {seconds:.0f} s", child)
        return self._address

    def stop(self) -> None:
        """End it, if it is ours."""
        if self.child:
            self.child.stop()
            self._reader.join(5)

    def _read(self, child: Child) -> None:
        assert child.output is not None  # noqa: S101 - it was started with read_output
        with child.output as output:
            for line in output:
                if not self._ready.is_set() and line.startswith(b"{"):
                    self._address = str(json.loads(line)["endpoint_url"])
                    self._ready.set()

    def _is_taken(self, child: Child) -> bool:
        """It refused to start because another one holds the state folder."""
        return child.code is not None and "already runs on" in child.said()


def start(home: Path, environ: Mapping[str, str] = os.environ) -> Embedded:
    """Start the embedded AWS of a state folder, and do not wait for it. Raises OSError when it cannot be started."""
    state = home / "aws"
    child = Child(
        [sys.executable, "-m", "local_aws", "--state", str(state), "--port", str(_port(state)), *_pace(environ)],
        environ=environment(environ),
        log=log_file(home, "aws"),
        read_output=True,
    )
    return Embedded(state, child)


def ensure(home: Path | None = None, environ: Mapping[str, str] = os.environ) -> Embedded | None:
    """See to it that an embedded AWS answers for this state folder, and start one where none does.

    None when the launcher takes care of it. The one started here ends with this process, however that ends. Raises
    ServiceFault when it does not start.
    """
    if environ.get(OURS):
        return None
    running = start(home or home_of(environ), environ)
    running.wait()
    return running


def is_answering(address: str, seconds: float = 1.0) -> bool:
    """Whether an embedded AWS answers at an address."""
    # Never through a proxy: the address is this machine's.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{address}/_kennel/health", timeout=seconds) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _answering(state: Path, deadline: float, clock: Callable[[], float]) -> str:
    """The address of the one that holds the state folder already; it may still be starting."""
    while clock() < deadline:
        address = _last_address(state)
        if address and is_answering(address):
            return address
        time.sleep(0.1)
    raise Unreachable(
        "the embedded AWS does not answer",
        f"another process runs one on {state}, and it does not become ready",
        "stop that process, then start Kennel again",
    )


def _last_address(state: Path) -> str:
    try:
        return str(json.loads((state / "client.json").read_text())["endpoint_url"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _pace(environ: Mapping[str, str]) -> list[str]:
    """How fast it waits, as KENNEL_TIME_SCALE and KENNEL_INSTANCE_START ask for it. Raises InvalidInput."""
    asked = {"--time-scale": "KENNEL_TIME_SCALE", "--instance-start": "KENNEL_INSTANCE_START"}
    for name in asked.values():
        if environ.get(name) and not _is_number(environ[name]):
            raise InvalidInput(
                f"{name}={environ[name]} is not a number",
                "it says how the embedded AWS waits",
                f"set it to a number, or leave {name} out",
            )
    return [part for option, name in asked.items() if environ.get(name) for part in (option, environ[name])]


def _is_number(text: str) -> bool:
    try:
        return 0 <= float(text) < inf
    except ValueError:
        return False


def _port(state: Path) -> int:
    """The port used last, so that other tools' settings stay right; 0 (any free one) when it is taken or unknown."""
    port = urlsplit(_last_address(state)).port or 0
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def _failed(why: str, child: Child) -> ServiceFault:
    said = child.said()
    return ServiceFault(
        "the embedded AWS did not start",
        f"{why}; its last lines:\n{said}\n" if said else why,
        f"its whole log is {child.log}",
    )
