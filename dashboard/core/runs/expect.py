"""How long a training will take and what it will cost, from the runs of the same data that are there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil
from statistics import median

from dashboard.core.costs.ec2 import ec2_quote
from dashboard.core.costs.prices import Kind, Price, PriceBook
from dashboard.core.costs.quote import Quote, priced, unknown
from dashboard.core.format import count, percent
from dashboard.core.runs.alike import CACHED, epochs_of, same_work, work
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec import TrainingSpec

RECENT = 5
"""Only the newest runs count: data grows and code gets faster."""
OUTLIVES = 1800
"""Seconds by which an EC2 instance may outlive its training's time limit: to start, to save, to upload. Its user data
ends it then, whatever hangs."""


@dataclass(frozen=True)
class _Past:
    """How long such a training took: seconds, what that is based on, and the share of the price that spot left."""

    seconds: float
    basis: str
    spot_share: float | None = None


def expected(
    spec: TrainingSpec, prices: PriceBook, region: str, past_runs: Sequence[Run], spot: Price | None = None
) -> Quote:
    """Expected time and cost: the median of the newest completed runs of this data on this instance.

    The seconds are those of one training, the count all instances of all trainings. It is not scaled by epochs:
    features are computed once, whatever the number of epochs, and that is most of the time. Unknown, with why, when no
    such run is there that did the same work (see `alike`). `spot` is EC2's spot price of this instance type, where it
    is known.
    """
    past, why = _past(spec, past_runs)
    if spec.is_on_ec2:
        dear = "at the on-demand price: the spot price is not known" if spec.is_spot and spot is None else ""
        return ec2_quote(
            prices,
            spec.instance_type,
            region,
            seconds=past.seconds if past else None,
            volume_gb=spec.volume_gb,
            spot=spot if spec.is_spot else None,
            basis=", ".join(part for part in (past.basis if past else "", dear) if part),
            why_unknown=why,
        )
    if past is None:
        return _sagemaker(spec, prices, region, None, "", why)
    basis = f"{spec.jobs} trainings, each as the {past.basis}" if spec.tuning else past.basis
    if spec.is_spot and past.spot_share is None:
        basis += ", at the on-demand price: what spot saves is not known yet"
    made = _sagemaker(spec, prices, region, past.seconds, basis)
    if past.spot_share is None or made.amount is None or made.unit_price is None:
        return made

    share = Decimal(str(round(past.spot_share, 4)))
    return replace(
        made,
        amount=made.amount * share,
        unit_price=made.unit_price * share,
        is_estimate=True,
        basis=f"{made.basis}; spot saved {percent(1 - past.spot_share)} then",
    )


def worst(spec: TrainingSpec, prices: PriceBook, region: str) -> Quote:
    """The most that it can cost: the time limit × instances × trainings × the on-demand price.

    SageMaker charges for the instances' storage too: its price is not in the book, and the basis says so.

    Spot never costs more than on demand, and what it will cost at a later hour is not known now.
    """
    spot = ", at the on-demand price, which spot does not exceed" if spec.is_spot else ""
    if spec.is_on_ec2:
        return ec2_quote(
            prices,
            spec.instance_type,
            region,
            seconds=spec.max_seconds + OUTLIVES,
            volume_gb=spec.volume_gb,
            basis=f"the time limit and {OUTLIVES // 60} min to start and to save{spot}",
        )
    of = f" of each of {spec.jobs} trainings" if spec.tuning else ""
    return _sagemaker(spec, prices, region, spec.max_seconds, f"the time limit{of}{spot}, without storage")


def wall_seconds(spec: TrainingSpec, seconds: float | None) -> float | None:
    """From the first training's start to the last one's end, when each takes `seconds`."""
    if seconds is None or spec.tuning is None:
        return seconds
    return ceil(spec.jobs / max(1, spec.tuning.parallel)) * seconds


def longest_seconds(spec: TrainingSpec) -> float:
    """From launch to end at the most, by the limits that the platform keeps. Waiting for a place is not in it,
    except for a spot job, whose limit includes it."""
    if spec.is_on_ec2:
        return spec.max_seconds + OUTLIVES
    return wall_seconds(spec, spec.wait_seconds if spec.is_spot else spec.max_seconds) or 0.0


def _sagemaker(
    spec: TrainingSpec, prices: PriceBook, region: str, seconds: float | None, basis: str, why: str = ""
) -> Quote:
    instances = spec.instance_count * spec.jobs
    price = prices.price(Kind.SAGEMAKER_TRAINING, spec.instance_type, region)
    if price is None:
        reason = prices.why_unknown(Kind.SAGEMAKER_TRAINING, spec.instance_type, region)
        return unknown(reason, seconds=seconds, count=instances, basis=basis)
    return priced(price, seconds, instances, basis, why)


def _past(spec: TrainingSpec, past_runs: Sequence[Run]) -> tuple[_Past | None, str]:
    """How long the newest runs of this work took, or why that is not known."""
    there = [run for run in past_runs if _is_there(run, spec)]
    alike, why = same_work(spec, there)
    alike = [run for run in alike if not run.is_sample] or alike  # a person's own runs tell more
    if not there:
        where = f"{count(spec.instance_count, 'instance')} of " if spec.instance_count > 1 else ""
        why = why or f"no completed run of this data on {where}{spec.instance_type} yet"
    same = [run for run in alike if run.capacity is spec.capacity]
    chosen = same or alike
    newest = sorted(chosen, key=lambda run: run.created, reverse=True)[:RECENT]
    seconds = [_seconds(run) or 0.0 for run in newest]
    if not seconds:
        return None, why
    which = "the one completed run" if len(seconds) == 1 else f"median of {count(len(seconds), 'completed run')}"
    if spec.tuning:
        which = which.removeprefix("the ")
    sample = " of the sample account" if newest[0].is_sample else ""
    basis = f"{which}{sample} of this data on {spec.instance_type}"
    if spec.is_spot and not same:
        basis += " on demand"
    basis += _other_epochs(newest, spec.epochs)
    wanted = work(spec.hyperparameters)
    if cached := sum(run.is_cached and work(run.hyperparameters) == wanted for run in there):
        basis += f"; {count(cached, 'run')} with {CACHED} left out"
    shares = [1 - run.saving for run in newest if run.saving is not None] if spec.is_spot and same else []
    return _Past(median(seconds), basis, median(shares) if shares and not spec.is_on_ec2 else None), ""


def _is_there(run: Run, spec: TrainingSpec) -> bool:
    return (
        run.status.is_good
        and not run.is_tuning
        and not run.is_proof
        and not run.is_replayed  # on machines that others had, with code that is not Kennel's
        and run.platform is spec.platform
        and (run.instance_type, run.instance_count) == (spec.instance_type, spec.instance_count)
        and run.dataset_uri.rstrip("/") == spec.dataset_uri.rstrip("/")
        and _seconds(run) is not None
    )


def _seconds(run: Run) -> float | None:
    """How long it took on its instances: a spot run is billed for less than that."""
    return run.training_seconds if run.is_spot and run.training_seconds is not None else run.billable_seconds


def _other_epochs(runs: Sequence[Run], epochs: int) -> str:
    had = [told for run in runs if (told := epochs_of(run)) is not None]
    others = sorted(set(had) - {epochs})
    if not others:
        return ""
    who = "it" if len(runs) == 1 else "they" if len(had) == len(runs) and epochs not in had else "some"
    listed = str(others[0]) if len(others) == 1 else f"{others[0]} to {others[-1]}"
    return f"; {who} had {listed} epochs, not scaled because features are computed only once"
