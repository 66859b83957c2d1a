"""The errors of the embedded AWS, and how each AWS protocol writes one on the wire.

ServiceError                 anything the client is told: a code, a sentence, an HTTP status
└── NotThereError                 501: the operation or service is not part of the embedded AWS
"""

import json
from xml.sax.saxutils import escape

from starlette.responses import Response


class ServiceError(Exception):
    """An error as AWS names it; it becomes the body of the answer in the protocol of the request."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class NotThereError(ServiceError):
    """What was asked for is not part of the embedded AWS; 501, which no AWS client retries."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "NotImplemented",
            f"{what} is not part of the embedded AWS. Use a real AWS account for it.",
            501,
        )


def internal(what: str) -> ServiceError:
    """A failure of this machine, not of the request (disk full, database locked)."""
    return ServiceError("InternalError", what, 500)


def _cbor_text(text: str) -> bytes:
    raw = text.encode()
    head = bytes([0x60 + len(raw)]) if len(raw) < 24 else b"\x79" + len(raw).to_bytes(2, "big")
    return head + raw


def error_response(protocol: str, error: ServiceError, request_id: str, *, head: bool = False) -> Response:
    """The error as `protocol` (json, rest-json, query, ec2, rest-xml, smithy-rpc-v2-cbor) writes it.

    head: the request was a HEAD, whose answer carries no body.
    """
    code, message = escape(error.code), escape(error.message)
    fault = "Sender" if error.status < 500 else "Receiver"
    headers = {"x-amzn-RequestId": request_id}
    body: str | bytes
    match protocol:
        case "query":
            media_type = "text/xml"
            body = (
                f"<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message>"
                f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            )
        case "ec2":
            media_type = "text/xml"
            body = (
                f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
                f"<RequestID>{request_id}</RequestID></Response>"
            )
        case "rest-xml":
            media_type = "application/xml"
            headers = {"x-amz-request-id": request_id}
            body = (
                '<?xml version="1.0" encoding="UTF-8"?>\n'
                f"<Error><Code>{code}</Code><Message>{message}</Message>"
                f"<RequestId>{request_id}</RequestId></Error>"
            )
        case "smithy-rpc-v2-cbor":
            media_type = "application/cbor"
            headers["smithy-protocol"] = "rpc-v2-cbor"
            pairs = (("__type", error.code), ("message", error.message[:60_000]))
            body = b"\xa2" + b"".join(_cbor_text(key) + _cbor_text(value) for key, value in pairs)
        case _:
            media_type = "application/x-amz-json-1.1" if protocol == "json" else "application/json"
            headers["x-amzn-ErrorType"] = error.code
            body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message})
    return Response(b"" if head or error.status == 304 else body, error.status, headers, media_type)
