"""How an endpoint answers, in one word: from its status and what CloudWatch says of its last minutes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboard.core.serving import live
from dashboard.core.serving.live import Traffic
from dashboard.core.serving.model import Endpoint

WRONG = 0.01
"""The share of requests that an endpoint fails itself (5xx) from which it counts as failing."""
MOSTLY = 0.1
"""The share from which that is critical."""


class Health(StrEnum):
    """How it answers. What callers send wrong (4xx) is no illness of the endpoint."""

    WELL = "answers"
    IDLE = "nobody asked"
    FAILING = "fails requests"
    DOWN = "does not serve"
    CHANGING = "on its way"
    UNKNOWN = "not measured"


@dataclass(frozen=True)
class Answering:
    """An endpoint's health with the figures behind it: requests in the span, those that it failed, p90 in seconds."""

    health: Health
    requests: float = 0.0
    failed: float = 0.0
    p90: float | None = None

    @property
    def share(self) -> float:
        """The share of the requests that it failed, 0 to 1."""
        return min(1.0, self.failed / self.requests) if self.requests else 0.0


def answering(endpoint: Endpoint, traffic: Sequence[Traffic] | None) -> Answering:
    """traffic: one for each variant over a span, None where metrics could not be read."""
    if endpoint.status.is_bad:
        return Answering(Health.DOWN)
    if not endpoint.status.is_serving:
        return Answering(Health.CHANGING if endpoint.status.is_changing else Health.UNKNOWN)
    if traffic is None:
        return Answering(Health.UNKNOWN)
    asked = sum(one.requests for one in traffic)
    if not asked:
        return Answering(Health.IDLE)
    failed = sum(one.whole.get("5xx", 0.0) for one in traffic)
    found = Answering(Health.WELL, asked, failed, live.worst(traffic, "p90"))
    return found if found.share < WRONG else Answering(Health.FAILING, asked, failed, found.p90)
