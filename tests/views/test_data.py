"""Data: what there is to learn from, its report and photos, corrections reviewed, buckets; on the embedded AWS."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import connections, state
from dashboard.core.aws import Aws
from dashboard.core.data import contents, mark, report, reviews
from dashboard.core.data.work import Kind, Work
from dashboard.core.errors import AccessDenied
from dashboard.core.home import home
from dashboard.core.serving import feedback
from dashboard.core.serving.classify import Answer, Photo, Prediction
from dashboard.ui import data_unfinished
from tests.conftest import Embedded
from tests.core.data.conftest import connect_to, empty, fill, keys, picture, put
from tests.views.conftest import Open, links, text
from tests.views.scripted import REAL, ScriptedAws

REGION = "eu-west-3"
REPORT = """{"name": "dogs", "photos": {"train": 4, "valid": 4, "test": 4, "total": 12},
"classes": [{"label": "Beagle", "train": 2, "valid": 2, "test": 2}, {"label": "Affenpinscher", "train": 2}],
"imbalance": {"ratio": 1.0, "smallest": {"label": "Beagle", "photos": 2}, "median": 2,
"largest": {"label": "Beagle", "photos": 2}},
"unreadable": {"count": 1, "files": [{"file": "train/a/broken.jpg", "reason": "This photo is cut short."}]},
"duplicates": {"exact": {"groups": 1, "photos": 2}, "near": {"groups": 0, "photos": 0}, "complete": true, "groups": [
{"exact": true, "across_splits": true, "across_classes": false, "photos": 2, "files": [
{"file": "train/a/1.jpg", "split": "train", "label": "a"}, {"file": "test/a/1.jpg", "split": "test", "label": "a"}]}]},
"leakage": {"groups": 1, "valid": 0, "test": 1}, "contradictions": 0,
"tiny": {"count": 0, "shorter_than": 64, "files": []}, "notes": [], "warnings": ["leakage: keep one copy of each"]}"""


@pytest.fixture(scope="module")
def live(embedded: Embedded) -> Aws:
    aws = connect_to(embedded, REGION)
    where = {"LocationConstraint": REGION}
    aws.call("s3", "CreateBucket", Bucket=aws.account.bucket, CreateBucketConfiguration=where)
    return aws


@pytest.fixture
def account(live: Aws) -> Iterator[Aws]:
    empty(live)
    yield live
    empty(live)


@pytest.fixture
def open_data(visit: Open, monkeypatch: pytest.MonkeyPatch) -> Open:
    """open_data(aws, part="Buckets"): the page on that account; Overview, which comes first, on an empty one."""

    def open_page(account: Aws | ScriptedAws, **query: str) -> AppTest:
        page = visit(ScriptedAws())
        monkeypatch.setattr(connections, "connect", lambda environ: account)
        st.cache_resource.clear()
        st.cache_data.clear()
        page.switch_page("views/data.py")
        for name, value in query.items():
            page.query_params[name] = value
        return page.run()

    return open_page


def until(page: AppTest, happened: Callable[[], Any], seconds: float = 60) -> AppTest:
    """The page again and again, as its fragment does, until something happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return page.run()


def said(page: AppTest) -> str:
    """What the page says; of pictures only what they are called."""
    return text(page)


def correct(aws: Aws, breed: str, shade: int) -> None:
    answer = Answer("starter", (Prediction("Poodle", 0.8),), True, 0.99, 0.1, "a Poodle")
    photo = Photo("x.jpg", picture(shade), 40, 30, "")
    feedback.keep(aws, photo, answer, breed, datetime.now(UTC), {feedback.SETTING: "1"})


def test_an_account_without_data_is_taught_what_it_is_and_given_the_button(account: Aws, open_data: Open) -> None:
    page = open_data(account)
    assert not page.exception
    assert "No data set in this account yet." in said(page)
    assert "add-photos" in [button.key for button in page.button]


