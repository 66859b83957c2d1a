"""The knee of a curve, and the target that follows."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dashboard.core.serving.measure import knee
from dashboard.core.serving.measure.result import Level, Measurement, level
from dashboard.core.serving.scaling.policy import Tracked


def servers(clients: int, places: int, service: float, seconds: float = 10) -> Level:
    """What an ideal endpoint with so many places answers to a closed loop: its asymptotes."""
    throughput = min(clients, places) / service
    latency = clients / throughput
    return Level(clients, round(throughput * seconds), seconds, latency, latency, latency)


CURVE = tuple(servers(clients, 4, 0.1) for clients in (1, 2, 4, 8, 16))
MEASURED = Measurement("dogs", "main", datetime(2026, 11, 21, tzinfo=UTC), "dogs-1", "ml.m5.large", 2, 2, CURVE)


def test_the_knee_of_an_ideal_endpoint_is_where_all_its_places_are_taken() -> None:
    found = knee.knee(CURVE)
    assert found is not None and found.clients == 4


def test_a_level_at_which_requests_fail_is_no_knee() -> None:
    refusing = replace(CURVE[2], errors={"throttled": CURVE[2].requests // 10})
    found = knee.knee((*CURVE[:2], refusing))
    assert found is not None and found.clients == 2
    assert knee.knee((replace(CURVE[0], errors={"throttled": CURVE[0].requests}),)) is None
    assert knee.knee(()) is None


def test_the_target_is_awss_formula_for_one_instance() -> None:
    invocations, concurrent = knee.targets(MEASURED)
    # 40 a second from two instances: 20 each, × 0.5 × 60
    assert (invocations.tracked, invocations.value) == (Tracked.INVOCATIONS, 600)
    assert (concurrent.tracked, concurrent.value) == (Tracked.CONCURRENT, 1)
    assert knee.targets(MEASURED, safety=0.8)[0].value == 960


def test_no_target_follows_from_a_changing_number_of_instances() -> None:
    assert knee.targets(replace(MEASURED, instances_after=3)) == ()
    assert knee.service(replace(MEASURED, instances_after=3)) is None


def test_what_has_no_instances_has_no_target_for_each_of_them() -> None:
    serverless = replace(MEASURED, instances=0, instances_after=0, instance_type="serverless, 3072 MB")
    assert knee.targets(serverless) == ()
    assert (serverless.machine, MEASURED.machine) == ("serverless, 3072 MB", "2 instances of ml.m5.large")


def test_a_replay_takes_the_latency_without_waiting_and_the_places() -> None:
    assert knee.service(replace(MEASURED, instances=1, instances_after=1)) == knee.Service(0.1, 4)


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        ((), ""),
        (CURVE[:3], ""),
        (CURVE[:4], ""),  # 8 brought nothing, 16 may
        (CURVE, "more clients got no more answers"),
        ((replace(CURVE[0], errors={"throttled": 90}, requests=100),), "more than 5 % of the requests failed"),
    ],
)
def test_a_test_ends_where_more_clients_tell_nothing(levels: tuple[Level, ...], why: str) -> None:
    assert knee.is_enough(levels) == why


def test_percentiles_are_of_the_answered_requests() -> None:
    made = level(2, [0.3, 0.1, 0.2, 0.4], {"throttled": 1}, 2.0)
    assert (made.requests, made.failed, made.p50, made.p90, made.p99) == (5, 1, 0.2, 0.4, 0.4)
    assert made.throughput == 2.0
    nothing = level(2, [], {"throttled": 3}, 2.0)
    assert (nothing.p50, nothing.throughput, nothing.is_borne) == (None, 0.0, False)
