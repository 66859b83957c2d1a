"""Callers for tests: users with keys and sessions of roles, with the policies that a test gives them."""

import json
from typing import Any

import boto3
from botocore.config import Config

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import client, unique

ACCOUNT = "123456789012"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return allow(action, resource, **more) | {"Effect": "Deny"}


def trust(principal: Any = None, **condition: Any) -> str:
    """A trust policy for a principal, the whole account when left away. condition: its members."""
    statement = {"Effect": "Allow", "Principal": principal or {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    return document(statement | ({"Condition": condition} if condition else {}))


def role(aws: Embedded, *statements: dict[str, Any], trusts: str = "", **more: Any) -> str:
    """A role of a name of its own, with those statements; its ARN."""
    iam, name = client(aws, "iam"), unique("role")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts or trust(), **more)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return arn


def keys_of(given: dict[str, Any]) -> dict[str, str]:
    """boto3's words for a key that STS or IAM handed out."""
    keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"]}
    token = given.get("SessionToken")
    return {**keys, "aws_session_token": token} if token else keys


def user(aws: Embedded, *statements: dict[str, Any]) -> dict[str, str]:
    """A user with a key; boto3's words for that."""
    iam, name = client(aws, "iam"), unique("user")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    return keys_of(iam.create_access_key(UserName=name)["AccessKey"])


def session(aws: Embedded, *statements: dict[str, Any]) -> dict[str, str]:
    """A session of a role with those statements."""
    arn = role(aws, *statements)
    return keys_of(client(aws, "sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"])


class Caller:
    """Clients that sign with one key, closed with it."""

    def __init__(self, aws: Embedded, keys: dict[str, str]) -> None:
        self._aws = aws
        self._keys = keys
        self._made: dict[str, Any] = {}

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._made.values():
            one.close()

    def __call__(self, service: str) -> Any:
        if service not in self._made:
            self._made[service] = boto3.client(
                service,
                endpoint_url=self._aws.endpoint_url,
                region_name=self._aws.region,
                config=Config(retries={"total_max_attempts": 1}),
                **self._keys,
            )
        return self._made[service]
