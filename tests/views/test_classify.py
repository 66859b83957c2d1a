"""Classify: the visitors' page."""

import base64
import io
import json
from functools import cache
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard import sample_account, state
from dashboard.core.errors import InvalidInput, ServiceFault, Unreachable
from tests.views.conftest import Open, links, text
from tests.views.scripted import ScriptedAws, dog_answer


@cache
def photo(colour: str = "brown", side: int = 64, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "JPEG", **options)
    return file.getvalue()


def drop(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    for name, data in files:
        page.file_uploader[0].upload(name, data)
    return page.run()


def test_a_photo_is_answered_with_five_bars_and_one_sentence(aws: ScriptedAws, visit: Open) -> None:
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    assert not page.exception
    said = text(page)
    assert "Looks like a Beagle (93 %)." in said
    assert said.count('<th scope="row">') == 5
    assert "1 photo answered in this tab" in said
    assert "answered by starter" in said
    assert [image.proto.imgs[0].alt for image in page.image] == ["rex.jpg. Looks like a Beagle (93 %)."]


def with_overlay(aws: ScriptedAws) -> None:
    """The model shows where it looked when it is asked to."""
    picture = "data:image/jpeg;base64," + base64.b64encode(photo("orange", 224)).decode()

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        shown = {"overlay": [picture]} if "overlay=true" in asked["Accept"] else {}
        return {"Body": io.BytesIO(json.dumps(aws.answer | shown).encode())}

    aws._InvokeEndpoint = answer  # type: ignore[method-assign]


def alts(page: AppTest) -> list[str]:
    return [image.proto.imgs[0].alt for image in page.image]


def test_where_the_model_looked_takes_the_photos_place_and_gives_it_back(aws: ScriptedAws, visit: Open) -> None:
    with_overlay(aws)
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    assert [asked["Accept"] for asked in aws.asked("InvokeEndpoint")] == ["application/json; profile=breeds"]
    page.toggle(key="looked").set_value(True).run()
    assert not page.exception
    assert alts(page) == ["rex.jpg: where the model looked, warm where it found Beagle"]
    assert "Warm where it speaks for Beagle." in text(page)
    assert "Looks like a Beagle (93 %)." in text(page)
    page.toggle(key="looked").set_value(False).run()
    assert alts(page) == ["rex.jpg. Looks like a Beagle (93 %)."]
    page.toggle(key="looked").set_value(True).run()
    assert len(aws.asked("InvokeEndpoint")) == 2, "what was shown once is kept"


def test_a_photo_dropped_while_it_is_on_is_asked_about_once(aws: ScriptedAws, visit: Open) -> None:
    with_overlay(aws)
    page = visit(aws, "classify")
    assert "looked" not in {toggle.key for toggle in page.toggle}, "there is nothing to look at yet"
    drop(page, ("rex.jpg", photo()))
    page.toggle(key="looked").set_value(True).run()
    drop(page, ("max.jpg", photo("red")))
    assert alts(page) == [f"{name}.jpg: where the model looked, warm where it found Beagle" for name in ("max", "rex")]
    assert len(aws.asked("InvokeEndpoint")) == 3


def test_a_model_that_cannot_tell_where_it_looked_says_so_under_the_photo(aws: ScriptedAws, visit: Open) -> None:
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    page.toggle(key="looked").set_value(True).run()
    assert alts(page) == ["rex.jpg. Looks like a Beagle (93 %)."]
    assert "Where it looked, this model does not show" in text(page)


def test_an_endpoint_that_fails_to_look_again_is_said_and_the_answers_stay(aws: ScriptedAws, visit: Open) -> None:
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    aws.errors["InvokeEndpoint"] = ServiceFault("starter failed", "its log says why", "look into it")
    page.toggle(key="looked").set_value(True).run()
    assert not page.exception
    assert "Starter failed" in text(page)
    assert "Looks like a Beagle (93 %)." in text(page)


def test_something_else_is_said_not_to_be_a_dog(aws: ScriptedAws, visit: Open) -> None:
    aws.answer |= {"is_dog": [False], "dog_probability": [0.04]}
    said = text(drop(visit(aws, "classify"), ("cat.jpg", photo())))
    assert "This does not look like a dog (dog probability 4 %)." in said
    assert "not a dog" in said
    assert "Closest breeds, if it were a dog" in said


def test_a_bad_file_gets_its_own_sentence_and_the_others_their_answer(aws: ScriptedAws, visit: Open) -> None:
    page = drop(
        visit(aws, "classify"),
        ("notes.txt", b"not a photo"),
        ("empty.jpg", b""),
        ("cut.jpg", photo("red", 400)[:300]),
        ("rex.jpg", photo()),
    )
    assert not page.exception
    said = text(page)
    for name in ("notes.txt", "empty.jpg", "cut.jpg"):
        assert f"The photo {name} was not classified" in said  # never a name in other capitals
    assert "Looks like a Beagle (93 %)." in said
    assert len(aws.asked("InvokeEndpoint")) == 1


def test_where_the_photo_was_taken_does_not_reach_the_model(aws: ScriptedAws, visit: Open) -> None:
    exif = Image.Exif()
    exif[0x010E] = "my garden"
    exif.get_ifd(0x8825)[1] = "N"
    page = drop(visit(aws, "classify"), ("rex.jpg", photo(exif=exif.tobytes())))
    [asked] = aws.asked("InvokeEndpoint")
    assert not Image.open(io.BytesIO(asked["Body"])).getexif()
    assert b"garden" not in asked["Body"]
    assert "dropped on arrival" in text(page)


def test_answers_stay_while_another_page_is_open_and_are_not_asked_for_again(aws: ScriptedAws, visit: Open) -> None:
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    page.run()
    page.switch_page("views/runs.py").run()
    page.switch_page("views/classify.py").run()
    assert "Looks like a Beagle (93 %)." in text(page)
    assert len(aws.asked("InvokeEndpoint")) == 1


def test_the_drop_zone_is_empty_again_and_the_server_keeps_no_original(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "classify")
    let_go = []
    original, state.let_go = state.let_go, let_go.append
    try:
        drop(page, ("rex.jpg", photo()))
    finally:
        state.let_go = original
    assert [upload.name for upload in let_go] == ["rex.jpg"]
    assert page.file_uploader[0].value == []


def test_the_newest_answer_is_on_top_and_clear_removes_all(aws: ScriptedAws, visit: Open) -> None:
    page = drop(visit(aws, "classify"), ("first.jpg", photo("red")))
    drop(page, ("second.jpg", photo("blue")))
    said = text(page)
    assert said.index("second.jpg") < said.index("first.jpg")
    page.button(key="clear").click().run()
    assert "first.jpg" not in text(page)
    assert "drop a photo, see the breed" in text(page)


def test_too_many_photos_are_taken_up_to_the_limit(aws: ScriptedAws, visit: Open) -> None:
    files = [(f"{number}.jpg", photo(f"#{number * 10:02x}0000")) for number in range(23)]
    page = drop(visit(aws, "classify"), *files)
    assert "20 photos answered" in text(page)
    assert "3 photos left out: 20.jpg, 21.jpg, 22.jpg. Up to 20 are taken at a time" in text(page)


def test_within_a_batch_the_cards_stand_as_the_photos_were_dropped(aws: ScriptedAws, visit: Open) -> None:
    page = drop(visit(aws, "classify"), ("a.jpg", photo("red")), ("b.jpg", photo("blue")))
    drop(page, ("c.jpg", photo("green")))
    said = text(page)
    assert said.index("c.jpg") < said.index("a.jpg") < said.index("b.jpg")


def test_of_a_moving_picture_the_first_frame_is_used_and_that_is_said(aws: ScriptedAws, visit: Open) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(
        file, "GIF", save_all=True, append_images=[Image.new("RGB", (64, 64), "blue")]
    )
    page = drop(visit(aws, "classify"), ("moving.gif", file.getvalue()))
    assert "its first frame was used" in text(page)
    assert "first frame" not in text(drop(visit(aws, "classify"), ("still.jpg", photo())))


def test_a_model_that_makes_no_claim_about_dogs_says_why(aws: ScriptedAws, visit: Open) -> None:
    aws.answer |= {"is_dog": [None], "dog_probability": [None]}
    assert "Whether this is a dog at all, this model does not say" in text(
        drop(visit(aws, "classify"), ("rex.jpg", photo()))
    )


def test_with_several_endpoints_one_chooses(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "classify")
    assert page.selectbox(key="endpoint").options == ["starter", "forgotten"]
    page.selectbox(key="endpoint").set_value("forgotten").run()
    drop(page, ("rex.jpg", photo()))
    assert aws.asked("InvokeEndpoint")[0]["EndpointName"] == "forgotten"


def test_the_endpoint_can_be_linked(aws: ScriptedAws, visit: Open) -> None:
    assert visit(aws, "classify", endpoint="forgotten").selectbox(key="endpoint").value == "forgotten"


def test_with_one_endpoint_there_is_nothing_to_choose(visit: Open) -> None:
    aws = ScriptedAws()
    aws.add_endpoint("starter", sample=True)
    page = visit(aws, "classify")
    assert not page.selectbox
    assert "Model that answers <strong>starter</strong>" in text(page)
    assert page.file_uploader


def test_the_starter_answers_unless_another_is_asked_for(visit: Open) -> None:
    aws = ScriptedAws()
    aws.add_endpoint("newest", age=1)
    aws.add_endpoint("starter", sample=True)
    assert visit(aws, "classify").selectbox(key="endpoint").value == "starter"
    assert visit(aws, "classify", endpoint="newest").selectbox(key="endpoint").value == "newest"


@pytest.mark.parametrize("names", [("starter",), ("starter", "other")])
def test_an_endpoint_that_was_asked_for_and_does_not_serve_is_named(visit: Open, names: tuple[str, ...]) -> None:
    aws = ScriptedAws()
    for name in names:
        aws.add_endpoint(name)
    page = visit(aws, "classify", endpoint="gone")
    assert "gone is not serving: starter answers instead." in text(page)
    assert "gone is not serving" in text(page.run())
    assert "is not serving" not in text(visit(aws, "classify"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ServiceFault("the answer of starter makes no sense"), "The answer of starter makes no sense"),
        (InvalidInput("the model refuses the photo", "it is too small"), "It is too small"),
    ],
)
def test_an_endpoint_that_fails_is_said_for_each_photo(
    aws: ScriptedAws, visit: Open, error: Exception, said: str
) -> None:
    aws.errors["InvokeEndpoint"] = error
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    assert not page.exception
    assert said in text(page)


