"""What it cost, in the browser: every figure opens to what it is made of, and what is found is acted on."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Kennel, no_exception, settle, wait_for

pytestmark = pytest.mark.e2e

SAMPLE = "of=sample&period=12m&by=project"
PROJECT = f"{SAMPLE}&project={quote('project C')}"
"""Three receipts that do not grow while they are looked at."""
HOUR = Decimal(3600)
FORGOTTEN = "left-over"


def opened(page: Page, kennel: Kennel, path: str) -> None:
    page.goto(f"{kennel.url}/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settle(page)
    no_exception(page)


def downloaded(page: Page, key: str) -> list[dict[str, str]]:
    """The rows of a CSV behind a button."""
    with page.expect_download() as waiting:
        page.locator(f".st-key-{key} button").click()
    return list(csv.DictReader(io.StringIO(waiting.value.path().read_text())))


def amount(text: str) -> Decimal:
    """The first sum of money in a text."""
    found = re.search(r"\$([0-9][0-9,.]*)", text)
    assert found, text
    return Decimal(found[1].replace(",", "").rstrip("."))


def figure(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-figure-{key}")


def by_hand(kennel: Kennel) -> dict[str, Decimal]:
    """What project C's trainings cost, from AWS's raw answers and prices copied from AWS's price lists."""
    sagemaker, s3 = kennel.aws("sagemaker"), kennel.aws("s3")
    costs: dict[str, Decimal] = {}
    for name in ("project-c-single", "project-c-two-on-spot"):
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        seconds = job["BillableTimeInSeconds"] * job["ResourceConfig"]["InstanceCount"]
        costs[f"run:{name}"] = Decimal("0.408") * seconds / HOUR
    folder = "ec2-runs/project-c-ec2"
    bucket = "kennel-123456789012-us-east-1"
    documents = {
        name: json.loads(s3.get_object(Bucket=bucket, Key=f"{folder}/{name}.json")["Body"].read())
        for name in ("instance", "status")
    }
    ran = datetime.fromisoformat(documents["status"]["ended"]) - datetime.fromisoformat(
        documents["instance"]["launched"]
    )
    costs["run:ec2:project-c-ec2"] = (Decimal("0.085") + Decimal("0.005")) * int(ran.total_seconds()) / HOUR
    return costs


