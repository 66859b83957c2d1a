"""One event as CloudTrail tells it: what was called, with what, by whom, what was answered. Never a secret. Pure."""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.model import OperationModel, Shape

from local_aws.protocol import Caller
from local_aws.services.cloudtrail_kinds import CallKind
from local_aws.services.sagemaker_constraints import SHOWN

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What CloudTrail itself writes in the place of a secret."""
MOST_TEXT = 4_000
"""Characters of one value that are kept; CloudTrail cuts events at 256 KB."""
MOST_DOCUMENT = 256_000
"""Bytes of an event; of a larger one CloudTrail leaves out the parameters and the answer, and says so."""
MOST_RESOURCES = 100
SHORT = 6
"""Characters: a shorter secret is only taken out of a message where it stands in quotes, not out of words."""
_SECRETS = re.compile(
    r"password|secret|token|credential|userdata|plaintext|passphrase|(private|api)[_-]?key|(authorized|presigned)url",
    re.IGNORECASE,
)
_NO_SECRETS = re.compile(
    r"(clienttoken|clientrequesttoken|httptokens|nexttoken|creatorrequestid|kennel:token)$", re.IGNORECASE
)
_VALUES = re.compile(r"^environment(variables)?$", re.IGNORECASE)
_SECRET_SHAPES = ("NotebookInstanceLifecycleConfigContent", "TargetInput")  # what people write programs into
_WRITTEN = re.compile(
    r"((?:password|secret|token|signature|api[_-]?key)[\w-]*(?:=|:\s+)|://[^/\s@:]*:(?=[^/\s@]*@))[^\s&@\"',;]+",
    re.IGNORECASE,
)
"""A secret within a text: --token=…, …&X-Amz-Signature=…, https://name:…@host."""
_NAMES = re.compile(r"(.+?)(Name|Id|Arn)$")
_RESOURCE_SERVICES = {"sagemaker": "SageMaker", "ec2": "EC2", "iam": "IAM", "s3": "S3", "ssm": "SSM", "logs": "Logs",
                      "cloudwatch": "CloudWatch", "sns": "SNS", "scheduler": "Scheduler",
                      "budgets": "Budgets", "cloudformation": "CloudFormation"}  # fmt: skip


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
    kind: CallKind | None = None

    @property
    def is_read(self) -> bool:
        return bool(self.document.get("readOnly"))

    @property
    def id(self) -> str:
        return str(self.document["eventID"])


def event(
    *,
    at: datetime,
    service: str,
    source: str,
    operation: OperationModel,
    kind: CallKind,
    caller: Caller,
    request_id: str,
    user_agent: str,
    address: str,
    request: Mapping[str, Any] | None,
    answer: Mapping[str, Any] | None,
    error: tuple[str, str] | None,
    about: Sequence[tuple[str, str]] = (),
    role_arn: Callable[[str], str] | None = None,
) -> Event:
    """Put together. `source` is the service's name in addresses ("sagemaker"); `error` its code and message.

    about: types and ARNs of what a data event is about. role_arn: the ARN of a role by its name: the ARN of its
    sessions does not tell the role's path.
    """
    if not kind.tells_answer:
        answer = None
    secrets: list[str] = []
    asked = hidden(request, operation.input_shape, found=secrets) if request is not None else None
    told = hidden(answer, operation.output_shape) if answer and error is None else None
    if service == "sns" and asked and "endpoint" in asked:
        secrets.append(str(asked["endpoint"]))
        asked = {**asked, "endpoint": HIDDEN}  # somebody's address, or a program's with its key
    identity = identity_of(caller, role_arn)
    document: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": f"{utc(at):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": kind.name,
        "awsRegion": caller.region,
        "sourceIPAddress": address,
        "userAgent": user_agent[:MOST_TEXT],
        "requestParameters": asked,
        "responseElements": told or None,
        "requestID": request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": kind.read_only,
        "eventType": "AwsApiCall",
        "managementEvent": not kind.is_data,
        "recipientAccountId": caller.account,
        "eventCategory": "Data" if kind.is_data else "Management",
    }
    if about:
        document["resources"] = [{"type": one, "ARN": arn, "accountId": caller.account} for one, arn in about]
    if address.endswith(".amazonaws.com"):
        identity["invokedBy"] = address  # a service did it for somebody
    if error is not None:
        # what could not be read may hold anything, and AWS's messages repeat what is wrong
        said = _without(error[1], secrets) if request is not None else f"The request is no {operation.name}."
        document |= {"errorCode": error[0], "errorMessage": said[:MOST_TEXT]}
    for name in ("requestParameters", "responseElements"):
        size = len(json.dumps(document[name]))
        if size > MOST_DOCUMENT // 2:
            document[name] = {"omitted": True, "originalSize": size, "reason": "The event is too large."}
    return Event(
        at=at,
        region=caller.region,
        name=kind.name,
        source=document["eventSource"],
        username=_username(identity),
        access_key=caller.access_key_id,
        resources=tuple(dict.fromkeys([*_resources(service, asked), *_resources(service, told)]))[:MOST_RESOURCES],
        document=document,
        kind=kind,
    )


