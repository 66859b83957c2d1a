"""Whether anybody has asked the account's endpoints and functions lately, from CloudWatch."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from dashboard.core.aws import Aws
from dashboard.core.metrics import Statistic, read
from dashboard.core.serving.functions.usage import INVOCATIONS
from dashboard.core.serving.live import COUNTS
from dashboard.core.serving.model import Endpoint

LATELY = timedelta(days=14)
DAY = 86_400
MOST = 100
"""Endpoints, or functions, that are looked at, the first ones given: CloudWatch charges a real account for each."""


def asked_lately(aws: Aws, endpoints: Iterable[Endpoint], now: datetime) -> float:
    """Requests to these endpoints in the last two weeks. Raises the errors of `Aws.call`."""
    requests = COUNTS[0]
    wanted = [
        Statistic(
            requests.namespace,
            requests.name,
            (("EndpointName", one.name), ("VariantName", variant.name)),
            requests.statistic,
            DAY,
        )
        for one in list(endpoints)[:MOST]
        for variant in one.variants
    ]
    return _sum(aws, wanted, now)


def called_lately(aws: Aws, functions: Iterable[str], now: datetime) -> float:
    """Invocations of the functions of these names in the last two weeks. Raises the errors of `Aws.call`."""
    calls = INVOCATIONS
    wanted = [
        Statistic(calls.namespace, calls.name, (("FunctionName", name),), calls.statistic, DAY)
        for name in list(functions)[:MOST]
    ]
    return _sum(aws, wanted, now)


def _sum(aws: Aws, wanted: Sequence[Statistic], now: datetime) -> float:
    end = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    found = read(aws, wanted, end - LATELY, end) if wanted else []
    return sum(value for points in found for _, value in points)
