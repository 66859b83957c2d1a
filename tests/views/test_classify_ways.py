"""Classify by both ways, by address, within a visitor's limit, and corrected."""

from typing import Any

import pytest

from dashboard.core.errors import AccessDenied, InvalidInput, Throttled
from dashboard.core.serving import classify
from tests.core.serving.test_through import COLD, Functions
from tests.views.conftest import Open, text
from tests.views.scripted import REAL, dog_answer
from tests.views.test_classify import alts, drop, photo


@pytest.fixture
def aws() -> Functions:
    account = Functions()
    account.add_endpoint("starter", sample=True)
    account.add_function("ask-starter", "starter")
    account.said = {"statusCode": 200, "body": "[[0.0]]", **dog_answer("Poodle", 0.8)}
    return account


def test_through_lambda_the_answer_says_what_took_how_long(aws: Functions, visit: Open) -> None:
    aws.log = COLD
    page = visit(aws, "classify")
    page.segmented_control(key="through").set_value("Lambda").run()
    drop(page, ("rex.jpg", photo()))
    assert not page.exception
    said = text(page)
    assert "Looks like a Poodle (80 %)." in said
    assert "answered by starter through Lambda ask-starter in" in said
    assert "0.04 s of it in Lambda, 0.01 s in the model, 0.31 s of a cold start" in said
    assert not aws.asked("InvokeEndpoint")


def test_the_way_can_be_linked(aws: Functions, visit: Open) -> None:
    assert visit(aws, "classify", through="Lambda").segmented_control(key="through").value == "Lambda"
    assert visit(aws, "classify", through="magic").segmented_control(key="through").value == "Endpoint"


def test_both_ways_are_shown_side_by_side_with_the_endpoints_answer(aws: Functions, visit: Open) -> None:
    page = visit(aws, "classify")
    page.segmented_control(key="through").set_value("Both").run()
    drop(page, ("rex.jpg", photo()))
    said = text(page)
    assert "Looks like a Beagle (93 %)." in said
    assert "answered by starter in" in said
    assert "Through Lambda ask-starter in" in said
    assert "another first breed, Poodle" in said
    assert (len(aws.asked("InvokeEndpoint")), len(aws.asked("Invoke"))) == (1, 1)


def test_of_both_ways_one_may_fail(aws: Functions, visit: Open) -> None:
    aws.errors["Invoke"] = Throttled("AWS is throttling lambda Invoke", "5 of 5 are busy", "wait")
    page = visit(aws, "classify")
    page.segmented_control(key="through").set_value("Both").run()
    drop(page, ("rex.jpg", photo()))
    said = text(page)
    assert "Looks like a Beagle (93 %)." in said
    assert "Through Lambda ask-starter there is no answer: 5 of 5 are busy" in said


def test_the_same_photo_by_another_way_is_another_card(aws: Functions, visit: Open) -> None:
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    page.segmented_control(key="through").set_value("Lambda").run()
    assert "From the next photo on Lambda is asked. The answers below stay" in text(page)
    drop(page, ("rex.jpg", photo()))
    assert "2 photos answered in this tab" in text(page)
    assert "From the next photo on" not in text(page)


def test_the_last_photos_are_asked_about_again_by_another_way_without_being_dropped_anew(
    aws: Functions, visit: Open
) -> None:
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    assert "ask-again" not in [button.key for button in page.button]
    page.segmented_control(key="through").set_value("Both").run()
    page.button(key="ask-again").click().run()
    assert "Through Lambda ask-starter in" in text(page)
    assert (len(aws.asked("InvokeEndpoint")), len(aws.asked("Invoke"))) == (2, 1)
    assert "ask-again" not in [button.key for button in page.button]


def test_where_the_model_looked_is_asked_by_the_same_way(aws: Functions, visit: Open) -> None:
    page = visit(aws, "classify")
    page.segmented_control(key="through").set_value("Lambda").run()
    drop(page, ("rex.jpg", photo()))
    page.toggle(key="looked").set_value(True).run()
    assert not page.exception
    assert len(aws.asked("Invoke")) == 2
    assert not aws.asked("InvokeEndpoint")


def test_without_a_function_of_this_endpoint_there_is_one_way(visit: Open) -> None:
    account = Functions()
    account.add_endpoint("starter", sample=True)
    account.add_function("ask-another", "another")
    assert not visit(account, "classify").segmented_control


def test_an_account_that_only_reads_invokes_no_function(visit: Open) -> None:
    account = Functions()
    account.account = REAL
    account.add_endpoint("starter")
    account.add_function("ask-starter", "starter")
    assert not visit(account, "classify").segmented_control


def test_functions_that_cannot_be_read_are_said_and_stop_nothing(aws: Functions, visit: Open) -> None:
    aws.errors["ListFunctions"] = AccessDenied("not allowed to lambda:ListFunctions")
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    assert "Through Lambda: not checked (not allowed to lambda:ListFunctions)" in text(page)
    assert "Looks like a Beagle (93 %)." in text(page)


