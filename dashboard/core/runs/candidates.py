"""The instance types that could run a training, each with its price and what this training would take on it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import Quote, hourly, priced
from dashboard.core.runs.expect import expected, wall_seconds, worst
from dashboard.core.runs.instances import Hardware, hardware, offered
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.surroundings import SpotPrice


@dataclass(frozen=True)
class Candidate:
    """One instance type that could run it. `hardware` is None when the type is not in our table.

    `hourly` is the price of all instances for an hour; `spot` the same on EC2's spot market, None where it is not
    known, also for SageMaker, which does not publish its own. `seconds` are expected of the whole, which for a tuning
    job is many trainings.
    """

    instance_type: str
    hardware: Hardware | None
    hourly: Quote
    expected: Quote
    worst: Quote
    spot: Quote | None = None
    is_chosen: bool = False
    seconds: float | None = None


def candidates(
    spec: TrainingSpec,
    prices: PriceBook,
    region: str,
    *,
    past_runs: Sequence[Run] = (),
    spot_prices: Mapping[str, SpotPrice] | None = None,
) -> tuple[Candidate, ...]:
    """The instance types to choose from for this spec's platform, cheapest first, those without a price last.

    The spec's own type is among them, and marked, also when it is none of those usually offered.
    """
    names = dict.fromkeys((*offered(spec.platform), *([spec.instance_type] if spec.instance_type else [])))
    kind = Kind.EC2 if spec.is_on_ec2 else Kind.SAGEMAKER_TRAINING
    rows = []
    for name in names:
        of = replace(spec, instance_type=name)
        spot = (spot_prices or {}).get(name)
        likely = expected(of, prices, region, past_runs, spot.price if spot else None)
        rows.append(
            Candidate(
                name,
                hardware(name),
                hourly(prices, kind, name, region, spec.instance_count),
                likely,
                worst(of, prices, region),
                priced(spot.price, 3600, spec.instance_count, "one hour") if spot else None,
                name == spec.instance_type,
                wall_seconds(of, likely.seconds),
            )
        )
    return tuple(sorted(rows, key=_order))


def _order(row: Candidate) -> tuple[bool, float]:
    amount = row.hourly.amount
    return amount is None, float(amount or 0)
