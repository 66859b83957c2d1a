"""Whether an answer is one of AWS's at all: botocore takes any body for one, a proxy's welcome page too.

A page instead of an answer would read as an empty list, as an upload that is done or as a deletion that happened.
Looked at before botocore parses, by the first byte and by the header that every answer of AWS has; nothing is parsed
twice.
"""

from collections.abc import Mapping
from typing import Any

from dashboard.core.errors import ServiceFault

REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id", "x-amz-id-2")
"""Every answer of AWS bears one. Source: AWS General Reference, "Obtaining the Amazon S3/AWS request ID"."""
_CBOR_MAPS = range(0xA0, 0xC0)


def check_body(operation_model: Any, response_dict: Mapping[str, Any], **_: Any) -> None:
    """For botocore's before-parse. Raises ServiceFault for an answer of status 200 that is none of AWS's."""
    if response_dict["status_code"] >= 300:  # an error: its translation says what it is, and a proxy's is retried
        return
    if operation_model.has_event_stream_output:
        return
    if _is_plain(operation_model):
        if not any(name in response_dict["headers"] for name in REQUEST_IDS):
            raise _strange(operation_model, "it bears no request id")
        return
    protocol, body = operation_model.service_model.resolved_protocol, response_dict["body"]
    if body and not _reads_as(protocol, body):
        raise _strange(operation_model, "it is not in the form of its protocol")


def check_members(http_response: Any, parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
    """For botocore's after-call. Raises ServiceFault for an answer without what AWS always sends."""
    required = model.output_shape.required_members if model.output_shape else ()
    if http_response.status_code < 300 and required and not any(name in parsed for name in required):
        raise _strange(model, f"none of {', '.join(required)} is in it")


def _is_plain(model: Any) -> bool:
    """Whether the body is what was asked for itself, in whatever form: an object, a bucket's policy."""
    shape = model.output_shape
    payload = shape.serialization.get("payload") if shape else None
    return bool(payload and shape.members[payload].type_name in ("blob", "string"))


def _reads_as(protocol: str, body: bytes) -> bool:
    if protocol == "smithy-rpc-v2-cbor":
        return body[0] in _CBOR_MAPS
    start = body[:256].lstrip()
    if protocol in ("json", "rest-json"):  # what is cut off has another end
        return not start or (start[:1] == b"{" and body.rstrip()[-1:] == b"}")
    return start[:1] == b"<" and not start[:14].lower().startswith((b"<html", b"<!doctype html"))


def _strange(model: Any, why: str) -> ServiceFault:
    return ServiceFault(
        f"{model.service_model.service_name} {model.name} answered what AWS never answers",
        why,
        "see whether a proxy stands between, then try again",
    )
