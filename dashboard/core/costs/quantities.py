"""How much of something was used, as AWS counts it: its rounding, its least amounts. Pure, exact, Decimal throughout.

Sources of the rules: AWS's pricing pages of SageMaker, EC2, EBS and Lambda.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

Number = Decimal | float | int

HOUR = Decimal(3600)
MONTH_HOURS = Decimal(730)
"""Hours of a month, as most of AWS's own calculators count it; Lambda's console counts 744, a month of 31 days."""
EC2_LEAST_SECONDS = Decimal(60)
"""EC2 bills Linux instances by the second, a minute at least for each start; so it does volumes and addresses."""
PROVISIONED_STEP = Decimal(300)
"""Lambda rounds the time of provisioned concurrency up to five minutes."""
EPHEMERAL_FREE_MB = 512
MB_IN_GB = 1024


@dataclass(frozen=True, slots=True)
class Quantity:
    """`number` / `of` of a `unit`: kept as a fraction, so that thirds of an hour cost what they cost, to the digit."""

    number: Decimal
    unit: str
    of: Decimal = Decimal(1)

    @property
    def value(self) -> Decimal:
        return self.number / self.of

    def cost(self, unit_price: Decimal) -> Decimal:
        """At a price for each unit; not rounded."""
        return unit_price * self.number / self.of


def exact(number: Number, what: str) -> Decimal:
    """A quantity as a Decimal. Raises ValueError for what is negative, infinite or no number."""
    told = number if isinstance(number, Decimal) else Decimal(str(number))
    if not told.is_finite():
        raise ValueError(f"{what} is {number}, which is no quantity")
    if told < 0:
        raise ValueError(f"{what} is {number}: seconds and count are not negative")
    return told


def instance_hours(seconds: Number, count: Number = 1) -> Quantity:
    """`count` instances, each for `seconds`."""
    return Quantity(exact(seconds, "the time") * exact(count, "the number of instances"), "instance-hours", HOUR)


def hours(seconds: Number) -> Quantity:
    """One thing for `seconds`."""
    return Quantity(exact(seconds, "the time"), "hours", HOUR)


def gb_months(gb: Number, seconds: Number, month_hours: Number = MONTH_HOURS) -> Quantity:
    """`gb` kept for `seconds`, in months of `month_hours`. Raises ValueError for a month of no hours."""
    month = exact(month_hours, "the month")
    if not month:
        raise ValueError("a month has more than 0 hours")
    return Quantity(exact(gb, "the size") * exact(seconds, "the time"), "GB-months", HOUR * month)


def gb_seconds(memory_mb: Number, seconds: Number, count: Number = 1) -> Quantity:
    """`count` times `memory_mb` MB for `seconds`; a GB has 1,024 MB, as Lambda counts it."""
    memory, times = exact(memory_mb, "the memory"), exact(count, "the number of instances")
    return Quantity(memory * exact(seconds, "the time") * times, "GB-seconds", Decimal(MB_IN_GB))


def requests(number: Number) -> Quantity:
    return Quantity(exact(number, "the number of requests"), "requests")


def ec2_seconds(seconds: Number) -> Decimal:
    """What EC2 bills of a running time: a minute at least, and nothing for what has not run."""
    told = exact(seconds, "the time")
    return max(EC2_LEAST_SECONDS, told) if told else told


def provisioned_seconds(seconds: Number) -> Decimal:
    """What Lambda bills of the time from enabling provisioned concurrency to disabling it: whole five minutes."""
    return (exact(seconds, "the time") / PROVISIONED_STEP).to_integral_value(ROUND_CEILING) * PROVISIONED_STEP


def billed_milliseconds(durations_ms: Iterable[Number]) -> Decimal:
    """What Lambda bills of these invocations, each rounded up to a whole millisecond.

    A cold start's duration includes its INIT phase, which is billed since 2025-08-01.
    """
    rounded = (exact(one, "a duration").to_integral_value(ROUND_CEILING) for one in durations_ms)
    return sum(rounded, Decimal(0))
