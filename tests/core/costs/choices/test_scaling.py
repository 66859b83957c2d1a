"""What more instances gained, by T1 / (N × TN)."""

import pytest

from dashboard.core.costs.choices.outcomes import by_work
from dashboard.core.costs.choices.scaling import scalings
from tests.core.costs.chosen import EC2, GUESSED, SPOT, TWO_WAYS, outcome


def of(*members):
    return scalings(by_work(members))


def test_efficiency_is_t1_over_n_tn_of_the_medians():
    (one,) = of(outcome("a", "0.10", 600), outcome("b", "0.30", 640), outcome("c", "0.16", 400, count=2),
                outcome("d", "0.24", 200, count=4))  # fmt: skip
    two, four = one.steps
    assert one.base.seconds == 620
    assert one.efficiency(two) == pytest.approx(620 / (2 * 400))
    assert one.efficiency(four) == pytest.approx(620 / (4 * 200))
    assert one.speedup(four) == pytest.approx(3.1)
    assert one.dearer(two) == pytest.approx(0.16 / 0.20 - 1)
    assert (one.base.n, two.n) == (2, 1)


def test_the_two_instances_of_the_reference_project_were_slower_than_one():
    """Project C: 11 min 3 s on one on demand, 22 min 33 s on two spot ones: paid otherwise, and no quicker."""
    (one,) = of(outcome("single", "0.0751", 663), outcome("two", "0.1308", 1353, count=2, **SPOT))
    assert one.is_mixed
    assert one.efficiency(one.steps[0]) == pytest.approx(663 / (2 * 1353))
    assert one.sentence(one.steps[0]) == (
        "2 × ml.c5.2xlarge took 22 min 33 s, one 11 min 3 s: 25 % efficient, slower than one"
    )


def test_other_work_other_types_and_other_platforms_say_nothing():
    assert of(outcome("a"), outcome("b", count=2, hyperparameters={"backbone": "resnet50"})) == ()
    assert of(outcome("a", instance="ml.m5.large"), outcome("b", count=2)) == ()
    assert of(outcome("a", instance="c5.2xlarge", **EC2), outcome("b", count=2)) == ()
    assert of(outcome("a"), outcome("b")) == ()


def test_without_a_run_on_one_instance_the_fewest_count():
    (one,) = of(outcome("a", seconds=400, count=2), outcome("b", seconds=200, count=4))
    assert one.base.count == 2
    assert one.efficiency(one.steps[0]) == pytest.approx(1.0)
    assert of(outcome("a", count=2)) == ()


def test_an_unknown_cost_is_no_figure():
    (one,) = of(outcome("a", None), outcome("b", count=2))
    assert one.dearer(one.steps[0]) is None


def test_an_estimated_duration_is_said():
    (one,) = of(outcome("a"), outcome("b", count=2, **GUESSED))
    assert "(durations estimated)" in one.sentence(one.steps[0])


def test_a_time_that_may_be_all_instances_added_up_has_two_efficiencies():
    (one,) = of(outcome("single", "0.0751", 663), outcome("two", "0.1308", 1353, count=2, **SPOT, **TWO_WAYS))
    (step,) = one.steps
    assert one.sentence(step).endswith("25 % efficient, slower than one; 49 % if that time is all 2 added up")
    assert one.dearer(one.otherwise(step)) == pytest.approx(0.0654 / 0.0751 - 1)
