import base64
import io
import itertools
import json

import numpy as np
import pytest
from PIL import Image

from dashboard.core.errors import InvalidInput, NotFound, ServiceFault
from dashboard.core.serving.classify import (
    Photo,
    Prediction,
    classify,
    prepare_photo,
    sentence,
)
from tests.core.conftest import Reply, refusal

PHOTO = Photo("beagle.jpg", b"\xff\xd8jpeg", 640, 480, "")
GPS, DATE, ORIENTATION = 0x8825, 0x0132, 0x0112


def jpeg(size=(640, 480), **save):
    target = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(target, "JPEG", **save)
    return target.getvalue()


def breeds(*predictions, is_dog=True, dog_probability=0.97, **more):
    """An answer in the profile "breeds", as the serving container gives it."""
    return {
        "model": "starter",
        "predictions": [[{"breed": breed, "probability": p} for breed, p in predictions]],
        "is_dog": [is_dog],
        "dog_probability": [dog_probability],
        "scores": [[0.1, 0.2]],
        "milliseconds": 7.6,
    } | more


def test_an_answer_in_breeds(aws, fake):
    told = breeds(
        ("Beagle", 0.93), ("Basset hound", 0.03), ("Harrier", 0.02), ("Foxhound", 0.01), ("Bloodhound", 0.005)
    )
    fake.on("InvokeEndpoint", told)
    ticks = itertools.count(100.0, 0.25)
    answer = classify(aws, "starter", PHOTO, clock=lambda: next(ticks))
    assert answer.model == "starter"
    assert answer.predictions[0] == Prediction("Beagle", 0.93)
    assert len(answer.predictions) == 5
    assert answer.is_dog is True
    assert answer.dog_probability == 0.97
    assert answer.seconds == 0.25
    assert answer.model_seconds == pytest.approx(0.0076)
    assert answer.sentence == "Looks like a Beagle (93 %)."
    name, asked = fake.calls[-1]
    assert name == "InvokeEndpoint"
    assert asked == {
        "EndpointName": "starter",
        "Body": PHOTO.jpeg,
        "Accept": "application/json; profile=breeds",
        "ContentType": "image/jpeg",
    }


@pytest.mark.parametrize(
    ("predictions", "is_dog", "dog", "text"),
    [
        ([("Beagle", 0.93), ("Harrier", 0.03)], True, 0.97, "Looks like a Beagle (93 %)."),
        ([("Airedale terrier", 0.8)], True, 0.97, "Looks like an Airedale terrier (80 %)."),
        ([("Beagle", 0.41), ("Harrier", 0.38)], True, 0.9, "Close call between Beagle (41 %) and Harrier (38 %)."),
        ([("Beagle", 0.45), ("Harrier", 0.05)], True, 0.9, "Perhaps a Beagle (45 %), but the model is not sure."),
        ([("Beagle", 0.93), ("Harrier", 0.03)], False, 0.04, "This does not look like a dog (dog probability 4 %)."),
        (
            [("Beagle", 0.93), ("Harrier", 0.03)],
            False,
            0.001,
            "This does not look like a dog (dog probability under 1 %).",
        ),
        (
            [("Beagle", 0.93), ("Harrier", 0.03)],
            None,
            None,
            "Of the breeds this model knows, it is closest to a Beagle (93 %).",
        ),
        ([("Beagle", 0.41), ("Harrier", 0.38)], None, None, "Close call between Beagle (41 %) and Harrier (38 %)."),
    ],
)
def test_one_honest_sentence(predictions, is_dog, dog, text):
    assert sentence(tuple(Prediction(*p) for p in predictions), is_dog, dog) == text


def test_a_model_that_makes_no_claim_about_dogs_gets_none(aws, fake):
    fake.on("InvokeEndpoint", breeds(("Beagle", 0.93), is_dog=None, dog_probability=None))
    answer = classify(aws, "dogs", PHOTO)
    assert answer.is_dog is None
    assert answer.dog_probability is None
    assert "not look like" not in answer.sentence


