"""A tuning job step by step, with a clock and training jobs that the test moves: limits, quotas, a crash in between."""

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import sagemaker_tuning_record as record
from local_aws.services.sagemaker_resources import Document, Resources
from local_aws.services.sagemaker_tuning_plan import Plan
from local_aws.services.sagemaker_tuning_steps import RETRY_SECONDS, TuningSteps
from local_aws.store import Store
from tests.local_aws.tuning_world import OBJECTIVE, tuning_request

ARN = "arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/t"


class World:
    """A tuning job and the training jobs it asked for, which end when `end` is called."""

    def __init__(self, folder: Path, **request: Any) -> None:
        self.store = Store(folder)
        self.clock = 1000.0
        self.refusal: ServiceError | None = None
        self.stopped: list[str] = []
        self.again(tuning_request("t", **request))

    def again(self, request: Mapping[str, Any] | None = None) -> None:
        """A server that starts, with the tuning job there already or just asked for."""
        self.training = Resources(self.store, "training-job")
        self.tuning = Resources(self.store, "hyper-parameter-tuning-job")
        if request is not None:
            self.tuning.add(ARN, record.new_record(ARN, request, [], self.clock))
        numbers = count()
        self.steps = TuningSteps(self.tuning, self.training, self, lambda: self.clock, lambda: f"{next(numbers):08x}")

    def launch(self, params: Mapping[str, Any], caller: Caller, *, tuning_job_arn: str = "") -> str:
        if self.refusal:
            raise self.refusal
        arn = f"arn:aws:sagemaker:{caller.region}:{caller.account}:training-job/{params['TrainingJobName']}"
        job = {
            "TrainingJobName": params["TrainingJobName"],
            "TrainingJobArn": arn,
            "TuningJobArn": tuning_job_arn,
            "TrainingJobStatus": "InProgress",
            "CreationTime": self.clock,
            "LastModifiedTime": self.clock,
            "Metrics": {},
        }
        assert self.training.add(arn, job)
        return arn

    def stop_training_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        self.stopped.append(params["TrainingJobName"])
        self.change(params["TrainingJobName"], TrainingJobStatus="Stopping")
        return {}

    def change(self, name: str, **changes: Any) -> None:
        arn = next(one["TrainingJobArn"] for one in self.training.all() if one["TrainingJobName"] == name)
        self.training.change(arn, lambda one: {**one, **changes})

    def end(self, name: str, value: float | None = 1.0, status: str = "Completed") -> None:
        metrics = {} if value is None else {OBJECTIVE: [value, self.clock]}
        self.change(name, TrainingJobStatus=status, TrainingEndTime=self.clock, Metrics=metrics)

    def step(self) -> float | None:
        return self.steps.step(ARN)

    @property
    def job(self) -> Document:
        found = self.tuning.get(ARN)
        assert found is not None
        return found

    @property
    def names(self) -> list[str]:
        return [trial["Name"] for trial in self.job["Trials"]]

    @property
    def status(self) -> str:
        return str(self.job["HyperParameterTuningJobStatus"])


def test_the_longest_time_ends_it_and_stops_what_runs(tmp_path: Path) -> None:
    world = World(tmp_path, most=9, parallel=2)
    limits = world.job["Request"]["HyperParameterTuningJobConfig"]["ResourceLimits"]
    limits["MaxRuntimeInSeconds"] = 600
    assert world.step() == 600, "it looks again when the time is up"
    assert len(world.names) == 2
    world.clock += 200
    assert world.step() == 400
    world.clock += 400
    assert world.step() is None
    assert world.stopped == world.names
    assert world.status == "InProgress"
    for name in world.names:
        world.end(name, None, "Stopped")
    world.step()
    assert world.status == "Completed"
    assert len(world.names) == 2


