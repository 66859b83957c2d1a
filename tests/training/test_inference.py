"""The four functions that AWS's inference image calls: what goes in, and every form of what comes out."""

import base64
import io
import itertools
import json

import numpy as np
import pytest
from PIL import Image

from training import inference
from training.images import BadPhoto
from training.inference import BREEDS_PROFILE, OVERLAY_PROFILE, Model, Outputs, Preprocessing, UnsupportedContent
from training.photo_request import NotAcceptable
from training.sample_data import draw_dog


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    target = io.BytesIO()
    draw_dog("057.Dalmatian", 1).save(target, "JPEG", quality=92)
    return target.getvalue()


def test_the_default_answer_is_raw_scores(starter: Model, jpeg: bytes) -> None:
    answer = inference.predict_fn(inference.input_fn(jpeg, "image/jpeg"), starter)
    for accept in (None, "", "*/*", "application/json", "application/json; charset=utf-8"):
        scores = json.loads(inference.output_fn(answer, accept))
        assert np.array(scores).shape == (1, 116)
        assert np.allclose(scores[0], answer.predictions[0].scores, atol=1e-5)


@pytest.mark.parametrize(
    "accept", [BREEDS_PROFILE, "application/json;profile=breeds", 'Application/JSON; profile="breeds"']
)
def test_the_breeds_profile_names_the_five_most_likely(starter: Model, jpeg: bytes, accept: str) -> None:
    answer = json.loads(
        inference.output_fn(inference.predict_fn(inference.input_fn(jpeg, "image/png"), starter), accept)
    )
    assert set(answer) == {"model", "predictions", "is_dog", "dog_probability", "scores", "milliseconds"}
    assert answer["model"] == "starter"
    (top,) = answer["predictions"]
    assert [set(prediction) for prediction in top] == [{"breed", "probability"}] * 5
    shares = [prediction["probability"] for prediction in top]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.00001
    assert top[0]["breed"] == starter.labels[int(np.argmax(answer["scores"][0]))]
    assert answer["is_dog"] == [answer["dog_probability"][0] >= 0.5]
    assert answer["milliseconds"] > 0


@pytest.mark.parametrize(
    "accept", ["text/html, application/json;q=0.9, */*", f"text/html, {BREEDS_PROFILE}", "text/html, */*"]
)
def test_one_of_several_accepted_types_is_enough(starter: Model, jpeg: bytes, accept: str) -> None:
    answer = inference.predict_fn(inference.input_fn(jpeg, "image/jpeg"), starter)
    assert isinstance(json.loads(inference.output_fn(answer, accept)), dict if "breeds" in accept else list)


def test_other_content_is_refused_in_a_sentence(starter: Model, jpeg: bytes) -> None:
    for kind in ("text/csv", "", None):
        with pytest.raises(UnsupportedContent, match="image/jpeg"):
            inference.input_fn(jpeg, kind)
    answer = inference.predict_fn(inference.input_fn(jpeg, "image/webp"), starter)
    for accept, words in (
        ("text/csv", "application/json only"),
        ("application/json; profile=breed", "application/json; profile=breeds"),
        ("application/json; profile=breed; overlay=true", "application/json; profile=breeds"),
        ("application/json; overlay=true", "profile=breeds; overlay=true"),
    ):
        with pytest.raises(NotAcceptable, match=words) as refused:
            inference.output_fn(answer, accept)
        assert refused.value.status == 406
    with pytest.raises(BadPhoto):
        inference.predict_fn(inference.input_fn(b"no photo", "image/jpeg"), starter)


