"""What one run has cost so far, or in the end."""

from datetime import datetime

from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.costs.quote import Quote, quote
from dashboard.core.runs.model import Run


def run_cost(run: Run, prices: PriceBook, region: str, now: datetime) -> Quote:
    """Billable seconds × instances × list price; for a run that goes on, its seconds up to `now`."""
    return quote(
        prices,
        Kind.SAGEMAKER_TRAINING,
        run.instance_type,
        region,
        seconds=run.billed_so_far(now),
        count=run.instance_count,
        basis="whole seconds, as AWS bills" if run.status.is_final else "so far",
        why_unknown="AWS reports no billable seconds for it",
    )
