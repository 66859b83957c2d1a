"""What the page Data says, in words."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dashboard.core.data.buckets import Bucket
from dashboard.core.data.contents import Contents, Photo
from dashboard.core.data.datasets import Dataset
from dashboard.core.data.reviews import Correction, Verdict
from dashboard.core.data.work import Kind, Progress, Stage, Work
from dashboard.core.errors import AccessDenied, Unreachable
from dashboard.ui import data_words

DOGS = Dataset("dogs", "s3://b/datasets/dogs/", 12, 2, 3 * 1024**3, splits={"train": 8, "valid": 4})
WAITS = Correction("aa", "feedback/x.jpg", "Beagle")
SAFE = Bucket(
    "safe", "us-east-1", is_public=False, is_blocked=True, encryption="AES256", has_tls=True, is_versioned=True
)


def test_the_sentence_names_what_waits_and_what_is_not_safe() -> None:
    assert data_words.sentence([], [], []) == "no data set yet"
    told = data_words.sentence(
        [DOGS], [WAITS, replace(WAITS, verdict=Verdict.REJECTED)], [SAFE, Bucket("o", is_public=True)]
    )
    assert told == "1 data set with 12 photos, 1 correction waits, 1 bucket is not safe"


def test_figures_say_what_could_not_be_read_and_never_a_false_zero() -> None:
    found = {one.key: one for one in data_words.figures([DOGS], None, None, None, "")}
    assert found["corrections"].value == found["buckets"].value == "unknown"
    assert found["size"].note == "unknown a month in S3 Standard"
    found = {one.key: one for one in data_words.figures([DOGS], [], [SAFE], Decimal("0.023"), " · simulated")}
    assert found["size"].note == "$0.069 a month in S3 Standard"
    assert found["buckets"].note == "of 1, none public"
    *_, by_http = data_words.figures([], [], [replace(SAFE, has_tls=False)], None, "")
    assert by_http.value == "1", "Settings says of the same bucket that it lacks something"


@pytest.mark.parametrize(
    ("dataset", "word"),
    [
        (DOGS, "ready"),
        (replace(DOGS, is_whole=False), "being drawn"),
        (replace(DOGS, is_uploading=True), "not whole"),
        (replace(DOGS, classes=1), "cannot be trained on"),
    ],
)
def test_a_data_sets_state_is_a_word(dataset: Dataset, word: str) -> None:
    assert data_words.state_of(dataset)[1] == word


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ({}, "No class has training photos"),
        ({"a": {"train": 5}, "b": {"train": 5}}, "Each of the 2 classes has 5 training photos"),
        (
            {"001.Beagle": {"train": 5}, "b": {"train": 15}},
            "2 classes have 5 to 15 training photos, fewest Beagle, 3 times as many in the largest",
        ),
        ({"a": {"valid": 5}, "b": {"train": 5}}, "2 classes have 0 to 5 training photos, fewest a"),
    ],
)
def test_the_chart_of_classes_has_its_finding_in_words(classes: dict[str, dict[str, int]], said: str) -> None:
    assert data_words.classes_finding(classes) == said


def test_work_tells_how_far_it_is_and_what_became_of_it() -> None:
    work = Work("t", Kind.COPY, "hounds", base="dogs")
    assert data_words.work_line(Progress(work, Stage.COPYING, 3, 12, kept=1)) == "3 of 12 photos, 1 were there already"
    assert data_words.work_line(Progress(work, Stage.FETCHING, 2**21, 2**22)) == "2.0 MiB of 4.0 MiB"
    assert data_words.work_line(Progress(work, Stage.COPYING)) == ""
    failed = Progress(work, Stage.FAILED, problem=Unreachable("nothing answers", "", "try again"))
    assert data_words.work_line(failed) == "nothing answers · try again"


def test_of_a_bucket_what_is_unknown_is_said_to_be() -> None:
    (row,) = data_words.bucket_rows([Bucket("b", unread={"its policy": AccessDenied("no")})])
    assert {row["Public"], row["Encrypted"], row["Objects"], row["Region"]} == {"unknown"}
    assert row["State"] == ["○ not all known"]
    (row,) = data_words.bucket_rows([replace(SAFE, size=2048, objects=1000)])
    assert (row["Objects"], row["Size"], row["State"]) == ("over 1,000", "over 2.0 KiB", ["✓ safe"])


def test_when_a_visitor_sent_it_is_told_as_people_say_it() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert data_words.sent(replace(WAITS, corrected="2026-03-01T11:55:00+00:00"), now) == "5 min ago"
    for odd in ("", "yesterday", "2026-03-01T11:55:00"):
        assert data_words.sent(replace(WAITS, corrected=odd), now) == "unknown"


def test_a_data_set_in_one_line() -> None:
    photos = tuple(Photo(f"k{place}", split, "a", "1.jpg", 1024, "e") for place, split in enumerate(("train", "test")))
    assert data_words.summary(Contents("dogs", "b", photos)) == "2 photos of 1 class, 1 in train, 1 in test, 2.0 KiB"
    assert data_words.summary(Contents("dogs", "b", photos, is_counted=False)).startswith("more than 2 photos")


def test_a_set_without_photos_held_out_by_name_is_not_said_to_keep_them() -> None:
    whole = {"train": 9, "valid": 3, "test": 3}
    assert data_words.unchanged(whole).startswith("valid and test: the new model is measured on the same photos")
    assert data_words.unchanged({"train": 9, "test": 3}).startswith("test: the new model is measured")
    assert data_words.unchanged({"train": 28}).startswith("nothing is held out by name")
