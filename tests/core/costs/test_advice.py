"""What the choices that were made teach, in a sentence each."""

from dashboard.core.costs.advice import advise
from dashboard.core.costs.receipt import Nature
from tests.core.costs.chosen import EC2, SPOT, outcome


def test_each_question_has_one_sentence_about_the_data_that_cost_most():
    found = advise(
        (
            outcome("sm", "0.50"),
            outcome("ec2", "0.40", instance="c5.2xlarge", **EC2),
            outcome("spot", "0.20", **SPOT),
            outcome("cats", "0.01", dataset_uri="s3://elsewhere/cats/"),
        )
    )
    assert [one.what for one in found] == ["cheapest", "SageMaker against EC2", "spot"]
    assert found[0].sentence.startswith("dogs, 3 ways of training: Cheapest: SageMaker ml.c5.2xlarge spot at $0.20")
    assert found[2].sentence == "Spot saved 60 % on SageMaker ml.c5.2xlarge spot (1 run)."
    assert dict(found[0].query) == {"of": "simulated", "data": "dogs"}


def test_nothing_to_compare_says_nothing():
    assert advise(()) == ()
    assert advise((outcome("a"), outcome("b"))) == ()  # one way only


def test_a_difference_too_small_to_matter_is_no_advice():
    pair = (outcome("sm", "0.500"), outcome("ec2", "0.499", instance="c5.2xlarge", **EC2))
    assert [one.what for one in advise(pair)] == ["cheapest"]


def test_the_view_that_shows_it_is_of_the_same_money():
    pair = (outcome("a", nature=Nature.SAMPLE), outcome("b", "0.3", nature=Nature.SAMPLE, **SPOT))
    assert all(one.query["of"] == "sample" for one in advise(pair))
