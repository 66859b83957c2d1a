"""Function URLs: an HTTP request becomes an event, and who may send it is Lambda's and this server's to say."""

import base64
import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local_aws.services.lambda_url_front import response_of
from tests.conftest import Embedded
from tests.local_aws.callers import allow, keys_of, role, session
from tests.local_aws.lambda_world import make, package, remove
from tests.local_aws.sagemaker_world import client

CODE = """
def handler(event, context):
    if event.get("rawPath") == "/teapot":
        return {"statusCode": 418, "headers": {"X-Pot": "tea"}, "body": "short", "cookies": ["a=1"]}
    if event.get("rawPath") == "/fail":
        raise ValueError("a secret of the code")
    return event
"""


@pytest.fixture(scope="module")
def name(embedded: Embedded) -> Iterator[str]:
    made = make(embedded, code=package(app=CODE))
    yield made
    remove(embedded, made)


@pytest.fixture
def url(embedded: Embedded, name: str) -> Iterator[str]:
    """A URL that needs no signature, of a function that lets anybody in."""
    calls = client(embedded, "lambda")
    made = calls.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    let_in(embedded, name)
    yield made
    calls.delete_function_url_config(FunctionName=name)
    for sid in ("url", "invoke"):
        calls.remove_permission(FunctionName=name, StatementId=sid)


