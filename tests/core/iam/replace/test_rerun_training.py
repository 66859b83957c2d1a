"""The job that a proof runs: like the role's own, short, under another name and role, its results beside the others."""

import pytest

from dashboard.core import tags
from dashboard.core.iam.replace.rerun import NotRunError
from dashboard.core.iam.replace.rerun_training import made_up, small

JOB = {
    "TrainingJobName": "dogs-1",
    "TrainingJobArn": "arn:…",
    "RoleArn": "arn:old",
    "TrainingJobStatus": "Completed",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File", "MetricDefinitions": []},
    "HyperParameters": {"epochs": "40", "learning_rate": "0.1"},
    "InputDataConfig": [
        {"ChannelName": "training", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}}
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://b/out/"},
    "ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 50,
                       "KeepAlivePeriodInSeconds": 600},
    "StoppingCondition": {"MaxRuntimeInSeconds": 86_400, "MaxWaitTimeInSeconds": 90_000},
    "EnableManagedSpotTraining": True,
    "CheckpointConfig": {"S3Uri": "s3://b/checkpoints/dogs-1", "LocalPath": "/opt/ml/checkpoints"},
}  # fmt: skip


def test_it_does_the_same_for_a_short_while_and_writes_beside_the_others():
    made = small(JOB, "kennel-trial-1", "arn:new", "mark")
    assert made["RoleArn"] == "arn:new" and made["TrainingJobName"] == "kennel-trial-1"
    assert made["HyperParameters"] == {"epochs": "1", "learning_rate": "0.1"}
    assert made["InputDataConfig"] == JOB["InputDataConfig"] and made["OutputDataConfig"] == JOB["OutputDataConfig"]
    assert made["StoppingCondition"] == {"MaxRuntimeInSeconds": 900}
    assert made["CheckpointConfig"]["S3Uri"] == "s3://b/checkpoints/dogs-1/kennel-trial-1/", "never into its own"
    assert "EnableManagedSpotTraining" not in made and "KeepAlivePeriodInSeconds" not in made["ResourceConfig"]
    assert "MetricDefinitions" not in made["AlgorithmSpecification"], "an empty list is refused"
    assert tags.as_dict(made["Tags"])[tags.ORDER] == "mark"


def test_in_the_place_of_a_recording_a_line_is_fitted_below_its_own_data():
    made, place = made_up(small(JOB, "kennel-trial-1", "arn:new", "mark"))
    assert place == "s3://b/in/kennel-trial-1/"
    assert made["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] == place
    assert made["ResourceConfig"]["InstanceCount"] == 1 and "HyperParameters" not in made
    assert made["RoleArn"] == "arn:new" and made["OutputDataConfig"] == JOB["OutputDataConfig"]
    with pytest.raises(NotRunError):
        made_up(small(JOB | {"InputDataConfig": []}, "kennel-trial-1", "arn:new", "mark"))
