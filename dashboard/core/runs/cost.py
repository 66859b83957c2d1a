"""What one run has cost so far, or in the end."""

from collections.abc import Sequence
from datetime import datetime

from dashboard.core.costs.ec2 import LEAST_SECONDS, ec2_quote
from dashboard.core.costs.prices import Confidence, Kind, Price, PriceBook
from dashboard.core.costs.quote import Quote, quote, total, unknown
from dashboard.core.format import count, duration
from dashboard.core.runs.model import Run

SO_FAR = "so far"


def run_cost(run: Run, prices: PriceBook, region: str, now: datetime, children: Sequence[Run] = ()) -> Quote:
    """Billable seconds × instances × price; for a run that goes on, its seconds up to `now`.

    SageMaker bills managed spot by fewer billable seconds at the list price. EC2 bills the spot price and a minute at
    least, with the volume and the address beside it. A tuning job costs what its `children` cost.
    """
    if run.is_tuning:
        return _tuning(run, prices, region, now, children)
    if run.is_on_ec2:
        return _ec2(run, prices, region, now)
    basis = "whole seconds, as AWS bills" if run.status.is_final else SO_FAR
    if run.is_spot and run.status.is_active:
        basis = "so far, before what spot saves"
    return quote(
        prices,
        Kind.SAGEMAKER_TRAINING,
        run.instance_type,
        region,
        seconds=run.billed_so_far(now),
        count=run.instance_count,
        basis=basis,
        why_unknown="AWS reports no billable seconds for it",
    )


def _ec2(run: Run, prices: PriceBook, region: str, now: datetime) -> Quote:
    spot = None
    if run.is_spot:
        if run.spot_price is None:
            return unknown("the spot price at its launch was not recorded", seconds=run.billed_so_far(now))
        # It is that of the cheapest zone, and moves while the instance runs.
        told = "EC2's lowest spot price when it was launched"
        spot = Price(run.spot_price, "USD", told, run.created.date(), Confidence.ESTIMATE)
    return ec2_quote(
        prices,
        run.instance_type,
        region,
        seconds=run.billed_so_far(now),
        volume_gb=run.volume_gb or 0,
        spot=spot,
        basis=_ec2_basis(run),
        why_unknown="when its instance ended is not known",
    )


def _ec2_basis(run: Run) -> str:
    if not run.status.is_final:
        return SO_FAR
    ran = run.training_seconds
    if ran is not None and ran < LEAST_SECONDS:
        return f"EC2 bills {LEAST_SECONDS} s at least, it ran {duration(ran)} from its launch to its end"
    return "from its launch to its end"


def _tuning(run: Run, prices: PriceBook, region: str, now: datetime, children: Sequence[Run]) -> Quote:
    """The sum over the trials; unknown as soon as one of them is, or is missing: it may not have been read yet."""
    missed = (run.tuning.ended if run.tuning else 0) - sum(child.status.is_final for child in children)
    if missed > 0:
        return unknown(f"{count(missed, 'trial')} of it could not be read")
    if not children:
        return quote(
            prices, Kind.SAGEMAKER_TRAINING, run.instance_type, region, seconds=0.0, basis="no trial has begun"
        )
    quotes = [run_cost(child, prices, region, now) for child in children]
    amount, missing = total(quotes)
    basis = f"sum of {count(len(quotes), 'trial')}" + ("" if run.status.is_final else f", {SO_FAR}")
    if missing:
        why = next(one.why_unknown for one in quotes if not one.is_known)
        return unknown(f"{missing} of {count(len(quotes), 'trial')}: {why}", basis=basis)
    first = quotes[0]
    return Quote(
        amount=amount,
        unit_price=first.unit_price if len({one.unit_price for one in quotes}) == 1 else None,
        seconds=sum(one.seconds or 0.0 for one in quotes),
        count=first.count,
        currency=first.currency,
        source=first.source,
        date=first.date,
        is_estimate=any(one.is_estimate for one in quotes),
        basis=basis,
    )
