"""The simulator against the embedded AWS's own alarms and scaler, which were written apart from it, on the same traces.

Most traces go through the real alarms, policies and activities with a clock of their own, where only the fleet is
played. A real fleet is asked too.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core import metrics
from dashboard.core.aws import Aws, connect
from dashboard.core.serving.measure.load import Budget, asking, hold
from dashboard.core.serving.scaling.policy import Settings, TargetTracking, Tracked
from dashboard.core.serving.scaling.recorded import statistic
from dashboard.core.serving.scaling.replay import Delays, Replay, capacities, simulate
from dashboard.core.serving.scaling.serving import Service
from dashboard.core.serving.scaling.traffic import Traffic
from local_aws.pace import Pace
from tests.local_aws.scaling_clock import LAG, ClockWorld, PlayedFleet, clock_world
from tests.local_aws.scaling_world import VARIANT, ScalingWorld, scaling_world

SCALE = 10
PERIOD = 60
BEGIN = datetime(2027, 1, 15, tzinfo=UTC)
ENDLESS = Service(latency=0.001, places=1000, queue=0)  # scaling is compared here, not waiting
STARTS = 15  # real seconds of an instance: 150 of AWS's
SEEN = math.ceil(LAG) * SCALE
"""AWS's seconds from a period's end until the embedded alarms have looked at it, on a clock of whole seconds."""


@contextmanager
def world(target: float, maximum: int, cooldowns: tuple[int, int], instances: int = 1) -> Iterator[ClockWorld]:
    with TemporaryDirectory() as folder:
        fleet = PlayedFleet(starts=STARTS, desired=instances, running=instances)
        with clock_world(Path(folder), pace=Pace(SCALE), fleet=fleet) as made:
            made.register(1, maximum)
            made.track(target, cooldowns=cooldowns)
            yield made


def embedded(
    minutes: list[int], target: float, maximum: int, cooldowns: tuple[int, int], instances: int = 1
) -> list[tuple[float, int]]:
    """(AWS's seconds, desired instances) of the embedded scaler: a minute of AWS is 6 s of its clock."""
    with world(target, maximum, cooldowns, instances) as made:
        for requests in minutes:
            made.pass_time(PERIOD / SCALE, requests / (PERIOD / SCALE))
        return [(at * SCALE, desired) for at, desired in made.history]


def simulated(
    minutes: list[int], target: float, maximum: int, cooldowns: tuple[int, int], instances: int = 1
) -> Replay:
    policy = TargetTracking("policy", Tracked.INVOCATIONS, target, cooldowns[0], cooldowns[1])
    traffic = Traffic(PERIOD, tuple(float(one) for one in minutes), BEGIN, "the same trace", is_even=True)
    delays = Delays(publication=SEEN, start=STARTS * SCALE, stop=SCALE)
    return simulate(Settings(1, maximum, (policy,)), traffic, ENDLESS, delays, instances=instances)


def agree(found: list[tuple[float, int]], told: Replay, within: float) -> None:
    """The same capacities in the same order, each at the same time within a period."""
    expected = capacities(told)
    assert [count for _, count in found] == [count for _, count in expected]
    for (at, _), (meant, _) in zip(found, expected, strict=True):
        assert abs(at - meant) <= within


@pytest.mark.parametrize(
    ("minutes", "instances"),
    [
        pytest.param([60] * 5 + [240] * 15 + [30] * 25, 1, id="1 to 3 and back"),
        pytest.param([100] * 40, 3, id="too many from the start"),
        pytest.param([60] * 3 + [600] * 2 + [60] * 20, 1, id="a spike that is too short"),
        pytest.param([120 + 30 * minute for minute in range(20)], 1, id="a ramp"),
        pytest.param([300] * 8 + [0] * 30, 1, id="traffic that ends leaves the instances"),
        pytest.param([200, 200, 0, 200, 200, 0] * 5, 1, id="gaps"),
    ],
)
def test_the_replay_does_what_the_embedded_scaler_does(minutes: list[int], instances: int) -> None:
    found = embedded(minutes, 100, 3, (30, 30), instances)
    agree(found, simulated(minutes, 100, 3, (30, 30), instances), PERIOD)


@pytest.mark.parametrize("cooldowns", [(30, 30), (300, 300), (0, 600), (1200, 0)])
def test_cooldowns_are_the_same(cooldowns: tuple[int, int]) -> None:
    minutes = [150] * 8 + [420] * 12 + [260] * 18 + [40] * 30
    agree(embedded(minutes, 100, 6, cooldowns), simulated(minutes, 100, 6, cooldowns), PERIOD)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    levels=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 20)), min_size=1, max_size=5),
    target=st.sampled_from([60, 100, 240]),
    cooldown=st.sampled_from([0, 30, 300]),
)
def test_any_trace_scales_alike(levels: list[tuple[int, int]], target: int, cooldown: int) -> None:
    minutes = [60 * size for size, length in levels for _ in range(length)]
    cooldowns = (cooldown, cooldown)
    agree(embedded(minutes, target, 5, cooldowns), simulated(minutes, target, 5, cooldowns), PERIOD)


