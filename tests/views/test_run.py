"""One run: while it happens, how it ended, and what can be done with it."""

import pytest

from dashboard import state
from dashboard.core.errors import AccessDenied, Throttled, Unreachable
from tests.views.conftest import Open, links, text
from tests.views.scripted import ScriptedAws

LIVE, FAILED, DONE = "drawn-dogs-2f91c0aa", "drawn-dogs-c77a1b02", "drawn-dogs-5d20e9f1"


def keys(page: object) -> set[str]:
    return {button.key for button in page.button}  # type: ignore[attr-defined]


def test_one_run_is_shown_live(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run=LIVE)
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
    page = visit(aws, "run", run=LIVE)
    assert page.button(key="stop-run")
    aws.add_job(LIVE, "Completed", age=60, seconds=55)
    state.forget()  # as after the second for which a reading is kept
    page.run()
    assert "completed in 55 s, 91.7 % of the test photos right" in text(page)
    assert "stop-run" not in keys(page)
    asked = len(aws.asked("DescribeTrainingJob"))
    page.run()
    page.run()
    assert [p for p in aws.asked("DescribeTrainingJob")[asked:] if p["TrainingJobName"] == LIVE] == []


def test_a_failure_is_explained_with_the_line_that_matters(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run=FAILED)
    said = text(page)
    assert "one class only" in said
    assert "<mark>error: the dataset has one class only, and a classifier needs two</mark>" in said
    assert "No accuracy yet" not in said
    assert ("Train again", "train", f"like={FAILED}") in links(page)


def test_a_failure_for_want_of_a_permission_shows_the_statement_to_ask_for(aws: ScriptedAws, visit: Open) -> None:
    line = "ClientError: User: role is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::dogs/1.jpg"
    aws.add_job("denied", "Failed", failure="AlgorithmError: exit code: 1", log=["begin", line])
    page = visit(aws, "run", run="denied")
    assert not page.exception
    assert '"Action": "s3:GetObject"' in page.code[0].value


def test_a_completed_run_has_its_receipt_and_its_model(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run=DONE)
    assert not page.exception
    said = text(page)
    assert "1 min 14 s, whole seconds, as AWS bills" in said
    assert "$0.115/h" in said
    assert "nothing was charged" in said
    assert "Download model" in [button.proto.label for button in page.get("download_button")]


def test_a_spot_run_says_what_it_saved(aws: ScriptedAws, visit: Open) -> None:
    aws.add_job("dogs-spot", spot=True, seconds=90)
    said = text(visit(aws, "run", run="dogs-spot"))
    assert "Spot saved 67 %: 30 s billed of 1 min 30 s trained, never interrupted." in said
    assert "simulated from observed spot prices" in said


def test_an_ec2_run_has_the_same_page(aws: ScriptedAws, visit: Open) -> None:
    aws.add_ec2("dogs-ec2", log=["epoch=1/2 train_loss=0.5 valid_loss=0.4", "done"])
    page = visit(aws, "run", run="ec2:dogs-ec2")
    assert not page.exception
    said = text(page)
    assert "▤ EC2" in said
    assert "i-dogs-ec2" in said
    assert "epoch=1/2" in said
    assert ("Train again", "train", "like=ec2%3Adogs-ec2") in links(page)


def test_a_spot_instance_taken_back_can_be_resumed(aws: ScriptedAws, visit: Open) -> None:
    aws.add_ec2("dogs-ec2", "Stopped", stage="Interrupted", spot=True)
    aws.bodies["ec2-runs/dogs-ec2/checkpoints/epoch-3.pt"] = b"weights"
    page = visit(aws, "run", run="ec2:dogs-ec2")
    assert not page.exception
    assert "EC2 took its spot instance back" in text(page)
    assert ("Resume", "train", "like=ec2%3Adogs-ec2&resume=1") in links(page)


def test_without_a_checkpoint_there_is_nothing_to_resume(aws: ScriptedAws, visit: Open) -> None:
    aws.add_ec2("dogs-ec2", "Stopped", stage="Interrupted", spot=True)
    page = visit(aws, "run", run="ec2:dogs-ec2")
    assert "taken back before its first checkpoint: start it again" in text(page)
    assert "Resume" not in [label for label, *_ in links(page)]


