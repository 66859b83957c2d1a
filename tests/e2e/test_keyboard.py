"""Kennel by keyboard alone: every link that Tab reaches has a ring that stands out, and the whole path can be gone."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import by_keyboard
from tests.e2e.conftest import Kennel, no_exception, settle
from training.sample_data import draw_dog

pytestmark = pytest.mark.e2e

LEAST_CONTRAST = 3.0
"""What WCAG 2.2 asks of the mark of focus against what is around it."""
MOST_STOPS = 70
FOCUSED = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const parts = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const ring = which => {
    const style = getComputedStyle(at, which), colour = parts(style.outlineColor);
    const is = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && (colour[3] ?? 1) > 0;
    return is && (!which || style.content !== 'none') ? colour : null;
  };
  let around = at.parentElement, behind = null;
  while (around && !behind) {
    const colour = parts(getComputedStyle(around).backgroundColor);
    if ((colour[3] ?? 1) === 1) behind = colour;
    around = around.parentElement;
  }
  return {tag: at.tagName, name: (at.innerText || '').trim(), ring: ring(null) || ring('::after'), behind};
}"""


def light(colour: list[float]) -> float:
    """The relative luminance of an sRGB colour, as WCAG defines it."""
    parts = [part / 255 for part in colour[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: list[float], other: list[float]) -> float:
    dark, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dark + 0.05)


def links(tab: Page) -> Iterator[dict[str, Any]]:
    """The links that Tab comes to, in their order."""
    for _ in range(MOST_STOPS):
        tab.keyboard.press("Tab")
        focused = tab.evaluate(FOCUSED)
        if focused is None:
            return
        if focused["tag"] == "A" and focused["name"] != "Skip to main content":  # Streamlit's own, which it rings
            yield focused


@pytest.mark.parametrize("appearance", ["light", "dark"])
@pytest.mark.parametrize("path", ["costs?of=sample&period=12m&by=project", ""])
def test_a_link_in_focus_is_seen(browser: Browser, kennel: Kennel, path: str, appearance: Any) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=appearance)
    tab = context.new_page()
    tab.goto(f"{kennel.url}/{path}")
    expect(tab.get_by_role("heading", level=1)).to_be_visible()
    expect(tab.locator("[data-testid=stMain] a").first).to_be_visible()
    settle(tab)
    found = list(links(tab))
    context.close()
    assert len(found) > len(("Overview", "Train", "Runs", "Classify", "Spend", "Choices", "Waste", "Prices"))
    unseen = [one["name"] for one in found if not one["ring"]]
    assert not unseen, f"in focus, these look as they always do: {unseen}"
    faint = [one["name"] for one in found if contrast(one["ring"], one["behind"]) < LEAST_CONTRAST]
    assert not faint, f"the ring of these is hardly seen: {faint}"


def test_the_first_tab_skips_to_what_the_page_is_about(page: Page, kennel: Kennel) -> None:
    page.goto(kennel.url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settle(page)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to main content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => !!document.activeElement.closest('[data-testid=stMain]')"), "it skips nothing"


def test_train_watch_deploy_and_classify_without_a_mouse(page: Page, kennel: Kennel, tmp_path: Path) -> None:
    name = "keyboard-journey"
    page.goto(kennel.url)
    by_keyboard.press(page, "[data-testid=stSidebarNav] a", name="Train")
    expect(page).to_have_url(re.compile("/train"))
    settle(page)
    by_keyboard.write(page, "Name", name)
    by_keyboard.write(page, "Epochs", "8")
    by_keyboard.press(page, ".st-key-review-launch button")
    expect(page.get_by_role("dialog")).to_contain_text("8 epochs")
    by_keyboard.confirm(page)
    expect(page).to_have_url(re.compile(f"run={name}"))

    expect(page.locator(".st-key-deploy-model button")).to_be_visible(timeout=90_000)
    described = kennel.aws("sagemaker").describe_training_job(TrainingJobName=name)
    assert described["TrainingJobStatus"] == "Completed"
    assert described["BillableTimeInSeconds"] > 0
    expect(page.get_by_text("epoch=8/8").first).to_be_visible()
    expect(page.get_by_text("simulated").first).to_be_visible()
    by_keyboard.press(page, ".st-key-deploy-model button")
    expect(page.get_by_role("dialog")).to_contain_text("/h")
    by_keyboard.confirm(page)
    row = page.locator(f".st-key-row-endpoint-{name}")
    expect(row.get_by_role("link", name="Classify")).to_be_visible(timeout=60_000)
    by_keyboard.press(page, f".st-key-row-endpoint-{name} a", name="Classify")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Classify")
    settle(page)

    picture = tmp_path / "corgi.jpg"
    draw_dog("118.Pembroke_welsh_corgi", seed=99).save(picture, "JPEG")
    expect(page.locator("[data-testid=stFileUploaderDropzone]")).to_be_visible()
    by_keyboard.upload(page, "[data-testid=stFileUploaderDropzone] button", picture)
    answer = page.locator(".kn-answer")
    expect(answer).to_contain_text("Pembroke Welsh Corgi")
    expect(answer).to_contain_text(name)
    no_exception(page)

    page.goto(f"{kennel.url}/runs?run={name}")
    by_keyboard.press(page, f".st-key-delete-{name} button")
    by_keyboard.confirm(page, typed=name)
    expect(row).to_have_count(0, timeout=30_000)
    assert name not in [e["EndpointName"] for e in kennel.aws("sagemaker").list_endpoints()["Endpoints"]]
