"""Who may work as a role: what is wrong with its trust policy.

Source: IAM User Guide, "The confused deputy problem", "Access to AWS accounts owned by third parties", "Create a role
for OpenID Connect federation". A bare trust of Lambda or EC2 is no finding: AWS sends no source keys there, so that
nothing could mend it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboard.core.iam.entities import Role, account_of
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge import principals
from dashboard.core.iam.judge.principals import NETWORK, SECRET, SOURCE, WHO, Grant

TRUST = "trust"
"""What a trust policy is called where policies are named."""
ASSUME = "sts:AssumeRole"
_WAYS = (ASSUME, "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")
_BEYOND = "sts:SetSourceIdentity"
"""An action that only a statement with a wildcard covers without naming it."""

SAGEMAKER = "sagemaker.amazonaws.com"
SENDERS = frozenset(
    f"{name}.amazonaws.com"
    for name in ("sagemaker", "scheduler", "states", "ecs-tasks", "events", "bedrock", "firehose", "codebuild",
                 "cloudtrail", "vpc-flow-logs", "ssm", "transfer", "logs")
)  # fmt: skip
"""Services that send aws:SourceAccount and aws:SourceArn when they assume a role, as their own documentation says."""
_WEB_KEYS = ("sub", "aud", "oaud", "amr", "email")


@dataclass(frozen=True)
class _Trusted:
    """A role with the statements of its trust policy."""

    role: Role
    grants: tuple[Grant, ...]

    def finding(
        self, severity: Severity, reason: str, attack: str, fix: str, grant: Grant, mitigated_by: str = ""
    ) -> Finding:
        return Finding(
            self.role.name,
            Kind.TRUST,
            severity,
            reason,
            attack,
            fix,
            TRUST,
            grant.place,
            grant.written,
            self.role.arn,
            mitigated_by,
        )


def findings(role: Role) -> Iterator[Finding]:
    """What is wrong with the role's trust policy. A service-linked role's is its service's own and is passed over."""
    if role.is_service_linked or role.is_reserved:
        return
    if role.trust is None:
        yield _unknown(role, role.trust_error or f"The role {role.name} has no trust policy")
        return
    found, failed = principals.grants(role.trust, TRUST)
    for place, written, why in failed:
        yield _unknown(role, why, place, written if isinstance(written, dict) else None)
    trusted = _Trusted(role, found)
    for grant in found:
        ways = [way for way in _WAYS if grant.covers(way)]
        if not grant.is_allow or not ways or all(principals.is_closed(found, grant, way) for way in ways):
            continue
        yield from _everyone(trusted, grant)
        yield from _accounts(trusted, grant)
        yield from _services(trusted, grant)
        yield from _federated(trusted, grant)
        yield from _beyond(trusted, grant)
        if grant.gone:
            yield trusted.finding(
                Severity.LOW,
                f"it trusts {grant.gone[0]}, the id of a role or user that was deleted",
                "nobody can use it, and whoever reads the policy cannot tell whom it was meant for",
                "take that principal out of the trust policy",
                grant,
            )


def _unknown(role: Role, why: str, place: int | None = None, written: dict[str, object] | None = None) -> Finding:
    return Finding(
        role.name,
        Kind.UNKNOWN,
        Severity.MEDIUM,
        f"the trust policy cannot be judged: {why}",
        "who may work as this role is not known, so that it may be anybody",
        "write the trust policy anew, with one principal a statement",
        TRUST,
        place,
        written,
        role.arn,
    )


def _everyone(trusted: _Trusted, grant: Grant) -> Iterator[Finding]:
    if not grant.everyone:
        return
    by = (*grant.narrowed(WHO), *principals.withheld(trusted.grants, grant, ASSUME, WHO))
    weak = grant.narrowed(SECRET | NETWORK)
    how = "all but those of a NotPrincipal" if "NotPrincipal" in grant.written else "*"
    if by:
        yield trusted.finding(
            Severity.LOW,
            f"it trusts {how}, and only a condition keeps others out",
            "whoever loosens the condition opens the role to every AWS account in the world",
            "name the accounts or roles that may assume it in Principal",
            grant,
            f"the condition on {', '.join(dict.fromkeys(by))}",
        )
        return
    yield trusted.finding(
        Severity.HIGH if weak else Severity.CRITICAL,
        f"it trusts {how}: any AWS account in the world",
        "anybody with an AWS account of their own can assume the role and do whatever it may",
        "name the accounts, roles or services that may assume it in Principal",
        grant,
        f"the condition on {', '.join(weak)}" if weak else "",
    )


