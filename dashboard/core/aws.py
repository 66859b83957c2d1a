"""The one seam to AWS: everything Kennel asks of an account goes through an `Aws`.

`connect()` gives the embedded AWS of this machine, or the real profile named in KENNEL_AWS_PROFILE, read-only
unless KENNEL_AWS_WRITE=1. Whoever holds an `Aws` cannot tell the two apart, and need not.
"""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, UnknownRegionError
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError
from botocore.regions import EndpointResolver
from botocore.utils import parse_timestamp

from dashboard.core.aws_errors import translate
from dashboard.core.aws_writes import changes
from dashboard.core.errors import CredentialsProblem, ReadOnly, ServiceFault, Unreachable
from dashboard.core.home import aws_state
from dashboard.core.iam.rights import Where, partition_of

EMBEDDED_ACCOUNT = "123456789012"
CONNECTIONS = 48
CONNECT_SECONDS = 3.0
READ_SECONDS = 20.0
INVOKE_SECONDS = 65.0  # SageMaker gives a container 60 s to answer
EMBEDDED_ATTEMPTS = 2  # a process on this machine: what it refuses twice it refuses
REAL_ATTEMPTS = 5


# What keeps the person's own AWS settings from a session: no variable, no file, no profile reaches it.
_NOTHING_OF_THE_PERSONS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "ca_bundle": (None, None, None, None),
    "use_fips_endpoint": (None, None, False, None),
    "use_dualstack_endpoint": (None, None, False, None),
}


@dataclass(frozen=True)
class Account:
    """The account and region in use. `name` is the profile's name, or "embedded"."""

    name: str
    region: str
    account_id: str
    is_embedded: bool
    writable: bool
    endpoint_url: str | None = None
    client_file: str = ""  # where the embedded AWS wrote its address and keys; "" on a real account
    time_scale: float = 1.0  # how many times faster than AWS the embedded one waits: alarms, cooldowns, starts

    @property
    def profile(self) -> str:
        """The real profile's name, "" on the embedded AWS."""
        return "" if self.is_embedded else self.name

    @property
    def bucket(self) -> str:
        """The bucket that holds Kennel's datasets, runs and models."""
        return f"kennel-{self.account_id}-{self.region}"

    @property
    def partition(self) -> str:
        """That its ARNs begin with: "aws", "aws-us-gov", "aws-cn"."""
        return partition_of(self.region)

    @property
    def where(self) -> Where:
        """The account and region as ARNs are made from them."""
        return Where(self.account_id, self.region, self.partition)

    def role_arn(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.account_id}:role/{name}"


class Aws:
    """Clients of one account and region. Safe to share between threads; cheap to make."""

    def __init__(self, account: Account, session: botocore.session.Session) -> None:
        self.account = account
        self._session = session
        self._attempts: int | None = None  # of each call; None: as many as its service and account usually get
        self._lock = threading.Lock()  # botocore sessions are not thread-safe, clients are
        self._clients: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Aws({self.account!r})"

    def client(self, service: str) -> Any:
        """The boto client of a service ("sagemaker"). Prefer `call`: its errors are ours."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def in_region(self, region: str) -> "Aws":
        """The same account in another region, for what is asked of that region alone."""
        if region == self.account.region:
            return self
        other = Aws(replace(self.account, region=region), self._session)
        other._lock = self._lock  # of the session that both make their clients with
        return other

    def trying_once(self) -> "Aws":
        """The same account without retries, for measuring: what is refused is told at once, and counted."""
        other = Aws(self.account, self._session)
        other._lock, other._attempts = self._lock, 1
        return other

    def acting(self, keys: Mapping[str, Any]) -> "Aws":
        """The same account and region with the keys of a session, as AssumeRole answers them (Credentials)."""
        session = _prepared(botocore.session.Session(session_vars=_NOTHING_OF_THE_PERSONS))
        session.set_credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return Aws(self.account, session)

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One operation by its AWS name: `call("sagemaker", "DescribeTrainingJob", TrainingJobName=…)`.

        Raises the errors of core/errors.py and no others.
        """
        with self.translated(service, operation, parameters):
            answer: dict[str, Any] = getattr(self.client(service), xform_name(operation))(**parameters)
        return answer

    def pages(self, service: str, operation: str, limit: int = 100, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The answers of a paged operation, at most `limit` of them; errors as in `call`."""
        with self.translated(service, operation, parameters):
            paginator = self.client(service).get_paginator(xform_name(operation))
            for number, page in enumerate(paginator.paginate(**parameters), start=1):
                yield page
                if number >= limit:
                    return

    @contextmanager
    def translated(self, service: str, operation: str, parameters: Mapping[str, Any] | None = None) -> Iterator[None]:
        """Inside, botocore's exceptions become ours; for bodies that are read after the call returned."""
        try:
            yield
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            raise translate(
                error,
                service=service,
                operation=operation,
                parameters=parameters,
                profile=self.account.profile,
            ) from error

    def _make(self, service: str) -> Any:
        client = self._session.create_client(
            service,
            region_name=client_region(service, self.account.region),
            endpoint_url=self.account.endpoint_url,
            config=self._config(service),
        )
        client.meta.events.register("after-call", _check_answer)
        if not self.account.writable:
            # On our clients, not on the session: a profile with a role calls AssumeRole to get its own keys.
            client.meta.events.register_first("before-call", self._refuse_changes)
        return client

    def _config(self, service: str) -> Config:
        invoking = service == "sagemaker-runtime"
        usual = EMBEDDED_ATTEMPTS if self.account.is_embedded or invoking else REAL_ATTEMPTS
        attempts = self._attempts or usual
        return Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=INVOKE_SECONDS if invoking else READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=CONNECTIONS,
            proxies={} if self.account.is_embedded else None,  # never send this machine's traffic to a proxy
            s3={"addressing_style": "path"} if self.account.is_embedded else None,
            user_agent_appid="kennel",
        )

    def _refuse_changes(self, model: Any, **_: Any) -> None:
        if changes(model.name):
            raise ReadOnly(
                f"{model.service_model.service_name} {model.name} was not sent",
                f"the account {self.account.name} is connected read-only",
                "start Kennel with KENNEL_AWS_WRITE=1 to allow changes there",
            )


