"""Choices in words: what is found, what is unknown, what an estimate is called."""

from decimal import Decimal

from dashboard.core.costs.choices.frontier import Wish, beaten, cheapest
from dashboard.core.costs.choices.groups import Grouping, group
from dashboard.core.costs.choices.outcomes import Way, by_work
from dashboard.core.costs.choices.scaling import scalings
from dashboard.core.costs.choices.versus import platforms, spot_savings
from dashboard.core.costs.choices.what_if import Money, Option
from dashboard.core.costs.choices.what_if_time import Basis, Range
from dashboard.core.runs.model import Platform
from dashboard.ui import choices_tables as tables
from dashboard.ui import choices_words as words
from dashboard.ui.figures_choice_bars import bars
from tests.core.costs.chosen import EC2, GUESSED, SPOT, outcome


def by_run(*members):
    return group(members, Grouping.RUN)


CHOICES = by_run(
    outcome("cheap", "0.05", 600), outcome("quick", "0.20", 60), outcome("lost", "0.30", 700), outcome("x", None)
)


def test_the_finding_names_what_is_worth_choosing_between():
    lost = beaten(CHOICES)
    assert words.finding(CHOICES, lost) == "A and B are worth choosing between; 1 choice another one beats"
    assert words.finding(CHOICES[:2], {}).startswith("None of 2 choices is beaten")
    assert words.finding(CHOICES[:1], {}) == "One choice so far: train the same in another way to compare"


def test_a_choice_of_unknown_cost_is_a_row_and_no_dot():
    lost = beaten(CHOICES)
    rows = words.choice_rows(CHOICES, lost)
    assert [row["Choice"] for row in rows] == ["cheap", "quick", "lost", "x"]
    assert rows[3]["Cost"] is None
    assert rows[2]["Beaten by"] == "A"
    answer = cheapest(CHOICES, Wish(seconds=100))
    drawn = words.dots(CHOICES, lost, answer)
    assert [dot.letter for dot in drawn] == ["A", "B", "C"]
    assert [dot.is_answer for dot in drawn] == [False, True, False]
    assert drawn[2].is_grey


def test_an_unknown_cost_says_why():
    assert words.unknowns(CHOICES) == "Unknown cost: x: no price."
    assert words.unknowns(CHOICES[:3]) == ""
    many = by_run(*(outcome(name, None) for name in "abcd"))
    assert words.unknowns(many) == "Unknown cost: a: no price; b: no price; 2 more."


def test_bars_say_what_they_are_medians_of_and_unknown_is_unknown():
    bars = words.cost_bars(CHOICES, {})
    assert [bar.text for bar in bars] == ["$0.05 (1)", "$0.20 (1)", "$0.30 (1)", "unknown (1)"]
    assert bars[3].value is None
    assert words.ends(bars) == "A least, C 6 times that"
    assert words.ends(words.time_bars(CHOICES[:1], {}, 1.0)) == "A"


def test_the_title_tells_runs_choices_and_how_far_apart_they_are():
    assert words.title_sentence(CHOICES, "each run") == (
        "4 completed runs, 4 choices by each run, the dearest 6 times the cheapest"
    )
    assert words.title_sentence(CHOICES[:1], "owner", "dogs") == "1 completed run of dogs, 1 choice by owner"
    assert words.title_sentence((), "way of training") == "0 completed runs, 0 choices by way of training"


def test_pairs_say_how_many_runs_they_rest_on():
    works = by_work(
        (
            outcome("sm", "0.12", 600),
            outcome("ec2", "0.10", 620, instance="c5.2xlarge", **EC2),
            outcome("spot", "0.04", 660, billable_seconds=200, **SPOT),
            outcome("two", "0.16", 400, count=2),
        )
    )
    (pair,) = tables.pair_rows(platforms(works))
    assert (pair["Runs"], pair["Cheaper"], pair["Machines"]) == ("1 and 1", "EC2 by 17 %", "alike")
    (spot,) = tables.spot_rows(spot_savings(works))
    assert (spot["Saved"], spot["Longer"], spot["Runs"]) == ("67 %", "1 min", "1 against 1")
    assert tables.spot_sentence(spot_savings(works)) == (
        "Spot saved 67 % on SageMaker ml.c5.2xlarge and trained 1 min longer (1 run against 1)."
    )
    (step,) = tables.scaling_rows(scalings(works))
    assert (step["Efficiency"], step["Faster"], step["Cost"]) == ("75 %", "1.50×", "+33 %")


