"""Managed spot training, simulated: when the capacity is taken away, when it comes back, and what a second costs.

On AWS the capacity goes when others pay for it. Here it goes when somebody asks for that, with a tag of the job:
`kennel:interrupt-after` holds seconds of training ("20" or "20 45", counted over all restarts, each happens once), and
`kennel:interruptions-per-hour` a rate, whose moments are drawn with the job's ARN as seed and so stay the same.
"""

import math
import random
from collections.abc import Mapping
from decimal import Decimal

INTERRUPT_AFTER = "kennel:interrupt-after"
INTERRUPTIONS_PER_HOUR = "kennel:interruptions-per-hour"
INTERRUPT = "kennel:interrupt"
"""Each new value of this tag takes the capacity away now."""

MOST_PER_HOUR = 3600.0
_LONGEST = 28 * 86_400  # seconds, MaxRuntimeInSeconds' own maximum
_MOST_DRAWN = 10_000
_SHORTEST_WAIT, _LONGEST_WAIT = 2.0, 5.0  # seconds; AWS takes minutes, which a simulation need not

_OBSERVED = {  # USD an hour in us-east-1: the lowest and highest spot price seen 2026-09 to 2026-11, and on demand
    "c5": (Decimal("0.130"), Decimal("0.153"), Decimal("0.340")),  # c5.2xlarge
    "m5": (Decimal("0.140"), Decimal("0.161"), Decimal("0.384")),  # m5.2xlarge
    "g4dn": (Decimal("0.200"), Decimal("0.216"), Decimal("0.526")),  # g4dn.xlarge
    "t2": (Decimal("0.0032"), Decimal("0.0042"), Decimal("0.0116")),  # t2.micro
}


def price_ratio(instance_type: str) -> Decimal:
    """What a spot second costs of one on demand: the middle of the prices observed in the instance's family.

    Of a family without an observation: the mean of those with one. Simulated, as all of it.
    """
    family = instance_type.removeprefix("ml.").split(".")[0]
    ratios = {name: (low + high) / 2 / full for name, (low, high, full) in _OBSERVED.items()}
    return ratios.get(family, sum(ratios.values(), Decimal(0)) / len(ratios))


def billable_seconds(training_seconds: int, instance_type: str) -> int:
    """What is billed of a spot job's training seconds: so many on-demand seconds cost as much. At least 1."""
    return max(1, math.ceil(training_seconds * price_ratio(instance_type))) if training_seconds else 0


def interruptions(tags: Mapping[str, str], seed: str) -> tuple[float, ...]:
    """When capacity is taken away, in seconds of training; none without the tags.

    Raises ValueError with a sentence for tags that say something else.
    """
    try:
        asked = [float(text) for text in tags.get(INTERRUPT_AFTER, "").split()]
        rate = float(tags.get(INTERRUPTIONS_PER_HOUR, "").strip() or 0)
    except ValueError as wrong:
        raise ValueError(_MEANING) from wrong
    if not all(0 < seconds <= _LONGEST for seconds in asked) or not 0 <= rate <= MOST_PER_HOUR:
        raise ValueError(_MEANING)
    drawn: list[float] = []
    if rate:
        chance, at = random.Random(seed), 0.0  # noqa: S311 (a simulation that must be the same each time)
        while (at := at + chance.expovariate(rate / 3600)) < _LONGEST and len(drawn) < _MOST_DRAWN:
            drawn.append(at)
    return tuple(sorted({*asked, *drawn}))


_MEANING = (
    f"The tag {INTERRUPT_AFTER} takes seconds of training such as 20 or 20 45, and {INTERRUPTIONS_PER_HOUR} a number "
    f"from 0 to {MOST_PER_HOUR:.0f}."
)


def wait_for_capacity(arn: str, times: int) -> float:
    """Seconds until there is capacity again after a job's `times`-th interruption."""
    return random.Random(f"{arn} {times}").uniform(_SHORTEST_WAIT, _LONGEST_WAIT)  # noqa: S311 (as above)