def client_region(service: str, region: str) -> str:
    """Where a service is asked for a region: the Pricing API knows all regions' prices, and is there in three."""
    if service != "pricing":
        return region
    near = {"ap": "ap-south-1", "eu": "eu-central-1", "me": "eu-central-1", "af": "eu-central-1", "il": "eu-central-1"}
    return near.get(region.partition("-")[0], "us-east-1")


def sagemaker_regions(near: str) -> tuple[str, ...]:
    """The regions that SageMaker is in, as boto3 knows them, of the partition that a region is in (aws, aws-cn, …)."""
    resolver = _endpoints()
    try:
        partition = resolver.get_partition_for_region(near)
    except UnknownRegionError:
        return ()
    return tuple(sorted(resolver.get_available_endpoints("api.sagemaker", partition)))


def connect(environ: Mapping[str, str] = os.environ) -> Aws:
    """The account chosen by the environment: the embedded AWS, or KENNEL_AWS_PROFILE.

    Raises Unreachable when the embedded AWS has not been started, CredentialsProblem when the profile does not work.
    """
    profile = environ.get("KENNEL_AWS_PROFILE", "")
    if profile:
        return _connect_profile(profile, writable=environ.get("KENNEL_AWS_WRITE") == "1")
    return _connect_embedded(aws_state(environ) / "client.json")


def chosen(environ: Mapping[str, str] = os.environ) -> Account:
    """Which account the environment names, before it is asked anything: its id and region are "" still."""
    profile = environ.get("KENNEL_AWS_PROFILE", "")
    writable = not profile or environ.get("KENNEL_AWS_WRITE") == "1"
    return Account(profile or "embedded", "", "", is_embedded=not profile, writable=writable)


def fingerprint(environ: Mapping[str, str] = os.environ) -> str:
    """Changes when `connect` would give something else, e.g. after the embedded AWS restarted. A cache key."""
    profile = environ.get("KENNEL_AWS_PROFILE", "")
    if profile:
        return f"{profile} write={environ.get('KENNEL_AWS_WRITE') == '1'}"
    file = aws_state(environ) / "client.json"
    try:
        return f"{file} {file.stat().st_mtime_ns}"
    except OSError:
        return f"{file} absent"


def _connect_embedded(file: Path) -> Aws:
    try:
        told = json.loads(file.read_text())
        address, region = str(told["endpoint_url"]), str(told["region"])
        key, secret = str(told["access_key_id"]), str(told["secret_access_key"])
        time_scale = float(told.get("time_scale", 1.0))
    except FileNotFoundError:
        raise Unreachable(
            "the embedded AWS has not been started", f"{file} is not there", "start it with make run"
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise Unreachable(
            "the embedded AWS cannot be reached", f"{file} cannot be read", "restart it with make run"
        ) from None
    account = Account(
        name="embedded",
        region=region,
        account_id=str(told.get("account", EMBEDDED_ACCOUNT)),
        is_embedded=True,
        writable=True,
        endpoint_url=address,
        client_file=str(file),
        time_scale=time_scale,
    )
    session = botocore.session.Session(session_vars=_NOTHING_OF_THE_PERSONS)
    session.set_credentials(key, secret)
    return Aws(account, _prepared(session))


def _connect_profile(profile: str, *, writable: bool) -> Aws:
    try:
        session = _profile_session(profile)
        region = session.get_config_variable("region")
        if not region:
            raise CredentialsProblem(
                f"the profile {profile} names no region",
                "Kennel works in one region at a time",
                f"set one: aws configure set region us-east-1 --profile {profile}",
            )
    except BotoCoreError as error:
        raise translate(error, service="sts", operation="GetCallerIdentity", profile=profile) from error
    unknown = Account(profile, region, "", is_embedded=False, writable=writable)
    identity = Aws(unknown, session).call("sts", "GetCallerIdentity")
    account = Account(profile, region, identity["Account"], is_embedded=False, writable=writable)
    return Aws(account, _profile_session(profile))


def _profile_session(profile: str) -> botocore.session.Session:
    return _prepared(botocore.session.Session(profile=profile))


def _prepared(session: botocore.session.Session) -> botocore.session.Session:
    """Models that are parsed once, and times in UTC: a list of runs holds a dozen times for each."""
    session.register_component("data_loader", _models())
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return session


def _moment(told: Any) -> datetime:
    """A time as an answer holds it. botocore looks up this machine's zone for each, which is most of reading a list."""
    if isinstance(told, (int, float)):
        return datetime.fromtimestamp(told, UTC)
    moment: datetime = parse_timestamp(told)
    return moment


@cache
def _models() -> Any:
    """botocore's service models: megabytes of JSON, parsed once for all connections."""
    return create_loader()


@cache
def _endpoints() -> EndpointResolver:
    return EndpointResolver(_models().load_data("endpoints"))


def _check_answer(http_response: Any, parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
    """botocore takes any body for an answer, a proxy's welcome page too: one without what AWS always sends is none."""
    required = model.output_shape.required_members if model.output_shape else ()
    if http_response.status_code < 300 and required and not any(name in parsed for name in required):
        raise ServiceFault(
            f"{model.service_model.service_name} {model.name} answered what AWS never answers",
            f"none of {', '.join(required)} is in it",
            "see whether a proxy stands between, then try again",
        )
