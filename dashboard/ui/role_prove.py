"""Prove a proposal: the dialog that says what a proof does, and how the last one came out."""

from collections.abc import Sequence
from functools import partial
from threading import Event

import streamlit as st

from dashboard import role_readings
from dashboard.core.aws import Aws
from dashboard.core.format import ago, count
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.recorded import Recorded
from dashboard.core.iam.replace import prove
from dashboard.core.iam.replace.going import Deed, Do, Tell
from dashboard.core.iam.replace.proof import Proof, ProofPlan
from dashboard.core.iam.usage import Use
from dashboard.ui import markup, role_deed, role_steps, role_words
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, badge, facts, literal, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

HOW = (
    "A trial role gets the proposed policies and trust. What was recorded is replayed against it, something small runs "
    "once more as it, and rights that go are tried with its own keys. The role itself is not touched, and what was "
    "made for the proof is deleted, whatever comes of it; a training stays in Runs with its cost, marked as a proof."
)
HERE = "nothing is charged: what runs once more runs on this machine, and is counted with its simulated cost"
SIMULATED = (
    "On a real account IAM's simulator is asked, and nothing is made or run: that is no proof. It knows nothing of "
    "trust policies, of policies on a resource or of an organization's own limits."
)


def question(aws: Aws, proposal: Proposal, recorded: Recorded | None, uses: Sequence[Use]) -> Question:
    """What a proof would do. Raises Refused for what is not Kennel's to change, and the errors of `Aws.call`."""
    with role_deed.judged(proposal.role_name):
        plan = prove.plan(aws, proposal, recorded=recorded, uses=uses)
    return Question(literal(f"{_verb(plan)} the proposal for {plan.role}"), partial(_draw, aws, plan))


def _verb(plan: ProofPlan) -> str:
    return "Simulate" if plan.is_simulation else "Prove"


def _draw(aws: Aws, plan: ProofPlan) -> Action:
    st.html(note(SIMULATED if plan.is_simulation else HOW, Tone.WAITING if plan.is_simulation else ""))
    rows = "".join(f"<li>{markup.escape(title)}</li>" for title in plan.does)
    st.html(f'<ol class="kn-calls">{rows}</ol>')
    tried = ", ".join(one.right.action for one in plan.probes)
    told = {
        "Needed": count(len(plan.needed), "right"),
        "Recorded": count(len(plan.recorded), "right") if plan.recorded else "nothing is on record",
        "Tried": tried or "none of the rights that go can be tried without harm",
        "Costs": "nothing: the simulator is free" if plan.is_simulation else HERE,
    }
    st.html(facts(told))
    for warning in plan.warnings:
        st.html(note(markup.sentence(warning), Tone.WAITING))
    duty = role_words.DUTIES[plan.proposal.duty]
    query = {"role": plan.role, "part": "Proposal"}
    return Action(f"{_verb(plan)} it", partial(_begin, aws, plan, duty), Place.ROLE, query)


def _begin(aws: Aws, plan: ProofPlan, about: str) -> str:
    role_readings.begin(aws, plan.role, Deed.PROOF, _do(aws, plan), about)
    return f"Begun: the steps are on the page of {plan.role}"


def _do(aws: Aws, plan: ProofPlan) -> Do:
    def do(tell: Tell, stop: Event) -> Proof:
        proof = prove.run(aws, plan, tell=tell, is_stopped=stop.is_set)
        role_readings.keep_proof(aws, plan.proposal, proof)
        return proof

    return do


def mark(aws: Aws, proposal: Proposal) -> Markup:
    """Whether this very proposal was proven, and when."""
    proof = role_readings.proof(aws, proposal)
    if proof is None:
        return Markup(badge(Tone.STOPPED, "not proven yet"))
    return Markup(badge(*role_steps.verdict(proof), f"{ago(proof.ended, role_readings.now())}: {proof.sentence}"))
