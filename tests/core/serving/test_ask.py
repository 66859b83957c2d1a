import io
import json
import shlex
from datetime import UTC, datetime

import pytest

from dashboard.core.errors import NotFound
from dashboard.core.serving import ask_code, logs
from dashboard.core.serving.ask import Form, ask
from dashboard.core.serving.classify import Photo
from tests.core.serving.scripted import EMBEDDED, REAL, Scripted

PHOTO = Photo("beagle.jpg", b"\xff\xd8jpeg", 640, 480, "")
BREEDS = {
    "model": "dogs",
    "predictions": [[{"breed": "Beagle", "probability": 0.93}]],
    "is_dog": [True],
    "dog_probability": [0.97],
    "milliseconds": 7.6,
}


def answering(body, **more):
    told = {"ContentType": "application/json", "InvokedProductionVariant": "other", **more}
    return Scripted(InvokeEndpoint=lambda **_: {"Body": io.BytesIO(body), **told})


def test_an_answer_is_kept_as_it_came_and_read():
    aws = answering(json.dumps(BREEDS).encode(), ResponseMetadata={"RequestId": "4f2a"})
    ticks = iter([1.0, 1.25])
    found = ask(aws, "dogs", PHOTO, variant="other", clock=lambda: next(ticks))
    assert aws.asked("InvokeEndpoint")[0]["TargetVariant"] == "other"
    assert json.loads(found.text) == BREEDS
    assert (found.variant, found.seconds, found.request_id) == ("other", 0.25, "4f2a")
    assert found.answer.sentence == "Looks like a Beagle (93 %)."


@pytest.mark.parametrize("body", [b"plain text", b"\xff\xfe", b"{}", b"[" * 100_000, b""])
def test_an_answer_that_nobody_can_read_is_shown_as_it_came(body):
    found = ask(answering(body), "dogs", PHOTO)
    assert found.answer is None
    assert found.size == len(body)
    assert len(found.text) <= 20_001


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("account", [EMBEDDED, REAL])
def test_the_same_question_as_code_holds_no_secret_and_is_well_formed(account, form):
    code = ask_code.as_code(account, "dogs", form, "other")
    compile(code[ask_code.BOTO3], "ask.py", "exec")
    for name in (ask_code.CLI, ask_code.CURL):
        words = shlex.split(code[name], comments=True)
        assert any("dog.jpg" in word for word in words)
        assert any(word.endswith(form.value) for word in words)
    curl = code[ask_code.CURL]
    where = "http://127.0.0.1:1" if account.is_embedded else "https://runtime.sagemaker.eu-west-1.amazonaws.com"
    assert f"{where}/endpoints/dogs/invocations" in curl
    assert "X-Amzn-SageMaker-Target-Variant: other" in curl


def event(at, text):
    return {"timestamp": at * 1000, "message": text}


def test_the_newest_lines_of_all_instances_in_order_of_time():
    lines = {"main/i-1": [event(1, "a"), event(3, "c")], "main/i-2": [event(2, "b")]}
    aws = Scripted(
        DescribeLogStreams={"logStreams": [{"logStreamName": name} for name in lines]},
        GetLogEvents=lambda logStreamName, **_: {"events": lines[logStreamName]},  # noqa: N803 - AWS's names
    )
    found = logs.newest(aws, logs.endpoint_group("dogs"), limit=2)
    assert [(line.host, line.text) for line in found] == [("main/i-2", "b"), ("main/i-1", "c")]
    assert found[0].time == datetime.fromtimestamp(2, UTC)
    assert aws.asked("DescribeLogStreams")[0]["logGroupName"] == "/aws/sagemaker/Endpoints/dogs"


def test_a_log_is_searched_as_it_was_written():
    aws = Scripted(FilterLogEvents={"events": [event(1, 'said "no"') | {"logStreamName": "main/i-1"}]})
    assert [line.text for line in logs.search(aws, "dogs", 'said "no"')] == ['said "no"']
    assert aws.asked("FilterLogEvents")[0]["filterPattern"] == '"said \\"no\\""'
    assert logs.search(aws, "dogs", "  ") == ()


def test_an_endpoint_that_printed_nothing_has_no_log():
    aws = Scripted(DescribeLogStreams=NotFound("none"), FilterLogEvents=NotFound("none"))
    assert logs.newest(aws, "dogs") == logs.search(aws, "dogs", "x") == ()
