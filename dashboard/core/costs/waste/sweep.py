"""The sweep for forgotten spend: every part of the account is looked at by itself, and one that fails fails alone."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from dashboard.core.aws import Aws
from dashboard.core.costs.attempt import attempt
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.waste import sweep_artifacts, sweep_ec2, sweep_endpoints, sweep_functions, sweep_notebooks
from dashboard.core.costs.waste.waste import Look, Sweep, ordered
from dashboard.core.errors import KennelError
from dashboard.core.parallel import gather

IDLE = timedelta(hours=24)
"""How long nobody asked an endpoint, or worked in a notebook, before that is waste; pages let a person choose."""
OLD = timedelta(days=90)
"""How old a run's files are before they are."""


def sweep(aws: Aws, prices: PriceBook, now: datetime, *, idle: timedelta = IDLE, old: timedelta = OLD) -> Sweep:
    """Everything billable that is past its time, or that nobody uses. Nothing is changed.

    About a dozen calls, and a few for each thing. Raises nothing of `Aws.call`: what could not be read is in `unread`.
    """
    parts: Mapping[str, Callable[[], Look]] = {
        "endpoints": lambda: sweep_endpoints.look(aws, prices, now, idle),
        "provisioned concurrency": lambda: sweep_functions.look(aws, prices, now, idle),
        "notebooks": lambda: sweep_notebooks.look(aws, prices, now, idle),
        "instances": lambda: sweep_ec2.instances(aws, prices, now),
        "volumes": lambda: sweep_ec2.volumes(aws, prices, now),
        "addresses": lambda: sweep_ec2.addresses(aws, prices, now),
        "folders of runs": lambda: sweep_artifacts.look(aws, prices, now, old),
    }

    def one(what: str) -> tuple[str, Look]:
        found = attempt(parts[what])
        return what, Look(0, (), (Unread(what, found),)) if isinstance(found, KennelError) else found

    looks = dict(gather(one, parts, workers=4))
    failed = {problem.what for look in looks.values() for problem in look.unread}
    return Sweep(
        ordered(finding for look in looks.values() for finding in look.findings),
        now,
        {what: look.things for what, look in looks.items() if what not in failed},
        tuple(problem for look in looks.values() for problem in look.unread),
    )
