"""Reads metrics out of log lines by regular expressions that somebody else wrote, in a process of its own.

    python -I -S metric_scanner.py DEFINITIONS_JSON SECONDS

stdin: one JSON list [milliseconds, line] a line. stdout: for each match {"name", "value", "at"} as JSON, and
{"name", "disabled"} once for an expression that took longer than SECONDS on one line: matching one can take for
ever, so each is interrupted by a timer and then no longer used. Standard library only.
"""

import json
import math
import re
import signal
import sys
from types import FrameType

LONGEST_LINE = 4_096  # characters that are looked at


class TooSlowError(Exception):
    """An expression did not come to an end in time."""


def _interrupt(_: int, __: FrameType | None) -> None:
    raise TooSlowError


def search(expression: "re.Pattern[str]", line: str, seconds: float) -> float | None:
    """The number in the first group of the first match, or None. Raises TooSlowError."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        found = expression.search(line)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        value = float(found.group(1) if expression.groups else found.group(0)) if found else math.nan
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def answer(item: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(item) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    seconds = float(arguments[1])
    definitions = [(item["Name"], re.compile(item["Regex"])) for item in json.loads(arguments[0])]
    signal.signal(signal.SIGALRM, _interrupt)
    for text in sys.stdin:
        at, line = json.loads(text)
        for definition in list(definitions):
            name, expression = definition
            try:
                value = search(expression, line[:LONGEST_LINE], seconds)
            except TooSlowError:
                definitions.remove(definition)
                answer({"name": name, "disabled": seconds})
                continue
            if value is not None:
                answer({"name": name, "value": value, "at": at})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
