"""Photos go from a folder on this computer to a data set, through a browser; and the report on them is made."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.core.data.conftest import picture
from tests.e2e.conftest import Kennel, no_exception, settle, wait_for

NAME = "holiday"


def test_a_folder_becomes_a_data_set_whose_report_is_made(page: Page, kennel: Kennel, tmp_path: Path) -> None:
    names = [
        f"{split}/{label}/{n}.jpg" for split in ("train", "test") for label in ("Beagle", "Poodle") for n in range(3)
    ]
    for place, name in enumerate(names):
        file = tmp_path / NAME / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(place * 19, (120, 100)))
    (tmp_path / NAME / "train/Beagle/text.jpg").write_text("this is no photo")
    page.goto(f"{kennel.url}/data")
    add = page.get_by_role("button", name="Add photos")
    expect(add).to_be_visible(timeout=90_000)  # the first look at the account's buckets and data sets
    add.click()
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(tmp_path / NAME)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("13 photos of 2 classes")).to_be_visible()
    expect(dialog.get_by_text("No valid/")).to_be_visible()
    dialog.get_by_role("button", name="Send 13 photos").click()
    expect(dialog).to_have_count(0)
    page.goto("about:blank")  # the tab is gone: the photos go on

    s3, bucket = kennel.aws("s3"), "kennel-123456789012-us-east-1"

    def sent() -> set[str]:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"datasets/{NAME}/").get("Contents", [])
        return {one["Key"].removeprefix(f"datasets/{NAME}/") for one in found}

    wait_for("the photos' arrival", lambda: sent() == set(names), 60)
    page.goto(f"{kennel.url}/data?dataset={NAME}")
    expect(page.get_by_text("12 photos sent to holiday")).to_be_visible()
    expect(page.get_by_text("1 file was not taken", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name="Beagle, train: 0.jpg")).to_be_visible()
    page.get_by_role("button", name="Look through them").click()
    dialog.get_by_role("button", name="Look through them").click()
    expect(page.get_by_text("12 photos of 2 classes").last).to_be_visible()
    expect(page.get_by_text("Across splits")).to_be_visible()
    settle(page)
    no_exception(page)
