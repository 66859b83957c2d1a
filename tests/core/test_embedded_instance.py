"""An EC2 training on a real embedded AWS: launched, watched, taken back, explained, deleted."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboard.core.aws import Aws, connect
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import NotFound
from dashboard.core.runs import watch
from dashboard.core.runs.clone import spec_of
from dashboard.core.runs.delete import delete, plan_delete
from dashboard.core.runs.explain import explain
from dashboard.core.runs.launch import launch
from dashboard.core.runs.listing import RunBook, Window
from dashboard.core.runs.look import look
from dashboard.core.runs.model import Capacity, Platform, Run, RunStatus
from dashboard.core.runs.plan import TrainingSpec, plan
from dashboard.core.runs.usage import Measure, usage
from tests.conftest import start_embedded, stop_embedded

BUCKET = "kennel-123456789012-us-east-1"
ROLE = "KennelInstance"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
FOLDERS = ("datasets", "code", "checkpoints", "ec2-runs")
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": f"arn:aws:s3:::{BUCKET}",
            "Condition": {"StringLike": {"s3:prefix": [f"{folder}/*" for folder in FOLDERS]}},
        },
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": [f"arn:aws:s3:::{BUCKET}/{folder}/*" for folder in FOLDERS],
        },
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:aws:logs:*:*:log-group:/kennel/ec2-runs*",
        },
        {
            "Effect": "Allow",
            "Action": "cloudwatch:PutMetricData",
            "Resource": "*",
            "Condition": {"StringEquals": {"cloudwatch:namespace": "Kennel/EC2Training"}},
        },
    ],
}
"""What a training on an instance needs, and no more: the embedded AWS holds it to that."""


def now() -> datetime:
    return datetime.now(UTC)


def until(happened: Callable[[], Run | None], seconds: float = 240) -> Run:
    deadline = time.monotonic() + seconds
    while (run := happened()) is None:
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return run


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory, drawn_dataset: Path) -> Iterator[Aws]:
    """An account with a dataset, and the role and profile that an instance needs."""
    home = tmp_path_factory.mktemp("instance-home")
    (home / "aws").mkdir()
    running = start_embedded(home / "aws")
    s3, iam = running.client("s3"), running.client("iam")
    s3.create_bucket(Bucket=BUCKET)
    for photo in sorted(drawn_dataset.rglob("*.jpg")):
        s3.upload_file(str(photo), BUCKET, f"datasets/drawn/{photo.relative_to(drawn_dataset).as_posix()}")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName=ROLE, PolicyName="train", PolicyDocument=json.dumps(POLICY))
    iam.create_instance_profile(InstanceProfileName=ROLE)
    iam.add_role_to_instance_profile(InstanceProfileName=ROLE, RoleName=ROLE)
    yield connect({"KENNEL_HOME": str(home)})
    stop_embedded(running)


@pytest.fixture(scope="module")
def taken(aws: Aws) -> Run:
    """A spot training whose instance was taken back while it trained."""
    spec = TrainingSpec(
        f"s3://{BUCKET}/datasets/drawn/",
        platform=Platform.EC2,
        capacity=Capacity.SPOT,
        instance_type="m5.large",
        epochs=1000,
        batch_size=1,
        max_seconds=600,
        name="drawn-ec2",
        advanced=(("hidden", "1024"), ("patience", "0")),  # minutes of training
    )
    made = plan(spec, account=aws.account, prices=PriceBook.load(), past_runs=(), now=now(), token="of-drawn-ec2",
                surroundings=look(aws, spec))  # fmt: skip
    key = launch(aws, made)
    assert launch(aws, made) == key == "ec2:drawn-ec2"

    def training() -> Run | None:
        run = watch.get_run(aws, key)
        assert run.status.is_active, run.failure
        epochs = any("epoch=" in line.text for line in watch.read_log(aws, key).lines)
        return run if run.can_interrupt and epochs else None

    watch.interrupt(aws, until(training), "once")
    return until(lambda: run if (run := watch.get_run(aws, key)).status.is_final else None)


def test_it_is_known_to_have_been_taken_back_and_can_be_resumed(aws: Aws, taken: Run) -> None:
    assert taken.status is RunStatus.RECLAIMED, taken.failure
    assert [stage.name for stage in taken.stages][-2:] == ["Training", "Interrupted"]
    assert taken.spot_price is not None
    assert taken.instance_id.startswith("i-")
    told = explain(taken, [line.text for line in watch.read_log(aws, taken.key).lines])
    assert told is not None
    assert "resume" in told.next_step
    assert spec_of(taken, resume=True).resume_from == taken.checkpoint_uri
    kept = aws.call("s3", "ListObjectsV2", Bucket=BUCKET, Prefix="ec2-runs/drawn-ec2/checkpoints/")
    assert kept["KeyCount"] > 0


def test_it_is_listed_as_it_is_described(aws: Aws, taken: Run) -> None:
    listing = RunBook(now).look(aws, Window.DAY, patience=30)
    assert not listing.problems
    assert listing.runs == (taken,)


def test_what_it_used_was_measured_by_itself(aws: Aws, taken: Run) -> None:
    used = usage(aws, taken, now())
    assert (used.highest(Measure.CPU) or 0) > 10
    assert 0 < (used.highest(Measure.MEMORY) or 0) < 100


def test_stopping_it_again_leaves_it_as_it_is(aws: Aws, taken: Run) -> None:
    assert watch.stop(aws, taken.key) == taken


def test_it_is_deleted_with_everything_it_left(aws: Aws, taken: Run) -> None:
    made = plan_delete(aws, [taken], with_artifacts=True)
    assert made.objects >= 4
    assert [one.problem for one in delete(aws, made)] == [None]
    for prefix in ("ec2-runs/", "ec2-index/"):
        assert aws.call("s3", "ListObjectsV2", Bucket=BUCKET, Prefix=prefix)["KeyCount"] == 0
    assert watch.read_log(aws, taken.key).lines == ()
    with pytest.raises(NotFound):
        watch.get_run(aws, taken.key)
