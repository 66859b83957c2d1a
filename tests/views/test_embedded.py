"""The pages on a real embedded AWS: really empty, then really trained, deployed, asked and deleted."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from tests.conftest import ROOT, Embedded, start_embedded, stop_embedded
from tests.views.conftest import APP, links, text

PATIENCE = 120


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    running = start_embedded(tmp_path_factory.mktemp("home") / "aws")
    yield running
    stop_embedded(running)


@pytest.fixture
def page(own: Embedded, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("KENNEL_HOME", str(own.state.parent))
    return AppTest.from_file(str(APP), default_timeout=30).run()


def go(page: AppTest, name: str, **query: str) -> None:
    page.switch_page(f"views/{name}.py")
    for key, value in query.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception


def launch(page: AppTest, name: str, epochs: int) -> None:
    """Train page → review → confirm; ends on the run's page."""
    go(page, "train")
    page.number_input(key="train-epochs").set_value(epochs)
    page.text_input(key="train-name").set_value(name).run()
    page.button(key="review-launch").click().run()
    page.button(key="confirm-do").click().run()
    assert page.query_params["run"] == name
    assert f"{name}</h1>" in text(page)
    go(page, "run", run=name)  # a test has no browser that would stay where it was sent


def wait_for(page: AppTest, words: str) -> str:
    """Look again until the page says `words`; what it says then."""
    deadline = time.monotonic() + PATIENCE
    while words not in (said := text(page)):
        assert time.monotonic() < deadline, f"never said {words!r}:\n{said}"
        time.sleep(0.3)
        state.forget()
        page.run()
        assert not page.exception
    return said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("overview", "nothing was trained or served here yet"),
        ("train", "This account is not set up for Kennel yet."),
        ("runs", "No run in the last 7 days."),
        ("classify", "No model is serving."),
    ],
)
def test_a_new_account_is_empty_and_every_page_says_what_is_next(page: AppTest, name: str, said: str) -> None:
    if name != "overview":
        go(page, name)
    assert not page.exception
    assert said in text(page)


def test_from_data_to_a_classified_photo_and_back(page: AppTest, own: Embedded, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "local_aws.sample_account", "--state", str(own.state)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert "1 endpoint serving" in wait_for(page, "1 endpoint serving")

    launch(page, "by-hand", epochs=3)
    said = wait_for(page, "completed in")
    assert "epoch=3/3" in said
    shown = {chart.proto.id.rsplit("-chart-", 1)[-1] for chart in page.get("plotly_chart")}
    assert {"curve-accuracy", "curve-loss"} <= shown
    assert "whole seconds, as AWS bills" in said
    assert "nothing was charged" in said
    assert "Against plan" in said  # what the launch expected is kept with the run

    page.button(key="deploy-model").click().run()
    page.text_input(key="deploy-name").set_value("by-hand-live").run()
    page.button(key="confirm-do").click().run()
    wait_for(page, "✓</span> serving")
    assert ("Classify", "classify", "endpoint=by-hand-live") in links(page)

    go(page, "classify")
    page.selectbox(key="endpoint").set_value("by-hand-live").run()
    page.button(key="drawn").click().run()
    said = text(page)
    assert "1 photo answered in this tab" in said
    assert "answered by by-hand-live" in said

    go(page, "overview")
    page.button(key="delete-by-hand-live").click().run()
    page.text_input(key="confirm-name").set_value("by-hand-live").run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    names = [e["EndpointName"] for e in own.client("sagemaker").list_endpoints()["Endpoints"]]
    assert "by-hand-live" not in names or "being deleted" in text(page)


def test_a_run_is_stopped(page: AppTest, own: Embedded) -> None:
    launch(page, "too-long", epochs=1000)
    page.button(key="stop-run").click().run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    wait_for(page, "stopped after")
    assert own.client("sagemaker").describe_training_job(TrainingJobName="too-long")["TrainingJobStatus"] == "Stopped"


def test_when_the_embedded_aws_goes_away_the_page_says_so(page: AppTest, own: Embedded) -> None:
    stop_embedded(own)
    state.forget()
    page.run()
    assert not page.exception
    said = text(page)
    assert "is not answering" in said
    assert "Try again" in said