def test_photos_of_one_request_are_answered_together_and_alike(starter: Model, jpeg: bytes) -> None:
    other = io.BytesIO()
    draw_dog("124.Poodle", 3).save(other, "PNG")
    photos = [jpeg, other.getvalue(), jpeg]
    body = json.dumps({"image": [base64.b64encode(photo).decode() for photo in photos]})
    # AWS's toolkit hands JSON on as text.
    together_answer = inference.predict_fn(inference.input_fn(body, "application/json"), starter)
    together = json.loads(inference.output_fn(together_answer, None))
    answers = [inference.predict_fn(inference.input_fn(photo, "image/x"), starter) for photo in photos]
    alone = [json.loads(inference.output_fn(answer, None))[0] for answer in answers]
    assert np.allclose(together, alone, atol=1e-4)
    breeds = json.loads(inference.output_fn(together_answer, BREEDS_PROFILE))
    assert [len(breeds[key]) for key in ("predictions", "is_dog", "dog_probability", "scores")] == [3] * 4


def test_one_bad_photo_among_several_is_named(starter: Model, jpeg: bytes) -> None:
    body = json.dumps({"image": [base64.b64encode(photo).decode() for photo in (jpeg, b"no photo")]})
    with pytest.raises(BadPhoto, match=r"^Photo 2 of 2: This file is not a photo"):
        inference.predict_fn(inference.input_fn(body, "application/json"), starter)


def test_requests_that_run_together_do_not_harm_each_other(starter: Model, jpeg: bytes) -> None:
    other = io.BytesIO()
    draw_dog("124.Poodle", 3).save(other, "PNG")
    several = json.dumps({"image": [base64.b64encode(photo).decode() for photo in (other.getvalue(), jpeg)]})
    requests = [inference.input_fn(photo, "image/jpeg") for photo in (jpeg, b"no photo", other.getvalue())]
    requests.append(inference.input_fn(several, "application/json"))
    first, bad, second, both = inference.predict_together(requests, starter)
    assert isinstance(bad, BadPhoto)
    answers = []
    for answer in (first, second, both):
        assert isinstance(answer, inference.Answer)
        answers.append([prediction.scores for prediction in answer.predictions])
    alone = [starter.predict(starter.preprocessing.load(photo)[None])[0].scores for photo in (jpeg, other.getvalue())]
    assert np.abs(alone[0] - alone[1]).max() > 1, "two photos alike would hide an exchange"
    assert [len(scores) for scores in answers] == [1, 1, 2]
    for found, expected in zip(itertools.chain(*answers), (0, 1, 1, 0), strict=True):
        assert np.allclose(found, alone[expected], atol=1e-4)
    assert [type(found) for found in inference.predict_together(requests[1:2], starter)] == [BadPhoto]


def test_an_overlay_comes_when_it_is_asked_for(starter: Model, jpeg: bytes) -> None:
    answer = inference.predict_fn(inference.input_fn(jpeg, "image/jpeg"), starter)
    assert "overlay" not in json.loads(inference.output_fn(answer, BREEDS_PROFILE))
    for accept in (OVERLAY_PROFILE, 'application/json;overlay="true";profile=breeds'):
        (picture,) = json.loads(inference.output_fn(answer, accept))["overlay"]
        with Image.open(io.BytesIO(base64.b64decode(picture.partition(",")[2]))) as image:
            assert (image.format, image.size) == ("JPEG", (224, 224))


def test_a_model_without_maps_says_so_instead_of_drawing(jpeg: bytes) -> None:
    model = Model(["a", "b"], Preprocessing(), {}, lambda pixels: Outputs(np.array([[1.0, 2.0]], np.float32)))
    answer = json.loads(
        inference.output_fn(inference.predict_fn(inference.input_fn(jpeg, "image/jpeg"), model), OVERLAY_PROFILE)
    )
    assert (answer["overlay"], answer["is_dog"], answer["dog_probability"]) == ([None], [None], [None])
    assert "linear head" in answer["overlay_reason"]


def test_scores_that_are_no_numbers_are_not_passed_off_as_an_answer(jpeg: bytes) -> None:
    model = Model(["a", "b"], Preprocessing(), {}, lambda pixels: Outputs(np.array([[np.nan, 1.0]], np.float32)))
    answer = inference.predict_fn(inference.input_fn(jpeg, "image/jpeg"), model)
    with pytest.raises(ValueError, match="not JSON compliant"):
        inference.output_fn(answer, None)
