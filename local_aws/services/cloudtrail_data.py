"""What CloudTrail tells of a data event: of its request only what names the resource, and that resource's ARN. Pure.

The bytes of an object, a photo or a metric's values are never looked at.
"""

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel
from starlette.requests import Request

from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services import cloudtrail_kinds as kinds
from local_aws.services.cloudtrail_kinds import CallKind
from local_aws.services.lambda_names import named

SIGNING = ("x-amz-", "awsaccesskeyid", "signature", "expires", "x-id")
"""Begins a query's parameters that sign it, or say for boto3 which operation it is."""
_HEADERS = {
    "x-amz-copy-source": "x-amz-copy-source",
    "x-amz-invocation-type": "invocationType",
    "x-amzn-sagemaker-target-variant": "targetVariant",
    "x-amzn-sagemaker-target-model": "targetModel",
    "x-amz-server-side-encryption": "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id": "x-amz-server-side-encryption-aws-kms-key-id",
}
_KEPT = ("Namespace", "TopicArn", "TargetArn")
_S3 = {"Bucket": "bucketName", "Key": "key"}

Named = tuple[str, str]
"""A resource's type and ARN."""


def s3_request(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a request to S3 as CloudTrail calls them: those of the path by name, others as in the query."""
    return {_S3.get(name, name[:1].lower() + name[1:] if name.isalpha() else name): one for name, one in params.items()}


def request_of(service: Service, operation: OperationModel, request: Request, body: bytes) -> dict[str, Any] | None:
    """What is told of a data event's request, or of any to S3; None for one that has not its form."""
    if service.name == "s3" or not service.protocol.startswith(("query", "json", "smithy")):
        query = {k: v for k, v in request.query_params.items() if not k.lower().startswith(SIGNING)}
        headers = {told: value for header, told in _HEADERS.items() if (value := request.headers.get(header))}
        path = dict(request.path_params)
        return (s3_request(path) if service.name == "s3" else path) | query | headers
    try:
        sent = service.as_sent(request, operation, body)
    except ServiceError:
        return None
    return {name: sent[name] for name in _KEPT if name in sent}


def resources_of(kind: CallKind, asked: Mapping[str, Any] | None, caller: Caller) -> tuple[Named, ...]:
    """What a data event is about, the thing itself first. asked: in either spelling of its members."""
    told = {name[:1].lower() + name[1:]: str(one) for name, one in (asked or {}).items()}
    match kind.resource_type:
        case kinds.S3_OBJECT:
            bucket = f"arn:aws:s3:::{told.get('bucketName') or told.get('bucket', '')}"
            of_object = ((kinds.S3_OBJECT, f"{bucket}/{told['key']}"),) if told.get("key") else ()
            return (*of_object, ("AWS::S3::Bucket", bucket))
        case kinds.ENDPOINT:
            return ((kinds.ENDPOINT, _arn("sagemaker", caller, f"endpoint/{told.get('endpointName', '')}")),)
        case kinds.FUNCTION:
            return ((kinds.FUNCTION, _function(told.get("functionName", ""), caller)),)
        case kinds.TOPIC:
            return ((kinds.TOPIC, told.get("topicArn") or told.get("targetArn", "")),)
        case kinds.METRIC:
            return ((kinds.METRIC, _arn("cloudwatch", caller, f"metric/{told.get('namespace', '*')}")),)
    return ()


def _arn(service: str, caller: Caller, what: str) -> str:
    return f"arn:aws:{service}:{caller.region}:{caller.account}:{what}"


def _function(told: str, caller: Caller) -> str:
    try:
        return named(told, caller).arn
    except ServiceError:  # there is none of that name
        return _arn("lambda", caller, f"function:{told}")
