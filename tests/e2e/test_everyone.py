"""Everyone can use it: every page and many dialogs by the accessibility rules, light and dark, wide and on a phone.

The rules are axe's (WCAG 2.2 A and AA, and best practice). No page scrolls sideways, no chart stands without its
numbers, and nothing is asked of any other machine.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dashboard.ui.page import Place
from dashboard.ui.pages import PAGES
from tests.e2e.conftest import Kennel, no_exception, settle
from tests.e2e.test_keyboard import contrast

pytestmark = pytest.mark.e2e

LEGIBLE = 4.5
"""The contrast of text that WCAG 2.2 asks for."""
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
OF_STREAMLIT = {
    "svg-img-alt": "its icons are images without a name, beside the text that names them",
    "presentation-role-conflict": "its uploader has a role on what it hides",
}
"""Rules that Streamlit's own elements break, whatever a page does."""
ADDRESSES = {
    Place.RUN: ("run?run=sample-drawn-dogs",),
    Place.COMPARE: ("compare?compare=sample-drawn-dogs",),
    Place.ENDPOINT: ("endpoint?endpoint=starter",),
    Place.SCALING: ("scaling?endpoint=starter",),
    Place.FUNCTION: ("function?function=dog-infer",),
    Place.ROLE: ("role?role=DogTraining&part=Proposal",),
    Place.COSTS: ("costs?of=sample",),
    Place.CHOICES: ("choices?of=sample&within=20",),
    Place.WASTE: ("waste?of=sample",),
    Place.RECEIPT: ("receipt?of=sample&period=12m", "receipt?receipt=run:sample-drawn-dogs"),
    Place.DATA: ("data", "data?part=Buckets"),
    Place.OVERVIEW: ("",),
}
"""Pages that show something only of what their address names; the others are opened by their name."""
VISITS = [address for one in PAGES for address in ADDRESSES.get(one.place, (one.url_path,))]
DIALOGS = {
    "": "delete-starter",
    "train": "review-launch",
    "run?run=sample-drawn-dogs": "deploy-model",
    "endpoints": "deploy-any",
    "endpoint?endpoint=starter": "update-endpoint",
    "functions": "deploy-function",
    "notebooks": "create-notebook",
    "costs?of=sample": "budget-set",
    "role?role=DogTraining&part=Proposal": "role-apply",
}
"""A button of a page that opens a dialog: those of launching, deploying, spending, deleting and changing a role."""
SIDEWAYS = """() => {
  const parts = ['[data-testid=stMain]', '[role=dialog]'].map(one => document.querySelector(one)).filter(Boolean);
  const page = document.documentElement.scrollWidth - innerWidth;
  return Math.max(page, ...parts.map(one => one.scrollWidth - one.clientWidth));
}"""


CHART_TEXTS = """() => [...document.querySelectorAll('[data-testid=stPlotlyChart] .main-svg text')]
  .filter(one => one.getClientRects().length && one.textContent.trim() && one.querySelectorAll('tspan').length < 2)
  .map(one => {
    const parts = text => (text.match(/[\\d.]+/g) || []).map(Number);
    let around = one.closest('[data-testid=stPlotlyChart]'), behind = null;
    while (around && !behind) {
      const colour = parts(getComputedStyle(around).backgroundColor);
      if ((colour[3] ?? 1) === 1 && colour.length) behind = colour;
      around = around.parentElement;
    }
    return [one.textContent, parts(getComputedStyle(one).fill), behind];
  })"""
"""Words in charts, which axe passes over: each with its colour and what is behind it."""
MOVING = """() => [...document.querySelectorAll('*')].filter(one => {
  const style = getComputedStyle(one), longest = text => Math.max(...text.split(',').map(parseFloat));
  return longest(style.transitionDuration) > 0.001 || longest(style.animationDuration) > 0.001;
}).map(one => one.outerHTML.slice(0, 120))"""


def wrong(tab: Page) -> list[tuple[str, list[str]]]:
    """What breaks the rules, with the beginning of each element that does."""
    found: list[dict[str, Any]] = Axe().run(tab).response["violations"]
    ours = [rule for rule in found if rule["id"] not in OF_STREAMLIT]
    return [(rule["id"], [node["html"][:160] for node in rule["nodes"]]) for rule in ours]


