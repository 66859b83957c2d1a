"""`python -m tests.soak [--seeds 1 2 3] [--kills 40]`: days of use of the embedded AWS under kill -9, one line each."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.soak.day import LostError, live


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--kills", type=int, default=40, help="in each day")
    asked = parser.parse_args()
    lost = 0
    for seed in asked.seeds:
        with tempfile.TemporaryDirectory(prefix="kennel-day-") as folder:
            try:
                told = live(Path(folder) / "aws", seed, kills=asked.kills)
            except LostError as error:
                lost += 1
                print(f"seed {seed}: LOST: {error}", flush=True)
                continue
        print(
            f"seed {seed}: {told.kills} kills, {told.acknowledged} answers kept, {told.unanswered} asked again, "
            f"{told.looked_up} looked up, slowest start {told.slowest_start:.1f} s",
            flush=True,
        )
    return 1 if lost else 0


sys.exit(main())
