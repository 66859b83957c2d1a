"""A question for a price: so much of this, for so long; and its answer with everything needed to defend it. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from dashboard.core.costs import charges
from dashboard.core.costs.prices import Confidence, Price, PriceBook
from dashboard.core.costs.quantities import HOUR, MONTH_HOURS
from dashboard.core.costs.receipt import Line
from dashboard.core.errors import InvalidInput
from dashboard.core.format import count as counted
from dashboard.core.format import money, plain

CENTURY = Decimal(100 * 366 * 86400)
MOST = 1_000_000
LARGEST = Decimal(10**9)
"""Of a size or a price: far more than anything has, and little enough to be counted to the digit."""
MEMORY_MB = (128, 10_240)
"""The least and the most memory of a function (AWS Lambda quotas)."""
SPOT_SOURCE = "the spot price that was asked with"


class What(StrEnum):
    """What can be asked for."""

    TRAINING = "sagemaker-training"
    EC2 = "ec2"
    ENDPOINT = "endpoint"
    NOTEBOOK = "notebook"
    PROVISIONED = "lambda-provisioned"

    @property
    def has_spot(self) -> bool:
        return self in (What.TRAINING, What.EC2)

    @property
    def is_instance(self) -> bool:
        return self is not What.PROVISIONED

    @property
    def has_months(self) -> bool:
        """Whether it may be there for a month; a training is not."""
        return self is not What.TRAINING


KINDS = tuple(one.value for one in What)


@dataclass(frozen=True)
class Asked:
    """`count` of something, each for `seconds`. `month_hours` is the length of a month, where one was told."""

    kind: What
    region: str
    seconds: Decimal
    instance: str = ""
    count: int = 1
    spot_price: Decimal | None = None
    memory_mb: int = 0
    month_hours: Decimal | None = None
    volume_gb: Decimal = Decimal(0)
    public_address: bool = False

    @classmethod
    def of(
        cls,
        kind: str,
        *,
        region: str,
        instance: str = "",
        seconds: Decimal | None = None,
        count: int = 1,
        spot_price: Decimal | None = None,
        memory_mb: int = 0,
        month_hours: Decimal | None = None,
        volume_gb: Decimal = Decimal(0),
        public_address: bool = False,
    ) -> "Asked":
        """A question that can be answered. Raises InvalidInput for one that makes no sense, by its field."""
        what = What(kind)
        amounts = (("seconds", seconds), ("month-hours", month_hours), ("volume-gb", volume_gb))
        _fits(what, instance, spot_price, memory_mb, month_hours, volume_gb, public_address)
        for field, value in amounts:
            if value is not None and (not value.is_finite() or value < 0):
                raise InvalidInput(f"--{field} is {value}", "it is a number from 0", field=field)
        if spot_price is not None and (not spot_price.is_finite() or spot_price <= 0):
            raise InvalidInput(f"--spot-price is {spot_price}", "it is dollars an hour, above 0", field="spot-price")
        for field, value in (*amounts, ("spot-price", spot_price), ("memory-mb", Decimal(memory_mb))):
            if value is not None and value > LARGEST and field != "seconds":
                raise InvalidInput(f"--{field} is {value}", f"it is {LARGEST:,} at most", field=field)
        if not 1 <= count <= MOST:
            raise InvalidInput(f"--count is {count}", f"it is a whole number from 1 to {MOST:,}", field="count")
        if month_hours is not None and not month_hours:
            raise InvalidInput("--month-hours is 0", "a month has 672 to 744 hours", field="month-hours")
        by_month = None if month_hours is None else month_hours * HOUR
        if seconds is None and by_month is None:
            how = "--seconds or --month-hours" if what.has_months else "--seconds"
            raise InvalidInput("how long is not told", "", f"give {how}", field="seconds")
        if None not in (seconds, by_month) and seconds != by_month and not volume_gb:
            raise InvalidInput(
                "--seconds and --month-hours tell two different times", "", "give one of them", field="seconds"
            )
        time = by_month if seconds is None else seconds
        assert time is not None  # noqa: S101 - one of the two was told
        if time > CENTURY:
            raise InvalidInput(f"{plain(float(time))} s is more than a century", field="seconds")
        return cls(what, region, time, instance, count, spot_price, memory_mb, month_hours, volume_gb, public_address)


@dataclass(frozen=True)
class Quoted:
    """The answer: the lines of what it would cost. `if_added_up`: were the seconds those of all instances together."""

    asked: Asked
    lines: tuple[Line, ...]
    if_added_up: Decimal | None = None

    @property
    def amount(self) -> Decimal | None:
        """The sum, not rounded; None as soon as a part of it is unknown."""
        if any(line.amount is None for line in self.lines):
            return None
        return sum((line.amount for line in self.lines if line.amount is not None), Decimal(0))

    @property
    def price(self) -> Price | None:
        """The unit price of what was asked for; of an instance without its volume and address."""
        return self.lines[0].price

    @property
    def why_unknown(self) -> str:
        return "; ".join(line.why_unknown for line in self.lines if line.why_unknown)

    @property
    def how(self) -> str:
        """Where the quantity comes from."""
        return self.lines[0].how

    @property
    def more(self) -> tuple[str, ...]:
        """What else a person should know of the sum."""
        told = [f"with {line.what}: {money(line.amount)}, {line.how}" for line in self.lines[1:]]
        if self.if_added_up is not None and self.amount is not None:
            told.append(
                f"the seconds are taken as each instance's own (wall time); if they were the "
                f"{counted(self.asked.count, 'instance')} added up, it would be {money(self.if_added_up)}"
            )
        return tuple(told)


def quoted(book: PriceBook, asked: Asked, now: datetime) -> Quoted:
    """What it costs at the prices in force at a moment."""
    lines = _lines(book, asked, now, asked.count)
    if asked.kind is not What.TRAINING or asked.count < 2 or lines[0].amount is None:
        return Quoted(asked, lines)
    return Quoted(asked, lines, lines[0].amount / asked.count)


def _lines(book: PriceBook, asked: Asked, now: datetime, count: int) -> tuple[Line, ...]:
    spot = None
    if asked.spot_price is not None:
        spot = Price(asked.spot_price, "USD", SPOT_SOURCE, now.date(), Confidence.WEAK)
    ended, region = now + timedelta(microseconds=int(asked.seconds * 1_000_000)), asked.region
    match asked.kind:
        case What.TRAINING:
            return charges.training(
                book,
                asked.instance,
                region,
                billable_seconds=asked.seconds,
                count=count,
                spot=spot,
                started=now,
                ended=ended,
            )
        case What.EC2:
            one = charges.ec2(
                book,
                asked.instance,
                region,
                seconds=asked.seconds,
                spot=spot,
                volume_gb=asked.volume_gb,
                public_address=asked.public_address,
                month_hours=MONTH_HOURS if asked.month_hours is None else asked.month_hours,
                started=now,
                ended=ended,
            )
            return tuple(_times(line, count) for line in one)
        case What.ENDPOINT:
            return charges.endpoint(book, asked.instance, region, count=count, started=now, ended=ended)
        case What.NOTEBOOK:
            one = charges.notebook(book, asked.instance, region, started=now, ended=ended)
            return tuple(_times(line, count) for line in one)
        case What.PROVISIONED:
            return charges.provisioned(book, region, memory_mb=asked.memory_mb, count=count, started=now, ended=ended)


def _times(line: Line, count: int) -> Line:
    """The same charge `count` times."""
    return replace(
        line,
        quantity=None if line.quantity is None else line.quantity * count,
        amount=None if line.amount is None else line.amount * count,
        how=f"{line.how} × {count}" if count != 1 else line.how,
    )


def _fits(
    what: What,
    instance: str,
    spot_price: Decimal | None,
    memory_mb: int,
    month_hours: Decimal | None,
    volume_gb: Decimal,
    public_address: bool,
) -> None:
    """Raises InvalidInput for what does not belong together: nothing that was told is left out of the answer."""
    if what.is_instance and not instance:
        raise InvalidInput(f"{what} needs an instance type", "", "give --instance", field="instance")
    if what is What.EC2 and instance.startswith("ml."):
        raise InvalidInput(f"{instance} is a type of SageMaker", "", f"give {instance[3:]} for ec2", field="instance")
    if what.is_instance and what is not What.EC2 and not instance.startswith("ml."):
        raise InvalidInput(f"{instance} is a type of EC2", "", f"give ml.{instance} for {what}", field="instance")
    least, most = MEMORY_MB
    if what is What.PROVISIONED and not memory_mb:
        raise InvalidInput(
            f"{what} needs the function's memory", "", f"give --memory-mb, {least} to {most:,}", field="memory-mb"
        )
    if what is What.PROVISIONED and not least <= memory_mb <= most:
        raise InvalidInput(f"--memory-mb is {memory_mb}", f"a function has {least} to {most:,} MB", field="memory-mb")
    unused = {
        "--instance": not what.is_instance and bool(instance),
        "--spot-price": spot_price is not None and not what.has_spot,
        "--memory-mb": bool(memory_mb) and what is not What.PROVISIONED,
        "--month-hours": month_hours is not None and not what.has_months,
        "--volume-gb": bool(volume_gb) and what is not What.EC2,
        "--public-address": public_address and what is not What.EC2,
    }
    for option, is_told in unused.items():
        if is_told:
            raise InvalidInput(f"{option} means nothing to {what}", "", "leave it out", field=option[2:])
