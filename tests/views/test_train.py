"""Train: what will this cost, how long will it take, and launching it once."""

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.core.errors import QuotaExceeded, Throttled, Unreachable
from tests.views.conftest import Open, links, text
from tests.views.scripted import ScriptedAws


def review(page: AppTest) -> AppTest:
    return page.button(key="review-launch").click().run()


def test_it_quotes_what_the_form_describes(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "train")
    assert not page.exception
    said = text(page)
    assert "about 1 min 11 s and $0.0023, at most 1 h and $0.115 · simulated" in said
    assert "median of 2 completed runs of this data on ml.m5.large" in said
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
    page.selectbox(key="train-instance").set_value("ml.c5.2xlarge").run()
    said = text(page)
    assert "how long it will take is unknown" in said
    assert "no completed run of this data on ml.c5.2xlarge yet" in said
    assert "$0.816" in said  # 2 h of ml.c5.2xlarge


def test_the_candidates_are_a_table_with_the_chosen_one_marked(aws: ScriptedAws, visit: Open) -> None:
    table = visit(aws, "train").dataframe[0].value
    assert list(table["Price/h"]) == sorted(table["Price/h"])
    chosen = table[table["Chosen"] == "●"]
    assert list(chosen["Instance"]) == ["ml.m5.large"]
    assert list(chosen["Expected cost"]) == ["$0.0023"]
    assert "unknown" in set(table["Expected time"])


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
    assert list(page.dataframe[0].value["Expected cost"])[1] == "$0.0023"  # the table stays
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
    assert "5 epochs, learning rate" in said
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


def test_the_same_review_confirmed_twice_makes_one_run(aws: ScriptedAws, visit: Open) -> None:
    first, second = visit(aws, "train"), visit(aws, "train")
    review(first)
    second.session_state["train-token"] = first.session_state["train-token"]  # the same tab's second click
    second.run()
    review(second)
    before = len(aws.jobs)
    first.button(key="confirm-do").click().run()
    second.button(key="confirm-do").click().run()
    assert len(aws.jobs) == before + 1
    assert first.query_params["run"] == second.query_params["run"]


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


def test_an_earlier_runs_settings_can_be_taken_over(aws: ScriptedAws, visit: Open) -> None:
    aws.jobs["drawn-dogs-c77a1b02"] |= {
        "HyperParameters": {"epochs": "7", "learning_rate": "0.005", "batch_size": "16"},
        "ResourceConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
    }
    page = visit(aws, "train", like="drawn-dogs-c77a1b02")
    assert page.number_input(key="train-epochs").value == 7
    assert page.number_input(key="train-rate").value == 0.005
    assert page.number_input(key="train-batch").value == 16
    assert page.selectbox(key="train-instance").value == "ml.c5.xlarge"


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
    assert not links(page)


def test_the_form_opens_by_itself_once_there_is_data(
    empty: ScriptedAws, visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit(empty, "train")
    empty.add_dataset()
    later = state.now() + timedelta(seconds=5)
    monkeypatch.setattr(state, "now", lambda: later)
    assert page.run().selectbox(key="train-data").options == ["drawn-dogs · 168 photos · 6 breeds"]


@pytest.mark.parametrize("error", [Unreachable("nothing answers"), Throttled("AWS asks to slow down")])
def test_an_account_that_does_not_answer_is_explained(aws: ScriptedAws, visit: Open, error: Exception) -> None:
    aws.errors["*"] = error
    page = visit(aws, "train")
    assert not page.exception
    assert text(page).count("</h1>") == 1
    assert str(error).capitalize()[:10].lower() in text(page).lower()
    assert page.button(key="problem-again")
