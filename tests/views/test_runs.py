"""Runs: what happened? Every kind of run in one table, with filters, pages, and actions on ticked rows."""

import time
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.core.errors import AccessDenied, Throttled, Unreachable
from tests.views.conftest import Open, links, text
from tests.views.scripted import ScriptedAws

LIVE, FAILED, DONE = "drawn-dogs-2f91c0aa", "drawn-dogs-c77a1b02", "drawn-dogs-5d20e9f1"


def shown(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["Run"])


def table(page: AppTest) -> str:
    """The key of the table as this tab shows it now."""
    return f"runs-table-{page.session_state['runs-held'].number}"


def tick(page: AppTest, *names: str) -> AppTest:
    """Tick the rows of these runs, as a click on their boxes does."""
    rows = [shown(page).index(name) for name in names]
    page.session_state[table(page)] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return page.run()


@pytest.fixture
def every_kind(aws: ScriptedAws) -> ScriptedAws:
    """The busy account, with a tuning job, a spot run and two on EC2 besides."""
    aws.add_tuning("search", [0.9, 0.2, 0.4], age=700)
    aws.add_job("dogs-spot", spot=True, age=650, tags={"owner": "Maya", "project": "breeds"})
    aws.add_ec2("dogs-ec2", age=500)
    aws.add_ec2("dogs-ec2-spot", "InProgress", spot=True, age=30)
    return aws


