"""Proofs are kept: of this very proposal, with all their steps, through a restart."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.errors import ServiceFault
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.replace.proof import Nature, Proof
from dashboard.core.iam.replace.proofs import Proofs
from dashboard.core.iam.replace.step import State, Step
from dashboard.core.iam.usage import Duty

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
PROPOSAL = Proposal("Trains", Duty.TRAINING, "Trains-least", ALLOW, {"Version": "2012-10-17", "Statement": []}, ())
STEPS = (
    Step(1, "Replay", State.DONE, "3 rights", ("s3:GetObject: allowed", "…")),
    Step(2, "Run again", State.SKIPPED, "nothing to run"),
)
PROOF = Proof("Trains", Duty.TRAINING, Nature.RERUN, STEPS, NOW, NOW + timedelta(seconds=4))


@pytest.fixture
def proofs(tmp_path):
    return Proofs(tmp_path / "role_changes.sqlite")


def test_a_proof_is_read_back_whole_by_whoever_opens_the_file_next(proofs):
    proofs.keep("111122223333", PROPOSAL, PROOF)
    assert Proofs(proofs.file).of_proposal("111122223333", PROPOSAL) == PROOF


def test_the_newest_counts_and_all_are_listed(proofs):
    later = replace(PROOF, ended=NOW + timedelta(hours=1), was_stopped=True)
    proofs.keep("111122223333", PROPOSAL, later)
    proofs.keep("111122223333", PROPOSAL, PROOF)
    assert proofs.of_proposal("111122223333", PROPOSAL) == later
    assert proofs.of("111122223333", "Trains") == (later, PROOF)


@pytest.mark.parametrize(
    "other",
    [
        replace(PROPOSAL, policy={**ALLOW, "Statement": []}),
        replace(PROPOSAL, trust={"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}),
        replace(PROPOSAL, new_role="Trains-training"),
        replace(PROPOSAL, role_name="Others"),
    ],
    ids=["policy", "trust", "new role", "role"],
)
def test_another_proposal_is_not_proven_by_it(proofs, other):
    proofs.keep("111122223333", PROPOSAL, PROOF)
    assert proofs.of_proposal("111122223333", other) is None
    assert proofs.of_proposal("444455556666", PROPOSAL) is None


def test_a_record_that_is_none_is_told_and_not_taken_for_a_proof(proofs):
    proofs.keep("111122223333", PROPOSAL, PROOF)
    with sqlite3.connect(proofs.file) as database:
        database.execute('UPDATE proofs SET told = \'{"role": "Trains"}\'')
    database.close()
    with pytest.raises(ServiceFault, match="proofs"):
        proofs.of("111122223333", "Trains")
