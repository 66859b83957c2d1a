"""IAM, STS, EC2 and SSM, as moto speaks them: loaded on first use, kept over restarts, and nothing else of moto.

moto's own dispatch is called in this process, as its test decorators do; its web application is not needed.
"""

import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from importlib import import_module
from pathlib import Path
from typing import Any

from botocore.model import OperationModel
from moto.core.request import Request as MotoRequest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from local_aws import ACCOUNT, moto_state
from local_aws.errors import NotThereError, ServiceError
from local_aws.principal import Principal
from local_aws.protocol import Caller, Service
from local_aws.sigv4 import Key

log = logging.getLogger(__name__)

_READS = re.compile(r"(Get|List|Describe|Simulate|Decode|Lookup)")
# which services an operation of one may change: STS makes its keys in IAM
_CHANGES = {"iam": ("iam",), "sts": ("sts", "iam"), "ec2": ("ec2",), "ssm": ("ssm",)}
_RESPONSES = {
    "iam": "IamResponse",
    "sts": "TokenResponse",
    "ec2": "EC2Response",
    "ssm": "SimpleSystemManagerResponse",
}
# what moto answers as if it had been done: keys nothing accepts, proofs nobody looked at, commands nobody ran,
# instances and images that are only records
_PRETENDED = (
    "GetSessionToken",
    "GetFederationToken",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "SendCommand",
    "RequestSpotInstances",
    "RequestSpotFleet",
    "CreateFleet",
    "CreateImage",
)


class Moto:
    """moto's backends in this process (there is one set of them) and their snapshots in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.RLock()  # moto's backends are not made for threads, nor for being pickled while used
        self._saving = threading.Lock()
        self._dispatch: dict[str, Callable[..., Any]] = {}
        self._version = dict.fromkeys(_RESPONSES, 0)
        self._saved = dict.fromkeys(_RESPONSES, 0)
        self._role_arns: tuple[int, dict[str, str]] = (-1, {})  # of that version
        self.listeners: dict[str, list[Callable[[Any], None]]] = {}
        """Called with a service's backends after each change of them, before it is answered."""

    def load(self, service: str) -> None:
        """Import a service and restore what was kept of it; nothing when that is done already."""
        with self._lock:
            if service in self._dispatch:
                return
            os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
            os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # 1,300 of 2017 on, which every snapshot would hold
            responses = import_module(f"moto.{service}.responses")
            if service != "iam":
                self.load("iam")  # all ask it whose key a request was signed with
            else:
                # it looks for the caller's key in every partition, and would load AWS's policies for each (0.1 s)
                import_module("moto.iam.models").__dict__["PARTITION_NAMES"] = ["aws"]
            moto_state.restore(service, self._path(service))
            self._dispatch[service] = getattr(responses, _RESPONSES[service]).dispatch

    def call(self, service: str, request: MotoRequest, *, changes: bool) -> tuple[int, dict[str, str], str | bytes]:
        """Run one request; what it changed is on disk when this returns. Returns status, headers, body."""
        with self._lock:
            for needed in _CHANGES[service]:
                self.load(needed)
            status, headers, body = self._dispatch[service](request, request.url, dict(request.headers))
            if changes and status < 400:
                for changed in _CHANGES[service]:
                    self._version[changed] += 1
                    self._tell(changed)
            versions = dict(self._version)
        if changes and status < 400:
            for changed in _CHANGES[service]:
                self._save(changed, versions[changed])
        return status, headers, body

    def settle(self, service: str) -> None:
        """Return once what a reader may have seen of a service is on disk: what was told outlives the server.

        Never while moto is held: whoever saves waits for it.
        """
        version = self._version[service]
        if self._saved[service] < version:
            self._save(service, version)

    def _save(self, service: str, version: int) -> None:
        with self._saving:
            if self._saved[service] >= version:
                return  # a snapshot taken for a later request holds this change too
            with self._lock:
                reached = self._version[service]
                data = moto_state.snapshot(service)
            self._directory.mkdir(parents=True, exist_ok=True)
            moto_state.save(self._path(service), data)
            self._saved[service] = reached

    def _tell(self, service: str) -> None:
        for listener in self.listeners.get(service, ()):
            listener(moto_state.backends_of(service))

    def _path(self, service: str) -> Path:
        return self._directory / f"{service}.pickle"

    @contextmanager
    def using(self, service: str, *, changes: bool = False) -> Iterator[Any]:
        """A service's backends (account → region → backend), for as long as no request uses them.

        changes: what was changed is on disk when the block has ended.
        """
        with self._lock:
            self.load(service)
            yield moto_state.backends_of(service)
            if changes:
                self._version[service] += 1
                self._tell(service)
            version = self._version[service]
        if changes:
            self._save(service, version)

    def find_key(self, access_key_id: str) -> Key | None:
        """A key that IAM (CreateAccessKey) or STS (AssumeRole) of this account handed out, or None."""
        with self._lock:
            self.load("iam")
            self.load("sts")
            for role in moto_state.backends_of("sts")[ACCOUNT]["aws"].assumed_roles:
                if role.access_key_id == access_key_id:
                    return _session_key(role)
            for user in moto_state.backends_of("iam")[ACCOUNT]["aws"].users.values():
                for key in user.access_keys:
                    if key.access_key_id == access_key_id and key.status == "Active":
                        return Key(access_key_id, key.secret_access_key, user.arn)
        return None

    def role_arn(self, name: str) -> str:
        """The ARN of a role by its name, with its path; "" for one that is not there."""
        version, arns = self._role_arns
        if version != self._version["iam"]:
            with self._lock:
                self.load("iam")
                roles = moto_state.backends_of("iam")[ACCOUNT]["aws"].roles.values()
                arns = {role.name: str(role.arn) for role in roles}
                self._role_arns = (self._version["iam"], arns)
        return arns.get(name, "")

    def version(self, service: str) -> int:
        """Another number after each change of a service; it is read without waiting."""
        return self._version[service]


