"""Everything that says what a role may: who may become it, its policies and its boundary, as they are written."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.core.format import count
from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding
from dashboard.core.iam.policy_text import PolicyText
from dashboard.ui import document_text, page, role_words
from dashboard.ui.markup import badge, note
from dashboard.ui.tones import Tone


def show(role: Role, findings: Sequence[Finding]) -> None:
    """Trust, policies, boundary; the guilty statements stand out in each."""
    page.section("Who may become it")
    _document("trust", "Trust policy", "", role.trust, role.trust_error, findings, role_words.TRUST, is_open=True)
    page.section("What it may do")
    if not role.policies:
        st.html(note("Nothing: no policy is attached, and none is inline."))
    for number, policy in enumerate(role.policies):
        _policy(f"{number}", policy, findings, is_open=len(role.policies) == 1)
    page.section("What it may do at most")
    if role.boundary is None:
        st.html(note("Anything that its policies give: it has no permissions boundary."))
    else:
        _policy("boundary", role.boundary, findings, is_open=False)


def _policy(key: str, policy: PolicyText, findings: Sequence[Finding], *, is_open: bool) -> None:
    told = f"{role_words.kind_of(policy)}, {count(len(policy.written), 'statement')}"
    _document(key, policy.name, told, policy.document, policy.error, findings, policy.name, is_open=is_open)


def _document(
    key: str,
    title: str,
    about: str,
    document: Mapping[str, Any] | None,
    error: str,
    findings: Sequence[Finding],
    policy: str,
    *,
    is_open: bool,
) -> None:
    marks = role_words.marks(findings, policy)
    found = sum(one.policy == policy for one in findings)
    label = " · ".join(part for part in (title, about, count(found, "finding") if found else "") if part)
    with st.expander(label, expanded=is_open or bool(found), key=f"role-policy-{key}"):
        if error:
            st.html(f"<p>{badge(Tone.WAITING, 'cannot be judged')}</p>{note(error)}")
        if document is not None:
            st.html(document_text.html(document, title, marks))
            st.download_button(
                "Download JSON",
                data=document_text.text(document),
                file_name=f"{policy}.json",
                mime="application/json",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
                key=f"download-policy-{key}",
            )
