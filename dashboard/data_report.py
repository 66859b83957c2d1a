"""The data report of `training.data`, made by a process of its own: this one opens no photo of a whole data set."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from dashboard.child import Child, environment, log_file
from dashboard.core.data import report
from dashboard.core.data.contents import Contents
from dashboard.core.data.work import Teller
from dashboard.core.errors import InvalidInput, ServiceFault
from dashboard.core.home import home

SECONDS = 3600.0
MOST = 8 * 1024 * 1024
"""Bytes of a report; a hundred names in each list of it are some tens of kilobytes."""
_KILLED = 128 + 9


def inspect(
    folder: Path,
    contents: Contents,
    teller: Teller,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Look through the photos below a folder, and keep the report for what has this content.

    Raises InvalidInput with the report's own sentence when the photos cannot train a classifier, ServiceFault when the
    process is killed or takes an hour, Stopped. No network and no keys: the photos are here already.
    """
    place = folder.parent / "report.json"
    command = [sys.executable, "-m", "training.data", "report", str(folder), "--json", "--out", str(place)]
    child = Child(command, environ=environment(environ), log=log_file(home(environ), "data"))
    try:
        deadline = clock() + SECONDS
        while child.code is None:
            if clock() > deadline:
                raise ServiceFault(
                    f"{contents.name} was not looked through",
                    f"it took longer than {SECONDS / 3600:.0f} h",
                    "try again",
                )
            teller.tell(done=_done(place))
            sleep(0.2)
    finally:
        child.stop()
    if child.code == _KILLED:
        raise ServiceFault(
            f"{contents.name} was not looked through", "the process was killed, often for want of memory", "try again"
        )
    if child.code != 0:
        why = child.said(1) or f"the process ended with {child.code}"
        raise InvalidInput(f"{contents.name} has no report", why, "put that right, then look again", field="dataset")
    report.keep(home(environ), contents.fingerprint, place.read_text(encoding="utf-8")[:MOST])


def _done(place: Path) -> int:
    """How many photos the process looked at so far, as it writes down beside its report."""
    try:
        return int(place.with_suffix(".progress").read_text() or 0)
    except (OSError, ValueError):
        return 0
