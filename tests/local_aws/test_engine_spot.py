"""Managed spot training: capacity is taken away and comes back, and the job goes on from its checkpoints."""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from local_aws.engine import spot
from local_aws.engine.job import Spot, Stage
from local_aws.engine.training import SERVER_STOPPED, SPOT_INTERRUPTED
from tests.local_aws.engine_world import eventually, world

CHECKPOINTS = {"S3Uri": "s3://bucket/checkpoints/job"}
RUN = [Stage.DOWNLOADING, Stage.TRAINING]
AGAIN = [Stage.INTERRUPTED, Stage.STARTING, *RUN]
END = [Stage.UPLOADING, Stage.COMPLETED]
COUNT = (
    "n=$(cat /opt/ml/checkpoints/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > /opt/ml/checkpoints/n; echo run $n"
)


def soon(_: str, __: int) -> float:
    return 0.2


def special(*interruptions: float, max_wait: int = 60, trained: float = 0.0, since: float = 0.0) -> Spot:
    return Spot(max_wait, time.time() - since + max_wait, interruptions, trained)


def spot_world(tmp_path: Path, capacity: Callable[[str, int], float] = soon, **settings: Any) -> Any:
    return world(tmp_path, capacity=capacity, sync=0.1, **settings)


def test_a_job_goes_on_from_its_checkpoint_after_its_capacity_was_taken_away(tmp_path: Path) -> None:
    with spot_world(tmp_path) as made:
        script = f"{COUNT}; [ $n = 1 ] && sleep 60; echo $n > /opt/ml/model/m"
        arn = made.start(script, spot=special(), CheckpointConfig=CHECKPOINTS)
        assert eventually(lambda: made.logs.lines == ["run 1"])
        made.queue.interrupt(arn)
        told = made.finish()
        assert told.names == [*RUN, *AGAIN, *END]
        assert made.logs.lines[0] == "run 1"
        assert made.logs.lines[-1] == "run 2"
        assert told.stages[2][1] == SPOT_INTERRUPTED
        taken, back = told.stages[2][2], told.stages[3][2]
        assert 0.2 <= back - taken < 2
        assert made.objects.get("bucket", "checkpoints/job/n").path.read_bytes() == b"2\n"


def test_each_planned_interruption_happens_once_and_counts_training_over_all_restarts(tmp_path: Path) -> None:
    with spot_world(tmp_path) as made:
        told = made.run("sleep 1.3 & wait", spot=special(0.5, 1.5))
        assert told.names == [*RUN, *AGAIN, *AGAIN, *END]
        spans = [end - begin for (stage, _, begin), (_, _, end) in pairwise(told.stages) if stage is Stage.TRAINING]
        assert 0.5 <= spans[0] < 1.3
        assert 1.5 <= spans[0] + spans[1] < 2.6
        assert spans[2] >= 1.3


def test_what_an_earlier_server_saw_happen_does_not_happen_again(tmp_path: Path) -> None:
    with spot_world(tmp_path) as made:
        told = made.run("sleep 0.5", spot=special(0.2, 5.0, trained=3.0))
        assert told.names == [*RUN, *END]


def test_an_interruption_is_sigterm_and_a_grace_period_in_which_a_last_checkpoint_is_kept(tmp_path: Path) -> None:
    with spot_world(tmp_path, grace=0.5) as made:
        script = (
            "[ -e /opt/ml/checkpoints/last ] && exit 0;"
            "trap 'echo told; sleep 0.2; touch /opt/ml/checkpoints/last' TERM;"
            "echo ready; while true; do sleep 0.05; done"
        )
        arn = made.start(script, spot=special(), CheckpointConfig=CHECKPOINTS)
        assert eventually(lambda: made.logs.lines == ["ready"])
        asked = time.monotonic()
        assert made.queue.interrupt(arn)
        assert eventually(lambda: Stage.INTERRUPTED in made.told["job"].names)
        assert 0.5 <= time.monotonic() - asked < 3, "it ignored SIGTERM and was killed"
        assert made.finish().names == [*RUN, *AGAIN, *END]
        assert "told" in made.logs.lines


