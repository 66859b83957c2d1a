"""The script that an EC2 instance runs at its first start: it fetches the package, trains, and ends the instance."""

import json
import re
from pathlib import Path

TEMPLATE = Path(__file__).with_name("user_data.sh")
MOST_BYTES = 16 * 1024
"""EC2's limit for user data, before it is encoded as base64."""
_PARAMETERS = re.compile(r"^RUN='.*'$", re.MULTILINE)
_PLAIN = re.compile(r"[A-Za-z0-9._/-]+")


def render(bucket: str, name: str, code_uri: str, *, region: str, max_seconds: int) -> str:
    """The user data of a run: one line of it differs from run to run.

    `code_uri`: the folder in `bucket` with training.tar.gz and start.sh. Raises ValueError for values that a shell
    could read as anything but text; names and addresses that passed the form's checks never are.
    """
    code = code_uri.removeprefix(f"s3://{bucket}/")
    for value in (bucket, name, code, region):
        if not _PLAIN.fullmatch(value):
            raise ValueError(f"{value!r} cannot stand in user data")
    run = {"bucket": bucket, "name": name, "code": code, "region": region, "seconds": int(max_seconds)}
    script = _PARAMETERS.sub(lambda _: f"RUN='{json.dumps(run)}'", TEMPLATE.read_text(encoding="utf-8"), count=1)
    if len(script.encode()) > MOST_BYTES:
        raise ValueError(f"the user data has more than EC2's {MOST_BYTES} bytes")
    return script


def blanked(script: str) -> str:
    """A script without the one line that differs: the same for every run of this version of Kennel."""
    return _PARAMETERS.sub("RUN='{}'", script, count=1)
