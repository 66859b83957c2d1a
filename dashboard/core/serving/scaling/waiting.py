"""How long requests wait for a place on an instance: queueing arithmetic. Pure.

While instances keep up, arrivals are random and a place takes one request after the other, so that the wait is that of
an M/M/c queue (A. K. Erlang's C formula, 1917), shortened for service times that hardly vary: by half (A. O. Allen and
J. Cunneen's approximation for M/D/c). While they do not keep up, the backlog decides, as a fluid.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

BUSIEST = 0.98
"""Above this share of its places an M/M/c queue has no useful stationary wait: the backlog grows instead."""
SHORTER = 0.5
"""Of an M/M/c wait, where service times are constant: (variance of arrivals 1 + of service 0) / 2."""
STEPS = 40


@dataclass(frozen=True)
class Wait:
    """The wait of one request: `least` seconds behind a backlog; then, with `chance`, an exponential one of `mean`."""

    least: float
    chance: float = 0.0
    mean: float = 0.0

    def beyond(self, seconds: float) -> float:
        """The share of such requests that wait longer than `seconds`."""
        if seconds < self.least:
            return 1.0
        return self.chance * math.exp(-(seconds - self.least) / self.mean) if self.mean > 0 else 0.0

    @property
    def expected(self) -> float:
        """Seconds on average."""
        return self.least + self.chance * self.mean


@lru_cache(maxsize=4096)
def stationary(places: int, share: float) -> Wait:
    """The wait where `share` (0..1) of so many places is busy, in units of one request's service time."""
    if share <= 0 or places < 1:
        return Wait(0.0)
    share = min(share, BUSIEST)
    return Wait(0.0, erlang_c(places, places * share), SHORTER / (places * (1 - share)))


def erlang_c(places: int, load: float) -> float:
    """The probability that a request finds all places taken; load: arrivals × service time, below `places`.

    By the recursion of Erlang's B formula, which does not overflow.
    """
    blocked = 1.0
    for taken in range(1, places + 1):
        blocked = load * blocked / (taken + load * blocked)
    busy = load / places
    return blocked / (1 - busy * (1 - blocked))


def quantile(waits: Iterable[tuple[Wait, float]], share: float) -> float:
    """The wait that `share` (0.99) of the requests stay below; waits: each with how many requests had it.

    0 without any. By bisection of the mixture's own distribution.
    """
    mixed = [(wait, count) for wait, count in waits if count > 0]
    whole = sum(count for _, count in mixed)
    if not whole:
        return 0.0
    allowed = (1 - share) * whole

    def beyond(seconds: float) -> float:
        return sum(count * wait.beyond(seconds) for wait, count in mixed)

    if beyond(0.0) <= allowed:
        return 0.0
    low, high = 0.0, max(wait.least + 40 * wait.mean for wait, _ in mixed) + 1e-9
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) > allowed else (low, middle)
    return high


@lru_cache(maxsize=4096)
def most_at_once(mean: float, looks: int) -> int:
    """The typical highest of `looks` independent looks at how many requests are there, of which there are `mean`.

    With random arrivals that number has a Poisson distribution (M/G/∞); its 1 − 1/(looks + 1) quantile.
    """
    if mean <= 0:
        return 0
    wanted = 1 - 1 / (looks + 1)
    if mean > 500:
        return math.ceil(mean + NormalDist().inv_cdf(wanted) * math.sqrt(mean))
    number, probability = 0, math.exp(-mean)
    reached = probability
    while reached < wanted:
        number += 1
        probability *= mean / number
        reached += probability
    return number
