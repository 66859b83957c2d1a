"""What became of an EC2 training, from its documents and its instance."""

import math
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboard.core.costs.prices import PriceBook
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.ec2_record import Ec2Record, run_from
from dashboard.core.runs.model import Capacity, Platform, Run, RunStatus

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CREATED = NOW - timedelta(minutes=10)
REQUEST = {
    "schema": 1,
    "name": "dogs-1",
    "created": CREATED.isoformat(),
    "instance_type": "m5.large",
    "capacity": "on-demand",
    "image_id": "ami-1",
    "volume_gb": 30,
    "max_seconds": 3600,
    "dataset_uri": "s3://bucket/datasets/dogs/",
    "code_uri": "s3://bucket/code/training-0/",
    "output_uri": "s3://bucket/ec2-runs/dogs-1/output/",
    "checkpoint_uri": "s3://bucket/ec2-runs/dogs-1/checkpoints/",
    "hyperparameters": {"epochs": "20"},
    "role": "arn:aws:iam::123456789012:role/KennelInstance",
    "tags": {"kennel:made-by": "kennel", "project": "breeds"},
}
LAUNCHED = {"instance_id": "i-1", "launched": (CREATED + timedelta(seconds=3)).isoformat(), "spot_price": "0.0412"}


def at(seconds: float) -> str:
    return (CREATED + timedelta(seconds=seconds)).isoformat()


def told(stage: str = "Training", status: str = "InProgress", **more: Any) -> dict[str, Any]:
    stages = [
        {"name": "Starting", "started": at(20), "ended": at(25), "message": ""},
        {"name": "Downloading", "started": at(25), "ended": at(30), "message": ""},
        {"name": "Training", "started": at(30), "ended": None, "message": ""},
    ]
    return {"status": status, "stage": stage, "stages": stages, "updated": at(90), "metrics": {}} | more


def instance(state: str, code: str = "", message: str = "", transition: str = "") -> dict[str, Any]:
    return {
        "InstanceId": "i-1",
        "State": {"Name": state},
        "StateReason": {"Code": code, "Message": message},
        "StateTransitionReason": transition,
        "LaunchTime": CREATED + timedelta(seconds=3),
    }


def read(status: dict[str, Any] | None = None, of: dict[str, Any] | None = None, **more: Any) -> Run:
    return run_from(Ec2Record(REQUEST, LAUNCHED, status or {}), of, NOW, **more)


def test_what_was_asked_for_is_told() -> None:
    run = read(told(), instance("running"))
    assert (run.key, run.platform, run.capacity) == ("ec2:dogs-1", Platform.EC2, Capacity.ON_DEMAND)
    assert (run.instance_type, run.instance_count, run.volume_gb) == ("m5.large", 1, 30)
    assert (run.dataset, run.project, run.is_kennels) == ("dogs", "breeds", True)
    assert (run.instance_id, run.spot_price) == ("i-1", Decimal("0.0412"))


@pytest.mark.parametrize("stage", ["Starting", "Downloading", "Training", "Uploading"])
def test_while_it_goes_on_its_report_says_where_it_is(stage: str) -> None:
    run = read(told(stage), instance("running"))
    assert run.status is RunStatus(stage)
    assert run.ended is None
    assert run.billed_so_far(NOW) == 597  # since its launch


def test_an_instance_that_has_not_reported_yet_is_starting() -> None:
    run = read({}, instance("pending"))
    assert run.status is RunStatus.STARTING
    assert [stage.name for stage in run.stages] == ["Starting"]


def test_a_completed_one_has_its_model_figures_and_seconds() -> None:
    done = told("Completed", "Completed", ended=at(100), artifact_uri="s3://m", metrics={"test:accuracy": 0.9})
    done["stages"][-1]["ended"] = at(98)
    done["stages"].append({"name": "Completed", "started": at(100), "ended": at(100), "message": ""})
    run = read(done)
    assert (run.status, run.artifact_uri, run.metrics) == (RunStatus.COMPLETED, "s3://m", {"test:accuracy": 0.9})
    assert (run.training_seconds, run.billable_seconds) == (97, 97)
    assert [stage.name for stage in run.stages] == ["Starting", "Starting", "Downloading", "Training", "Completed"]
    assert run.stages[0].seconds == 20


def test_ec2_bills_a_minute_at_least() -> None:
    run = read(told("Failed", "Failed", ended=at(13), failure="AlgorithmError: x"))
    assert (run.training_seconds, run.billable_seconds) == (10, 60)
    assert run.failure == "AlgorithmError: x"


@pytest.mark.parametrize(
    ("stage", "status"), [("Stopped", RunStatus.STOPPED), ("MaxRuntimeExceeded", RunStatus.OUT_OF_TIME)]
)
def test_how_it_was_stopped_is_told(stage: str, status: RunStatus) -> None:
    assert read(told(stage, "Stopped", ended=at(90))).status is status


def test_a_spot_instance_that_was_taken_back_can_be_resumed() -> None:
    run = read(told("Interrupted", "Stopped", ended=at(90)))
    assert run.status is RunStatus.RECLAIMED
    assert run.can_resume
    assert run.stages[-1].name == "Interrupted"
    assert run.interruptions == 1


