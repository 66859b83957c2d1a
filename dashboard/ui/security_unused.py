"""Old roles that nobody works as, and policies attached to nothing: what could go, and the way to let it go safely."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.format import count
from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding, Kind
from dashboard.core.iam.judge.audited import subject
from dashboard.core.iam.judge.posture import Posture
from dashboard.core.iam.replace.retire import WAIT_DAYS
from dashboard.core.iam.replace.standing import RETIRED
from dashboard.ui import confirm, empty, page, role_history, role_retire, security_words
from dashboard.ui.markup import Markup, badge, escape, note
from dashboard.ui.page import Place
from dashboard.ui.role_words import TONES

MOST = 50


def show(aws: Aws, found: Posture, now: datetime) -> None:
    """Roles, then policies, each with its evidence and its buttons."""
    off = [one for one in found.audited.roles if RETIRED in one.tags]
    names = {one.name for one in off}
    roles = [one for one in found.every if one.kind is Kind.UNUSED_ROLE and one.role not in names]
    policies = [one for one in found.every if one.kind is Kind.UNUSED_POLICY]
    if not roles and not policies and not off:
        empty.show(
            "security-unused",
            "No old role and no policy without use.",
            "Roles that nobody has worked as for the days above, and policies that nothing has attached, "
            "appear here. They are let go in two steps: switched off first, deleted later.",
        )
        role_history.policies(aws)
        return
    st.html(
        note(
            "In two steps: a role is switched off first (its policies detached, everything denied), which one click "
            "undoes; it is deleted some days later, when nothing has missed it."
        )
    )
    _switched_off(aws, off, now)
    _section("Roles that nobody works as", roles, found, aws)
    _section("Policies attached to nothing", policies, found, aws)
    role_history.policies(aws)


def _section(name: str, findings: Sequence[Finding], found: Posture, aws: Aws) -> None:
    if not findings:
        return
    page.section(name)
    for one in findings[:MOST]:
        with (
            st.container(border=True, key=f"panel-unused-{one.key}"),
            st.container(
                horizontal=True,
                vertical_alignment="center",
                horizontal_alignment="distribute",
                key=f"row-unused-{one.key}",
            ),
        ):
            st.html(head(one, found))
            _acts(aws, one)
    if len(findings) > MOST:
        st.html(note(f"{len(findings) - MOST:,} more are in the list of findings."))


def head(finding: Finding, found: Posture) -> Markup:
    """What it is, since when nobody used it, and what still names it."""
    mark = badge(TONES[finding.severity], security_words.severity_label(finding.severity), shape="")
    role = found.audited.role(finding.role)
    more = ""
    if role is not None:
        has = count(len(role.policies), "policy", "policies")
        more = f"{has}: {', '.join(one.name for one in role.policies)}" if role.policies else "It has no policy"
        uses = found.audited.usage.of(role.arn)
        more += f" · still named by {uses[0].duty} {uses[0].name}" if uses else ""
    told = f'<p class="kn-note">{escape(more)}</p>' if more else ""
    return Markup(
        f'<div class="kn-row"><p><strong>{escape(subject(finding))}</strong> {mark} {escape(finding.reason)}</p>'
        f"{told}</div>"
    )


def _acts(aws: Aws, finding: Finding) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        if finding.role:
            _open(finding.role)
        make = (
            partial(role_retire.question, aws, finding.role)
            if finding.role
            else partial(role_retire.policy_question, aws, finding.arn)
        )
        label = "Switch it off" if finding.role else "Let it go"
        st.button(label, key=f"retire-{finding.key}", on_click=confirm.ask, args=(make,))


def _switched_off(aws: Aws, roles: Sequence[Role], now: datetime) -> None:
    """Roles whose first step was done: since when they can do nothing, and when they may go."""
    if not roles:
        return
    page.section("Switched off, to be deleted")
    for one in roles:
        with (
            st.container(border=True, key=f"panel-off-{one.name}"),
            st.container(
                horizontal=True,
                vertical_alignment="center",
                horizontal_alignment="distribute",
                key=f"row-off-{one.name}",
            ),
        ):
            told = escape(security_words.switched_off(one.tags[RETIRED], timedelta(days=WAIT_DAYS), now))
            st.html(f'<div class="kn-row"><p><strong>{escape(one.name)}</strong> {told}</p></div>')
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                _open(one.name)
                st.button(
                    "Delete it",
                    key=f"delete-{one.name}",
                    on_click=confirm.ask,
                    args=(partial(role_retire.question, aws, one.name),),
                )


def _open(role: str) -> None:
    st.page_link(Place.ROLE, label="Open the role", icon=":material/arrow_forward:", query_params={"role": role})
