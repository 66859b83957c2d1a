"""What tests of trails and of last uses share: a role whose sessions work, a trail, and what it delivered."""

import gzip
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from tests.conftest import Embedded
from tests.local_aws.sagemaker_world import unique

ACCOUNT = "123456789012"
FAST = ("--time-scale", "600")
"""A server's arguments with which files are delivered within a second."""


@dataclass(frozen=True)
class Session:
    """A session of a role: clients that work as it."""

    aws: Embedded
    role_arn: str
    arn: str
    key: str
    secret: str
    token: str

    def client(self, service: str, **config: Any) -> Any:
        made = f"{service} {self.key}"
        if made not in self.aws.clients:  # kept there, so that its connection is closed with the server
            self.aws.clients[made] = boto3.client(
                service,
                endpoint_url=self.aws.endpoint_url,
                region_name=self.aws.region,
                aws_access_key_id=self.key,
                aws_secret_access_key=self.secret,
                aws_session_token=self.token,
                config=Config(retries={"total_max_attempts": 1}, **config),
            )
        return self.aws.clients[made]


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role_of(aws: Embedded, actions: Sequence[str], path: str = "/", name: str = "") -> str:
    """A new role that the account's own users may work as; its ARN."""
    iam, name = aws.client("iam"), name or unique("Role")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=document(allowed))
    return str(made)


def session_of(aws: Embedded, role_arn: str, name: str = "worker") -> Session:
    told = aws.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=name)
    keys = told["Credentials"]
    arn = told["AssumedRoleUser"]["Arn"]
    return Session(aws, role_arn, arn, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def sessions_only(kind: str, *more: Mapping[str, Any]) -> dict[str, Any]:
    """A selector of the data events of one resource type, of roles' sessions."""
    return {
        "Name": kind,
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": [kind]},
            {"Field": "userIdentity.arn", "StartsWith": [f"arn:aws:sts::{ACCOUNT}:assumed-role/"]},
            *more,
        ],
    }


MANAGEMENT = {"Name": "management", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}


def trail(aws: Embedded, *selectors: Mapping[str, Any], **settings: Any) -> tuple[str, str]:
    """A trail that is switched on, with a bucket of its own: its name and the bucket's."""
    name = unique("trail")
    aws.client("s3").create_bucket(Bucket=f"{name}-files")
    cloudtrail = aws.client("cloudtrail")
    cloudtrail.create_trail(Name=name, S3BucketName=f"{name}-files", **settings)
    if selectors:
        cloudtrail.put_event_selectors(TrailName=name, AdvancedEventSelectors=list(selectors))
    cloudtrail.start_logging(Name=name)
    return name, f"{name}-files"


def records(aws: Embedded, bucket: str) -> list[dict[str, Any]]:
    """All events in the files of a bucket."""
    s3 = aws.client("s3")
    found: list[dict[str, Any]] = []
    for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        packed = s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
        found += json.loads(gzip.decompress(packed))["Records"]
    return found


def delivered(aws: Embedded, bucket: str, *names: str, seconds: float = 20.0) -> list[dict[str, Any]]:
    """The events of a bucket as soon as there is one of each name."""
    deadline = time.monotonic() + seconds
    while True:
        found = records(aws, bucket)
        if {one["eventName"] for one in found} >= set(names):
            return found
        assert time.monotonic() < deadline, f"only {sorted({one['eventName'] for one in found})} came"
        time.sleep(0.1)
