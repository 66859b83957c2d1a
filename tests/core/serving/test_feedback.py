"""Corrections of visitors: kept once by content, under the newer breed, and taken back whole."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.serving import feedback
from dashboard.core.serving.classify import Answer, Photo, Prediction
from tests.views.scripted import ScriptedAws

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
PHOTO = Photo("my garden.jpg", b"the pixels of a dog", 64, 64, "")
SAID = Answer(
    "starter", (Prediction("Beagle", 0.9), Prediction("Basset Hound", 0.1)), True, 0.98, 0.01, "Looks like a Beagle."
)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> ScriptedAws:
    monkeypatch.setenv("KENNEL_FEEDBACK", "1")
    return ScriptedAws()


def keys(aws: ScriptedAws) -> list[str]:
    return sorted(aws.bodies)


def note(aws: ScriptedAws) -> dict[str, Any]:
    [key] = [key for key in aws.bodies if key.startswith("feedback/notes/")]
    told: dict[str, Any] = json.loads(aws.bodies[key])
    return told


def test_photo_and_correction_are_kept_as_a_data_set_and_nothing_of_the_visitor(aws: ScriptedAws) -> None:
    kept = feedback.keep(aws, PHOTO, SAID, "Basset Hound", NOW)
    assert kept.photo_key == f"feedback/train/Basset_Hound/{kept.digest}.jpg"
    assert aws.bodies[kept.photo_key] == PHOTO.jpeg
    assert note(aws) == {
        "breed": "Basset Hound",
        "photo": kept.photo_key,
        "model": "starter",
        "said": [{"breed": "Beagle", "probability": 0.9}, {"breed": "Basset Hound", "probability": 0.1}],
        "is_dog": True,
        "corrected": "2026-05-04T12:30:00+00:00",
    }
    assert "garden" not in " ".join([*aws.bodies, json.dumps(note(aws))])


def test_the_same_photo_is_kept_once_under_the_newer_breed(aws: ScriptedAws) -> None:
    feedback.keep(aws, PHOTO, SAID, "Basset Hound", NOW)
    feedback.keep(aws, PHOTO, SAID, "Basset Hound", NOW)
    assert len(keys(aws)) == 2
    kept = feedback.keep(aws, PHOTO, SAID, "Poodle", NOW)
    assert keys(aws) == sorted([kept.photo_key, kept.note_key])
    assert note(aws)["breed"] == "Poodle"


def test_what_is_no_dog_does_not_become_a_breed(aws: ScriptedAws) -> None:
    kept = feedback.keep(aws, PHOTO, SAID, feedback.NO_DOG, NOW)
    assert kept.photo_key == f"feedback/not-a-dog/{kept.digest}.jpg"


def test_taking_it_back_leaves_nothing_and_may_be_done_twice(aws: ScriptedAws) -> None:
    kept = feedback.keep(aws, PHOTO, SAID, "Poodle", NOW)
    feedback.take_back(aws, kept)
    assert not aws.bodies
    feedback.take_back(aws, kept)


def test_only_a_breed_of_the_list_can_be_chosen(aws: ScriptedAws) -> None:
    choices = feedback.choices(SAID)
    assert choices[:2] == ("Beagle", "Basset Hound")
    assert choices[-1] == feedback.NO_DOG
    assert len(set(choices)) == len(choices)
    assert "Pembroke Welsh Corgi" in choices
    for wrong in ("../../models", "x" * 900, ""):
        with pytest.raises(InvalidInput):
            feedback.keep(aws, PHOTO, SAID, wrong, NOW)
    assert not aws.bodies


def test_taking_one_back_leaves_what_somebody_else_said_of_the_same_photo_since(aws: ScriptedAws) -> None:
    first = feedback.keep(aws, PHOTO, SAID, "Poodle", NOW)
    second = feedback.keep(aws, PHOTO, SAID, "Basset Hound", NOW)
    feedback.take_back(aws, first)
    assert keys(aws) == sorted([second.photo_key, second.note_key])


@pytest.mark.parametrize(
    ("breed", "folder"),
    [("../../models", "models"), ("..", "unnamed"), ("a\\b\n/c", "a_b_c"), ("Coton de Tuléar", "Coton_de_Tuléar")],
)
def test_whatever_a_model_calls_a_breed_becomes_a_folder_of_its_own(aws: ScriptedAws, breed: str, folder: str) -> None:
    said = replace(SAID, predictions=(Prediction(breed, 0.9), Prediction(breed, 0.1)))
    assert feedback.choices(said).count(breed) == 1
    assert feedback.keep(aws, PHOTO, said, breed, NOW).photo_key.startswith(f"feedback/train/{folder}/")


def test_where_it_is_off_nothing_is_kept_whatever_a_page_sends() -> None:
    aws = ScriptedAws()
    with pytest.raises(Refused, match="corrections are off here"):
        feedback.keep(aws, PHOTO, SAID, "Poodle", NOW, {})
    assert not aws.bodies


def test_it_is_off_unless_it_is_asked_for() -> None:
    assert not feedback.is_on({})
    assert not feedback.is_on({"KENNEL_FEEDBACK": "0"})
    assert feedback.is_on({"KENNEL_FEEDBACK": "1"})
