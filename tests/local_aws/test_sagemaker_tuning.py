"""Tuning jobs of the embedded SageMaker, through its API: real training jobs, chosen, counted, stopped, listed."""

import re
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import BUCKET, client, finished, in_stage, log_lines, refused, unique
from tests.local_aws.tuning_world import OBJECTIVE, children, prepare, tuned, tuning_request


@pytest.fixture
def sagemaker(embedded: Embedded) -> Any:
    prepare(embedded)
    return client(embedded, "sagemaker")


def loss(child: dict[str, Any]) -> float:
    return float(child["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def test_a_tuning_job_trains_what_it_chose_and_names_the_best(sagemaker: Any) -> None:
    name = unique()
    tags = [{"Key": "project", "Value": "dogs"}]
    arn = sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, most=4, Strategy="Bayesian", Tags=tags))[
        "HyperParameterTuningJobArn"
    ]
    assert arn.endswith(f":hyper-parameter-tuning-job/{name}")
    told = tuned(sagemaker, name)
    assert told["HyperParameterTuningJobStatus"] == "Completed"
    assert told["TrainingJobStatusCounters"] == {
        "Completed": 4,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    assert told["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    assert told["HyperParameterTuningEndTime"] >= told["CreationTime"]
    found = children(sagemaker, name)
    assert [re.fullmatch(rf"{name}-00(\d)-[0-9a-f]{{8}}", one["TrainingJobName"])[1] for one in found] == list("1234")
    for one in found:
        assert loss(one) == pytest.approx((float(one["TunedHyperParameters"]["x"]) - 3) ** 2, abs=1e-5)
        assert (one["TrainingJobStatus"], one["ObjectiveStatus"]) == ("Completed", "Succeeded")
    best = min(found, key=loss)
    assert told["BestTrainingJob"] == best
    job = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["TuningJobArn"] == arn
    assert job["HyperParameters"]["x"] == best["TunedHyperParameters"]["x"]
    assert job["HyperParameters"]["_tuning_objective_metric"] == OBJECTIVE
    assert "ContainerEntrypoint" not in job["AlgorithmSpecification"]
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/output/model.tar.gz")
    assert sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == tags
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


def test_the_script_gets_the_values_as_arguments_and_not_the_tuners_own(embedded: Embedded, sagemaker: Any) -> None:
    name = unique()
    sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, most=1, parallel=1, script='echo "loss=1 $*"'))
    assert tuned(sagemaker, name)["HyperParameterTuningJobStatus"] == "Completed"
    (child,) = children(sagemaker, name)
    lines = log_lines(client(embedded, "logs"), "/aws/sagemaker/TrainingJobs", child["TrainingJobName"])
    assert lines == [f"loss=1 --x {child['TunedHyperParameters']['x']}"]


def test_no_more_jobs_run_at_once_than_allowed(sagemaker: Any) -> None:
    name = unique()
    sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, most=3, parallel=1, script="echo loss=2"))
    assert tuned(sagemaker, name)["TrainingJobStatusCounters"]["Completed"] == 3
    found = children(sagemaker, name, SortBy="CreationTime")
    for one, following in pairwise(found):
        assert one["TrainingEndTime"] <= following["CreationTime"]


def test_the_grid_is_gone_through_once(sagemaker: Any) -> None:
    name = unique()
    ranges = {
        "CategoricalParameterRanges": [{"Name": "x", "Values": ["1", "2"]}, {"Name": "kind", "Values": ["a", "b"]}]
    }
    sagemaker.create_hyper_parameter_tuning_job(
        **tuning_request(name, most=None, parallel=2, Strategy="Grid", ParameterRanges=ranges)
    )
    told = tuned(sagemaker, name)
    points = [
        (one["TunedHyperParameters"]["x"], one["TunedHyperParameters"]["kind"]) for one in children(sagemaker, name)
    ]
    assert points == [("1", "a"), ("1", "b"), ("2", "a"), ("2", "b")]
    assert told["BestTrainingJob"]["TunedHyperParameters"]["x"] == "2"
    config = told["HyperParameterTuningJobConfig"]
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2}, "counted for it"
    assert config["TrainingJobEarlyStoppingType"] == "Off"


