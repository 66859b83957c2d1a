"""`python -m local_aws --state DIR --port N`: run the embedded AWS until SIGTERM or Ctrl-C.

One JSON line on stdout says that it is ready: endpoint_url, region, access_key_id, secret_access_key. The same is in
DIR/client.json (mode 600), so that any AWS client can be pointed at it; time_scale is there too when waits are shorter
than in AWS (see pace.py).
"""

import argparse
import fcntl
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import IO

import uvicorn

from local_aws import DEFAULT_REGION
from local_aws.keys import install_key, write_private
from local_aws.pace import Pace
from local_aws.patience import PatientProtocol
from local_aws.server import build


class Refused(SystemExit):
    """The server cannot start; the sentence goes to stderr, the exit code is 1."""


def lock(state: Path) -> IO[str]:
    """Hold the state folder for this process; the lock ends with the process, however it ends."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (state / "lock").open("w")
    except OSError as error:
        raise Refused(
            f"The state folder {state} cannot be used: {error.strerror}. Choose another with --state."
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(
            f"Another embedded AWS already runs on {state}. Use it ({state / 'client.json'}), stop it, or choose "
            "another folder with --state."
        ) from None
    return file


def listen(port: int) -> socket.socket:
    """A loopback socket on the port (0: any free one)."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # inherited by accepted connections
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sock.close()
        raise Refused(
            f"Port {port} on 127.0.0.1 cannot be used: {error.strerror}. Choose another with --port."
        ) from None
    return sock


class Server(uvicorn.Server):
    """uvicorn that says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: dict[str, str | float], state: Path) -> None:
        super().__init__(config)
        self._ready = ready
        self._state = state

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            write_private(self._state / "client.json", json.dumps(self._ready, indent=1) + "\n")
            print(json.dumps(self._ready), flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local_aws", description="Run the embedded AWS on 127.0.0.1.")
    parser.add_argument("--state", type=Path, required=True, help="folder that holds everything it remembers")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--region", default=DEFAULT_REGION, help=f"its home region (default {DEFAULT_REGION})")
    parser.add_argument(
        "--time-scale",
        type=float,
        default=1.0,
        metavar="K",
        help="divide what is waited for by K: alarms' periods, cooldowns, baking, instances' starts (default 1)",
    )
    parser.add_argument(
        "--instance-start",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="wait so long before a new endpoint instance starts, as AWS takes minutes for its machine (default 0)",
    )
    options = parser.parse_args(arguments)
    try:
        pace = Pace(options.time_scale, options.instance_start)
    except ValueError as error:
        parser.error(str(error))
    os.umask(0o077)  # data, logs and IAM's keys are for this user only, even in a folder that others may enter
    state = options.state.absolute()
    held = lock(state)
    sock = listen(options.port)
    key = install_key(state)
    ready: dict[str, str | float] = {
        "endpoint_url": f"http://127.0.0.1:{sock.getsockname()[1]}",
        "region": options.region,
        "access_key_id": key.access_key_id,
        "secret_access_key": key.secret,
    }
    if pace.scale != 1:
        ready["time_scale"] = pace.scale
    app = build(state, region=options.region, endpoint_url=str(ready["endpoint_url"]), pace=pace)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,  # longer than any poll's pause: else a client meets a connection just closed
        timeout_graceful_shutdown=3,
        lifespan="on",
        ws="none",
        http=PatientProtocol,
        backlog=128,  # when descriptors run out, each place in it is a line of log a second
    )
    server = Server(config, ready, state)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)  # before uvicorn listens for them, and again when it has stopped
    server.run(sockets=[sock])
    held.close()
    return 0 if server.started else 1


def _leave(number: int, frame: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
