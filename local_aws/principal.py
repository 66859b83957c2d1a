"""Who calls: the account's root user, an IAM user, or a session of a role; and what of that a policy may ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from local_aws import ACCOUNT

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@dataclass(frozen=True)
class Principal:
    """arn: as errors and CloudTrail name it. identity: the user or role (ARN) whose policies count.

    session, session_arns: the policies that were given when a session was begun, as JSON and by their ARNs; they allow
    nothing by themselves. issued: when it was begun. identity_id: the role's unique id at that time (a role that is
    made again under its name is another one), "" for a session that begins anew as often as it is needed. facts:
    context keys that say what works as the role ("ec2:SourceInstanceARN").
    """

    arn: str
    identity: str = ""
    session: tuple[str, ...] = ()
    session_arns: tuple[str, ...] = ()
    issued: datetime | None = None
    identity_id: str = ""
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def is_limited(self) -> bool:
        """Whether policies decide what it may do: they do not limit the account's root user."""
        return self.arn != ROOT

    @property
    def is_session(self) -> bool:
        return self.arn.startswith("arn:aws:sts::")

    @property
    def name(self) -> str:
        """Of the session or the user."""
        return self.arn.rpartition("/")[2]


def session_of(role_arn: str, name: str, facts: Mapping[str, str] | None = None) -> Principal:
    """A session of a role that a service of AWS has begun."""
    role = role_arn.rpartition("/")[2] or "none"
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"
    return Principal(arn, role_arn or arn, facts=tuple((facts or {}).items()))
