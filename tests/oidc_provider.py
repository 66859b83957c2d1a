"""An OpenID Connect provider on this machine: discovery, a page to choose who one is, codes, tokens and keys.

It speaks the protocol and keeps to it (a code is good once, the client must prove itself, PKCE is checked, the ID
token is signed by an RSA key), so that what is tested is a sign-in and not a mock of one.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "kennel", "the-secret-of-the-client"


class Provider:
    """Knows people by their claims, and signs in whichever button is pressed."""

    def __init__(self, port: int, people: Mapping[str, Mapping[str, Any]]) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.people = dict(people)
        self.refuses = False
        """Whether it answers the next sign-in with an error."""
        self.is_down = False
        """Whether it answers as a server does that is being mended."""
        self.age = 0
        """By how many seconds the ID tokens that it gives are older than they are."""
        self._key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})
        self._codes: dict[str, dict[str, str]] = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/authorize", self._authorize),
                Route("/chosen", self._chosen),
                Route("/token", self._token, methods=["POST"]),
                Route("/jwks", self._jwks),
                Route("/end", self._end),
            ]
        )

    async def _discovery(self, request: Request) -> Response:
        if self.is_down:
            return Response("down for maintenance", 503)
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "end_session_endpoint": f"{self.issuer}/end",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def _authorize(self, request: Request) -> Response:
        """The page on which one says who one is."""
        asked = dict(request.query_params)
        if asked.get("client_id") != CLIENT or asked.get("response_type") != "code":
            return Response("unknown client", 400)
        if self.refuses:
            told = {"error": "access_denied", "state": asked["state"]}
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(told)}")
        links = "".join(
            f'<p><a href="/chosen?{urlencode(asked | {"who": name})}">{name}</a></p>' for name in self.people
        )
        return HTMLResponse(f"<!doctype html><title>Who are you?</title><h1>Who are you?</h1>{links}")

    async def _chosen(self, request: Request) -> Response:
        asked = dict(request.query_params)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        asked = self._codes.pop(str(form.get("code")), None)
        verifier = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or request.headers.get("authorization") != expected:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if challenge != asked.get("code_challenge") or form.get("redirect_uri") != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time()) - self.age
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": int(time.time()) + 3600}
        claims |= {"nonce": asked["nonce"], **self.people[asked["who"]]}
        token = jwt.encode({"alg": "RS256", "kid": "first"}, claims, self._key)
        return JSONResponse(
            {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 3600, "id_token": token}
        )

    async def _jwks(self, request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _end(self, request: Request) -> Response:
        return RedirectResponse(request.query_params["post_logout_redirect_uri"])

    def secrets(self, redirect_uri: str, kennel: str) -> str:
        """A secrets file that trusts this provider; kennel: its tables [kennel] and [kennel.people]."""
        auth = {
            "redirect_uri": redirect_uri,
            "cookie_secret": secrets.token_hex(32),
            "client_id": CLIENT,
            "client_secret": SECRET,
            "server_metadata_url": f"{self.issuer}/.well-known/openid-configuration",
        }
        return "[auth]\n" + "\n".join(f"{name} = {json.dumps(text)}" for name, text in auth.items()) + f"\n\n{kennel}"


@contextmanager
def providing(port: int, people: Mapping[str, Mapping[str, Any]]) -> Iterator[Provider]:
    """A provider that answers on this port of this machine until the block ends."""
    provider = Provider(port, people)
    config = uvicorn.Config(provider.app, host="127.0.0.1", port=port, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="oidc-provider", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < deadline, "the provider did not start"
            time.sleep(0.02)
        yield provider
    finally:
        server.should_exit = True
        thread.join(10)
