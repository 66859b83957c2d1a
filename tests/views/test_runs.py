"""Runs: what happened, and one run while it happens."""

import pytest

from dashboard import state
from dashboard.core.errors import AccessDenied, Throttled, Unreachable
from tests.views.conftest import Open, links, text
from tests.views.scripted import ScriptedAws

LIVE, FAILED, DONE = "drawn-dogs-2f91c0aa", "drawn-dogs-c77a1b02", "drawn-dogs-5d20e9f1"


def test_all_runs_are_a_table(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs")
    assert not page.exception
    table = page.dataframe[0].value
    assert len(table) == 6
    done = table[table["Run"] == DONE].iloc[0]
    assert list(done["Status"]) == ["✓ completed"]
    assert done["Duration"].total_seconds() == 74
    assert round(done["Cost"], 4) == 0.0024  # 74 s of ml.m5.large at 0.115
    assert done["Accuracy"] == pytest.approx(91.67)
    assert "6 runs, 2 running" in text(page)


def test_the_newest_runs_show_how_their_loss_went(aws: ScriptedAws, visit: Open) -> None:
    losses = visit(aws, "runs").dataframe[0].value.set_index("Run")["Loss"]
    curve = list(losses["sample-drawn-dogs"])
    assert curve == sorted(curve, reverse=True)
    assert len(curve) > 1


def test_without_the_right_to_read_logs_the_table_stands(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["DescribeLogStreams"] = AccessDenied("not allowed to read logs")
    page = visit(aws, "runs")
    assert not page.exception
    assert "sample-drawn-dogs" in list(page.dataframe[0].value["Run"])


def test_times_are_the_readers(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs")
    created = page.dataframe[0].value.set_index("Run")["Created"][DONE]
    offset = created - aws.jobs[DONE]["CreationTime"].replace(tzinfo=None)
    assert offset.total_seconds() in (3600, 7200)  # Berlin


def test_search_and_status_filter_leave_what_fits(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs")
    page.text_input(key="q").set_value("c5.2xlarge").run()
    assert list(page.dataframe[0].value["Run"]) == ["drawn-dogs-81be03d4"]
    page.text_input(key="q").set_value("").run()
    page.pills(key="status").set_value(["failed", "stopped"]).run()
    assert list(page.dataframe[0].value["Run"]) == [FAILED, "drawn-dogs-0b41c6e8"]
    page.text_input(key="q").set_value("no such run").run()
    assert "No run fits the filter." in text(page)


def test_a_filter_can_be_linked(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs", q="sample")
    assert list(page.dataframe[0].value["Run"]) == ["sample-drawn-dogs"]


def test_one_run_is_shown_live(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs", run=LIVE)
    assert not page.exception
    said = text(page)
    assert "training, begun" in said
    assert "Fetching data" in said
    assert "to come" in said  # saving the model
    assert page.progress[0].value == 82
    assert "training the head · 12 of 20 epochs" in page.progress[0].text
    assert "Validation accuracy" in said
    assert "epoch=12/20" in said
    assert [chart.proto.id for chart in page.get("plotly_chart")]
    assert ", so far" in said


def test_it_follows_the_run_to_its_end_and_then_stops_looking(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs", run=LIVE)
    assert page.button(key="stop-run")
    aws.add_job(LIVE, "Completed", age=60, seconds=55)
    state.forget()  # as after the second for which a reading is kept
    page.run()
    states = page.dataframe[0].value.set_index("Run")["State"]
    assert states[f"→ {LIVE}"] == "✓"
    assert "completed in 55 s, 91.7 % of the test photos right" in text(page)
    assert not [button for button in page.button if button.key == "stop-run"]
    asked = len(aws.asked("DescribeTrainingJob"))
    page.run()
    page.run()
    assert [p for p in aws.asked("DescribeTrainingJob")[asked:] if p["TrainingJobName"] == LIVE] == []


def test_a_failure_is_explained_with_the_line_that_matters(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs", run=FAILED)
    said = text(page)
    assert "AlgorithmError: the dataset has one class only" in said
    assert "<mark>error: the dataset has one class only, and a classifier needs two</mark>" in said
    assert "No accuracy yet" not in said
    assert ("Train again", "train", f"like={FAILED}") in links(page)


def test_a_completed_run_has_its_receipt_and_its_model(aws: ScriptedAws, visit: Open) -> None:
    said = text(visit(aws, "runs", run=DONE))
    assert "1 min 14 s, whole seconds, as AWS bills" in said
    assert "$0.115/h" in said
    assert "nothing was charged" in said
    assert f"runs/{DONE}/output/model.tar.gz" in said


def test_what_a_job_prints_cannot_become_markup(aws: ScriptedAws, visit: Open) -> None:
    aws.logs[LIVE] = ["<img src=x onerror=alert(1)>", "\x1b[31mred\x1b[0m", "10%\r20%\r30%", "\x00\x07bell"]
    said = text(visit(aws, "runs", run=LIVE))
    assert "<img src=x" not in said
    assert "&lt;img src=x" in said
    assert "\x1b" not in said
    assert "10%" not in said
    assert "30%" in said


def test_a_long_log_shows_its_end_and_says_so(aws: ScriptedAws, visit: Open) -> None:
    aws.logs[LIVE] = [f"line {number}" for number in range(5000)]
    said = text(visit(aws, "runs", run=LIVE))
    assert "line 4999" in said
    assert "line 4000\n" not in said
    assert "The last 400 of 5,000 lines." in said


def test_stopping_says_what_is_lost_and_does_it(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs", run=LIVE)
    page.button(key="stop-run").click().run()
    assert "the best epoch so far, if an epoch is complete" in text(page)
    assert not aws.asked("StopTrainingJob")
    page.button(key="confirm-do").click().run()
    assert aws.asked("StopTrainingJob") == [{"TrainingJobName": LIVE}]
    assert "stopping, begun" in text(page)


def test_a_refused_stop_stays_in_the_dialog(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs", run=LIVE)
    page.button(key="stop-run").click().run()
    aws.errors["StopTrainingJob"] = Throttled("AWS asks to slow down", "too many calls", "try again in a moment")
    page.button(key="confirm-do").click().run()
    assert "AWS asks to slow down" in text(page)


def test_deploying_names_its_price_and_then_leads_to_classify(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs", run="sample-drawn-dogs")
    page.button(key="deploy-model").click().run()
    assert page.button(key="confirm-do").label == "Deploy for \\$0.115/h · simulated"
    assert "$2.76 a day" in text(page)
    page.text_input(key="deploy-name").set_value("my dogs").run()
    assert "no hyphen at either end" in text(page)
    assert page.button(key="confirm-blocked").disabled
    page.text_input(key="deploy-name").set_value("my-dogs").run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert aws.endpoints["my-dogs"]["EndpointStatus"] == "Creating"
    assert page.query_params["run"] == "sample-drawn-dogs"
    assert "my-dogs" in text(page)
    aws.endpoints["my-dogs"]["EndpointStatus"] = "InService"
    state.forget()
    page.run()
    assert ("Classify", "classify", "endpoint=my-dogs") in links(page)


def test_a_run_that_is_not_there_is_said(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs", run="never-made")
    assert not page.exception
    assert "There is no run named never-made" in text(page)
    assert "cannot be shown" not in text(page)
    page.button(key="all-runs").click().run()
    assert "run" not in page.query_params
    assert "6 runs, 2 running" in text(page)


def test_no_run_yet_teaches_the_next_step(empty: ScriptedAws, visit: Open) -> None:
    page = visit(empty, "runs")
    assert "No run yet." in text(page)
    assert ("Train a model", "train", "") in links(page)


@pytest.mark.parametrize("query", [{}, {"run": LIVE}])
def test_an_account_that_does_not_answer_is_explained(aws: ScriptedAws, visit: Open, query: dict[str, str]) -> None:
    aws.errors["*"] = Unreachable("nothing answers", "connection refused", "start it with make run")
    page = visit(aws, "runs", **query)
    assert not page.exception
    assert text(page).count("</h1>") == 1
    assert "Nothing answers" in text(page)