def let_in(aws: Embedded, name: str) -> None:
    calls = client(aws, "lambda")
    everybody = {"FunctionName": name, "Principal": "*"}
    calls.add_permission(**everybody, StatementId="url", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
    calls.add_permission(**everybody, StatementId="invoke", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)


def fetch(
    address: str, path: str = "", method: str = "GET", body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], str]:
    """Status, headers by lower-case name, and text; no client's own headers, and a Host that may be any."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, parts.path + path, body or None, told)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def test_a_request_becomes_an_event(url: str) -> None:
    status, headers, text = fetch(url, "dogs/a%20b?x=1&x=2", "POST", b'{"url": 1}', Content_Type="application/json")
    event = json.loads(text)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == ("2.0", "/dogs/a b", "x=1&x=2")
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["requestContext"]["http"]["method"] == "POST"
    assert (event["body"], event["isBase64Encoded"]) == ('{"url": 1}', False)


def test_a_photo_arrives_as_base64(url: str) -> None:
    _, _, text = fetch(url, "", "POST", b"\xff\xd8\xff", Content_Type="image/jpeg")
    event = json.loads(text)
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\xff\xd8\xff", True)


def test_a_photo_that_is_too_large_as_base64_is_refused(url: str) -> None:
    status, _, text = fetch(url, "", "POST", b"\xff" * (5 * 2**20), Content_Type="image/jpeg")
    assert (status, json.loads(text)) == (413, {"Message": "Request Entity Too Large"})


def test_a_function_says_status_headers_and_cookies(url: str) -> None:
    status, headers, text = fetch(url, "teapot")
    assert (status, headers["x-pot"], headers["set-cookie"], text) == (418, "tea", "a=1", "short")


def test_a_function_s_failure_is_a_502_without_its_words(url: str) -> None:
    status, _, text = fetch(url, "fail")
    assert (status, text) == (502, "Internal Server Error")


def test_nobody_comes_in_without_both_rights(embedded: Embedded, name: str) -> None:
    calls = client(embedded, "lambda")
    address = calls.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    try:
        assert fetch(address)[0] == 403
        let_in(embedded, name)
        assert fetch(address)[0] == 200
        calls.remove_permission(FunctionName=name, StatementId="invoke")
        assert fetch(address)[0] == 403
        calls.remove_permission(FunctionName=name, StatementId="url")
    finally:
        calls.delete_function_url_config(FunctionName=name)
    assert fetch(address)[0] == 403


def test_aws_iam_wants_a_signature_of_this_account(embedded: Embedded, name: str) -> None:
    calls = client(embedded, "lambda")
    address = calls.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    try:
        assert fetch(address)[0] == 403
        for secret, status in ((embedded.secret_access_key, 200), ("wrong", 403)):
            request = AWSRequest("POST", address, data=b'{"a": 1}', headers={"content-type": "application/json"})
            keys = Credentials(embedded.access_key_id, secret)
            SigV4Auth(keys, "lambda", embedded.region).add_auth(request)
            signed = {name: str(value) for name, value in request.headers.items()}
            assert fetch(address, "", "POST", b'{"a": 1}', **signed)[0] == status
    finally:
        calls.delete_function_url_config(FunctionName=name)


def test_aws_iam_lets_those_in_whose_policies_or_the_functions_allow_it(embedded: Embedded, name: str) -> None:
    calls = client(embedded, "lambda")
    address = calls.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]

    def asked(keys: dict[str, str]) -> int:
        request = AWSRequest("POST", address, data=b"{}", headers={"content-type": "application/json"})
        given = Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"], keys.get("aws_session_token"))
        SigV4Auth(given, "lambda", embedded.region).add_auth(request)
        return int(fetch(address, "", "POST", b"{}", **{key: str(value) for key, value in request.headers.items()})[0])

    try:
        both = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]
        assert asked(session(embedded)) == asked(session(embedded, allow(both[0]))) == 403
        assert asked(session(embedded, allow(both))) == 200
        arn = role(embedded)
        given = client(embedded, "sts").assume_role(RoleArn=arn, RoleSessionName="s1")["Credentials"]
        for number, (action, more) in enumerate(
            ((both[0], {"FunctionUrlAuthType": "AWS_IAM"}), (both[1], {"InvokedViaFunctionUrl": True}))
        ):
            assert asked(keys_of(given)) == 403
            calls.add_permission(
                FunctionName=name, StatementId=f"by-name-{number}", Principal=arn, Action=action, **more
            )
        assert asked(keys_of(given)) == 200
    finally:
        calls.delete_function_url_config(FunctionName=name)


def test_web_pages_come_in_as_the_cors_settings_say(embedded: Embedded, name: str, url: str) -> None:
    page = {"Origin": "https://dogs.example", "Sec_Fetch_Site": "cross-site"}
    assert fetch(url, **page)[0] == 403
    cors = {"AllowOrigins": ["https://dogs.example"], "AllowMethods": ["POST"], "MaxAge": 60}
    client(embedded, "lambda").update_function_url_config(FunctionName=name, Cors=cors)
    status, headers, _ = fetch(url, **page)
    assert (status, headers["access-control-allow-origin"]) == (200, "https://dogs.example")
    status, headers, text = fetch(url, "", "OPTIONS", Access_Control_Request_Method="POST", **page)
    assert (status, headers["access-control-max-age"], text) == (204, "60", "")
    assert fetch(url, Origin="https://other.example")[0] == 403


def test_a_name_that_only_leads_here_is_refused(url: str) -> None:
    """A page whose host name resolves to this machine would else be of the same origin."""
    assert fetch(url, Host="rebound.example")[0] == 403


def test_settings_are_kept_changed_and_deleted(embedded: Embedded, name: str) -> None:
    calls = client(embedded, "lambda")
    made = calls.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    with pytest.raises(ClientError, match="ResourceConflictException"):
        calls.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert calls.update_function_url_config(FunctionName=name, AuthType="NONE")["AuthType"] == "NONE"
    (listed,) = calls.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    assert (listed["FunctionUrl"], listed["AuthType"]) == (made["FunctionUrl"], "NONE")
    with pytest.raises(ClientError, match="streamed answers"):
        calls.update_function_url_config(FunctionName=name, InvokeMode="RESPONSE_STREAM")
    calls.delete_function_url_config(FunctionName=name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        calls.get_function_url_config(FunctionName=name)


@pytest.mark.parametrize(
    ("told", "status", "text"),
    [
        ("plain", 200, "plain"),
        ([1], 200, "[1]"),
        ({"statusCode": 200, "body": {"a": 1}}, 200, '{"a": 1}'),
        ({"statusCode": 200, "body": base64.b64encode(b"raw").decode(), "isBase64Encoded": True}, 200, "raw"),
        ({"statusCode": "high"}, 502, "Internal Server Error"),
        ({"statusCode": 101}, 502, "Internal Server Error"),
        ({"statusCode": 204, "body": "more than is allowed"}, 204, ""),
        ({"statusCode": 200, "headers": {"X": "a\r\nSet-Cookie: b=1"}}, 502, "Internal Server Error"),
        ({"statusCode": 200, "headers": {"x y": "1"}}, 502, "Internal Server Error"),
        ({"statusCode": 200, "cookies": ["a=1\r\nX: 2"]}, 502, "Internal Server Error"),
        ({"statusCode": 200, "body": "\ud800"}, 502, "Internal Server Error"),
        ({"statusCode": 200, "headers": {"Content-Length": "2"}, "body": "whole"}, 200, "whole"),
        ({"statusCode": 200, "headers": []}, 200, ""),
        ({"statusCode": 200, "headers": [1]}, 502, "Internal Server Error"),
        ({"statusCode": 200, "body": "?", "isBase64Encoded": True}, 200, ""),
    ],
)
def test_whatever_a_function_returns_is_an_http_answer(told: Any, status: int, text: str) -> None:
    response = response_of(json.dumps(told).encode())
    assert (response.status_code, bytes(response.body).decode()) == (status, text)
    assert response.headers.get("content-length", "0") == str(len(text))