def test_an_account_without_a_bucket_is_led_to_what_makes_it_before_photos_are_asked_for(
    embedded: Embedded, open_data: Open
) -> None:
    page = open_data(connect_to(embedded, "ap-south-1"))
    assert "This account is not set up for Kennel yet." in said(page)
    page.button(key="add-photos").click().run()
    assert [label for label, *_ in links(page)] == ["Set up this account"] * 2
    assert not page.get("file_uploader")
    assert "Not possible yet" in [button.label for button in page.button]


def test_a_data_set_is_shown_with_its_classes_photos_and_the_way_to_train(account: Aws, open_data: Open) -> None:
    fill(account)
    page = open_data(account)
    assert not page.exception
    told = said(page)
    assert "1 data set with 12 photos" in told
    assert "Each of the 2 classes has 2 training photos" in told
    assert "12 photos of 2 classes, 4 in train, 4 in valid, 4 in test" in told
    assert 'alt="Affenpinscher, train: 0.jpg"' in told
    assert ("Train on this", "train", "data=dogs") in links(page)
    assert page.dataframe[0].value["Photos"].tolist() == [12]
    assert page.dataframe[1].value["Train"].tolist() == [2, 2]


def test_what_cannot_be_shown_says_why_in_its_place(account: Aws, open_data: Open) -> None:
    fill(account)
    put(account, "datasets/dogs/train/001.Affenpinscher/0.jpg", b"this is text")
    told = said(open_data(account))
    assert "0.jpg cannot be shown" in told
    assert 'alt="Affenpinscher, train: 1.jpg"' in told


def test_the_report_is_asked_for_where_there_is_none_and_shown_where_there_is(account: Aws, open_data: Open) -> None:
    fill(account)
    page = open_data(account)
    assert "Nobody has looked through these photos yet." in said(page)
    page.button(key="make-report").click().run()
    assert "Nothing in the account is changed." in said(page)
    page.button(key="confirm-cancel").click().run()
    report.keep(home(), contents.read(account, "dogs").fingerprint, REPORT)
    page.run()
    told = said(page)
    assert "Leakage: keep one copy of each" in told
    assert "1 photo of valid and test that an earlier split shows too" in told
    assert page.dataframe[2].value["File"].tolist() == [
        "train/a/broken.jpg",
        "train/a/1.jpg",
        "test/a/1.jpg",
    ]


def test_a_report_is_of_what_was_looked_at_and_of_nothing_newer(account: Aws, open_data: Open) -> None:
    fill(account, "cats")
    report.keep(home(), contents.read(account, "cats").fingerprint, REPORT)
    assert "Leakage" in said(open_data(account))
    put(account, "datasets/cats/train/001.Affenpinscher/new.jpg", picture(77))
    assert "Nobody has looked through these photos yet." in said(open_data(account))


def test_a_data_set_is_deleted_after_its_name_was_typed(account: Aws, open_data: Open) -> None:
    fill(account)
    page = open_data(account)
    page.button(key="dataset-delete").click().run()
    assert "aws s3 rm --recursive" in page.code[-1].value
    assert [one.key for one in page.button if one.key == "confirm-do"] == []
    page.text_input(key="confirm-name").input("dogs").run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    page = until(page, lambda: not keys(account))
    assert not page.exception


def test_a_copy_gets_another_name_and_never_a_taken_one(account: Aws, open_data: Open) -> None:
    fill(account)
    page = open_data(account)
    page.button(key="dataset-copy").click().run()
    page.text_input(key="copy-to").input("dogs").run()
    assert "there is a data set dogs already" in said(page)
    page.text_input(key="copy-to").input("hounds").run()
    page.button(key="confirm-do").click().run()
    until(page, lambda: len([key for key in keys(account, "datasets/hounds/") if key.endswith(".jpg")]) == 12)


