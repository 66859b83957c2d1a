from datetime import timedelta

import botocore.session
import pytest

from dashboard.core.runs.model import Capacity, Platform, RunKey, RunKind, RunStatus, Stage, TuningFacts
from tests.core.runs.made import NOW, run

MODEL = botocore.session.Session().get_service_model("sagemaker")


@pytest.mark.parametrize("secondary", MODEL.shape_for("SecondaryStatus").enum)
def test_every_secondary_status_of_sagemaker_has_a_meaning(secondary):
    status = RunStatus.of_secondary(secondary)
    assert status is not RunStatus.UNKNOWN
    assert status.word
    assert status.tone in {"running", "waiting", "done", "failed", "stopped"}


@pytest.mark.parametrize(
    ("primary", "secondary", "status"),
    [
        ("InProgress", "Starting", RunStatus.STARTING),
        ("InProgress", "LaunchingMLInstances", RunStatus.STARTING),
        ("InProgress", "DownloadingTrainingImage", RunStatus.STARTING),
        ("InProgress", "Downloading", RunStatus.DOWNLOADING),
        ("InProgress", "Training", RunStatus.TRAINING),
        ("InProgress", "Uploading", RunStatus.UPLOADING),
        ("InProgress", "WaitingForTheMoon", RunStatus.UNKNOWN),
        ("Completed", "Completed", RunStatus.COMPLETED),
        ("Failed", "Failed", RunStatus.FAILED),
        ("Stopping", "Stopping", RunStatus.STOPPING),
        ("Stopped", "Stopped", RunStatus.STOPPED),
        ("Stopped", "MaxRuntimeExceeded", RunStatus.OUT_OF_TIME),
        ("Stopped", "MaxWaitTimeExceeded", RunStatus.OUT_OF_WAIT),
        ("Stopped", "Interrupted", RunStatus.STOPPED),
    ],
)
def test_status_from_both_of_sagemakers(primary, secondary, status):
    assert RunStatus.of(primary, secondary) is status


def test_a_run_is_active_or_final_never_both():
    for status in RunStatus:
        assert status.is_active is not status.is_final
    assert not RunStatus.UNKNOWN.is_final  # a status that we do not know may well change


def test_who_can_be_stopped():
    assert {s for s in RunStatus if s.can_stop} == {
        RunStatus.STARTING,
        RunStatus.PENDING,
        RunStatus.DOWNLOADING,
        RunStatus.TRAINING,
        RunStatus.UPLOADING,
        RunStatus.INTERRUPTED,
        RunStatus.RESTARTING,
        RunStatus.UNKNOWN,
    }


def test_only_instances_that_are_there_are_billed():
    assert {s for s in RunStatus if s.is_billed} == {
        RunStatus.DOWNLOADING,
        RunStatus.TRAINING,
        RunStatus.UPLOADING,
        RunStatus.STOPPING,
    }


def test_out_of_time_is_bad_and_stopped_by_a_person_is_not():
    assert RunStatus.OUT_OF_TIME.is_bad
    assert not RunStatus.STOPPED.is_bad
    assert not RunStatus.STOPPED.is_good


def test_a_stage_that_lasts_has_no_seconds_yet():
    assert Stage("Training", NOW, None).seconds is None
    assert Stage("Training", NOW, NOW + timedelta(seconds=90)).seconds == 90


def test_elapsed_counts_to_the_end_or_to_now():
    assert run().elapsed(NOW) == 683
    assert run(status=RunStatus.TRAINING).elapsed(NOW) == 3600
    assert (
        run(created=NOW + timedelta(seconds=5), ended=None, status=RunStatus.STARTING).elapsed(NOW) == 0
    )  # clock skew


def test_billed_so_far():
    assert run().billed_so_far(NOW) == 663
    assert run(status=RunStatus.TRAINING).billed_so_far(NOW) == 3580
    assert run(status=RunStatus.STARTING, started=None).billed_so_far(NOW) == 0
    assert run(status=RunStatus.FAILED, billable_seconds=None, started=None).billed_so_far(NOW) is None
    assert run(status=RunStatus.STOPPED, billable_seconds=None, ended=None).billed_so_far(NOW) is None