def test_predictions_are_sorted_and_at_most_five(aws, fake):
    fake.on("InvokeEndpoint", breeds(*((f"Breed {n}", n / 100) for n in range(1, 9))))
    assert [p.breed for p in classify(aws, "dogs", PHOTO).predictions] == [f"Breed {n}" for n in (8, 7, 6, 5, 4)]


def test_plain_scores_of_a_model_that_names_nothing(aws, fake):
    fake.on("InvokeEndpoint", [[0.0, 2.0, 1.0, -3.0]])
    answer = classify(aws, "reference", PHOTO)
    weights = np.exp([0.0, 2.0, 1.0, -3.0])
    assert [p.breed for p in answer.predictions] == ["class 1", "class 2", "class 0", "class 3"]
    assert answer.predictions[0].probability == pytest.approx(weights[1] / weights.sum())
    assert answer.is_dog is None
    assert (
        answer.sentence
        == "This model answers 4 scores without breed names; class 1, counted from 0, is highest (66 %)."
    )


def test_a_model_of_one_class_is_told_in_the_singular(aws, fake):
    fake.on("InvokeEndpoint", [[0.5]])
    assert "answers 1 score without" in classify(aws, "theirs", PHOTO).sentence


def test_huge_scores_do_not_overflow(aws, fake):
    fake.on("InvokeEndpoint", [[5000.0, -5000.0]])
    assert classify(aws, "reference", PHOTO).predictions[0].probability == 1.0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"[[]]",
        b"null",
        b"7",
        b'["a"]',
        b"[[NaN, 1]]",
        b'["123"]',
        b"[[1" + b"0" * 400 + b"]]",
        b"[" * 100_000,
        json.dumps(breeds(("Beagle", 0.9), milliseconds=float("nan"))).encode(),
        b"{}",
        json.dumps(breeds()).encode(),
        json.dumps(breeds(("Beagle", 1.7))).encode(),
        json.dumps(breeds(("Beagle", 0.9), is_dog="yes")).encode(),
        json.dumps(breeds(("Beagle", None))).encode(),
        json.dumps(breeds((None, 0.9))).encode(),
        json.dumps(breeds((" ", 0.9))).encode(),
    ],
)
def test_an_answer_that_makes_no_sense_is_said_to_make_none(aws, fake, body):
    fake.on("InvokeEndpoint", Reply(body))
    with pytest.raises(ServiceFault, match="makes no sense") as caught:
        classify(aws, "dogs", PHOTO)
    assert "dogs" in caught.value.what


def test_a_breeds_name_can_be_shown_whatever_it_is(aws, fake):
    fake.on("InvokeEndpoint", breeds(("half \ud83d", 0.6), ("x" * 5_000_000, 0.4)))
    first, second = classify(aws, "dogs", PHOTO).predictions
    assert first.breed == "half ?"
    assert second.breed == "x" * 99 + "…"


def test_the_containers_refusal_is_told_in_its_own_sentence(aws, fake):
    said = {"OriginalStatusCode": 400, "OriginalMessage": '{"error": "This photo is cut short."}', "Message": "x"}
    fake.on("InvokeEndpoint", Reply(said, 424, {"x-amzn-errortype": "ModelError"}))
    with pytest.raises(InvalidInput, match="This photo is cut short") as caught:
        classify(aws, "dogs", PHOTO)
    assert caught.value.field == "photo"


def test_an_endpoint_that_is_not_there(aws, fake):
    fake.on("InvokeEndpoint", refusal("ValidationError", "Endpoint dogs of account 123456789012 not found."))
    with pytest.raises(NotFound):
        classify(aws, "dogs", PHOTO)


def test_a_large_photo_is_shrunk_before_it_is_sent():
    photo = prepare_photo(jpeg((3000, 1500)), "big.jpg")
    with Image.open(io.BytesIO(photo.jpeg)) as image:
        assert image.size == (photo.width, photo.height) == (1024, 512)
        assert image.format == "JPEG"


