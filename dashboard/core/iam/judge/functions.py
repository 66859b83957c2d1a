"""Who may call a Lambda function, and with what: its resource policies and its URLs, judged.

Source: Lambda Developer Guide, "Working with resource-based IAM policies", "Control access to Lambda function URLs".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.core.iam.entities import account_of
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge import principals
from dashboard.core.iam.judge.principals import NETWORK, SECRET, SOURCE, WHO, Grant
from dashboard.core.iam.policy_text import document_of

RESOURCE_POLICY = "resource policy"
"""What a function's policy is called where policies are named; that of an alias has its name behind it."""
INVOKE, INVOKE_URL = "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"
CHANGE = "lambda:UpdateFunctionCode"
_AUTH, _THROUGH_URL = "lambda:functionurlauthtype", "lambda:invokedviafunctionurl"
_BUCKETS = "s3.amazonaws.com"


@dataclass(frozen=True)
class Address:
    """A function URL. auth: "NONE" lets in whoever the resource policy does, unsigned. qualifier: its alias, "" for
    the function itself.
    """

    url: str
    auth: str
    qualifier: str = ""

    @property
    def is_open(self) -> bool:
        return self.auth == "NONE"


@dataclass(frozen=True)
class Exposure:
    """A function as others see it. documents: its resource policies as JSON text, by qualifier ("" its own).

    role_arn: what it works as. changed: when its code or settings last were, None where that is not told.
    """

    name: str
    arn: str
    role_arn: str
    changed: datetime | None = None
    documents: Mapping[str, str] | None = None
    addresses: tuple[Address, ...] = ()

    @property
    def account(self) -> str:
        return account_of(self.arn)

    def policy_name(self, qualifier: str) -> str:
        return f"{RESOURCE_POLICY} of {qualifier}" if qualifier else RESOURCE_POLICY

    def document(self, policy_name: str) -> Mapping[str, Any] | None:
        """The resource policy of that name, None where there is none that can be read."""
        for qualifier, text in (self.documents or {}).items():
            if self.policy_name(qualifier) == policy_name:
                return document_of(text, policy_name)[0]
        return None


def findings(exposure: Exposure) -> Iterator[Finding]:
    """What is wrong with who may call a function."""
    opened: dict[str, bool] = {}
    for qualifier, text in (exposure.documents or {}).items():
        name = exposure.policy_name(qualifier)
        document, why = document_of(text, name)
        if document is None:
            yield _unknown(exposure, name, why)
            continue
        found, failed = principals.grants(document, name)
        for place, written, why in failed:
            yield _unknown(exposure, name, why, place, written if isinstance(written, dict) else None)
        opened[qualifier] = any(_is_for_urls(one) and not _is_taken_back(found, one) for one in found)
        has_open_url = any(one.is_open and one.qualifier == qualifier for one in exposure.addresses)
        for grant in found:
            if not grant.is_allow or _is_taken_back(found, grant):
                continue
            if _is_for_urls(grant) or _through_url(grant):
                if not has_open_url and _is_for_urls(grant):
                    yield _ready_for_url(exposure, grant, name)
                continue
            yield from _everyone(exposure, found, grant, name)
            yield from _services(exposure, found, grant, name)
            yield from _changes(exposure, grant, name)
    for address in exposure.addresses:
        if address.is_open:
            yield _open_url(exposure, address, is_let_in=opened.get(address.qualifier, False))


def openings(document: Mapping[str, Any]) -> dict[int, str]:
    """What is wrong with each statement of a resource policy that lets anybody in, or may, by its place (from 0).

    Those for a URL without sign-in among them.
    """
    found, failed = principals.grants(document, RESOURCE_POLICY)
    told = {place: f"it cannot be judged, so that it may let anybody in: {why}" for place, _, why in failed}
    for grant in found:
        if not grant.is_allow or _is_taken_back(found, grant):
            continue
        if _is_for_urls(grant):
            told[grant.place] = "anybody in the world may call its URL, and this account pays for every call"
        elif _lets_all_in(found, grant):
            through = " through its URL" if _through_url(grant) else ""
            told[grant.place] = f"anybody in the world may invoke it{through}, and this account pays for every call"
        elif grant.services and not _bound_by(found, grant) and grant.covers(INVOKE):
            told[grant.place] = _on_behalf(grant.services[0])
    return told


def _lets_all_in(found: tuple[Grant, ...], grant: Grant) -> bool:
    """Whether nothing but a network or a secret keeps anybody from invoking."""
    if not grant.everyone or "AWS_IAM" in grant.values(_AUTH):
        return False
    if grant.narrowed(WHO | SOURCE) or principals.withheld(found, grant, INVOKE, WHO | SOURCE):
        return False
    return grant.covers(INVOKE) or grant.covers(INVOKE_URL)


def _bound_by(found: tuple[Grant, ...], grant: Grant) -> frozenset[str]:
    """The keys (lower case) that say on whose behalf a service may invoke; none where it may on anybody's."""
    keys = (WHO & {"aws:principalorgid", "aws:principalorgpaths"}) | SOURCE | SECRET
    by = (*grant.narrowed(keys, sent=True), *principals.withheld(found, grant, INVOKE, SOURCE))
    return frozenset(one.lower() for one in by)


