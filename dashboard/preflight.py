"""What is checked before anything is started, each with a sentence that says what to do."""

import argparse
import errno
import shutil
import socket
import tempfile
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path

from dashboard.core import exposure, sign_in
from dashboard.core.errors import Refused
from dashboard.core.exposure import LOOPBACK, Share
from dashboard.core.serving.visitors import per_minute
from dashboard.core.sign_in import SignIn

DEFAULT_PORT = 8501
LEAST_FREE_BYTES = 1024**3


def read_port(arguments: Sequence[str] | None, environ: Mapping[str, str]) -> int:
    """--port, else KENNEL_PORT, else 8501. Raises Refused when it is no port."""
    text = _options(arguments, environ).port
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Refused(
            f"{text} is not a port", "a port is a number from 1 to 65535", "name another with --port or KENNEL_PORT"
        )
    return int(text)


def read_address(arguments: Sequence[str] | None, environ: Mapping[str, str]) -> str:
    """--address, else KENNEL_ADDRESS, else 127.0.0.1. Raises Refused when it is no address of a machine."""
    text = str(_options(arguments, environ).address).strip("[] ")
    if text == "localhost":
        return LOOPBACK
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise Refused(
            f"{text} is not an address to listen on",
            "it is an IP address of this machine, or 0.0.0.0 for all of them",
            "name another with --address or KENNEL_ADDRESS",
        ) from error


def _options(arguments: Sequence[str] | None, environ: Mapping[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dashboard", description="Start Kennel.")
    parser.add_argument(
        "--port", default=environ.get("KENNEL_PORT") or str(DEFAULT_PORT), help="default: KENNEL_PORT, or 8501"
    )
    parser.add_argument(
        "--address",
        default=environ.get(exposure.ADDRESS) or LOOPBACK,
        help="where to listen; default: KENNEL_ADDRESS, or 127.0.0.1, which this machine alone reaches",
    )
    return parser.parse_args(arguments)


def check_people(address: str, environ: Mapping[str, str]) -> tuple[SignIn | None, Share | None]:
    """How people sign in, and whether Classify is shared without it. Raises Refused for an address that others reach
    where neither is so, and InvalidInput or Refused for settings that are wrong.
    """
    share = exposure.shared(environ)
    found = None if share else sign_in.read(sign_in.secrets_file(environ))
    exposure.hosts(environ)
    per_minute(environ)
    exposure.check(address, environ, has_sign_in=found is not None)
    return found, share


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


def check_port(port: int, address: str = LOOPBACK) -> None:
    """Raises Refused when something listens there, this user may not, or the address is not this machine's."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((address, port))
        except PermissionError as error:
            raise Refused(
                f"port {port} may not be used",
                "ports below 1024 need special rights",
                f"choose another: make run PORT={DEFAULT_PORT}",
            ) from error
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise Refused(
                    f"{address} is no address of this machine",
                    "nothing can listen there",
                    "name one of its own with --address or KENNEL_ADDRESS, or 0.0.0.0 for all of them",
                ) from error
            other = port + 1 if port < 65535 else DEFAULT_PORT
            raise Refused(
                f"port {port} on {address} is in use",
                "another program listens there, perhaps a Kennel that is already running",
                f"stop it, or choose another port: make run PORT={other}, or KENNEL_PORT={other} python -m dashboard",
            ) from error
