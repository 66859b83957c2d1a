"""The editor's plan on the embedded AWS: its validation, alarms and activities, on an endpoint of real processes."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dashboard.core.aws import Aws, connect
from dashboard.core.runs.quota import sagemaker_limits
from dashboard.core.serving.scaling import history
from dashboard.core.serving.scaling.apply import apply, send
from dashboard.core.serving.scaling.around import look
from dashboard.core.serving.scaling.plan import plan, plan_suspend, same
from dashboard.core.serving.scaling.policy import CustomMetric, Scheduled, TargetTracking, Tracked, reference
from dashboard.core.serving.scaling.read import read
from dashboard.core.serving.scaling.refuse import refuse
from dashboard.core.serving.scaling.scaling import Suspended
from dashboard.readings import now
from tests.local_aws.scaling_world import ScalingWorld, scaling_world

CPU = CustomMetric("/aws/sagemaker/Endpoints", "CPUUtilization", "Average", (("EndpointName", "dogs"),))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ScalingWorld, Aws]]:
    folder = tmp_path_factory.mktemp("scaling")
    with scaling_world(folder, scale=60) as made:
        yield made, connect({"KENNEL_HOME": str(folder)})


def test_a_plan_is_taken_read_back_changed_paused_and_removed(world, prices):
    fleet, aws = world
    before = read(aws, "dogs")
    assert before.settings is None
    assert not before.unread, "every part of it is there"
    around = look(aws, before.variant, lambda: sagemaker_limits(aws))
    wanted = replace(
        reference(10),
        minimum=2,
        tracking=(*reference(10).tracking, TargetTracking("cpu", Tracked.CUSTOM, 70, 60, 60, False, CPU)),
        scheduled=(
            Scheduled("new-year", "cron(0 8 1 JAN ? 2099)", 2, 4),
            Scheduled("once", "at(2099-12-24T18:00:00)", None, 3),
        ),
    )
    assert refuse(wanted, before.variant, around, now()) == ()
    made = plan(before, wanted, aws.account, prices)
    assert apply(aws, made, prices) == "dogs scales between 2 and 3 instances"
    fleet.wait_for(2, 60)
    after = read(aws, "dogs")
    assert same(after.settings, wanted), "AWS says what was sent, field by field"
    assert after.variant.desired == 2
    assert look(aws, after.variant, lambda: sagemaker_limits(aws)).has_role, "AWS made its service-linked role"
    assert {alarm.policy for alarm in after.alarms} == {"kennel-requests-per-instance", "cpu"}
    assert any(one.capacity == 2 for one in after.activities), after.activities
    assert plan(after, wanted, aws.account, prices).calls == ()
    call, _ = plan_suspend(after, Suspended(scale_in=True, scale_out=True, scheduled=True), aws.account)
    send(aws, call)
    assert len(read(aws, "dogs").suspended.words) == 3
    assert apply(aws, plan(after, reference(20, Tracked.CONCURRENT), aws.account, prices), prices)
    assert same(read(aws, "dogs").settings, reference(20, Tracked.CONCURRENT))
    apply(aws, plan(read(aws, "dogs"), None, aws.account, prices), prices)
    assert read(aws, "dogs").settings is None


def test_what_its_requests_were_is_told_from_its_metrics(world):
    fleet, aws = world
    assert fleet.ask(20, 1) == (20, 0)
    scaling, until = read(aws, "dogs"), time.monotonic() + 30

    def look():
        return history.read(aws, scaling, reference(10).tracking, now(), aws.account.time_scale)

    def share(seen):
        return sum(value for _, value in seen.tracking[0].points)

    while share(seen := look()) < 10 and time.monotonic() < until:
        time.sleep(0.1)  # until the seconds of the requests are over and stored
    assert seen.requests == 20
    assert seen.latency is not None
    assert max(value for _, value in seen.instances) >= 1
    [tracking] = seen.tracking
    assert tracking.period == 1, "a minute is a second here"
    assert share(seen) == pytest.approx(10), "each of two instances had half of them"
