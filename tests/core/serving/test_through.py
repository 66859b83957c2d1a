"""Answers through a Lambda function: what is sent, what comes back, and what Lambda took."""

import base64
import io
import json
from typing import Any

import pytest

from dashboard.core.errors import InvalidInput, KennelError, NotFound, ServiceFault, Throttled
from dashboard.core.serving import through
from dashboard.core.serving.classify import Photo
from dashboard.core.serving.through import Front, classify_through, list_fronts, reported
from tests.views.scripted import ScriptedAws, dog_answer

PHOTO = Photo("rex.jpg", b"jpeg", 64, 64, "")
FRONT = Front("kennel-starter", "starter", "live")
WARM = "START RequestId: a\nREPORT RequestId: a\tDuration: 42.50 ms\tBilled Duration: 43 ms\tMemory Size: 128 MB\t\n"
COLD = WARM.rstrip("\n") + "Max Memory Used: 60 MB\tInit Duration: 310.25 ms\t\n"


class Functions(ScriptedAws):
    """An account with functions, and the answer that each of them gives."""

    def __init__(self) -> None:
        super().__init__()
        self.said: Any = {"statusCode": 200, "body": "[[0.0]]", **dog_answer()}
        self.log = WARM
        self.failed = ""
        self.functions: dict[str, dict[str, Any]] = {}
        self.with_alias: set[str] = set()

    def add_function(self, name: str, endpoint: str = "", *, alias: bool = True, ours: bool = True) -> None:
        self.functions[name] = {
            "Configuration": {
                "FunctionName": name,
                "FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
                "State": "Active",
                "LastModified": "2026-05-04T12:00:00.000+0000",
                "Environment": {"Variables": {"ENDPOINT_NAME": endpoint} if endpoint else {}},
            },
            "Tags": {"kennel:made-by": "kennel"} if ours else {},
        }
        if alias:
            self.with_alias.add(name)

    def _ListFunctions(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Functions": [one["Configuration"] for one in self.functions.values()]}

    def _GetFunction(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self.functions[asked["FunctionName"]]

    def _ListTags(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": {}} if "Resource" in asked else super()._ListTags(asked)

    def _GetAlias(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["FunctionName"] not in self.with_alias:
            raise NotFound("there is no such alias")
        return {"Name": asked["Name"], "FunctionVersion": "1"}

    def _Invoke(self, asked: dict[str, Any]) -> dict[str, Any]:
        body = self.said if isinstance(self.said, bytes) else json.dumps(self.said).encode()
        told = {"Payload": io.BytesIO(body), "LogResult": base64.b64encode(self.log.encode()).decode()}
        return {**told, **({"FunctionError": self.failed} if self.failed else {})}


@pytest.fixture
def aws() -> Functions:
    return Functions()


def test_a_photo_is_sent_as_base64_and_answered_with_both_times(aws: Functions) -> None:
    ticks = iter((10.0, 10.5))
    said = classify_through(aws, FRONT, PHOTO, lambda: next(ticks))
    [asked] = aws.asked("Invoke")
    assert (asked["FunctionName"], asked["Qualifier"], asked["LogType"]) == ("kennel-starter", "live", "Tail")
    assert json.loads(asked["Payload"]) == {"image": base64.b64encode(b"jpeg").decode()}
    assert said.predictions[0].breed == "Beagle"
    assert said.sentence == "Looks like a Beagle (93 %)."
    assert (said.seconds, said.lambda_seconds, said.cold_seconds, said.model_seconds) == (0.5, 0.0425, None, 0.0081)


def test_where_the_model_looked_is_asked_for_through_the_function_too(aws: Functions) -> None:
    said = classify_through(aws, FRONT, PHOTO, looked=True)
    assert json.loads(aws.asked("Invoke")[0]["Payload"])["overlay"] is True
    assert said.was_looked_for


def test_a_cold_start_is_told_by_the_report(aws: Functions) -> None:
    aws.log = COLD
    assert classify_through(aws, FRONT, PHOTO).cold_seconds == 0.31025
    assert reported("") == reported("no base64!") == (None, None)
    assert reported(base64.b64encode(b"START\nEND\n").decode()) == (None, None)


def test_a_function_whose_model_names_no_breeds_answers_with_its_scores(aws: Functions) -> None:
    aws.said = {"statusCode": 200, "body": "[[0.0, 2.0]]"}
    assert classify_through(aws, FRONT, PHOTO).predictions[0].breed == "class 1"


@pytest.mark.parametrize(
    ("said", "failed", "error", "words"),
    [
        ({"statusCode": 400, "body": "it is too small"}, "", InvalidInput, "it is too small"),
        ({"statusCode": 503, "body": "the endpoint is busy"}, "", Throttled, "the endpoint is busy"),
        ({"statusCode": 500, "body": "set ENDPOINT_NAME"}, "", ServiceFault, "set ENDPOINT_NAME"),
        ({"errorMessage": "Task timed out after 3.00 seconds"}, "Unhandled", ServiceFault, "timed out"),
        ({"statusCode": 200, "body": "no scores"}, "", ServiceFault, "makes no sense"),
        ({"statusCode": 200, "predictions": []}, "", ServiceFault, "makes no sense"),
        (b"<html>", "", ServiceFault, "makes no sense"),
        ([1, 2], "", ServiceFault, "makes no sense"),
    ],
)
def test_what_is_no_answer_is_a_sentence(
    aws: Functions, said: Any, failed: str, error: type[KennelError], words: str
) -> None:
    aws.said, aws.failed = said, failed
    with pytest.raises(error, match=words):
        classify_through(aws, FRONT, PHOTO)


def test_what_a_function_says_at_length_is_cut(aws: Functions) -> None:
    aws.said = {"statusCode": 400, "body": "no " * 1_000_000}
    with pytest.raises(InvalidInput) as refused:
        classify_through(aws, FRONT, PHOTO)
    assert len(str(refused.value)) < 1000


def test_only_kennels_functions_that_ask_an_endpoint_are_offered(aws: Functions) -> None:
    aws.add_function("b-with-alias", "starter")
    aws.add_function("a-without", "starter", alias=False)
    aws.add_function("no-endpoint")
    aws.add_function("somebody-elses", "starter", ours=False)
    assert list_fronts(aws) == (Front("a-without", "starter"), Front("b-with-alias", "starter", through.LIVE))