def test_corrections_are_reviewed_one_by_one_and_become_a_version(account: Aws, open_data: Open) -> None:
    fill(account)
    correct(account, "Beagle", 3)
    correct(account, "Dalmatian", 4)
    page = open_data(account, part="Corrections")
    assert not page.exception
    assert "2 corrections wait" in said(page)
    first = next(one.breed for one in reviews.read(account) if f"Accept as {one.breed}" in said(page))
    page.button(key="review-accept").click().run()
    assert "1 correction waits" in said(page)
    page.button(key="review-reject").click().run()
    assert not page.exception
    assert "All 2 corrections are reviewed." in said(page)
    assert {one.label for one in reviews.read(account)} == {first, ""}
    page.button(key="new-version").click().run()
    told = said(page)
    assert "1 reviewed photo" in told
    assert page.text_input[0].value == "dogs-v2"
    page.button(key="confirm-do").click().run()
    assert not page.exception
    until(page, lambda: "datasets/dogs-v2/manifest.json" in keys(account))
    assert len(contents.read(account, "dogs-v2").photos) == 13


def test_what_was_decided_last_is_taken_back(account: Aws, open_data: Open) -> None:
    correct(account, "Beagle", 3)
    page = open_data(account, part="Corrections")
    page.button(key="review-reject").click().run()
    page.button(key="review-take-back").click().run()
    assert "Waiting: 1 of 1" in said(page)


def test_without_corrections_it_says_how_they_come_about(account: Aws, open_data: Open) -> None:
    page = open_data(account, part="Corrections")
    assert "No visitor corrected an answer yet." in said(page)
    assert feedback.SETTING in said(page)


def test_a_bucket_that_is_not_safe_is_made_so_by_a_plan(account: Aws, open_data: Open) -> None:
    bucket = account.account.bucket
    account.call("s3", "DeletePublicAccessBlock", Bucket=bucket)
    page = open_data(account, part="Buckets", bucket=bucket)
    assert not page.exception
    assert "one wrong policy or access list makes it public" in said(page)
    page.button(key="bucket-safe").click().run()
    assert "PutPublicAccessBlock" in said(page)
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert f"{bucket} is safe now" in [one.value for one in page.toast][-1]
    assert "one wrong policy" not in said(page)


def test_a_new_bucket_is_refused_by_its_name_before_anything_is_sent(account: Aws, open_data: Open) -> None:
    page = open_data(account, part="Buckets")
    page.button(key="new-bucket").click().run()
    page.text_input(key="bucket-name").input("My.Dogs").run()
    assert "is no name for a bucket" in said(page)
    page.text_input(key="bucket-name").input("kennel-made-in-a-test").run()
    try:
        page.button(key="confirm-do").click().run()
        assert not page.exception
        assert "kennel-made-in-a-test" in page.dataframe[0].value["Bucket"].tolist()
    finally:
        account.call("s3", "DeleteBucket", Bucket="kennel-made-in-a-test")


def test_work_that_a_server_left_is_shown_and_goes_on(account: Aws, open_data: Open) -> None:
    fill(account)
    jobs = state.data_jobs(account)
    folder = jobs._folder / "left1"
    folder.mkdir(parents=True)
    (folder / "work.json").write_text(Work("left1", Kind.COPY, "hounds", base="dogs").as_json())
    page = open_data(account)
    assert "Kennel was ended while it went on" in said(page)
    page.button(key="work-go-on-left1").click().run()
    assert not page.exception
    page = until(page, lambda: state.data_jobs(account).all()[0].stage.is_over)
    assert len(contents.read(account, "hounds").photos) == 12
    assert "Show hounds" in [link.label for link in page.get("page_link")]
    page.button(key="work-dismiss-left1").click().run()
    assert "Copy dogs to hounds" not in said(page)


