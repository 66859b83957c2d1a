"""A running embedded AWS with the roles of the sample account and functions that work as three of them."""

import io
import zipfile
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3

from local_aws.sample_roles import SHARED, SampleRoles
from tests.conftest import Embedded

ACCOUNT, BUCKET, ENDPOINT = "123456789012", "role-page", "starter"


def client(embedded: Embedded, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=embedded.endpoint_url,
        region_name=embedded.region,
        aws_access_key_id=embedded.access_key_id,
        aws_secret_access_key=embedded.secret_access_key,
    )


def fill(embedded: Embedded) -> None:
    """Roles, a policy attached to nothing, a model and three functions; nothing is trained and nothing serves."""
    connect = partial(client, embedded)
    s3 = connect("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="runs/a/output/model.tar.gz", Body=b"a model")
    marks = {"kennel:sample": "true"}
    roles = SampleRoles(connect, ACCOUNT, embedded.region, marks, datetime.now(UTC), ENDPOINT)
    roles.make()
    image = f"763104351884.dkr.ecr.{embedded.region}.amazonaws.com/pytorch-inference:2.6"
    roles.uses(f"s3://{BUCKET}/runs/a/output/model.tar.gz", image)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("own.py", "def handler(event, context):\n    return 1\n")
    connect("lambda").create_function(
        FunctionName="dog-shared",
        Runtime="python3.12",
        Handler="own.handler",
        Role=roles.arn(SHARED),
        Code={"ZipFile": zipped.getvalue()},
    )