def test_the_total_opens_to_receipts_that_add_up_and_one_receipt_to_its_lines(page: Page, kennel: Kennel) -> None:
    opened(page, kennel, f"costs?{PROJECT}")
    total = figure(page, "spend-total")
    expect(total).to_contain_text("sample")
    shown = amount(total.inner_text())
    total.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/receipt"))
    expect(page.locator(".kn-total", has_text="Sum of")).to_be_visible()  # not the page before it any more
    expect(page.get_by_role("heading", level=1)).to_contain_text("$")
    settle(page)
    assert amount(page.get_by_role("heading", level=1).inner_text()) == shown
    rows = downloaded(page, "download-receipts")
    hand = by_hand(kennel)
    assert {row["receipt"]: round(Decimal(row["amount"]), 9) for row in rows} == {
        key: round(cost, 9) for key, cost in hand.items()
    }
    exact = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
    assert round(exact, 4) == shown
    assert Decimal(str(page.locator(".kn-total").get_attribute("title")).lstrip("$")) == exact

    opened(page, kennel, f"receipt?{PROJECT}&receipt=run:project-c-single")
    lines = page.locator(".st-key-panel-receipt-lines")
    expect(lines).to_contain_text("$0.075140")
    expect(lines).to_contain_text("$0.408/h")
    expect(page.locator(".st-key-panel-receipt-facts")).to_contain_text("663")
    page.get_by_role("link", name="Open the run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("project-c-single")
    expect(page.get_by_text("Nothing ran on this machine")).to_be_visible()
    no_exception(page)


def test_the_file_is_the_view_so_is_the_paper_and_the_largest_lead_to_their_receipts(
    page: Page, kennel: Kennel
) -> None:
    opened(page, kennel, f"costs?{PROJECT}")
    expect(figure(page, "spend-total")).to_contain_text("Open 3 receipts")
    rows = downloaded(page, "download-receipts")
    assert {row["money"] for row in rows} == {"sample"}
    assert {row["project"] for row in rows} == {"project C"}
    assert round(sum(Decimal(row["amount"]) for row in rows), 4) == amount(figure(page, "spend-total").inner_text())
    assert all(page.get_by_text(name).count() for name in ("project-c-single", "project-c-two-on-spot"))

    page.emulate_media(media="print")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(page.locator(".st-key-download-receipts button")).to_be_hidden()  # nobody clicks on paper
    expect(figure(page, "spend-total")).to_be_visible()
    expect(page.get_by_text("project-c-two-on-spot").first).to_be_visible()
    expect(page.get_by_text("days are UTC").first).to_be_visible()

    page.emulate_media(media="screen")
    page.get_by_role("link", name="$0.1308").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("project-c-two-on-spot")
    expect(figure(page, "receipt-saving")).to_contain_text("Spot saved")
    no_exception(page)


def test_the_cheapest_that_meets_a_deadline_is_one_sentence(page: Page, kennel: Kennel) -> None:
    opened(page, kennel, "choices?of=sample")
    expect(page.get_by_text(re.compile(r"Cheapest: EC2 t2\.micro at \$0\.0245")).first).to_be_visible()
    field = page.get_by_role("spinbutton", name="Within (minutes)")
    field.fill("15")
    field.press("Enter")
    said = page.get_by_text(re.compile(r"ml\.c5\.2xlarge at \$0\.0751")).first
    expect(said).to_be_visible()
    expect(page).to_have_url(re.compile("within=15", re.IGNORECASE))
    no_exception(page)


def test_a_budget_is_planned_confirmed_and_shown(page: Page, kennel: Kennel, left_over: str) -> None:
    opened(page, kennel, "costs?of=simulated")
    page.locator(".st-key-budget-set button").click()
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_label("Limit a month (USD)")
    field.fill("500")
    field.press("Enter")
    dialog.get_by_label("Tell these e-mail addresses").fill("ada@example.com")
    expect(dialog).to_contain_text("CreateBudget")
    dialog.locator(".st-key-confirm-do button").click()
    expect(page.locator(".st-key-panel-budget")).to_contain_text("of $500")
    expect(figure(page, "spend-budget")).to_contain_text("Budget left")
    budgets = kennel.aws("budgets").describe_budgets(AccountId="123456789012")["Budgets"]
    assert [Decimal(one["BudgetLimit"]["Amount"]) for one in budgets] == [Decimal(500)]
    no_exception(page)


@pytest.fixture(scope="module")
def left_over(kennel: Kennel) -> Iterator[str]:
    """An endpoint that Kennel made for a demo, past its time."""
    sagemaker = kennel.aws("sagemaker")
    marks = {"kennel:made-by": "kennel", "kennel:expires": "2026-01-01T00:00:00Z"}
    tags = [{"Key": key, "Value": value} for key, value in marks.items()]
    sagemaker.create_endpoint(EndpointName=FORGOTTEN, EndpointConfigName="starter", Tags=tags)
    wait_for(
        "the endpoint",
        lambda: sagemaker.describe_endpoint(EndpointName=FORGOTTEN)["EndpointStatus"] == "InService",
        60,
    )
    yield FORGOTTEN
    names = [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]]
    if FORGOTTEN in names:
        sagemaker.delete_endpoint(EndpointName=FORGOTTEN)


def test_what_was_forgotten_is_found_and_deleted(page: Page, kennel: Kennel, left_over: str) -> None:
    opened(page, kennel, "waste")
    found = page.locator("[class*=st-key-panel-waste-]").filter(has_text=left_over)
    expect(found).to_contain_text("$2.76")
    expect(found).to_contain_text("a day")
    found.get_by_role("button", name=re.compile("^Delete")).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(left_over)
    dialog.locator("input").fill(left_over)
    dialog.locator(".st-key-confirm-do button").click()
    sagemaker = kennel.aws("sagemaker")

    def is_gone() -> bool:
        return left_over not in [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]]

    wait_for("its deletion", is_gone, 30)
    opened(page, kennel, "waste")
    expect(page.locator("[class*=st-key-panel-waste-]").filter(has_text=left_over)).to_have_count(0)

    # what it has cost stays, though AWS lists it no longer
    opened(page, kennel, "costs?of=simulated")
    expect(page.get_by_text(left_over).first).to_be_visible()


def test_a_receipt_on_a_phone_shows_every_amount_without_scrolling_sideways(browser: Browser, kennel: Kennel) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    phone = context.new_page()
    opened(phone, kennel, f"receipt?{PROJECT}&receipt=run:project-c-single")
    tables = phone.locator(".kn-scroll")
    expect(tables).to_have_count(len(("its lines", "what AWS answered")))
    hidden = tables.evaluate_all("all => all.map(one => one.scrollWidth - one.clientWidth)")
    total = phone.locator("table.kn-stacks tfoot [data-of='= amount']").bounding_box()
    context.close()
    assert max(hidden) <= 0, f"{hidden} px of a receipt's tables are beside the phone"
    assert total is not None and 0 < total["x"] + total["width"] <= 390
