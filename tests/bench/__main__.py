"""Measure Kennel's speed claims side by side: `python -m tests.bench [--only SUITE] [--out bench.json]`.

Every claim is a ratio of two things measured in this one run, since machines differ and are noisy. Nothing is asserted.
"""

import argparse
import importlib
import json
import platform
import sys
from pathlib import Path

from tests.bench.rows import Row

SUITES = (
    "training",
    "photos",
    "memory",
    "serving",
    "endpoint",
    "lambda",
    "distributed",
    "dashboard",
    "metrics",
    "costs",
    "trails",
    "enforcement",
    "iam",
    "audit",
)


def table(rows: list[Row]) -> str:
    """The rows as aligned text, one line each, with their notes below."""
    width = max(len(row.name) for row in rows)
    lines = [f"{'':{width}}  {'ratio':>8}  {'ours':>10}  {'baseline':>10}"]
    for row in rows:
        lines.append(f"{row.name:{width}}  {row.ratio:7.1f}×  {row.ours:10.3f}  {row.baseline:10.3f}  {row.unit}")
        if row.note:
            lines.append(f"{'':{width}}  {row.note}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SUITES, action="append", help="measure this suite alone")
    parser.add_argument("--out", type=Path, default=Path("bench.json"), help="where the rows go as JSON")
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.only or SUITES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"tests.bench.bench_{name}").rows()
    options.out.write_text(json.dumps([row.as_json() for row in rows], indent=1) + "\n")
    print(f"{platform.machine()}, Python {platform.python_version()}\n\n{table(rows)}\n\nwritten to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
