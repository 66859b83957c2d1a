from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from dashboard.core.errors import (
    AccessDenied,
    AlreadyExists,
    InvalidInput,
    NotFound,
    QuotaExceeded,
    Refused,
    Throttled,
)
from dashboard.core.runs.checks import Check, CheckState
from dashboard.core.runs.launch import launch
from dashboard.core.runs.plan import TrainingSpec, plan
from dashboard.core.runs.spec import Tuning
from dashboard.core.runs.tuning_spec import DEFAULT_RANGES
from tests.core.conftest import Reply, refusal
from tests.core.runs.made import DOGS, NOW

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/dogs-1"


@pytest.fixture
def planned(aws, prices):
    spec = TrainingSpec(DOGS, name="dogs-1")
    return plan(spec, account=aws.account, prices=prices, past_runs=(), now=NOW, token="4f2a9c")


@pytest.fixture
def jobs(fake):
    """SageMaker as far as launching is concerned: names are unique."""
    made: dict[str, list[dict[str, str]]] = {}

    def create(request):
        name = request["TrainingJobName"]
        if name in made:
            return refusal("ResourceInUse", "Job name must be unique within an AWS account and region")
        made[name] = request["Tags"]
        return {"TrainingJobArn": ARN}

    fake.on("S3 HEAD", Reply(b"", 404))
    fake.on("S3 PUT", Reply(b""))
    fake.on("CreateTrainingJob", create)
    fake.on("DescribeTrainingJob", lambda p: {"TrainingJobName": p["TrainingJobName"], "TrainingJobArn": ARN})
    fake.on("ListTags", lambda p: {"Tags": made[p["ResourceArn"].rsplit("/")[-1]]})
    return made


def test_launching_sends_the_plan_as_it_is(aws, fake, jobs, planned):
    assert launch(aws, planned) == "dogs-1"
    assert fake.calls[-1] == ("CreateTrainingJob", planned.request)


def test_a_double_click_launches_once(aws, jobs, planned):
    assert launch(aws, planned) == launch(aws, planned) == "dogs-1"
    assert len(jobs) == 1


def test_a_name_that_is_taken_by_another_launch_is_refused(aws, prices, jobs, planned):
    launch(aws, planned)
    other = plan(planned.spec, account=aws.account, prices=prices, past_runs=(), now=NOW, token="other")
    with pytest.raises(AlreadyExists, match="dogs-1") as caught:
        launch(aws, other)
    assert caught.value.next_step


def test_what_was_changed_after_a_lost_answer_is_not_taken_for_what_was_launched(aws, prices, jobs, planned):
    launch(aws, planned)
    changed = replace(planned.spec, epochs=3)
    again = plan(changed, account=aws.account, prices=prices, past_runs=(), now=NOW, token="4f2a9c")
    with pytest.raises(AlreadyExists, match="dogs-1"):
        launch(aws, again)


def test_two_clicks_at_once_launch_once(aws, jobs, planned):
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: launch(aws, planned), range(8))) == {"dogs-1"}
    assert len(jobs) == 1


def test_a_refusal_passes_through(aws, fake, planned):
    message = (
        "User: x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/KennelTraining because"
    )
    fake.on("S3 HEAD", Reply(b"", 404))
    fake.on("S3 PUT", Reply(b""))
    fake.on("CreateTrainingJob", refusal("AccessDeniedException", message))
    with pytest.raises(AccessDenied, match="iam:PassRole"):
        launch(aws, planned)


def test_a_tuning_job_is_launched_once_under_its_own_key(aws, fake, prices):
    made = {}

    def create(request):
        name = request["HyperParameterTuningJobName"]
        if name in made:
            return refusal("ResourceInUse", "Hyperparameter tuning job names must be unique")
        made[name] = request["Tags"]
        return {"HyperParameterTuningJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:x/{name}"}

    fake.on("S3 HEAD", Reply(b"", 404))
    fake.on("S3 PUT", Reply(b""))
    fake.on("CreateHyperParameterTuningJob", create)
    fake.on(
        "DescribeHyperParameterTuningJob",
        lambda p: {"HyperParameterTuningJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:x/{next(iter(made))}"},
    )
    fake.on("ListTags", lambda p: {"Tags": made[p["ResourceArn"].rsplit("/")[-1]]})
    spec = TrainingSpec(DOGS, name="dogs-1", tuning=Tuning(DEFAULT_RANGES))
    planned = plan(spec, account=aws.account, prices=prices, past_runs=(), now=NOW, token="4f2a9c")
    assert launch(aws, planned) == launch(aws, planned) == "tuning:dogs-1"
    other = plan(spec, account=aws.account, prices=prices, past_runs=(), now=NOW, token="other")
    with pytest.raises(AlreadyExists, match="dogs-1"):
        launch(aws, other)


def test_the_training_package_is_sent_before_the_job(aws, fake, jobs, planned):
    launch(aws, planned)
    sent = [asked["path"].rsplit("/", 1)[1] for name, asked in fake.calls if name == "S3 PUT"]
    assert set(sent) == {"start.sh", "training.tar.gz"}
    operations = [name for name, _ in fake.calls]
    assert operations.index("CreateTrainingJob") > max(n for n, name in enumerate(operations) if name == "S3 PUT")


def test_what_a_check_forbids_is_not_sent(aws, fake, jobs, planned):
    stop = Check("Quota", CheckState.STOP, "“ml.m5.large” is 0 instances.", "Ask for more.")
    with pytest.raises(Refused, match="0 instances") as caught:
        launch(aws, replace(planned, checks=(stop,)))
    assert caught.value.next_step == "Ask for more"
    assert not fake.calls


@pytest.mark.parametrize(
    ("code", "message", "meaning"),
    [
        ("ThrottlingException", "Rate exceeded", Throttled),
        ("ResourceLimitExceeded", "The limit 'ml.m5.large for training job usage' is 0", QuotaExceeded),
        ("ValidationException", 'No S3 objects found under S3 URL "s3://b/d/" given.', InvalidInput),
    ],
)  # fmt: skip
def test_what_sagemaker_refuses_says_what_to_do(aws, fake, jobs, planned, code, message, meaning):
    fake.on("CreateTrainingJob", refusal(code, message))
    with pytest.raises(meaning) as caught:
        launch(aws, planned)
    assert caught.value.next_step
    tries = 2 if meaning is Throttled else 1  # botocore asks again with a growing pause, and then says so
    assert fake.counts["CreateTrainingJob"] == tries
    if meaning is Throttled:
        assert "retries were used up" in caught.value.why


def test_without_a_bucket_nothing_is_launched(aws, fake, jobs, planned):
    fake.on(
        "S3 PUT", Reply(b"<Error><Code>NoSuchBucket</Code><Message>The bucket does not exist</Message></Error>", 404)
    )
    with pytest.raises(NotFound, match="does not exist"):
        launch(aws, planned)
    assert fake.counts["CreateTrainingJob"] == 0