def test_the_same_seed_chooses_the_same(sagemaker: Any) -> None:
    names = [unique() for _ in range(3)]
    for name, seed in zip(names, (7, 7, 8), strict=True):
        request = tuning_request(name, most=2, script="echo loss=1", RandomSeed=seed)
        sagemaker.create_hyper_parameter_tuning_job(**request)
    for name in names:
        tuned(sagemaker, name)
    first, second, other = ([one["TunedHyperParameters"] for one in children(sagemaker, name)] for name in names)
    assert first == second
    assert first != other


def test_a_target_that_is_reached_ends_it(sagemaker: Any) -> None:
    name = unique()
    request = tuning_request(
        name,
        most=20,
        parallel=1,
        script="echo loss=0.5",
        TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 0.5},
    )
    sagemaker.create_hyper_parameter_tuning_job(**request)
    told = tuned(sagemaker, name)
    assert told["HyperParameterTuningJobStatus"] == "Completed"
    assert len(children(sagemaker, name)) == 1


def test_a_job_that_is_worse_than_the_median_is_stopped_early(sagemaker: Any) -> None:
    name = unique()
    # two good trainings of two epochs, then one that is bad from its first epoch on and would go on for a minute
    script = """
    case "$TRAINING_JOB_NAME" in *-003-*) echo loss=9; exec sleep 60;; esac
    echo loss=2; echo loss=1
    """
    request = tuning_request(name, most=3, parallel=1, script=script, TrainingJobEarlyStoppingType="Auto")
    sagemaker.create_hyper_parameter_tuning_job(**request)
    told = tuned(sagemaker, name)
    assert told["HyperParameterTuningJobStatus"] == "Completed"
    assert told["TrainingJobStatusCounters"]["Stopped"] == 1
    assert told["ObjectiveStatusCounters"]["Succeeded"] == 3
    last = children(sagemaker, name)[-1]
    assert (last["TrainingJobStatus"], loss(last)) == ("Stopped", 9)
    assert told["BestTrainingJob"]["TrainingJobName"] != last["TrainingJobName"]


def test_failures_are_borne_until_none_succeeds(sagemaker: Any) -> None:
    borne, hopeless, silent = unique(), unique(), unique()
    sometimes = 'case "$TRAINING_JOB_NAME" in *-001-*) exit 1;; esac; echo loss=1'
    sagemaker.create_hyper_parameter_tuning_job(**tuning_request(borne, most=3, script=sometimes))
    sagemaker.create_hyper_parameter_tuning_job(**tuning_request(hopeless, most=9, script="exit 1"))
    sagemaker.create_hyper_parameter_tuning_job(**tuning_request(silent, most=2, script="true"))
    told = tuned(sagemaker, borne)
    assert told["HyperParameterTuningJobStatus"] == "Completed"
    assert told["TrainingJobStatusCounters"]["NonRetryableError"] == 1
    assert told["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 1}
    told = tuned(sagemaker, hopeless)
    assert told["HyperParameterTuningJobStatus"] == "Failed"
    assert told["FailureReason"].startswith("No training job succeeded after 5 attempts.")
    assert 5 <= len(children(sagemaker, hopeless)) <= 6, "and no more are launched"
    assert "BestTrainingJob" not in told
    assert children(sagemaker, hopeless, SortBy="FinalObjectiveMetricValue") == [], "they have no objective"
    assert tuned(sagemaker, silent)["FailureReason"].startswith("No objective metrics found after running 2 ")


def test_stop_stops_the_trainings_first(sagemaker: Any) -> None:
    name = unique()
    sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, most=9, parallel=1, script="exec sleep 60"))
    (child,) = _launched(sagemaker, name, 1)
    in_stage(sagemaker, child["TrainingJobName"], "Training")
    code, message = refused(sagemaker.delete_hyper_parameter_tuning_job, HyperParameterTuningJobName=name)
    assert code == "ResourceInUse"
    assert "Stop it first" in message
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    told = tuned(sagemaker, name)
    assert told["HyperParameterTuningJobStatus"] == "Stopped"
    assert told["TrainingJobStatusCounters"]["Stopped"] == 1
    assert finished(sagemaker, child["TrainingJobName"])["TrainingJobStatus"] == "Stopped"
    assert refused(sagemaker.stop_hyper_parameter_tuning_job, HyperParameterTuningJobName=name)[0] == (
        "ValidationException"
    )
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    code, message = refused(sagemaker.describe_hyper_parameter_tuning_job, HyperParameterTuningJobName=name)
    assert code == "ResourceNotFound"
    assert name in message
    assert finished(sagemaker, child["TrainingJobName"]), "the training job stays"


