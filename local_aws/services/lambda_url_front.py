"""Function URLs as they answer: an HTTP request becomes an event, a function's answer an HTTP response.

AWS gives each a host name of its own; here they are paths of this server. Two kinds of refusal stand before a function:
this server's own, for names that are not this machine's and for web pages of another origin than its CORS settings
allow, and Lambda's, by AuthType.
"""

import base64
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from dashboard.core.iam.rights import Right
from local_aws import access
from local_aws.authenticate import authenticate, read_body, read_wire
from local_aws.authorize import Authority, Circumstances
from local_aws.errors import ServiceError
from local_aws.keys import KeyRing
from local_aws.principal import Principal
from local_aws.services.lambda_invoke import Throttled
from local_aws.services.lambda_names import Named
from local_aws.services.lambda_policy import URL_RIGHTS, answer_to, is_public
from local_aws.services.lambda_record import Document
from local_aws.services.lambda_service import LARGEST_PAYLOAD, Lambda
from local_aws.services.lambda_urls import PATH

_TEXT = ("text/", "application/json", "application/javascript", "application/xml", "application/x-www-form-urlencoded")
_NAME, _VALUE = (
    re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+"),
    re.compile(r"|[!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?"),
)
_FRAMING = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})
"""Headers that say how a response is carried, which is this server's to say."""
_WITHOUT_BODY = frozenset({204, 205, 304})


@dataclass(frozen=True)
class _Url:
    """A function's URL: what it invokes, and its settings."""

    which: Named
    document: Document
    settings: Mapping[str, Any]

    def allows(self, origin: str) -> bool:
        """Whether web pages of that origin may use it."""
        allowed = (self.settings["Cors"] or {}).get("AllowOrigins") or ()
        return "*" in allowed or origin in allowed


class FunctionUrls:
    """The ASGI application below PATH."""

    def __init__(self, functions: Lambda, keys: KeyRing, region: str, authority: Authority) -> None:
        self._functions = functions
        self._keys = keys
        self._region = region
        self._authority = authority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ServiceError as error:
            response = JSONResponse({"Message": error.message}, error.status)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        headers = request.headers
        own = {name: value for name, value in headers.items() if name not in ("origin", "sec-fetch-site")}
        why_not = access.refusal(own, "")
        if why_not:
            return PlainTextResponse(why_not + "\n", 403)
        raw_path = (request.scope.get("raw_path") or request.url.path.encode()).decode("latin-1")
        name, _, path = raw_path.removeprefix(PATH).removeprefix("/").partition("/")
        url = self._find(name)
        if url is None:
            return _forbidden()
        origin = headers.get("origin", "")
        cors = _cors(url, origin)
        if origin and not cors and origin.lower() != f"http://{headers.get('host', '').lower()}":
            return PlainTextResponse("The CORS settings of this function's URL do not allow your origin.\n", 403)
        if request.method == "OPTIONS" and cors and "access-control-request-method" in headers:
            return Response(b"", 204, cors)
        body = await read_body(request, LARGEST_PAYLOAD)
        if not await self._may(url, request):
            return _forbidden()
        response = await self._invoked(url, request, f"/{path}", body)
        response.headers.update(cors)
        return response

    def _find(self, name: str) -> _Url | None:
        for document in self._functions.functions.all():
            for qualifier, settings in document["Urls"].items():
                if settings["Id"] == name:
                    _, _, _, region, account, _, function = str(document["Latest"]["FunctionArn"]).split(":")
                    return _Url(Named(region, account, function, qualifier), document, settings)
        return None

    async def _may(self, url: _Url, request: Request) -> bool:
        """Whether Lambda lets the request through. Raises ServiceError as the check of a signature does."""
        if url.settings["AuthType"] == "NONE":
            return is_public(url.document, url.which)
        wire = read_wire(request)
        if not wire.header("authorization"):
            return False
        now = datetime.now(UTC)
        signed = await authenticate(wire, request, self._keys.find, lambda _: LARGEST_PAYLOAD, self._region, now)
        return signed.service == "lambda" and await run_in_threadpool(
            self._is_allowed, url, signed.key.who, _circumstances(url, request, now)
        )

    def _is_allowed(self, url: _Url, who: Principal, asked: Circumstances) -> bool:
        """Whether the caller's policies, or the function's for it, allow both rights that a URL needs (`is_public`)."""
        context = {"lambda:FunctionUrlAuthType": ("AWS_IAM",), "lambda:InvokedViaFunctionUrl": ("true",)}
        rights = [Right(action, url.which.qualified_arn, context) for action in URL_RIGHTS]
        return all(
            not self._authority.refusal(
                who, (right,), asked, excused=answer_to(url.document, url.which, who, right).excuses
            )
            for right in rights
        )

    async def _invoked(self, url: _Url, request: Request, path: str, body: bytes) -> Response:
        request_id = str(uuid.uuid4())
        event = json.dumps(_event(url, request, path, body, request_id)).encode()
        if len(event) > LARGEST_PAYLOAD:  # bytes become a third more as base64
            raise ServiceError("RequestTooLargeException", "Request Entity Too Large", 413)
        try:
            answered = await self._functions.invoker.invoke(url.which, event, request_id)
        except Throttled as throttled:
            return JSONResponse({"Reason": throttled.reason, "Type": "User", "message": throttled.message}, 429)
        if answered.outcome.failed:
            return PlainTextResponse("Internal Server Error", 502)
        return response_of(answered.outcome.payload)


