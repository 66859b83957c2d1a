"""A job's metrics by its own MetricDefinitions, as its log lines come by."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local_aws.engine.output import Event

SCANNER = Path(__file__).with_name("metric_scanner.py")
SECONDS_PER_LINE = 0.1  # what one expression may take on one line


@dataclass(frozen=True)
class Metric:
    """One value a job printed. at: seconds since the epoch."""

    name: str
    value: float
    at: float


def wrong_expression(expression: str) -> str | None:
    """Why `expression` is no regular expression, or None when it is one."""
    try:
        re.compile(expression)
    except (re.error, RecursionError, OverflowError) as wrong:
        return str(wrong)
    return None


class MetricReader:
    """Finds metrics in batches of log events. Matching happens in a child: a slow expression cannot hold the server.

    found: called, in a thread of this object, with each metric; refused: with a sentence about a too slow expression.
    """

    def __init__(
        self,
        definitions: Sequence[Mapping[str, str]],
        found: Callable[[Metric], None],
        refused: Callable[[str], None],
        *,
        seconds_per_line: float = SECONDS_PER_LINE,
    ) -> None:
        self._found = found
        self._refused = refused
        self._scanner = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SCANNER), json.dumps(list(definitions)), str(seconds_per_line)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.defpath},
            text=True,
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._collect, name="metrics", daemon=True)
        self._thread.start()

    def observe(self, events: Sequence[Event]) -> None:
        """Take a batch of log events; waits while the scanner is behind."""
        try:
            self._input.write(json.dumps(events) + "\n")
            self._input.flush()
        except (BrokenPipeError, ValueError):  # it ended; finish() says so
            return

    def finish(self, patience: float = 30.0) -> None:
        """Let the scanner come to the end of what it was given, which is no more than a batch or two."""
        try:
            self._input.close()
        except BrokenPipeError:
            self._refused("the process that reads metrics ended early; the last metrics are missing")
        self._thread.join(patience)
        if self._thread.is_alive():
            self._refused("the process that reads metrics did not come to its end; the last metrics are missing")
        self._scanner.kill()
        self._scanner.wait()
        self._thread.join()

    @property
    def _input(self) -> IO[str]:
        assert self._scanner.stdin is not None  # noqa: S101 (made with a pipe above)
        return self._scanner.stdin

    def _collect(self) -> None:
        assert self._scanner.stdout is not None  # noqa: S101 (made with a pipe above)
        with self._scanner.stdout as output:
            for item in (item for line in output for item in json.loads(line)):
                if "disabled" in item:
                    self._refused(
                        f"metric {item['name']}: its regular expression took longer than {item['disabled']} s "
                        "on one line and is no longer used"
                    )
                else:
                    self._found(Metric(item["name"], item["value"], item["at"] / 1000))
