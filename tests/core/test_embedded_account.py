"""Core against a real embedded AWS: what is planned really trains, serves and answers."""

import io
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from dashboard.core.aws import connect
from dashboard.core.data import datasets as data
from dashboard.core.errors import AlreadyExists, InvalidInput, NotFound
from dashboard.core.runs.cost import run_cost
from dashboard.core.runs.launch import launch
from dashboard.core.runs.listing import RunBook, Window
from dashboard.core.runs.log import search_log, whole_log
from dashboard.core.runs.model import RunStatus
from dashboard.core.runs.model_card import read_card
from dashboard.core.runs.plan import TrainingSpec, plan
from dashboard.core.runs.usage import Measure, usage
from dashboard.core.runs.watch import get_run, progress, read_log, stop
from dashboard.core.serving.classify import classify, prepare_photo
from dashboard.core.serving.delete import delete_endpoint, plan_delete
from dashboard.core.serving.deploy import deploy, plan_deploy
from dashboard.core.serving.endpoints import get_endpoint
from tests.core.conftest import write_client
from tests.local_aws.sagemaker_world import role

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "kennel-123456789012-us-east-1"


def listed(live):
    return RunBook(lambda: datetime.now(UTC)).look(live, Window.WEEK, patience=30).runs


def wait(happened, seconds=90):
    deadline = time.monotonic() + seconds
    while not (told := happened()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return told


@pytest.fixture(scope="module")
def home(embedded, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kennel-home")
    keys = {"access_key_id": embedded.access_key_id, "secret_access_key": embedded.secret_access_key}
    write_client(folder, embedded.endpoint_url, **keys)
    return folder


@pytest.fixture(scope="module")
def live(home, embedded, drawn_dataset):
    """An account with the bucket, the roles and two datasets, made by plain boto3; as core sees it."""
    s3 = embedded.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for photo in sorted(drawn_dataset.rglob("*.jpg")):
        key = photo.relative_to(drawn_dataset).as_posix()
        s3.upload_file(str(photo), BUCKET, f"datasets/drawn/{key}")
        if key.startswith("train/") and "Poodle" in key:
            s3.upload_file(str(photo), BUCKET, f"datasets/poodles/{key}")
    for name in ("KennelTraining", "KennelEndpoint"):
        role(embedded, name)
    return connect({"KENNEL_HOME": str(home)})


def planned(aws, prices, name, dataset="drawn", past_runs=(), **more):
    spec = TrainingSpec(f"s3://{BUCKET}/datasets/{dataset}/", name=name, **more)
    return plan(
        spec, account=aws.account, prices=prices, past_runs=past_runs, now=datetime.now(UTC), token=f"of-{name}"
    )


@pytest.fixture(scope="module")
def trained(live, prices):
    """One training, launched twice as by a double click, watched to its end."""
    made = planned(live, prices, "drawn-1", epochs=5)
    assert launch(live, made) == launch(live, made) == "drawn-1"
    return wait(lambda: (run := get_run(live, "drawn-1")).status.is_final and run)


def test_the_datasets_are_counted_as_they_are_on_disk(live, drawn_dataset):
    found = {dataset.name: dataset for dataset in data.list_datasets(live)}
    photos = list(drawn_dataset.rglob("*.jpg"))
    assert found["drawn"].photos == len(photos)
    assert found["drawn"].size == sum(photo.stat().st_size for photo in photos)
    assert found["drawn"].classes == len(list((drawn_dataset / "train").iterdir()))
    assert found["drawn"].problem == ""
    assert "only one class" in found["poodles"].problem


def test_the_run_completed_with_stages_metrics_and_a_model(trained, embedded):
    assert trained.status is RunStatus.COMPLETED, trained.failure
    names = [stage.name for stage in trained.stages]
    assert names[0] == "Starting"
    assert {"Downloading", "Training", "Uploading"} <= set(names)
    assert all(stage.seconds is not None and stage.seconds >= 0 for stage in trained.stages)
    assert trained.billable_seconds and trained.billable_seconds > 0
    assert trained.hyperparameters["epochs"] == "5"
    assert 0 <= trained.metrics["test:accuracy"] <= 1
    key = trained.artifact_uri.removeprefix(f"s3://{BUCKET}/")
    assert embedded.client("s3").head_object(Bucket=BUCKET, Key=key)["ContentLength"] > 10_000


def test_a_double_click_made_one_job(live, trained, embedded):
    listed = embedded.client("sagemaker").list_training_jobs(NameContains="drawn-1")["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in listed] == ["drawn-1"]


def test_another_launch_of_that_name_is_refused(live, trained, prices):
    other = replace(planned(live, prices, "drawn-1"), order="somebody-else")
    with pytest.raises(AlreadyExists, match="already a run named drawn-1"):
        launch(live, other)


def test_its_log_has_the_curves(live, trained):
    page = read_log(live, "drawn-1")
    while page.has_more:
        page = read_log(live, "drawn-1", page.token)
    seen = progress(line.text for line in page.lines)
    assert seen.fraction == 1.0
    assert [epoch for epoch, _ in seen.curves["train:loss"]] == [1, 2, 3, 4, 5]
    assert seen.final["test:accuracy"] == pytest.approx(trained.metrics["test:accuracy"], abs=1e-3)
    assert read_log(live, "drawn-1", page.token).lines == ()


def test_its_receipt_and_what_the_next_one_will_cost(live, trained, prices):
    cost = run_cost(trained, prices, "us-east-1", datetime.now(UTC))
    assert cost.amount == pytest.approx(
        prices.price("sagemaker-training", "ml.m5.large", "us-east-1").amount * int(trained.billable_seconds) / 3600
    )
    following = planned(live, prices, "drawn-2", past_runs=listed(live))
    assert following.expected.seconds == trained.billable_seconds
    assert following.warnings == ()


def test_it_is_listed_as_it_is_described(live, trained):
    assert trained in listed(live)


def test_its_whole_log_is_searched_and_downloaded(live, trained):
    found = search_log(live, "drawn-1", "epoch=3/5")
    assert [line.text.split()[0] for line in found] == ["epoch=3/5"]
    assert found[0].host == "algo-1"
    text = whole_log(live, "drawn-1").decode()
    assert f" algo-1 {found[0].text}\n" in text
    assert search_log(live, "drawn-1", "no line says this") == ()


def test_what_it_used_of_its_instance_was_measured(live, trained):
    used = usage(live, trained, datetime.now(UTC))
    assert used.highest(Measure.CPU) > 10
    assert 0 < used.highest(Measure.MEMORY) < 100
    assert all(trained.started <= at <= trained.ended for at, _ in used.of(Measure.CPU)[0].points[1:-1])


def test_its_model_says_what_it_can(live, trained):
    card = read_card(live, trained.artifact_uri)
    assert card.summary
    assert card.metrics["test:accuracy"] == pytest.approx(trained.metrics["test:accuracy"], abs=1e-3)
    assert card.archive_bytes > 10_000


def test_a_dataset_that_cannot_be_trained_on_fails_in_words(live, prices):
    launch(live, planned(live, prices, "poodles-1", dataset="poodles"))
    run = wait(lambda: (run := get_run(live, "poodles-1")).status.is_final and run)
    assert run.status is RunStatus.FAILED
    assert "class" in run.failure
    assert run.artifact_uri == ""


def test_a_run_is_stopped_once_and_stays_stopped(live, prices):
    launch(live, planned(live, prices, "endless", epochs=1000))
    wait(lambda: get_run(live, "endless").status is RunStatus.TRAINING)
    assert stop(live, "endless").status in (RunStatus.STOPPING, RunStatus.STOPPED)
    run = wait(lambda: (run := get_run(live, "endless")).status.is_final and run)
    assert run.status is RunStatus.STOPPED
    assert stop(live, "endless").status is RunStatus.STOPPED


def test_the_trained_model_is_deployed_classifies_and_is_deleted(live, trained, prices, drawn_dataset, embedded):
    made = plan_deploy(trained, "drawn", "ml.m5.large", account=live.account, prices=prices, token="deploy-drawn")
    assert deploy(live, made) == deploy(live, made) == "drawn"
    endpoint = wait(lambda: not (e := get_endpoint(live, prices, "drawn")).status.is_changing and e)
    assert endpoint.status.is_serving, endpoint.failure
    assert endpoint.hourly.amount == made.hourly.amount

    picture = sorted((drawn_dataset / "test" / "057.Dalmatian").iterdir())[0]
    answer = classify(live, "drawn", prepare_photo(picture.read_bytes(), picture.name))
    assert len(answer.predictions) == 5
    assert answer.predictions[0].breed == "Dalmatian"
    assert sum(p.probability for p in answer.predictions) <= 1.001
    assert answer.sentence
    assert answer.seconds > 0

    broken = replace(prepare_photo(picture.read_bytes(), picture.name), jpeg=b"\xff\xd8\xff not a photo")
    with pytest.raises(InvalidInput) as caught:
        classify(live, "drawn", broken)
    assert "photo" in caught.value.why.lower()

    goes = plan_delete(live, prices, "drawn")
    assert goes.deletes == ("endpoint drawn", f"endpoint configuration {made.config_name}", f"model {made.model_name}")
    delete_endpoint(live, goes)
    wait(lambda: not embedded.client("sagemaker").list_endpoints(NameContains="drawn")["Endpoints"])
    with pytest.raises(NotFound):
        classify(live, "drawn", prepare_photo(picture.read_bytes(), picture.name))


def test_a_photo_of_any_kind_is_prepared_for_it():
    target = io.BytesIO()
    Image.new("CMYK", (300, 200), (0, 80, 80, 20)).save(target, "JPEG")
    assert prepare_photo(target.getvalue(), "print.jpg").jpeg.startswith(b"\xff\xd8")


def test_what_is_not_there_is_not_found(live):
    with pytest.raises(NotFound):
        get_run(live, "nobody")
