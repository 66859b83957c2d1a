"""The dashboard's server: security headers, a readiness answer, warm-up and one gc.freeze before the first visitor.

    python -m streamlit run dashboard/asgi.py

What it adds to `streamlit run dashboard/app.py`: `/healthz`, the headers below, the refusal of pages from elsewhere
and of whoever may not come in (gate.py), and a first page that finds everything imported. The settings hold for both:
they are in `.streamlit/` beside this file.
"""

import asyncio
import contextlib
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

from dashboard.core import exposure, sign_in
from dashboard.core.accounts.browsers import COOKIE
from dashboard.core.errors import KennelError, Refused
from dashboard.core.home import home
from dashboard.doorkeeper import Doorkeeper, doorkeeper
from dashboard.gate import Gate
from dashboard.ui import problem
from dashboard.uploads import MODEL, uploads

HERE = Path(__file__).resolve().parent

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    # Streamlit's page has an inline script, and its chart code builds functions from text: without the two
    # "unsafe" words the page stays empty. Nothing is loaded from, sent to or framed by another origin.
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
}


TITLE = b"<title>Kennel</title>".ljust(len(b"<title>Streamlit</title>"))


class Guard:
    """Adds the security headers to every answer, refuses requests that a page of another origin sent, and files that
    are larger or more than a tab may send.

    Streamlit refuses foreign websockets too, but to decide it asks an outside service for this machine's address:
    the check here comes first, so that no request leaves the machine.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if is_foreign(Headers(scope=scope), st.get_option("server.corsAllowedOrigins")):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": "foreign origin"})
            else:
                refusal = Response("This address answers its own pages only.", 403, HEADERS)
                await refusal(scope, receive, send)
            return

        if scope["type"] == "http" and scope["method"] == "PUT":
            with uploads.taking(scope["path"], Headers(scope=scope)) as why_not:
                if why_not:
                    await Response(why_not, 413, {**HEADERS, "Connection": "close"})(scope, receive, send)
                else:
                    await self._answer(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        send_at_once(send)
        cookie = browser_cookie(scope) if scope["type"] == "http" else ""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if cookie and headers.get("content-type", "").startswith("text/html"):
                    headers.append("Set-Cookie", cookie)
            elif message["type"] == "http.response.body":
                # The tab's name until the first page has set its own; of the same length, so that no header changes.
                message["body"] = message.get("body", b"").replace(b"<title>Streamlit</title>", TITLE)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def browser_cookie(scope: Scope) -> str:
    """The cookie by which a browser's next tab begins with the account that it chose last; "" where it has one.

    It is a random name and opens nothing. Not where Classify is shared alone: a visitor has no choice.
    """
    request = Request(scope)
    if scope["method"] != "GET" or COOKIE in request.cookies or doorkeeper().share:
        return ""
    is_https = "https" in (scope.get("scheme"), request.headers.get("x-forwarded-proto"))
    secure = "; Secure" if is_https else ""
    return f"{COOKIE}={secrets.token_urlsafe(24)}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}"


def is_foreign(headers: Headers, allowed_origins: list[str]) -> bool:
    """Whether a browser sent this for a page that another origin served; a request without Origin is nobody's page."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate"
    return urlsplit(origin).netloc != headers.get("host") and origin not in allowed_origins


def send_at_once(send: Send) -> None:
    """Switch Nagle's algorithm off for this connection.

    asyncio does so for sockets that say they are TCP; Streamlit's own listening socket does not, and every rerun
    then waits 40 ms for the browser's acknowledgement of its first message.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    connection = transport.get_extra_info("socket") if transport else None
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, bool]]:
    """Import what the pages need and freeze it out of the garbage collector's reach, before anyone connects.

    Streamlit collects garbage after every script run; without the freeze a rerun takes five times as long.
    """
    from dashboard import state  # its caches need the runtime, which has just started

    await asyncio.to_thread(state.warm_up)
    yield {"warm": True}


async def healthz(request: Request) -> Response:
    """200 when the server is warm and the AWS account answers, else 503 with the reason in words.

    Where it is asked by people who are not to know the account, it says ready or not and no more.
    """
    is_open = not (doorkeeper().asks or doorkeeper().share)
    if not app.state.get("warm"):
        return JSONResponse({"ready": False, "reason": "Kennel is starting."}, 503)
    from dashboard import state

    try:
        account = await asyncio.to_thread(state.ping)
    except KennelError as error:
        reason = str(error) if is_open else "The AWS account does not answer."
        return JSONResponse({"ready": False, "reason": reason}, 503)
    if not is_open:
        return JSONResponse({"ready": True})
    return JSONResponse(
        {"ready": True, "account": account.account_id, "region": account.region, "embedded": account.is_embedded}
    )


async def favicon(request: Request) -> Response:
    """The tab's icon while Streamlit's first page is still loading; later pages set the same one."""
    return FileResponse(HERE / "static" / "favicon.png")


def cookie_secret(folder: Path) -> str:
    """This installation's own secret for signed cookies, made at the first start and readable by its owner only."""
    file = folder / "cookie_secret"
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(made, secrets.token_hex(32).encode())
        os.close(made)
    return file.read_text()


def settle() -> Doorkeeper:
    """Who may reach this server by which name, and how they sign in. Ends the process where that may not be."""
    try:
        address = str(config.get_option("server.address") or exposure.EVERYWHERE)  # as Streamlit takes it
        keeper, names = doorkeeper(), exposure.hosts()
        exposure.check(address, os.environ, has_sign_in=keeper.asks)
        if keeper.asks and config.get_option("server.trustedUserHeaders"):
            raise Refused(
                "Kennel does not take who somebody is from headers",
                "whoever reaches this server could send them: server.trustedUserHeaders is set",
                "take it out of Streamlit's settings",
            )
        if config.get_option("server.baseUrlPath"):
            raise Refused(
                "Kennel is at the root of its address",
                "what guards its files knows them by their whole path: server.baseUrlPath is set",
                "give it a host name of its own, and take server.baseUrlPath out of Streamlit's settings",
            )
    except KennelError as error:
        sys.exit(f"\nKennel: {error}\n")
    own = [
        name for name in (address, urlsplit(keeper.origin).hostname) if name and name not in (exposure.EVERYWHERE, "::")
    ]
    config.set_option("server.allowedHosts", [*config.get_option("server.allowedHosts"), *own, *names])
    literal = [f"https://{name}" for name in names if "*" not in name] + ([keeper.origin] if keeper.origin else [])
    config.set_option("server.corsAllowedOrigins", [*config.get_option("server.corsAllowedOrigins"), *literal])
    config.set_option("secrets.files", [str(sign_in.secrets_file())] if keeper.asks else [])
    return keeper


if not config.is_manually_set("server.cookieSecret"):
    config.set_option("server.cookieSecret", cookie_secret(home()))

keeper = settle()
config.set_option("server.maxUploadSize", MODEL // 1024**2)  # the guard holds everybody else to a photo

app = st.App(
    HERE / "app.py",
    lifespan=lifespan,
    on_script_error=problem.unexpected,
    routes=[Route("/healthz", healthz), Route("/favicon.png", favicon)],
    middleware=[Middleware(Guard), Middleware(Gate, doorkeeper=keeper)],
)
