"""The function's code as the zip that Lambda takes: the same sources give the same bytes on every machine, in any year.

So that Lambda's own digest of what is deployed (CodeSha256) tells whether this version of Kennel is what answers.
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[4] / "lambda_fn"
HANDLER = "lambda_fn.handler.lambda_handler"
RUNTIME = "python3.12"
MOST_BYTES = 50 * 1024 * 1024
"""What Lambda takes in a request; more would have to lie in S3."""
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can tell
_SENT = (".py", ".csv", ".json", ".txt")


@dataclass(frozen=True)
class Package:
    """The zip, its digest in Lambda's writing (base64 of SHA-256), and the files in it."""

    content: bytes
    sha: str
    names: tuple[str, ...]


@cache
def package() -> Package:
    """The function's code as it is on this machine. Raises FileNotFoundError where it is missing."""
    if not (PACKAGE / "handler.py").is_file():
        raise FileNotFoundError(f"{PACKAGE} holds no handler.py")
    files = {
        f"{PACKAGE.name}/{path.relative_to(PACKAGE).as_posix()}": path.read_bytes()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix in _SENT and "__pycache__" not in path.parts
    }
    return packed(files)


def packed(files: Mapping[str, bytes]) -> Package:
    """Files by their names in the zip, packed: sorted, of one date, one mode, and not compressed.

    Compression differs between versions of zlib, and a handful of small sources gains nothing by it.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as zipped:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _BEGINNING)
            entry.create_system = 3  # Unix, wherever it is packed: Lambda takes the file's mode from it
            entry.external_attr = 0o100644 << 16
            zipped.writestr(entry, files[name])
    content = out.getvalue()
    return Package(content, digest(content), tuple(sorted(files)))


def digest(content: bytes) -> str:
    """A zip's digest as Lambda tells it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
