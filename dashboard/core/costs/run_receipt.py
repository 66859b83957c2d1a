"""What one run has cost, line by line: the one arithmetic of everything that shows a run's cost. Pure."""

from datetime import datetime
from decimal import Decimal

from dashboard.core import tags as tag
from dashboard.core.costs.ec2 import LEAST_SECONDS, MONTH_HOURS
from dashboard.core.costs.prices import Confidence, Extra, Kind, Price, PriceBook
from dashboard.core.costs.receipt import Fact, Line, Nature, Receipt, Service
from dashboard.core.format import count as counted
from dashboard.core.format import duration
from dashboard.core.runs.expectation import expectation_of
from dashboard.core.runs.model import Run

HOUR = Decimal(3600)
NO_SECONDS = "AWS reports no billable seconds for it"
NO_END = "when its instance ended is not known"
NO_SPOT_PRICE = "the spot price at its launch was not recorded"
SPOT_SOURCE = "EC2's lowest spot price when it was launched"


def run_receipt(run: Run, prices: PriceBook, region: str, now: datetime, *, is_embedded: bool) -> Receipt:
    """The receipt of a training on SageMaker or EC2, so far (at `now`) or in the end; failed and stopped ones too.

    A tuning job has none: its trials have. Raises ValueError for one.
    """
    if run.is_tuning:
        raise ValueError(f"{run.name} is a tuning job: its trials have receipts")
    started, ended, notes = _times(run, now)
    lines = _lines(run, prices, region, now, started, ended)
    return Receipt(
        key=f"run:{run.key}",
        name=run.name,
        service=Service.EC2 if run.is_on_ec2 else Service.TRAINING,
        nature=Nature.of(run.tags, is_embedded=is_embedded),
        started=run.created,
        ended=max(ended, run.created) if run.status.is_final else None,
        lines=lines,
        status=run.status.word,
        project=run.project,
        owner=run.owner,
        platform=run.platform.word,
        instance_type=run.instance_type,
        count=run.instance_count,
        capacity="spot" if run.is_spot else "on demand",
        parent=run.parent,
        saving=_saving(run, prices, region, lines),
        facts=_facts(run),
        expected=expectation_of(run),
        notes=(*notes, *_replayed(run)),
    )


def _replayed(run: Run) -> tuple[str, ...]:
    """That nothing ran, and how its times are known."""
    if not run.is_replayed:
        return ()
    basis = run.tags.get(tag.REPLAY_BASIS, "")
    return ("replayed from a write-up: nothing ran in this account", *((basis,) if basis else ()))


def _times(run: Run, now: datetime) -> tuple[datetime, datetime, tuple[str, ...]]:
    """From when to when its seconds accrue, within what can be; and what was odd about the times that AWS told."""
    notes: list[str] = []
    started = run.started or run.created
    ended = run.ended or (run.modified if run.status.is_final else None) or now
    if started > now:
        notes.append("its start lies in the future: the clocks of this machine and of AWS differ")
        started = now
    if run.status.is_final and run.ended is None:
        notes.append("AWS tells no time of its end: its last change is taken for it")
    if ended < started:
        notes.append("its end lies before its start: no time passes between them, what AWS bills counts")
        ended = started
    return started, ended, tuple(notes)


def _lines(
    run: Run, prices: PriceBook, region: str, now: datetime, started: datetime, ended: datetime
) -> tuple[Line, ...]:
    seconds = run.billed_so_far(now)
    billed = None if seconds is None else Decimal(str(max(0.0, seconds)))
    if run.is_on_ec2:
        return _ec2_lines(run, prices, region, billed, started, ended)
    price = prices.price(Kind.SAGEMAKER_TRAINING, run.instance_type, region)
    why = prices.why_unknown(Kind.SAGEMAKER_TRAINING, run.instance_type, region) or (
        NO_SECONDS if billed is None else ""
    )
    hours = None if billed is None else billed * run.instance_count / HOUR
    return (
        Line(
            what=f"{run.instance_type} × {run.instance_count}" if run.instance_count != 1 else run.instance_type,
            quantity=hours,
            unit="instance-hours",
            price=price,
            amount=None if price is None or billed is None else price.amount * billed * run.instance_count / HOUR,
            started=started,
            ended=ended,
            how=_how(run, seconds),
            why_unknown=why,
        ),
    )


