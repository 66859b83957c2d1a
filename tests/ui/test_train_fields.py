"""The Train form's fields: a spec goes in and comes out as it was."""

from dataclasses import replace
from decimal import Decimal

import pytest

from dashboard.core.runs.spec import Capacity, Platform, Range, RangeKind, TrainingSpec, Tuning
from dashboard.core.runs.spec_problems import problems
from dashboard.ui import train_fields as fields
from dashboard.ui import train_search as search

DATA = "s3://bucket/datasets/dogs/"
PLAIN = TrainingSpec(DATA)
TUNING = Tuning(
    (
        Range("learning_rate", RangeKind.CONTINUOUS, 0.002, 0.05, "Logarithmic"),
        Range("hidden", RangeKind.INTEGER, 0, 256, "Linear"),
        Range("class_weights", RangeKind.CATEGORICAL, values=("none", "balanced")),
    ),
    strategy="Random",
    objective="valid:accuracy",
    goal="Maximize",
    max_jobs=9,
    parallel=3,
    early_stopping=False,
    seed=7,
)
SPECS = {
    "plain": PLAIN,
    "spot": replace(PLAIN, capacity=Capacity.SPOT, max_wait_seconds=5400, interrupt_after="20 45"),
    "several": replace(PLAIN, instance_count=3, instance_type="ml.c5.xlarge", max_cost=Decimal("2.5")),
    "tuning": replace(PLAIN, tuning=TUNING, name="search"),
    "ec2": replace(PLAIN, platform=Platform.EC2, instance_type="c5.large", key_name="ada", ssh_address="203.0.113.7"),
    "more": replace(
        PLAIN,
        advanced=(("weight_decay", "0.05"), ("seed", "3"), ("warm_start", "false"), ("unfreeze", "2")),
        subnets=("subnet-1",),
        security_groups=("sg-1",),
        kms_key="alias/dogs",
        project="kennel club",
        owner="ada",
        volume_gb=50,
        resume_from="s3://bucket/checkpoints/dogs-1/",
    ),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_spec_comes_back_as_it_went_in(spec: TrainingSpec) -> None:
    assert not problems(spec)
    assert fields.read(fields.values(spec), DATA) == spec


def test_without_any_field_the_form_describes_the_usual_training() -> None:
    assert fields.read({}, DATA) == PLAIN


def test_what_a_platform_has_no_use_for_is_left_out() -> None:
    filled = fields.values(SPECS["tuning"]) | fields.values(SPECS["ec2"]) | {search.TUNE: True, fields.COUNT: 4}
    spec = fields.read(filled, DATA)
    assert (spec.tuning, spec.instance_count) == (None, 1)
    back = fields.read(filled | {fields.PLATFORM: "sagemaker"}, DATA)
    assert (back.key_name, back.ssh_address) == ("", "")
    assert not problems(spec)


def test_a_wish_to_be_interrupted_needs_spot_and_an_account_that_simulates() -> None:
    filled = fields.values(SPECS["spot"])
    assert fields.read(filled, DATA).interrupt_after == "20 45"
    assert fields.read(filled, DATA, simulates=False).interrupt_after == ""
    assert fields.read(filled | {fields.CAPACITY: "on-demand"}, DATA).interrupt_after == ""


def test_the_wait_for_spot_comes_on_top_of_the_time_limit() -> None:
    filled = fields.values(SPECS["spot"]) | {fields.MINUTES: 90}
    spec = fields.read(filled, DATA)
    assert (spec.max_seconds, spec.max_wait_seconds) == (5400, 7200)


def test_a_limit_that_is_no_whole_minute_is_never_shortened() -> None:
    assert fields.values(replace(PLAIN, max_seconds=90))[fields.MINUTES] == 2


def test_in_a_grid_every_range_becomes_its_values() -> None:
    filled = fields.values(SPECS["tuning"]) | {search.STRATEGY: "Grid"}
    tuning = fields.read(filled, DATA).tuning
    assert tuning is not None
    assert {one.kind for one in tuning.ranges} == {RangeKind.CATEGORICAL}
    assert not problems(replace(PLAIN, tuning=tuning))


@pytest.mark.parametrize("strategy", ["Bayesian", "Grid"])
@pytest.mark.parametrize("name", search.TUNABLE)
def test_every_hyperparameter_is_offered_with_a_search_that_can_be_asked_for(name: str, strategy: str) -> None:
    filled = fields.values(PLAIN) | {search.TUNE: True, search.OVER: [name], search.STRATEGY: strategy}
    spec = fields.read(filled, DATA)
    assert spec.tuning is not None
    assert spec.tuning.tuned == {name}
    assert not problems(spec)


@pytest.mark.parametrize("name", fields.SETTINGS)
def test_every_setting_is_offered_with_a_value_that_the_training_takes(name: str) -> None:
    spec = fields.read(fields.values(PLAIN) | {fields.ADVANCED: [name]}, DATA)
    assert [named for named, _ in spec.advanced] == [name]
    assert not problems(spec)
    assert fields.explained(name)


def test_a_search_in_words_the_form_does_not_know_is_taken_over_as_far_as_it_does() -> None:
    foreign = replace(
        TUNING,
        ranges=(*TUNING.ranges, Range("max_depth", RangeKind.INTEGER, 2, 8)),
        strategy="Hyperband",
        objective="validation:auc",
    )
    spec = fields.read(fields.values(replace(PLAIN, tuning=foreign, advanced=(("engine", "tpu"),))), DATA)
    assert spec.tuning is not None
    assert spec.tuning.tuned == TUNING.tuned
    assert (spec.tuning.strategy, spec.tuning.objective) == ("Bayesian", "valid:loss")
    assert not problems(spec)


def test_a_network_is_known_by_its_ids_however_it_was_labelled() -> None:
    filled = fields.values(PLAIN) | {fields.SUBNETS: ["private · us-east-1a · subnet-0a1b"], fields.GROUPS: [" sg-1 "]}
    spec = fields.read(filled, DATA)
    assert (spec.subnets, spec.security_groups) == (("subnet-0a1b",), ("sg-1",))
