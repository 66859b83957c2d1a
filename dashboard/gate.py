"""The server's gate: which names it answers to, which addresses exist, and who may fetch what is not a page.

Pages check for themselves who looks at them, whenever they are drawn as a whole (ui/door.py), and every deed does
(ui/deed.py). What is left is here: pictures and downloads, uploads, and the parts of a page that redraw themselves.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import (
    _get_signed_cookie_with_chunks,
    _parse_decoded_user_cookie,
    is_host_allowed,
)

from dashboard.core.exposure import HOSTS
from dashboard.core.people import Role
from dashboard.core.sign_in import CALLBACK
from dashboard.doorkeeper import Doorkeeper

APP = str(Path(__file__).resolve().parent).encode()
LOGIN, LOGOUT = "/auth/login", "/auth/logout"
HEALTH = "/_stcore/health"
READY = "/healthz"
SHARED = re.compile(
    r"/|/index\.html|/favicon\.png|/manifest\.json|/healthz|/_stcore/(health|host-config|stream)"
    r"|/_stcore/upload_file/[^/]+/[^/]+|/media/.+|/static/.+|/app/static/.+"
)
"""All addresses there are where Classify is shared without sign-in."""
SHARED_PAGE = "/classify"
PERSONAL = re.compile(
    r"/media/.*|/component/.*|/_stcore/(upload_file|metrics|script-health-check|bidi-components)\b.*", re.DOTALL
)
"""What is no page, and yet of the people who signed in."""
PAGE = re.compile(r"/[a-z_]{1,40}")
OURS = re.compile(r"/(static|app/static|media|component|_stcore|auth)/.*", re.DOTALL)
"""Addresses of more than one part that exist: files and routes. No page has any."""
OVERVIEW = "/overview"
NOTHING = (
    '<!doctype html><html lang="en"><title>Kennel</title><meta name="viewport" content="width=device-width">'
    '<p>There is nothing here. <a href="/">Classify a photo of a dog</a></p></html>'
)
HEARD = frozenset({"rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request"})
GIVEN = frozenset({"deferred_file", "dataframe_chunk"})
"""What the pages' own buttons and tables ask for in the stream. Streamlit would hear more, of anybody: one word empties
the caches of everybody, and with them who waits, what runs in the background and the limit of visitors.
"""
RETURN, RETURN_SECONDS, RETURN_LENGTH = "kennel_return", 600, 1500
"""The cookie with the page that somebody wanted before they signed in."""


class Gate:
    """Lets through what may pass."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        doorkeeper.is_guarded = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if refusal := self._refusal(scope):
            await _refuse(refusal, scope, receive, send)
            return
        if scope["type"] == "websocket":
            receive = partial(self._message, receive, self.claims(Headers(scope=scope)), _Drawn())
        elif self._doorkeeper.asks:
            send = self._answering(scope, send)
        if self._doorkeeper.share and scope["type"] == "websocket":
            send = partial(_without_the_path, send)
        await self._app(_as_seen_by_the_browser(scope), receive, send)

    def claims(self, headers: Headers) -> Mapping[str, Any]:
        """What the cookie of a request says of whoever sent it; {} for none, or one that this server did not sign."""
        cookies = cookie_parser(headers.get("cookie", ""))
        signed = _get_signed_cookie_with_chunks(cookies, USER_COOKIE_NAME)
        return _parse_decoded_user_cookie(signed, self._doorkeeper.origin) if signed else {}

    def _refusal(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        tells_nothing = path == HEALTH or (path == READY and (self._doorkeeper.asks or self._doorkeeper.share))
        if not tells_nothing and not is_host_allowed(headers.get("host")):
            return Response(f"This server is not known by that name. {HOSTS} says by which it is.", 403)
        if self._doorkeeper.share and not SHARED.fullmatch(path):
            return RedirectResponse("/") if path == SHARED_PAGE else HTMLResponse(NOTHING, 404)
        if path in (LOGIN, LOGOUT) and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return RedirectResponse("/")  # a page of somebody else's signs nobody out
        if self._doorkeeper.asks and PERSONAL.fullmatch(path) and not self._doorkeeper.knows(self.claims(headers)):
            return Response("Sign in first.", 401)
        if not (scope.get("method") == "GET" and "text/html" in headers.get("accept", "")):
            return None
        found = self._doorkeeper.knows(self.claims(headers))
        if led := _leads_to(path, has_overview=found is None or found.may(Role.MANAGER)):
            query = scope["query_string"].decode("latin-1")
            return RedirectResponse(f"{led}?{query}" if query else led)
        return None

    async def _message(self, receive: Receive, claims: Mapping[str, Any], drawn: "_Drawn") -> Message:
        """What the browser says next: nothing but what a page of Kennel says."""
        while True:
            message = await receive()
            told = BackMsg()
            try:
                told.ParseFromString(message.get("bytes") or b"")
            except DecodeError:  # nothing that Streamlit takes either; it says so
                return message
            kind = told.WhichOneof("type")
            if kind is None:
                return message
            is_heard = kind in HEARD and (
                kind != "backend_operation_request" or told.backend_operation_request.WhichOneof("payload") in GIVEN
            )
            if is_heard and (not self._doorkeeper.asks or self._fits(told, claims, drawn)):
                return {**message, "bytes": told.SerializeToString()}

    def _fits(self, told: BackMsg, claims: Mapping[str, Any], drawn: "_Drawn") -> bool:
        """Whether what is asked for is of a page that was drawn for who it is now.

        A part of a page that redraws itself asks for that part alone: where somebody is not who they were, the whole
        page is drawn instead, which judges them anew.
        """
        found = self._doorkeeper.knows(claims)
        role = found.role if found else None
        is_same = role is not None and role is drawn.role
        if told.WhichOneof("type") == "rerun_script":
            if not is_same:
                told.rerun_script.ClearField("fragment_id")
            if not told.rerun_script.fragment_id:
                drawn.role = role
        elif told.WhichOneof("type") == "backend_operation_request":
            return role is not None and (is_same or drawn.role is None)  # it may ask first after a lost connection
        return True

    def _answering(self, scope: Scope, send: Send) -> Send:
        """Answers of sign-in: back to the page that was wanted, with a word where it led to nothing."""
        request = Headers(scope=scope)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if scope["path"] == LOGIN and message["status"] >= 400:
                    message["status"] = 303
                    headers["location"] = "/?signin=unreachable"
                elif scope["path"] == CALLBACK:
                    _return(scope, request, headers)
                elif wanted := self._wanted(scope, request):
                    headers.append("set-cookie", wanted)
                if self._doorkeeper.origin.startswith("https:"):
                    _only_over_https(message)
            await send(message)

        return send_on

    def _wanted(self, scope: Scope, headers: Headers) -> str:
        """The cookie that keeps which page somebody wanted who is not signed in; "" for everything else."""
        is_page = (
            scope["method"] == "GET" and PAGE.fullmatch(scope["path"]) and "text/html" in headers.get("accept", "")
        )
        if not is_page or self._doorkeeper.knows(self.claims(headers)):
            return ""
        query = scope["query_string"].decode("latin-1")
        value = quote(f"{scope['path']}?{query}" if query else scope["path"], safe="/")
        if len(value) > RETURN_LENGTH:
            return ""
        return f"{RETURN}={value}; Path={CALLBACK}; Max-Age={RETURN_SECONDS}; HttpOnly; SameSite=Lax"


def _leads_to(path: str, *, has_overview: bool) -> str:
    """Where a mistyped address leads: Streamlit's page stays white where it looks for its scripts beside such a one.
    "" for an address that stands as it is.

    has_overview: theirs at the root is Overview, and at its own name Streamlit would say that there is no such page.
    """
    if path == OVERVIEW:
        return "/" if has_overview else ""
    if path.count("/") == 1 or OURS.fullmatch(path):
        return ""
    page = path.rstrip("/")
    return page if PAGE.fullmatch(page) and page != OVERVIEW else "/"


class _Drawn:
    """The role for which the page at the other end of a stream was last drawn as a whole; None before."""

    role: Role | None = None


def _return(scope: Scope, request: Headers, headers: MutableHeaders) -> None:
    """Where a sign-in leads to: the page that was wanted, or the word that it failed. A sign-out leads to the root."""
    is_sign_in = b"state=" in scope["query_string"] or b"error=" in scope["query_string"]
    if not is_sign_in or "location" not in headers:
        return
    has_succeeded = any(
        cookie.startswith(f"{USER_COOKIE_NAME}=") and "Max-Age=0" not in cookie
        for cookie in headers.getlist("set-cookie")
    )
    if not has_succeeded:
        headers["location"] = "/?signin=failed"
        return
    wanted = unquote(cookie_parser(request.get("cookie", "")).get(RETURN, ""))
    if PAGE.fullmatch(urlsplit(wanted).path) and wanted.startswith(urlsplit(wanted).path):
        headers["location"] = quote(wanted, safe="/?&=%+-._~")
        headers.append("set-cookie", f"{RETURN}=; Path={CALLBACK}; Max-Age=0; HttpOnly; SameSite=Lax")


async def _without_the_path(send: Send, message: Message) -> None:
    """Streamlit tells each tab where on this machine its script lies: nobody's business where Classify is shared."""
    data = message.get("bytes") or b""
    if APP in data:
        told = ForwardMsg()
        told.ParseFromString(data)
        if told.WhichOneof("type") == "new_session":
            told.new_session.main_script_path = Path(told.new_session.main_script_path).name
            message = {**message, "bytes": told.SerializeToString()}
    await send(message)


def _only_over_https(message: Message) -> None:
    message["headers"] = [
        (name, value + b"; Secure" if name == b"set-cookie" and b"secure" not in value.lower() else value)
        for name, value in message["headers"]
    ]


def _as_seen_by_the_browser(scope: Scope) -> Scope:
    """A websocket whose origin was found to be allowed, under the name that the browser knows this server by.

    A proxy may ask for it by another one: Streamlit then asks an outside service for this machine's address.
    """
    origin = urlsplit(Headers(scope=scope).get("origin", "")).netloc
    if scope["type"] != "websocket" or not origin:
        return scope
    headers = [(name, origin.encode("latin-1") if name == b"host" else value) for name, value in scope["headers"]]
    return {**scope, "headers": headers}


async def _refuse(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
        return
    await refusal(scope, receive, send)
