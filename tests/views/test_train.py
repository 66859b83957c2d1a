"""Train: what will this cost, how long will it take, and launching it once."""

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import data_readings, sample_account
from dashboard.core.errors import AccessDenied, QuotaExceeded, Throttled, Unreachable
from tests.views.conftest import Open, links, text
from tests.views.scripted import REAL, ScriptedAws


def review(page: AppTest) -> AppTest:
    return page.button(key="review-launch").click().run()


def lost(operation: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The operation happens, and its answer never arrives."""

    def happens(asked: dict[str, Any]) -> dict[str, Any]:
        operation(asked)
        raise Unreachable("the connection broke")

    return happens


def choose(page: AppTest, *, platform: str = "sagemaker", capacity: str = "on-demand") -> AppTest:
    page.segmented_control(key="train-platform").set_value(platform)
    page.segmented_control(key="train-capacity").set_value(capacity)
    return page.run()


def test_it_quotes_what_the_form_describes(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    assert not page.exception
    said = text(page)
    assert "about 1 min 14 s and $0.0024, at most 1 h and $0.115 · simulated" in said
    assert "the one completed run of this data on ml.m5.large" in said
    assert page.selectbox(key="train-data").options == [
        "drawn-dogs · 168 photos · 6 breeds",
        "forest-dogs · 1,298 photos · 118 breeds",
    ]
    assert "120 train, 24 valid, 24 test" in said
    assert "create_training_job(**request)" in page.code[0].value


def test_the_quote_follows_the_form(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.number_input(key="train-minutes").set_value(120).run()
    assert "at most 2 h and $0.23" in text(page)
    page.selectbox(key="train-instance-sagemaker").set_value("c5.2xlarge").run()
    said = text(page)
    assert "how long it will take is unknown" in said
    assert "no completed run of this data on ml.c5.2xlarge yet" in said
    assert "$0.816" in said  # 2 h of ml.c5.2xlarge


def test_the_candidates_are_a_table_with_the_chosen_one_marked(aws: ScriptedAws, visit: Open) -> None:
    table = visit(aws, "train").dataframe[0].value
    prices = [float(price.removeprefix("$")) for price in table["Price/h"]]
    assert prices == sorted(prices)
    chosen = table[table["Chosen"] == "●"]
    assert list(chosen["Instance"]) == ["ml.m5.large"]
    assert list(chosen["Cost"]) == ["$0.0024"]
    assert "unknown" in set(table["Time"])


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("train-epochs", 0, "the number of epochs must be between 1 and 1,000"),
        ("train-batch", -3, "the batch size must be between 1 and 4,096"),
        ("train-rate", 0.0, "the learning rate must be between"),
        ("train-minutes", 0, "the time limit must be between 1 minute and 7,200 minutes · it is 0"),
        ("train-minutes", -5, "the time limit must be between 1 minute and 7,200 minutes · it is -5"),
    ],
)
def test_a_value_that_does_not_fit_is_explained_beside_its_field(
    aws: ScriptedAws, visit: Open, key: str, value: float, said: str
) -> None:
    page = visit(aws, "train")
    page.number_input(key=key).set_value(value).run()
    assert not page.exception
    assert said in text(page)
    assert "No quote while something in the form does not fit." in text(page)
    assert list(page.dataframe[0].value["Cost"])[1] == "$0.0024"  # the table stays
    assert page.button(key="review-launch").disabled


def test_a_name_that_aws_would_refuse_is_explained(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.text_input(key="train-name").set_value("my dogs!").run()
    assert "the name may have letters, digits and hyphens" in text(page)
    assert page.button(key="review-launch").disabled


def test_a_name_that_is_taken_is_said_before_the_review(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.text_input(key="train-name").set_value("sample-drawn-dogs").run()
    assert "there is already a run named sample-drawn-dogs" in text(page)
    assert page.button(key="review-launch").disabled


def test_a_dataset_with_one_class_is_refused_before_anything_starts(visit: Open) -> None:
    aws = ScriptedAws()
    aws.add_dataset("one-class", classes=1)
    page = visit(aws, "train")
    assert "there is only one class in train/" in text(page)
    assert page.button(key="review-launch").disabled


def test_launching_reviews_first_and_then_opens_the_run(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.number_input(key="train-epochs").set_value(5).run()
    review(page)
    said = text(page)
    assert "5 epochs, learning rate 0.02, batch size 64" in said
    assert "123456789012 in us-east-1" in said
    assert page.button(key="confirm-do").label == "Launch training, at most \\$0.115 · simulated"
    assert not aws.asked("CreateTrainingJob")
    page.button(key="confirm-do").click().run()
    assert not page.exception
    [sent] = aws.asked("CreateTrainingJob")
    assert sent["HyperParameters"]["epochs"] == "5"
    assert page.query_params["run"] == sent["TrainingJobName"]
    assert f"{sent['TrainingJobName']}</h1>" in text(page)
    assert [toast.value for toast in page.toast] == [sent["TrainingJobName"].replace("-", "-") + " is starting"]


def test_two_tabs_that_describe_the_same_training_launch_it_once(aws: ScriptedAws, visit: Open) -> None:
    first, second = visit(aws, "train"), visit(aws, "train")
    for tab in (first, second):
        review(tab.run())
    before = len(aws.jobs)
    first.button(key="confirm-do").click().run()
    second.button(key="confirm-do").click().run()
    assert not second.exception
    assert len(aws.jobs) == before + 1
    assert first.query_params["run"] == second.query_params["run"]


def test_a_second_launch_of_what_goes_on_already_is_pointed_out(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.number_input(key="train-epochs").set_value(5).run()
    review(page).button(key="confirm-do").click().run()
    name = page.query_params["run"]
    page = visit(aws, "train")
    page.number_input(key="train-epochs").set_value(5).run()
    review(page)
    assert f"{name} goes on already with the same settings, launched just now" in text(page)
    page.button(key="confirm-cancel").click().run()
    page.number_input(key="train-epochs").set_value(6).run()
    assert "goes on already" not in text(review(page))


def test_what_was_changed_with_the_click_itself_is_reviewed(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.segmented_control(key="train-platform").set_value("ec2")
    review(page)  # both arrive together, as from a quick hand
    assert "EC2, on demand" in text(page)


def test_an_answer_that_was_lost_is_asked_for_again_with_the_same_plan(aws: ScriptedAws, visit: Open) -> None:
    page = review(visit(aws, "train"))
    before = len(aws.jobs)
    create, aws._CreateTrainingJob = aws._CreateTrainingJob, lost(aws._CreateTrainingJob)  # type: ignore[method-assign]
    page.button(key="confirm-do").click().run()
    assert "The connection broke" in text(page)
    aws._CreateTrainingJob = create  # type: ignore[method-assign]
    page.button(key="confirm-do").click().run()
    assert len(aws.jobs) == before + 1
    assert page.query_params["run"] in aws.jobs


def test_launching_again_after_a_launch_makes_another_run(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    names = []
    for _ in range(2):
        review(page)
        page.button(key="confirm-do").click().run()
        names.append(page.query_params["run"])
        page.switch_page("views/train.py").run()
    assert len(set(names)) == 2


def test_a_refused_launch_is_explained_and_can_be_tried_again(aws: ScriptedAws, visit: Open) -> None:
    page = review(visit(aws, "train"))
    aws.errors["CreateTrainingJob"] = QuotaExceeded(
        "the account may run no further ml.m5.large", "its limit is 0", "ask AWS for a higher quota"
    )
    page.button(key="confirm-do").click().run()
    said = text(page)
    assert "The account may run no further ml.m5.large" in said
    assert "Ask AWS for a higher quota" in said
    aws.errors.clear()
    page.button(key="confirm-do").click().run()
    assert "run" in page.query_params


def test_a_permission_that_is_missing_at_the_launch_is_named_with_its_statement(aws: ScriptedAws, visit: Open) -> None:
    page = review(visit(aws, "train"))
    aws.errors["CreateTrainingJob"] = AccessDenied(
        "you may not start trainings", "no policy allows it", action="sagemaker:CreateTrainingJob", resource="*"
    )
    page.button(key="confirm-do").click().run()
    assert "You may not start trainings" in text(page)
    assert {"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*"} in [
        json.loads(code.value) for code in page.code if code.language == "json"
    ]


def test_throttling_at_the_launch_can_simply_be_tried_again(aws: ScriptedAws, visit: Open) -> None:
    page = review(visit(aws, "train"))
    aws.errors["CreateTrainingJob"] = Throttled("AWS asks to slow down", "it did so 5 times", "try again in a moment")
    page.button(key="confirm-do").click().run()
    assert "AWS asks to slow down" in text(page)
    aws.errors.clear()
    page.button(key="confirm-do").click().run()
    assert page.query_params["run"] in aws.jobs


def test_an_account_that_goes_away_while_the_form_is_open_is_explained_below_it(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    aws.errors["HeadBucket"] = Unreachable("nothing answers at the other end")
    page.selectbox(key="train-instance-sagemaker").set_value("c5.large").run()
    assert not page.exception
    assert "Nothing answers at the other end" in text(page)
    assert page.number_input(key="train-epochs").value == 20
    assert "review-launch" not in [button.key for button in page.button]


def test_an_earlier_runs_settings_can_be_taken_over(aws: ScriptedAws, visit: Open) -> None:
    aws.jobs["drawn-dogs-c77a1b02"] |= {
        "HyperParameters": {"epochs": "7", "learning_rate": "0.005", "batch_size": "16"},
        "ResourceConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
    }
    page = visit(aws, "train", like="drawn-dogs-c77a1b02")
    assert page.number_input(key="train-epochs").value == 7
    assert page.number_input(key="train-rate").value == 0.005
    assert page.number_input(key="train-batch").value == 16
    assert page.selectbox(key="train-instance-sagemaker").value == "c5.xlarge"


def test_the_form_is_kept_while_another_page_is_open(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.number_input(key="train-epochs").set_value(33).run()
    page.switch_page("views/runs.py").run()
    page.switch_page("views/train.py").run()
    assert page.number_input(key="train-epochs").value == 33


def test_without_data_it_says_where_data_goes(empty: ScriptedAws, visit: Open) -> None:
    page = visit(empty, "train")
    assert not page.exception
    assert "s3://kennel-123456789012-us-east-1/datasets/" in text(page)
    assert [(label, place) for label, place, _ in links(page)] == [("Add photos", "data")]


def test_without_a_bucket_it_says_that_the_account_is_set_up_first(
    empty: ScriptedAws, visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(empty, "_ListBuckets", lambda asked: {"Buckets": []}, raising=False)
    page = visit(empty, "train")
    assert "This account is not set up for Kennel yet." in text(page)
    assert [(label, place) for label, place, _ in links(page)] == [("Set up this account", "settings")]


def test_the_form_opens_by_itself_once_there_is_data(
    empty: ScriptedAws, visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit(empty, "train")
    empty.add_dataset()
    later = data_readings.now() + timedelta(seconds=5)
    monkeypatch.setattr(data_readings, "now", lambda: later)
    assert page.run().selectbox(key="train-data").options == ["drawn-dogs · 168 photos · 6 breeds"]


def test_a_sample_that_is_still_being_drawn_is_waited_for(visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = ScriptedAws()
    aws.add_dataset(classes=3)
    monkeypatch.setattr(sample_account, "is_filling", lambda state: True)
    page = visit(aws, "train")
    assert "A small sample is still being drawn: drawn-dogs, 84 photos so far." in text(page)
    assert "the data is still being drawn" in text(page)
    assert not page.selectbox
    aws.objects.clear()
    aws.add_dataset(classes=6)
    aws.bodies["samples/drawn-dogs.complete"] = b""
    later = data_readings.now() + timedelta(seconds=5)
    monkeypatch.setattr(data_readings, "now", lambda: later)
    assert page.run().selectbox(key="train-data").options == ["drawn-dogs · 168 photos · 6 breeds"]
    assert "nothing in the way" in text(page)


def test_data_that_cannot_be_trained_on_is_looked_at_again_within_seconds(
    visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = ScriptedAws()
    aws.add_dataset("dogs", classes=1)
    page = visit(aws, "train")
    assert "there is only one class in train/" in text(page)
    aws.add_dataset("dogs", classes=2)
    later = data_readings.now() + timedelta(seconds=5)
    monkeypatch.setattr(data_readings, "now", lambda: later)
    assert "there is only one class in train/" not in text(page.run())
    counted = len(aws.asked("ListObjectsV2"))
    even_later = later + timedelta(seconds=5)
    monkeypatch.setattr(data_readings, "now", lambda: even_later)
    page.run()
    assert len(aws.asked("ListObjectsV2")) == counted  # what is well is not counted again and again


@pytest.mark.parametrize("error", [Unreachable("nothing answers"), Throttled("AWS asks to slow down")])
def test_an_account_that_does_not_answer_is_explained(aws: ScriptedAws, visit: Open, error: Exception) -> None:
    aws.errors["*"] = error
    page = visit(aws, "train")
    assert not page.exception
    assert text(page).count("</h1>") == 1
    assert str(error).capitalize()[:10].lower() in text(page).lower()
    assert page.button(key="problem-page-again")


# --- every way to train --------------------------------------------------------------------------------------


def test_spot_asks_how_long_to_wait_and_can_be_interrupted_here(aws: ScriptedAws, visit: Open) -> None:
    page = choose(visit(aws, "train"), capacity="spot")
    page.number_input(key="train-wait").set_value(30)
    page.number_input(key="train-count").set_value(2)
    page.text_input(key="train-interrupt-after").set_value("20  45")
    review(page.run())
    said = text(page)
    assert "1 h, and at most 30 min of waiting for spot capacity on top" in said
    assert "interrupted after 20 s and 45 s of training" in said
    page.button(key="confirm-do").click().run()
    [sent] = aws.asked("CreateTrainingJob")
    assert sent["EnableManagedSpotTraining"] is True
    assert sent["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 5400}
    assert sent["ResourceConfig"]["InstanceCount"] == 2
    assert {"Key": "kennel:interrupt-after", "Value": "20 45"} in sent["Tags"]


def test_the_heading_and_the_card_speak_of_the_same_hours(aws: ScriptedAws, visit: Open) -> None:
    page = choose(visit(aws, "train"), capacity="spot")
    said = text(page)
    assert "at most 2 h and $0.115" in said
    assert "2 h with waiting for capacity, which is not billed; 1 h of training · the time limit" in said
    choose(page, capacity="on-demand")
    page.toggle(key="train-tune").set_value(True).run()
    said = text(page)
    assert "about 2 min 28 s and $0.0095, at most 2 h and $0.46" in said
    assert "2 min 28 s in all; 1 min 14 s of training each, 2 at once · 4 trainings, each as the one" in said
    assert "2 h in all; 1 h of training each, 2 at once · the time limit of each of 4 trainings" in said
    chosen = page.dataframe[0].value.set_index("Chosen").loc["●"]
    assert (chosen["Time"], chosen["Cost"]) == ("2 min 28 s", "$0.0095")


def test_a_price_of_several_instances_is_that_of_each(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    assert "each" not in said_of_price(page)
    page.number_input(key="train-count").set_value(2).run()
    assert "2 × ml.m5.large at" in said_of_price(page)
    assert "$0.115/h each" in said_of_price(page)


def said_of_price(page: AppTest) -> str:
    return next(line for line in text(page).splitlines() if "ml.m5.large at" in line)


def test_a_real_account_is_never_asked_to_simulate_an_interruption(visit: Open) -> None:
    real = ScriptedAws(replace(REAL, writable=True))
    real.add_dataset()
    page = choose(visit(real, "train"), capacity="spot")
    assert not page.exception
    assert "Simulated interruptions" not in text(page)
    assert "simulated" not in text(page)


def test_a_tuning_job_is_described_quoted_and_launched(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.toggle(key="train-tune").set_value(True).run()
    assert page.number_input(key="train-rate").disabled
    page.number_input(key="train-jobs").set_value(6)
    page.number_input(key="train-low-learning_rate").set_value(0.01).run()
    assert "at most 3 h and $0.69" in text(page)  # 6 trainings, 2 at once
    review(page)
    assert "Bayesian, 6 trials, 2 at once, for the lowest valid:loss" in text(page)
    assert page.button(key="confirm-do").label == "Launch tuning of 6 trainings, at most \\$0.69 · simulated"
    page.button(key="confirm-do").click().run()
    [sent] = aws.asked("CreateHyperParameterTuningJob")
    ranges = sent["HyperParameterTuningJobConfig"]["ParameterRanges"]
    assert ranges["ContinuousParameterRanges"][0]["MinValue"] == "0.01"
    assert ranges["CategoricalParameterRanges"][0]["Values"] == ["32", "64", "128", "256", "512"]
    assert page.query_params["run"] == f"tuning:{sent['HyperParameterTuningJobName']}"


def test_a_grid_searches_given_values_and_counts_its_combinations(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.toggle(key="train-tune").set_value(True).run()
    page.selectbox(key="train-strategy").set_value("Grid").run()
    page.multiselect(key="train-among-batch_size").set_value(["32", "64"]).run()
    assert page.number_input(key="train-jobs").disabled
    review(page)
    assert "Grid, 6 trials" in text(page)  # 3 learning rates × 2 batch sizes


def test_a_range_that_is_empty_is_said_beside_it_and_where_the_quote_would_be(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.toggle(key="train-tune").set_value(True).run()
    page.number_input(key="train-high-learning_rate").set_value(0.0001).run()
    assert text(page).count("From exceeds To in the range of learning rate") == 2
    assert page.button(key="review-launch").disabled


def test_ec2_has_its_own_names_prices_and_access(aws: ScriptedAws, visit: Open) -> None:
    page = choose(visit(aws, "train"), platform="ec2", capacity="spot")
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table[table["Chosen"] == "●"]["Instance"]) == ["m5.large"]
    assert list(table[table["Chosen"] == "●"]["Spot/h"]) == ["$0.0384"]
    assert "expected at" in text(page)
    bound = next(line for line in text(page).splitlines() if "1 × m5.large at" in line)
    assert "$0.096/h" in bound
    assert "on demand, the most that spot costs" in bound
    assert "$0.0384/h" in text(page)
    assert "EC2's spot price in us-east-1a" in html.unescape(text(page))
    assert "train-tune" not in [toggle.key for toggle in page.toggle]
    assert page.selectbox(key="train-key-pair").options == ["none", "ada"]
    page.text_input(key="train-address").set_value("203.0.113.7").run()
    assert "SSH needs a key pair" in text(page)
    page.selectbox(key="train-key-pair").set_value("ada").run()
    review(page)
    assert "ada, from 203.0.113.7 only" in text(page)


def test_a_launch_on_ec2_opens_the_runs_own_page(aws: ScriptedAws, visit: Open) -> None:
    page = review(choose(visit(aws, "train"), platform="ec2"))
    page.button(key="confirm-do").click().run()
    [started] = aws.asked("RunInstances")
    assert started["InstanceType"] == "m5.large"
    assert page.query_params["run"].startswith("ec2:drawn-dogs-")
    name = page.query_params["run"].removeprefix("ec2:")
    assert json.loads(aws.bodies[f"ec2-runs/{name}/request.json"])["capacity"] == "on-demand"


def test_two_tabs_launch_one_instance(aws: ScriptedAws, visit: Open) -> None:
    first, second = visit(aws, "train"), visit(aws, "train")
    for tab in (first, second):
        review(choose(tab.run(), platform="ec2"))
    for tab in (first, second):
        tab.button(key="confirm-do").click().run()
    assert len(aws.instances) == 1
    assert first.query_params["run"] == second.query_params["run"]


def test_the_instance_type_is_carried_from_one_platform_to_the_other(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.selectbox(key="train-instance-sagemaker").set_value("c5.xlarge").run()
    choose(page, platform="ec2")
    assert page.selectbox(key="train-instance-ec2").value == "c5.xlarge"
    assert "1 × c5.xlarge at" in text(page)
    choose(page, platform="sagemaker")
    assert "1 × ml.c5.xlarge at" in text(page)


def test_a_type_that_is_not_in_the_list_can_be_typed(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.session_state["train-instance"] = "m7i.large"  # the test browser cannot type into a list
    page.run()
    said = text(page)
    assert "no price for ml.m7i.large" in said
    assert not page.button(key="review-launch").disabled


def test_everything_else_that_was_asked_for_is_sent(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.text_input(key="train-project").set_value("kennel club")
    page.text_input(key="train-owner").set_value("ada")
    assert page.multiselect(key="train-subnets").options == ["subnet-1 · us-east-1a, 10.0.0.0/20"]
    page.multiselect(key="train-subnets").set_value(["subnet-1"])
    page.multiselect(key="train-groups").set_value(["sg-1"])
    page.number_input(key="train-volume").set_value(50)
    page.multiselect(key="train-advanced").set_value(["weight_decay", "class_weights"]).run()
    page.number_input(key="train-set-weight_decay").set_value(0.05)
    page.selectbox(key="train-set-class_weights").set_value("balanced").run()
    review(page)
    assert "project kennel club, owner ada" in text(page)
    page.button(key="confirm-do").click().run()
    [sent] = aws.asked("CreateTrainingJob")
    assert sent["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    assert sent["ResourceConfig"]["VolumeSizeInGB"] == 50
    assert sent["HyperParameters"].items() >= {"weight_decay": "0.05", "class_weights": "balanced"}.items()
    assert {"Key": "owner", "Value": "ada"} in sent["Tags"]


def test_a_cap_below_the_worst_case_refuses_and_says_what_to_do(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.number_input(key="train-cap").set_value(0.05).run()
    said = text(page)
    assert "this training could cost $0.115" in said.lower()
    assert "shorten the time limit, choose a cheaper instance, or raise the cap" in said
    assert page.button(key="review-launch").disabled
    page.number_input(key="train-minutes").set_value(20).run()
    assert not page.button(key="review-launch").disabled


# --- checks --------------------------------------------------------------------------------------------------


def test_all_is_well_in_two_words(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    assert "nothing in the way</span>" in text(page)
    [folded] = [expander.label for expander in page.expander if "passed" in expander.label]
    assert re.fullmatch(r"\d passed", folded)  # and nothing that was not checked


def test_a_missing_role_blocks_the_launch_and_says_what_to_do(aws: ScriptedAws, visit: Open) -> None:
    aws.roles.clear()
    page = visit(aws, "train")
    assert "1 thing to solve first" in text(page)
    review(page)
    assert "KennelTraining" in text(page)
    assert page.button(key="confirm-blocked").disabled
    assert "confirm-do" not in [button.key for button in page.button]
    assert not aws.asked("CreateTrainingJob")


def test_a_missing_permission_shows_the_statement_to_ask_for(aws: ScriptedAws, visit: Open) -> None:
    aws.denied.add("sagemaker:CreateTrainingJob")
    page = visit(aws, "train")
    statements = [json.loads(code.value) for code in page.code if code.language == "json"]
    assert [statement["Action"] for statement in statements] == ["sagemaker:CreateTrainingJob"]
    assert "1 thing to solve first" in text(page)


def test_a_quota_that_is_used_up_is_known_before_the_click(aws: ScriptedAws, visit: Open) -> None:
    aws.quota["ml.m5.large for training job usage"] = 0.0
    page = visit(aws, "train")
    assert "to solve first" in text(page)
    assert "ml.m5.large for training job usage" in text(page)


def test_what_the_embedded_aws_has_not_is_known_before_the_click(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.text_input(key="train-kms").set_value("alias/dogs")
    page.session_state["train-subnets"] = ["subnet-9"]  # the test browser cannot type into a list
    page.multiselect(key="train-groups").set_value(["sg-1"]).run()
    said = text(page)
    assert "2 things to solve first" in said
    assert "The embedded AWS has no KMS, and so no key alias/dogs" in said
    assert "There is no subnet subnet-9 in account 123456789012, us-east-1" in said


def test_a_backbone_is_chosen_from_those_that_there_are(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    page.multiselect(key="train-advanced").set_value(["backbone", "weights"]).run()
    chosen = page.selectbox(key="train-set-backbone")
    assert chosen.options == ["efficientnet_lite0", "efficientnet_lite2", "resnet50"]
    chosen.set_value("resnet50").run()
    assert "resnet50 brings no weights with it" in text(page)
    page.text_input(key="train-set-weights").set_value("hub").run()
    assert not page.button(key="review-launch").disabled
    page.text_input(key="train-set-weights").set_value("")
    page.selectbox(key="train-set-backbone").set_value("efficientnet_lite2").run()
    assert "backbone efficientnet_lite2</dd>" in text(review(page))  # and no word of the weights, which are empty


# --- code ----------------------------------------------------------------------------------------------------


def test_the_same_launch_is_shown_as_boto3_sdk_and_cli(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    assert [tab.label for tab in page.tabs] == ["boto3", "SageMaker SDK", "AWS CLI"]
    boto3, sdk, cli = (code.value for code in page.code)
    assert "create_training_job(" in boto3
    assert "ModelTrainer(" in sdk
    assert "aws sagemaker create-training-job" in cli


# --- an earlier run ------------------------------------------------------------------------------------------


def test_a_clone_fills_everything_but_the_name(aws: ScriptedAws, visit: Open) -> None:
    aws.add_job("spotty", spot=True, count=2, tags={"project": "kennel club", "kennel:interrupt-after": "20"},
                hyperparameters={"weight_decay": "0.05"})  # fmt: skip
    page = visit(aws, "train", like="spotty")
    assert page.segmented_control(key="train-capacity").value == "spot"
    assert page.number_input(key="train-count").value == 2
    assert page.number_input(key="train-wait").value == 60
    assert page.text_input(key="train-project").value == "kennel club"
    assert page.text_input(key="train-interrupt-after").value == "20"
    assert page.number_input(key="train-set-weight_decay").value == 0.05
    assert page.text_input(key="train-name").value == ""
    assert "like" not in page.query_params


def test_a_clone_of_an_ec2_run_is_an_ec2_run(aws: ScriptedAws, visit: Open) -> None:
    aws.add_ec2("on-an-instance", spot=True)
    page = visit(aws, "train", like="ec2:on-an-instance")
    assert page.segmented_control(key="train-platform").value == "ec2"
    assert page.segmented_control(key="train-capacity").value == "spot"


def test_a_resumed_run_keeps_a_name_and_is_not_interrupted_again(aws: ScriptedAws, visit: Open) -> None:
    aws.add_job("cut-short", "Stopped", spot=True, tags={"kennel:interrupt-after": "20"})
    aws.bodies["checkpoints/cut-short/epoch-3.pt"] = b"weights"
    page = visit(aws, "train", like="cut-short", resume="1")
    assert page.text_input(key="train-name").value == "cut-short-resumed"
    assert page.text_input(key="train-interrupt-after").value == ""
    review(page).button(key="confirm-do").click().run()
    [sent] = aws.asked("CreateTrainingJob")
    assert sent["TrainingJobName"] == "cut-short-resumed"
    assert "kennel:interrupt-after" not in {tag["Key"] for tag in sent["Tags"]}
    page = visit(aws, "train", like="cut-short", resume="1")
    assert page.text_input(key="train-name").value == "cut-short-resumed-2"
    assert not page.button(key="review-launch").disabled


def test_a_run_without_a_checkpoint_starts_anew_and_says_so(aws: ScriptedAws, visit: Open) -> None:
    aws.add_job("cut-short", "Stopped", spot=True, tags={"kennel:interrupt-after": "20"})
    page = visit(aws, "train", like="cut-short", resume="1")
    assert [toast.value.replace("\\", "") for toast in page.toast] == [
        "cut-short has no checkpoint to go on from: this would start anew"
    ]
    assert "Goes on from" not in text(page)
    assert page.text_input(key="train-name").value == ""
    assert page.text_input(key="train-interrupt-after").value == ""


def test_the_fold_keeps_its_line_whatever_is_chosen_since_the_browser_closes_one_that_changes(
    aws: ScriptedAws, visit: Open
) -> None:
    page = visit(aws, "train")
    [closed] = [one.label for one in page.expander if one.label.startswith("More")]
    assert "choose Spot" in text(page)
    for chosen in ({"capacity": "spot"}, {"platform": "ec2", "capacity": "spot"}):
        choose(page, **chosen)
        assert [one.label for one in page.expander if one.label.startswith("More")] == [closed]
        assert "choose Spot" not in text(page)


def test_on_ec2_an_interruption_counts_from_when_the_instance_runs(aws: ScriptedAws, visit: Open) -> None:
    page = choose(visit(aws, "train"), capacity="spot")
    assert page.text_input(key="train-interrupt-after").label == "After (seconds of training)"
    choose(page, platform="ec2", capacity="spot")
    assert page.text_input(key="train-interrupt-after").label == "After (seconds since it runs)"
    assert "Before the first epoch there is none" in text(page)
    page.text_input(key="train-interrupt-after").set_value("60").run()
    said = text(review(page))
    assert "interrupted 60 s after the instance begins to run" in said
    assert "before the first epoch there is no checkpoint to go on from" in said


def test_a_resumed_run_goes_on_from_its_checkpoints_until_that_is_dropped(aws: ScriptedAws, visit: Open) -> None:
    aws.add_job("cut-short", "Stopped", spot=True)
    aws.bodies["checkpoints/cut-short/epoch-3.pt"] = b"weights"
    page = visit(aws, "train", like="cut-short", resume="1")
    assert "Goes on from the checkpoints in s3://kennel-123456789012-us-east-1/checkpoints/cut-short/" in text(page)
    review(page).button(key="confirm-do").click().run()
    [sent] = aws.asked("CreateTrainingJob")
    assert sent["CheckpointConfig"]["S3Uri"] == "s3://kennel-123456789012-us-east-1/checkpoints/cut-short/"
    page = visit(aws, "train", like="cut-short", resume="1")
    page.button(key="train-anew").click().run()
    assert "Goes on from" not in text(page)


def test_a_suggested_instance_is_taken_over_with_the_run(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train", like="drawn-dogs-5d20e9f1", instance="ml.c5.large")
    assert page.selectbox(key="train-instance-sagemaker").value == "c5.large"
    page = visit(aws, "train", like="drawn-dogs-5d20e9f1", volume="60")
    assert page.number_input(key="train-volume").value == 60


def test_a_tuning_job_is_cloned_with_its_search(aws: ScriptedAws, visit: Open) -> None:
    aws.add_tuning("search", [0.4, 0.3])
    page = visit(aws, "train", like="tuning:search")
    assert page.toggle(key="train-tune").value
    assert page.multiselect(key="train-over").value == ["learning_rate"]
    assert page.number_input(key="train-high-learning_rate").value == 0.1
    assert page.number_input(key="train-jobs").value == 4


def test_a_run_that_is_gone_is_said(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train", like="never-was")
    assert not page.exception
    assert "never-was" in text(page)
