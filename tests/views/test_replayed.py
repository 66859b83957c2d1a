"""A replayed training among the runs: what is told of it, and nothing that it cannot have."""

import pytest

from tests.views.conftest import Open, links, text
from tests.views.scripted import ScriptedAws
from tests.views.test_run import keys

NAME = "project-c-single"
MARKS = {
    "kennel:sample": "true",
    "kennel:replay": "2026-09-04T10:15:00Z 663",
    "kennel:replay-basis": "duration estimated: 663 s on 8. Assumed because the write-up does not say: a type",
    "project": "project C",
}


@pytest.fixture
def replayed(aws: ScriptedAws) -> ScriptedAws:
    aws.add_job(NAME, accuracy=None, seconds=663, age=4000, log=[], sample=True, tags=MARKS)
    del aws.jobs[NAME]["ModelArtifacts"]
    return aws


def test_its_page_says_what_it_is_and_how_its_time_is_known(replayed: ScriptedAws, visit: Open) -> None:
    page = visit(replayed, "run", run=NAME)
    assert not page.exception
    said = text(page)
    assert "replayed from a write-up: 11 min 3 s on ml.m5.large" in said
    assert "duration estimated: 663 s on 8" in said
    assert "because the write-up does not say: a type" in said
    assert "Nothing ran on this machine" in said
    assert "completed in" not in said


def test_it_offers_nothing_that_needs_a_model_or_its_data(replayed: ScriptedAws, visit: Open) -> None:
    page = visit(replayed, "run", run=NAME)
    assert not {"deploy-model", "stop-run", "interrupt-run", "download-model"} & keys(page)
    assert "delete-run" in keys(page)
    assert not {"Train again", "Resume"} & {label for label, _, _ in links(page)}


def test_its_money_is_a_sample_and_never_simulated(replayed: ScriptedAws, visit: Open) -> None:
    page = visit(replayed, "run", run=NAME)
    said = text(page)
    assert "seconds of the sample account × list price" in said
    assert "seconds × list price, nothing was charged</p>" not in said
    assert ("Open its receipt", "receipt", f"receipt=run%3A{NAME}") in links(page)


def test_the_table_of_runs_names_its_origin(replayed: ScriptedAws, visit: Open) -> None:
    page = visit(replayed, "runs")
    table = page.dataframe[0].value
    assert dict(zip(table["Run"], table["Origin"], strict=True))[NAME] == "replayed"


def test_a_run_shows_what_was_expected_of_it(aws: ScriptedAws, visit: Open) -> None:
    expected = {"kennel:expected-cost": "0.002", "kennel:expected-most": "0.5", "kennel:expected-seconds": "60"}
    aws.add_job("planned", seconds=75, tags=expected)
    said = text(visit(aws, "run", run="planned"))
    assert "expected $0.002, cost $0.0024 (+20 %)" in said
    assert "expected 1 min, took 1 min 15 s (+25 %)" in said


def test_a_run_that_goes_on_shows_its_cost_so_far_beside_what_was_expected(aws: ScriptedAws, visit: Open) -> None:
    aws.add_job("going", "InProgress", age=30, tags={"kennel:expected-cost": "0.002"})
    said = text(visit(aws, "run", run="going"))
    assert "expected $0.002, " in said
    assert " so far" in said