def test_an_interrupted_job_leaves_no_artifact_and_without_checkpoints_starts_from_nothing(tmp_path: Path) -> None:
    with spot_world(tmp_path) as made:
        arn = made.start("ls /opt/ml; touch /opt/ml/model/m; sleep 1", spot=special())
        assert eventually(lambda: made.logs.lines)
        made.queue.interrupt(arn)
        assert eventually(lambda: Stage.INTERRUPTED in made.told["job"].names)
        assert made.objects.find("bucket", "runs/") == []
        assert made.finish().names == [*RUN, *AGAIN, *END]
        assert "checkpoints" not in made.logs.lines, "the folder is there only with a CheckpointConfig"


def test_a_job_on_demand_has_no_capacity_to_take_away(tmp_path: Path) -> None:
    with spot_world(tmp_path) as made:
        arn = made.start("echo ready; sleep 0.5")
        assert eventually(lambda: made.logs.lines)
        assert not made.queue.interrupt(arn)
        assert made.finish().names == [*RUN, *END]
        assert not made.queue.interrupt(arn)


def test_the_time_limit_counts_training_over_all_restarts(tmp_path: Path) -> None:
    with spot_world(tmp_path) as made:
        told = made.run("sleep 60 & wait", spot=special(0.6), StoppingCondition={"MaxRuntimeInSeconds": 1})
        assert told.names == [*RUN, *AGAIN, Stage.UPLOADING, Stage.MAX_RUNTIME_EXCEEDED]
        second = told.stages[-2][2] - told.stages[5][2]
        assert second < 0.9


def test_the_longest_wait_ends_a_job_that_trains(tmp_path: Path) -> None:
    with spot_world(tmp_path) as made:
        told = made.run("touch /opt/ml/model/m; sleep 60", spot=special(max_wait=1))
        assert told.names == [*RUN, Stage.STOPPING, Stage.UPLOADING, Stage.MAX_WAIT_TIME_EXCEEDED]
        assert told.artifact.endswith("model.tar.gz")
        assert told.stages[-1][1] == "The training job did not complete within MaxWaitTimeInSeconds (1 s)"


def test_the_longest_wait_ends_a_job_whose_capacity_does_not_come_back(tmp_path: Path) -> None:
    with spot_world(tmp_path, capacity=lambda *_: 600.0) as made:
        told = made.run("sleep 60", spot=special(0.2, max_wait=1))
        assert told.names == [*RUN, Stage.INTERRUPTED, Stage.STOPPING, Stage.MAX_WAIT_TIME_EXCEEDED]


def test_the_longest_wait_ends_a_job_that_never_got_a_place(tmp_path: Path) -> None:
    with spot_world(tmp_path, places=1) as made:
        made.start("sleep 60", "holder")
        assert eventually(lambda: Stage.TRAINING in made.told["holder"].names)
        made.start("true", "waiting", spot=special(max_wait=1))
        assert made.finish("waiting", 5).names == [Stage.STARTING, Stage.STOPPING, Stage.MAX_WAIT_TIME_EXCEEDED]


def test_a_job_can_be_stopped_while_it_waits_for_capacity(tmp_path: Path) -> None:
    with spot_world(tmp_path, capacity=lambda *_: 600.0) as made:
        arn = made.start("sleep 60", spot=special(0.2))
        assert eventually(lambda: Stage.INTERRUPTED in made.told["job"].names)
        made.queue.stop(arn)
        assert made.finish(seconds=3).names[-1] is Stage.STOPPED