def test_it_ends_when_nothing_gets_better(tmp_path: Path) -> None:
    criteria = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    world = World(tmp_path, most=20, parallel=1, TuningJobCompletionCriteria=criteria)
    for value in (1.0, 0.5, 0.499, 0.6, 0.498):  # less than 1 % better is not better, as documented
        world.step()
        world.clock += 1
        world.end(world.names[-1], value)
    world.step()
    assert world.status == "Completed"
    assert len(world.names) == 5
    plan = Plan.of(world.job["Request"], ARN)
    best = record.best(world.job["Trials"], plan)
    assert best is not None
    assert best["Final"]["Value"] == 0.498


def test_a_full_quota_is_waited_for_with_the_same_values(tmp_path: Path) -> None:
    world = World(tmp_path, most=2, parallel=2)
    world.refusal = ServiceError("ResourceLimitExceeded", "The account-level service limit …")
    assert world.step() == RETRY_SECONDS
    first = world.job["Trials"][0]
    assert world.step() == RETRY_SECONDS
    world.refusal = None
    world.step()
    assert world.job["Trials"][0] == {**first, "Launched": True}
    assert len(world.training.all()) == 2


def test_a_training_that_cannot_be_made_fails_it_with_the_reason(tmp_path: Path) -> None:
    world = World(tmp_path, most=3, parallel=1)
    world.step()
    world.end(world.names[0])
    world.refusal = ServiceError("ValidationException", "No S3 objects found")
    assert world.step() == 0.0
    world.step()
    assert world.status == "Failed"
    assert world.job["FailureReason"].endswith("could not be created: ValidationException: No S3 objects found")
    assert len(world.names) == 1, "what was never launched is no training job of it"


@pytest.mark.parametrize("made", [True, False])
def test_a_crash_between_choosing_and_launching_neither_loses_nor_repeats_a_training(
    tmp_path: Path, made: bool
) -> None:
    world = World(tmp_path, most=1, parallel=1)
    world.refusal = ServiceError("ResourceLimitExceeded", "")
    world.step()  # chosen and written down, not launched
    (trial,) = world.job["Trials"]
    world.refusal = None
    if made:  # launched, and killed before that was written down
        plan = Plan.of(world.job["Request"], ARN)
        request = plan.training_job(trial["Name"], trial["Parameters"], [])
        world.launch(request, Caller("123456789012", "us-east-1", "", ARN), tuning_job_arn=ARN)
    world.again()
    world.step()
    assert world.names == [trial["Name"]]
    assert [one["TrainingJobName"] for one in world.training.all()] == [trial["Name"]]
    world.end(trial["Name"])
    world.step()
    assert world.status == "Completed"


def test_a_training_that_was_deleted_still_counts_with_what_it_reached(tmp_path: Path) -> None:
    world = World(tmp_path, most=1, parallel=1)
    world.step()
    (name,) = world.names
    world.end(name, 0.25)
    (job,) = world.training.all()
    world.training.remove(job["TrainingJobArn"])
    world.steps.removed(job)
    world.step()
    assert world.status == "Completed"
    assert world.job["Trials"][0]["Final"]["Value"] == 0.25


@pytest.mark.parametrize(("most", "status"), [(7, "InProgress"), (5, "Failed")])
def test_trainings_that_a_killed_server_ended_do_not_count_as_attempts(tmp_path: Path, most: int, status: str) -> None:
    world = World(tmp_path, most=most, parallel=1)
    for _ in range(5):
        world.step()
        world.change(world.names[-1], FailureReason="InternalServerError: the embedded AWS stopped")
        world.end(world.names[-1], None, "Failed")
    world.step()
    assert world.status == status, "only what has no trainings left to try has failed"


def test_the_number_of_trainings_never_exceeds_the_limits(tmp_path: Path) -> None:
    world = World(tmp_path, most=5, parallel=3)
    while world.status == "InProgress":
        world.step()
        running = [one for one in world.training.all() if one["TrainingJobStatus"] == "InProgress"]
        assert len(running) <= 3
        if running:
            world.clock += 1
            world.end(running[0]["TrainingJobName"], 1.0)
    assert len(world.names) == 5
    assert world.status == "Completed"
