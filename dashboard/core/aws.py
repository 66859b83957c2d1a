"""The one seam to AWS: everything Kennel asks of an account goes through an `Aws`.

`connect()` gives the embedded AWS of this machine, or the real profile named in KENNEL_AWS_PROFILE, read-only. Which
account a page is of, and whether it may change it, is chosen in core/accounts. Whoever holds an `Aws` cannot tell the
two apart, and need not.
"""

import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError
from botocore.parsers import ResponseParserError

from dashboard.core import noting
from dashboard.core.aws_answers import check_body, check_members
from dashboard.core.aws_errors import of_keys, translate
from dashboard.core.aws_models import client_region, prepared
from dashboard.core.aws_writes import changes
from dashboard.core.errors import CredentialsProblem, ReadOnly, Refused, Unreachable
from dashboard.core.home import aws_state
from dashboard.core.iam.rights import Where, partition_of
from dashboard.core.planned import planned_on

EMBEDDED_ACCOUNT = "123456789012"
_SESSION = re.compile(r"/botocore-session-\d+$")
CONNECTIONS = 48
CONNECT_SECONDS = 3.0
READ_SECONDS = 20.0
IDENTITY_SECONDS = 6.0
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
    """The account and region in use. `name` is the profile's name, or "embedded"; `identity` the ARN that calls are
    made as, "" while it is not known.
    """

    name: str
    region: str
    account_id: str
    is_embedded: bool
    writable: bool
    endpoint_url: str | None = None
    client_file: str = ""  # where the embedded AWS wrote its address and keys; "" on a real account
    time_scale: float = 1.0  # how many times faster than AWS the embedded one waits: alarms, cooldowns, starts
    identity: str = ""

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

    def is_same(self, other: "Account") -> bool:
        """Whether both are one account in one region, asked as one identity, as far as that is known of both."""
        mine, theirs = (lasting(one.identity) for one in (self, other))
        is_one = (self.is_embedded, self.name, self.account_id, self.region) == (
            other.is_embedded,
            other.name,
            other.account_id,
            other.region,
        )
        return is_one and (mine == theirs or not mine or not theirs)


class Aws:
    """Clients of one account and region. Safe to share between threads; cheap to make."""

    def __init__(self, account: Account, session: botocore.session.Session, origin: Account | None = None) -> None:
        """origin: the account that a person chose, where this is it in another region or with other keys."""
        self.account = account
        self._origin = origin or account
        self._session = session
        self._read_seconds = READ_SECONDS
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
        other = Aws(replace(self.account, region=region), self._session, self._origin)
        other._lock = self._lock  # of the session that both make their clients with
        return other

    def changing(self, allowed: bool) -> "Aws":
        """The same account and region, with changes allowed, or refused."""
        if allowed == self.account.writable:
            return self
        other = Aws(replace(self.account, writable=allowed), self._session, self._origin)
        other._lock = self._lock
        return other

    def trying_once(self) -> "Aws":
        """The same account without retries, for measuring: what is refused is told at once, and counted."""
        other = Aws(self.account, self._session, self._origin)
        other._lock, other._attempts = self._lock, 1
        return other

    def known_as(self, account: Account) -> "Aws":
        """The same connection, with more known of its account."""
        return Aws(account, self._session)

    def asking_who(self) -> "Aws":
        """The same account, with less patience: for the one question that a person waits for before any page."""
        other = Aws(self.account, self._session, self._origin)
        other._lock, other._attempts, other._read_seconds = self._lock, 2, IDENTITY_SECONDS
        return other

    def acting(self, keys: Mapping[str, Any]) -> "Aws":
        """The same account and region with the keys of a session, as AssumeRole answers them (Credentials)."""
        session = prepared(botocore.session.Session(session_vars=_NOTHING_OF_THE_PERSONS))
        session.set_credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return Aws(self.account, session, self._origin)

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
        except (OSError, ValueError, LookupError, TypeError) as error:
            if not of_keys(error):
                raise
            unusable = CredentialRetrievalError(provider=self.account.name, error_msg=type(error).__name__)
            unusable.__cause__ = error
            raise translate(unusable, service=service, operation=operation, profile=self.account.profile) from unusable

    def _make(self, service: str) -> Any:
        client = self._session.create_client(
            service,
            region_name=client_region(service, self.account.region),
            endpoint_url=self.account.endpoint_url,
            config=self._config(service),
        )
        events = client.meta.events
        events.register("before-parse", check_body)
        events.register("after-call", check_members)
        noting.watch(client, self)
        # On our clients, not on the session: a profile with a role calls AssumeRole to get its own keys.
        client.meta.events.register_first("before-call", self._refuse)
        return client

    def _config(self, service: str) -> Config:
        invoking = service == "sagemaker-runtime"
        usual = EMBEDDED_ATTEMPTS if self.account.is_embedded or invoking else REAL_ATTEMPTS
        attempts = self._attempts or usual
        return Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=INVOKE_SECONDS if invoking else self._read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=CONNECTIONS,
            proxies={} if self.account.is_embedded else None,  # never send this machine's traffic to a proxy
            s3={"addressing_style": "path"} if self.account.is_embedded else None,
            user_agent_appid="kennel",
        )

    def _refuse(self, model: Any, **_: Any) -> None:
        call = f"{model.service_model.service_name} {model.name}"
        planned = planned_on()
        if planned is not None and not planned.is_same(self._origin):
            raise Refused(
                f"{call} was not sent",
                f"it is of {where_words(self._origin)}, and this tab is on {where_words(planned)} now",
                "open what you meant to do once more",
            )
        is_allowed = self.account.writable and (planned is None or planned.writable)
        if not is_allowed and changes(model.name):
            raise ReadOnly(
                f"{call} was not sent",
                f"this tab may only read the account {self.account.name}",
                "allow changes on the page Settings, under Account",
            )


