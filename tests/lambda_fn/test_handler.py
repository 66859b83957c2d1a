"""The function answers in the reference's form, and every failure of the endpoint becomes a sentence with a status."""

import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lambda_fn import handler
from lambda_fn.ask import Endpoint

URL = "https://example.com/dog.jpg"
REFERENCE = {"statusCode", "headers", "type-result", "COntent-Type-In", "body"}
BREEDS = {
    "model": "starter",
    "predictions": [[{"breed": "057.Dalmatian", "probability": 0.9}]],
    "is_dog": [True],
    "dog_probability": [0.99],
    "scores": [[1.5, -2.0]],
    "milliseconds": 12.5,
}


@dataclass
class Context:
    """What Lambda hands a handler, as far as it is looked at."""

    left: float = 3.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left * 1000)


@dataclass
class Client:
    """sagemaker-runtime and s3 in one: answers what it is told to, and keeps what it was asked."""

    answer: Any = field(default_factory=lambda: BREEDS)
    stored: Any = b"\xff\xd8\xff stored"
    asked: list[dict[str, Any]] = field(default_factory=list)
    hold: threading.Event | None = None

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if self.hold:
            self.hold.wait(10)
        if isinstance(self.answer, Exception):
            raise self.answer
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return {"Body": io.BytesIO(body)}

    def get_object(self, **asked: Any) -> dict[str, Any]:
        if isinstance(self.stored, Exception):
            raise self.stored
        return {"Body": io.BytesIO(self.stored), "ContentLength": len(self.stored)}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    made = Client()
    monkeypatch.setenv("ENDPOINT_NAME", "dogs")
    asked = Endpoint("dogs", lambda service: made)
    monkeypatch.setattr(handler, "endpoint", lambda name: asked)
    yield made
    if made.hold:
        made.hold.set()
    asked._asking.shutdown()


def failure(code: str, message: str = "", status: int = 400, **more: Any) -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(response, "InvokeEndpoint")  # type: ignore[arg-type]


def test_the_answer_has_the_reference_keys_exactly_and_predictions_beside_them(client: Client) -> None:
    context = Context()
    told = handler.lambda_handler({"url": URL}, context)
    assert {name: told[name] for name in REFERENCE} == {
        "statusCode": 200,
        "headers": {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "*"},
        "type-result": "<class 'str'>",
        "COntent-Type-In": str(context),
        "body": "[[1.5, -2.0]]",
    }
    assert told["predictions"] == BREEDS["predictions"]
    assert set(told) - REFERENCE == {"predictions", "is_dog", "dog_probability", "model", "milliseconds"}
    assert json.loads(json.dumps(told)) == told
    (asked,) = client.asked
    assert (asked["EndpointName"], asked["ContentType"]) == ("dogs", "application/json")
    assert json.loads(asked["Body"]) == {"url": URL}


def test_a_model_that_knows_no_breeds_is_answered_as_the_reference_does(client: Client) -> None:
    client.answer = [[0.1] * 133]
    told = handler.lambda_handler({"url": URL}, Context())
    assert set(told) == REFERENCE
    assert json.loads(told["body"]) == [[0.1] * 133]


def test_an_object_in_s3_is_read_with_the_function_s_own_rights(client: Client) -> None:
    told = handler.lambda_handler({"bucket": "photos", "key": "a.jpg", "overlay": True}, Context())
    assert told["statusCode"] == 200
    (asked,) = client.asked
    assert (asked["Body"], asked["ContentType"]) == (client.stored, "image/jpeg")
    assert "overlay=true" in asked["Accept"]


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (failure("NoSuchKey", status=404), "There is no s3://photos/a.jpg"),
        (failure("AccessDenied", status=403), "s3:GetObject"),
        (b"", "empty"),
        (b"x" * (6 * 2**20), "5 MiB is the most"),
    ],
)
def test_an_object_that_cannot_be_used_is_the_caller_s(client: Client, stored: Any, said: str) -> None:
    client.stored = stored
    told = handler.lambda_handler({"s3": "s3://photos/a.jpg"}, Context())
    assert told["statusCode"] == 400
    assert said in told["body"]
    assert client.asked == []


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (failure("SlowDown", status=503), "S3 does not give s3://photos/a.jpg (SlowDown)"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "S3 could not be reached"),
    ],
)
def test_what_s3_fails_at_is_not_said_of_the_endpoint(client: Client, stored: Any, said: str) -> None:
    client.stored = stored
    told = handler.lambda_handler({"s3": "s3://photos/a.jpg"}, Context())
    assert told["statusCode"] == 503
    assert told["body"].startswith(said)
    assert client.asked == []