def _session_key(role: Any) -> Key:
    """The key of moto's assumed role. Policies that were given with it are kept beside it, as moto keeps no ARNs."""
    kept = getattr(role, "kennel", {})
    principal = Principal(
        role.arn,
        role.role_arn,
        (role.policy,) if role.policy else (),
        kept.get("policy_arns", ()),
        kept.get("issued"),
        kept.get("role_id", ""),
    )
    expires = role.expiration.replace(tzinfo=UTC)
    return Key(role.access_key_id, role.secret_access_key, role.arn, role.session_token, expires, principal)


def _json_alone(body: bytes) -> bytes:
    """The same JSON, written so that it cannot be read as a form too: moto looks for names and values there first."""
    try:
        text = json.dumps(json.loads(body or b"{}"))
    except (ValueError, RecursionError):
        raise ServiceError("SerializationException", "The request body is not JSON.") from None
    return text.replace("&", "\\u0026").replace("=", "\\u003d").encode()


class MotoService(Service):
    """A service that moto answers. A method named as an operation answers it instead."""

    def __init__(self, name: str, moto: Moto) -> None:
        self.name = name
        self._moto = moto

    async def handle(self, request: Request, operation: OperationModel, caller: Caller) -> Response:
        if operation.name in _PRETENDED:
            raise NotThereError(f"{self.name}:{operation.name}")
        if self.method(operation):
            answer = await super().handle(request, operation, caller)
            await run_in_threadpool(self._moto.settle, self.name)
            return answer
        return await run_in_threadpool(self._call, request, await request.body(), operation, caller)

    def _call(self, request: Request, body: bytes, operation: OperationModel, caller: Caller) -> Response:
        query = f"?{request.url.query}" if request.url.query and self.protocol != "json" else ""
        if self.protocol == "json":
            body = _json_alone(body)
        url = f"http://{self.name}.{caller.region}.amazonaws.com/{query}"
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        asked = MotoRequest.from_primitives(request.method, url, headers, body)
        try:
            status, answer, content = self._moto.call(self.name, asked, changes=not _READS.match(operation.name))
        except NotImplementedError:
            raise NotThereError(f"{self.name}:{operation.name}") from None
        self._moto.settle(self.name)
        answer = {k: v for k, v in answer.items() if k.lower() not in ("status", "content-length", "server", "date")}
        return Response(content, status, answer)