def test_requests_at_once_scale_out_in_periods_of_ten_seconds() -> None:
    at_once = 6  # of the whole variant, so that each of n instances has 6 / n
    with TemporaryDirectory() as folder:
        fleet = PlayedFleet(starts=STARTS)
        with clock_world(Path(folder), pace=Pace(SCALE), fleet=fleet) as made:
            made.register(1, 4)
            made.track(2, Tracked.CONCURRENT.value)
            for _ in range(60):
                made.pass_time(1, at_once=math.ceil(at_once / fleet.running))
            found = [(at * SCALE, desired) for at, desired in made.history]
    policy = TargetTracking("policy", Tracked.CONCURRENT, 2, 30, 30)
    service = Service(latency=1.0, places=10)
    traffic = Traffic(PERIOD, (at_once * 60.0,) * 10, BEGIN, "six at once", is_even=True)
    delays = Delays(publication=SEEN, start=STARTS * SCALE, stop=SCALE)
    agree(found, simulate(Settings(1, 4, (policy,)), traffic, service, delays), 10 + SCALE)


@pytest.mark.parametrize(("per_minute", "at_once"), [(100, 4), (100, 2), (1000, 2)])
@pytest.mark.parametrize("minutes", [[60] * 3 + [240] * 20 + [30] * 30, [300] * 10 + [240] * 30])
def test_two_policies_together_scale_alike(minutes: list[int], per_minute: int, at_once: int) -> None:
    """A request takes a second, so that a sixtieth of a minute's are there at once, shared by the instances."""
    with world(per_minute, 6, (30, 30)) as made:
        made.track(at_once, Tracked.CONCURRENT.value, name="at once")
        for requests in minutes:
            for _ in range(PERIOD // SCALE):
                shared = math.ceil(requests / 60 / made.fleet.running)
                made.pass_time(1, requests * SCALE / PERIOD, at_once=shared)
        found = [(at * SCALE, desired) for at, desired in made.history]
    policies = (
        TargetTracking("policy", Tracked.INVOCATIONS, per_minute, 30, 30),
        TargetTracking("at once", Tracked.CONCURRENT, at_once, 30, 30),
    )
    traffic = Traffic(PERIOD, tuple(float(one) for one in minutes), BEGIN, "the same trace", is_even=True)
    delays = Delays(publication=SEEN, start=STARTS * SCALE, stop=SCALE)
    agree(found, simulate(Settings(1, 6, policies), traffic, Service(1.0, places=1000), delays), SCALE)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScalingWorld]:
    """Real processes, real requests: alarms a second each, so that a minute of AWS is a second."""
    with scaling_world(tmp_path_factory.mktemp("fleet"), scale=60) as made:
        yield made


def test_a_real_fleet_is_scaled_out_when_the_replay_says(real: ScalingWorld) -> None:
    rate = 8
    real.register(1, 3)
    real.track(3)
    with real.sampled() as seen, real.asked(rate):
        real.wait_for(3, seconds=60)
    [activity] = real.activities()
    took = (activity["EndTime"] - activity["StartTime"]).total_seconds() * real.scale
    real.scaling.deregister_scalable_target(**real.resource)
    assert [count for _, count in seen] == [1, 3]
    policy = TargetTracking("policy", Tracked.INVOCATIONS, 3, 30, 30)
    traffic = Traffic(PERIOD, (float(rate),) * 40, BEGIN, "the same rate", is_even=True)
    delays = Delays(publication=LAG * real.scale, start=took)
    told = simulate(Settings(1, 3, (policy,)), traffic, ENDLESS, delays)
    assert [count for _, count in capacities(told)] == [1, 3]
    assert told.activities[0].at == pytest.approx(180 + LAG * real.scale, abs=1)
    assert abs((seen[1][0] - seen[0][0]) * real.scale - told.activities[0].at) <= 2 * PERIOD


def test_a_measured_fleet_has_counted_what_was_sent(real: ScalingWorld) -> None:
    """The load test of a real endpoint: its own figures are those that CloudWatch has of it."""
    aws = connect({"KENNEL_HOME": str(real.aws.state.parent)})
    time.sleep(1 - time.time() % 1)  # metrics are of whole seconds, and somebody may have asked in this one
    begun = datetime.now(UTC)
    found = hold(asking(aws, real.endpoint, VARIANT, (b"a photo",)), 2, 30, Budget(60), Event())
    assert (found.requests, found.failed) == (60, 0)
    assert counted(aws, real.endpoint, begun, 60) == 60


def counted(aws: Aws, endpoint: str, since: datetime, wanted: int) -> float:
    """The invocations that CloudWatch has, once there are so many: they are written a moment after the answer."""
    sent = statistic("Invocations", endpoint, VARIANT, "Sum", 1)
    found, until = 0.0, time.monotonic() + 30
    while found < wanted and time.monotonic() < until:
        (points,) = metrics.read(aws, [sent], since.replace(microsecond=0), datetime.now(UTC) + timedelta(seconds=1))
        found = sum(value for _, value in points)
        time.sleep(0.2)
    return found
