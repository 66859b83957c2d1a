"""Who goes by keyboard sees where they are: every link that Tab reaches has a ring that stands out."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Kennel, settle

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