def _launched(sagemaker: Any, name: str, count: int) -> list[dict[str, Any]]:
    end = time.monotonic() + 30
    while len(found := children(sagemaker, name)) < count:
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return found


def test_tags_added_later_are_on_the_trainings_launched_later(sagemaker: Any) -> None:
    name = unique()
    script = 'case "$TRAINING_JOB_NAME" in *-001-*) exec sleep 60;; esac; echo loss=1'
    arn = sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, most=2, parallel=1, script=script))[
        "HyperParameterTuningJobArn"
    ]
    (first,) = _launched(sagemaker, name, 1)
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "ada"}])
    sagemaker.stop_training_job(TrainingJobName=first["TrainingJobName"])
    told = tuned(sagemaker, name)
    assert (told["TrainingJobStatusCounters"]["Stopped"], told["TrainingJobStatusCounters"]["Completed"]) == (1, 1)
    tags = [sagemaker.list_tags(ResourceArn=one["TrainingJobArn"])["Tags"] for one in children(sagemaker, name)]
    assert tags == [[], [{"Key": "owner", "Value": "ada"}]]


def test_children_are_sorted_filtered_and_paged(sagemaker: Any) -> None:
    name = unique()
    sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, most=5))
    tuned(sagemaker, name)
    by_value = children(sagemaker, name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    assert [loss(one) for one in by_value] == sorted(map(loss, by_value), reverse=True)
    assert children(sagemaker, name, StatusEquals="Failed") == []
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, SortBy="FinalObjectiveMetricValue", PaginationConfig={"PageSize": 2}
    )
    assert [loss(one) for page in pages for one in page["TrainingJobSummaries"]] == sorted(map(loss, by_value))


def test_tuning_jobs_are_listed_by_name_unless_asked_otherwise(sagemaker: Any) -> None:
    mark = unique("l")
    for number in range(3):
        request = tuning_request(f"{mark}-{number}", most=1, parallel=1, script="echo loss=1")
        sagemaker.create_hyper_parameter_tuning_job(**request)
        tuned(sagemaker, f"{mark}-{number}")
    newest = {"SortBy": "CreationTime", "SortOrder": "Descending"}
    for order, numbers in (({}, (0, 1, 2)), (newest, (2, 1, 0))):
        found = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=mark, StatusEquals="Completed", **order)
        summaries = found["HyperParameterTuningJobSummaries"]
        assert [one["HyperParameterTuningJobName"] for one in summaries] == [f"{mark}-{one}" for one in numbers]
    assert summaries[0]["Strategy"] == "Random"
    assert summaries[0]["TrainingJobStatusCounters"]["Completed"] == 1
    assert summaries[0]["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 1


NUMBERS = [{"Name": "x", "MinValue": "0", "MaxValue": "10"}]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "f1"}}, "Provide a metric in the"),
        ({"ParameterRanges": {}}, "at least one hyperparameter range"),
        ({"ParameterRanges": {"ContinuousParameterRanges": NUMBERS * 2}}, "x has two ranges"),
        (
            {"ParameterRanges": {"IntegerParameterRanges": [{"Name": "x", "MinValue": "5", "MaxValue": "2"}]}},
            "must not be greater than MaxValue",
        ),
        (
            {"ParameterRanges": {"IntegerParameterRanges": [{"Name": "x", "MinValue": "0.5", "MaxValue": "2"}]}},
            "must each be an integer",
        ),
        (
            {"ParameterRanges": {"ContinuousParameterRanges": [{**NUMBERS[0], "ScalingType": "Logarithmic"}]}},
            "needs a MinValue greater than 0",
        ),
        (
            {"ParameterRanges": {"ContinuousParameterRanges": [{**NUMBERS[0], "ScalingType": "ReverseLogarithmic"}]}},
            "within 0 <= x < 1",
        ),
        (
            {"ParameterRanges": {"IntegerParameterRanges": [{**NUMBERS[0], "Name": "sagemaker_program"}]}},
            "a range and a static value",
        ),
        ({"Strategy": "Grid"}, "only categorical"),
        ({"Strategy": "Hyperband"}, "cannot do the Hyperband strategy"),
        ({"most": None}, "needs MaxNumberOfTrainingJobs"),
        (
            {
                "InputDataConfig": [
                    {
                        "ChannelName": "code",
                        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://absent-bucket/x"}},
                    }
                ]
            },
            "No S3 objects found",
        ),
        (
            {
                "WarmStartConfig": {
                    "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "x"}],
                    "WarmStartType": "TransferLearning",
                }
            },
            "cannot do warm starts",
        ),
        ({"Autotune": {"Mode": "Enabled"}}, "cannot do autotune"),
    ],
)
def test_what_cannot_be_tuned_is_refused_with_the_reason(
    sagemaker: Any, changes: dict[str, Any], sentence: str
) -> None:
    code, message = refused(sagemaker.create_hyper_parameter_tuning_job, **tuning_request(unique(), **changes))
    assert code == "ValidationException"
    assert sentence in message


