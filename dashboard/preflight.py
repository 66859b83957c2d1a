"""What is checked before anything is started, each with a sentence that says what to do."""

import argparse
import shutil
import socket
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from dashboard.core.errors import Refused

DEFAULT_PORT = 8501
LEAST_FREE_BYTES = 1024**3


def read_port(arguments: Sequence[str] | None, environ: Mapping[str, str]) -> int:
    """--port, else KENNEL_PORT, else 8501. Raises Refused when it is no port."""
    parser = argparse.ArgumentParser(prog="python -m dashboard", description="Start Kennel on 127.0.0.1.")
    parser.add_argument(
        "--port", default=environ.get("KENNEL_PORT") or str(DEFAULT_PORT), help="default: KENNEL_PORT, or 8501"
    )
    text = parser.parse_args(arguments).port
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Refused(
            f"{text} is not a port", "a port is a number from 1 to 65535", "name another with --port or KENNEL_PORT"
        )
    return int(text)


def check_home(home: Path) -> None:
    """Make the state folder. Raises Refused when it cannot be written to."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=home):
            return
    except OSError as error:
        raise Refused(
            f"the state folder {home} cannot be written to",
            error.strerror or str(error),
            "name another with KENNEL_HOME, or mend its permissions",
        ) from error


def check_disk(home: Path, least: int = LEAST_FREE_BYTES) -> None:
    """Raises Refused when the disk under the state folder is nearly full."""
    free = shutil.disk_usage(home).free
    if free < least:
        raise Refused(
            f"the disk is nearly full: {free / 2**30:.1f} GiB free at {home}",
            f"models, logs and uploaded data need at least {least / 2**30:.0f} GiB",
            "free some space, or name a folder on another disk with KENNEL_HOME",
        )


def check_port(port: int) -> None:
    """Raises Refused when something listens there, or this user may not."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise Refused(
                f"port {port} may not be used",
                "ports below 1024 need special rights",
                f"choose another: make run PORT={DEFAULT_PORT}",
            ) from error
        except OSError as error:
            other = port + 1 if port < 65535 else DEFAULT_PORT
            raise Refused(
                f"port {port} on 127.0.0.1 is in use",
                "another program listens there, perhaps a Kennel that is already running",
                f"stop it, or choose another port: make run PORT={other}, or KENNEL_PORT={other} python -m dashboard",
            ) from error
