"""Which choices another one beats, and the cheapest that will do."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.costs.choices.frontier import Wish, beaten, beats, cheapest
from dashboard.core.costs.choices.groups import Grouping, group
from tests.core.costs.chosen import CACHED, EC2, GUESSED, SPOT, TWO_WAYS, outcome


def by_run(*members):
    return group(members, Grouping.RUN)


def choices():
    return by_run(
        outcome("quick", "0.20", 60, 0.90),
        outcome("cheap", "0.05", 600, 0.90),
        outcome("right", "0.30", 600, 0.97),
        outcome("lost", "0.21", 61, 0.90),
    )


def test_choices_of_unknown_cost_are_not_held_against_each_other(monkeypatch):
    """Ten thousand of them would be a hundred million questions without an answer."""
    asked = []
    monkeypatch.setattr(
        "dashboard.core.costs.choices.frontier.beats", lambda one, other: bool(asked.append((one, other)))
    )
    unknown = [outcome(f"u{n}", None) for n in range(50)]
    assert beaten(by_run(*unknown, outcome("cheap", "0.05"), outcome("dear", "0.10"))) == {}
    assert [(one.title, other.title) for one, other in asked] == [("cheap", "dear")]


def test_medians_spread_and_number_of_a_group():
    members = [outcome("a", "0.10", 60), outcome("b", "0.40", 90), outcome("c", "0.20", 300), outcome("d", None, 1)]
    (one,) = group(members, Grouping.WAY)
    assert (one.cost.median, one.cost.least, one.cost.most) == (Decimal("0.20"), Decimal("0.10"), Decimal("0.40"))
    assert (one.n, one.cost.n, one.seconds.n) == (4, 3, 4)
    assert one.why_unknown == "no price"


def test_every_grouping_puts_each_run_into_one_group():
    members = [
        outcome("a", tags={"owner": "mia", "project": "dogs"}),
        outcome("b", count=2, **SPOT),
        outcome("c", instance="c5.large", **EC2),
    ]
    for by in Grouping:
        groups = group(members, by)
        assert sum(one.n for one in groups) == 3
        assert all(one.title for one in groups)
    titles = {by: {one.title for one in group(members, by)} for by in Grouping}
    assert titles[Grouping.WAY] == {"SageMaker ml.c5.2xlarge", "SageMaker 2 × ml.c5.2xlarge spot", "EC2 c5.large"}
    assert titles[Grouping.OWNER] == {"mia", "without owner"}
    assert titles[Grouping.CAPACITY] == {"on demand", "spot"}
    assert titles[Grouping.COUNT] == {"1 instance", "2 instances"}
    assert titles[Grouping.RUN] == {"a", "b", "c"}


def test_groups_stand_cheapest_first_and_those_of_unknown_cost_last():
    assert [one.name for one in by_run(outcome("x", None), outcome("b", "2"), outcome("a", "1"))] == ["a", "b", "x"]


def test_a_choice_is_beaten_by_one_that_is_no_worse_in_anything():
    assert beaten(choices()) == {"lost": "quick"}


def test_equals_do_not_beat_each_other():
    assert beaten(by_run(outcome("a"), outcome("b"))) == {}


def test_nobody_knows_whether_an_unknown_accuracy_or_cost_is_beaten():
    unknown = by_run(outcome("a", "0.10", 60, 0.9), outcome("b", "0.20", 90, None), outcome("c", None, 90, 0.5))
    assert beaten(unknown) == {}
    alike = by_run(outcome("a", "0.10", 60, None), outcome("b", "0.20", 90, None))
    assert beaten(alike) == {"b": "a"}  # of both of them only cost and time are known


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=8))
def test_beating_is_no_circle_and_somebody_is_always_left(rows):
    groups = by_run(*(outcome(f"r{place}", str(cost), seconds, right / 10)
                      for place, (cost, seconds, right) in enumerate(rows)))  # fmt: skip
    assert not any(beats(one, one) for one in groups)
    assert not any(beats(one, other) and beats(other, one) for one in groups for other in groups)
    lost = beaten(groups)
    assert len(lost) < len(groups)
    assert all(by not in lost or any(beats(one, next(g for g in groups if g.name == by)) for one in groups)
               for by in lost.values())  # fmt: skip


def test_the_cheapest_that_meets_a_deadline_and_an_accuracy_in_one_sentence():
    groups = choices()
    assert cheapest(groups, Wish()).choice.name == "cheap"
    quick = cheapest(groups, Wish(seconds=120))
    assert quick.choice.name == "quick"
    assert quick.sentence == (
        "Cheapest within 2 min: quick at $0.20, 1 min, 90.0 % of the test photos right; one run says so."
    )
    assert cheapest(groups, Wish(accuracy=0.95)).choice.name == "right"


def test_when_nothing_fits_what_comes_nearest_is_said():
    answer = cheapest(choices(), Wish(seconds=120, accuracy=0.95))
    assert answer.choice is None
    assert answer.sentence == (
        "None of 4 choices ends within 2 min with 95 % right: the quickest with 95 % right is right, 10 min; "
        "the most accurate within 2 min is quick, 90.0 %."
    )


def test_an_unknown_accuracy_never_meets_one_that_is_asked_and_is_said():
    groups = by_run(outcome("silent", "0.01", 60, None), outcome("told", "0.02", 60, 0.9))
    answer = cheapest(groups, Wish(accuracy=0.5))
    assert answer.choice.name == "told"
    assert "1 choice of unknown cost or accuracy left out" in answer.sentence
    nobody = cheapest(by_run(outcome("silent", "0.01", 60, None)), Wish(accuracy=0.5))
    assert nobody.choice is None
    assert "none of them has a known accuracy" in nobody.sentence


def test_an_unknown_cost_is_never_the_cheapest():
    assert cheapest(by_run(outcome("x", None), outcome("a", "5")), Wish()).choice.name == "a"
    assert cheapest(by_run(outcome("x", None)), Wish()).sentence == "No choice has a known cost yet."


def test_an_estimated_duration_is_said_in_the_answer():
    said = cheapest(by_run(outcome("a", **GUESSED)), Wish()).sentence
    assert said.endswith("one run says so, its duration is an estimate.")


def test_how_many_runs_met_it_is_said():
    members = [outcome("a", "0.1", 60), outcome("b", "0.1", 60), outcome("c", "0.1", 900)]
    answer = cheapest(group(members, Grouping.WAY), Wish(seconds=120))
    assert answer.sentence.endswith("medians of 3 runs, 2 of them met it.")


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=1, max_size=8),
    st.integers(1, 50),
    st.integers(0, 20),
)
def test_a_longer_deadline_never_costs_more(rows, seconds, more):
    groups = by_run(*(outcome(f"r{n}", str(cost), took) for n, (cost, took) in enumerate(rows)))
    first, later = cheapest(groups, Wish(seconds)).choice, cheapest(groups, Wish(seconds + more)).choice
    assert first is None or (later is not None and later.cost.median <= first.cost.median)


def test_a_choice_with_features_from_a_cache_stands_apart_beats_nothing_and_is_not_recommended():
    members = (outcome("cached", "0.01", 2, **CACHED), outcome("a", "0.10", 9), outcome("b", "0.20", 20, count=2))
    groups = group(members, Grouping.WAY)
    assert [one.title for one in groups] == [
        "SageMaker ml.c5.2xlarge, features from a cache",
        "SageMaker ml.c5.2xlarge",
        "SageMaker 2 × ml.c5.2xlarge",
    ]
    assert beaten(groups) == {"SageMaker 2 × ml.c5.2xlarge": "SageMaker ml.c5.2xlarge"}
    answer = cheapest(groups, Wish())
    assert answer.choice.title == "SageMaker ml.c5.2xlarge"
    assert answer.sentence.endswith("one run says so; 1 choice with features from a cache left out.")
    assert cheapest(groups[:1], Wish()).choice is groups[0], "where there is nothing else it is what is known"


def test_nothing_is_beaten_that_would_not_be_with_a_time_read_in_the_other_way_and_the_answer_says_so():
    groups = by_run(outcome("single", "0.0751", 663), outcome("two", "0.1308", 1353, count=2, **TWO_WAYS))
    assert beaten(groups) == {}
    assert cheapest(groups, Wish()).sentence.endswith(
        "one run says so; it would be two with another reading of two: "
        "22 min 33 s is read as wall time; if it is the two added up, it is 11 min 16 s and $0.0654."
    )
