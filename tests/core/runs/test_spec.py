from decimal import Decimal

import pytest

from dashboard.core.runs.spec import Capacity, Platform, TrainingSpec, Tuning
from dashboard.core.runs.spec_problems import limits, problems
from dashboard.core.runs.tuning_spec import DEFAULT_RANGES
from tests.core.runs.made import DOGS
from training.errors import BadSettings
from training.settings import read_settings


def test_the_defaults_can_be_planned():
    assert problems(TrainingSpec(DOGS)) == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset_uri", ""),
        ("dataset_uri", "dogs"),
        ("dataset_uri", "https://example.com/dogs"),
        ("dataset_uri", "s3://bucket-without-a-folder"),
        ("instance_type", "m5.large"),
        ("instance_type", "ml.m5.large; rm -rf /"),
        ("instance_count", 0),
        ("instance_count", 21),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("learning_rate", 1.5),
        ("batch_size", 0),
        ("batch_size", 4097),
        ("epochs", 0),
        ("epochs", 1001),
        ("max_seconds", 59),
        ("max_seconds", 5 * 86400 + 1),
        ("name", "-dogs"),
        ("name", "dogs_1"),
        ("name", "Hunde für alle"),
        ("name", "d" * 64),
        ("max_cost", Decimal(0)),
    ],
)
def test_each_bad_value_is_one_problem_that_names_its_field(field, value):
    (problem,) = problems(TrainingSpec(**({"dataset_uri": DOGS} | {field: value})))
    assert problem.field == field
    assert problem.what
    assert problem.next_step


@pytest.mark.parametrize("name", ["d", "dogs-1", "Dogs-2026-11-21", "d" * 63])
def test_sagemakers_own_names_are_accepted(name):
    assert problems(TrainingSpec(DOGS, name=name)) == ()


def test_all_problems_are_told_at_once():
    found = problems(TrainingSpec("", epochs=0, name="-"))
    assert [problem.field for problem in found] == ["dataset_uri", "epochs", "name"]


def test_several_instances_train_one_model_on_sagemaker_and_one_on_ec2():
    assert problems(TrainingSpec(DOGS, instance_count=4)) == ()
    (problem,) = problems(TrainingSpec(DOGS, platform=Platform.EC2, instance_type="m5.large", instance_count=4))
    assert problem.field == "instance_count"
    assert "SageMaker" in problem.next_step


@pytest.mark.parametrize("field", ["learning_rate", "batch_size", "epochs"])
@pytest.mark.parametrize("end", [0, 1])
def test_what_the_form_accepts_the_training_code_accepts(field, end):
    value = limits(field)[end]
    spec = TrainingSpec(DOGS, **{field: value if field == "learning_rate" else int(value)})
    assert problems(spec) == ()
    read = read_settings(None, {}, spec.hyperparameters)
    assert getattr(read, field) == value


@pytest.mark.parametrize(("field", "value"), [("learning_rate", 1.01), ("batch_size", 4097), ("epochs", 1001)])
def test_what_the_form_refuses_the_training_code_refuses(field, value):
    spec = TrainingSpec(DOGS, **{field: value})
    assert problems(spec)
    with pytest.raises(BadSettings):
        read_settings(None, {}, spec.hyperparameters)


def test_hyperparameters_are_strings_as_sagemaker_wants_them():
    assert TrainingSpec(DOGS, learning_rate=0.001, batch_size=512, epochs=3).hyperparameters == {
        "learning_rate": "0.001",
        "batch_size": "512",
        "epochs": "3",
    }


EC2 = {"platform": Platform.EC2, "instance_type": "m5.large"}
SPOT = {"capacity": Capacity.SPOT}


@pytest.mark.parametrize(
    ("field", "about"),
    [
        ("instance_type", EC2 | {"instance_type": "ml.m5.large"}),
        ("advanced", {"advanced": (("momentum", "0.9"),)}),
        ("advanced", {"advanced": (("views", "7"),)}),
        ("advanced", {"advanced": (("epochs", "3"),)}),
        ("max_wait_seconds", SPOT | {"max_wait_seconds": 3599}),
        ("max_wait_seconds", SPOT | {"max_wait_seconds": 29 * 86400}),
        ("security_groups", {"subnets": ("subnet-1",)}),
        ("subnets", {"security_groups": ("sg-1",)}),
        ("subnets", EC2 | {"subnets": ("subnet-1", "subnet-2")}),
        ("key_name", {"key_name": "ada"}),
        ("ssh_address", {"ssh_address": "203.0.113.7"}),
        ("ssh_address", EC2 | {"ssh_address": "0.0.0.0/0", "key_name": "ada"}),
        ("key_name", EC2 | {"ssh_address": "203.0.113.7"}),
        ("project", {"project": "dogs & cats"}),
        ("owner", {"owner": "a" * 257}),
        ("volume_gb", {"volume_gb": 7}),
        ("resume_from", {"resume_from": "/checkpoints"}),
        ("interrupt_after", SPOT | {"interrupt_after": "soon"}),
        ("interrupt_after", {"interrupt_after": "20"}),
        ("interruptions_per_hour", {"interruptions_per_hour": 2.0}),
        ("interruptions_per_hour", SPOT | {"interruptions_per_hour": -1.0}),
    ],
)
def test_each_thing_that_does_not_go_together_is_one_problem_at_its_field(field, about):
    (problem,) = problems(TrainingSpec(DOGS, **about))
    assert problem.field == field
    assert problem.what
    assert problem.next_step


@pytest.mark.parametrize(
    "about",
    [
        EC2 | {"ssh_address": "2001:db8::7", "key_name": "ada", "subnets": ("subnet-1",)},
        EC2 | SPOT | {"interrupt_after": "20 45", "resume_from": "s3://bucket-of-dogs/checkpoints/dogs-0/"},
        SPOT | {"max_wait_seconds": 3600, "instance_count": 20, "interruptions_per_hour": 6.0},
        {"subnets": ("subnet-1",), "security_groups": ("sg-1",), "project": "Dogs été", "owner": "ada@x"},
        {"advanced": (("engine", "torch"), ("unfreeze", "all"), ("patience", "5"))},
    ],
)
def test_what_goes_together_is_accepted(about):
    assert problems(TrainingSpec(DOGS, **about)) == ()


def test_how_many_instances_it_takes_at_once():
    assert TrainingSpec(DOGS, instance_count=3).at_once == 3
    tuning = Tuning(DEFAULT_RANGES, max_jobs=5, parallel=2)
    assert TrainingSpec(DOGS, instance_count=3, tuning=tuning).at_once == 6
    assert TrainingSpec(DOGS, tuning=tuning).jobs == 5
