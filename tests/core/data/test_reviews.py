"""Corrections that visitors sent: read, decided about, and made a version of, on the embedded AWS."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dashboard.core.aws import Aws
from dashboard.core.data import contents, reviews
from dashboard.core.data.reviews import Correction, Verdict
from dashboard.core.errors import AlreadyExists, InvalidInput, NotFound, Refused
from dashboard.core.serving import feedback
from dashboard.core.serving.classify import Answer, Photo, Prediction
from dashboard.core.serving.feedback import NO_DOG
from tests.core.data.conftest import fill, keys, picture, put

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAID = Answer("starter", (Prediction("Poodle", 0.8), Prediction("Beagle", 0.1)), True, 0.99, 0.1, "a Poodle")


def send(aws: Aws, breed: str = "Beagle", shade: int = 1) -> None:
    """A visitor corrects an answer, as Classify does it."""
    photo = Photo("x.jpg", picture(shade), 40, 30, "")
    feedback.keep(aws, photo, SAID, breed, NOW, {feedback.SETTING: "1"})


def test_what_a_visitor_sent_waits_to_be_reviewed(account: Aws) -> None:
    send(account)
    (one,) = reviews.read(account)
    assert (one.breed, one.said[0], one.model, one.is_waiting) == ("Beagle", ("Poodle", 0.8), "starter", True)
    assert one.photo_key in keys(account)


@pytest.mark.parametrize(
    ("verdict", "label", "kept"),
    [
        (Verdict.ACCEPTED, "Beagle", "Beagle"),
        (Verdict.RELABELLED, "Dalmatian", "Dalmatian"),
        (Verdict.REJECTED, "", ""),
    ],
)
def test_a_decision_is_kept_and_can_be_taken_back(account: Aws, verdict: Verdict, label: str, kept: str) -> None:
    send(account)
    (one,) = reviews.read(account)
    reviews.decide(account, one, verdict, label, NOW)
    (decided,) = reviews.read(account)
    assert (decided.verdict, decided.label, decided.is_waiting) == (verdict, kept, False)
    assert decided.may_be_learnt is verdict.is_good
    reviews.take_back(account, decided)
    assert reviews.read(account) == (one,)


def test_what_the_visitor_corrected_once_more_waits_again_and_is_not_decided_unseen(account: Aws) -> None:
    send(account)
    (one,) = reviews.read(account)
    reviews.decide(account, one, Verdict.ACCEPTED, "Beagle", NOW)
    later = datetime(2026, 3, 2, tzinfo=UTC)
    feedback.keep(account, Photo("x.jpg", picture(1), 40, 30, ""), SAID, "Dalmatian", later, {feedback.SETTING: "1"})
    (again,) = reviews.read(account)
    assert (again.breed, again.is_waiting) == ("Dalmatian", True)
    with pytest.raises(Refused, match="another one by now"):
        reviews.decide(account, one, Verdict.ACCEPTED, "Beagle", NOW)


def test_what_was_taken_back_meanwhile_is_not_decided(account: Aws) -> None:
    send(account)
    (one,) = reviews.read(account)
    account.call("s3", "DeleteObject", Bucket=account.account.bucket, Key=one.note_key)
    with pytest.raises(NotFound, match="took it back"):
        reviews.decide(account, one, Verdict.ACCEPTED, "Beagle", NOW)


def test_a_label_is_needed_to_agree(account: Aws) -> None:
    with pytest.raises(InvalidInput, match="no label"):
        reviews.decide(account, Correction("ab", "feedback/x.jpg", "Beagle"), Verdict.RELABELLED, " ", NOW)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "[]",
        "[" * 50_000,
        '{"photo": "datasets/dogs/x.jpg", "breed": "a"}',
        '{"photo": "feedback/../abcdef0123.jpg", "breed": "a"}',
        '{"photo": "feedback/train/\\ud800/abcdef0123.jpg", "breed": "a"}',
        '{"photo": 3, "breed": "a"}',
    ],
)
def test_a_note_of_no_use_is_left_out(account: Aws, note: str) -> None:
    put(account, "feedback/notes/abcdef0123.json", note.encode())
    assert reviews.read(account) == ()


def test_a_hostile_note_is_read_as_what_can_be_shown(account: Aws) -> None:
    said = [{"breed": "a", "probability": 10**400}, {"breed": "b" * 9000, "probability": 0.5}]
    said += [{"breed": "c", "probability": float("nan")}] * 1000
    note = {"photo": "feedback/train/a/abcdef0123.jpg", "breed": "<b>\ud800", "model": [1], "said": said}
    put(account, "feedback/notes/abcdef0123.json", json.dumps(note).encode())
    (one,) = reviews.read(account)
    assert (one.breed, one.model, one.said) == ("<b>?", "[1]", (("b" * 100, 0.5),))


def test_without_a_bucket_there_is_nothing_to_review(live: Aws) -> None:
    assert reviews.read(live.in_region("eu-west-3")) == ()


def correction(digest: str, label: str, verdict: Verdict = Verdict.ACCEPTED) -> Correction:
    return Correction(digest, f"feedback/train/x/{digest}.jpg", label, verdict=verdict, label=label)


def test_a_version_takes_what_was_agreed_to_by_its_class(account: Aws) -> None:
    fill(account)
    base = contents.read(account, "dogs")
    plan = reviews.plan_version(
        base,
        [
            correction("aa", "Beagle"),
            correction("bb", "Dalmatian"),
            correction("cc", "Affenpinscher", Verdict.RELABELLED),
            correction("dd", "Beagle", Verdict.REJECTED),
            correction("ee", NO_DOG),
            replace(correction("ff", "Beagle"), verdict=None),
        ],
        "dogs-v2",
        "token",
    )
    assert [one.key for one in plan.work.added] == [
        "train/002.Beagle/aa.jpg",
        "train/Dalmatian/bb.jpg",
        "train/001.Affenpinscher/cc.jpg",
    ]
    assert plan.new == ("Dalmatian",)
    assert plan.left == {"of no dog": 1}


def test_what_is_in_the_base_already_is_not_added_twice(account: Aws) -> None:
    fill(account)
    put(account, "datasets/dogs/train/002.Beagle/aa.jpg", picture())
    with pytest.raises(InvalidInput, match="nothing to add"):
        reviews.plan_version(contents.read(account, "dogs"), [correction("aa", "Beagle")], "dogs-v2", "token")


def test_a_version_never_takes_another_ones_name(account: Aws) -> None:
    fill(account)
    base = contents.read(account, "dogs")
    with pytest.raises(AlreadyExists):
        reviews.plan_version(base, [correction("aa", "Beagle")], "dogs", "token", taken=["dogs"])


@pytest.mark.parametrize(
    ("base", "taken", "name"),
    [
        ("dogs", [], "dogs-v2"),
        ("dogs", ["dogs-v2"], "dogs-v3"),
        ("dogs-v2", [], "dogs-v3"),
        ("dogs-v9", ["dogs-v10"], "dogs-v11"),
    ],
)
def test_versions_count_on(base: str, taken: list[str], name: str) -> None:
    assert reviews.next_name(base, taken) == name


def test_a_person_may_say_any_class_any_breed_or_no_dog() -> None:
    told = reviews.labels(["001.Affenpinscher", "My_own_breed"])
    assert told[:2] == ("Affenpinscher", "My own breed")
    assert told[-1] == NO_DOG
    assert "Dalmatian" in told
    assert len(set(told)) == len(told)


def test_a_decision_is_kept_beside_the_note_as_a_program_can_read_it(account: Aws) -> None:
    send(account)
    (one,) = reviews.read(account)
    reviews.decide(account, one, Verdict.ACCEPTED, "Beagle", NOW)
    key = f"feedback/decisions/{one.digest}.json"
    with account.call("s3", "GetObject", Bucket=account.account.bucket, Key=key)["Body"] as body:
        assert json.loads(body.read())["verdict"] == "accepted"
