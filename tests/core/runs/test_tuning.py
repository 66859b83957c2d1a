"""A tuning job as a run."""

import pytest

from dashboard.core.runs.model import Capacity, RunKind, RunStatus
from dashboard.core.runs.tuning import get_tuning, tuning_from
from dashboard.core.runs.tuning_spec import Range, RangeKind
from tests.views.scripted import ScriptedAws


@pytest.fixture
def aws() -> ScriptedAws:
    account = ScriptedAws()
    account.add_tuning("search", [0.5, 0.3, 0.4])
    return account


def test_what_it_searches_how_far_it_is_and_its_best(aws: ScriptedAws) -> None:
    run = get_tuning(aws, "search")
    assert (run.key, run.kind, run.status) == ("tuning:search", RunKind.TUNING, RunStatus.COMPLETED)
    facts = run.tuning
    assert facts is not None
    assert (facts.strategy, facts.objective, facts.goal) == ("Bayesian", "valid:loss", "Minimize")
    assert (facts.max_jobs, facts.parallel, facts.ended) == (4, 2, 3)
    assert (facts.best_key, facts.best_value) == ("search-002-00000002", 0.3)
    assert facts.best_hyperparameters == {"learning_rate": "0.05"}
    assert facts.ranges == (("learning_rate", "0.001 to 0.1, logarithmic"),)
    assert [key[:10] for key in facts.children] == ["search-001", "search-002", "search-003"]
    assert run.metrics == {"valid:loss": 0.3}


def test_its_instances_and_data_are_those_of_its_trials(aws: ScriptedAws) -> None:
    run = get_tuning(aws, "search")
    assert (run.instance_type, run.instance_count, run.dataset) == ("ml.m5.large", 1, "drawn-dogs")
    assert run.hyperparameters == {"epochs": "20", "batch_size": "64"}
    assert run.max_seconds == 3600


def test_one_that_has_just_begun_has_no_best(aws: ScriptedAws) -> None:
    aws.add_tuning("young", [], "InProgress")
    run = get_tuning(aws, "young")
    assert run.status is RunStatus.TRAINING
    assert run.tuning is not None
    assert (run.tuning.best_key, run.tuning.best_value, run.metrics, run.tuning.fraction) == ("", None, {}, 0.0)


def test_every_kind_of_range_is_read() -> None:
    answer = {
        "HyperParameterTuningJobName": "search",
        "HyperParameterTuningJobStatus": "InProgress",
        "CreationTime": None,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "RandomSeed": 7,
            "TrainingJobEarlyStoppingType": "Auto",
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "learning_rate", "MinValue": "0.001", "MaxValue": "0.1"}],
                "IntegerParameterRanges": [
                    {"Name": "epochs", "MinValue": "5", "MaxValue": "40", "ScalingType": "Linear"}
                ],
                "CategoricalParameterRanges": [{"Name": "optimizer", "Values": ["adamw", "sgd"]}],
            },
        },
        "TrainingJobDefinitions": [
            {
                "EnableManagedSpotTraining": True,
                "HyperParameterTuningResourceConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 2},
                "StaticHyperParameters": {
                    "_tuning_objective_metric": "valid:loss",
                    "sagemaker_program": "x",
                    "epochs": "5",
                },
                "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
            }
        ],
    }
    run = tuning_from(answer, {})
    assert run.tuning is not None
    assert run.tuning.search is not None
    assert run.tuning.search.ranges == (
        Range("learning_rate", RangeKind.CONTINUOUS, 0.001, 0.1),
        Range("epochs", RangeKind.INTEGER, 5, 40, "Linear"),
        Range("optimizer", RangeKind.CATEGORICAL, values=("adamw", "sgd")),
    )
    assert (run.tuning.search.seed, run.tuning.early_stopping) == (7, True)
    assert (run.capacity, run.instance_type, run.instance_count) == (Capacity.SPOT, "ml.c5.xlarge", 2)
    assert run.hyperparameters == {"epochs": "5"}  # SageMaker's own are left out
    assert (run.subnets, run.security_groups) == (("subnet-1",), ("sg-1",))
