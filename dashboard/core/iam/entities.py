"""Roles and policies as GetAccountAuthorizationDetails tells of them, parsed once.

A thing that cannot be read is no reason to stop and never a reason to pass over it: it keeps its place with an `error`
that says why, and the audit makes a finding of it. A managed policy is parsed once, however many roles have it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dashboard.core.errors import InvalidInput
from dashboard.core.iam.policy_text import PolicyText, document_of, text_of

__all__ = ["LISTS", "ManagedPolicy", "PolicyText", "Role", "account_of", "merged", "parse", "policies", "roles"]

SERVICE_LINKED, RESERVED = "/aws-service-role/", "/aws-reserved/"
LISTS = ("RoleDetailList", "Policies", "UserDetailList", "GroupDetailList")
"""What an answer consists of, page by page."""
TRUNCATED = "IsTruncated"
"""Whether more pages follow the last one that was read."""


@dataclass(frozen=True)
class Role:
    """A role. trust: its trust policy as it is written, None with a `trust_error` where that cannot be read.

    policies: attached ones first, then inline ones. last_used: None where AWS does not say (it keeps 400 days).
    instance_profiles: their ARNs. errors: what else of it cannot be read, in a sentence each.
    """

    name: str
    arn: str
    path: str = "/"
    trust: Mapping[str, Any] | None = field(default=None, hash=False)
    trust_error: str = ""
    policies: tuple[PolicyText, ...] = ()
    boundary: PolicyText | None = None
    last_used: datetime | None = None
    created: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    instance_profiles: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def is_service_linked(self) -> bool:
        """A service made it for itself and nobody can change it."""
        return self.path.startswith(SERVICE_LINKED)

    @property
    def is_reserved(self) -> bool:
        """IAM Identity Center made it; what it may is changed there."""
        return self.path.startswith(RESERVED)

    @property
    def account(self) -> str:
        return account_of(self.arn)

    def policy(self, name: str) -> PolicyText | None:
        """The policy of this name, or None."""
        return next((one for one in self.policies if one.name == name), None)


@dataclass(frozen=True)
class ManagedPolicy:
    """A managed policy of the account. attached: to so many users, groups and roles; bounds: so many of them."""

    text: PolicyText
    path: str = "/"
    attached: int = 0
    bounds: int = 0
    created: datetime | None = None
    updated: datetime | None = None

    @property
    def name(self) -> str:
        return self.text.name

    @property
    def arn(self) -> str:
        return self.text.arn

    @property
    def is_unattached(self) -> bool:
        return not self.attached and not self.bounds


def parse(details: Mapping[str, Any]) -> tuple[Role, ...]:
    """The roles of an answer (see `merged` for one of several pages), each once, as they come.

    Raises InvalidInput when it is no such answer.
    """
    return tuple(roles(details))


def roles(details: Mapping[str, Any]) -> Iterator[Role]:
    """As `parse`, one at a time: an audit of thousands need not hold them all."""
    given = _list_of(details, "RoleDetailList")
    managed = {one.arn: one.text for one in policies(details)}
    seen: set[str] = set()
    for place, one in enumerate(given):
        role = _role(one, place, managed)
        if role.arn and role.arn in seen:
            continue
        seen.add(role.arn)
        yield role


def policies(details: Mapping[str, Any]) -> tuple[ManagedPolicy, ...]:
    """The managed policies of an answer, each once: the account's own, and those of AWS that something has attached."""
    found: dict[str, ManagedPolicy] = {}
    for place, one in enumerate(_list_of(details, "Policies", needed=False)):
        policy = _managed(one, place)
        found.setdefault(policy.arn or policy.name, policy)
    return tuple(found.values())


