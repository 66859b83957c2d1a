"""Deleting runs: what goes, what stays, and in which order."""

import pytest

from dashboard.core.errors import AccessDenied, NotFound, ServiceFault
from dashboard.core.runs.delete import delete, plan_delete
from dashboard.core.runs.describe import run_from
from dashboard.core.runs.ec2_runs import get_ec2
from dashboard.core.runs.model import Run
from dashboard.core.runs.tuning import get_tuning
from tests.views.scripted import BUCKET, NOW, ScriptedAws

FILES = (
    "runs/dogs-1/output/model.tar.gz",
    "checkpoints/dogs-1/epoch-3",
    "ec2-runs/cats-1/output/model.tar.gz",
    "ec2-runs/cats-1/checkpoints/epoch-3",
    "runs/dogs-10/output/model.tar.gz",
    "datasets/dogs/train/a/1.jpg",
)


@pytest.fixture
def aws() -> ScriptedAws:
    account = ScriptedAws()
    account.add_job("dogs-1", spot=True)
    account.add_job("live", "InProgress", age=60)
    account.add_tuning("search", [0.5])
    account.add_ec2("cats-1")
    account.bodies |= dict.fromkeys(FILES, b"x")
    return account


def job(aws: ScriptedAws, name: str = "dogs-1") -> Run:
    return run_from(aws.jobs[name], {})


def test_with_its_artifacts_a_run_goes_and_everything_else_stays(aws: ScriptedAws) -> None:
    plan = plan_delete(aws, [job(aws)], with_artifacts=True)
    (deletion,) = plan.deletions
    assert deletion.prefixes == (f"{BUCKET}/runs/dogs-1/", f"{BUCKET}/checkpoints/dogs-1/")
    assert plan.objects == 2
    assert any("2 objects" in line for line in deletion.goes)
    assert [one.problem for one in delete(aws, plan)] == [None]
    assert "dogs-1" not in aws.jobs
    assert not {"runs/dogs-1/output/model.tar.gz", "checkpoints/dogs-1/epoch-3"} & aws.bodies.keys()
    assert {"runs/dogs-10/output/model.tar.gz", "datasets/dogs/train/a/1.jpg"} <= aws.bodies.keys()
    assert "dogs-1" not in aws.logs  # the next run of this name begins with an empty log


def test_without_its_artifacts_only_the_record_goes(aws: ScriptedAws) -> None:
    plan = plan_delete(aws, [job(aws)], with_artifacts=False)
    assert any("model.tar.gz" in line for line in plan.deletions[0].stays)
    delete(aws, plan)
    assert "dogs-1" not in aws.jobs
    assert set(FILES) <= aws.bodies.keys()
    assert "its log in CloudWatch" in plan.deletions[0].stays
    assert aws.logs["dogs-1"]


def test_a_run_that_goes_on_is_refused(aws: ScriptedAws) -> None:
    plan = plan_delete(aws, [job(aws), job(aws, "live")], with_artifacts=True)
    assert [one.run.name for one in plan.possible] == ["dogs-1"]
    assert "stop it first" in plan.refused[0].refusal
    delete(aws, plan)
    assert "live" in aws.jobs


def test_a_model_that_is_a_version_in_the_registry_stays(aws: ScriptedAws) -> None:
    run = job(aws)
    plan = plan_delete(aws, [run], with_artifacts=True, registered=[run.artifact_uri])
    assert plan.objects == 0
    assert "its model, which is a version in the model registry" in plan.deletions[0].stays


def test_a_model_that_an_endpoint_serves_stays(aws: ScriptedAws) -> None:
    run = job(aws)
    for served in (run.name, run.artifact_uri):
        plan = plan_delete(aws, [run], with_artifacts=True, served=[served])
        assert plan.objects == 0
        assert "its model, which an endpoint serves" in plan.deletions[0].stays


