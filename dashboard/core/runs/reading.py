"""A replayed time that its write-up lets be read in two ways: on the clock, or several instances' added up. Pure."""

from decimal import Decimal

from dashboard.core import tags
from dashboard.core.format import duration, money
from dashboard.core.runs.model import Run


def share_if_summed(run: Run) -> float:
    """What is left of its time, and with it of its cost, if what was told is a sum; 1 where that is not in question."""
    may_be = run.is_replayed and run.tags.get(tags.REPLAY_SUM) == "true"
    return 1 / run.instance_count if may_be and run.instance_count > 1 else 1.0


def reading(run: Run, amount: Decimal | None = None) -> str:
    """How its time is read, and what it would be otherwise; "" for one that can be read in one way.

    "22 min 33 s is read as wall time; if it is the two added up, it is 11 min 17 s and $0.0654".
    """
    share = share_if_summed(run)
    told = run.training_seconds
    if share == 1 or told is None:
        return ""
    all_of_them = "the two" if run.instance_count == 2 else f"the {run.instance_count}"
    other = duration(told * share)
    if amount is not None:
        other += f" and {money(amount / run.instance_count)}"
    return f"{duration(told)} is read as wall time; if it is {all_of_them} added up, it is {other}"
