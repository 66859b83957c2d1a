"""What of Kennel's pieces is in an account: what is there, what is missing, and what is there but made otherwise."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from dashboard.core.aws import Aws
from dashboard.core.costs.waste import schedule
from dashboard.core.data import buckets
from dashboard.core.errors import CredentialsProblem, KennelError, NotFound, Unreachable
from dashboard.core.iam.entities import Role, merged, parse
from dashboard.core.iam.least.grants import Grant
from dashboard.core.iam.least.held import Held
from dashboard.core.parallel import gather
from dashboard.core.runs.look import trusts
from dashboard.core.setup import roles
from dashboard.core.setup.pieces import NEEDED, Kind, Piece

_FILTER = ["Role", "LocalManagedPolicy", "AWSManagedPolicy"]
MOST_PAGES = 100
SCHEDULER = "scheduler.amazonaws.com"
MOST_TOLD = 4
"""Rights that are named one by one."""


class Standing(StrEnum):
    """How a piece stands."""

    THERE = "there"
    LACKING = "lacks something"
    MISSING = "missing"
    UNKNOWN = "unknown"

    @property
    def tone(self) -> str:
        return {Standing.THERE: "done", Standing.LACKING: "waiting", Standing.MISSING: "failed"}.get(self, "stopped")


@dataclass(frozen=True)
class Found:
    """One piece as it is. lacks: what one that is there has not, in a phrase each. why: why it is not known."""

    piece: Piece
    name: str
    standing: Standing
    lacks: tuple[str, ...] = ()
    why: str = ""

    @property
    def is_missing(self) -> bool:
        return self.standing is Standing.MISSING

    @property
    def sentence(self) -> str:
        """How it stands, in words."""
        match self.standing:
            case Standing.MISSING:
                return f"missing: {self.piece.without}"
            case Standing.LACKING:
                return f"there, made otherwise: {'; '.join(self.lacks)}"
            case Standing.UNKNOWN:
                return f"not known: {self.why}"
        return "there"


def kinds(found: Iterable[Found]) -> str:
    """ "bucket, 4 roles, 2 log groups"."""
    told = Counter(str(one.piece.kind) for one in found)
    return ", ".join(one if number == 1 else f"{number} {one}s" for one, number in told.items())


def look(aws: Aws, pieces: Sequence[Piece] = tuple(Piece)) -> tuple[Found, ...]:
    """Each of the pieces. What may not be read is unknown, with why; raises Unreachable and CredentialsProblem."""
    account = aws.account
    held: list[Mapping[str, Role] | KennelError] = []

    def all_roles() -> None:
        try:
            pages = aws.pages("iam", "GetAccountAuthorizationDetails", limit=MOST_PAGES, Filter=_FILTER)
            held.append({role.name: role for role in parse(merged(pages))})
        except (Unreachable, CredentialsProblem):
            raise
        except KennelError as error:
            held.append(error)

    asked = [piece for piece in pieces if piece.kind is not Kind.ROLE]
    works: list[Callable[[], Found | None]] = [partial(_one, aws, piece) for piece in asked]
    if len(asked) < len(pieces):
        works.append(all_roles)
    told = [one for one in gather(lambda work: work(), works) if one is not None]
    by_piece = {one.piece: one for one in told}
    for piece in pieces:
        if piece.kind is Kind.ROLE:
            known = held[0]
            if isinstance(known, KennelError):
                by_piece[piece] = Found(piece, piece.called(account), Standing.UNKNOWN, why=known.what)
            else:
                by_piece[piece] = judged(piece, known.get(piece.called(account)), aws)
    return tuple(by_piece[piece] for piece in pieces)


def missing(aws: Aws) -> tuple[Found, ...]:
    """The pieces that Kennel needs and the account lacks. Raises as `look`."""
    return tuple(one for one in look(aws, NEEDED) if one.is_missing)


def judged(piece: Piece, role: Role | None, aws: Aws) -> Found:
    """A role as it is read: whether its service may act as it, and whether it has what its work needs. Pure."""
    name = piece.called(aws.account)
    if role is None:
        return Found(piece, name, Standing.MISSING)
    if piece.is_optional:
        return Found(piece, name, Standing.THERE)
    service = piece.duty.service if piece.duty is not None else SCHEDULER
    lacks = []
    if not trusts(role.trust or {}, service):
        lacks.append(f"{service} may not act as it")
    lacks += _rights(_lacking(piece, role, aws))
    return Found(piece, name, Standing.LACKING if lacks else Standing.THERE, tuple(lacks))


def _lacking(piece: Piece, role: Role, aws: Aws) -> tuple[Grant, ...]:
    held = Held.of(role)
    if piece is Piece.SCHEDULER_ROLE:
        needed: Iterable[Grant] = _scheduled(aws)
    else:
        needed = roles.grants(piece, aws.account)
    return held.part(needed)[1]


def _scheduled(aws: Aws) -> Iterable[Grant]:
    for statement in schedule.policy(aws.account)["Statement"]:
        (key, value), *_ = statement["Condition"]["StringEquals"].items()
        yield roles.limited("Scheduled", statement["Action"], statement["Resource"], key, value)


def _rights(lacking: Sequence[Grant]) -> list[str]:
    """ "may not s3:PutObject on kennel-…/runs/*", as many as are worth reading."""
    told = [f"may not {action} on {_short(grant.resources[0])}" for grant in lacking for action in grant.actions]
    more = len(told) - MOST_TOLD
    return told if more <= 0 else [*told[:MOST_TOLD], f"and {more} more"]


def _short(arn: str) -> str:
    return arn.split(":", 5)[-1] if arn.startswith("arn:") else arn


def _one(aws: Aws, piece: Piece) -> Found:
    name = piece.called(aws.account)
    try:
        match piece.kind:
            case Kind.BUCKET:
                return _bucket(aws, piece, name)
            case Kind.PROFILE:
                return _profile(aws, piece, name)
        return _log(aws, piece, name)
    except (Unreachable, CredentialsProblem):
        raise
    except NotFound:
        return Found(piece, name, Standing.MISSING)
    except KennelError as error:
        return Found(piece, name, Standing.UNKNOWN, why=error.what)


def _bucket(aws: Aws, piece: Piece, name: str) -> Found:
    bucket = buckets.look(aws, name)
    if bucket.region and bucket.region != aws.account.region:
        return Found(piece, name, Standing.LACKING, (f"it is in {bucket.region}",))
    lacks = tuple(flaw.value for flaw in bucket.flaws if flaw is not buckets.Flaw.UNVERSIONED)
    if "what is in it" in bucket.unread:
        return Found(piece, name, Standing.UNKNOWN, why=bucket.unread["what is in it"].what)
    return Found(piece, name, Standing.LACKING if lacks else Standing.THERE, lacks)


def _profile(aws: Aws, piece: Piece, name: str) -> Found:
    found = aws.call("iam", "GetInstanceProfile", InstanceProfileName=name)["InstanceProfile"]
    if not found["Roles"]:
        return Found(piece, name, Standing.LACKING, ("no role is in it",))
    return Found(piece, name, Standing.THERE)


def _log(aws: Aws, piece: Piece, name: str) -> Found:
    listed = [
        one
        for page in aws.pages("logs", "DescribeLogGroups", limit=1, logGroupNamePrefix=name)
        for one in page["logGroups"]
        if one["logGroupName"] == name
    ]
    if not listed:
        return Found(piece, name, Standing.MISSING)
    if not listed[0].get("retentionInDays"):
        return Found(piece, name, Standing.LACKING, ("what is written to it is kept for ever",))
    return Found(piece, name, Standing.THERE)
