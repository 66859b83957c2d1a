"""What a presigned address of a notebook instance opens here: a page that says that there is no Jupyter behind it.

AWS's address is good for five minutes and leads to Jupyter. This one is as short-lived, sealed with a key of this
process, and honest.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from local_aws import access

PATH = "/_kennel/notebook"
SECONDS = 300
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name} · embedded AWS</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root {{ color-scheme: light dark }} body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 38rem;
margin: 12vh auto; padding: 0 1rem }}</style></head><body><main><h1>{name}</h1>
<p>There is no Jupyter here. On the embedded AWS a notebook instance is a record: its statuses, its role, its network,
its quota and its simulated bill are kept as AWS keeps them, and no machine is started.</p>
<p>On a real account this address opens Jupyter on the instance, for five minutes after it was made.</p>
<p>To work with the same data here, use Kennel's own pages, or any Jupyter on your machine with the address and keys
in <code>client.json</code>.</p></main></body></html>"""


class NotebookPage:
    """address: of this server; now: epoch seconds."""

    def __init__(self, address: str, *, now: Callable[[], float] = time.time) -> None:
        self._address = address
        self._now = now
        self._key = secrets.token_bytes(32)

    def link(self, name: str) -> str:
        """The address that opens a notebook instance, for five minutes."""
        until = int(self._now()) + SECONDS
        return f"{self._address}{PATH}/{name}?authToken={until}.{self._seal(until, name)}"

    async def open(self, request: Request) -> Response:
        """Answer a request to such an address. A link on a page of Kennel's leads here: only the host is looked at."""
        why_not = access.refusal({"host": request.headers.get("host", "")}, request.url.path)
        if why_not:
            return PlainTextResponse(why_not + "\n", 403)
        name = request.path_params["name"]
        until, _, seal = request.query_params.get("authToken", "").partition(".")
        is_ours = until.isascii() and until.isdecimal() and hmac.compare_digest(
            seal.encode(), self._seal(int(until), name).encode()
        )  # fmt: skip
        if not is_ours or int(until) < self._now():
            return PlainTextResponse("This address has expired: open the notebook again.\n", 403)
        headers = {
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
            "cache-control": "no-store",
        }
        return HTMLResponse(_PAGE.format(name=escape(name)), headers=headers)

    def _seal(self, until: int, name: str) -> str:
        return hmac.new(self._key, f"{until}/{name}".encode(), hashlib.sha256).hexdigest()
