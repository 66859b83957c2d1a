"""What is remembered of a job: stages with their times, and no way back from an end."""

from typing import Any

import pytest

from local_aws.engine.job import Stage
from local_aws.engine.metrics import Metric
from local_aws.services import sagemaker_job_record as record
from local_aws.services.sagemaker_resources import Document

REQUEST = {"TrainingJobName": "job", "StoppingCondition": {"MaxRuntimeInSeconds": 1}}


def after(*stages: tuple[Stage, float], **told: str) -> Document:
    """A job created at 100 that reached these stages at these times; `told` goes with the last."""
    one = record.new_record("arn", REQUEST, [], 100.0)
    for number, (stage, now) in enumerate(stages, 1):
        one = record.reached(one, stage, f"now {stage}", now, **(told if number == len(stages) else {}))
    return one


def stages(one: Document) -> list[tuple[Any, ...]]:
    return [(t["Status"], t["StartTime"], t.get("EndTime")) for t in one["SecondaryStatusTransitions"]]


def test_each_stage_ends_when_the_next_begins() -> None:
    one = after((Stage.DOWNLOADING, 101), (Stage.TRAINING, 103))
    assert stages(one) == [("Starting", 100, 101), ("Downloading", 101, 103), ("Training", 103, None)]
    assert (one["TrainingJobStatus"], one["TrainingStartTime"]) == ("InProgress", 101)


def test_the_end_stays_the_end() -> None:
    one = after((Stage.DOWNLOADING, 101), (Stage.COMPLETED, 110), artifact="s3://b/k")
    assert record.reached(one, Stage.FAILED, "", 120) is one
    assert stages(one)[-1] == ("Completed", 110, 110)
    told = record.description(one)
    assert told["ModelArtifacts"] == {"S3ModelArtifacts": "s3://b/k"}
    assert told["BillableTimeInSeconds"] == 9


def test_while_it_is_being_stopped_only_its_end_is_shown() -> None:
    one = after((Stage.DOWNLOADING, 101), (Stage.STOPPING, 102), (Stage.UPLOADING, 103), (Stage.STOPPED, 104))
    assert [status for status, _, _ in stages(one)] == ["Starting", "Downloading", "Stopping", "Stopped"]
    assert one["TrainingJobStatus"] == "Stopped"


def test_a_job_that_fails_while_it_is_being_stopped_is_stopped() -> None:
    one = after((Stage.DOWNLOADING, 101), (Stage.STOPPING, 102), (Stage.FAILED, 104), failure="x")
    assert (one["TrainingJobStatus"], one.get("FailureReason")) == ("Stopped", None)


def test_a_waiting_job_says_what_it_waits_for_without_a_new_stage() -> None:
    one = after((Stage.STARTING, 105))
    assert stages(one) == [("Starting", 100, None)]
    assert one["SecondaryStatusTransitions"][0]["StatusMessage"] == "now Starting"


def test_a_job_that_never_started_costs_nothing() -> None:
    told = record.description(after((Stage.STOPPING, 105), (Stage.STOPPED, 105)))
    assert not {"TrainingStartTime", "TrainingTimeInSeconds", "BillableTimeInSeconds"} & set(told)


@pytest.mark.parametrize(("seconds", "billed"), [(0.0, 1), (0.4, 1), (1.0, 1), (1.001, 2), (663.0, 663)])
def test_billable_seconds_are_rounded_up(seconds: float, billed: int) -> None:
    told = record.description(after((Stage.DOWNLOADING, 100), (Stage.COMPLETED, 100 + seconds)))
    assert (told["TrainingTimeInSeconds"], told["BillableTimeInSeconds"]) == (billed, billed)


def test_running_too_long_is_stopped_with_a_stage_of_its_own() -> None:
    one = after((Stage.DOWNLOADING, 101), (Stage.MAX_RUNTIME_EXCEEDED, 110))
    assert (one["TrainingJobStatus"], one["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_the_last_value_of_each_metric_counts() -> None:
    one = after((Stage.DOWNLOADING, 101))
    for name, value, at in (("a", 1.0, 102.0), ("b", 5.0, 103.0), ("a", 0.5, 104.0)):
        one = record.measured(one, Metric(name, value, at))
    found = {
        m["MetricName"]: (m["Value"], m["Timestamp"].timestamp())
        for m in record.description(one)["FinalMetricDataList"]
    }
    assert found == {"a": (0.5, 104.0), "b": (5.0, 103.0)}


SPOT = {"EnableManagedSpotTraining": True, "ResourceConfig": {"InstanceType": "ml.c5.2xlarge", "InstanceCount": 1}}
INTERRUPTED_ONCE = (
    *((Stage.DOWNLOADING, 102), (Stage.TRAINING, 103), (Stage.INTERRUPTED, 143), (Stage.STARTING, 203)),
    *((Stage.DOWNLOADING, 204), (Stage.TRAINING, 205), (Stage.UPLOADING, 262), (Stage.COMPLETED, 263)),
)


def test_the_time_without_capacity_is_no_training_time_and_a_spot_second_costs_less() -> None:
    told = record.description({**after(*INTERRUPTED_ONCE), "Request": {**REQUEST, **SPOT}})
    assert [one["Status"] for one in told["SecondaryStatusTransitions"]].count("Training") == 2
    assert (told["TrainingStartTime"].timestamp(), told["TrainingEndTime"].timestamp()) == (102, 263)
    assert told["TrainingTimeInSeconds"] == 41 + 59
    assert told["BillableTimeInSeconds"] == 42, "so many on-demand seconds cost as much: (0.130 + 0.153) / 2 / 0.340"


def test_a_job_on_demand_is_billed_from_start_to_end() -> None:
    told = record.description(after(*INTERRUPTED_ONCE))
    assert told["BillableTimeInSeconds"] == told["TrainingTimeInSeconds"] == 161


def test_seconds_in_a_stage_are_those_of_all_its_times() -> None:
    assert record.seconds_in(after(*INTERRUPTED_ONCE), Stage.TRAINING) == 40 + 57
    assert record.seconds_in(after((Stage.DOWNLOADING, 101), (Stage.TRAINING, 103)), Stage.TRAINING) == 0


def test_waiting_too_long_is_stopped_with_a_stage_of_its_own() -> None:
    one = after((Stage.DOWNLOADING, 101), (Stage.INTERRUPTED, 105), (Stage.MAX_WAIT_TIME_EXCEEDED, 110))
    assert (one["TrainingJobStatus"], one["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
