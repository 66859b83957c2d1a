"""Reads metrics out of log lines by regular expressions that somebody else wrote, in a process of its own.

    python -I -S metric_scanner.py DEFINITIONS_JSON SECONDS

stdin: on each line a JSON list of [milliseconds, line]. stdout: for each match {"name", "value", "at"} as JSON, and
{"name", "disabled"} once for an expression that took longer than SECONDS on one line: matching one can take for
ever, so a timer looks after it, and such a one is no longer used. Standard library only.
"""

import json
import math
import re
import signal
import sys
import time
from types import FrameType

LONGEST_LINE = 4_096  # characters that are looked at


class TooSlowError(Exception):
    """An expression did not come to an end in time."""


class Watch:
    """A timer that runs all the time: to set one for each of a million lines would take longer than to match them."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.began = 0.0
        """When the search that runs now began, 0 when none does."""

    def start(self) -> None:
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, self._seconds, self._seconds)

    def _look(self, _: int, __: FrameType | None) -> None:
        if self.began and time.monotonic() - self.began >= self._seconds:
            raise TooSlowError


def search(expression: "re.Pattern[str]", line: str, watch: Watch) -> float | None:
    """The number in the first group of the first match, or None. Raises TooSlowError."""
    watch.began = time.monotonic()
    try:
        found = expression.search(line)
    finally:
        watch.began = 0.0
    if found is None:
        return None
    try:
        value = float(found.group(1) if expression.groups else found.group(0))
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def answer(item: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(item) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    seconds = float(arguments[1])
    definitions = [(item["Name"], re.compile(item["Regex"])) for item in json.loads(arguments[0])]
    watch = Watch(seconds)
    watch.start()
    for batch in sys.stdin:
        for at, line in json.loads(batch):
            for definition in list(definitions):
                name, expression = definition
                try:
                    value = search(expression, line[:LONGEST_LINE], watch)
                except TooSlowError:
                    definitions.remove(definition)
                    answer({"name": name, "disabled": seconds})
                    continue
                if value is not None:
                    answer({"name": name, "value": value, "at": at})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