def _how(run: Run, seconds: float | None) -> str:
    if seconds is None:
        return ""
    each = f"{seconds:,.0f} s × {counted(run.instance_count, 'instance')}"
    if run.is_spot and not run.is_on_ec2 and run.training_seconds and run.billable_seconds is not None:
        return f"{each}, billed of {run.training_seconds:,.0f} s"
    return each


def _ec2_lines(
    run: Run, prices: PriceBook, region: str, billed: Decimal | None, started: datetime, ended: datetime
) -> tuple[Line, ...]:
    price, why = prices.price(Kind.EC2, run.instance_type, region), ""
    if run.is_spot:
        # It is that of the cheapest zone, and moves while the instance runs.
        at = run.spot_price
        price = None if at is None else Price(at, "USD", SPOT_SOURCE, run.created.date(), Confidence.ESTIMATE)
        why = NO_SPOT_PRICE if price is None else ""
    elif price is None:
        why = prices.why_unknown(Kind.EC2, run.instance_type, region)
    if billed:
        billed = max(Decimal(LEAST_SECONDS), billed)
    hours = None if billed is None else billed / HOUR

    def line(what: str, each: Price | None, unit: str, quantity: Decimal | None, why: str, essential: bool) -> Line:
        amount = None if each is None or quantity is None else each.amount * quantity
        why = why or (NO_END if quantity is None else "")
        return Line(what, quantity, unit, each, amount, started, ended, _ec2_how(run, billed), why, essential)

    lines = [line(run.instance_type, price, "instance-hours", hours, why, True)]
    if run.volume_gb:
        disk = prices.beside(Extra.GP3, region)
        months = None if hours is None else hours * run.volume_gb / MONTH_HOURS
        lines.append(line(f"{run.volume_gb} GB gp3", disk, "GB-months", months, _no(disk, region), False))
    address = prices.beside(Extra.PUBLIC_IPV4, region)
    return (*lines, line("a public address", address, "hours", hours, _no(address, region), False))


def _no(price: Price | None, region: str) -> str:
    return "" if price else f"no price in {region} in the price book"


def _ec2_how(run: Run, billed: Decimal | None) -> str:
    ran = run.training_seconds
    if ran is not None and ran < LEAST_SECONDS:
        return f"EC2 bills {LEAST_SECONDS} s at least, it ran {duration(ran)}"
    return "" if billed is None else f"{billed:,.0f} s from its launch"


def _saving(run: Run, prices: PriceBook, region: str, lines: tuple[Line, ...]) -> Decimal | None:
    """What spot saved against the list price on demand; None when it is not spot, or not known."""
    first = lines[0]
    if not run.is_spot or first.amount is None or first.price is None:
        return None
    if run.is_on_ec2:
        listed = prices.price(Kind.EC2, run.instance_type, region)
        return None if listed is None or first.quantity is None else listed.amount * first.quantity - first.amount
    if not run.status.is_final or run.training_seconds is None or run.billable_seconds is None:
        return None
    unbilled = Decimal(str(run.training_seconds)) - Decimal(str(run.billable_seconds))
    return first.price.amount * unbilled * run.instance_count / HOUR


def _facts(run: Run) -> tuple[Fact, ...]:
    """The answers of AWS that the lines are computed from."""
    told: tuple[tuple[str, object], ...]
    if run.is_on_ec2:
        operation = "launched.json of the run"
        told = (("InstanceType", run.instance_type), ("LaunchTime", run.started), ("ended", run.ended),
                ("spot_price", run.spot_price), ("volume_gb", run.volume_gb))  # fmt: skip
    else:
        operation = "DescribeTrainingJob"
        told = (
            ("TrainingJobStatus", run.status.word),
            ("ResourceConfig.InstanceType", run.instance_type),
            ("ResourceConfig.InstanceCount", run.instance_count),
            ("BillableTimeInSeconds", run.billable_seconds),
            ("TrainingTimeInSeconds", run.training_seconds),
            ("TrainingStartTime", run.started),
            ("TrainingEndTime", run.ended),
            ("EnableManagedSpotTraining", True if run.is_spot else None),
        )
    return tuple(Fact(operation, member, _said(value)) for member, value in told if value not in (None, ""))


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return "true" if value is True else str(value)
