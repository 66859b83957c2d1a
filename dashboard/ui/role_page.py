"""The page of one role: its head, its figures, and the part of it that the address names."""

from enum import StrEnum
from functools import partial

import streamlit as st

from dashboard import role_readings
from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import NotFound, ServiceFault
from dashboard.core.iam.replace.standing import RETIRED
from dashboard.core.iam.seen.role_seen import RoleSeen
from dashboard.readings import Reading
from dashboard.ui import (
    confirm,
    open_part,
    page,
    problem,
    role_accessed,
    role_actions,
    role_findings,
    role_history,
    role_policies,
    role_proposal,
    role_retire,
    role_steps,
    role_use,
    role_words,
    security_accept,
    security_words,
    strip,
    unread,
)
from dashboard.ui.markup import Markup, badge, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone


class Part(StrEnum):
    """A part of the page, as the address names it."""

    FINDINGS = "Findings"
    POLICIES = "Policies"
    USE = "Use"
    PROPOSAL = "Proposal"
    HISTORY = "History"


def show(aws: Aws, name: str) -> None:
    """Head and figures; below, the part that is open."""
    page.back(Place.SECURITY, "Security")
    was_busy = role_steps.is_busy(aws, name)
    try:
        seen = role_readings.role(aws, name)
    except NotFound as missing:
        page.title(name, "no such role")
        problem.card(missing, "no-role")
        role_steps.show(aws, name)
        role_history.gone(aws, name)
        return
    _head(aws, seen.value, security_words.age(seen.at, role_readings.now()))
    strip.show(role_words.figures(seen.value, role_readings.now()))
    chosen = open_part.choose(Part)
    with problem.shown(f"role-{chosen}"):
        _part(aws, seen, chosen)
    for why in seen.value.partial:
        st.html(note(f"Not all: {why}"))
    unread.show("Not checked", seen.value.unread, "role")
    if was_busy and not role_steps.is_busy(aws, name):
        role_readings.forget_roles()
        st.rerun()  # it ended while this was read, of which nobody knows which moment it is of


def _part(aws: Aws, reading: Reading[RoleSeen], part: Part) -> None:
    seen = reading.value
    if part is not Part.PROPOSAL:  # which has it below its buttons
        back = partial(role_actions.back, aws, seen.role.arn)
        role_steps.show(aws, seen.role.name, ended=part is Part.HISTORY, acts=back)
    if part is Part.FINDINGS:
        held = role_readings.accepted(aws)
        told = {key: security_accept.told(one, role_readings.now()) for key, one in held.items()}
        role_findings.show(seen.role, seen.findings, told)
        if seen.findings:
            st.page_link(
                Place.SECURITY,
                label="Accept one of these risks, or export them",
                icon=":material/arrow_forward:",
                query_params={"q": seen.role.name},
            )
    elif part is Part.POLICIES:
        role_policies.show(seen.role, seen.findings)
    elif part is Part.USE:
        role_use.uses(seen.uses, seen.role.name)
        role_accessed.section(aws, seen.role)
        role_use.section(aws, seen.role)
    elif part is Part.PROPOSAL:
        role_proposal.section(aws, reading)
    else:
        role_history.show(aws, seen.role)


def _head(aws: Aws, seen: RoleSeen, age: str) -> None:
    role = seen.role
    marks = []
    if role.tags.get(tags.SAMPLE):
        marks.append(badge(Tone.SIMULATED, "sample"))
    elif tags.is_kennels(role.tags):
        marks.append(badge(Tone.DONE, "made by Kennel"))
    if _has_cut_off(aws, role.arn):
        marks.append(
            badge(Tone.FAILED, "a change was cut off", "Kennel ended in the middle of it; History takes it back")
        )
    off = RETIRED in role.tags
    if off:
        marks.append(badge(Tone.WAITING, "switched off", "Denied everything, to be deleted; History gives it back"))
    if role.is_service_linked or role.is_reserved:
        word = "service-linked" if role.is_service_linked else "reserved"
        marks.append(badge(Tone.STOPPED, word, role_words.unchangeable(role)))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="role-actions"):
        page.title(
            role.name,
            role_words.sentence(seen, role_readings.now()),
            age,
            Markup(f'<span class="kn-marks">{" ".join(marks)}</span>'),
        )
        st.space("stretch")
        st.button(
            "Look again",
            key="role-again",
            type="tertiary",
            icon=":material/refresh:",
            on_click=role_readings.forget_roles,
        )
        if aws.account.writable and not role_words.unchangeable(role):
            st.button(
                "Delete" if off else "Retire",
                key="role-retire",
                type="tertiary",
                icon=":material/delete:" if off else ":material/person_off:",
                disabled=role_steps.is_busy(aws, role.name),
                on_click=confirm.ask,
                args=(partial(role_retire.question, aws, role.name),),
            )


def _has_cut_off(aws: Aws, arn: str) -> bool:
    """Whether a change of it broke off and was not taken back."""
    try:
        return any(one.is_cut_off(role_readings.now()) for one in role_readings.records(aws, arn))
    except ServiceFault:
        return False  # History tells that its file cannot be read
