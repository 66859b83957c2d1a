"""One function for each thing that AWS charges for: what was measured → the lines of its receipt. Pure.

Each takes the price book, the region, what was measured, and the time that the charge accrues over: `started` to
`ended`, or to the moment of the reading while it goes on. Prices are those in force at `started`; what lasts, as
endpoints, notebooks and what is kept do, has a line for each price that it had. A price that is not in the book makes a
line of unknown amount with why, never one of 0. All raise ValueError for what cannot have been measured: negative or
infinite quantities, an end before its start.
"""

from datetime import datetime
from decimal import Decimal

from dashboard.core.costs import quantities
from dashboard.core.costs.prices import Extra, Kind, Price, PriceBook
from dashboard.core.costs.quantities import EPHEMERAL_FREE_MB, MONTH_HOURS, Number, Quantity, exact
from dashboard.core.costs.receipt import Line
from dashboard.core.costs.span import Span, in_digits, in_seconds
from dashboard.core.format import count as counted
from dashboard.core.format import duration

SERVERLESS_MB = 3072
"""The memory of the one serverless endpoint whose price is known."""
NO_ARM = "no price for provisioned concurrency on ARM in the price book"


def training(
    book: PriceBook,
    instance_type: str,
    region: str,
    *,
    billable_seconds: Number,
    started: datetime,
    ended: datetime,
    count: int = 1,
    volume_gb: Number = 0,
    spot: Price | None = None,
) -> tuple[Line, ...]:
    """A SageMaker training: billable seconds (of each instance) × instances × price per instance-hour.

    SageMaker bills from TrainingStartTime to TrainingEndTime, download and upload included; managed spot by fewer
    billable seconds at the same price, and `spot` is for counting with another one all the same. `volume_gb` is each
    instance's, kept from `started` to `ended`; where its price is not known, the receipt says that the storage is
    missing from it.
    """
    span = Span(book, region, started, ended)
    how = f"{in_seconds(billable_seconds)} billable × {counted(count, 'instance')}"
    use = "spot training" if spot else "training"
    trained = span.instances(
        Kind.SAGEMAKER_TRAINING, instance_type, use, seconds=billable_seconds, count=count, how=how, spot=spot
    )
    return (trained, *_ml_storage(span, volume_gb, count))


def ec2(
    book: PriceBook,
    instance_type: str,
    region: str,
    *,
    started: datetime,
    ended: datetime,
    seconds: Number | None = None,
    spot: Price | None = None,
    volume_gb: Number = 0,
    public_address: bool = False,
    month_hours: Number = MONTH_HOURS,
) -> tuple[Line, ...]:
    """One start of one EC2 instance: by the second while it runs, a minute at least.

    `seconds` is how long it ran, from `started` to `ended` when not told. `spot` is the price to count with instead of
    the list price. The volume (gp3) and the public address last as long as the instance; where their prices are not
    known, the receipt says that they are missing from it.
    """
    span = Span(book, region, started, ended)
    ran = span.seconds if seconds is None else exact(seconds, "the time")
    billed = quantities.ec2_seconds(ran)
    how = f"{in_seconds(billed)}, the least that EC2 bills" if billed != ran else in_seconds(billed)
    lines = [
        span.instances(Kind.EC2, instance_type, "spot" if spot else "on demand", seconds=billed, how=how, spot=spot)
    ]
    if volume_gb:
        name = f"{in_digits(volume_gb)} GB gp3"
        lines.append(span.kept(Extra.GP3, volume_gb, month_hours, seconds=billed, name=name, essential=False))
    if public_address:
        hours = quantities.hours(billed)
        lines.append(span.beside(Extra.PUBLIC_IPV4, hours, in_seconds(billed), "a public address", essential=False))
    return tuple(lines)


def endpoint(
    book: PriceBook,
    instance_type: str,
    region: str,
    *,
    started: datetime,
    ended: datetime,
    count: int = 1,
    data_gb: Number = 0,
) -> tuple[Line, ...]:
    """A real-time endpoint with `count` instances: per second from InService to its end. `data_gb` is in and out."""
    span = Span(book, region, started, ended)
    return (*span.each(Kind.ENDPOINT, instance_type, "serving", count=count), *_data(span, data_gb))