def test_one_that_died_without_a_report_is_explained_by_its_instance() -> None:
    gone = instance("terminated", "Server.SpotInstanceTermination", "x", "Server.x (2026-11-21 11:52:00 GMT)")
    run = read(told(), gone)
    assert run.status is RunStatus.RECLAIMED
    assert run.ended == datetime(2026, 11, 21, 11, 52, tzinfo=UTC)
    assert run.stages[-1].name == "Interrupted"
    assert run.stages[-2].ended == run.ended


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("Client.UserInitiatedShutdown", RunStatus.STOPPED, ""),
        ("Client.InstanceInitiatedShutdown", RunStatus.FAILED, "shut down before"),
        ("Server.InternalError", RunStatus.FAILED, "Server.InternalError"),
    ],
)
def test_the_end_of_the_instance_is_the_end_of_the_run(code: str, status: RunStatus, said: str) -> None:
    run = read(told(), instance("terminated", code, "why"))
    assert run.status is status
    assert said in run.failure
    assert run.ended is not None


def test_a_stopped_instance_does_not_train_on() -> None:
    run = read(told(), instance("stopped", "Client.UserInitiatedShutdown"))
    assert run.status is RunStatus.STOPPED
    assert "does not train again" in run.failure


@pytest.mark.parametrize(
    ("code", "status"),
    [("Server.SpotInstanceTermination", RunStatus.INTERRUPTED), ("Client.UserInitiatedShutdown", RunStatus.STOPPING)],
)
def test_while_the_instance_shuts_down_its_training_may_still_report(code: str, status: RunStatus) -> None:
    run = read(told(), instance("shutting-down", code))
    assert run.status is status
    assert run.status.is_active


def test_an_instance_that_ec2_has_forgotten_is_gone() -> None:
    run = read(told(updated=at(90)), None)
    assert run.status is RunStatus.FAILED
    assert "left no report" in run.failure
    assert run.ended == CREATED + timedelta(seconds=90)


def test_one_that_ec2_could_not_be_asked_about_goes_on_as_it_reports() -> None:
    assert read(told(), None, asked=False).status is RunStatus.TRAINING


def test_a_launch_that_broke_off_is_said_after_a_while() -> None:
    bare = Ec2Record(REQUEST, {}, {})
    assert run_from(bare, None, CREATED + timedelta(minutes=1)).status is RunStatus.STARTING
    broken = run_from(bare, None, NOW)
    assert broken.status is RunStatus.FAILED
    assert "no instance was started" in broken.failure
    assert broken.billed_so_far(NOW) in (0.0, None)


def test_one_that_was_asked_to_stop_is_stopping_until_it_has() -> None:
    asked = Ec2Record(REQUEST, LAUNCHED, told(), is_to_stop=True)
    assert run_from(asked, instance("running"), NOW).status is RunStatus.STOPPING
    ended = Ec2Record(REQUEST, LAUNCHED, told("Stopped", "Stopped", ended=at(95)), is_to_stop=True)
    assert run_from(ended, None, NOW).status is RunStatus.STOPPED


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "Completed", "stage": 7, "ended": "yesterday", "metrics": [1], "stages": [3, {"name": None}]},
        {"status": None, "stage": None, "stages": None, "updated": 5},
        {"status": {"a": 1}, "metrics": {"loss": "low", "test:accuracy": 0.9}},
    ],
)
def test_whatever_stands_in_a_report_a_run_can_be_shown(broken: dict[str, Any]) -> None:
    run = run_from(Ec2Record(REQUEST | {"max_seconds": "long", "tags": "none"}, LAUNCHED, broken), None, NOW)
    assert run.name == "dogs-1"
    assert run.stages
    assert run.max_seconds is None


ODD = (None, 0, -1, float("inf"), float("nan"), 10**400, "", "x", "NaN", "-1", "<b>", [], {}, {"a": 1}, [1], True,
       "2026-11-21T11:00:00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59")  # fmt: skip


def test_whatever_stands_in_the_documents_makes_a_run_that_a_page_can_show() -> None:
    """Anybody who may write to the bucket may write anything, and an instance may die in the middle of a word."""
    source = random.Random(4)
    prices = PriceBook.load()
    for _ in range(3000):
        documents: list[dict[str, Any]] = [dict(REQUEST, capacity="spot"), dict(LAUNCHED), told(), {}]
        for document in documents:
            for member in [one for one in document if one not in ("name", "created") and source.random() < 0.15]:
                document[member] = source.choice(ODD)
                if member == "stages":
                    document[member] = [source.choice(ODD), {"name": source.choice(ODD), "started": source.choice(ODD)}]
        request, launched, status, nothing = documents
        record = Ec2Record(request, launched, source.choice([status, nothing]))
        run = run_from(record, source.choice([None, instance("running"), instance("terminated", "x")]), NOW)
        cost = run_cost(run, prices, "us-east-1", NOW)
        assert cost.amount is None or (cost.amount.is_finite() and cost.amount >= 0)
        assert all(math.isfinite(value) for value in run.metrics.values())
        assert run.elapsed(NOW) >= 0