def hidden(value: Any, shape: Shape | None, name: str = "", found: list[str] | None = None) -> Any:
    """A value in CloudTrail's form: members begin with a small letter, times are texts, secrets are hidden.

    found: gets every text that was hidden.
    """
    kept = found if found is not None else []
    sensitive = shape is not None and (bool(shape.metadata.get("sensitive")) or shape.name in _SECRET_SHAPES)
    if value is not None and (sensitive or _is_secret(name)):
        kept += _texts(value)
        return HIDDEN
    if isinstance(value, Mapping):
        members = getattr(shape, "members", None) if shape is not None and shape.type_name == "structure" else None
        each = getattr(shape, "value", None) if shape is not None and shape.type_name == "map" else None
        if _VALUES.match(name) and members is None:
            kept += _texts(value)
            return dict.fromkeys(value, HIDDEN)  # an environment often holds keys
        if members is not None and _is_secret(str(value.get("Key") or value.get("Name") or "")) and "Value" in value:
            kept += _texts(value["Value"])
            value = {**value, "Value": HIDDEN}
        return {
            (key[:1].lower() + key[1:] if members is not None else key): hidden(
                one, members.get(key) if members is not None else each, key, kept
            )
            for key, one in value.items()
            if key != "ResponseMetadata"
        }
    if isinstance(value, (list, tuple)):
        return [hidden(one, getattr(shape, "member", None), name, kept) for one in value]
    if isinstance(value, datetime):
        return f"{utc(value):%b %d, %Y, %I:%M:%S %p}"
    if isinstance(value, bytes):
        return HIDDEN  # what a program hands over in bytes is content, not a setting
    if isinstance(value, str):
        kept += (one[0].removeprefix(one[1]) for one in _WRITTEN.finditer(value))
        return _WRITTEN.sub(rf"\1{HIDDEN}", value)[:MOST_TEXT]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def _is_secret(name: str) -> bool:
    return bool(_SECRETS.search(name)) and not _NO_SECRETS.search(name)


def _texts(value: Any) -> Iterator[str]:
    """Every text within a value."""
    if isinstance(value, Mapping):
        yield from (text for one in value.values() for text in _texts(one))
    elif isinstance(value, (list, tuple)):
        yield from (text for one in value for text in _texts(one))
    elif value is not None:
        yield str(value)


def _without(message: str, secrets: list[str]) -> str:
    """A message without the secrets of its request, which AWS's repeat from their first character on."""
    for one in sorted({secret for secret in secrets if secret}, key=len, reverse=True):
        message = message.replace(f"'{one}'", f"'{HIDDEN}'")
        if len(one) >= SHORT:
            message = message.replace(one, HIDDEN).replace(one[:SHOWN], HIDDEN)
    return message


def utc(moment: datetime) -> datetime:
    """A time of a request, which is UTC where it names no zone."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def identity_of(caller: Caller, role_arn: Callable[[str], str] | None = None) -> dict[str, Any]:
    """CloudTrail's userIdentity of a caller."""
    base = {"arn": caller.arn, "accountId": caller.account, "accessKeyId": caller.access_key_id}
    kind, _, rest = caller.arn.rpartition(":")[2].partition("/")
    if kind == "root":
        return {"type": "Root", "principalId": caller.account} | base
    if kind == "assumed-role":
        role, _, session = rest.partition("/")
        arn = (role_arn(role) if role_arn else "") or f"arn:aws:iam::{caller.account}:role/{role}"
        issuer = {"type": "Role", "arn": arn, "accountId": caller.account, "userName": role}
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
        if service == "s3" and member == "bucketName" and isinstance(value, str):
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
