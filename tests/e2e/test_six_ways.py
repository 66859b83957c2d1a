"""Every way to train, launched in the browser, watched to its end, compared, and each model asked about a drawn dog."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ROOT, Kennel, no_exception, settle
from training.sample_data import draw_dog

pytestmark = pytest.mark.e2e

WAYS = ("single", "two", "spot", "search", "ec2", "ec2-spot")
NAMES = {way: f"six-{way}" for way in WAYS}
KEYS = {**NAMES, "search": "tuning:six-search", "ec2": "ec2:six-ec2", "ec2-spot": "ec2:six-ec2-spot"}
BOX = 17
"""Pixels from the left to the middle of the table's column of boxes; the table is drawn on a canvas."""
BREED = "Pembroke welsh corgi"


def choose(page: Page, field: str, word: str) -> None:
    page.locator(f".st-key-train-{field}").get_by_text(word, exact=True).click()
    settle(page)


def fill(page: Page, label: str, value: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")
    settle(page)


def launch(page: Page, kennel: Kennel, way: str) -> None:
    """Fill the form as that way needs, review, launch; ends on the run's own page."""
    page.goto(f"{kennel.url}/train")
    settle(page)
    if way.startswith("ec2"):
        choose(page, "platform", "EC2")
    if way.endswith("spot"):
        choose(page, "capacity", "Spot")
    if way == "two":
        fill(page, "Instances", "2")
    if way == "spot":
        page.get_by_text("More: cost cap").click()
        expect(page.get_by_label("After (seconds of training)", exact=True)).to_be_visible()
        fill(page, "After (seconds of training)", "1")
    fill(page, "Epochs", "400" if way == "spot" else "15")
    if way == "search":
        page.locator(".st-key-train-tune label").first.click()
        settle(page)
    fill(page, "Name", NAMES[way])
    page.locator(".st-key-review-launch button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(NAMES[way])
    dialog.locator(".st-key-confirm-do button").click()
    expect(page).to_have_url(re.compile(f"run={re.escape(KEYS[way]).replace(':', '(:|%3A)')}"))
    no_exception(page)


def watch(page: Page, kennel: Kennel, way: str) -> None:
    """Its own page until it has completed, which the page says by itself."""
    page.goto(f"{kennel.url}/run?run={KEYS[way]}")
    title = page.locator(".kn-title")
    expect(title).to_contain_text(NAMES[way])
    expect(title).to_contain_text(re.compile("completed in|failed|stopped|taken back"), timeout=150_000)
    expect(title).to_contain_text("completed in")
    no_exception(page)


def download(page: Page, kennel: Kennel, way: str, folder: Path) -> Path:
    """The run's model by the button on its page; a tuning job's is that of its best trial."""
    page.goto(f"{kennel.url}/run?run={KEYS[way]}")
    if way == "search":
        page.get_by_role("link", name="Best trial").click()
        expect(page.locator(".kn-title")).to_contain_text(re.compile("six-search-0"))
    with page.expect_download() as coming:
        page.locator(".st-key-download-model button").click()
    path = folder / f"{way}.tar.gz"
    coming.value.save_as(path)
    return path


def tick(page: Page, row: int, rows: int) -> None:
    """Click the box of a row; header and rows are of one height."""
    place = page.locator(".st-key-table-runs canvas").first.bounding_box()
    assert place is not None
    height = place["height"] / (rows + 1)
    page.mouse.click(place["x"] + BOX, place["y"] + height * (row + 1.5))
    settle(page)


def named(model: Path, photo: Path) -> str:
    """The breed that a model names first, by the package's own command."""
    told = subprocess.run(
        [sys.executable, "-m", "training.predict", "--model", str(model), "--json", str(photo)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return str(json.loads(told.stdout)[0]["predictions"][0]["breed"])


@pytest.mark.timeout(600)  # six trainings on whatever machine this is
def test_the_six_ways_to_train(page: Page, kennel: Kennel, tmp_path: Path) -> None:
    begun = time.monotonic()
    for way in WAYS:
        launch(page, kennel, way)
    for way in WAYS:
        watch(page, kennel, way)
    print(f"six runs launched and completed in {time.monotonic() - begun:.0f} s")

    page.goto(f"{kennel.url}/run?run={KEYS['spot']}")
    expect(page.locator(".kn-title")).to_contain_text("interrupted once")
    expect(page.get_by_label("Stages")).to_contain_text("taken back")
    expect(page.get_by_label("Stages")).to_contain_text("Waiting for spot capacity")
    expect(page.locator(".kn-saving")).to_contain_text("Spot saved")
    described = kennel.aws("sagemaker").describe_training_job(TrainingJobName=NAMES["spot"])
    assert described["BillableTimeInSeconds"] < described["TrainingTimeInSeconds"]

    page.goto(f"{kennel.url}/run?run={KEYS['search']}")
    expect(page.locator(".kn-title")).to_contain_text("4 of 4 trials ended, best valid:loss")
    expect(page.locator(".st-key-chart-side-by-side .js-plotly-plot")).to_be_visible()

    page.goto(f"{kennel.url}/runs?q=six-")
    table = page.locator(".st-key-table-runs canvas").first
    expect(table).to_be_visible()
    settle(page)
    page.locator(".st-key-kind").get_by_text("SageMaker", exact=True).click()
    page.locator(".st-key-kind").get_by_text("EC2", exact=True).click()
    page.locator(".st-key-kind").get_by_text("tuning", exact=True).click()
    expect(page.locator(".kn-title")).to_contain_text("6 shown")
    settle(page)
    for row in range(len(WAYS)):
        tick(page, row, len(WAYS))
        expect(page.locator(".st-key-run-bar")).to_contain_text(f"{row + 1} run")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page).to_have_url(re.compile("compare="))
    expect(page.locator(".kn-title")).to_contain_text("6 runs: ")
    expect(page.get_by_text("simulated").first).to_be_visible()
    for name in ("seconds", "cost", "accuracy"):
        bars = page.locator(f".st-key-chart-bars-{name} .js-plotly-plot")
        expect(bars).to_be_visible()
        expect(bars).not_to_contain_text("unknown")
    no_exception(page)

    photo = tmp_path / "corgi.jpg"
    draw_dog("118.Pembroke_welsh_corgi", seed=99).save(photo, "JPEG")
    assert {way: named(download(page, kennel, way, tmp_path), photo) for way in WAYS} == dict.fromkeys(WAYS, BREED)
