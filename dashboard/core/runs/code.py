"""The training package as it is sent along with a run: the same bytes for SageMaker and EC2, stored once.

Its folder in S3 is named by its content, so that a run of last month can be seen to have had other code, and nothing is
uploaded twice.
"""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import training
from dashboard.core.aws import Account, Aws
from dashboard.core.errors import NotFound

CHANNEL = "code"
ENTRYPOINT = ("/bin/bash", "/opt/ml/input/data/code/start.sh")
"""What a container starts with: the channel's own script."""
PREFIX = "code/"
START = Path(__file__).with_name("start.sh")
_SENT = (".py", ".csv", ".json", ".txt")


@dataclass(frozen=True)
class Bundle:
    """The files of the code channel by name, and the digest of them all (16 hex digits)."""

    digest: str
    files: Mapping[str, bytes]


@cache
def bundle() -> Bundle:
    """The package as it is on this machine, packed so that the same sources give the same bytes anywhere."""
    files = {"start.sh": START.read_bytes(), "training.tar.gz": _packed(Path(training.__path__[0]))}
    whole = hashlib.sha256(b"".join(files[name] for name in sorted(files)))
    return Bundle(whole.hexdigest()[:16], files)


def code_uri(account: Account) -> str:
    """Where the code lies in this account once it was sent: a folder, as an S3 address that ends with "/"."""
    return f"s3://{account.bucket}/{_folder()}"


def upload(aws: Aws) -> str:
    """Put into the account's bucket what is not there yet; the folder's address. Raises the errors of `Aws.call`."""
    bucket, folder = aws.account.bucket, _folder()
    for name, content in bundle().files.items():
        try:
            there = aws.call("s3", "HeadObject", Bucket=bucket, Key=folder + name)
        except NotFound:
            there = {}
        if there.get("ContentLength") != len(content):
            aws.call("s3", "PutObject", Bucket=bucket, Key=folder + name, Body=content)
    return code_uri(aws.account)


def _folder() -> str:
    return f"{PREFIX}training-{bundle().digest}/"


def _packed(package: Path) -> bytes:
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", filename="", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(package.rglob("*")):
            if path.suffix not in _SENT or not path.is_file() or "__pycache__" in path.parts:
                continue
            entry = tarfile.TarInfo(f"{package.name}/{path.relative_to(package).as_posix()}")
            content = path.read_bytes()
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()