def ask_address(page: Any, url: str) -> Any:
    page.text_input(key="url").set_value(url)
    return page.button(key="fetch").click().run()


def test_a_photo_is_taken_from_its_address(aws: Functions, visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(classify, "fetch", lambda url, rules: asked.append(url) or photo())
    page = ask_address(visit(aws, "classify"), " https://example.com/dogs/rex.jpg?size=2 ")
    assert not page.exception
    assert asked == ["https://example.com/dogs/rex.jpg?size=2"]
    assert alts(page) == ["rex.jpg. Looks like a Beagle (93 %)."]


@pytest.mark.parametrize("url", ["https://169.254.169.254/latest", "//["])
def test_an_address_that_must_not_be_asked_is_refused_with_its_reason(aws: Functions, visit: Open, url: str) -> None:
    page = ask_address(visit(aws, "classify"), url)
    assert not page.exception
    assert f"The photo at {url.removeprefix('https://')} was not classified" in text(page)
    assert not aws.asked("InvokeEndpoint")


def test_a_visitor_gets_so_many_photos_a_minute(aws: Functions, visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENNEL_VISITOR_PHOTOS", "2")
    page = visit(aws, "classify")
    drop(page, *((f"{number}.jpg", photo(f"#{number * 10:02x}0000")) for number in range(5)))
    assert len(aws.asked("InvokeEndpoint")) == 2
    assert "3 photos were not sent: a visitor may ask about 2 a minute. Try again in 60 s." in text(page)
    page.button(key="drawn").click().run()
    assert len(aws.asked("InvokeEndpoint")) == 2
    assert "1 photo was not sent" in text(page)


def test_an_address_above_the_limit_stays_in_its_field(
    aws: Functions, visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KENNEL_VISITOR_PHOTOS", "1")
    monkeypatch.setattr(classify, "fetch", lambda url, rules: photo())
    page = ask_address(visit(aws, "classify"), "https://example.com/rex.jpg")
    assert page.text_input(key="url").value == ""
    page = ask_address(page, "https://example.com/ada.jpg")
    assert "1 photo was not sent" in text(page)
    assert page.text_input(key="url").value == "https://example.com/ada.jpg"


def test_a_wrong_limit_is_said(aws: Functions, visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENNEL_VISITOR_PHOTOS", "many")
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    assert "KENNEL_VISITOR_PHOTOS is no number of photos" in text(page)
    assert not aws.asked("InvokeEndpoint")


def test_a_correction_is_kept_said_and_taken_back(aws: Functions, visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENNEL_FEEDBACK", "1")
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    assert "gone when it closes unless you send a correction" in text(page)
    assert "Not kept: who you are" in text(page)
    [breed] = [box for box in page.selectbox if box.key and box.key.startswith("breed-")]
    [send] = [button for button in page.button if button.key and button.key.startswith("send-")]
    assert send.disabled
    assert breed.options[0] == "Beagle"
    breed.set_value("Whippet").run()
    [send] = [button for button in page.button if button.key and button.key.startswith("send-")]
    send.click().run()
    assert not page.exception
    assert "Kept as Whippet, to be learnt from." in text(page)
    assert sorted(key.rsplit("/", 1)[0] for key in aws.bodies) == ["feedback/notes", "feedback/train/Whippet"]
    [undo] = [button for button in page.button if button.key and button.key.startswith("undo-")]
    undo.click().run()
    assert not aws.bodies
    assert "Kept as" not in text(page)


def test_a_correction_that_cannot_be_kept_is_said(aws: Functions, visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENNEL_FEEDBACK", "1")
    aws.errors["PutObject"] = InvalidInput("the bucket is gone", "", "make it again")
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    [breed] = [box for box in page.selectbox if box.key and box.key.startswith("breed-")]
    breed.set_value("Whippet").run()
    [send] = [button for button in page.button if button.key and button.key.startswith("send-")]
    send.click().run()
    assert "The bucket is gone" in text(page)
    assert "Kept as" not in text(page)


def test_nobody_is_asked_for_corrections_unless_that_is_wanted(aws: Functions, visit: Open) -> None:
    page = drop(visit(aws, "classify"), ("rex.jpg", photo()))
    assert not [button for button in page.button if button.key and button.key.startswith("send-")]
    assert "unless you send a correction" not in text(page)


def test_a_drawn_picture_needs_no_correction(aws: Functions, visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENNEL_FEEDBACK", "1")
    page = visit(aws, "classify")
    page.button(key="drawn").click().run()
    assert "drawn picture" in text(page)
    assert not [button for button in page.button if button.key and button.key.startswith("send-")]
