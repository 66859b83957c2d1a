"""`python -m dashboard.core.costs quote KIND …`: what something costs, for a person or, with --json, for a program."""

import io
import sys
from datetime import UTC, datetime

from dashboard.core.costs.command import main

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without "×" still gets its answer
    sys.exit(main(sys.argv[1:], now=datetime.now(UTC)))