def test_the_use_of_the_instance_is_a_chart_with_its_finding(aws: ScriptedAws, visit: Open) -> None:
    aws.series = {"CPUUtilization": [100.0, 150.0], "MemoryUtilization": [20.0, 30.0]}
    said = text(visit(aws, "run", run=DONE))
    assert "Processor 62 % busy on average, memory at most 30 %" in said  # of the two cores of an ml.m5.large


def test_an_idle_instance_suggests_a_smaller_one_and_leads_to_the_form_with_it(aws: ScriptedAws, visit: Open) -> None:
    aws.series = {"CPUUtilization": [20.0] * 16, "MemoryUtilization": [10.0] * 16}
    page = visit(aws, "run", run=DONE)
    said = text(page)
    assert "A smaller instance: ml.c5.large" in said
    assert "Its 2 cores were only 10 % busy on average" in said
    assert ("Train again on ml.c5.large", "train", f"like={DONE}&instance=ml.c5.large") in links(page)
    aws.series = {"CPUUtilization": [190.0] * 16, "MemoryUtilization": [10.0] * 16}
    assert "A larger instance" in text(visit(aws, "run", run=DONE))


def test_a_run_of_seconds_suggests_nothing_and_says_so(aws: ScriptedAws, visit: Open) -> None:
    aws.series = {"CPUUtilization": [20.0] * 3, "MemoryUtilization": [10.0] * 3}
    said = text(visit(aws, "run", run=DONE))
    assert "Too short to tell whether another instance would fit better: 60 s are needed." in said
    assert "A smaller instance" not in said
    assert "Measured on this machine, simulated: memory is a share of the 8 GiB of ml.m5.large" in said