def test_all_runs_are_a_table(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs")
    assert not page.exception
    listed = page.dataframe[0].value
    assert len(listed) == 6
    done = listed[listed["Run"] == DONE].iloc[0]
    assert list(done["Status"]) == ["✓ completed"]
    assert done["Duration"].total_seconds() == 74
    assert round(done["Cost"], 4) == 0.0024  # 74 s of ml.m5.large at 0.115
    assert done["Accuracy"] == pytest.approx(91.67)
    assert "6 runs in the last 7 days, 2 running" in text(page)


def test_every_kind_says_what_it_is_and_where(every_kind: ScriptedAws, visit: Open) -> None:
    page = visit(every_kind, "runs")
    assert not page.exception
    kinds = page.dataframe[0].value.set_index("Run")["Kind"]
    assert kinds["dogs-spot"] == "◈ SageMaker · spot"
    assert kinds["dogs-ec2"] == "▤ EC2"
    assert kinds["dogs-ec2-spot"] == "▤ EC2 · spot"
    assert kinds["search"] == "◈ SageMaker · tuning 3/4"
    assert "10 runs with 3 trials in the last 7 days, 3 running" in text(page)
    assert not [name for name in shown(page) if name.startswith("search-")]


def test_a_tuning_job_costs_what_its_trials_cost(every_kind: ScriptedAws, visit: Open) -> None:
    costs = visit(every_kind, "runs").dataframe[0].value.set_index("Run")["Cost"]
    assert costs["search"] == pytest.approx(3 * 60 * 0.115 / 3600)


def test_project_and_owner_have_columns_where_there_are_any(every_kind: ScriptedAws, visit: Open) -> None:
    page = visit(every_kind, "runs")
    owners = page.dataframe[0].value.set_index("Run")["Owner"]
    assert owners["dogs-spot"] == "Maya"
    page.pills(key="kind").set_value(["ec2"]).run()
    assert "Owner" not in page.dataframe[0].value


def test_the_newest_runs_show_how_their_loss_went(aws: ScriptedAws, visit: Open) -> None:
    losses = visit(aws, "runs").dataframe[0].value.set_index("Run")["Loss"]
    curve = list(losses["sample-drawn-dogs"])
    assert curve == sorted(curve, reverse=True)
    assert len(curve) > 1


def test_without_the_right_to_read_logs_the_table_stands(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["DescribeLogStreams"] = AccessDenied("not allowed to read logs")
    page = visit(aws, "runs")
    assert not page.exception
    assert "sample-drawn-dogs" in shown(page)


def test_what_cannot_be_read_is_said_and_the_rest_stands(every_kind: ScriptedAws, visit: Open) -> None:
    every_kind.errors["ListObjectsV2"] = AccessDenied("listing the bucket is not allowed")
    page = visit(every_kind, "runs")
    assert not page.exception
    assert DONE in shown(page)
    assert "EC2 trainings cannot be shown: listing the bucket is not allowed" in text(page)


def test_times_are_the_readers(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs")
    created = page.dataframe[0].value.set_index("Run")["Created"][DONE]
    offset = created - aws.jobs[DONE]["CreationTime"].replace(tzinfo=None)
    assert offset in (timedelta(hours=1), timedelta(hours=2))  # Berlin


def test_search_and_filters_leave_what_fits(every_kind: ScriptedAws, visit: Open) -> None:
    page = visit(every_kind, "runs")
    page.text_input(key="q").set_value("c5.2xlarge").run()
    assert shown(page) == ["drawn-dogs-81be03d4"]
    page.text_input(key="q").set_value("maya").run()
    assert shown(page) == ["dogs-spot"]
    page.text_input(key="q").set_value("").run()
    page.pills(key="status").set_value(["failed", "stopped"]).run()
    assert shown(page) == [FAILED, "drawn-dogs-0b41c6e8"]
    page.pills(key="kind").set_value(["ec2"]).run()
    assert "No run fits the filter." in text(page)
    page.pills(key="status").set_value([]).run()
    assert shown(page) == ["dogs-ec2-spot", "dogs-ec2"]
    page.pills(key="kind").set_value(["trial"]).run()
    assert len(shown(page)) == 3


def test_a_filter_can_be_linked(every_kind: ScriptedAws, visit: Open) -> None:
    assert shown(visit(every_kind, "runs", q="sample")) == ["sample-drawn-dogs"]
    assert shown(visit(every_kind, "runs", kind="tuning")) == ["search"]
    day = visit(every_kind, "runs", since="24h")
    assert "in the last 24 hours" in text(day)
    assert "sample-drawn-dogs" not in shown(day)  # a day and an hour old


def test_it_is_sorted_by_what_is_asked(every_kind: ScriptedAws, visit: Open) -> None:
    del every_kind.jobs["drawn-dogs-81be03d4"]  # it goes on, and costs more the longer the tests take
    assert shown(visit(every_kind, "runs", sort="name"))[0] == "dogs-ec2"
    assert shown(visit(every_kind, "runs", sort="longest"))[0] == "search"  # 15 minutes, all others a minute or so
    assert shown(visit(every_kind, "runs", sort="costliest"))[0] == "search"
    best = visit(every_kind, "runs", sort="most accurate").dataframe[0].value["Accuracy"].dropna()
    assert list(best) == sorted(best, reverse=True)


def test_many_runs_come_in_pages(visit: Open) -> None:
    aws = ScriptedAws()
    for number in range(120):
        aws.add_job(f"many-{number:03}", age=1000 + number, log=[])
    page = visit(aws, "runs")
    assert len(shown(page)) == 50
    assert "1 to 50 of 120" in text(page)
    last = visit(aws, "runs", p="3")
    assert shown(last)[-1] == "many-119"
    assert len(shown(last)) == 20


def test_ticked_rows_can_be_compared(every_kind: ScriptedAws, visit: Open) -> None:
    page = tick(visit(every_kind, "runs"), DONE, "dogs-ec2")
    assert "2 runs ticked" in text(page)
    page.button(key="compare-runs").click().run()
    assert not page.exception
    assert page.query_params["compare"] == f"ec2:dogs-ec2,{DONE}"
    assert "Settings that differ" in text(page)


def test_what_begins_meanwhile_does_not_move_a_tick(every_kind: ScriptedAws, visit: Open) -> None:
    page = tick(visit(every_kind, "runs"), DONE)
    before = shown(page)
    every_kind.add_job("just-now", "InProgress", age=0, log=[])
    from dashboard import state

    state.forget()
    page.run()
    assert shown(page) == before
    assert "1 run ticked · 1 newer not shown" in text(page)
    page.button(key="untick-runs").click().run()
    assert "just-now" in shown(page)


def test_another_filter_clears_the_ticks(every_kind: ScriptedAws, visit: Open) -> None:
    page = tick(visit(every_kind, "runs"), DONE)
    page.pills(key="status").set_value(["failed"]).run()
    assert "ticked" not in text(page).replace("Tick rows", "")
    assert shown(page) == [FAILED]


def test_several_are_stopped_after_one_dialog(every_kind: ScriptedAws, visit: Open) -> None:
    page = tick(visit(every_kind, "runs"), LIVE, "dogs-ec2-spot", DONE)
    assert page.button(key="stop-runs").label == "Stop 2 runs"
    page.button(key="stop-runs").click().run()
    assert "simulated" in text(page)
    assert not every_kind.asked("StopTrainingJob")
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert every_kind.asked("StopTrainingJob") == [{"TrainingJobName": LIVE}]
    assert [put["Key"].split("/")[1] for put in every_kind.asked("PutObject")] == ["dogs-ec2-spot"]
    assert [toast.value for toast in page.toast] == ["2 runs are stopping"]


def test_one_that_cannot_be_stopped_is_named(every_kind: ScriptedAws, visit: Open) -> None:
    every_kind.errors["PutObject"] = AccessDenied("writing is not allowed")
    page = tick(visit(every_kind, "runs"), LIVE, "dogs-ec2-spot")
    page.button(key="stop-runs").click().run()
    page.button(key="confirm-do").click().run()
    said = page.toast[0].value.replace("\\", "")
    assert "is stopping; not dogs-ec2-spot (writing is not allowed)" in said


def test_ended_runs_are_deleted_once_their_number_is_typed(every_kind: ScriptedAws, visit: Open) -> None:
    page = tick(visit(every_kind, "runs"), DONE, FAILED, LIVE)
    assert page.button(key="delete-runs").label == "Delete 2 runs"
    page.button(key="delete-runs").click().run()
    assert "the job&#x27;s record (2×)" in text(page)
    assert page.button(key="confirm-blocked").disabled
    page.text_input(key="confirm-name").set_value("2 runs").run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert sorted(asked["TrainingJobName"] for asked in every_kind.asked("DeleteTrainingJob")) == sorted([DONE, FAILED])
    assert DONE not in shown(page)


def test_what_is_searched_for_stays_when_a_run_is_deleted(every_kind: ScriptedAws, visit: Open) -> None:
    page = tick(visit(every_kind, "runs", q=DONE), DONE)
    page.button(key="delete-runs").click().run()
    page.text_input(key="confirm-name").set_value(DONE).run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert page.text_input(key="q").value == DONE
    assert not page.dataframe, "it was the only one found"


def test_one_run_goes_into_the_form_again(every_kind: ScriptedAws, visit: Open) -> None:
    page = tick(visit(every_kind, "runs"), "dogs-ec2")
    assert ("Train again", "train", "like=ec2%3Adogs-ec2") in links(page)


def test_several_are_launched_again_as_they_were_after_one_dialog(every_kind: ScriptedAws, visit: Open) -> None:
    every_kind.add_dataset()
    page = tick(visit(every_kind, "runs"), DONE, "sample-drawn-dogs")
    page.button(key="repeat-runs").click().run()
    assert not page.exception
    assert "each under a new name" in text(page)
    table = page.dataframe[-1].value.set_index("Repeats")
    assert sorted(table.index) == sorted([DONE, "sample-drawn-dogs"])
    assert list(table["At most"]) == ["$0.115", "$0.115"]
    assert set(table["Expected"]) == {"$0.0019"}
    assert len(set(table["New run"])) == 2
    said = text(page)
    assert "Expected in all" in said
    assert "$0.0038" in said
    assert "$0.23" in said
    assert "at most" in page.button(key="confirm-do").label
    assert not every_kind.asked("CreateTrainingJob")
    page.button(key="confirm-do").click().run()
    assert not page.exception
    made = every_kind.asked("CreateTrainingJob")
    assert len({asked["TrainingJobName"] for asked in made}) == 2
    assert all(asked["HyperParameters"]["epochs"] == "20" for asked in made)
    assert [toast.value for toast in page.toast] == ["2 runs are starting"]
    assert "ticked" not in text(page)  # so that what was launched stands in the table


def test_an_old_link_to_one_run_still_leads_there(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs", run=DONE)
    assert not page.exception
    assert "completed in 1 min 14 s" in text(page)


def test_no_run_yet_teaches_the_next_step(empty: ScriptedAws, visit: Open) -> None:
    page = visit(empty, "runs")
    assert "No run in the last 7 days." in text(page)
    assert ("Train a model", "train", "") in links(page)
    assert "No run yet." in text(visit(empty, "runs", since="all"))


def test_an_account_that_does_not_answer_is_explained(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["*"] = Unreachable("nothing answers", "connection refused", "start it with make run")
    page = visit(aws, "runs")
    assert not page.exception
    assert text(page).count("</h1>") == 1
    assert "Nothing answers" in text(page)


def test_a_refused_stop_stays_in_the_dialog(aws: ScriptedAws, visit: Open) -> None:
    page = tick(visit(aws, "runs"), LIVE)
    page.button(key="stop-runs").click().run()
    aws.errors["StopTrainingJob"] = Throttled("AWS asks to slow down", "too many calls", "try again in a moment")
    page.button(key="confirm-do").click().run()
    assert "AWS asks to slow down" in text(page)


def test_every_row_gets_its_curve_the_later_ones_while_the_page_is_shown(aws: ScriptedAws, visit: Open) -> None:
    for number in range(20):
        aws.add_job(
            f"many-{number:03}", age=1000 + number, log=["epoch=1/2 valid_loss=0.5", "epoch=2/2 valid_loss=0.4"]
        )
    page = visit(aws, "runs", q="many-")

    def drawn() -> int:
        return sum(curve is not None for curve in page.dataframe[0].value["Loss"])

    assert drawn() >= 12
    deadline = time.monotonic() + 20
    while drawn() < 20 and time.monotonic() < deadline:
        page.run()
    assert drawn() == 20
