from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from dashboard.core.errors import AccessDenied, AlreadyExists
from dashboard.core.runs.launch import launch
from dashboard.core.runs.plan import TrainingSpec, plan
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
