"""What a request asks for is read as the service reads it; what could be read in two ways is refused."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.requests import Request

from local_aws import asked
from local_aws.errors import ServiceError
from local_aws.protocol import Service

FORM = (("content-type", "application/x-www-form-urlencoded; charset=utf-8"),)


class S3(Service):
    name = "s3"


class Lambda(Service):
    name = "lambda"


class Iam(Service):
    name = "iam"


class Ssm(Service):
    name = "ssm"


def read(
    service: Service,
    operation: str,
    *,
    path: Mapping[str, str] | None = None,
    query: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> Mapping[str, Any]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "path_params": dict(path or {}),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }
    model = service.model.operation_model(operation)
    return asyncio.run(asked.parameters(service, model, Request(scope, receive), body))


def test_s3_is_read_from_its_path_query_and_headers() -> None:
    found = read(S3(), "ListObjectsV2", path={"Bucket": "b"}, query="list-type=2&prefix=dogs/&delimiter=%2F")
    assert found == {"Bucket": "b", "Prefix": "dogs/", "Delimiter": "/"}
    source = (("x-amz-copy-source", "b/a"), ("x-amz-acl", "private"))
    found = read(S3(), "CopyObject", path={"Bucket": "b", "Key": "k"}, headers=source)
    assert found == {"Bucket": "b", "Key": "k", "CopySource": "b/a", "ACL": "private"}


def test_a_body_of_data_is_left_alone_and_one_of_members_is_read() -> None:
    found = read(Lambda(), "Invoke", path={"FunctionName": "f"}, query="Qualifier=1", body=b"no json")
    assert found == {"FunctionName": "f", "Qualifier": "1"}
    listed = read(Lambda(), "UntagResource", path={"Resource": "arn"}, query="tagKeys=a&tagKeys=b")
    assert listed["TagKeys"] == ["a", "b"]


def test_the_keys_of_many_deletions_are_read() -> None:
    body = b"<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>"
    found = read(S3(), "DeleteObjects", path={"Bucket": "b"}, query="delete", body=body)
    assert [one["Key"] for one in found["Delete"]["Objects"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("service", "operation", "request_of"),
    [
        (S3(), "ListObjectsV2", {"path": {"Bucket": "b"}, "query": "prefix=own/&prefix="}),
        (S3(), "CopyObject", {"headers": (("x-amz-copy-source", "b/a"), ("x-amz-copy-source", "b/c"))}),
        (Lambda(), "Invoke", {"path": {"FunctionName": "f"}, "query": "Qualifier=1&Qualifier=2"}),
        (Iam(), "ListRoles", {"body": b"Action=DeleteRole&RoleName=a&Action=ListRoles", "headers": FORM}),
        (Iam(), "ListRoles", {"query": "Action=ListRoles", "body": b"Action=DeleteRole&RoleName=a", "headers": FORM}),
        (Iam(), "ListRoles", {"body": b"--x", "headers": (("content-type", "multipart/form-data; boundary=x"),)}),
        (
            Ssm(),
            "GetParameter",
            {
                "body": b'{"Name": "a"}',
                "headers": (("x-amz-target", "AmazonSSM.GetParameter"), ("x-amz-target", "AmazonSSM.PutParameter")),
            },
        ),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(
    service: Service, operation: str, request_of: dict[str, Any]
) -> None:
    with pytest.raises(ServiceError) as refused:
        read(service, operation, **request_of)
    assert refused.value.code in ("InvalidParameterCombination", "MalformedQueryString")


def test_a_form_is_read_as_it_is() -> None:
    found = read(Iam(), "GetRole", body=b"Action=GetRole&Version=2010-05-08&RoleName=a", headers=FORM)
    assert found == {"RoleName": "a"}
