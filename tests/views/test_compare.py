"""Compare: several runs of any kind side by side."""

import pytest

from dashboard.core.errors import Unreachable
from tests.views.conftest import Open, links, text
from tests.views.scripted import ScriptedAws


@pytest.fixture
def six(empty: ScriptedAws) -> ScriptedAws:
    """One run of each way to train."""
    empty.add_job("single", seconds=75)
    empty.add_job("two", seconds=90, count=2, accuracy=0.95)
    empty.add_job("spot", seconds=90, spot=True)
    empty.add_tuning("search", [0.9, 0.2, 0.4, 0.5])
    empty.add_ec2("ec2")
    empty.add_ec2("ec2-spot", spot=True)
    return empty


SIX = "single,two,spot,tuning:search,ec2:ec2,ec2:ec2-spot"


def test_all_six_ways_stand_side_by_side(six: ScriptedAws, visit: Open) -> None:
    page = visit(six, "compare", compare=SIX)
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table["Run"]) == ["single", "two", "spot", "search", "ec2", "ec2-spot"]
    assert [letter[-1] for letter in table["Mark"]] == list("ABCDEF")
    assert [span.total_seconds() for span in table["Trained"]][:4] == [75, 90, 90, 240]  # tuning: all four trials
    assert table["Billed"][2].total_seconds() == 30  # a third, on spot
    assert table["Cost"].notna().all()
    assert table["Accuracy"].notna().all()
    said = text(page)
    assert "6 runs:" in said
    assert "C cheapest" in said
    assert "B most accurate" in said
    assert "simulated" in said


def test_a_cost_is_written_as_money_and_these_runs_are_choices_too(six: ScriptedAws, visit: Open) -> None:
    page = visit(six, "compare", compare="single,spot")
    assert all(cost.startswith("$") for cost in page.dataframe[0].value["Cost"])
    assert ("Which was worth it, and what if", "choices", "runs=single%2Cspot") in links(page)


def test_sample_money_is_told_from_simulated_money(six: ScriptedAws, visit: Open) -> None:
    six.add_job("example", sample=True)
    alone = text(visit(six, "compare", compare="example"))
    assert "Cost · sample" in alone
    both = visit(six, "compare", compare="single,example")
    assert list(both.dataframe[0].value["Money"]) == ["simulated", "sample"]
    said = text(both)
    assert "sample and simulated money are two kinds" in said
    assert "Cost · simulated" in said, "a chart for each kind"
    assert "Cost · sample" in said
    assert "cheapest" not in said


def test_a_run_with_features_from_a_cache_is_neither_the_quickest_nor_the_cheapest(
    six: ScriptedAws, visit: Open
) -> None:
    six.add_job("cached", seconds=3)
    six.jobs["cached"]["FinalMetricDataList"].append(
        {"MetricName": "features:from-cache", "Value": 1.0, "Timestamp": six.jobs["cached"]["CreationTime"]}
    )
    said = text(visit(six, "compare", compare="single,cached"))
    assert "B took the features from the cache of an earlier run" in said
    assert not {"quickest", "cheapest", "Grey"} & set(said.replace(":", " ").split())
    assert "its features came from the cache of an earlier run" in text(visit(six, "run", run="cached")).lower()


def test_what_another_run_beats_is_named(six: ScriptedAws, visit: Open) -> None:
    said = text(visit(six, "compare", compare="single,two,spot"))
    assert "Grey" not in said  # the quickest, the most accurate, the cheapest
    six.add_job("slow", seconds=300, accuracy=0.5)
    assert "Grey: D, because another run was no slower, no dearer and no worse." in text(
        visit(six, "compare", compare="single,two,spot,slow")
    )


def test_the_settings_that_differ_are_listed(six: ScriptedAws, visit: Open) -> None:
    six.add_job("fast", hyperparameters={"learning_rate": "0.1"})
    page = visit(six, "compare", compare="single,fast")
    settings = page.dataframe[1].value.set_index("Setting")
    assert list(settings.loc["learning rate"]) == ["0.01", "0.1"]
    assert "epochs" not in settings.index
    assert "Alike:" in text(page)


def test_runs_that_are_gone_are_said_and_the_others_compared(six: ScriptedAws, visit: Open) -> None:
    page = visit(six, "compare", compare="single,gone,spot")
    assert not page.exception
    assert "gone is not there" in text(page)
    assert list(page.dataframe[0].value["Run"]) == ["single", "spot"]
    assert not visit(six, "compare", compare="gone").exception


def test_no_more_than_eight(six: ScriptedAws, visit: Open) -> None:
    for number in range(10):
        six.add_job(f"more-{number}")
    page = visit(six, "compare", compare=",".join(f"more-{number}" for number in range(10)))
    assert len(page.dataframe[0].value) == 8
    assert "Only the first 8 are shown." in text(page)


def test_without_runs_the_page_says_how_they_are_chosen(six: ScriptedAws, visit: Open) -> None:
    page = visit(six, "compare")
    assert not page.exception
    assert "Tick two or more of them under Runs, then press Compare." in text(page)
    assert "Choose runs" in [label for label, _, _ in links(page)]


def test_an_account_that_does_not_answer_is_explained(six: ScriptedAws, visit: Open) -> None:
    six.errors["*"] = Unreachable("nothing answers", "connection refused", "start it with make run")
    page = visit(six, "compare", compare=SIX)
    assert not page.exception
    assert "Nothing answers" in text(page)