def test_before_the_first_endpoint_serves_the_page_waits_for_it(visit: Open) -> None:
    aws = ScriptedAws()
    page = visit(aws, "classify")
    assert "No model is serving." in text(page)
    assert "opens by itself" not in text(page)
    assert ("Choose a run to deploy", "runs", "") in links(page)
    aws.add_endpoint("starter", "Creating", sample=True)
    state.forget()
    assert "this page opens by itself in a moment" in text(page.run())
    aws.endpoints["starter"]["EndpointStatus"] = "InService"
    state.forget()
    assert page.run().file_uploader


def test_only_while_the_account_is_being_filled_the_page_promises_to_open(
    visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_account, "is_filling", lambda state: True)
    page = visit(ScriptedAws(), "classify")
    assert "this page opens by itself" in text(page)
    monkeypatch.setattr(sample_account, "is_filling", lambda state: False)
    assert "opens by itself" not in text(page.run())


def test_the_starter_can_be_deployed_again(visit: Open) -> None:
    aws = ScriptedAws()
    assert not visit(aws, "classify").button
    aws.objects.append("models/starter/model.tar.gz")
    page = visit(aws, "classify")
    page.button(key="deploy-starter").click().run()
    assert not aws.endpoints
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert list(aws.endpoints) == ["starter"]
    [model] = aws.asked("CreateModel")
    assert model["PrimaryContainer"]["ModelDataUrl"] == (
        "s3://kennel-123456789012-us-east-1/models/starter/model.tar.gz"
    )
    assert "this page opens by itself in a moment" in text(page.run())