def _circumstances(url: _Url, request: Request, now: datetime) -> Circumstances:
    address = request.client.host if request.client else "127.0.0.1"
    return Circumstances(now, url.which.region, address, request.headers.get("user-agent", ""))


def _event(url: _Url, request: Request, path: str, body: bytes, request_id: str) -> dict[str, Any]:
    """Payload format 2.0 (Lambda Developer Guide, "Invoking Lambda function URLs")."""
    headers = request.headers
    now = datetime.now(UTC)
    is_text = headers.get("content-type", "").lower().startswith(_TEXT)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(path),
        "rawQueryString": request.url.query,
        "headers": _joined(headers),
        "requestContext": {
            "accountId": "anonymous" if url.settings["AuthType"] == "NONE" else url.which.account,
            "apiId": url.settings["Id"],
            "domainName": headers.get("host", ""),
            "domainPrefix": url.settings["Id"],
            "http": {
                "method": request.method,
                "path": unquote(path),
                "protocol": f"HTTP/{request.scope.get('http_version', '1.1')}",
                "sourceIp": request.client.host if request.client else "127.0.0.1",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": f"{now:%d/%b/%Y:%H:%M:%S} +0000",
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": bool(body) and not is_text,
    }
    query: dict[str, list[str]] = {}
    for key, value in request.query_params.multi_items():
        query.setdefault(key, []).append(value)
    if query:
        event["queryStringParameters"] = {key: ",".join(values) for key, values in query.items()}
    if request.cookies:
        event["cookies"] = [f"{name}={value}" for name, value in request.cookies.items()]
    if body:
        event["body"] = body.decode("utf-8", "replace") if is_text else base64.b64encode(body).decode()
    return event


def _joined(headers: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        if name != "cookie":
            found[name] = f"{found[name]},{value}" if name in found else value
    return found


def response_of(payload: bytes) -> Response:
    """What a function returned, as an HTTP response; without a statusCode it is the body of one with 200."""
    told = json.loads(payload)
    if not isinstance(told, dict) or "statusCode" not in told:
        text = told if isinstance(told, str) else json.dumps(told)
        return Response(text, 200, media_type="application/json")
    try:
        return _said(told)
    except (ValueError, TypeError, AttributeError):
        return PlainTextResponse("Internal Server Error", 502)


def _said(told: Mapping[str, Any]) -> Response:
    """Raises ValueError and others for what cannot be an HTTP response."""
    status, body = int(str(told["statusCode"])), told.get("body")
    if not 200 <= status <= 599:
        raise ValueError(f"{status} ends no request")
    data = base64.b64decode(str(body)) if told.get("isBase64Encoded") else _text(body).encode()
    headers = {"content-type": "application/json"}
    headers |= {_checked(_NAME, str(name).lower()): str(value) for name, value in (told.get("headers") or {}).items()}
    kept = {name: _checked(_VALUE, value) for name, value in headers.items() if name not in _FRAMING}
    response = Response(b"" if status in _WITHOUT_BODY else data, status, kept)
    for cookie in told.get("cookies") or ():
        response.headers.append("set-cookie", _checked(_VALUE, str(cookie)))
    return response


def _checked(form: re.Pattern[str], text: str) -> str:
    """Raises ValueError for a header that would be two, or none."""
    if not form.fullmatch(text):
        raise ValueError("no header")
    return text


def _text(body: Any) -> str:
    if body is None:
        return ""
    return body if isinstance(body, str) else json.dumps(body)


def _cors(url: _Url, origin: str) -> dict[str, str]:
    """The headers with which a page of that origin may read the answer; none where it may not."""
    if not origin or not url.allows(origin):
        return {}
    settings = url.settings["Cors"]
    told = {
        "access-control-allow-origin": "*" if "*" in settings["AllowOrigins"] else origin,
        "access-control-allow-methods": ",".join(settings.get("AllowMethods") or ()),
        "access-control-allow-headers": ",".join(settings.get("AllowHeaders") or ()),
        "access-control-expose-headers": ",".join(settings.get("ExposeHeaders") or ()),
        "access-control-max-age": str(settings.get("MaxAge") or ""),
        "access-control-allow-credentials": "true" if settings.get("AllowCredentials") else "",
        "vary": "Origin",
    }
    return {name: value for name, value in told.items() if value}


def _forbidden() -> Response:
    return JSONResponse({"Message": "Forbidden"}, 403, {"x-amzn-ErrorType": "AccessDeniedException"})
