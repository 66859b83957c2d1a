"""`python -m tests.soak [--seeds 1 2 3] [--kills 40] [--tabs 25] [--minutes 10]`: days of use of the embedded AWS under
kill -9, one line each, then many tabs on one Kennel. Ends with 1 where something was lost or a page failed.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.soak import sessions
from tests.soak.day import LostError, live


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3, 4, 5])
    parser.add_argument("--kills", type=int, default=40, help="in each day")
    parser.add_argument("--tabs", type=int, default=25)
    parser.add_argument("--minutes", type=float, default=10.0, help="of the tabs; 0 leaves them out")
    asked = parser.parse_args()
    return days(asked.seeds, asked.kills) | tabs(asked.tabs, asked.minutes * 60)


def days(seeds: list[int], kills: int) -> int:
    """1 where something was lost that had been answered for."""
    lost = 0
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="kennel-day-") as folder:
            try:
                told = live(Path(folder) / "aws", seed, kills=kills)
            except LostError as error:
                lost = 1
                print(f"seed {seed}: LOST: {error}", flush=True)
                continue
        print(
            f"seed {seed}: {told.kills} kills, {told.acknowledged} answers kept, {told.unanswered} asked again, "
            f"{told.looked_up} looked up, slowest start {told.slowest_start:.1f} s",
            flush=True,
        )
    return lost


def tabs(number: int, seconds: float) -> int:
    """1 where a page failed, or a tab was not answered any more."""
    if not seconds:
        return 0
    with tempfile.TemporaryDirectory(prefix="kennel-soak-") as folder:
        told = sessions.live(Path(folder) / "home", tabs=number, seconds=seconds)
    print(told, flush=True)
    for problem in told.problems[:20]:
        print(f"  {problem}", flush=True)
    return 1 if told.problems else 0


sys.exit(main())