def test_a_drawn_example_is_labelled_as_drawn(aws: ScriptedAws, visit: Open) -> None:
    aws.answer = dog_answer("Dalmatian", 0.8)
    page = visit(aws, "classify")
    page.button(key="drawn").click().run()
    assert not page.exception
    said = text(page)
    assert "drawn picture" in said
    assert "Looks like a Dalmatian (80 %)." in said


def test_a_camera_shot_is_answered_like_a_file(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "classify")
    assert not page.camera_input  # the browser asks for the camera only when it is wanted
    page.toggle(key="with-camera").set_value(True).run()
    page.camera_input[0].upload("shot.jpg", photo())
    page.run()
    assert "Looks like a Beagle (93 %)." in text(page)


def test_a_name_cannot_become_markup(aws: ScriptedAws, visit: Open) -> None:
    said = text(drop(visit(aws, "classify"), ("<b onclick=x>.jpg", photo()), ("<i>.txt", b"no")))
    assert "<b onclick" not in said
    assert "<i>" not in said


def test_an_account_that_does_not_answer_is_explained(aws: ScriptedAws, visit: Open) -> None:
    aws.errors["*"] = Unreachable("nothing answers", "connection refused", "start it with make run")
    page = visit(aws, "classify")
    assert not page.exception
    assert text(page).count("</h1>") == 1
    assert "Nothing answers" in text(page)
