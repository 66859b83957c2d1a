"""What a month has cost so far, as far as what is still listed tells it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import quote, total
from dashboard.core.format import count
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.model import Run
from dashboard.core.serving.endpoints import Endpoint


@dataclass(frozen=True)
class Spend:
    """Training and serving since the first of the month, UTC. `unpriced` things are missing from both sums."""

    training: Decimal
    serving: Decimal
    runs: int
    endpoints: int
    unpriced: int

    @property
    def amount(self) -> Decimal:
        return self.training + self.serving

    @property
    def note(self) -> str:
        """What is in it, and what AWS no longer tells."""
        unpriced = f", {self.unpriced} without a price" if self.unpriced else ""
        known = f"{count(self.runs, 'run')} and {count(self.endpoints, 'endpoint')} since the 1st{unpriced}"
        return f"without deleted endpoints · {known}"


def this_month(
    runs: Sequence[Run], endpoints: Sequence[Endpoint], prices: PriceBook, region: str, now: datetime
) -> Spend:
    """Runs begun this month at their billable seconds, and the endpoints that are there at their hours since the 1st.

    An endpoint that was deleted is not in it: AWS lists it no longer.
    """
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    begun = [run for run in runs if run.created >= first and not run.is_tuning]  # its trials are runs of their own
    trained = [run_cost(run, prices, region, now) for run in begun]
    served = [
        quote(
            prices,
            Kind.ENDPOINT,
            endpoint.instance_type,
            region,
            seconds=(now - max(endpoint.created, first)).total_seconds(),
            count=endpoint.count,
        )
        for endpoint in endpoints
        if endpoint.status.is_billed
    ]
    training, missing_runs = total(trained)
    serving, missing_endpoints = total(served)
    return Spend(training, serving, len(trained), len(served), missing_runs + missing_endpoints)
