"""A role as it stands: all that decides what it may do, read in one go, with a hash of it, kept to go back to."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.parallel import gather

HOUR = 3600
"""IAM's own MaxSessionDuration, in seconds, where none is asked for."""

RETIRED = "kennel:retired"
"""The tag of a role or policy that was switched off or marked for deletion: since when, ISO 8601, UTC."""

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Attached:
    """A managed policy of a role: what it said when it was read, and which of its versions that was."""

    name: str
    arn: str
    version: str
    document: Document


@dataclass(frozen=True)
class Standing:
    """trust: who may act as it. inline: documents by name. boundary: None without one. last_used: None where AWS does
    not say. profiles: the names of the instance profiles that it is in. role_id: another one: it was made anew.
    """

    name: str
    arn: str
    path: str
    role_id: str
    trust: Document
    attached: tuple[Attached, ...] = ()
    inline: Mapping[str, Document] = field(default_factory=dict)
    boundary: Attached | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    longest_session: int = HOUR
    last_used: datetime | None = None
    profiles: tuple[str, ...] = ()

    @property
    def documents(self) -> tuple[Document, ...]:
        """All its identity-based policies."""
        return (*(one.document for one in self.attached), *self.inline.values())

    @property
    def boundary_document(self) -> Document | None:
        return self.boundary.document if self.boundary else None

    @property
    def digest(self) -> str:
        """The same as long as what it may do and who may act as it are: its tags and last use are not in it."""
        told = [
            self.arn,
            self.role_id,
            self.trust,
            sorted((one.arn, one.version, canonical(one.document)) for one in self.attached),
            self.inline,
            [self.boundary.arn, self.boundary.version, canonical(self.boundary.document)] if self.boundary else None,
        ]
        return hashlib.sha256(canonical(told).encode()).hexdigest()

    def as_record(self) -> dict[str, Any]:
        """As JSON can hold it: what a rollback record keeps, and what is exported before a role goes."""
        return asdict(self) | {"last_used": self.last_used.isoformat() if self.last_used else None}

    @classmethod
    def of_record(cls, told: Mapping[str, Any]) -> "Standing":
        """Back from `as_record`. Raises KeyError, TypeError or ValueError for what is none."""
        last, limit = told["last_used"], told["boundary"]
        return cls(
            **{
                **told,
                "attached": tuple(Attached(**one) for one in told["attached"]),
                "boundary": Attached(**limit) if limit else None,
                "last_used": datetime.fromisoformat(last) if last else None,
                "profiles": tuple(told["profiles"]),
            }
        )


def read(aws: Aws, role: str) -> Standing:
    """A role by its name, with every policy's document. Raises NotFound, AccessDenied and the errors of `Aws.call`."""
    told = aws.call("iam", "GetRole", RoleName=role)["Role"]
    listed = [
        (one["PolicyName"], one["PolicyArn"])
        for page in aws.pages("iam", "ListAttachedRolePolicies", RoleName=role)
        for one in page["AttachedPolicies"]
    ]
    names = [name for page in aws.pages("iam", "ListRolePolicies", RoleName=role) for name in page["PolicyNames"]]
    profiles = [
        one["InstanceProfileName"]
        for page in aws.pages("iam", "ListInstanceProfilesForRole", RoleName=role)
        for one in page["InstanceProfiles"]
    ]
    limit = told.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
    wanted = [*listed, *([(limit.rpartition("/")[2], limit)] if limit else [])]
    managed = gather(lambda one: policy(aws, *one), wanted)
    return Standing(
        name=told["RoleName"],
        arn=told["Arn"],
        path=told["Path"],
        role_id=told["RoleId"],
        trust=parsed(told["AssumeRolePolicyDocument"]),
        attached=tuple(managed[: len(listed)]),
        inline=dict(gather(lambda name: (name, _inline(aws, role, name)), sorted(names))),
        boundary=managed[-1] if limit else None,
        tags=tags.as_dict(told.get("Tags", [])),
        description=told.get("Description", ""),
        longest_session=int(told.get("MaxSessionDuration", HOUR)),
        last_used=told.get("RoleLastUsed", {}).get("LastUsedDate"),
        profiles=tuple(sorted(profiles)),
    )


def policy(aws: Aws, name: str, arn: str) -> Attached:
    """A managed policy as it is in force. Raises the errors of `Aws.call`."""
    version = aws.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
    told = aws.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)["PolicyVersion"]
    return Attached(name, arn, version, parsed(told["Document"]))


def _inline(aws: Aws, role: str, name: str) -> Document:
    return parsed(aws.call("iam", "GetRolePolicy", RoleName=role, PolicyName=name)["PolicyDocument"])


def parsed(told: Any) -> dict[str, Any]:
    """A document as botocore gives it: read already, unless it is not JSON."""
    found: dict[str, Any] = json.loads(told) if isinstance(told, str) else dict(told)
    return found


def canonical(document: Any) -> str:
    """The same text for documents that say the same."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
