import pytest

from dashboard.core.errors import NotFound
from dashboard.core.runs.model import RunStatus
from dashboard.core.runs.watch import RunCache, get_run, list_runs, stop
from tests.core.conftest import refusal

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/"


class Jobs:
    """SageMaker's training jobs as dicts that a test may change."""

    def __init__(self, fake):
        self.jobs: dict[str, dict] = {}
        self.fake = fake
        fake.on("ListTrainingJobs", self.list)
        fake.on("DescribeTrainingJob", self.describe)
        fake.on("StopTrainingJob", self.stop)
        fake.on("ListTags", {"Tags": [{"Key": "kennel:sample", "Value": "true"}]})

    def add(self, name, status="Completed", secondary=None, created=1_763_715_600.0):
        self.jobs[name] = {
            "TrainingJobName": name,
            "TrainingJobArn": ARN + name,
            "CreationTime": created,
            "LastModifiedTime": created,
            "TrainingJobStatus": status,
            "SecondaryStatus": secondary or status,
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }

    def list(self, asked):
        assert asked["SortBy"] == "CreationTime"
        assert asked["SortOrder"] == "Descending"
        ordered = sorted(self.jobs.values(), key=lambda job: -job["CreationTime"])
        begin = int(asked.get("NextToken", 0))
        end = begin + asked["MaxResults"]
        more = {"NextToken": str(end)} if end < len(ordered) else {}
        return {"TrainingJobSummaries": ordered[begin:end]} | more

    def describe(self, asked):
        return self.jobs.get(asked["TrainingJobName"]) or refusal(
            "ValidationException", "Requested resource not found."
        )

    def stop(self, asked):
        job = self.jobs[asked["TrainingJobName"]]
        if job["TrainingJobStatus"] != "InProgress":
            return refusal(
                "ValidationException",
                f"The request was rejected because the training job is in status {job['TrainingJobStatus']}.",
            )
        job["TrainingJobStatus"] = job["SecondaryStatus"] = "Stopping"
        return {}


@pytest.fixture
def jobs(fake):
    return Jobs(fake)


def test_runs_come_newest_first_over_all_pages(aws, jobs):
    for n in range(230):
        jobs.add(f"run-{n}", created=1_763_715_600.0 + n)
    runs = list_runs(aws, limit=200)
    assert [run.name for run in runs] == [f"run-{n}" for n in range(229, 29, -1)]
    assert all(run.is_sample for run in runs)


def test_no_runs_is_an_empty_list(aws, jobs):
    assert list_runs(aws) == ()


def test_runs_that_have_ended_are_described_once(aws, jobs, fake):
    for n in range(20):
        jobs.add(f"run-{n}")
    jobs.add("young", "InProgress", "Training")
    cache = RunCache()
    first = list_runs(aws, cache=cache)
    fake.calls.clear()
    assert list_runs(aws, cache=cache) == first
    assert fake.counts["DescribeTrainingJob"] == 1  # the one that runs
    assert fake.counts["ListTags"] == 0


def test_a_run_that_ends_is_seen_to_end(aws, jobs):
    jobs.add("dogs-1", "InProgress", "Training")
    cache = RunCache()
    assert list_runs(aws, cache=cache)[0].status is RunStatus.TRAINING
    jobs.add("dogs-1", "Completed")
    assert list_runs(aws, cache=cache)[0].status is RunStatus.COMPLETED


def test_a_name_that_was_deleted_and_used_again_is_a_new_run(aws, jobs):
    jobs.add("dogs-1", "Failed", created=1_000.0)
    cache = RunCache()
    assert list_runs(aws, cache=cache)[0].status is RunStatus.FAILED
    jobs.add("dogs-1", "Completed", created=2_000.0)
    assert list_runs(aws, cache=cache)[0].status is RunStatus.COMPLETED


def test_a_run_deleted_while_we_look_is_left_out(aws, jobs, fake):
    jobs.add("dogs-1")
    jobs.add("dogs-2")
    fake.on(
        "DescribeTrainingJob",
        lambda p: (
            refusal("ValidationException", "Requested resource not found.")
            if p["TrainingJobName"] == "dogs-1"
            else jobs.describe(p)
        ),
    )
    assert [run.name for run in list_runs(aws)] == ["dogs-2"]


def test_a_run_that_is_not_there_is_not_found(aws, jobs):
    with pytest.raises(NotFound):
        get_run(aws, "dogs-1")


def test_stopping_a_run_once_and_again(aws, jobs, fake):
    jobs.add("dogs-1", "InProgress", "Training")
    assert stop(aws, "dogs-1").status is RunStatus.STOPPING
    assert stop(aws, "dogs-1").status is RunStatus.STOPPING
    assert fake.counts["StopTrainingJob"] == 1


def test_stopping_a_run_that_has_ended_leaves_it_as_it_is(aws, jobs, fake):
    jobs.add("dogs-1", "Completed")
    assert stop(aws, "dogs-1").status is RunStatus.COMPLETED
    assert fake.counts["StopTrainingJob"] == 0


def test_a_run_that_ends_between_the_look_and_the_stop(aws, jobs, fake):
    jobs.add("dogs-1", "InProgress", "Uploading")

    def end_first(asked):
        jobs.add("dogs-1", "Completed")
        return jobs.stop(asked)

    fake.on("StopTrainingJob", end_first)
    assert stop(aws, "dogs-1").status is RunStatus.COMPLETED


def test_stopping_a_run_that_is_not_there(aws, jobs):
    with pytest.raises(NotFound):
        stop(aws, "dogs-1")
