"""Whether a caller may do what it asks, by the rules of IAM: every layer of its policies must allow every right.

The account's root user may do all. For a user or a session of a role: an explicit Deny in any layer denies; else the
policies of its identity, its permissions boundary and the policies of its session must each allow. Source: IAM User
Guide, "Policy evaluation logic"; the sentences are those of "Troubleshoot access denied error messages".
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.core.iam.documents import PolicyError
from dashboard.core.iam.evaluate import Outcome, evaluate
from dashboard.core.iam.rights import ANYTHING, Right
from local_aws import ACCOUNT
from local_aws.errors import ServiceError
from local_aws.principal import Principal
from local_aws.standing import Standing, Standings

Context = Mapping[str, str | tuple[str, ...]]
Tags = Callable[[str], Mapping[str, str]]
"""The tags of a resource, by its ARN; none for one that is not there or has none."""
ALWAYS_ALLOWED = "sts:GetCallerIdentity"
_CODES = {"ec2": "UnauthorizedOperation", "sns": "AuthorizationError"}
_DENIED_IN_XML = ("query", "rest-xml", "smithy-rpc-v2-cbor")


@dataclass(frozen=True)
class Circumstances:
    """What is true of a request whatever it asks for. agent: its User-Agent.

    address: where it comes from, "" for a service of AWS, of which policies are told no address.
    """

    at: datetime
    region: str
    address: str = "127.0.0.1"
    agent: str = ""

    @property
    def context(self) -> dict[str, str | tuple[str, ...]]:
        """Context keys. What comes over the loopback is taken for what AWS takes over TLS: nobody can listen to it."""
        told: dict[str, str | tuple[str, ...]] = {
            "aws:CurrentTime": f"{self.at:%Y-%m-%dT%H:%M:%SZ}",
            "aws:EpochTime": str(int(self.at.timestamp())),
            "aws:RequestedRegion": self.region,
            "aws:SecureTransport": "true",
        }
        if self.address:
            told["aws:SourceIp"] = self.address
        if self.agent:
            told["aws:UserAgent"] = self.agent
        return told


class Authority:
    """Judges callers. tags: of resources, for the policies that look at them."""

    def __init__(self, standings: Standings, tags: Tags = lambda _: {}) -> None:
        self._standings = standings
        self.tags = tags

    def is_quick(self, principal: Principal, rights: Sequence[Right]) -> bool:
        """Whether a judgement waits for nothing, so that it may be made in an event loop."""
        known = self._standings.known(principal)
        return known is not None and not any(known.asks_tags(one.action) for one in rights)

    def refusal(
        self,
        principal: Principal,
        rights: Iterable[Right],
        circumstances: Circumstances,
        *,
        excused: Collection[str] = (),
    ) -> str:
        """Why the caller may not, in AWS's words; "" when it may do all of that. excused: see `why_not`."""
        if not principal.is_limited:
            return ""
        standing = self._standings.of(principal)
        context = {**circumstances.context, **standing.facts}
        for right in rights:
            why = self.why_not(standing, right, context, excused=excused)
            if why:
                return refused(principal, right, why)
        return ""

    def may(self, principal: Principal, right: Right, circumstances: Circumstances) -> bool:
        return not self.refusal(principal, (right,), circumstances)

    def of(self, principal: Principal) -> Standing:
        """What decides about a caller."""
        return self._standings.of(principal)

    def why_not(self, standing: Standing, right: Right, context: Context, *, excused: Collection[str] = ()) -> str:
        """The end of AWS's sentence, "" when it is allowed. excused: layers that need not allow it, since what is asked
        for lets the caller in by a policy of its own; a Deny in them counts all the same.
        """
        if right.action == ALWAYS_ALLOWED:
            return ""
        if standing.gone:
            return f"because {standing.gone}"
        whole = {**context, **_of_resource(right.resource), **right.context}
        if standing.asks_tags(right.action):
            for key, value in self.tags(right.resource).items():
                whole[f"aws:ResourceTag/{key}"] = whole[f"{right.service}:ResourceTag/{key}"] = value
        lacking = ""
        for layer, policies in standing.layers:
            try:
                outcome = evaluate(policies, right.action, right.resource, whole).outcome
            except PolicyError as wrong:
                return f"because a policy of it cannot be judged: {wrong}"
            if outcome is Outcome.EXPLICIT_DENY:
                return f"with an explicit deny in {'an' if layer.startswith('i') else 'a'} {layer}"
            if outcome is Outcome.IMPLICIT_DENY and not lacking and layer not in excused:
                lacking = f"because no {layer} allows the {right.action} action"
        return lacking


def refused(principal: Principal, right: Right, why: str) -> str:
    """AWS's sentence. why: its end."""
    return f"User: {principal.arn} is not authorized to perform: {right.action} on resource: {_shown(right)} {why}"


def denied(service: str, protocol: str, sentence: str) -> ServiceError:
    """The error as a service (botocore's name) tells it: each of AWS's protocols has its own code."""
    if service == "ec2":
        sentence = f"You are not authorized to perform this operation. {sentence}"
    code = _CODES.get(service) or ("AccessDenied" if protocol in _DENIED_IN_XML else "AccessDeniedException")
    return ServiceError(code, sentence, 400 if protocol == "json" else 403)


def _shown(right: Right) -> str:
    """S3 puts ARNs in quotes."""
    return f'"{right.resource}"' if right.service == "s3" and right.resource != ANYTHING else right.resource


def _of_resource(arn: str) -> dict[str, str]:
    """Whose it is: a bucket's ARN does not say so, and all of them are this account's; all images are AWS's."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return {"aws:ResourceAccount": ACCOUNT}
    owner = {"ec2:Owner": "amazon"} if parts[2] == "ec2" and parts[5].startswith("image/") else {}
    return {"aws:ResourceAccount": parts[4] or ACCOUNT, **owner}
