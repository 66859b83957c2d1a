"""The job that a proof runs: like the role's own, short, under another name and role, its results beside the others."""

import pytest

from dashboard.core import tags
from dashboard.core.iam.replace import rerun_training
from dashboard.core.iam.replace.rerun import NotRunError, Running
from dashboard.core.iam.replace.rerun_training import made_up, small
from dashboard.core.iam.usage import Duty, Use

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
    assert tags.as_dict(made["Tags"])[tags.PROOF] == "kennel-trial-1", "told apart from work on a model"


def test_in_the_place_of_a_recording_a_line_is_fitted_below_its_own_data():
    made, place = made_up(small(JOB, "kennel-trial-1", "arn:new", "mark"))
    assert place == "s3://b/in/kennel-trial-1/"
    assert made["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] == place
    assert made["ResourceConfig"]["InstanceCount"] == 1 and "HyperParameters" not in made
    assert made["RoleArn"] == "arn:new" and made["OutputDataConfig"] == JOB["OutputDataConfig"]
    with pytest.raises(NotRunError):
        made_up(small(JOB | {"InputDataConfig": []}, "kennel-trial-1", "arn:new", "mark"))


class Jobs:
    """The jobs of a role, by name: (status, whether it is a recording)."""

    def __init__(self, **jobs: tuple[str, bool]) -> None:
        self.jobs = {name.replace("_", "-"): told for name, told in jobs.items()}

    def call(self, service, operation, **asked):
        if operation == "ListTags":
            name = asked["ResourceArn"].rpartition("/")[2]
            return {"Tags": [{"Key": tags.REPLAY, "Value": "yes"}] if self.jobs[name][1] else []}
        name = asked["TrainingJobName"]
        status = self.jobs[name][0]
        return {
            **JOB,
            "TrainingJobName": name,
            "TrainingJobArn": f"arn:training-job/{name}",
            "TrainingJobStatus": status,
        }

    def pages(self, service, operation, **asked):
        yield self.call(service, operation, **asked)

    def running(self):
        uses = tuple(Use(Duty.TRAINING, name, f"arn:training-job/{name}") for name in self.jobs)
        return Running(self, None, "arn:old", uses, lambda _: None, lambda: False, [])


def newest(jobs):
    job, is_recording, passed_over = rerun_training._newest(jobs, jobs.running())
    return job["TrainingJobName"], is_recording, passed_over


def test_it_is_the_newest_job_that_completed_whatever_was_tried_since():
    failed, stopped, done = ("Failed", False), ("Stopped", False), ("Completed", False)
    assert newest(Jobs(d=("InProgress", False), c=failed, b=stopped, a=done, older=done)) == ("a", False, 3)
    assert newest(Jobs(c=("Completed", True), b=failed, a=done)) == ("a", False, 1), "a recording runs nothing again"
    assert newest(Jobs(c=failed, b=("Completed", True), a=("Completed", True))) == ("b", True, 1)
    with pytest.raises(NotRunError, match="its newest 2 did not"):
        newest(Jobs(b=failed, a=stopped))