def test_spot_that_cost_more_is_not_called_a_saving():
    works = by_work((outcome("a", "0.10"), outcome("s", "0.15", **SPOT)))
    assert "Spot cost 50 % more" in tables.spot_sentence(spot_savings(works))
    assert tables.spot_rows(spot_savings(works))[0]["Saved"] == "−50 %"


def option(basis=Basis.ESTIMATED, cost="0.10", seconds=(60.0, 90.0, 300.0)):
    money = None if cost is None else Money(Decimal(cost) / 2, Decimal(cost), Decimal(cost) * 2)
    return Option(
        Way(Platform.EC2, "c5.large"), "us-east-1", basis, Range(*seconds), money, "made so", "" if cost else "no price"
    )


def test_an_estimate_is_marked_and_an_unknown_says_why():
    assert tables.about(option()) == "≈ $0.10"
    assert tables.about(option(Basis.MEASURED)) == "$0.10"
    unknown, known = tables.option_rows([option(cost=None), option()], None)
    assert (unknown["Cost"], unknown["How"]) == ("unknown", "no price")
    assert known["How"] == "made so"


def test_whether_an_option_ends_in_time_is_yes_perhaps_or_no():
    assert [tables.within(option(), deadline) for deadline in (400, 100, 30)] == ["yes", "perhaps", "no"]
    assert tables.what_if_sentence([option()], 30, "us-east-1") == "Nothing that was asked for ends in time"
    assert tables.what_if_sentence([option()], 100, "eu-west-1") == (
        "Cheapest within 1 min 40 s: EC2 c5.large in us-east-1 at ≈ $0.10 (estimate, perhaps in time)"
    )
    assert tables.what_if_sentence([option(cost=None)], None, "x") == "Nothing that was asked for has a known cost"


def test_only_what_can_be_done_here_is_offered_to_be_trained():
    mine, replayed = outcome("mine"), outcome("told", **GUESSED)
    query = tables.again(option(), (replayed, mine), "us-east-1")
    assert query == {
        "like": "mine", "platform": "ec2", "instance": "c5.large", "capacity": "on-demand", "count": "1",
    }  # fmt: skip
    assert tables.again(option(), (mine,), "eu-west-1") == {}
    assert tables.again(option(), (replayed,), "us-east-1") == {}
    assert tables.again(None, (mine,), "us-east-1") == {}


def test_works_of_one_name_can_be_told_apart():
    works = by_work(
        (outcome("a", hyperparameters={"precision": "fp32"}), outcome("b", hyperparameters={"precision": "int8"}))
    )
    assert len(tables.work_names(works)) == 2


def test_a_file_holds_numbers_with_their_unit_and_names_the_kind_of_money():
    (row,) = tables.option_files([option(cost="0.10000000012345")], None)
    told = tables.plain(row, "sample")
    assert told["Cost (USD)"] == 0.1
    assert told["Took (s)"] == 90
    assert told["Money"] == "sample"
    assert "Cost" not in told, "the page's own words, with their sign of an estimate, are no figure"
    (choice, *_) = words.choice_rows(CHOICES, {})
    assert {"Cost (USD)", "Cost from (USD)", "Took (s)"} <= set(tables.plain(choice, "sample"))


def test_a_choice_that_nobody_can_judge_is_drawn_hollow():
    assert [bar.is_open for bar in words.time_bars(CHOICES, beaten(CHOICES), 1.0)] == [False, False, False, True]
    figure = bars(words.time_bars(CHOICES, beaten(CHOICES), 1.0), "s")
    assert figure.data[0].marker.color[0] == "rgba(0,0,0,0)"  # drawn from the bottom up
    assert figure.data[0].marker.line.width == (1.5, 0, 0, 0)