def test_more_at_once_than_the_quota_is_refused_in_awss_words(embedded: Embedded, sagemaker: Any) -> None:
    quota = "ml.m5.large for training job usage"
    listed = client(embedded, "service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    limit = next(one["Value"] for page in listed for one in page["Quotas"] if one["QuotaName"] == quota)
    request = tuning_request(unique(), most=100, parallel=int(limit) + 1)
    code, message = refused(sagemaker.create_hyper_parameter_tuning_job, **request)
    assert code == "ResourceLimitExceeded"
    assert f"The account-level service limit '{quota}' is {limit:.0f} Instances" in message
    assert f"a request delta of {limit + 1:.0f} Instances" in message


def test_a_name_is_used_once(sagemaker: Any) -> None:
    name = unique()
    request = tuning_request(name, most=1, parallel=1, script="echo loss=1")
    sagemaker.create_hyper_parameter_tuning_job(**request)
    assert refused(sagemaker.create_hyper_parameter_tuning_job, **request)[0] == "ResourceInUse"
    tuned(sagemaker, name)


def test_spot_trainings_of_two_instances_keep_their_own_checkpoints(sagemaker: Any) -> None:
    name = unique()
    script = "echo 1 > /opt/ml/checkpoints/one; echo loss=1"
    request = tuning_request(name, most=2, parallel=1, script=script)
    request["TrainingJobDefinition"] |= {
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/{name}"},
    }
    sagemaker.create_hyper_parameter_tuning_job(**request)
    assert tuned(sagemaker, name)["TrainingJobStatusCounters"]["Completed"] == 2
    for one in children(sagemaker, name):
        job = sagemaker.describe_training_job(TrainingJobName=one["TrainingJobName"])
        assert job["EnableManagedSpotTraining"]
        assert job["ResourceConfig"]["InstanceCount"] == 2
        assert job["CheckpointConfig"]["S3Uri"] == f"s3://{BUCKET}/checkpoints/{name}/{one['TrainingJobName']}/"


def test_a_tuning_job_goes_on_after_its_server_was_killed(tmp_path: Path) -> None:
    aws = start_embedded(tmp_path)
    prepare(aws)
    sagemaker, name = client(aws, "sagemaker"), unique()
    script = 'case "$TRAINING_JOB_NAME" in *-002-*) exec sleep 60;; esac; echo loss=1'
    sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, most=4, parallel=1, script=script, RandomSeed=3))
    first, second = _launched(sagemaker, name, 2)
    in_stage(sagemaker, second["TrainingJobName"], "Training")
    aws.process.kill()
    stop_embedded(aws)
    after = start_embedded(tmp_path)
    try:
        sagemaker = client(after, "sagemaker")
        told = tuned(sagemaker, name)
        found = children(sagemaker, name)
    finally:
        stop_embedded(after)
    assert told["HyperParameterTuningJobStatus"] == "Completed"
    counters = told["TrainingJobStatusCounters"]
    assert (counters["Completed"], counters["RetryableError"]) == (3, 1)
    assert [one["TrainingJobName"] for one in found[:2]] == [first["TrainingJobName"], second["TrainingJobName"]]
    assert found[1]["TrainingJobStatus"] == "Failed"
    assert found[1]["FailureReason"].startswith("InternalServerError")
    points = [one["TunedHyperParameters"]["x"] for one in found]
    assert len(set(points)) == 4, "what was tried before the crash is not tried again"
