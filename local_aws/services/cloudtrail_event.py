"""One event as CloudTrail tells it: what was called, with what, by whom, what was answered. Never a secret. Pure."""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.model import OperationModel, Shape

from local_aws.protocol import Caller

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What CloudTrail itself writes in the place of a secret."""
MOST_TEXT = 4_000
"""Characters of one value that are kept; CloudTrail cuts events at 256 KB."""
_SECRETS = re.compile(r"password|secret|token|credential|userdata|plaintext|privatekey|passphrase", re.IGNORECASE)
_NO_SECRETS = re.compile(
    r"(clienttoken|clientrequesttoken|httptokens|nexttoken|creatorrequestid|kennel:token)$", re.IGNORECASE
)
_VALUES = re.compile(r"^environment(variables)?$", re.IGNORECASE)
_READS = re.compile(
    r"(Get|List|Describe|Search|Lookup|Head|Simulate|Decode|Query|View|Select|Filter|Check|Preview|Assume|BatchGet|"
    r"BatchDescribe|StartQuery|StartLiveTail|StopQuery|GenerateCredentialReport|Test|Render|Invoke|Estimate)"
)
_DATA = {
    "cloudwatch": ("PutMetricData",),
    "logs": ("PutLogEvents", "CreateLogStream"),
    "sagemaker": ("BatchPutMetrics",),
    "s3": ("DeleteObjects",),
    "sns": ("Publish", "PublishBatch"),
}
_NAMES = re.compile(r"(.+?)(Name|Id|Arn)$")
_RESOURCE_SERVICES = {"sagemaker": "SageMaker", "ec2": "EC2", "iam": "IAM", "s3": "S3", "ssm": "SSM", "logs": "Logs",
                      "cloudwatch": "CloudWatch", "sns": "SNS", "scheduler": "Scheduler",
                      "budgets": "Budgets"}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """An event as it is kept. `resources` are (type, name); `document` is what CloudTrailEvent holds."""

    at: datetime
    region: str
    name: str
    source: str
    username: str
    access_key: str
    resources: tuple[tuple[str, str], ...]
    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.document["eventID"])


def is_recorded(service: str, operation: OperationModel) -> bool:
    """Whether it is a management event that changes something: reads and the data of services are not recorded.

    AWS's own trail holds reads too; the dashboard's polling would leave no room for anything else here.
    """
    if service == "sagemaker-runtime" or _READS.match(operation.name) or operation.name in _DATA.get(service, ()):
        return False
    shape = operation.input_shape
    return not (service == "s3" and shape is not None and "Key" in shape.members)


def event(
    *,
    at: datetime,
    service: str,
    source: str,
    operation: OperationModel,
    caller: Caller,
    request_id: str,
    user_agent: str,
    address: str,
    request: Mapping[str, Any] | None,
    answer: Mapping[str, Any] | None,
    error: tuple[str, str] | None,
) -> Event:
    """Put together. `source` is the service's name in addresses ("sagemaker"); `error` its code and message."""
    asked = hidden(request, operation.input_shape) if request is not None else None
    told = hidden(answer, operation.output_shape) if answer and error is None else None
    identity = _identity(caller)
    document: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": f"{utc(at):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": operation.name,
        "awsRegion": caller.region,
        "sourceIPAddress": address,
        "userAgent": user_agent[:MOST_TEXT],
        "requestParameters": asked,
        "responseElements": told or None,
        "requestID": request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": caller.account,
        "eventCategory": "Management",
    }
    if error is not None:
        document |= {"errorCode": error[0], "errorMessage": error[1][:MOST_TEXT]}
    return Event(
        at=at,
        region=caller.region,
        name=operation.name,
        source=document["eventSource"],
        username=_username(identity),
        access_key=caller.access_key_id,
        resources=tuple(dict.fromkeys([*_resources(service, asked), *_resources(service, told)])),
        document=document,
    )


def hidden(value: Any, shape: Shape | None, name: str = "") -> Any:
    """A value in CloudTrail's form: members begin with a small letter, times are texts, secrets are hidden."""
    sensitive = shape is not None and bool(shape.metadata.get("sensitive"))
    if value is not None and (sensitive or (_SECRETS.search(name) and not _NO_SECRETS.search(name))):
        return HIDDEN
    if isinstance(value, Mapping):
        members = getattr(shape, "members", None) if shape is not None and shape.type_name == "structure" else None
        each = getattr(shape, "value", None) if shape is not None and shape.type_name == "map" else None
        if _VALUES.match(name) and members is None:
            return dict.fromkeys(value, HIDDEN)  # an environment often holds keys
        return {
            (key[:1].lower() + key[1:] if members is not None else key): hidden(
                one, members.get(key) if members is not None else each, key
            )
            for key, one in value.items()
            if key != "ResponseMetadata"
        }
    if isinstance(value, (list, tuple)):
        return [hidden(one, getattr(shape, "member", None), name) for one in value]
    if isinstance(value, datetime):
        return f"{utc(value):%b %d, %Y, %I:%M:%S %p}"
    if isinstance(value, bytes):
        return HIDDEN  # what a program hands over in bytes is content, not a setting
    if isinstance(value, str):
        return value[:MOST_TEXT]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def utc(moment: datetime) -> datetime:
    """A time of a request, which is UTC where it names no zone."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _identity(caller: Caller) -> dict[str, Any]:
    base = {"arn": caller.arn, "accountId": caller.account, "accessKeyId": caller.access_key_id}
    kind, _, rest = caller.arn.rpartition(":")[2].partition("/")
    if kind == "root":
        return {"type": "Root", "principalId": caller.account} | base
    if kind == "assumed-role":
        role, _, session = rest.partition("/")
        issuer = {"type": "Role", "arn": f"arn:aws:iam::{caller.account}:role/{role}", "userName": role}
        return {"type": "AssumedRole", "principalId": session} | base | {"sessionContext": {"sessionIssuer": issuer}}
    return {"type": "IAMUser", "principalId": rest} | base | {"userName": rest.rpartition("/")[2]}


def _username(identity: Mapping[str, Any]) -> str:
    if identity["type"] == "Root":
        return "root"
    return str(identity.get("userName") or identity["principalId"])


def _resources(service: str, told: Any) -> Iterator[tuple[str, str]]:
    """What the call names, as far as its members say: EndpointName → AWS::SageMaker::Endpoint."""
    if not isinstance(told, Mapping):
        return
    family = _RESOURCE_SERVICES.get(service, service)
    for member, value in told.items():
        if service == "s3" and member == "bucket" and isinstance(value, str):
            yield "AWS::S3::Bucket", value
        elif member == "instancesSet" or (service == "ec2" and member == "instances" and isinstance(value, list)):
            yield from (("AWS::EC2::Instance", one["instanceId"]) for one in value if "instanceId" in one)
        elif isinstance(value, list) and member.endswith(("Ids", "Names")):
            kind = member.removesuffix("Ids").removesuffix("Names")
            yield from ((_type(family, kind), one) for one in value if isinstance(one, str))
        elif isinstance(value, str) and (found := _NAMES.match(member)) and value != HIDDEN:
            yield _type(family, found[1]), value


def _type(family: str, kind: str) -> str:
    if kind.lower().endswith("role"):
        return "AWS::IAM::Role"
    return f"AWS::{family}::{kind[:1].upper()}{kind[1:]}"
