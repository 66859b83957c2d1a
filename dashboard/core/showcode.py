"""What every "show as code" is made of: clients for the account in use, without any secret, and values as Python."""

import json
from keyword import iskeyword
from typing import Any

from dashboard.core.aws import Account

WIDTH = 100
"""Characters of a line, unless one text alone is longer: it stays in one piece, so that it can be searched for."""


def connection(account: Account, *services: str) -> str:
    """Python source that makes one boto3 client for each service, named by `variable`."""
    lines = ["import boto3"]
    if account.is_embedded:
        lines = ["import json", "from pathlib import Path", "", *lines, ""]
        lines += [
            "# The embedded AWS writes its address and keys to this file.",
            f"client = json.loads(Path({literal(account.client_file)}).read_text())",
            "connection = {",
            '    "endpoint_url": client["endpoint_url"],',
            '    "region_name": client["region"],',
            '    "aws_access_key_id": client["access_key_id"],',
            '    "aws_secret_access_key": client["secret_access_key"],',
            "}",
        ]
        made = 'boto3.client("{service}", **connection)'
    else:
        lines += [
            "",
            f"session = boto3.Session(profile_name={literal(account.name)}, region_name={literal(account.region)})",
        ]
        made = 'session.client("{service}")'
    lines += [f"{variable(service)} = {made.format(service=service)}" for service in services]
    return "\n".join(lines) + "\n"


def variable(service: str) -> str:
    """The name of a service's client in shown code: "sagemaker_runtime"; "lambda_", as that is a word of Python."""
    name = service.replace("-", "_")
    return f"{name}_" if iskeyword(name) else name


def literal(value: Any, indent: int = 0, before: int = 0) -> str:
    """A value of dicts, lists, text, numbers, booleans and None as Python source, as a formatter would lay it out.

    `indent` is the column that its line begins in, `before` the characters between there and the value.
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # a JSON text is a Python text
    if not value or not isinstance(value, (dict, list, tuple)):
        return repr(value)
    inner = indent + 4
    if isinstance(value, dict):
        opening, closing = "{", "}"
        parts = [f"{(key := literal(name))}: {literal(item, inner, len(key) + 2)}" for name, item in value.items()]
    else:
        opening, closing = "[", "]"
        parts = [literal(item, inner) for item in value]
    line = f"{opening}{', '.join(parts)}{closing}"
    if "\n" not in line and indent + before + len(line) < WIDTH:
        return line
    pad = " " * inner
    return "\n".join([opening, *(f"{pad}{part}," for part in parts), " " * indent + closing])
