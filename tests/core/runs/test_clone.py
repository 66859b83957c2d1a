"""To train again like a run."""

from decimal import Decimal

from dashboard.core.runs.clone import resumed_name, spec_of
from dashboard.core.runs.model import Capacity, Platform, RunStatus
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.spec_problems import problems
from dashboard.core.runs.tuning import get_tuning
from tests.core.runs.made import DOGS, run
from tests.views.scripted import ScriptedAws


def test_everything_but_the_name_is_taken_over():
    spec = spec_of(
        run(
            "dogs-1",
            instance_count=2,
            capacity=Capacity.SPOT,
            max_seconds=1800,
            max_wait_seconds=5400,
            volume_gb=50,
            hyperparameters={"epochs": "7", "learning_rate": "0.03", "batch_size": "128", "seed": "5"},
            tags={"project": "breeds", "owner": "ada", "kennel:interrupt-after": "20"},
            subnets=("subnet-1",),
            security_groups=("sg-1",),
            kms_key="key-1",
        )
    )
    assert spec == TrainingSpec(
        dataset_uri=DOGS,
        capacity=Capacity.SPOT,
        instance_type="ml.c5.2xlarge",
        instance_count=2,
        epochs=7,
        learning_rate=0.03,
        batch_size=128,
        advanced=(("seed", "5"),),
        max_seconds=1800,
        max_wait_seconds=5400,
        volume_gb=50,
        project="breeds",
        owner="ada",
        interrupt_after="20",
        subnets=("subnet-1",),
        security_groups=("sg-1",),
        kms_key="key-1",
    )
    assert spec.max_cost is None or spec.max_cost > Decimal(0)


def test_hyperparameters_of_other_code_and_values_that_are_none_are_left_out():
    spec = spec_of(run(hyperparameters={"epochs": "many", "learning_rate": "-1", "model": "resnet", "name": "dogs"}))
    assert (spec.epochs, spec.learning_rate) == (TrainingSpec.epochs, TrainingSpec.learning_rate)
    assert spec.advanced == ()


def test_resuming_goes_on_from_the_checkpoints():
    taken = run(status=RunStatus.RECLAIMED, platform=Platform.EC2, checkpoint_uri="s3://b/checkpoints/dogs-1/")
    assert spec_of(taken, resume=True).resume_from == "s3://b/checkpoints/dogs-1/"
    assert spec_of(taken).resume_from == ""
    assert spec_of(run(checkpoint_uri="s3://b/c/"), resume=True).resume_from == ""  # it has its model


def test_a_resumed_run_is_not_interrupted_again_and_a_plain_clone_is():
    taken = run(
        status=RunStatus.RECLAIMED,
        platform=Platform.EC2,
        capacity=Capacity.SPOT,
        checkpoint_uri="s3://b/checkpoints/dogs-1/",
        tags={"kennel:interrupt-after": "20", "kennel:interruptions-per-hour": "6"},
    )
    resumed, plain = spec_of(taken, resume=True), spec_of(taken)
    assert (resumed.interrupt_after, resumed.interruptions_per_hour) == ("", 0)
    assert (plain.interrupt_after, plain.interruptions_per_hour) == ("20", 6)
    assert (resumed.name, plain.name) == ("dogs-1-resumed", "")
    done = spec_of(run(tags={"kennel:interrupt-after": "20"}), resume=True)  # nothing to go on from
    assert (done.interrupt_after, done.name, done.resume_from) == ("", "", "")


def test_a_resumed_runs_name_tells_whose_it_is_and_is_free():
    assert resumed_name("dogs") == "dogs-resumed"
    assert resumed_name("dogs-resumed") == "dogs-resumed-2"
    assert resumed_name("dogs", {"dogs-resumed", "dogs-resumed-2"}) == "dogs-resumed-3"
    longest = resumed_name("d" * 63)
    assert len(longest) == 63
    assert not problems(TrainingSpec(DOGS, name=longest))


def test_a_tuning_job_is_asked_for_again_as_a_whole():
    aws = ScriptedAws()
    aws.add_tuning("search", [0.5, 0.3])
    spec = spec_of(get_tuning(aws, "search"))
    assert spec.tuning is not None
    assert (spec.tuning.max_jobs, spec.tuning.parallel, spec.tuning.objective) == (4, 2, "valid:loss")
    assert spec.tuning.tuned == {"learning_rate"}
    assert (spec.epochs, spec.instance_type) == (20, "ml.m5.large")
