"""The first lines of every "show as code": a boto3 client for the account in use, without any secret in the text."""

from dashboard.core.aws import Account


def connection(account: Account, *services: str) -> str:
    """Python source that makes one boto3 client for each service, named after it ("sagemaker-runtime" → underscore)."""
    lines = ["import boto3"]
    if account.is_embedded:
        lines = ["import json", "from pathlib import Path", "", *lines, ""]
        lines += [
            "# The embedded AWS writes its address and keys to this file.",
            f"client = json.loads(Path({account.client_file!r}).read_text())",
            "connection = {",
            '    "endpoint_url": client["endpoint_url"],',
            '    "region_name": client["region"],',
            '    "aws_access_key_id": client["access_key_id"],',
            '    "aws_secret_access_key": client["secret_access_key"],',
            "}",
        ]
        made = "boto3.client({service!r}, **connection)"
    else:
        lines += ["", f"session = boto3.Session(profile_name={account.name!r}, region_name={account.region!r})"]
        made = "session.client({service!r})"
    lines += [f"{service.replace('-', '_')} = {made.format(service=service)}" for service in services]
    return "\n".join(lines) + "\n"
