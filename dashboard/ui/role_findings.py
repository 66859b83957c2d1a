"""What is wrong with a role: each finding with its attack and its mending, beside the statement that is to blame."""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.core.format import count
from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding
from dashboard.ui import document_text, empty, role_words
from dashboard.ui.markup import Markup, badge, escape, sentence

NO_POLICY = "The role as a whole"


def show(role: Role, findings: Sequence[Finding], accepted: Mapping[str, str]) -> None:
    """Policy by policy, the one with the worst first. accepted: by finding, who took its risk and why."""
    if not findings:
        empty.show(
            "role-findings",
            "Nothing was found.",
            "Every check of its policies, its boundary and its trust passed, what a Deny takes back left out. Use "
            "shows what it really does; Proposal, whether less would do.",
        )
        return
    ordered = role_words.ordered(findings)
    for number, policy in enumerate(dict.fromkeys(one.policy for one in ordered)):
        about = [one for one in ordered if one.policy == policy]
        with st.container(border=True, key=f"panel-role-finding-{number}"):
            _policy(role, policy, about, accepted)


def _policy(role: Role, policy: str, about: Sequence[Finding], accepted: Mapping[str, str]) -> None:
    document = document_of(role, policy)
    if document is None:
        st.html(_head(role, policy) + listed(about, accepted))
        return
    left, right = st.columns((9, 10), gap="medium")
    with left:
        st.html(_head(role, policy) + listed(about, accepted))
    with right:
        marks = role_words.marks(about, policy)
        label = f"{policy}: {count(len(marks), 'statement')} with a finding"
        st.html(document_text.html(document, label, marks, folded=bool(marks)))


def document_of(role: Role, policy: str) -> "document_text.Document | None":
    """The document that a finding's `policy` names, None where it names none."""
    if policy == role_words.TRUST:
        return role.trust
    if role.boundary is not None and policy == role.boundary.name and role.policy(policy) is None:
        return role.boundary.document
    found = role.policy(policy)
    return found.document if found else None


def listed(findings: Sequence[Finding], accepted: Mapping[str, str] | None = None) -> Markup:
    """Findings under each other: what is wrong, what somebody could do with it, what mends it."""
    held = accepted or {}
    return Markup("".join(_one(finding, held.get(finding.key, "")) for finding in findings))


def _one(finding: Finding, accepted: str) -> str:
    tone = role_words.TONES[finding.severity]
    marks = f"{badge(tone, finding.severity)} {badge(tone, role_words.KINDS[finding.kind], shape='')}"
    rows = [
        ("Attack", finding.attack),
        ("Mend", finding.fix),
        ("Mitigated by", finding.mitigated_by),
        ("Accepted", accepted),
    ]
    told = "".join(f"<dt>{name}</dt><dd>{escape(sentence(text))}</dd>" for name, text in rows if text)
    place = f" · statement {finding.place + 1}" if finding.place is not None else ""
    return (
        f'<div class="kn-told"><p>{marks}{note_of(place)}</p>{_reason(finding.reason)}'
        f'<dl class="kn-facts">{told}</dl></div>'
    )


def _reason(told: str) -> str:
    """What is wrong; of several ways that it names, each on a line of its own."""
    head, _, rest = told.partition(": ")
    ways = rest.split("; ")
    if len(ways) < 2:
        return f'<p class="kn-told-reason">{escape(sentence(told))}</p>'
    rows = "".join(f"<li>{escape(way)}</li>" for way in ways)
    return f'<p class="kn-told-reason">{escape(sentence(head))}:</p><ul class="kn-evidence">{rows}</ul>'


def note_of(text: str) -> str:
    """A few dim words in the line."""
    return f'<span class="kn-dim">{escape(text)}</span>' if text else ""


def _head(role: Role, policy: str) -> Markup:
    if not policy:
        return Markup(f'<h2 class="kn-finding">{NO_POLICY}</h2>')
    found = role.policy(policy)
    kind = "who may become the role" if policy == role_words.TRUST else role_words.kind_of(found) if found else ""
    name = "Trust policy" if policy == role_words.TRUST else policy
    return Markup(f'<h2 class="kn-finding">{escape(name)} {note_of(kind)}</h2>')
