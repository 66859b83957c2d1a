"""The account's buckets: where they are, how much is in them where that is cheap to know, and what of it is unsafe."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.data.bucket_policy import requires_tls
from dashboard.core.errors import AccessDenied, KennelError, NotFound, ServiceFault
from dashboard.core.format import count
from dashboard.core.overview import Attention, Severity
from dashboard.core.parallel import gather

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_EVERYBODY = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)
MOST = 500
"""Buckets that are looked at; an account has a hundred unless it asked for more."""
NAMED = 3
"""Public buckets that are named one by one."""


class Flaw(StrEnum):
    """What is unsafe about a bucket, the gravest first."""

    PUBLIC = "public"
    OPEN = "public access not blocked"
    PLAIN = "not encrypted"
    NO_TLS = "no TLS-only policy"
    UNVERSIONED = "no versions kept"

    @property
    def why(self) -> str:
        """What it means."""
        return {
            Flaw.PUBLIC: "anybody on the internet may read it, by its policy or its access list",
            Flaw.OPEN: "one wrong policy or access list makes it public: nothing stands in the way",
            Flaw.PLAIN: "S3 is not told to encrypt what is put there",
            Flaw.NO_TLS: "requests without TLS are answered, and whoever is on the way can read them",
            Flaw.UNVERSIONED: "what is deleted or overwritten is gone",
        }[self]

    @property
    def severity(self) -> Severity:
        if self is Flaw.PUBLIC:
            return Severity.CRITICAL
        return Severity.WARNING if self in (Flaw.OPEN, Flaw.PLAIN) else Severity.HINT

    @property
    def is_unsafe(self) -> bool:
        """Whether a bucket that has it is not as Kennel makes one; that versions are kept is a wish, they cost."""
        return self is not Flaw.UNVERSIONED

    @property
    def matters(self) -> bool:
        """Whether it is worth a person's attention before anybody looks for it."""
        return self.severity is not Severity.HINT


@dataclass(frozen=True)
class Bucket:
    """A bucket and what is known of it: None is what could not be read, `unread` says why, by what was asked for.

    size in bytes of `objects` objects, both at least that much where `is_counted` is False; policy: {} for none.
    """

    name: str
    region: str = ""
    created: datetime | None = None
    is_public: bool | None = None
    is_blocked: bool | None = None
    encryption: str | None = None
    has_tls: bool | None = None
    is_versioned: bool | None = None
    policy: Mapping[str, Any] | None = None
    size: int | None = None
    objects: int | None = None
    is_counted: bool = False
    is_own: bool = False
    unread: Mapping[str, KennelError] = field(default_factory=dict)

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """What is known to be unsafe; of what could not be read nothing is said."""
        found = {
            Flaw.PUBLIC: self.is_public is True,
            Flaw.OPEN: self.is_blocked is False,
            Flaw.PLAIN: self.encryption == "",
            Flaw.NO_TLS: self.has_tls is False,
            Flaw.UNVERSIONED: self.is_versioned is False,
        }
        return tuple(flaw for flaw, is_there in found.items() if is_there)

    @property
    def is_unsafe(self) -> bool:
        """Whether anything known of it is not as Kennel makes a bucket, which is what Settings looks at too."""
        return any(flaw.is_unsafe for flaw in self.flaws)

    @property
    def grave(self) -> tuple[Flaw, ...]:
        return tuple(flaw for flaw in self.flaws if flaw.matters)


def read(aws: Aws) -> tuple[Bucket, ...]:
    """The account's buckets, Kennel's own first. Raises the errors of `Aws.call` when there is no list of them.

    What may not be read of one is in its `unread`, and leaves the rest.
    """
    listed = [one for page in aws.pages("s3", "ListBuckets", MaxBuckets=MOST) for one in page.get("Buckets", [])]

    def one(told: Mapping[str, Any]) -> Bucket | None:
        try:
            return look(aws, told["Name"], told.get("BucketRegion", ""), told.get("CreationDate"))
        except NotFound:
            return None  # deleted a moment ago

    found = [bucket for bucket in gather(one, listed) if bucket is not None]
    return tuple(sorted(found, key=lambda bucket: (not bucket.is_own, bucket.name)))


