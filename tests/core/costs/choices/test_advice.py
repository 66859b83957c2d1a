"""What the choices that were made teach, in a sentence each."""

from dashboard.core.costs.choices.advice import advise
from dashboard.core.costs.receipt import Nature
from tests.core.costs.chosen import CACHED, EC2, GUESSED, SPOT, TWO_WAYS, outcome


def test_each_question_has_one_sentence_about_the_data_that_cost_most():
    found = advise(
        (
            outcome("sm", "0.50"),
            outcome("ec2", "0.40", instance="c5.2xlarge", **EC2),
            outcome("two", "0.90", 700, count=2),
            outcome("spot", "0.20", 800, **SPOT),
            outcome("cats", "0.01", dataset_uri="s3://elsewhere/cats/"),
        )
    )
    assert [one.what for one in found] == ["change", "SageMaker against EC2", "spot"]
    assert found[0].sentence == (
        "EC2 c5.2xlarge at $0.40 in 10 min did the work of "
        "SageMaker 2 × ml.c5.2xlarge at $0.90 in 11 min 40 s: $0.50 less a run."
    )
    assert found[2].sentence == "Spot saved 60 % on SageMaker ml.c5.2xlarge spot (1 run)."
    assert dict(found[0].query) == {"of": "simulated", "data": "dogs"}


def test_the_change_that_would_have_saved_most_over_all_runs_is_told_and_not_that_of_the_dearest_run():
    often = [outcome(f"o{n}", "0.30", 700, instance="ml.m5.large") for n in range(5)]  # 5 × $0.20
    found = advise((outcome("best", "0.10", 600), *often, outcome("once", "0.60", 800, count=2)))  # 1 × $0.50
    assert "did the work of SageMaker ml.m5.large at $0.30" in found[0].sentence
    assert found[0].sentence.endswith("$0.20 less a run.")


def test_what_spot_saved_is_not_said_twice():
    pair = (outcome("plain", "0.50"), outcome("spot", "0.20", **SPOT))
    assert [one.what for one in advise(pair)] == ["change"]


def test_what_no_other_choice_beats_is_only_told():
    (one,) = advise((outcome("quick", "0.50", 60), outcome("slow", "0.10", 900, instance="ml.c5.large")))
    assert one.sentence == "Of 2 ways of training on dogs the cheapest is SageMaker ml.c5.large at $0.10 in 15 min."


def test_an_estimated_duration_is_no_reason_to_change():
    pair = (outcome("a", "0.10", **GUESSED), outcome("b", "0.30", count=2, **GUESSED))
    assert [one.what for one in advise(pair)] == ["cheapest"]
    assert "an estimated 10 min" in advise(pair)[0].sentence


def test_nothing_to_compare_says_nothing():
    assert advise(()) == ()
    assert advise((outcome("a"), outcome("b"))) == ()  # one way only


def test_a_difference_too_small_to_matter_is_no_advice():
    pair = (outcome("sm", "0.500"), outcome("ec2", "0.499", instance="c5.2xlarge", **EC2))
    assert [one.what for one in advise(pair)] == ["cheapest"]


def test_the_view_that_shows_it_is_of_the_same_money():
    pair = (outcome("a", nature=Nature.SAMPLE), outcome("b", "0.3", nature=Nature.SAMPLE, **SPOT))
    assert all(one.query["of"] == "sample" for one in advise(pair))


def test_nothing_is_advised_because_one_run_found_its_features_in_a_cache():
    members = (outcome("sm", "0.01", 2, **CACHED), outcome("ec2", "0.10", 9, instance="c5.2xlarge", **EC2))
    assert advise(members) == ()


def test_advice_that_would_turn_round_with_the_other_reading_of_a_time_is_not_given():
    single = outcome("single", "0.0751", 663)
    assert [one.what for one in advise((single, outcome("two", "0.1308", 1353, count=2, **SPOT)))] == ["change"]
    # 22 min 33 s may be the two added up: $0.0654, and then the two were cheaper.
    assert advise((single, outcome("two", "0.1308", 1353, count=2, **SPOT, **TWO_WAYS))) == ()


def test_advice_that_holds_in_both_readings_says_how_a_time_was_read():
    found = advise((outcome("single", "0.05", 600), outcome("two", "0.1308", 1353, count=2, **TWO_WAYS)))
    assert found[0].what == "change"
    assert found[0].sentence.endswith(
        "$0.0808 less a run. 22 min 33 s is read as wall time; "
        "if it is the two added up, it is 11 min 16 s and $0.0654."
    )


def test_a_change_of_platform_is_advised_by_the_instances_alone():
    sm = outcome("sm", "0.110", 600, instance="ml.m5.large", instances="0.110")
    ec2 = outcome("ec2", "0.120", 700, instance="m5.large", instances="0.105", **EC2)
    assert "change" not in [one.what for one in advise((sm, ec2))], "only its volume makes EC2 dearer"
    slow = outcome("ec2", "0.140", 700, instance="m5.large", instances="0.120", **EC2)
    assert advise((sm, slow))[0].sentence.endswith(
        "$0.01 less a run (the instances alone: volumes and addresses are not priced alike on both)."
    )