@pytest.mark.parametrize("then", [data_unfinished.KEEP, data_unfinished.DELETE])
def test_what_broke_off_leads_somewhere_whatever_is_chosen(account: Aws, open_data: Open, then: str) -> None:
    fill(account, "hounds", photos=1)
    mark.put(account, "hounds", "copy dogs to hounds", "left2")
    folder = state.data_jobs(account)._folder / "left2"
    folder.mkdir(parents=True)
    (folder / "work.json").write_text(Work("left2", Kind.COPY, "hounds", base="dogs").as_json())
    page = open_data(account)
    assert "Go on with it above; or keep what is there; or delete it." in said(page)
    page.button(key="work-dismiss-left2").click().run()
    page.segmented_control[-1].set_value(then).run()
    if then == data_unfinished.DELETE:
        page.text_input(key="confirm-name").set_value("hounds").run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    gone = lambda: not keys(account, "datasets/hounds/") if then == data_unfinished.DELETE else True  # noqa: E731
    page = until(page, gone)
    assert "work-dismiss-left2" not in [one.key for one in page.button]
    if then == data_unfinished.KEEP:
        assert not mark.read(account, "hounds")
        assert ("Train on this", "train", "data=hounds") in links(page)


def test_a_data_set_that_nobody_goes_on_with_is_kept_as_it_is(account: Aws, open_data: Open) -> None:
    fill(account, "hounds", photos=1)
    mark.put(account, "hounds", "send dogs to the data set hounds", "of-another-machine")
    page = open_data(account)
    assert "Add the same photos again: what is there is not resent" in said(page)
    page.button(key="dataset-keep").click().run()
    assert "send dogs to the data set hounds, begun" in said(page)
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert ("Train on this", "train", "data=hounds") in links(page)


def test_files_of_kennels_machine_are_offered_only_where_nobody_else_reaches_it(
    account: Aws, open_data: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("train/Beagle/1.jpg", "train/Poodle/1.jpg"):
        (tmp_path / "dogs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "dogs" / name).write_bytes(picture())
    page = open_data(account)
    page.button(key="add-photos").click().run()
    page.segmented_control(key="add-from").set_value("On this machine").run()
    page.text_input(key="add-place").input(str(tmp_path / "dogs")).run()
    assert not page.exception
    assert "2 photos of 2 classes: 2 in train" in said(page)
    monkeypatch.setenv("KENNEL_HOSTS", "kennel.example.com")
    page.run()
    assert "add-place" not in {one.key for one in page.text_input}


def test_rights_that_lack_leave_the_rest(open_data: Open) -> None:
    aws = ScriptedAws()
    aws.add_dataset()
    aws.errors["ListBuckets"] = AccessDenied("not allowed to s3:ListAllMyBuckets", action="s3:ListAllMyBuckets")
    page = open_data(aws)
    assert not page.exception
    assert "1 data set with 168 photos" in said(page)
    assert "they could not be read" in said(page)
    page = open_data(aws, part="Buckets")
    assert not page.exception
    assert "not allowed to s3:ListAllMyBuckets" in said(page).lower().replace("listallmybuckets", "ListAllMyBuckets")


def test_who_only_reads_is_offered_nothing_that_changes(open_data: Open) -> None:
    aws = ScriptedAws(replace(REAL, writable=False))
    aws.add_dataset()
    page = open_data(aws)
    assert not page.exception
    offered = {button.key for button in page.button}
    assert not offered & {"add-photos", "dataset-copy", "dataset-rename", "dataset-delete"}


def test_a_data_set_that_is_not_there_is_said_and_the_first_is_shown(account: Aws, open_data: Open) -> None:
    fill(account)
    page = open_data(account, dataset="wolves")
    assert not page.exception
    assert "12 photos of 2 classes" in said(page)


def test_train_opens_with_the_data_set_of_the_link(visit: Open) -> None:
    aws = ScriptedAws()
    aws.add_dataset("a-dogs")
    aws.add_dataset("b-dogs")
    page = visit(aws, "train", data="b-dogs")
    assert not page.exception
    assert page.selectbox(key="train-data").value == "b-dogs"
