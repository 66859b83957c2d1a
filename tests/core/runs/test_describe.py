from datetime import UTC, datetime, timedelta

from dashboard.core.runs.describe import run_from
from dashboard.core.runs.model import RunStatus

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def after(seconds):
    return AT + timedelta(seconds=seconds)


# As DescribeTrainingJob answers for a completed job (its documentation's example, shortened).
COMPLETED = {
    "TrainingJobName": "dogs-1",
    "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/dogs-1",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/runs/dogs-1/output/model.tar.gz"},
    "TrainingJobStatus": "Completed",
    "SecondaryStatus": "Completed",
    "HyperParameters": {"epochs": "20"},
    "AlgorithmSpecification": {
        "TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.10.0-cpu-py313"
    },
    "RoleArn": "arn:aws:iam::123456789012:role/KennelTraining",
    "InputDataConfig": [
        {"ChannelName": "training", "DataSource": {"S3DataSource": {"S3Uri": "s3://bucket/datasets/dogs/"}}}
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/runs/"},
    "ResourceConfig": {"InstanceType": "ml.c5.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "CreationTime": AT,
    "TrainingStartTime": after(60),
    "TrainingEndTime": after(723),
    "LastModifiedTime": after(723),
    "TrainingTimeInSeconds": 663,
    "BillableTimeInSeconds": 663,
    "SecondaryStatusTransitions": [
        {
            "Status": "Training",
            "StartTime": after(90),
            "EndTime": after(700),
            "StatusMessage": "Training image download completed.",
        },
        {"Status": "Starting", "StartTime": AT, "EndTime": after(60)},
        {"Status": "Downloading", "StartTime": after(60), "EndTime": after(90)},
        {"Status": "Uploading", "StartTime": after(700), "EndTime": after(723)},
        {"Status": "Completed", "StartTime": after(723), "EndTime": after(723)},
    ],
    "FinalMetricDataList": [
        {"MetricName": "valid:loss", "Value": 0.7, "Timestamp": after(300)},
        {"MetricName": "valid:loss", "Value": 0.5, "Timestamp": after(600)},
        {"MetricName": "test:accuracy", "Value": 0.91, "Timestamp": after(650)},
    ],
}


def test_a_completed_job():
    run = run_from(COMPLETED, {"kennel:sample": "true"})
    assert run.status is RunStatus.COMPLETED
    assert (run.instance_type, run.instance_count) == ("ml.c5.2xlarge", 2)
    assert (run.training_seconds, run.billable_seconds, run.max_seconds) == (663, 663, 3600)
    assert run.dataset_uri == "s3://bucket/datasets/dogs/"
    assert run.artifact_uri == "s3://bucket/runs/dogs-1/output/model.tar.gz"
    assert run.role.endswith("role/KennelTraining")
    assert run.is_sample


def test_stages_are_in_the_order_of_their_start():
    run = run_from(COMPLETED, {})
    assert [stage.name for stage in run.stages] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert [stage.seconds for stage in run.stages] == [60, 30, 610, 23, 0]
    assert run.stage.name == "Completed"


def test_the_newest_value_of_a_metric_counts():
    assert run_from(COMPLETED, {}).metrics == {"valid:loss": 0.5, "test:accuracy": 0.91}


def test_a_job_that_has_just_been_created():
    young = {
        "TrainingJobName": "dogs-2",
        "TrainingJobArn": "arn",
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "CreationTime": AT,
    }
    run = run_from(young, {})
    assert run.status is RunStatus.STARTING
    assert (run.started, run.ended, run.billable_seconds, run.artifact_uri) == (None, None, None, "")
    assert run.stage is None


def test_a_job_of_others_without_channels_or_hyperparameters():
    bare = {
        name: value
        for name, value in COMPLETED.items()
        if name not in ("InputDataConfig", "HyperParameters", "FinalMetricDataList")
    }
    run = run_from(bare, {})
    assert run.dataset_uri == ""
    assert run.hyperparameters == {}


def test_the_failure_is_kept_in_the_trainings_own_words():
    failed = COMPLETED | {
        "TrainingJobStatus": "Failed",
        "SecondaryStatus": "Failed",
        "FailureReason": "AlgorithmError: There is only one class in train/.",
    }
    assert run_from(failed, {}).failure == "AlgorithmError: There is only one class in train/."
