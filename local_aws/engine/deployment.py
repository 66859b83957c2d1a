"""How an endpoint's variants are replaced: in which steps requests go over to the new ones, and what stops that.

Pure: SageMaker's DeploymentConfig comes in through local_aws.services.sagemaker_deployment, and engine.rollout does
what is planned here.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """share: of the requests (of the capacity, when rolling) that is the new fleet's after it, 0–1.

    wait: seconds, as AWS counts them, for which the alarms are watched before the next one.
    """

    share: float
    wait: float


@dataclass(frozen=True)
class Deployment:
    """rolling: capacity is replaced batch by batch; else a whole new fleet is made first and requests go over to it.

    longest: seconds after which it is given up, None: no limit; back: the share of the capacity that is brought up at
    once when a rolling one is taken back; alarms: the names of those that stop it.
    """

    steps: tuple[Step, ...] = (Step(1.0, 0.0),)
    rolling: bool = False
    longest: float | None = None
    back: float = 1.0
    alarms: tuple[str, ...] = ()


def steps_of(batch: float, wait: float, last_wait: float) -> tuple[Step, ...]:
    """Equal steps of `batch` (0–1) up to everything; the last one has its own wait."""
    number = math.ceil(round(1 / batch, 9))
    return (*(Step(batch * n, wait) for n in range(1, number)), Step(1.0, last_wait))


def canary(size: float, wait: float, last_wait: float) -> tuple[Step, ...]:
    """A small step, then the rest."""
    return (Step(size, wait), Step(1.0, last_wait))


def moved(share: float, count: int) -> int:
    """How many of `count` instances are new when `share` of the capacity is: at least one, all of them at 1."""
    return min(count, max(1, math.ceil(round(share * count, 9)))) if share > 0 else 0
