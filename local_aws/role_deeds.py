"""What SageMaker and Lambda do as somebody's role, judged as the role's own requests are, and told to CloudTrail.

Sources: SageMaker Developer Guide, "How to use SageMaker AI execution roles" (what each kind of work needs); Lambda
Developer Guide, "Defining Lambda function permissions with an execution role".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from dashboard.core.iam.requests import rights_of
from dashboard.core.iam.rights import ANYTHING, Right, Where
from local_aws import ACCOUNT
from local_aws.authorize import Authority, Circumstances, denied
from local_aws.engine.objects import Objects, StoredObject
from local_aws.engine.output import Event, LogSink
from local_aws.errors import ServiceError
from local_aws.principal import Principal, session_of
from local_aws.protocol import Caller
from local_aws.run_keys import SAGEMAKER

AGENT = "sagemaker.amazonaws.com"
MOST_STREAMS = 10_000
_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)")
_PULLS = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")

Params = Mapping[str, Any]
Told = Callable[[str, str, Params, Caller, tuple[str, str] | None], object]
"""Hears of each deed: service (botocore's name), operation, parameters, who, and the error's code and message."""


class Groups(Protocol):
    """The part of the embedded CloudWatch Logs that says what is there."""

    def has(self, group: str, stream: str = "") -> bool: ...


@dataclass(frozen=True)
class RoleDeeds:
    """An engine.as_role.AsRole. trusted: whether a role (ARN) lets a service assume it for something (ARN); session:
    what the service calls its sessions of roles.
    """

    authority: Authority
    now: Callable[[], datetime]
    groups: Groups
    trusted: Callable[[str, str, str], bool]
    told: Told | None = None
    session: str = SAGEMAKER

    def storage(self, role: str, region: str, objects: Objects) -> Objects:
        return _RoleStorage(objects, self._actor(role, region)) if role else objects

    def logs(self, role: str, region: str, logs: LogSink, session: str = "") -> LogSink:
        return _RoleLogs(logs, self._actor(role, region, session), self.groups) if role else logs

    def may_tell(self, role: str, region: str, namespace: str) -> bool:
        return not role or not self._actor(role, region).refusal(
            "cloudwatch", "PutMetricData", {"Namespace": namespace}
        )

    def start_refusal(self, role: str, region: str, image: str, source: str) -> str:
        if not role:
            return ""
        if not self.trusted(role, AGENT, source):
            return (
                f"Could not assume role {role}. Please ensure that the role exists and allows principal '{AGENT}' to "
                "assume the role."
            )
        found = _IMAGE.match(image)
        if found is None:
            return ""
        account, lies_in, name = found.groups()
        repository = f"arn:aws:ecr:{lies_in}:{account}:repository/{name}"
        actor = self._actor(role, region)
        needed = [("GetAuthorizationToken", ANYTHING), *((action, repository) for action in _PULLS)]
        for action, resource in needed:
            params = {} if resource == ANYTHING else {"registryId": account, "repositoryName": name}
            if actor.refused("ecr", action, params, (Right(f"ecr:{action}", resource),)):
                return f"The role '{role}' does not have {action} permission for the image: '{image}'."
        return ""

    def _actor(self, role: str, region: str, session: str = "") -> "_Actor":
        return _Actor(self, session_of(role, session or self.session), region)


@dataclass(frozen=True)
class _Actor:
    """A role at work in a region."""

    deeds: RoleDeeds
    principal: Principal
    region: str

    def check(self, service: str, operation: str, params: Params) -> None:
        """Raises ServiceError AccessDenied as S3 tells it."""
        why_not = self.refusal(service, operation, params)
        if why_not:
            raise denied(service, "rest-xml", why_not)

    def refusal(self, service: str, operation: str, params: Params) -> str:
        rights = rights_of(service, operation, params, Where(ACCOUNT, self.region))
        return self.refused(service, operation, params, rights)

    def refused(self, service: str, operation: str, params: Params, rights: Sequence[Right]) -> str:
        at = Circumstances(self.deeds.now(), self.region, "", AGENT)
        why_not = self.deeds.authority.refusal(self.principal, rights, at)
        if self.deeds.told:
            caller = Caller(ACCOUNT, self.region, "", self.principal.arn, self.principal)
            error = ("AccessDenied", why_not) if why_not else None
            self.deeds.told(service, operation, params, caller, error)
        return why_not


@dataclass(frozen=True)
class _RoleObject:
    """An object of S3 as a role finds it: to know where its bytes lie is to read them."""

    found: StoredObject
    bucket: str
    actor: _Actor

    @property
    def key(self) -> str:
        return self.found.key

    @property
    def size(self) -> int:
        return self.found.size

    @property
    def path(self) -> Path:
        """Raises ServiceError AccessDenied."""
        self.actor.check("s3", "GetObject", {"Bucket": self.bucket, "Key": self.found.key})
        return self.found.path


@dataclass(frozen=True)
class _RoleStorage:
    objects: Objects
    actor: _Actor

    def bucket_region(self, bucket: str) -> str:
        return self.objects.bucket_region(bucket)

    def find(self, bucket: str, prefix: str) -> Sequence[StoredObject]:
        self.actor.check("s3", "ListObjectsV2", {"Bucket": bucket, "Prefix": prefix})
        return [_RoleObject(one, bucket, self.actor) for one in self.objects.find(bucket, prefix)]

    def get(self, bucket: str, key: str) -> StoredObject:
        """Raises AccessDenied, also for a key that is not there when the role may not list the bucket."""
        self.actor.check("s3", "GetObject", {"Bucket": bucket, "Key": key})
        try:
            return self.objects.get(bucket, key)
        except ServiceError as error:
            if error.code == "NoSuchKey":
                self.actor.check("s3", "ListObjectsV2", {"Bucket": bucket})
            raise

    def add_file(
        self, bucket: str, key: str, source: Path, content_type: str = "application/octet-stream"
    ) -> StoredObject:
        self.actor.check("s3", "PutObject", {"Bucket": bucket, "Key": key})
        return self.objects.add_file(bucket, key, source, content_type)


class _RoleLogs:
    """Streams that were once there are not looked for again."""

    def __init__(self, logs: LogSink, actor: _Actor, groups: Groups) -> None:
        self._logs = logs
        self._actor = actor
        self._groups = groups
        self._there: set[tuple[str, str]] = set()

    def append(self, group: str, stream: str, events: Sequence[Event]) -> None:
        """Lost where the role may not write, or may not make what is to be written into."""
        named = {"logGroupName": group, "logStreamName": stream}
        if not self._can_begin(group, stream, named) or self._actor.refusal("logs", "PutLogEvents", named):
            return
        self._logs.append(group, stream, events)
        if len(self._there) >= MOST_STREAMS:
            self._there.clear()
        self._there.add((group, stream))

    def _can_begin(self, group: str, stream: str, named: Mapping[str, str]) -> bool:
        """Whether the stream is there, or the role may make it, and its group before that."""
        if (group, stream) in self._there or self._groups.has(group, stream):
            return True
        if not self._groups.has(group) and self._actor.refusal("logs", "CreateLogGroup", {"logGroupName": group}):
            return False
        return not self._actor.refusal("logs", "CreateLogStream", named)