def faint(tab: Page) -> list[str]:
    """Words in charts that hardly stand out."""
    texts: list[tuple[str, list[float], list[float]]] = tab.evaluate(CHART_TEXTS)
    return [text for text, colour, behind in texts if contrast(colour, behind) < LEGIBLE]


def visit(tab: Page, kennel: Kennel, address: str) -> None:
    tab.goto(f"{kennel.url}/{address}")
    expect(tab.get_by_role("heading", level=1)).to_be_visible()
    settle(tab)


@pytest.fixture(scope="module")
def tab(browser: Browser, kennel: Kennel) -> Iterator[Page]:
    """One tab for all pages; at its end nothing may have been asked of another machine."""
    context = browser.new_context(viewport=WIDE, color_scheme="light", has_touch=True)
    strangers: list[str] = []
    local = ("data:", "blob:", kennel.url, kennel.url.replace("http", "ws"))
    context.on("request", lambda one: None if one.url.startswith(local) else strangers.append(one.url))
    yield context.new_page()
    context.close()
    assert not strangers, f"requests left the machine: {strangers}"


@pytest.mark.parametrize("address", VISITS)
def test_a_page_passes_the_rules_light_and_dark_and_fits_a_phone(tab: Page, kennel: Kennel, address: str) -> None:
    tab.emulate_media(color_scheme="light")
    tab.set_viewport_size(WIDE)  # type: ignore[arg-type]
    visit(tab, kennel, address)
    no_exception(tab)
    assert not wrong(tab)
    assert tab.get_by_role("heading", level=1).count() == 1
    assert " · Kennel" in tab.title()
    charts = tab.get_by_test_id("stPlotlyChart")
    if charts.count():
        named = charts.locator("[aria-label], [alt]").or_(tab.locator("[data-testid=stPlotlyChart][aria-label]"))
        assert named.count() >= charts.count(), "a chart has no words for who cannot see it"
        behind = tab.locator("[data-testid=stDataFrame], table.kn-lines, [data-testid=stExpander]")
        assert behind.count(), "a chart has no numbers behind it"
    assert not faint(tab)
    tab.emulate_media(color_scheme="dark")
    tab.set_viewport_size(PHONE)  # type: ignore[arg-type]
    expect(tab.locator(".stApp")).to_have_css("color-scheme", "dark")
    settle(tab)
    tab.wait_for_function(f"({SIDEWAYS})() <= 0")  # once what was drawn for a wide screen is drawn anew
    assert not wrong(tab)
    assert not faint(tab)


@pytest.mark.parametrize(("scheme", "place"), [("light", 0), ("dark", 1)])
def test_dialogs_pass_the_rules_take_the_focus_and_give_it_back(
    browser: Browser, kennel: Kennel, scheme: Any, place: int
) -> None:
    """Every other one light on a wide screen, and dark on a phone."""
    context = browser.new_context(viewport=PHONE if place else WIDE, color_scheme=scheme)
    tab = context.new_page()
    for address, key in list(DIALOGS.items())[place::2]:
        visit(tab, kennel, address)
        button = tab.locator(f".st-key-{key} button").first
        button.click()
        dialog = tab.get_by_role("dialog")
        expect(dialog).to_be_visible()
        expect(dialog.locator(":focus").or_(tab.locator("[role=dialog]:focus"))).to_have_count(1)
        settle(tab)
        assert not wrong(tab), f"{key} on /{address}"
        assert tab.evaluate(SIDEWAYS) <= 0, f"{key} on /{address} scrolls sideways"
        tab.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(tab.locator(".st-key-" + key + " button:focus")).to_have_count(1)
    context.close()


def test_a_message_is_read_out_and_not_only_seen(tab: Page, kennel: Kennel) -> None:
    tab.goto(f"{kennel.url}/train?data=nowhere")
    expect(tab.locator(".st-key-said [role=alert]")).to_have_text("There is no data set nowhere to train on")


def test_who_asked_for_less_motion_gets_none(browser: Browser, kennel: Kennel) -> None:
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
    page = context.new_page()
    visit(page, kennel, "endpoints")
    page.locator(".st-key-deploy-any button").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    moving: list[str] = page.evaluate(MOVING)
    context.close()
    assert not moving
