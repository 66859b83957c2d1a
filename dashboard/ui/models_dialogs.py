"""Models' dialogs: register a run, decide about a version, take one out of the registry."""

import secrets
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput
from dashboard.core.runs.model import Run
from dashboard.core.runs.window import Window
from dashboard.core.serving.register import (
    Candidate,
    RegisterPlan,
    decide,
    figures,
    of_run,
    plan_register,
    register,
    take_out,
)
from dashboard.core.serving.registry import FIGURES, Approval, Group, Version
from dashboard.ui import models_words
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import facts, literal, note, sentence
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

MOST = 200
"""Completed runs that are offered, the newest."""


def register_question(aws: Aws, run: Run | None = None) -> Question:
    """Which run becomes a version of which model. Raises the errors of `Aws.call`."""
    return Question("Register a model", partial(_draw_register, aws, run, secrets.token_hex(8)))


def _draw_register(aws: Aws, given: Run | None, token: str) -> Action | None:
    chosen = given or _choose_run(aws)
    if chosen is None:
        return None
    candidate = of_run(chosen, state.card(aws, chosen))
    groups = state.groups(aws).value
    name = st.text_input(
        "Model",
        value=suggested(candidate.name),
        key=f"register-name-{chosen.key}",
        live=True,
        max_chars=63,
        help="Versions of one model stand under one name: the one of its data, or of what it is for.",
    )
    approve = st.toggle("Approve it at once", key="register-approve", help="Else it waits for somebody's decision.")
    listed = next((group for group in groups if group.name == name), None)
    known = state.versions(aws, listed) if listed else None
    approval = Approval.APPROVED if approve else Approval.PENDING
    try:
        plan = plan_register(candidate, name or "", account=aws.account, token=token, known=known, approval=approval)
    except InvalidInput as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    _told(candidate, plan, known)
    number = _next(known)
    return Action(
        f"Register as {name} version {number}",
        lambda: f"{register(aws, plan).name} is registered",
        then=Place.MODELS,
        query={"model": plan.group, "version": str(number)},
    )


def _choose_run(aws: Aws) -> Run | None:
    found = [one for one in state.runs(aws, Window.ALL).value if one.status.is_good and one.artifact_uri]
    runs = {one.key: one for one in found if not one.is_replayed}
    if not runs:
        st.html(note("No run has a model yet: train one first.", Tone.WAITING))
        return None
    key = st.selectbox("Run", list(runs)[:MOST], key="register-run-choice", format_func=lambda key: runs[key].name)
    return runs[key]


def suggested(name: str) -> str:
    """A name that SageMaker takes, made of another one."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
    return "-".join(part for part in kept.split("-") if part)[:63].strip("-")


def _next(known: Group | None) -> int:
    """The number that the next version gets, if nobody registers one before."""
    return max((one.number for one in known.versions), default=0) + 1 if known else 1


def _told(candidate: Candidate, plan: RegisterPlan, known: Group | None) -> None:
    known_figures = figures(candidate.metrics or {})
    shown = {
        models_words.NAMES[name]: models_words.written(name, known_figures[name])
        for name in FIGURES[:4]
        if name in known_figures
    }
    told = {"Archive": candidate.artifact_uri, "Run": candidate.run, "Data": candidate.data_uri, **shown}
    st.html(facts({name: value for name, value in told.items() if value}))
    if known is None:
        st.html(note(f"{plan.group} is a new model in the registry."))
    for warning in plan.warnings:
        st.html(note(f"{sentence(warning)}.", Tone.WAITING))
    if not shown:
        st.html(note("Neither a card nor the run tells how good it is.", Tone.WAITING))
    st.html(note("Costs nothing: the registry is free, and the archive lies in S3 already."))
    with st.expander("Show as code"):
        st.code(plan.code, language="python")


def decide_question(aws: Aws, version: Version, approval: Approval) -> Question:
    """Approve or reject a version, with the reason."""
    verb = "Approve" if approval.may_deploy else "Reject"
    return Question(f"{verb} {literal(version.name)}", partial(_draw_decide, aws, version, approval, verb))


def _draw_decide(aws: Aws, version: Version, approval: Approval, verb: str) -> Action:
    then = (
        "endpoints can be made of it, and pipelines that wait for an approval begin"
        if approval.may_deploy
        else "no endpoint can be made of it any more; those that serve it go on"
    )
    st.html(facts({"Version": version.name, "Now": version.approval.word, "Then": then}))
    key = f"decide-why-{approval.name}"
    st.text_area("Because", value=version.note, key=key, max_chars=1024, height=80)

    def do() -> str:
        # what was written last: leaving the field and pressing the button are one click
        decide(aws, version, approval, str(st.session_state.get(key) or "").strip())
        return f"{version.name} is {approval.word}"

    return Action(f"{verb} version {version.number}", do)


def take_out_question(aws: Aws, group: Group, version: Version) -> Question:
    """What deleting a version takes with it and leaves."""
    return Question(f"Delete {literal(version.name)}", partial(_draw_take_out, aws, group, version))


def _draw_take_out(aws: Aws, group: Group, version: Version) -> Action | None:
    is_last = len(group.versions) == 1 and not group.is_cut
    goes = f"{version.name} with its decision" + (
        f", and the model {group.name}, which has no other" if is_last else ""
    )
    stays = f"the archive {version.artifact_uri}, the run, and whatever serves it"
    st.html(facts({"Goes": goes, "Stays": stays}))

    def do() -> str:
        take_out(aws, version, is_last=is_last)
        return f"{version.name} is deleted"

    typed = (f"{version.group}/{version.number}", "It cannot be brought back.")
    return Action(f"Delete version {version.number}", do, is_dangerous=True, typed=typed)