def test_without_the_right_to_read_metrics_the_page_stands(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["GetMetricData"] = AccessDenied("reading metrics is not allowed", action="cloudwatch:GetMetricData")
    page = visit(aws, "run", run=DONE)
    assert not page.exception
    assert "Reading metrics is not allowed" in text(page)
    assert "Set up as" in text(page)


def test_the_log_is_searched(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run=LIVE)
    page.text_input(key="log-search").set_value("EPOCH=1").run()
    said = text(page)
    assert '<mark class="kn-found">epoch=1</mark>/20' in said
    assert "4 lines with “EPOCH=1”." in said  # 1, 10, 11 and 12
    page.text_input(key="log-search").set_value("no such words").run()
    assert "No line holds that." in text(page)


def test_what_a_job_prints_cannot_become_markup(aws: ScriptedAws, visit: Open) -> None:
    aws.logs[LIVE] = ["<img src=x onerror=alert(1)>", "\x1b[31mred\x1b[0m", "10%\r20%\r30%", "\x00\x07bell"]
    page = visit(aws, "run", run=LIVE)
    for searched in ("", "<img"):
        said = text(page.text_input(key="log-search").set_value(searched).run())
        assert "<img src=x" not in said
        assert "&lt;img" in said
    said = text(page.text_input(key="log-search").set_value("").run())
    assert "\x1b" not in said
    assert "10%" not in said
    assert "30%" in said


def test_a_long_log_shows_its_end_and_says_so(aws: ScriptedAws, visit: Open) -> None:
    aws.logs[LIVE] = [f"line {number}" for number in range(5000)]
    said = text(visit(aws, "run", run=LIVE))
    assert "line 4999" in said
    assert "line 4000\n" not in said
    assert "The last 400 of 5,000 lines." in said


def test_stopping_says_what_is_lost_and_does_it(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run=LIVE)
    page.button(key="stop-run").click().run()
    assert "the best epoch so far, if an epoch is complete" in text(page)
    assert not aws.asked("StopTrainingJob")
    page.button(key="confirm-do").click().run()
    assert aws.asked("StopTrainingJob") == [{"TrainingJobName": LIVE}]
    assert "stopping, begun" in text(page)


def test_a_refused_stop_stays_in_the_dialog(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run=LIVE)
    page.button(key="stop-run").click().run()
    aws.errors["StopTrainingJob"] = Throttled("AWS asks to slow down", "too many calls", "try again in a moment")
    page.button(key="confirm-do").click().run()
    assert "AWS asks to slow down" in text(page)


def test_only_a_spot_run_of_the_embedded_aws_can_be_interrupted(aws: ScriptedAws, visit: Open) -> None:
    aws.add_job("dogs-spot", "InProgress", spot=True, age=20)
    assert "interrupt-run" not in keys(visit(aws, "run", run=LIVE))
    page = visit(aws, "run", run="dogs-spot")
    page.button(key="interrupt-run").click().run()
    assert "goes on from its checkpoint" in text(page)
    page.button(key="confirm-do").click().run()
    assert not page.exception
    marks = aws.asked("AddTags")
    assert [mark["Tags"][0]["Key"] for mark in marks] == ["kennel:interrupt"]


def test_deploying_names_its_price_and_then_leads_to_classify(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run="sample-drawn-dogs")
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


def test_deleting_asks_for_the_name_and_leads_back_to_the_table(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run=FAILED)
    page.button(key="delete-run").click().run()
    page.text_input(key="confirm-name").set_value(FAILED).run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert [asked["TrainingJobName"] for asked in aws.asked("DeleteTrainingJob")] == [FAILED]
    assert "5 runs" in text(page)


def test_a_tuning_job_shows_its_trials_and_the_best(aws: ScriptedAws, visit: Open) -> None:
    aws.add_tuning("search", [0.9, 0.2, 0.4])
    page = visit(aws, "run", run="tuning:search")
    assert not page.exception
    said = text(page)
    assert "3 of 4 trials ended, best valid:loss 0.2" in said
    assert "valid:loss 0.2 in trial 2, 0.9 in the first" in said
    assert "Best with learning rate 0.05" in said
    trials = page.dataframe[0].value
    assert list(trials["Best"]) == ["", "★", ""]
    assert list(trials["valid:loss"]) == [0.9, 0.2, 0.4]
    assert list(trials["learning_rate"]) == pytest.approx([0.1, 0.05, 0.033333], rel=1e-3)
    assert ("Train again", "train", "like=tuning%3Asearch") in links(page)


def test_a_tuning_job_that_goes_on_says_how_far_it_is(aws: ScriptedAws, visit: Open) -> None:
    aws.add_tuning("search", [0.9], "InProgress")
    aws.add_job("search-002-00000002", "InProgress", age=20, parent="search")
    page = visit(aws, "run", run="tuning:search")
    assert not page.exception
    assert page.progress[0].value == 25
    assert "1 of 4 trials ended · 1 running, at most 2 at once" in page.progress[0].text
    assert page.button(key="stop-run")


def test_a_trial_leads_to_its_tuning_job(aws: ScriptedAws, visit: Open) -> None:
    aws.add_tuning("search", [0.9])
    page = visit(aws, "run", run=aws.trials["search"][0])
    assert ("Tuning search", "run", "run=tuning%3Asearch") in links(page)


def test_a_run_that_is_not_there_is_said(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run", run="never-made")
    assert not page.exception
    assert "There is no run named never-made" in text(page)
    assert "cannot be shown" not in text(page)
    assert ("All runs", "runs", "") in links(page)


def test_without_a_run_the_table_opens(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "run")
    assert not page.exception
    assert "6 runs in the last 7 days, 2 running" in text(page)


def test_the_way_back_keeps_the_filter(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "runs", q="drawn")
    page.switch_page("views/run.py")
    page.query_params["run"] = DONE
    assert ("All runs", "runs", "q=drawn") in links(page.run())


def test_an_account_that_does_not_answer_is_explained(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["*"] = Unreachable("nothing answers", "connection refused", "start it with make run")
    page = visit(aws, "run", run=LIVE)
    assert not page.exception
    assert text(page).count("</h1>") == 1
    assert "Nothing answers" in text(page)


def test_numbers_are_written_one_way(aws: ScriptedAws, visit: Open) -> None:
    aws.add_job("long-one", hyperparameters={"epochs": "1000", "learning_rate": "0.01", "seed": ""})
    said = text(visit(aws, "run", run="long-one"))
    assert "1,000" in said
    assert "0.01" in said