def _accounts(trusted: _Trusted, grant: Grant) -> Iterator[Finding]:
    own = trusted.role.account
    whole = [one for one in grant.accounts if one != own]
    single = [one for one in grant.identities if account_of(one) not in ("", own)]
    if not whole and not single:
        return
    keys = frozenset({"sts:externalid", "aws:principalorgid", "aws:principalorgpaths"})
    if grant.narrowed(keys) or principals.withheld(trusted.grants, grant, ASSUME, keys):
        return
    others = " and ".join(dict.fromkeys([*whole, *(account_of(one) for one in single)]))
    who = f"the account {others}" if " and " not in others else f"the accounts {others}"
    part = f"{', '.join(one.rpartition(':')[2] for one in single)} of {who}"
    yield trusted.finding(
        Severity.HIGH if whole else Severity.MEDIUM,
        f"it trusts {who if whole else part} without sts:ExternalId",
        f"{who} can be talked into assuming the role for somebody else, who then works with its rights",
        "agree on an external id with the other side and ask for it: "
        '"Condition": {"StringEquals": {"sts:ExternalId": "…"}}; inside an organization ask for aws:PrincipalOrgID',
        grant,
    )


def _services(trusted: _Trusted, grant: Grant) -> Iterator[Finding]:
    own = trusted.role.account
    by = (*grant.narrowed(SOURCE, sent=True), *principals.withheld(trusted.grants, grant, ASSUME, SOURCE))
    for service in grant.services:
        if service not in SENDERS:
            continue
        name = service.partition(".")[0]
        if not by:
            yield trusted.finding(
                Severity.MEDIUM if service == SAGEMAKER else Severity.LOW,
                f"it trusts {service} on whoever's behalf: no aws:SourceAccount and no aws:SourceArn",
                f"somebody in another account who can make {name} work with this role's ARN borrows its rights "
                "(the confused deputy)",
                f'add to this statement: "Condition": {{"StringEquals": {{"aws:SourceAccount": "{own}"}}}}',
                grant,
            )
        elif strangers := _strangers(grant, own):
            yield trusted.finding(
                Severity.MEDIUM,
                f"it trusts {service} on behalf of another account: {', '.join(strangers)}",
                f"that account can have {name} work as this role",
                f"name only this account in aws:SourceAccount and aws:SourceArn: {own}",
                grant,
            )


def _strangers(grant: Grant, own: str) -> tuple[str, ...]:
    """Other accounts that source conditions name."""
    named = [*grant.values("aws:sourceaccount"), *map(account_of, grant.values("aws:sourcearn"))]
    return tuple(dict.fromkeys(one for one in named if principals.ACCOUNT.fullmatch(one) and one != own))


def _federated(trusted: _Trusted, grant: Grant) -> Iterator[Finding]:
    """Whoever an identity provider vouches for. A big one vouches for everybody: a claim must say who is meant."""
    if not grant.covers("sts:AssumeRoleWithWebIdentity"):
        return
    for provider in grant.federated:
        host = provider.partition(":oidc-provider/")[2] or provider
        if provider.startswith("arn:") and ":oidc-provider/" not in provider:
            continue  # SAML: the provider is the account's own
        claims = ("sub",) if host == "token.actions.githubusercontent.com" else _WEB_KEYS
        if grant.narrowed(frozenset(f"{host}:{claim}".lower() for claim in claims)):
            continue
        yield trusted.finding(
            Severity.HIGH,
            f"it trusts whoever {host} vouches for: no condition on {host}:{claims[0]}",
            f"anybody with an identity at {host} can assume the role",
            f'name who is meant: "Condition": {{"StringEquals": {{"{host}:{claims[0]}": "…"}}}}',
            grant,
        )


def _beyond(trusted: _Trusted, grant: Grant) -> Iterator[Finding]:
    """`sts:*`: more than working as the role."""
    if not grant.covers(_BEYOND) or _names(grant.statement.actions, _BEYOND):
        return
    written = ", ".join(grant.statement.actions) or f"all but {', '.join(grant.statement.not_actions)}"
    yield trusted.finding(
        Severity.MEDIUM,
        f"it lets its principals do {written}, not only assume it",
        "whoever assumes it also chooses session tags and a source identity, which other policies and the record of "
        "who did what rely on",
        f'replace the action by "{ASSUME}"',
        grant,
    )


def _names(actions: Sequence[str], action: str) -> bool:
    return action.lower() in (one.lower() for one in actions)
