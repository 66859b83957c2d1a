"""The mark of a data set that is not whole: whose work it is that goes on, or broke off, and since when.

It lies below the data set's name as long as photos of it come or go; nothing that bears it is trained on.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from dashboard.core.aws import Aws
from dashboard.core.data.datasets import PREFIX, UPLOADING
from dashboard.core.errors import NotFound, Refused

STRANGE = "?"
"""The token of a mark that Kennel did not write."""


@dataclass(frozen=True)
class Mark:
    """why: the work in words, "" where it is not told; token: which piece of work; since: when it was begun last."""

    name: str
    why: str
    token: str
    since: datetime | None = None


def key(name: str) -> str:
    """Where the mark of a data set lies."""
    return f"{PREFIX}{name}/{UPLOADING}"


def put(aws: Aws, name: str, why: str, token: str) -> None:
    """Mark a data set as one that is not whole, and by whose work."""
    body = json.dumps({"why": why, "token": token}).encode()
    aws.call("s3", "PutObject", Bucket=aws.account.bucket, Key=key(name), Body=body, ContentType="application/json")


def read(aws: Aws, name: str) -> Mark | None:
    """The mark of a data set; None for a whole one. Raises the errors of `Aws.call`."""
    where = {"Bucket": aws.account.bucket, "Key": key(name)}
    since = None
    try:
        with aws.translated("s3", "GetObject", where):
            found = aws.call("s3", "GetObject", **where)
            since = found.get("LastModified")
            with found["Body"] as body:
                told = json.loads(body.read(4096))
    except NotFound:
        return None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return Mark(name, "", STRANGE, since)
    return Mark(name, str(told.get("why", ""))[:200], str(told.get("token", STRANGE)), since)


def remove(aws: Aws, name: str) -> None:
    """The data set is whole, or gone."""
    aws.call("s3", "DeleteObject", Bucket=aws.account.bucket, Key=key(name))


def keep(aws: Aws, seen: Mark) -> None:
    """What is there is the data set from now on, though the work on it broke off. Nothing is done where somebody did so
    already. Raises Refused where other work began on it meanwhile."""
    now = read(aws, seen.name)
    if now is None:
        return
    if (now.token, now.since) != (seen.token, seen.since):
        raise Refused(
            f"{seen.name} was not kept as it is", "work on it began anew meanwhile", "look at how far that is first"
        )
    remove(aws, seen.name)