def test_checkpoints_that_another_run_goes_on_from_stay(aws: ScriptedAws) -> None:
    aws.add_job("resumed", spot=True)
    aws.jobs["resumed"]["CheckpointConfig"]["S3Uri"] = f"{BUCKET}/checkpoints/dogs-1/"
    plan = plan_delete(aws, [job(aws)], with_artifacts=True, others=[job(aws), job(aws, "resumed")])
    assert plan.deletions[0].prefixes == (f"{BUCKET}/runs/dogs-1/",)
    assert any("another run goes on" in line for line in plan.deletions[0].stays)
    both = plan_delete(
        aws, [job(aws), job(aws, "resumed")], with_artifacts=True, others=[job(aws), job(aws, "resumed")]
    )
    assert f"{BUCKET}/checkpoints/dogs-1/" in both.deletions[0].prefixes


def test_what_lies_in_other_buckets_or_under_other_names_is_never_touched(aws: ScriptedAws) -> None:
    aws.jobs["dogs-1"]["OutputDataConfig"] = {"S3OutputPath": "s3://somebody-elses/models"}
    aws.jobs["dogs-1"]["CheckpointConfig"] = {"S3Uri": f"{BUCKET}/datasets/"}
    plan = plan_delete(aws, [job(aws)], with_artifacts=True)
    assert plan.deletions[0].prefixes == ()


def test_an_ec2_training_goes_with_its_folder_and_its_entry(aws: ScriptedAws) -> None:
    run = get_ec2(aws, "cats-1", NOW)
    plan = plan_delete(aws, [run], with_artifacts=True)
    assert plan.objects == 5
    delete(aws, plan)
    assert not [key for key in aws.bodies if "cats-1" in key]


def test_an_ec2_training_without_its_artifacts_only_leaves_the_list(aws: ScriptedAws) -> None:
    run = get_ec2(aws, "cats-1", NOW)
    delete(aws, plan_delete(aws, [run], with_artifacts=False))
    assert not [key for key in aws.bodies if key.startswith("ec2-index/")]
    assert "ec2-runs/cats-1/output/model.tar.gz" in aws.bodies


def test_a_tuning_job_leaves_its_trials(aws: ScriptedAws) -> None:
    plan = plan_delete(aws, [get_tuning(aws, "search")], with_artifacts=True)
    assert "its trials, which are runs of their own" in plan.deletions[0].stays
    delete(aws, plan)
    assert not aws.tunings
    assert "search-001-00000001" in aws.jobs


def test_one_that_fails_does_not_keep_the_others_and_its_record_stays_to_try_again(aws: ScriptedAws) -> None:
    plan = plan_delete(aws, [job(aws), get_tuning(aws, "search")], with_artifacts=True)
    aws.errors["DeleteObjects"] = AccessDenied("not allowed to s3:DeleteObject")
    results = {one.key: one.problem for one in delete(aws, plan)}
    assert isinstance(results["dogs-1"], AccessDenied)
    assert results["tuning:search"] is None
    assert "dogs-1" in aws.jobs


def test_what_somebody_else_deleted_first_counts_as_deleted(aws: ScriptedAws) -> None:
    plan = plan_delete(aws, [job(aws)], with_artifacts=False)
    aws.errors["DeleteTrainingJob"] = NotFound("Requested resource not found.")
    assert [one.problem for one in delete(aws, plan)] == [None]


def test_objects_that_s3_keeps_are_told(aws: ScriptedAws) -> None:
    plan = plan_delete(aws, [job(aws)], with_artifacts=True)
    aws._DeleteObjects = lambda asked: {  # type: ignore[method-assign]
        "Errors": [{"Key": "runs/dogs-1/output/model.tar.gz", "Code": "AccessDenied", "Message": "Access Denied"}]
    }
    (result,) = delete(aws, plan)
    assert isinstance(result.problem, ServiceFault)
    assert "Access Denied" in result.problem.why