def serverless(
    book: PriceBook,
    region: str,
    *,
    memory_mb: int,
    duration_ms: Number,
    started: datetime,
    ended: datetime,
    data_gb: Number = 0,
) -> tuple[Line, ...]:
    """A serverless endpoint: each millisecond that it computes. Only the price of 3 GB is known to the book."""
    span = Span(book, region, started, ended)
    seconds = exact(duration_ms, "the duration") / 1000
    quantity, how = Quantity(seconds, "seconds"), f"{in_seconds(seconds)} of answering"
    if memory_mb == SERVERLESS_MB:
        line = span.beside(Extra.SERVERLESS_3GB, quantity, how)
    else:
        why = f"no price for a serverless endpoint of {memory_mb:,} MB in the price book, only for {SERVERLESS_MB:,} MB"
        line = span.line(f"serverless endpoint, {memory_mb:,} MB", quantity, None, how=how, why=why)
    return (line, *_data(span, data_gb))


def function(
    book: PriceBook,
    region: str,
    *,
    requests: int,
    duration_ms: Number,
    memory_mb: int,
    started: datetime,
    ended: datetime,
    arm: bool = False,
    ephemeral_mb: int = EPHEMERAL_FREE_MB,
) -> tuple[Line, ...]:
    """A Lambda function: its requests, and GB-seconds of its duration.

    `duration_ms` is the sum over all invocations, each rounded up to a whole millisecond with its INIT phase
    (`quantities.billed_milliseconds`). Storage over 512 MB is charged for the same time.
    """
    span = Span(book, region, started, ended)
    seconds = exact(duration_ms, "the duration") / 1000
    rate = Extra.LAMBDA_DURATION_ARM if arm else Extra.LAMBDA_DURATION_X86
    executed = _executed(span, rate, seconds, memory_mb)
    return (_requests(span, requests), executed, *_ephemeral(span, seconds, ephemeral_mb))


def provisioned(
    book: PriceBook,
    region: str,
    *,
    memory_mb: int,
    count: int,
    started: datetime,
    ended: datetime,
    requests: int = 0,
    duration_ms: Number = 0,
    arm: bool = False,
    ephemeral_mb: int = EPHEMERAL_FREE_MB,
    before: Number = 0,
    goes_on: bool = False,
) -> tuple[Line, ...]:
    """Lambda's provisioned concurrency: `count` environments kept ready, in whole five minutes, and what ran in them.

    The five minutes count from when it was enabled to when it was disabled, however often its number was changed:
    `before` are the seconds for which another number was ready just before, and it `goes_on` with another at once.

    What ran in them costs the usual price for each request, and a duration rate of its own; what overflowed them is a
    `function`. On ARM it is unknown: the book has no price for it. Where it has none for a request, the sum lacks that.
    """
    span, seconds = Span(book, region, started, ended), exact(duration_ms, "the duration") / 1000
    lines = [
        _ready(part, kept, memory_mb, count, arm=arm, goes_on=goes_on)
        for part, kept in _whole_steps(span, before, goes_on=goes_on)
    ]
    if seconds and arm:
        ran, how = quantities.gb_seconds(memory_mb, seconds), f"{memory_mb:,} MB × {in_seconds(seconds)}"
        lines.append(span.line(Extra.LAMBDA_PROVISIONED_DURATION.word, ran, None, how=how, why=NO_ARM))
    elif seconds:
        lines.append(_executed(span, Extra.LAMBDA_PROVISIONED_DURATION, seconds, memory_mb))
    if requests:
        lines.append(_requests(span, requests, essential=False))
    return (*lines, *_ephemeral(span, seconds, ephemeral_mb))


def notebook(
    book: PriceBook,
    instance_type: str,
    region: str,
    *,
    started: datetime,
    ended: datetime,
    volume_gb: Number = 0,
) -> tuple[Line, ...]:
    """A notebook instance: per second from its start to its stop.

    Its volume is kept, and billed, while it is stopped too: for such a time there is `ml_storage` alone.
    """
    span = Span(book, region, started, ended)
    return (*span.each(Kind.NOTEBOOK, instance_type, "notebook"), *_ml_storage(span, volume_gb, 1))


def ml_storage(
    book: PriceBook, region: str, *, gb: Number, started: datetime, ended: datetime, count: int = 1
) -> tuple[Line, ...]:
    """The volumes of `count` SageMaker instances, `gb` each. Its price is known in few regions."""
    return _ml_storage(Span(book, region, started, ended), gb, count)


