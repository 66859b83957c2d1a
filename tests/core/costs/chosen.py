"""Completed runs as choices, for tests: what was run, on what, for how long and for how much."""

from decimal import Decimal
from typing import Any

from dashboard.core.costs.choices.outcomes import Outcome, is_guess, trained, way_of
from dashboard.core.costs.receipt import Nature
from dashboard.core.runs.model import Capacity, Platform
from dashboard.core.runs.reading import share_if_summed
from tests.core.runs.made import NOW, run

GUESSED = {
    "tags": {
        "kennel:sample": "true",
        "kennel:replay": "2026-01-01T00:00:00Z 600",
        "kennel:replay-basis": "duration estimated: 663 s on 8 processors scaled to 4",
    }
}
"""A replayed training whose duration nobody published."""
TWO_WAYS = {
    "tags": {
        "kennel:sample": "true",
        "kennel:replay": "2026-01-01T00:00:00Z 1353 577",
        "kennel:replay-basis": "duration published",
        "kennel:replay-may-be-sum": "true",
    }
}
"""A replayed training of several instances whose time may be theirs added up."""
CACHED = {"metrics": {"features:from-cache": 1.0}}
"""A run that found its features in the cache of an earlier one."""
SPOT, EC2 = {"capacity": Capacity.SPOT}, {"platform": Platform.EC2}


def outcome(
    name: str = "dogs-1",
    cost: str | None = "0.10",
    seconds: float = 600,
    accuracy: float | None = 0.9,
    *,
    instance: str = "ml.c5.2xlarge",
    count: int = 1,
    waited: float = 0,
    instances: str | None = None,
    nature: Nature = Nature.SIMULATED,
    **more: Any,
) -> Outcome:
    """A run that trained for `seconds`, begun `waited` seconds after its launch; `instances`: their part of `cost`."""
    made = run(
        name, instance_type=instance, instance_count=count, training_seconds=seconds,
        **({"billable_seconds": seconds} | more),
    )  # fmt: skip
    amount = None if cost is None else Decimal(cost)
    why = "" if cost is not None else "no price"
    on = "" if accuracy is None else "test:accuracy"
    return Outcome(
        made,
        way_of(made),
        nature,
        seconds + waited,
        trained(made),
        amount,
        accuracy,
        on,
        why,
        is_guessed=is_guess(made),
        is_cached=made.is_cached,
        instances=None if instances is None else Decimal(instances),
        share_if_summed=share_if_summed(made),
    )


__all__ = ["CACHED", "EC2", "GUESSED", "NOW", "SPOT", "TWO_WAYS", "outcome"]