class _Asking:
    """What one bucket says of itself; what may not be asked is noted."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws, self._name = aws, name
        self.unread: dict[str, KennelError] = {}

    def ask(self, what: str, operation: str, **more: Any) -> dict[str, Any] | None:
        """The answer, {} where the bucket has no such setting, None where it cannot be read."""
        try:
            return self._aws.call("s3", operation, Bucket=self._name, **more)
        except NotFound:
            return {}
        except (AccessDenied, ServiceFault) as error:
            self.unread[what] = error
            return None


def look(aws: Aws, name: str, region: str = "", created: datetime | None = None) -> Bucket:
    """One bucket as it is now. Raises NotFound for one that is not there, and the errors of `Aws.call` but for those of
    rights and of services that lack an operation, which are in its `unread`."""
    asking = _Asking(aws, name)
    first = asking.ask("what is in it", "ListObjectsV2", MaxKeys=1000)
    if first == {}:  # a list is never empty of everything
        raise NotFound(f"there is no bucket {name}", "it was deleted, or never made", "choose another one")
    blocks = asking.ask("public access", "GetPublicAccessBlock")
    rules = asking.ask("encryption", "GetBucketEncryption")
    told = asking.ask("its policy", "GetBucketPolicy")
    status = {} if told == {} else asking.ask("whether its policy opens it", "GetBucketPolicyStatus")
    acl = asking.ask("its access list", "GetBucketAcl")
    versions = asking.ask("its versions", "GetBucketVersioning")
    if not region:
        place = asking.ask("its region", "GetBucketLocation")
        region = "" if place is None else place.get("LocationConstraint") or "us-east-1"
    blocked = None if blocks is None else blocks.get("PublicAccessBlockConfiguration", {})
    policy = None if told is None else _document(told.get("Policy", ""))
    return Bucket(
        name,
        region,
        created,
        is_public=_is_public(status, acl, blocked or {}),
        is_blocked=None if blocked is None else all(blocked.get(one) is True for one in BLOCKS),
        encryption=None if rules is None else _algorithm(rules),
        has_tls=None if policy is None else requires_tls(policy, name, aws.account.partition),
        is_versioned=None if versions is None else versions.get("Status") == "Enabled",
        policy=policy,
        size=None if first is None else sum(one["Size"] for one in first.get("Contents", [])),
        objects=None if first is None else len(first.get("Contents", [])),
        is_counted=first is not None and not first.get("IsTruncated", False),
        is_own=name == aws.account.bucket,
        unread=asking.unread,
    )


def findings(buckets: Iterable[Bucket]) -> tuple[Attention, ...]:
    """What of it a person should look at: what is public one by one, what is merely open or plain together. Pure."""
    grave = [one for one in buckets if one.grave]
    public = [one for one in grave if Flaw.PUBLIC in one.flaws]
    found = [
        Attention(
            Severity.CRITICAL,
            f"the bucket {one.name} is public",
            Flaw.PUBLIC.why,
            "close it, unless it is meant to be",
            "data",
            one.name,
            query={"part": "Buckets", "bucket": one.name},
        )
        for one in public[:NAMED]
    ]
    if len(public) > NAMED:
        found.append(_together(Severity.CRITICAL, public[NAMED:], "public", Flaw.PUBLIC.why))
    for flaw in (Flaw.OPEN, Flaw.PLAIN):
        weak = [one for one in grave if flaw in one.flaws and one not in public]
        if weak:
            found.append(_together(flaw.severity, weak, flaw.value, flaw.why))
    return tuple(found)


def _together(severity: Severity, of: list[Bucket], what: str, why: str) -> Attention:
    name = f"the bucket {of[0].name}" if len(of) == 1 else count(len(of), "bucket")
    return Attention(
        severity, f"{name}: {what}", why, "make it safe" if len(of) == 1 else "make them safe", "data",
        of[0].name if len(of) == 1 else "", query={"part": "Buckets"},
    )  # fmt: skip


def _is_public(
    status: Mapping[str, Any] | None, acl: Mapping[str, Any] | None, blocks: Mapping[str, Any]
) -> bool | None:
    """By its policy or its access list, where no block of its own takes that back; None when neither is known."""
    if all(blocks.get(one) is True for one in ("RestrictPublicBuckets", "IgnorePublicAcls")):
        return False  # whatever the two say: these take it back
    by_policy = None if status is None else bool(status.get("PolicyStatus", {}).get("IsPublic"))
    grants = [] if acl is None else acl.get("Grants", [])
    listed = any(one.get("Grantee", {}).get("URI") in _EVERYBODY for one in grants)
    if (by_policy and blocks.get("RestrictPublicBuckets") is not True) or (
        listed and blocks.get("IgnorePublicAcls") is not True
    ):
        return True
    return None if by_policy is None or acl is None else False


def _algorithm(told: Mapping[str, Any]) -> str:
    rules = told.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    found = [one.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "") for one in rules]
    return next((one for one in found if one), "")


def _document(text: str) -> Mapping[str, Any]:
    try:
        told = json.loads(text or "{}")
    except ValueError as error:
        raise ServiceFault("this bucket's policy cannot be read", "it is no JSON", "look at it in S3") from error
    return told if isinstance(told, dict) else {}
