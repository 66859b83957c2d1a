"""How long a training will take and what it will cost, from the runs of the same data that are there."""

from collections.abc import Sequence
from statistics import median

from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import Quote, quote
from dashboard.core.format import count
from dashboard.core.runs.model import Run

RECENT = 5
"""Only the newest runs count: data grows and code gets faster."""


def expected(
    prices: PriceBook,
    region: str,
    *,
    dataset_uri: str,
    instance_type: str,
    instance_count: int,
    past_runs: Sequence[Run],
    epochs: int | None = None,
) -> Quote:
    """Expected billable time and cost: the median of the newest completed runs of this data on this instance.

    It is not scaled by epochs: features are computed once, whatever the number of epochs, and that is most of the
    time. Unknown, with why, when no such run is there.
    """
    same_data = [r for r in past_runs if r.status.is_good and _same(r.dataset_uri, dataset_uri)]
    alike = [r for r in same_data if (r.instance_type, r.instance_count) == (instance_type, instance_count)]
    timed = [r for r in alike if r.billable_seconds is not None]
    newest = sorted(timed, key=lambda r: r.created, reverse=True)[:RECENT]
    seconds = [r.billable_seconds for r in newest if r.billable_seconds is not None]
    if not seconds:
        why = f"no completed run of this data on {instance_type} yet"
        return quote(
            prices, Kind.SAGEMAKER_TRAINING, instance_type, region, seconds=None, count=instance_count, why_unknown=why
        )
    which = "the one completed run" if len(seconds) == 1 else f"median of {count(len(seconds), 'completed run')}"
    basis = f"{which} of this data on {instance_type}"
    had = [int(e) for r in newest if (e := r.hyperparameters.get("epochs", "")).isdecimal()]
    others = sorted(set(had) - {epochs})
    if epochs is not None and others:
        who = "it" if len(seconds) == 1 else "they" if len(had) == len(newest) and epochs not in had else "some"
        basis += f"; {who} had {_listed(others)} epochs, not scaled because features are computed only once"
    return quote(
        prices,
        Kind.SAGEMAKER_TRAINING,
        instance_type,
        region,
        seconds=median(seconds),
        count=instance_count,
        basis=basis,
    )


def worst(prices: PriceBook, region: str, *, instance_type: str, instance_count: int, max_seconds: int) -> Quote:
    """The most that a run can cost: its time limit × instances × price. SageMaker stops it then."""
    return quote(
        prices,
        Kind.SAGEMAKER_TRAINING,
        instance_type,
        region,
        seconds=max_seconds,
        count=instance_count,
        basis="the time limit",
    )


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _listed(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
