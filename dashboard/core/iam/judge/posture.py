"""How an account stands: what was found, what of it counts, and the score of that."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from dashboard.core.iam.finding import Finding
from dashboard.core.iam.judge.audited import Audited
from dashboard.core.iam.judge.score import Score, score
from dashboard.core.iam.seen.account import ROLES


@dataclass(frozen=True)
class Posture:
    """findings: those that count, the worst first; held: those whose risk is accepted.

    score: of those that count; None where the roles could not be read, which must not look like a clean account.
    """

    audited: Audited
    findings: tuple[Finding, ...]
    held: tuple[Finding, ...]
    score: Score | None

    @property
    def at(self) -> datetime:
        return self.audited.at

    @property
    def every(self) -> tuple[Finding, ...]:
        """All findings, accepted or not, the worst first."""
        return self.audited.findings

    def finding(self, key: str) -> Finding | None:
        """The finding with this key."""
        return next((one for one in self.every if one.key == key), None)


def posture(audited: Audited, held: Collection[str]) -> Posture:
    """held: the keys of findings whose risk is accepted at the moment."""
    counting = tuple(one for one in audited.findings if one.key not in held)
    accepted = tuple(one for one in audited.findings if one.key in held)
    has_roles = not any(one.what == ROLES for one in audited.unread)
    return Posture(audited, counting, accepted, score(counting, audited.judged) if has_roles else None)
