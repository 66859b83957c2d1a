"""Reads metrics out of log lines by regular expressions that somebody else wrote, in a process of its own.

    python -I -S metric_scanner.py DEFINITIONS_JSON SECONDS

stdin: on each line a JSON list of [milliseconds, line], which came together. stdout: for each of them a JSON list of
{"name", "value", "at"} for each match; of a metric that matched more than MOST_AT_ONCE times only the last so many,
since nobody can follow more. Also {"name", "disabled"} once for an expression that took longer than SECONDS on one
line: matching one can take for ever, so a timer looks after it, and such a one is no longer used.
Standard library only.
"""

import json
import math
import re
import signal
import sys
from types import FrameType

LONGEST_LINE = 4_096  # characters that are looked at
MOST_AT_ONCE = 1_000


class TooSlowError(Exception):
    """An expression did not come to an end in time."""


class Watch:
    """A timer that runs all the time: to set one for each of a million lines would take longer than to match them.

    It counts this process's own time, so that a busy machine makes no expression slow. A search that is there at two
    ticks in a row has taken `seconds` at least.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen = 0
        self.number = 0
        """Of the search that runs now; negative between two."""

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, self._seconds, self._seconds)

    def _look(self, _: int, __: FrameType | None) -> None:
        if self.number > 0 and self.number == self._seen:
            raise TooSlowError
        self._seen = self.number


def search(expression: "re.Pattern[str]", line: str, watch: Watch) -> float | None:
    """The number in the first group of the first match, or None. Raises TooSlowError."""
    watch.number = abs(watch.number) + 1
    try:
        found = expression.search(line)
    finally:
        watch.number = -watch.number
    if found is None:
        return None
    try:
        value = float(found.group(1) if expression.groups else found.group(0))
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


Found = dict[str, object]


def last_of_each(found: list[Found], most: int = MOST_AT_ONCE) -> list[Found]:
    """The last `most` values of each metric, in their order."""
    left: dict[object, int] = {}
    kept = []
    for item in reversed(found):
        left[item["name"]] = left.get(item["name"], most) - 1
        if left[item["name"]] >= 0:
            kept.append(item)
    return kept[::-1]


def main(arguments: list[str]) -> int:
    seconds = float(arguments[1])
    definitions = [(item["Name"], re.compile(item["Regex"])) for item in json.loads(arguments[0])]
    watch = Watch(seconds)
    watch.start()
    for batch in sys.stdin:
        found: list[Found] = []
        for at, line in json.loads(batch):
            for definition in list(definitions):
                name, expression = definition
                try:
                    value = search(expression, line[:LONGEST_LINE], watch)
                except TooSlowError:
                    definitions.remove(definition)
                    found.append({"name": name, "disabled": seconds})
                    continue
                if value is not None:
                    found.append({"name": name, "value": value, "at": at})
        if found:
            sys.stdout.write(json.dumps(last_of_each(found)) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
