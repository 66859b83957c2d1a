"""A planned launch as boto3 code."""

from collections.abc import Sequence
from pprint import pformat

from botocore import xform_name

from dashboard.core.aws import Account
from dashboard.core.runs.code import code_uri
from dashboard.core.runs.requests import Call
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.showcode import connection


def boto3_text(spec: TrainingSpec, calls: Sequence[Call], account: Account) -> str:
    """Python that sends the plan's calls."""
    services = list(dict.fromkeys(["s3", *(call.service for call in calls)]))
    parts = [connection(account, *services), _package(account)]
    for call in calls:
        body = pformat(dict(call.parameters), width=100, sort_dicts=False)
        parts.append(f"request = {body}\nprint({call.service}.{xform_name(call.operation)}(**request))\n")
    return "\n".join(parts)


def _package(account: Account) -> str:
    bucket, _, folder = code_uri(account).removeprefix("s3://").partition("/")
    return (
        "# The training package, as Kennel sends it along. Run this in Kennel's folder.\n"
        "from dashboard.core.runs.code import bundle\n\n"
        "for name, content in bundle().files.items():\n"
        f"    s3.put_object(Bucket={bucket!r}, Key={folder!r} + name, Body=content)\n"
    )