def _on_behalf(service: str) -> str:
    return f"{service} may invoke it on whoever's behalf: no SourceArn and no SourceAccount"


def _finding(
    exposure: Exposure,
    severity: Severity,
    reason: str,
    attack: str,
    fix: str,
    name: str,
    grant: Grant | None,
    kind: Kind = Kind.RESOURCE_POLICY,
) -> Finding:
    place, written = (None, None) if grant is None else (grant.place, grant.written)
    return Finding("", kind, severity, f"function {exposure.name}: {reason}", attack, fix, name, place, written,
                   exposure.arn)  # fmt: skip


def _unknown(
    exposure: Exposure, name: str, why: str, place: int | None = None, written: Mapping[str, Any] | None = None
) -> Finding:
    return Finding(
        "",
        Kind.UNKNOWN,
        Severity.MEDIUM,
        f"function {exposure.name}: the {name} cannot be judged: {why}",
        "who may call the function is not known, so that it may be anybody",
        "remove that statement and add it anew with lambda:AddPermission",
        name,
        place,
        written,
        exposure.arn,
    )


def _is_taken_back(found: tuple[Grant, ...], grant: Grant) -> bool:
    actions = [one for one in (INVOKE, INVOKE_URL, CHANGE) if grant.covers(one)]
    return bool(actions) and all(principals.is_closed(found, grant, one) for one in actions)


def _is_for_urls(grant: Grant) -> bool:
    """Whether it lets anybody call a URL that takes unsigned requests."""
    if not grant.is_allow or not grant.everyone or not grant.covers(INVOKE_URL) or grant.covers(CHANGE):
        return False
    auth = grant.values(_AUTH)
    return not grant.narrowed(WHO | SOURCE | NETWORK) and (not auth or "NONE" in auth) and not grant.covers(INVOKE)


def _through_url(grant: Grant) -> bool:
    """The second statement that a function URL needs: lambda:InvokeFunction, by way of a URL only."""
    return "true" in (one.lower() for one in grant.values(_THROUGH_URL)) and not grant.covers(CHANGE)


def _everyone(exposure: Exposure, found: tuple[Grant, ...], grant: Grant, name: str) -> Iterator[Finding]:
    weak = grant.narrowed(NETWORK | SECRET)
    if _lets_all_in(found, grant):
        yield _finding(
            exposure,
            Severity.MEDIUM if weak else Severity.HIGH,
            "anybody in the world may invoke it",
            "whoever knows its name runs it as often as they like: this account pays, and they get what it answers",
            "remove the statement; name the account, or a service with SourceArn and SourceAccount, in its place",
            name,
            grant,
        )


def _services(exposure: Exposure, found: tuple[Grant, ...], grant: Grant, name: str) -> Iterator[Finding]:
    if not grant.services or not grant.covers(INVOKE):
        return
    by = _bound_by(found, grant)
    for service in grant.services:
        if not by:
            yield _finding(
                exposure,
                Severity.MEDIUM,
                _on_behalf(service),
                f"somebody in another account points their own {service.partition('.')[0]} at it and has it run with "
                "what they send",
                f"add the statement anew with --source-account {exposure.account} and the --source-arn of what calls",
                name,
                grant,
            )
        elif (
            service == _BUCKETS and by == {"aws:sourcearn"} and not any(map(account_of, grant.values("aws:sourcearn")))
        ):
            yield _finding(
                exposure,
                Severity.LOW,
                "a bucket may invoke it by its name alone: a bucket's ARN names no account",
                "once the bucket is deleted, whoever makes one of its name has the function run",
                f"add the statement anew with --source-account {exposure.account}",
                name,
                grant,
            )


def _changes(exposure: Exposure, grant: Grant, name: str) -> Iterator[Finding]:
    """Somebody else may replace its code, and so work as its role."""
    others = [one for one in (*grant.accounts, *map(account_of, grant.identities)) if one != exposure.account]
    if not grant.covers(CHANGE) or not (grant.everyone or others):
        return
    who = "anybody in the world" if grant.everyone else f"the account {others[0]}"
    yield _finding(
        exposure,
        Severity.CRITICAL if grant.everyone else Severity.HIGH,
        f"{who} may change its code",
        "code put in its place works with everything that the function's role may do",
        f"allow {INVOKE} only",
        name,
        grant,
    )


def _ready_for_url(exposure: Exposure, grant: Grant, name: str) -> Finding:
    return _finding(
        exposure,
        Severity.LOW,
        "its policy lets anybody call a URL that it does not have",
        "as soon as somebody makes a URL without sign-in, it is open to the world",
        "remove the statement",
        name,
        grant,
    )


def _open_url(exposure: Exposure, address: Address, *, is_let_in: bool) -> Finding:
    of = f" of {address.qualifier}" if address.qualifier else ""
    return _finding(
        exposure,
        Severity.HIGH if is_let_in else Severity.LOW,
        f"its URL{of} takes requests without any sign-in"
        + ("" if is_let_in else ", though no statement lets them through"),
        "anybody on the internet calls it as often as they like: this account pays, and they get what it answers",
        "set its AuthType to AWS_IAM, or put an API with sign-in and limits before it",
        exposure.policy_name(address.qualifier),
        None,
        Kind.FUNCTION_URL,
    )