@pytest.mark.parametrize("when", ["training", "waiting"])
def test_a_server_that_goes_down_leaves_a_spot_job_interrupted_with_its_checkpoint(tmp_path: Path, when: str) -> None:
    with spot_world(tmp_path, capacity=lambda *_: 600.0) as made:
        script = "echo 1 > /opt/ml/checkpoints/n; echo ready; sleep 60"
        arn = made.start(script, spot=special(), CheckpointConfig=CHECKPOINTS)
        assert eventually(lambda: made.logs.lines)
        if when == "waiting":
            made.queue.interrupt(arn)
            assert eventually(lambda: Stage.INTERRUPTED in made.told["job"].names)
        made.queue.close()
        told = made.told["job"]
        assert told.names == [*RUN, Stage.INTERRUPTED]
        assert told.stages[-1][1] == (SPOT_INTERRUPTED if when == "waiting" else SERVER_STOPPED)
        assert made.objects.get("bucket", "checkpoints/job/n").path.read_bytes() == b"1\n"


def test_several_hosts_are_taken_away_together(tmp_path: Path) -> None:
    with spot_world(tmp_path) as made:
        script = "[ -e /opt/ml/checkpoints/1 ] && exit 0; touch /opt/ml/checkpoints/$SM_CURRENT_HOST_RANK; sleep 60"
        told = made.run(script, spot=special(1.5), instances=2, CheckpointConfig=CHECKPOINTS)
        assert told.names == [*RUN, *AGAIN, *END]
        assert [one.key for one in made.objects.find("bucket", "checkpoints/")] == [
            "checkpoints/job/0",
            "checkpoints/job/1",
        ]


def test_the_tags_name_moments() -> None:
    assert spot.interruptions({}, "arn") == ()
    assert spot.interruptions({spot.INTERRUPT_AFTER: "45 20"}, "arn") == (20.0, 45.0)
    drawn = spot.interruptions({spot.INTERRUPTIONS_PER_HOUR: "60"}, "arn:1")
    assert drawn == spot.interruptions({spot.INTERRUPTIONS_PER_HOUR: "60"}, "arn:1") != ()
    assert drawn != spot.interruptions({spot.INTERRUPTIONS_PER_HOUR: "60"}, "arn:2")
    gaps = [later - earlier for earlier, later in zip((0.0, *drawn), drawn, strict=False)]
    assert sum(gaps) / len(gaps) == pytest.approx(60, rel=0.1)
    both = {spot.INTERRUPT_AFTER: "1", spot.INTERRUPTIONS_PER_HOUR: "60"}
    assert spot.interruptions(both, "arn:1") == (1.0, *drawn)


@pytest.mark.parametrize(
    "tags",
    [
        {spot.INTERRUPT_AFTER: "soon"},
        {spot.INTERRUPT_AFTER: "-1"},
        {spot.INTERRUPT_AFTER: "nan"},
        {spot.INTERRUPTIONS_PER_HOUR: "1e9"},
    ],
)
def test_tags_that_name_no_moments_are_refused_in_a_sentence(tags: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="takes seconds of training"):
        spot.interruptions(tags, "arn")


def test_a_spot_second_costs_what_was_observed_in_its_family() -> None:
    assert float(spot.price_ratio("ml.c5.2xlarge")) == pytest.approx((0.130 + 0.153) / 2 / 0.340)
    assert spot.price_ratio("ml.m5.large") == spot.price_ratio("m5.2xlarge")
    assert 0.3 < spot.price_ratio("ml.p3.2xlarge") < 0.5, "the mean of the others"
    assert spot.billable_seconds(100, "ml.c5.2xlarge") == 42
    assert spot.billable_seconds(1, "ml.c5.2xlarge") == 1


def test_capacity_comes_back_within_seconds_and_at_the_same_time_each_time() -> None:
    assert spot.wait_for_capacity("arn", 1) == spot.wait_for_capacity("arn", 1) != spot.wait_for_capacity("arn", 2)
    assert 2 <= spot.wait_for_capacity("arn", 1) <= 5
