"""One run of any kind: looked at, stopped, interrupted."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dashboard.core.errors import AccessDenied, NotFound, Refused
from dashboard.core.runs import watch
from dashboard.core.runs.model import RunStatus
from tests.views.scripted import ARN, NOW, REAL, ScriptedAws


@pytest.fixture
def aws() -> ScriptedAws:
    account = ScriptedAws()
    account.add_job("dogs-1", "InProgress", age=60)
    account.add_job("done-1")
    account.add_tuning("search", [0.5, 0.3], "InProgress")
    account.add_ec2("cats-1", "InProgress", age=60)
    return account


def test_a_key_leads_to_its_kind_of_run(aws: ScriptedAws) -> None:
    for key in ("dogs-1", "tuning:search", "ec2:cats-1"):
        assert watch.get_run(aws, key, now=NOW).key == key


@pytest.mark.parametrize("key", ["nobody", "tuning:nobody", "ec2:nobody"])
def test_a_run_that_is_not_there_is_not_found(aws: ScriptedAws, key: str) -> None:
    with pytest.raises(NotFound) as caught:
        watch.get_run(aws, key)
    assert "nobody" in caught.value.what
    assert caught.value.next_step


def test_tags_are_read_once(aws: ScriptedAws) -> None:
    known = watch.get_run(aws, "dogs-1")
    assert watch.get_run(aws, "dogs-1", known) == known
    assert len(aws.asked("ListTags")) == 1


def test_the_trials_of_a_tuning_job_are_runs_in_their_order(aws: ScriptedAws) -> None:
    keys = watch.get_run(aws, "tuning:search").tuning.children  # type: ignore[union-attr]
    found = watch.children(aws, keys)
    assert [run.name for run in found] == list(keys) == ["search-001-00000001", "search-002-00000002"]
    assert {run.parent for run in found} == {"search"}
    aws.calls.clear()
    assert watch.children(aws, keys, found) == found
    assert aws.calls == []  # they have ended: nothing is asked again


def test_a_trial_that_was_deleted_is_left_out(aws: ScriptedAws) -> None:
    keys = watch.get_run(aws, "tuning:search").tuning.children  # type: ignore[union-attr]
    del aws.jobs[keys[0]]
    assert [run.name for run in watch.children(aws, keys)] == [keys[1]]


def test_stopping_a_run_once_and_again(aws: ScriptedAws) -> None:
    assert watch.stop(aws, "dogs-1").status is RunStatus.STOPPING
    assert watch.stop(aws, "dogs-1").status is RunStatus.STOPPING
    assert len(aws.asked("StopTrainingJob")) == 1


def test_stopping_a_run_that_has_ended_leaves_it_as_it_is(aws: ScriptedAws) -> None:
    assert watch.stop(aws, "done-1").status is RunStatus.COMPLETED
    assert not aws.asked("StopTrainingJob")


def test_a_run_that_ends_between_the_look_and_the_stop(aws: ScriptedAws) -> None:
    def ended(asked: object) -> dict[str, object]:
        aws.add_job("dogs-1", "Completed")
        raise NotFound("Requested resource not found.")

    aws._StopTrainingJob = ended  # type: ignore[method-assign]
    assert watch.stop(aws, "dogs-1").status is RunStatus.COMPLETED


def test_stopping_a_tuning_job_stops_it_as_a_whole(aws: ScriptedAws) -> None:
    assert watch.stop(aws, "tuning:search").status is RunStatus.STOPPING
    assert not aws.asked("StopTrainingJob")


def test_an_ec2_training_is_asked_to_save_its_model_and_end(aws: ScriptedAws) -> None:
    assert watch.stop(aws, "ec2:cats-1").status is RunStatus.STOPPING
    assert "ec2-runs/cats-1/stop.json" in aws.bodies
    assert not aws.asked("TerminateInstances")


def test_an_ec2_training_that_has_not_begun_ends_with_its_instance(aws: ScriptedAws) -> None:
    del aws.bodies["ec2-runs/cats-1/status.json"]
    assert watch.stop(aws, "ec2:cats-1").status is RunStatus.STOPPING
    assert aws.asked("TerminateInstances") == [{"InstanceIds": ["i-cats-1"]}]


def test_an_ec2_training_without_an_instance_yet_says_to_wait(aws: ScriptedAws) -> None:
    since = (NOW - datetime.now(UTC)).total_seconds()  # the account's own now may be of minutes ago
    aws.add_ec2("cats-1", "InProgress", age=since + 60)
    del aws.bodies["ec2-runs/cats-1/status.json"], aws.bodies["ec2-runs/cats-1/instance.json"]
    aws.instances.clear()
    with pytest.raises(Refused, match="cannot be stopped yet"):
        watch.stop(aws, "ec2:cats-1")


def test_of_several_the_ones_that_can_be_stopped_are(aws: ScriptedAws) -> None:
    aws.errors["StopHyperParameterTuningJob"] = AccessDenied("not allowed to stop it")
    results = {one.key: one for one in watch.stop_many(aws, ["dogs-1", "tuning:search", "nobody", "dogs-1"])}
    assert len(results) == 3
    assert results["dogs-1"].run is not None
    assert results["dogs-1"].run.status is RunStatus.STOPPING
    assert isinstance(results["tuning:search"].problem, AccessDenied)
    assert isinstance(results["nobody"].problem, NotFound)


def test_an_interruption_is_asked_for_by_a_tag_of_the_job_or_the_instance(aws: ScriptedAws) -> None:
    aws.add_job("spot-1", "InProgress", age=60, spot=True)
    aws.add_ec2("spot-2", "InProgress", age=60, spot=True)
    watch.interrupt(aws, watch.get_run(aws, "spot-1"), "one")
    watch.interrupt(aws, watch.get_run(aws, "ec2:spot-2", now=NOW), "two")
    assert aws.tags[f"{ARN}:training-job/spot-1"]["kennel:interrupt"] == "one"
    assert aws.asked("CreateTags") == [
        {"Resources": ["i-spot-2"], "Tags": [{"Key": "kennel:interrupt", "Value": "two"}]}
    ]


def test_a_real_account_cannot_be_asked_to_interrupt(aws: ScriptedAws) -> None:
    aws.add_job("spot-1", "InProgress", age=60, spot=True)
    run = watch.get_run(aws, "spot-1")
    with pytest.raises(Refused, match="only the embedded AWS"):
        watch.interrupt(ScriptedAws(REAL), run, "one")


def test_only_a_spot_run_at_work_can_be_interrupted(aws: ScriptedAws) -> None:
    run = watch.get_run(aws, "dogs-1")
    with pytest.raises(Refused, match="does not run on spot"):
        watch.interrupt(aws, run, "one")
    aws.add_job("spot-1", "InProgress", age=60, spot=True)
    with pytest.raises(Refused, match="waiting for capacity"):
        watch.interrupt(aws, replace(watch.get_run(aws, "spot-1"), status=RunStatus.PENDING), "one")