def merged(pages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One answer of several pages, in their order. Raises InvalidInput for a page that is none."""
    found: dict[str, Any] = {name: [] for name in LISTS}
    for page in pages:
        if not isinstance(page, Mapping):
            raise InvalidInput("This is no answer of GetAccountAuthorizationDetails", "a page of it is no JSON object")
        for name in LISTS:
            found[name] += _list_of(page, name, needed=False)
        found[TRUNCATED] = page.get(TRUNCATED) is True or bool(page.get("NextToken"))
    return found


def account_of(arn: str) -> str:
    """The account in an ARN; "" in what is none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def _list_of(details: Mapping[str, Any], name: str, *, needed: bool = True) -> list[Any]:
    if not isinstance(details, Mapping) or (needed and name not in details):
        raise InvalidInput(
            "This is no answer of GetAccountAuthorizationDetails",
            f"it has no {name}",
            "export one with: aws iam get-account-authorization-details > account.json",
        )
    found = details.get(name)
    if isinstance(found, Mapping):
        return [found]
    if found is not None and not isinstance(found, list | tuple):
        raise InvalidInput("This is no answer of GetAccountAuthorizationDetails", f"its {name} is no list")
    return list(found or ())


def _role(given: Any, place: int, managed: Mapping[str, PolicyText]) -> Role:
    if not isinstance(given, Mapping) or not isinstance(given.get("RoleName"), str):
        name = f"(entry {place} of RoleDetailList)"
        return Role(name, "", errors=(f"{name} is no role: it has no RoleName",))
    name, arn = given["RoleName"], given.get("Arn")
    errors = [] if isinstance(arn, str) and arn.count(":") >= 5 else [f"The role {name} has no ARN"]
    trust, trust_error = document_of(given.get("AssumeRolePolicyDocument"), "trust")
    found = [
        _attached(one, managed, name, errors) for one in _parts(given, "AttachedManagedPolicies", name, errors)
    ] + [_inline(one, name, errors) for one in _parts(given, "RolePolicyList", name, errors)]
    boundary = given.get("PermissionsBoundary")
    used = given.get("RoleLastUsed")
    return Role(
        name,
        arn if isinstance(arn, str) else "",
        _path(given, arn),
        trust,
        trust_error,
        tuple(one for one in found if one is not None),
        None if not boundary else _bound(boundary, managed),
        _moment(used.get("LastUsedDate"), name, errors) if isinstance(used, Mapping) else None,
        _moment(given.get("CreateDate"), name, errors),
        {str(one.get("Key")): str(one.get("Value", "")) for one in _parts(given, "Tags", name, errors)},
        tuple(str(one.get("Arn", "")) for one in _parts(given, "InstanceProfileList", name, errors)),
        tuple(errors),
    )


def _path(given: Mapping[str, Any], arn: Any) -> str:
    """The path, from the ARN where it is not told."""
    if isinstance(given.get("Path"), str):
        return str(given["Path"])
    resource = arn.split(":", 5)[5] if isinstance(arn, str) and arn.count(":") >= 5 else ""
    inner = resource.partition("/")[2].rpartition("/")[0]
    return f"/{inner}/" if inner else "/"


def _parts(given: Mapping[str, Any], name: str, role: str, errors: list[str]) -> list[Mapping[str, Any]]:
    """The objects of a list of the role's, or the one object that stands where a list is due."""
    found = given.get(name) or []
    found = [found] if isinstance(found, Mapping) else found
    if not isinstance(found, list | tuple):
        errors.append(f"{name} of the role {role} is no list")
        return []
    if any(not isinstance(one, Mapping) for one in found):
        errors.append(f"{name} of the role {role} has an entry that is no object")
    return [one for one in found if isinstance(one, Mapping)]


def _attached(
    given: Mapping[str, Any], managed: Mapping[str, PolicyText], role: str, errors: list[str]
) -> PolicyText | None:
    arn = given.get("PolicyArn")
    if not isinstance(arn, str) or not arn:
        errors.append(f"A policy attached to the role {role} has no ARN")
        return None
    return managed.get(arn) or _absent(arn)


def _inline(given: Mapping[str, Any], role: str, errors: list[str]) -> PolicyText | None:
    name = given.get("PolicyName")
    if not isinstance(name, str):
        errors.append(f"An inline policy of the role {role} has no name")
        name = "(without a name)"
    return text_of(name, given.get("PolicyDocument"))


def _bound(given: Any, managed: Mapping[str, PolicyText]) -> PolicyText:
    arn = given.get("PermissionsBoundaryArn") if isinstance(given, Mapping) else given
    if not isinstance(arn, str):
        return PolicyText("boundary", error="The permissions boundary has no ARN")
    return managed.get(arn) or _absent(arn)


def _absent(arn: str) -> PolicyText:
    name = arn.rpartition("/")[2]
    return PolicyText(name, arn, error=f"The document of the policy {name} is not among the answer's Policies")


def _managed(given: Any, place: int) -> ManagedPolicy:
    if not isinstance(given, Mapping) or not isinstance(given.get("Arn"), str):
        name = f"(entry {place} of Policies)"
        return ManagedPolicy(PolicyText(name, error=f"{name} is no policy: it has no Arn"))
    arn = given["Arn"]
    name = str(given.get("PolicyName") or arn.rpartition("/")[2])
    return ManagedPolicy(
        text_of(name, _default_version(given), arn),
        _path(given, arn),
        _count(given.get("AttachmentCount")),
        _count(given.get("PermissionsBoundaryUsageCount")),
        _moment(given.get("CreateDate"), name, []),
        _moment(given.get("UpdateDate"), name, []),
    )


def _default_version(given: Mapping[str, Any]) -> Any:
    """The document in force; None where none is marked as such."""
    versions = given.get("PolicyVersionList") or []
    versions = [versions] if isinstance(versions, Mapping) else versions
    for one in versions if isinstance(versions, list | tuple) else ():
        if isinstance(one, Mapping) and (
            one.get("IsDefaultVersion") in (True, "true") or one.get("VersionId") == given.get("DefaultVersionId", "")
        ):
            return one.get("Document")
    return None


def _count(given: Any) -> int:
    return given if isinstance(given, int) else int(given) if isinstance(given, str) and given.isdigit() else 0


def _moment(given: Any, name: str, errors: list[str]) -> datetime | None:
    """A date as boto3 (datetime) or an export (ISO 8601, seconds since 1970) has it, in UTC."""
    try:
        if given is None or given == "":
            return None
        if isinstance(given, int | float):
            return datetime.fromtimestamp(given, UTC)
        found = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except (ValueError, OverflowError, OSError):
        errors.append(f"{name} has a date that is none: {str(given)[:40]}")
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
