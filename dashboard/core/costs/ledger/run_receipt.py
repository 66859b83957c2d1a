"""What one run has cost, line by line: the one arithmetic of everything that shows a run's cost. Pure."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from dashboard.core import tags as tag
from dashboard.core.costs import charges
from dashboard.core.costs.prices import Confidence, Kind, Price, PriceBook
from dashboard.core.costs.quantities import instance_hours
from dashboard.core.costs.receipt import DAY, Fact, Line, Nature, Receipt, Service
from dashboard.core.runs.alike import CACHED_NOTE
from dashboard.core.runs.expectation import expectation_of
from dashboard.core.runs.model import Run, RunStatus
from dashboard.core.runs.reading import reading

JOB = "DescribeTrainingJob"
NO_SECONDS = "AWS reports no billable seconds for it"
NO_END = "when its instance ended is not known"
NO_SPOT_PRICE = "the spot price at its launch was not recorded"
SPOT_SOURCE = "EC2's lowest spot price when it was launched"

FIRST = datetime(2006, 1, 1, tzinfo=UTC)
"""Nothing ran on AWS before 2006: earlier times are wrong, and a sum by day must not begin in the year 1."""


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
        started=max(run.created, FIRST),
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
        notes=(*notes, *_replayed(run, lines), *((CACHED_NOTE,) if run.is_cached else ())),
    )


def _replayed(run: Run, lines: tuple[Line, ...]) -> tuple[str, ...]:
    """That nothing ran, how its times are known, and how they are read."""
    if not run.is_replayed:
        return ()
    basis = run.tags.get(tag.REPLAY_BASIS, "")
    known = [line.amount for line in lines if line.amount is not None]
    read = reading(run, sum(known, Decimal(0)) if known else None)
    return ("replayed from a write-up: nothing ran in this account", *(one for one in (basis, read) if one))


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
    if started < FIRST:
        notes.append("its start lies before AWS had such machines: only what AWS bills counts")
        started = FIRST
    if ended > now + DAY:
        notes.append("its end lies in the future, by more than clocks differ: only what AWS bills counts")
        ended = now
    if ended < started:
        notes.append("its end lies before its start: no time passes between them, what AWS bills counts")
        ended = started
    return started, ended, tuple(notes)


def _lines(
    run: Run, prices: PriceBook, region: str, now: datetime, started: datetime, ended: datetime
) -> tuple[Line, ...]:
    told = run.billed_so_far(now)
    seconds = max(0.0, told or 0.0)
    if not run.is_on_ec2:
        lines = charges.training(
            prices,
            run.instance_type,
            region,
            billable_seconds=seconds,
            count=run.instance_count,
            started=started,
            ended=ended,
            volume_gb=run.volume_gb or 0,
        )
        if run.saving and (run.billable_seconds or 0) >= 0:
            lines = (replace(lines[0], how=f"{lines[0].how}, of {run.training_seconds:,.0f} s"), *lines[1:])
        return lines if told is not None else _unknown(lines, NO_SECONDS)
    spot = None
    if run.is_spot:
        # It is that of the cheapest zone, and moves while the instance runs; without it the list price stands in for
        # the form of the lines, whose amounts are unknown then.
        at = run.spot_price
        spot = (
            None if at is None else Price(at, "USD", SPOT_SOURCE, started.astimezone(UTC).date(), Confidence.ESTIMATE)
        )
    lines = charges.ec2(
        prices,
        run.instance_type,
        region,
        started=started,
        ended=ended,
        seconds=seconds,
        spot=spot,
        volume_gb=run.volume_gb or 0,
        public_address=True,
    )
    if told is None:
        return _unknown(lines, NO_END)
    if run.is_spot and spot is None:
        what = f"{run.instance_type}, spot"
        return (replace(lines[0], what=what, price=None, amount=None, why_unknown=NO_SPOT_PRICE), *lines[1:])
    return lines


def _unknown(lines: tuple[Line, ...], why: str) -> tuple[Line, ...]:
    """The same charges, of a time that nobody knows."""
    return tuple(replace(one, quantity=None, amount=None, how="", why_unknown=one.why_unknown or why) for one in lines)


def _saving(run: Run, prices: PriceBook, region: str, lines: tuple[Line, ...]) -> Decimal | None:
    """What spot saved against the list price on demand; None when it is not spot, or not known."""
    first = lines[0]
    if not run.is_spot or first.amount is None or first.price is None:
        return None
    if run.is_on_ec2:
        listed = prices.price(Kind.EC2, run.instance_type, region, first.started)
        return None if listed is None or first.quantity is None else listed.amount * first.quantity - first.amount
    if not run.status.is_final or run.training_seconds is None or run.billable_seconds is None:
        return None
    unbilled = max(0.0, run.training_seconds - run.billable_seconds)
    return instance_hours(unbilled, run.instance_count).cost(first.price.amount)


def _facts(run: Run) -> tuple[Fact, ...]:
    """The answers of AWS that the lines are computed from."""
    if run.is_on_ec2:
        folder = f"s3 ec2-runs/{run.name}/"
        told: tuple[tuple[str, str, object], ...] = (
            (f"{folder}request.json", "instance_type", run.instance_type),
            (f"{folder}request.json", "volume_gb", run.volume_gb),
            (f"{folder}instance.json", "launched", run.started),
            (f"{folder}instance.json", "spot_price", run.spot_price),
            (f"{folder}status.json", "ended", run.ended),
        )
    else:
        told = (
            (JOB, "TrainingJobStatus", _job_status(run.status)),
            (JOB, "ResourceConfig.InstanceType", run.instance_type),
            (JOB, "ResourceConfig.InstanceCount", run.instance_count),
            (JOB, "ResourceConfig.VolumeSizeInGB", run.volume_gb),
            (JOB, "BillableTimeInSeconds", run.billable_seconds),
            (JOB, "TrainingTimeInSeconds", run.training_seconds),
            (JOB, "TrainingStartTime", run.started),
            (JOB, "TrainingEndTime", run.ended),
            (JOB, "EnableManagedSpotTraining", True if run.is_spot else None),
        )
    return tuple(Fact(where, member, _said(value)) for where, member, value in told if value not in (None, ""))


def _job_status(status: RunStatus) -> str:
    """AWS's own word, which `RunStatus.of` was made from; "" where that is not known any more."""
    if status is RunStatus.UNKNOWN:
        return ""
    if status in (RunStatus.OUT_OF_TIME, RunStatus.OUT_OF_WAIT):
        return RunStatus.STOPPED.value
    return status.value if status.is_final or status is RunStatus.STOPPING else "InProgress"


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    return "true" if value is True else str(value)
