"""Kennel without a mouse: Tab to what is wanted, as somebody does who cannot point, and press it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.e2e.conftest import no_exception, settle

MOST_STOPS = 160


def reach(page: Page, selector: str, *, name: str = "") -> None:
    """Press Tab until the focus is in what this selects; `name`: what the element in focus is called by its text.

    Fails where Tab does not come to it: then nobody can use it without a mouse.
    """
    inside = "([selector, name]) => { const at = document.activeElement; return at !== document.body"
    inside += " && !!at.closest(selector) && (!name || at.innerText.includes(name)) }"
    for _ in range(MOST_STOPS):
        if page.evaluate(inside, [selector, name]):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not come to {selector} {name}")


def press(page: Page, selector: str, *, name: str = "") -> None:
    """Tab to a button or a link, and press it."""
    expect(page.locator(selector).first).to_be_visible()
    reach(page, selector, name=name)
    page.keyboard.press("Enter")


def write(page: Page, label: str, text: str) -> None:
    """Tab to a field and write into it instead of what it holds."""
    field = page.get_by_label(label, exact=True)
    expect(field).to_be_visible()
    for _ in range(MOST_STOPS):
        if field.evaluate("field => field === document.activeElement"):
            break
        page.keyboard.press("Tab")
    else:
        pytest.fail(f"Tab does not come to the field {label}")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    settle(page)


def upload(page: Page, selector: str, file: Path) -> None:
    """Tab to a button that asks for a file, press it, and give it one.

    A press that meets the page being drawn anew can go to a button that is just replaced: then once more, as anybody
    would.
    """
    for is_last in (False, False, True):
        reach(page, selector)
        try:
            with page.expect_file_chooser(timeout=15_000) as chooser:
                page.keyboard.press("Enter")
        except PlaywrightTimeoutError:
            if is_last:
                raise
        else:
            chooser.value.set_files(str(file))
            return


def confirm(page: Page, *, typed: str = "") -> None:
    """In the dialog that is open, which has the focus: type the name that it asks for, and confirm."""
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator(":focus").or_(page.locator("[role=dialog]:focus"))).to_have_count(1)
    if typed:
        reach(page, ".st-key-confirm-name")
        page.keyboard.type(typed)
    press(page, ".st-key-confirm-do button")
    expect(dialog).to_have_count(0)
    no_exception(page)
