"""The whole path in the browser: train on the drawn dogs, watch it complete, deploy its model, classify with it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Kennel, no_exception, settle
from training.sample_data import draw_dog

pytestmark = pytest.mark.e2e


def launch(page: Page, kennel: Kennel, name: str, epochs: int) -> None:
    """Fill the form, review, launch; ends on the run's own page."""
    page.goto(f"{kennel.url}/train")
    page.get_by_label("Name").fill(name)
    field = page.get_by_label("Epochs")
    field.fill(str(epochs))
    field.press("Enter")
    settle(page)
    page.locator(".st-key-review-launch button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(name)
    expect(dialog).to_contain_text(f"{epochs} epochs")
    dialog.locator(".st-key-confirm-do button").click()
    expect(page).to_have_url(re.compile(f"run={name}"))


def test_train_watch_deploy_classify(page: Page, kennel: Kennel, tmp_path: Path) -> None:
    name = "browser-journey"
    launch(page, kennel, name, epochs=8)
    expect(page.locator(".st-key-deploy-model button")).to_be_visible(timeout=90_000)
    described = kennel.aws("sagemaker").describe_training_job(TrainingJobName=name)
    assert described["TrainingJobStatus"] == "Completed"
    assert described["BillableTimeInSeconds"] > 0
    expect(page.get_by_text("epoch=8/8").first).to_be_visible()
    expect(page.get_by_text("simulated").first).to_be_visible()
    no_exception(page)

    page.locator(".st-key-deploy-model button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("/h")
    dialog.locator(".st-key-confirm-do button").click()
    row = page.locator(f".st-key-row-endpoint-{name}")
    expect(row.get_by_role("link", name="Classify")).to_be_visible(timeout=60_000)
    row.get_by_role("link", name="Classify").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Classify")

    picture = tmp_path / "corgi.jpg"
    draw_dog("118.Pembroke_welsh_corgi", seed=99).save(picture, "JPEG")
    page.locator("input[type=file]").first.set_input_files(str(picture))
    answer = page.locator(".kn-answer")
    expect(answer).to_contain_text("Pembroke Welsh Corgi")
    expect(answer).to_contain_text(name)
    no_exception(page)

    page.goto(f"{kennel.url}/runs?run={name}")
    page.locator(f".st-key-delete-{name} button").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(name)
    dialog.locator(".st-key-confirm-do button").click()
    expect(row).to_have_count(0, timeout=30_000)
    assert name not in [e["EndpointName"] for e in kennel.aws("sagemaker").list_endpoints()["Endpoints"]]


def test_a_run_is_stopped_from_its_page(page: Page, kennel: Kennel) -> None:
    name = "browser-stop"
    launch(page, kennel, name, epochs=1000)
    page.locator(".st-key-stop-run button").click()
    page.get_by_role("dialog").locator(".st-key-confirm-do button").click()
    expect(page.get_by_text("Stopped", exact=False).first).to_be_visible(timeout=60_000)
    settle(page)
    described = kennel.aws("sagemaker").describe_training_job(TrainingJobName=name)
    assert described["TrainingJobStatus"] in ("Stopping", "Stopped")


def test_two_tabs_launch_one_run(page: Page, kennel: Kennel) -> None:
    """A double click on Launch is one job: the name is the same, and so is the intent behind it."""
    name = "browser-twice"
    page.goto(f"{kennel.url}/train")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Name").press("Enter")
    settle(page)
    page.locator(".st-key-review-launch button").click()
    page.get_by_role("dialog").locator(".st-key-confirm-do button").dblclick()
    expect(page).to_have_url(re.compile(f"run={name}"))
    no_exception(page)
    found = kennel.aws("sagemaker").list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in found] == [name]


def test_what_does_not_fit_is_said_beside_the_field(page: Page, kennel: Kennel) -> None:
    page.goto(f"{kennel.url}/train")
    field = page.get_by_label("Epochs")
    field.fill("100000")
    field.press("Enter")
    expect(page.get_by_text("epochs", exact=False).filter(has_text="1,000").first).to_be_visible()
    expect(page.locator(".st-key-review-launch button")).to_be_disabled()
    no_exception(page)
