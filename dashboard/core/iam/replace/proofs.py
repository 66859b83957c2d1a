"""How proofs came out, kept beside the rollback records: a restart forgets none.

They lie in KENNEL_HOME/role_changes.sqlite by account; of each proposal the newest counts.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from dashboard.core import kept
from dashboard.core.errors import ServiceFault
from dashboard.core.home import home
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.replace.proof import Nature, Proof
from dashboard.core.iam.replace.records import FILE
from dashboard.core.iam.replace.standing import canonical
from dashboard.core.iam.replace.step import State, Step
from dashboard.core.iam.usage import Duty

_TABLE = """
    CREATE TABLE IF NOT EXISTS proofs (
        account TEXT NOT NULL, role TEXT NOT NULL, proposal TEXT NOT NULL, at TEXT NOT NULL, told TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS proofs_of_role ON proofs (account, role, at);
"""


class Proofs:
    """The file of them. Safe from several threads and processes."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @classmethod
    def kept(cls) -> "Proofs":
        """Those of this Kennel's home."""
        return cls(home() / FILE)

    def keep(self, account: str, proposal: Proposal, proof: Proof) -> None:
        """Write down how one ended. Raises ServiceFault when the file cannot be written."""
        told = json.dumps(_record(proof), ensure_ascii=False)
        with self._open() as database:
            database.execute(
                "INSERT INTO proofs VALUES (?, ?, ?, ?, ?)",
                (account, proof.role, _known(proposal), proof.ended.isoformat(), told),
            )

    def of_proposal(self, account: str, proposal: Proposal) -> Proof | None:
        """The last proof of this very proposal. Raises ServiceFault when the file cannot be read."""
        found = self._read("account = ? AND role = ? AND proposal = ?", account, proposal.role_name, _known(proposal))
        return found[0] if found else None

    def of(self, account: str, role: str) -> tuple[Proof, ...]:
        """The proofs of a role's proposals by its name, the newest first. Raises ServiceFault."""
        return self._read("account = ? AND role = ?", account, role)

    def _read(self, where: str, *values: str) -> tuple[Proof, ...]:
        # `where` is one of this module's own texts
        asked = f"SELECT told FROM proofs WHERE {where} ORDER BY at DESC, rowid DESC"  # noqa: S608
        with self._open() as database:
            rows = database.execute(asked, values).fetchall()
        try:
            return tuple(_proof(json.loads(told)) for (told,) in rows)
        except (ValueError, KeyError, TypeError) as error:
            raise self._fault(error) from error

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return kept.transaction(self.file, _TABLE, self._fault)

    def _fault(self, error: Exception) -> ServiceFault:
        return ServiceFault(
            "the record of proofs cannot be read or written",
            f"{self.file}: {error}",
            "mend that, or move the file away; what was proven has to be proven again then",
        )


def _known(proposal: Proposal) -> str:
    """What a proof is of: the documents, and whose they would be. Evidence may change and proves nothing else."""
    told = canonical([proposal.role_name, proposal.new_role, dict(proposal.documents), proposal.trust])
    return hashlib.sha256(told.encode()).hexdigest()


def _record(proof: Proof) -> dict[str, Any]:
    return asdict(proof) | {"began": proof.began.isoformat(), "ended": proof.ended.isoformat()}


def _proof(told: Mapping[str, Any]) -> Proof:
    steps = [Step(**{**one, "state": State(one["state"]), "evidence": tuple(one["evidence"])}) for one in told["steps"]]
    return Proof(
        role=str(told["role"]),
        duty=Duty(told["duty"]),
        nature=Nature(told["nature"]),
        steps=tuple(steps),
        began=datetime.fromisoformat(told["began"]),
        ended=datetime.fromisoformat(told["ended"]),
        was_stopped=bool(told["was_stopped"]),
    )
