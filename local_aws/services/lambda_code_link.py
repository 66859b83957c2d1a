"""Where a function's package can be fetched for ten minutes, as GetFunction tells it: without a signature.

AWS gives a presigned address of S3. Here it is a path of this server with a seal, made with a key of this process.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from local_aws import access
from local_aws.services.lambda_code import CodeStore

PATH = "/_kennel/function-code"
SECONDS = 600


class CodeLinks:
    """address: of this server; now: epoch seconds."""

    def __init__(self, address: str, code: CodeStore, *, now: Callable[[], float] = time.time) -> None:
        self._address = address
        self._code = code
        self._now = now
        self._key = secrets.token_bytes(32)

    def link(self, sha256: str) -> str:
        """The address of a package, by its hash as Lambda tells it."""
        name, until = self._code.path(sha256).name, int(self._now()) + SECONDS
        return f"{self._address}{PATH}/{until}/{self._seal(until, name)}/{name}"

    async def fetch(self, request: Request) -> Response:
        """Answer a request to such an address."""
        told = request.path_params
        why_not = access.refusal(request.headers, request.url.path)
        if why_not:
            return PlainTextResponse(why_not + "\n", 403)
        sealed = hmac.compare_digest(told["seal"], self._seal(told["until"], told["name"]))
        if not sealed or told["until"] < self._now():
            return PlainTextResponse("This address has expired: ask GetFunction for another.\n", 403)
        path = self._code.folder / told["name"]
        if not path.is_file():
            return PlainTextResponse("No function has this package any more.\n", 404)
        return FileResponse(path, media_type="application/zip")

    def _seal(self, until: int, name: str) -> str:
        return hmac.new(self._key, f"{until}/{name}".encode(), hashlib.sha256).hexdigest()
