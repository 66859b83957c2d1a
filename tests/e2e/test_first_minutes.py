"""A stranger's first minutes: open Kennel, look around, drop a photo, see the breed."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Kennel, no_exception, settle
from training.sample_data import draw_dog

pytestmark = pytest.mark.e2e
PAGES = ("Overview", "Train", "Runs", "Classify", "Spend", "Choices", "Waste", "Prices")
WIDTHS = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="session")
def drawn_dog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn-dog") / "dalmatian.jpg"
    draw_dog("057.Dalmatian", seed=7).save(path, "JPEG")
    return path


def drop(page: Page, *photos: Path) -> None:
    page.locator("input[type=file]").first.set_input_files([str(photo) for photo in photos])


def test_every_page_opens_from_the_navigation(page: Page, kennel: Kennel) -> None:
    page.goto(kennel.url)
    settle(page)  # a click on the way to the first page's title would be lost
    for name in PAGES:
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(name)
        settle(page)
        no_exception(page)
        expect(page).to_have_title(re.compile("Kennel"))


def test_money_is_called_simulated_wherever_it_stands(page: Page, kennel: Kennel) -> None:
    page.goto(kennel.url)
    expect(page.get_by_text("simulated").first).to_be_visible()
    page.goto(f"{kennel.url}/train")
    expect(page.get_by_text("simulated").first).to_be_visible()


def test_a_real_photo_of_a_beagle_is_a_beagle_and_a_cat_is_no_dog(
    page: Page, kennel: Kennel, photos: list[tuple[Path, str, bool]]
) -> None:
    beagle = next(path for path, label, _ in photos if label == "Beagle")
    cat = next(path for path, label, _ in photos if label == "cat")
    page.goto(f"{kennel.url}/classify?endpoint=starter")
    drop(page, beagle, cat)
    answers = page.locator(".kn-answer")
    expect(answers).to_have_count(2)
    expect(answers.filter(has_text=beagle.name)).to_contain_text("Beagle")
    expect(answers.filter(has_text=cat.name)).to_contain_text("not a dog")
    no_exception(page)


def test_a_drawn_picture_is_answered_too(page: Page, kennel: Kennel, drawn_dog: Path) -> None:
    page.goto(f"{kennel.url}/classify?endpoint=starter")
    drop(page, drawn_dog)
    answer = page.locator(".kn-answer")
    expect(answer).to_contain_text("dalmatian.jpg")
    expect(answer).to_contain_text("%")


def test_where_the_model_looked_is_shown_in_the_photos_place_and_taken_back(
    page: Page, kennel: Kennel, drawn_dog: Path
) -> None:
    page.goto(f"{kennel.url}/classify?endpoint=starter")
    drop(page, drawn_dog)
    photo = page.get_by_role("img", name=re.compile(r"^dalmatian\.jpg\. "))
    heat = page.get_by_role("img", name=re.compile(r"^dalmatian\.jpg: where the model looked"))
    expect(photo).to_be_visible()
    switch = page.get_by_text("Where the model looked", exact=True)
    switch.click()
    expect(heat).to_be_visible()
    expect(photo).to_have_count(0)
    assert heat.evaluate("picture => picture.complete && picture.naturalWidth") == 224
    switch.click()
    expect(photo).to_be_visible()
    expect(heat).to_have_count(0)
    no_exception(page)


def test_bad_files_each_get_a_sentence_and_stop_no_other(
    page: Page, kennel: Kennel, drawn_dog: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.jpg"
    empty.write_bytes(b"")
    text = tmp_path / "letter.jpg"
    text.write_text("Dear dog,")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(drawn_dog.read_bytes()[:3000])
    page.goto(f"{kennel.url}/classify?endpoint=starter")
    drop(page, empty, text, broken, drawn_dog)
    expect(page.locator(".kn-answer")).to_have_count(1)
    expect(page.locator(".kn-answer")).to_contain_text("dalmatian.jpg")
    for bad in (empty, text, broken):
        expect(page.get_by_text(bad.name).first).to_be_visible()
    no_exception(page)


def test_photo_and_answer_outlive_other_pages_and_a_lost_connection(
    page: Page, kennel: Kennel, drawn_dog: Path
) -> None:
    page.goto(f"{kennel.url}/classify?endpoint=starter")
    drop(page, drawn_dog)
    expect(page.locator(".kn-answer")).to_have_count(1)
    page.get_by_role("link", name="Overview").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Overview")
    page.get_by_role("link", name="Classify").first.click()
    expect(page.locator(".kn-answer")).to_have_count(1)
    page.context.set_offline(True)
    page.wait_for_timeout(1500)  # the browser notices after a moment that it is offline
    expect(page.locator(".kn-answer")).to_contain_text("dalmatian.jpg")
    page.context.set_offline(False)
    settle(page)
    expect(page.locator(".kn-answer")).to_contain_text("dalmatian.jpg")


def test_classify_fits_a_phone(browser: Browser, kennel: Kennel, drawn_dog: Path) -> None:
    context = browser.new_context(viewport=WIDTHS["phone"], color_scheme="dark", has_touch=True)
    phone = context.new_page()
    phone.goto(f"{kennel.url}/classify?endpoint=starter")
    drop(phone, drawn_dog)
    expect(phone.locator(".kn-answer")).to_have_count(1)
    overflow = phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"the page is {overflow} px wider than the phone"
    bars = phone.locator(".kn-answer").bounding_box()
    assert bars is not None
    assert bars["x"] >= 0
    assert bars["x"] + bars["width"] <= 390
    context.close()


def test_the_server_sends_its_security_headers(page: Page, kennel: Kennel) -> None:
    answer = page.goto(kennel.url)
    assert answer is not None
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
