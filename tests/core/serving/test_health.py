"""How an endpoint answers: from its status and its last minutes, with the figures behind it."""

from decimal import Decimal

import pytest

from dashboard.core.serving.health import Answering, Health, answering
from dashboard.core.serving.live import Traffic
from dashboard.core.serving.model import EndpointStatus
from tests.core.test_overview import endpoint


def traffic(requests, failed=0.0, wrong=0.0, slow=0.02):
    return Traffic(60, {}, {"requests": requests, "5xx": failed, "4xx": wrong, "model-p90": slow})


@pytest.mark.parametrize(
    ("status", "health"),
    [
        (EndpointStatus.FAILED, Health.DOWN),
        (EndpointStatus.OUT_OF_SERVICE, Health.DOWN),
        (EndpointStatus.CREATING, Health.CHANGING),
        (EndpointStatus.DELETING, Health.CHANGING),
        (EndpointStatus.UNKNOWN, Health.UNKNOWN),
    ],
)
def test_one_that_does_not_serve_is_told_by_its_status(prices, status, health):
    assert answering(endpoint(prices, status=status), [traffic(100)]).health is health


def test_one_that_serves_is_told_by_its_requests(prices):
    one = endpoint(prices)
    assert answering(one, []).health is Health.IDLE
    assert answering(one, None).health is Health.UNKNOWN
    assert answering(one, [traffic(100), traffic(300, slow=0.05)]) == Answering(Health.WELL, 400, 0, 0.05)


def test_its_own_failures_count_and_its_callers_do_not(prices):
    one = endpoint(prices)
    assert answering(one, [traffic(1000, failed=9)]).health is Health.WELL
    assert answering(one, [traffic(1000, wrong=500)]).health is Health.WELL
    failing = answering(one, [traffic(1000, failed=10)])
    assert failing.health is Health.FAILING
    assert Decimal(str(failing.share)) == Decimal("0.01")
