"""What an identity may not read is said with its action, and everything else on the page stands."""

import pytest

from dashboard.core.errors import AccessDenied, ServiceFault, Unreachable
from tests.views.conftest import Open, text
from tests.views.scripted import ScriptedAws

DONE, LIVE = "drawn-dogs-5d20e9f1", "drawn-dogs-2f91c0aa"


def deny(aws: ScriptedAws, operation: str, action: str) -> None:
    aws.errors[operation] = AccessDenied(
        f"not allowed to {action}",
        "no policy of this identity allows it",
        f'ask for this statement: {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}',
        action=action,
    )


@pytest.mark.parametrize("operation", ["DescribeLogStreams", "GetLogEvents"])
@pytest.mark.parametrize("key", [DONE, LIVE])
def test_a_run_without_its_log_is_still_a_run(aws: ScriptedAws, visit: Open, operation: str, key: str) -> None:
    deny(aws, operation, f"logs:{operation}")
    page = visit(aws, "run", run=key)
    assert not page.exception
    said = text(page)
    assert f"Not allowed to logs:{operation}" in said
    assert "ask for this statement" in said.lower()
    assert "Downloading" in said  # its stages
    assert "learning rate" in said.lower()  # what it was given
    assert "$" in said  # what it cost


def test_runs_are_compared_without_their_curves(aws: ScriptedAws, visit: Open) -> None:
    aws.add_ec2("dogs-ec2")
    deny(aws, "GetLogEvents", "logs:GetLogEvents")
    page = visit(aws, "compare", compare=f"{DONE},ec2:dogs-ec2")
    assert not page.exception
    assert list(page.dataframe[0].value["Run"]) == [DONE, "dogs-ec2"]
    assert text(page).count("Curves are missing: not allowed to logs:GetLogEvents") == 1


def test_of_runs_that_cannot_be_read_the_others_are_compared(aws: ScriptedAws, visit: Open) -> None:
    aws.add_ec2("dogs-ec2")
    deny(aws, "GetObject", "s3:GetObject")
    page = visit(aws, "compare", compare=f"{DONE},ec2:dogs-ec2")
    assert not page.exception
    assert list(page.dataframe[0].value["Run"]) == [DONE]
    assert "ec2:dogs-ec2 cannot be read: not allowed to s3:GetObject" in text(page)


def test_a_tuning_job_whose_best_trial_was_deleted_is_compared(aws: ScriptedAws, visit: Open) -> None:
    aws.add_tuning("search", [0.9, 0.2])
    del aws.jobs[aws.trials["search"][1]]
    page = visit(aws, "compare", compare=f"{DONE},tuning:search")
    assert not page.exception
    assert list(page.dataframe[0].value["Run"]) == [DONE, "search"]


def test_an_ec2_run_is_shown_from_its_own_report_where_ec2_cannot_be_asked(aws: ScriptedAws, visit: Open) -> None:
    aws.add_ec2("dogs-ec2", "InProgress", age=60)
    deny(aws, "DescribeInstances", "ec2:DescribeInstances")
    page = visit(aws, "run", run="ec2:dogs-ec2")
    assert not page.exception
    assert "Training" in text(page)
    assert page.button(key="stop-run")


@pytest.mark.parametrize("key", ["tuning:search", DONE])
def test_tags_that_cannot_be_read_hide_nothing_else(aws: ScriptedAws, visit: Open, key: str) -> None:
    aws.add_tuning("search", [0.9, 0.2])
    deny(aws, "ListTags", "sagemaker:ListTags")
    deny(aws, "Search", "sagemaker:Search")
    page = visit(aws, "run", run=key)
    assert not page.exception
    assert "cannot be shown" not in text(page)


def test_the_form_opens_without_the_right_to_read_an_objects_tags(aws: ScriptedAws, visit: Open) -> None:
    deny(aws, "GetObjectTagging", "s3:GetObjectTagging")
    page = visit(aws, "train")
    assert not page.exception
    assert page.button(key="review-launch")


@pytest.mark.parametrize("is_denied", [True, False], ids=["denied", "failing"])
def test_the_form_says_that_past_runs_could_not_be_read(aws: ScriptedAws, visit: Open, is_denied: bool) -> None:
    deny(aws, "Search", "sagemaker:Search")
    if not is_denied:
        aws.errors["Search"] = ServiceFault("sagemaker Search failed inside AWS", "HTTP 500", "try again in a minute")
    page = visit(aws, "train")
    assert not page.exception
    assert "Trainings cannot be read, so that the time they took is not in what is expected" in text(page)
    assert page.button(key="review-launch")


def test_a_service_out_of_reach_hides_no_run_of_another(aws: ScriptedAws, visit: Open) -> None:
    """A network may have a way to SageMaker and S3, and none to EC2."""
    aws.add_ec2("dogs-ec2", "InProgress", age=60)
    aws.errors["DescribeInstances"] = Unreachable("AWS is not answering", "ConnectTimeoutError", "check the network")
    page = visit(aws, "runs")
    assert not page.exception
    assert {DONE, "dogs-ec2"} <= set(page.dataframe[0].value["Run"])
    assert "EC2 trainings cannot be shown: AWS is not answering" in text(page)
    aws.errors = {"Search": aws.errors["DescribeInstances"]}
    page = visit(aws, "runs")
    assert "dogs-ec2" in set(page.dataframe[0].value["Run"])
    assert "trainings cannot be shown: AWS is not answering" in text(page)