def test_tags_say_whose_it_is():
    assert not run().is_sample
    assert run(tags={"kennel:sample": "true"}).is_sample
    assert run(tags={"kennel:made-by": "kennel"}).is_kennels
    assert not run(tags={"kennel:made-by": "somebody"}).is_kennels


def test_the_datasets_name_is_the_last_part_of_its_address():
    assert run(dataset_uri="s3://bucket/datasets/dogs/").dataset == "dogs"
    assert run(dataset_uri="s3://bucket/datasets/dogs").dataset == "dogs"
    assert run(dataset_uri="").dataset == ""


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("dogs-1", RunKey("dogs-1")),
        ("tuning:dogs-1", RunKey("dogs-1", kind=RunKind.TUNING)),
        ("ec2:dogs-1", RunKey("dogs-1", Platform.EC2)),
    ],
)
def test_a_key_tells_the_kinds_of_run_apart(text, key):
    assert RunKey.parse(text) == key
    assert str(key) == text
    assert run("dogs-1", platform=key.platform, kind=key.kind).key == text


@pytest.mark.parametrize("word", MODEL.shape_for("HyperParameterTuningJobStatus").enum)
def test_every_status_of_a_tuning_job_has_a_meaning(word):
    assert RunStatus.of_tuning(word) is not RunStatus.UNKNOWN


def test_the_saving_of_spot_is_awss_own_formula():
    spot = run(capacity=Capacity.SPOT, training_seconds=1000, billable_seconds=300)
    assert spot.saving == pytest.approx(0.7)
    assert run(training_seconds=1000, billable_seconds=1000).saving is None
    assert run(capacity=Capacity.SPOT, training_seconds=None).saving is None
    # EC2 bills spot at another price, not for fewer seconds: a minute at least is no loss of spot's.
    on_ec2 = run(capacity=Capacity.SPOT, platform=Platform.EC2, training_seconds=40, billable_seconds=60)
    assert on_ec2.saving is None


def test_a_run_whose_spot_instance_was_taken_back_can_be_resumed_where_it_left_checkpoints():
    taken = run(status=RunStatus.RECLAIMED, capacity=Capacity.SPOT, checkpoint_uri="s3://bucket/checkpoints/")
    assert taken.can_resume
    assert not run(status=RunStatus.RECLAIMED).can_resume
    assert not run(checkpoint_uri="s3://bucket/checkpoints/").can_resume  # it has its model
    assert not run(status=RunStatus.TRAINING, checkpoint_uri="s3://bucket/checkpoints/").can_resume


def test_interruptions_are_counted_from_the_stages():
    names = ("Starting", "Training", "Interrupted", "Starting", "Training", "Interrupted")
    assert run(stages=tuple(Stage(name, NOW, NOW) for name in names)).interruptions == 2


def test_a_run_says_itself_whether_its_features_came_from_a_cache():
    said = {"features:from-cache": 1.0}
    assert run(metrics=said).is_cached
    assert not run(metrics={"features:from-cache": 0.01}).is_cached, "a photo or two change no time"
    assert not run().is_cached, "an old one does not say"
    assert not run(metrics=said, stages=(Stage("Interrupted", NOW, NOW),)).is_cached, "it finds what it computed itself"


def test_a_tuning_jobs_progress_counts_trials_that_have_ended():
    facts = TuningFacts(
        "Bayesian", "valid:loss", "Minimize", 8, 2, {"Completed": 3, "InProgress": 2, "NonRetryableError": 1}
    )
    assert facts.ended == 4
    assert facts.fraction == 0.5
    assert facts.is_better(0.1, 0.2)
    assert facts.is_better(0.1, None)
    assert not facts.is_better(0.3, 0.2)