@pytest.mark.parametrize(
    ("broken", "status", "said"),
    [
        (failure("ThrottlingException", "Rate exceeded", 429), 503, "takes no more requests"),
        (failure("ServiceUnavailable", "busy", 503), 503, "takes no more requests"),
        (failure("ValidationError", "Endpoint dogs of account 1 not found."), 503, "no endpoint dogs in service"),
        (failure("ValidationError", "body too large"), 400, "body too large"),
        (failure("AccessDeniedException", "no", 403), 500, "sagemaker:InvokeEndpoint"),
        (failure("Surprise", "", 500), 503, "failed (Surprise)"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), 503, "could not be reached"),
        (failure("ModelError", OriginalStatusCode=400, OriginalMessage='{"error": "No photo."}'), 400, "No photo."),
        (failure("ModelError", OriginalStatusCode=503, OriginalMessage="full"), 503, "busy or still starting"),
        (failure("ModelError", OriginalStatusCode=0, OriginalMessage="timed out"), 503, "no answer in time"),
        (failure("ModelError", OriginalStatusCode=500, OriginalMessage="broke\nTraceback"), 502, "broke"),
        (failure("ModelError", OriginalStatusCode=415, OriginalMessage=""), 400, "gave no reason"),
        (b"<html>", 502, "no JSON"),
    ],
)
def test_a_failure_is_a_sentence_with_its_status(client: Client, broken: Any, status: int, said: str) -> None:
    client.answer = broken
    told = handler.lambda_handler({"url": URL}, Context())
    assert set(told) == REFERENCE | {"error"}
    assert told["statusCode"] == status
    assert said in told["body"]
    assert "Traceback" not in json.dumps(told)


def test_a_question_that_is_none_asks_nobody(client: Client) -> None:
    told = handler.lambda_handler({"image": "?"}, Context())
    assert (told["statusCode"], client.asked) == (400, [])


def test_a_slow_endpoint_is_given_up_before_the_function_s_own_time_is(client: Client) -> None:
    client.hold = threading.Event()
    begun = time.monotonic()
    told = handler.lambda_handler({"url": URL}, Context(left=0.5))
    assert told["statusCode"] == 503
    assert "did not answer within 0.2 s" in told["body"]
    assert time.monotonic() - begun < 5


def test_after_slow_answers_the_next_question_is_asked_at_once(client: Client) -> None:
    client.hold = threading.Event()
    for _ in range(5):
        assert handler.lambda_handler({"url": URL}, Context(left=0.3))["statusCode"] == 503
    hold, client.hold = client.hold, None
    try:
        assert handler.lambda_handler({"url": URL}, Context())["statusCode"] == 200
    finally:
        hold.set()


def test_without_time_left_the_endpoint_is_not_asked(client: Client) -> None:
    told = handler.lambda_handler({"url": URL}, Context(left=0.1))
    assert (told["statusCode"], client.asked) == (503, [])


def test_a_function_without_its_setting_says_which(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENDPOINT_NAME")
    told = handler.lambda_handler({"url": URL}, Context())
    assert told["statusCode"] == 500
    assert "ENDPOINT_NAME" in told["body"]


def test_a_surprise_is_a_sentence_for_the_caller_and_a_traceback_for_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.answer = RuntimeError("a secret of the code")
    told = handler.lambda_handler({"url": URL}, None)
    assert told["statusCode"] == 500
    assert "secret" not in json.dumps(told)
    assert "a secret of the code" in caplog.text


def proxied(body: Any, method: str = "POST") -> dict[str, Any]:
    return {"version": "2.0", "rawPath": "/", "requestContext": {"http": {"method": method}}, "body": body}


def test_api_gateway_gets_an_http_response_and_no_key_that_it_would_refuse(client: Client) -> None:
    told = handler.lambda_handler(proxied(json.dumps({"url": URL})), Context())
    assert set(told) == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert told["headers"]["Content-Type"] == "application/json"
    assert json.loads(told["body"]) == BREEDS
    client.answer = [[0.5]]
    assert json.loads(handler.lambda_handler(proxied(json.dumps(URL)), Context())["body"]) == {"scores": [[0.5]]}


def test_api_gateway_hears_of_a_bad_question_by_its_status(client: Client) -> None:
    told = handler.lambda_handler(proxied("{}"), Context())
    assert told["statusCode"] == 400
    assert "names none" in json.loads(told["body"])["error"]


def test_a_browser_of_another_site_may_ask_first(client: Client) -> None:
    told = handler.lambda_handler(proxied(None, "OPTIONS"), Context())
    assert (told["statusCode"], client.asked) == (204, [])
    assert told["headers"]["Access-Control-Allow-Origin"] == "*"
