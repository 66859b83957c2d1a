"""The same steps on an embedded AWS of their own: what an account is held against."""

from collections.abc import Callable
from pathlib import Path

from dashboard import embedded
from dashboard.core.aws import connect_embedded
from dashboard.core.costs.prices import PriceBook
from dashboard.verify.deleting import Deleting
from dashboard.verify.made import Made
from dashboard.verify.record import Record, Recorder
from dashboard.verify.steps import Verification

PAUSE = 0.2
MARK = "embedded"


def record(folder: Path, told: Callable[[str], None]) -> Record:
    """Start an embedded AWS in a folder, do all steps on it, and end it. Raises what a step raises."""
    told("first the same on an embedded AWS, which costs nothing:")
    running = embedded.start(folder)
    try:
        running.wait()
        aws = connect_embedded({"KENNEL_HOME": str(folder)})
        recorder, prices = Recorder(), PriceBook.load()
        made = Made.begin(folder / "made.jsonl", aws.account.account_id, aws.account.region)
        Verification(aws, MARK, made, recorder, prices, lambda line: told(f"  {line}"), pause=PAUSE).run()
        made.delete(Deleting(aws, prices, pause=PAUSE), lambda line: None)
    finally:
        running.stop()
    return recorder.record