def storage(
    book: PriceBook, region: str, *, gb: Number, started: datetime, ended: datetime, month_hours: Number = MONTH_HOURS
) -> tuple[Line, ...]:
    """What lies in S3 (Standard), kept from `started` to `ended`; `gb` is its mean size over that time."""
    parts = Span(book, region, started, ended).cut(book.changes_beside(Extra.S3_STANDARD, region))
    return tuple(part.kept(Extra.S3_STANDARD, gb, month_hours) for part in parts)


def volume(
    book: PriceBook,
    region: str,
    *,
    gb: Number,
    started: datetime,
    ended: datetime,
    kind: str = Extra.GP3,
    month_hours: Number = MONTH_HOURS,
) -> tuple[Line, ...]:
    """An EBS volume of a type ("gp3"), whether something is attached to it or not."""
    span = Span(book, region, started, ended)
    if kind in (Extra.GP3, Extra.GP2):
        parts, name = span.cut(book.changes_beside(Extra(kind), region)), f"{in_digits(gb)} GB {kind}"
        return tuple(part.kept(Extra(kind), gb, month_hours, name=name) for part in parts)
    quantity = quantities.gb_months(gb, span.seconds, month_hours)
    return (span.line(f"{in_digits(gb)} GB {kind}", quantity, None, why=f"no price for {kind} in the price book"),)


def address(book: PriceBook, region: str, *, started: datetime, ended: datetime) -> tuple[Line, ...]:
    """A public IPv4 address, whether something uses it or not."""
    parts = Span(book, region, started, ended).cut(book.changes_beside(Extra.PUBLIC_IPV4, region))
    return tuple(
        part.beside(Extra.PUBLIC_IPV4, quantities.hours(part.seconds), in_seconds(part.seconds)) for part in parts
    )


def _ml_storage(span: Span, gb: Number, count: int) -> tuple[Line, ...]:
    if not gb:
        return ()
    parts = span.cut(span.book.changes_beside(Extra.ML_STORAGE, span.region))
    return tuple(part.kept(Extra.ML_STORAGE, gb, MONTH_HOURS, count=count, essential=False) for part in parts)


def _data(span: Span, gb: Number) -> tuple[Line, ...]:
    if not gb:
        return ()
    quantity = Quantity(exact(gb, "the data"), "GB")
    return (span.beside(Extra.ENDPOINT_DATA, quantity, f"{in_digits(gb)} GB", essential=False),)


def _requests(span: Span, requests: int, *, essential: bool = True) -> Line:
    quantity = quantities.requests(requests)
    return span.beside(Extra.LAMBDA_REQUEST, quantity, counted(requests, "request"), essential=essential)


def _executed(span: Span, rate: Extra, seconds: Decimal, memory_mb: int) -> Line:
    return span.beside(rate, quantities.gb_seconds(memory_mb, seconds), f"{memory_mb:,} MB × {in_seconds(seconds)}")


def _whole_steps(span: Span, before: Number, *, goes_on: bool) -> list[tuple[Span, Decimal]]:
    """The parts of a span, one for each price that was in force, with their billed seconds.

    Whole steps with what was `before`, unless it `goes_on`.
    """
    *earlier, last = span.cut(span.book.changes_beside(Extra.LAMBDA_PROVISIONED, span.region))
    ready = exact(before, "the time before") + span.seconds
    rounding = Decimal(0) if goes_on else quantities.provisioned_seconds(ready) - ready
    return [*((part, part.seconds) for part in earlier), (last, last.seconds + rounding)]


def _ready(span: Span, seconds: Decimal, memory_mb: int, count: int, *, arm: bool, goes_on: bool) -> Line:
    ready = quantities.gb_seconds(memory_mb, seconds, count)
    steps = "rounded up to whole 5 min at its end" if goes_on else "in whole 5 min"
    how = f"{count:,} × {memory_mb:,} MB × {duration(float(seconds))}, {steps}"
    if not arm:
        return span.beside(Extra.LAMBDA_PROVISIONED, ready, how)
    return span.line(Extra.LAMBDA_PROVISIONED.word, ready, None, how=how, why=NO_ARM)


def _ephemeral(span: Span, seconds: Decimal, ephemeral_mb: int) -> tuple[Line, ...]:
    over = ephemeral_mb - EPHEMERAL_FREE_MB
    if over <= 0 or not seconds:
        return ()
    how = f"{over:,} MB over {EPHEMERAL_FREE_MB} MB × {in_seconds(seconds)}"
    return (span.beside(Extra.LAMBDA_EPHEMERAL, quantities.gb_seconds(over, seconds), how),)
