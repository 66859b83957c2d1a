"""What one run has cost so far, or in the end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from dashboard.core.costs.ec2 import LEAST_SECONDS
from dashboard.core.costs.ledger.run_receipt import run_receipt
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quantities import ec2_seconds
from dashboard.core.costs.quote import Quote, quote, total, unknown
from dashboard.core.costs.receipt import Line
from dashboard.core.format import count, duration
from dashboard.core.runs.model import Run

SO_FAR = "so far"


def run_cost(run: Run, prices: PriceBook, region: str, now: datetime, children: Sequence[Run] = ()) -> Quote:
    """The sum of its receipt, with what it is based on; for a run that goes on, its seconds up to `now`.

    SageMaker bills managed spot by fewer billable seconds at the list price. EC2 bills the spot price and a minute at
    least, with the volume and the address beside it. A tuning job costs what its `children` cost.
    """
    if run.is_tuning:
        return _tuning(run, prices, region, now, children)
    receipt = run_receipt(run, prices, region, now, is_embedded=False)  # whose money it is changes no sum
    first = receipt.lines[0]
    seconds = run.billed_so_far(now)
    if seconds is not None:
        seconds = float(ec2_seconds(seconds)) if run.is_on_ec2 else max(0.0, seconds)
    if first.price is None:
        said = unknown(first.why_unknown, seconds=seconds, count=run.instance_count, basis=_basis(run))
        return replace(said, least=receipt.amount)
    known = [line.amount for line in receipt.lines if line.amount is not None]
    return Quote(
        amount=sum(known, Decimal(0)) if first.amount is not None else None,
        unit_price=first.price.amount,
        seconds=seconds,
        count=run.instance_count,
        currency=first.price.currency,
        source=first.price.source,
        date=first.price.date,
        why_unknown=first.why_unknown if first.amount is None else "",
        is_estimate=receipt.is_estimate,
        instances=first.amount,
        least=receipt.amount if receipt.is_least else None,
        basis=", ".join(part for part in (_basis(run), _beside(receipt.lines[1:], region)) if part),
    )


def _basis(run: Run) -> str:
    if run.is_on_ec2:
        return _ec2_basis(run)
    if run.is_spot and run.status.is_active:
        return "so far, before what spot saves"
    return "whole seconds, as AWS bills" if run.status.is_final else SO_FAR


def _beside(lines: Sequence[Line], region: str) -> str:
    """What is in the sum beside the instance, and what is missing from it."""
    known = [line.what for line in lines if line.price is not None]
    missing = [line.what for line in lines if line.price is None]
    parts = [f"with {' and '.join(known)}"] if known else []
    parts += [f"without {' and '.join(missing)} (no price in {region})"] if missing else []
    return ", ".join(parts)


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
    parts = [one.least if one.least is not None else one.amount for one in quotes]
    known = [part for part in parts if part is not None]
    is_least = missing or any(one.least is not None for one in quotes)
    least = sum(known, Decimal(0)) if is_least and known else None
    if missing:
        why = next(one.why_unknown for one in quotes if not one.is_known)
        said = unknown(f"{missing} of {count(len(quotes), 'trial')}: {why}", basis=basis)
        return replace(said, least=least)
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
        least=least,
    )
