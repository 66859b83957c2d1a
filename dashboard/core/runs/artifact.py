"""A run's model as a file: model.tar.gz out of S3."""

from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.format import size
from dashboard.core.s3_address import parts

MOST = 512 * 1024 * 1024
"""Bytes that are carried through the dashboard's memory to a browser; a larger model is fetched with the AWS CLI."""


def place(artifact_uri: str) -> dict[str, str]:
    """Where a model lies, as S3's operations name it: {"Bucket", "Key"}. Raises InvalidInput for no such address."""
    bucket, key = parts(artifact_uri)
    if not artifact_uri.startswith("s3://") or not bucket or not key:
        raise InvalidInput("this is no address of a model", artifact_uri or "it is empty", "choose a completed run")
    return {"Bucket": bucket, "Key": key}


def download(aws: Aws, artifact_uri: str) -> bytes:
    """The whole archive. Raises InvalidInput for an address that is none, Refused for one above MOST, and NotFound."""
    where = place(artifact_uri)
    with aws.translated("s3", "GetObject", where):
        answer = aws.call("s3", "GetObject", **where)
        with answer["Body"] as body:
            length = int(answer.get("ContentLength", 0))
            if length > MOST:
                raise Refused(
                    f"the model has {size(length)}, too much to download through this page",
                    f"it would be held in the dashboard's memory; the limit is {size(MOST)}",
                    f"fetch it with: aws s3 cp {artifact_uri} .",
                )
            data: bytes = body.read()
    return data
