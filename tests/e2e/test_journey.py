"""Trainings launched in the browser: stopped, launched once by two clicks, refused beside the field."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Kennel, no_exception, settle

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