def test_a_small_photo_keeps_its_size():
    photo = prepare_photo(jpeg((320, 200)), "small.jpg")
    assert (photo.name, photo.width, photo.height) == ("small.jpg", 320, 200)


def test_place_and_date_are_dropped_and_the_photo_is_upright():
    exif = Image.Exif()
    exif[DATE] = "2026:11:21 10:00:00"
    exif[ORIENTATION] = 6
    exif.get_ifd(GPS)[2] = (52.0, 31.0, 12.0)
    photo = prepare_photo(jpeg((400, 200), exif=exif), "walk.jpg")
    assert (photo.width, photo.height) == (200, 400)
    with Image.open(io.BytesIO(photo.jpeg)) as image:
        assert not dict(image.getexif())
        assert "exif" not in image.info
    assert b"2026:11:21" not in photo.jpeg
    assert "hidden data" in photo.note


@pytest.mark.parametrize("data", [b"", b"no photo at all", jpeg()[:2000], b"%PDF-1.7"])
def test_what_is_no_photo_is_refused_by_name_with_the_reason(data):
    with pytest.raises(InvalidInput, match=r"holiday\.jpg") as caught:
        prepare_photo(data, "holiday.jpg")
    assert caught.value.why
    assert caught.value.field == "photo"


def test_a_bomb_is_refused():
    target = io.BytesIO()
    Image.new("1", (8_000, 7_000)).save(target, "PNG")
    with pytest.raises(InvalidInput, match="million pixels"):
        prepare_photo(target.getvalue(), "bomb.png")


def test_a_file_that_is_too_large_is_refused():
    with pytest.raises(InvalidInput, match="MiB"):
        prepare_photo(b"\xff\xd8" + bytes(20 * 1024 * 1024), "huge.jpg")


def overlay(colour=(200, 40, 20), side=224):
    """A picture of where the model looked, as the serving container gives it."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "JPEG", comment=b"from the model")
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def test_where_the_model_looked_is_asked_for_only_when_wanted(aws, fake):
    fake.on("InvokeEndpoint", breeds(("Beagle", 0.93), overlay=[overlay()]))
    answer = classify(aws, "starter", PHOTO, looked=True)
    assert fake.calls[-1][1]["Accept"] == "application/json; profile=breeds; overlay=true"
    assert answer.was_looked_for
    assert Image.open(io.BytesIO(answer.looked)).size == (224, 224)
    assert b"from the model" not in answer.looked
    fake.on("InvokeEndpoint", breeds(("Beagle", 0.93)))
    plain = classify(aws, "starter", PHOTO)
    assert fake.calls[-1][1]["Accept"] == "application/json; profile=breeds"
    assert (plain.looked, plain.was_looked_for) == (None, False)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"overlay": []},
        {"overlay": None},
        {"overlay": {"0": "x"}},
        {"overlay": 7},
        {"overlay": overlay()},
        {"overlay": [None]},
        {"overlay": [7]},
        {"overlay": [[]]},
        {"overlay": ["https://example.com/x.jpg"]},
        {"overlay": ["data:image/svg+xml;base64,PHN2Zz4="]},
        {"overlay": ["data:image/jpeg;base64,no base64!"]},
        {"overlay": ["data:image/jpeg;base64,\u00e4"]},
        {"overlay": ["data:image/jpeg;base64," + base64.b64encode(b"no picture").decode()]},
        {"overlay": ["data:image/jpeg;base64," + base64.b64encode(bytes(600_000)).decode()]},
        {"overlay": [overlay(side=1100)]},
    ],
)
def test_an_odd_picture_of_where_the_model_looked_does_not_cost_its_answer(aws, fake, more):
    fake.on("InvokeEndpoint", breeds(("Beagle", 0.93), **more))
    answer = classify(aws, "starter", PHOTO, looked=True)
    assert answer.sentence == "Looks like a Beagle (93 %)."
    assert (answer.looked, answer.was_looked_for) == (None, True)
