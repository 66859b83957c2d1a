"""Completed runs as choices: what counts, what is unknown, and which runs did the same work."""

from decimal import Decimal

from dashboard.core.costs.choices.outcomes import Outcome, by_work, outcomes
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.receipt import Nature
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.model import Platform, RunKind, RunStatus, TuningFacts
from tests.core.costs.chosen import CACHED, NOW, outcome
from tests.core.runs.made import run

BOOK = PriceBook.load()


def found(*runs):
    return outcomes(runs, lambda one: run_cost(one, BOOK, "us-east-1", NOW), NOW, is_embedded=True)


def test_only_completed_runs_are_choices_and_a_trial_is_part_of_its_search():
    facts = TuningFacts("Bayesian", "valid:loss", "Minimize", 2, 1, {"Completed": 2}, best_key="trial-2")
    runs = (
        run("good"),
        run("bad", RunStatus.FAILED),
        run("going", RunStatus.TRAINING),
        run("trial-1", parent="search", metrics={"test:accuracy": 0.7}),
        run("trial-2", parent="search", metrics={"test:accuracy": 0.8}),
        run("search", kind=RunKind.TUNING, tuning=facts),
    )
    good, search = found(*runs)
    assert (good.run.name, search.run.name) == ("good", "search")
    assert search.accuracy == 0.8
    assert search.trained is None
    assert search.way.word == "SageMaker tuning, 2 trials on ml.c5.2xlarge"


def test_works_are_told_apart_without_holding_each_run_against_each_other(monkeypatch):
    """Among ten thousand runs of which half do not say their epochs that took half a minute."""

    def compared(one, other):
        raise AssertionError("two runs were compared")

    members = [outcome(f"r{n}", hyperparameters={"epochs": "20"} if n % 2 else {}) for n in range(40)]
    monkeypatch.setattr(Outcome, "__eq__", compared)
    works = by_work(members)
    assert sorted((one.epochs or (0, 0), len(runs)) for one, runs in works.items()) == [((0, 0), 20), ((20, 20), 20)]


def test_a_choice_costs_what_its_receipt_says_and_took_from_launch_to_end():
    (one,) = found(run("c"))
    assert one.amount == Decimal("0.408") * 663 / 3600
    assert one.seconds == 683  # 20 s before it began to train
    assert one.trained == 663


def test_an_accuracy_on_training_photos_is_none():
    metrics = {"train:accuracy": 0.99}
    assert found(run("a", metrics=metrics))[0].accuracy is None
    assert found(run("b", metrics=metrics | {"valid:accuracy": 0.8}))[0].accuracy_on == "valid:accuracy"


def test_samples_are_money_of_their_own():
    sample, own = found(run("s", tags={"kennel:sample": "true"}), run("o"))
    assert (sample.nature, own.nature) == (Nature.SAMPLE, Nature.SIMULATED)


def test_the_proof_of_a_role_is_no_choice():
    (one,) = found(run("kennel-trial-1", tags={"kennel:proof": "kennel-trial-1"}), run("o"))
    assert one.run.name == "o"


def test_an_unknown_price_is_unknown_with_why():
    (one,) = found(run("x", instance_type="ml.trn1.2xlarge"))
    assert one.amount is None
    assert "no price" in one.why_unknown


def works(*members):
    return [[one.run.name for one in part] for part in by_work(members).values()]


def test_the_same_work_is_the_same_data_settings_and_about_as_many_epochs():
    def of(name, **given):
        return outcome(name, hyperparameters=given)

    assert works(of("a", epochs="20"), of("b", epochs="60", learning_rate="0.5")) == [["a", "b"]]
    assert works(of("a", epochs="2"), of("b", epochs="60")) == [["a"], ["b"]]
    assert works(of("a"), of("b", backbone="resnet50")) == [["a"], ["b"]]
    assert works(outcome("a"), outcome("b", dataset_uri="s3://elsewhere/cats/")) == [["a"], ["b"]]
    assert works(outcome("a"), outcome("b", dataset_uri=outcome().run.dataset_uri.rstrip("/"))) == [["a", "b"]]


def test_in_one_work_no_run_has_more_than_five_times_the_epochs_of_another():
    members = [outcome(f"e{epochs}", hyperparameters={"epochs": str(epochs)}) for epochs in (1, 4, 6, 25, 40)]
    assert works(*members) == [["e1", "e4"], ["e6", "e25"], ["e40"]]


def test_works_are_named_for_a_person_the_one_with_most_runs_first():
    first, second = by_work([outcome("a"), outcome("b", hyperparameters={"epochs": "30"}),
                             outcome("c", hyperparameters={"backbone": "resnet50"})])  # fmt: skip
    assert first.word == "dogs, efficientnet_lite0, 20 to 30 epochs"
    assert second.word == "dogs, resnet50"


def test_a_run_that_took_its_features_from_a_cache_did_other_work():
    whole, cached = by_work([outcome("cached", seconds=2, **CACHED), outcome("whole", seconds=9)]).items()
    assert [one.run.name for one in whole[1]] == ["whole"], "a work that was done comes before"
    assert [one.run.name for one in cached[1]] == ["cached"]
    assert (whole[0].is_cached, cached[0].is_cached) == (False, True)
    assert cached[0].word == whole[0].word + ", features from a cache"


def test_a_search_is_cached_only_when_none_of_its_trials_computed_the_features():
    facts = TuningFacts("Bayesian", "valid:loss", "Minimize", 2, 1, {"Completed": 2})
    search = run("search", kind=RunKind.TUNING, tuning=facts)
    trials = [run("t1", parent="search"), run("t2", parent="search", **CACHED)]
    assert [one.is_cached for one in found(search, *trials)] == [False]
    assert [one.is_cached for one in found(search, trials[1])] == [True]


def test_the_instances_of_a_run_are_told_apart_from_what_lies_beside_them():
    (one,) = found(run(platform=Platform.EC2, instance_type="m5.large", volume_gb=30))
    assert one.alone == one.instances
    assert one.alone < one.amount, "a volume and an address are in its sum"