def where_words(account: Account) -> str:
    """An account in words, for a message: "the profile work, account 210987654321, eu-west-1"."""
    which = "the embedded AWS" if account.is_embedded else f"the profile {account.name}"
    return ", ".join(
        part for part in (which, account.account_id and f"account {account.account_id}", account.region) if part
    )


def lasting(identity: str) -> str:
    """An identity without what is another one at each sign-in: the name that botocore gives a session of a role."""
    return _SESSION.sub("", identity)


def connect(environ: Mapping[str, str] = os.environ) -> Aws:
    """The account chosen by the environment: the embedded AWS, or KENNEL_AWS_PROFILE, to read.

    Raises Unreachable when the embedded AWS has not been started, CredentialsProblem when the profile does not work.
    """
    profile = environ.get("KENNEL_AWS_PROFILE", "")
    return connect_profile(profile) if profile else connect_embedded(environ)


def connect_embedded(environ: Mapping[str, str] = os.environ) -> Aws:
    """The embedded AWS of this machine. Raises Unreachable when it has not been started."""
    return _connect_embedded(aws_state(environ) / "client.json")


def fingerprint(environ: Mapping[str, str] = os.environ) -> str:
    """Changes when `connect_embedded` would give something else: after the embedded AWS restarted. A cache key."""
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
    return Aws(account, prepared(session))


def connect_profile(profile: str, region: str = "", *, writable: bool = False) -> Aws:
    """A profile of the AWS configuration, in a region, "" for its own; asks STS who it is.

    Raises CredentialsProblem, and the other errors of `Aws.call`.
    """
    try:
        session = _profile_session(profile)
        if region:
            session.set_config_variable("region", region)
        region = session.get_config_variable("region")
        if not region:
            raise CredentialsProblem(
                f"the profile {profile} names no region",
                "Kennel works in one region at a time",
                f"set one: aws configure set region us-east-1 --profile {profile}",
            )
    except BotoCoreError as error:
        raise translate(error, service="sts", operation="GetCallerIdentity", profile=profile) from error
    unknown = Aws(Account(profile, region, "", is_embedded=False, writable=False), session)
    identity = unknown.asking_who().call("sts", "GetCallerIdentity")
    account = replace(
        unknown.account, account_id=identity["Account"], identity=identity.get("Arn", ""), writable=writable
    )
    return Aws(account, session)


def _profile_session(profile: str) -> botocore.session.Session:
    return prepared(botocore.session.Session(profile=profile))
