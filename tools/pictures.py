"""Take README's pictures from the running product: `make pictures`.

Starts a Kennel of its own in an empty folder, lets a first start fill the sample account, and photographs the pages.
Only drawn dogs are shown.
"""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests.e2e.conftest import CHROMIUM_FLAGS, Kennel, find_chromium, settle, start_kennel, stop_kennel  # noqa: E402
from tests.e2e.conftest import wait_for_sample_account as wait_for_samples  # noqa: E402
from training.sample_data import draw_dog  # noqa: E402

DOCS = ROOT / "docs"
RUN = "sample-drawn-dogs"
STILL = 1200  # ms: charts fade in


def shoot(page: Page, name: str) -> None:
    settle(page)
    page.wait_for_timeout(STILL)
    page.screenshot(path=str(DOCS / f"{name}.png"))
    print(f"docs/{name}.png")


def open_page(page: Page, kennel: Kennel, path: str) -> None:
    page.goto(f"{kennel.url}/{path}")
    page.get_by_role("heading", level=1).wait_for()
    settle(page)


def tab(browser: Browser, width: int, height: int, scheme: str) -> Page:
    return browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]


def classify(page: Page, kennel: Kennel, pictures: list[Path]) -> None:
    open_page(page, kennel, "classify?endpoint=starter")
    page.locator("input[type=file]").first.set_input_files([str(picture) for picture in pictures])
    for number in range(len(pictures)):
        page.locator(".kn-answer").nth(number).wait_for()


def main() -> None:
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kennel-pictures-") as folder, sync_playwright() as playwright:
        picture = Path(folder) / "dalmatian.jpg"
        draw_dog("057.Dalmatian", seed=7).save(picture, "JPEG")
        kennel = start_kennel(Path(folder) / "home")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        try:
            wait_for_samples(kennel)
            wide = tab(browser, 1280, 800, "light")
            open_page(wide, kennel, "")
            shoot(wide, "overview")
            open_page(wide, kennel, "train")
            shoot(wide, "train")
            classify(wide, kennel, [picture])
            shoot(wide, "classify")
            dark = tab(browser, 1280, 800, "dark")
            open_page(dark, kennel, f"runs?run={RUN}")
            shoot(dark, "run")
            phone = tab(browser, 390, 844, "dark")
            classify(phone, kennel, [picture])
            phone.get_by_text("Where the model looked").click()
            phone.get_by_text("Warm where it speaks for").wait_for()
            shoot(phone, "classify-phone")
        finally:
            browser.close()
            stop_kennel(kennel)


if __name__ == "__main__":
    main()
