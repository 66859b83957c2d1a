"""What would do instead of a role's rights: the difference, the documents, the evidence of each action, and as code."""

from collections.abc import Sequence
from enum import StrEnum
from functools import partial

import streamlit as st

from dashboard import role_readings
from dashboard.core.aws import Aws
from dashboard.core.iam.effective import Difference
from dashboard.core.iam.entities import Role
from dashboard.core.iam.least import proposal_code
from dashboard.core.iam.least.recorded_of import of_proposal
from dashboard.core.iam.proposal import Basis, Proposal
from dashboard.core.iam.recorded import Recorded
from dashboard.core.iam.seen.role_seen import RoleSeen
from dashboard.core.iam.usage import Duty
from dashboard.readings import Reading
from dashboard.role_readings import Proposed
from dashboard.ui import (
    address,
    chart,
    confirm,
    document_diff,
    document_text,
    empty,
    page,
    role_actions,
    role_effective,
    role_prove,
    role_steps,
    role_words,
    table,
    unread,
)
from dashboard.ui.document_diff import Change
from dashboard.ui.markup import badge, escape, note
from dashboard.ui.tones import Tone

DUTY, VIEW = "duty", "role-proposal-view"


class View(StrEnum):
    DIFFERENCE = "Difference"
    POLICY = "Policy"
    TRUST = "Trust"
    EVIDENCE = "Evidence"
    CODE = "As code"


def section(aws: Aws, reading: Reading[RoleSeen]) -> None:
    """The proposals of a role, as far as what they rest on could be read."""
    seen = reading.value
    if why := role_words.unchangeable(seen.role):
        st.html(note(f"{why} Nothing is proposed for it."))
        return
    found = role_readings.proposed(aws, reading).value
    unread.show("Proposed without", found.unread, "role-proposal")
    _show(aws, seen, found)


def _show(aws: Aws, seen: RoleSeen, found: Proposed) -> None:
    role = seen.role
    if not found.proposals:
        empty.show(
            "role-proposal",
            "Nothing is proposed.",
            "A proposal is made of what works as the role: a training job, an endpoint, a function, an instance or a "
            "notebook, and of its recorded calls. None of that was seen. If nothing needs it, retire it.",
        )
        return
    proposal = _chosen(found.proposals)
    difference = found.differences[found.proposals.index(proposal)]
    mine = of_proposal(found.recorded, proposal, found.proposals, seen.uses)
    _head(aws, seen, proposal, mine, is_met=_is_met(role, proposal, difference))
    role_steps.show(aws, role.name, acts=partial(role_actions.back, aws, role.arn))
    view = View(
        st.segmented_control(
            "Show",
            [one.value for one in View],
            default=View.DIFFERENCE.value,
            required=True,
            key=VIEW,
            label_visibility="collapsed",
        )
        or View.DIFFERENCE
    )
    shown = {
        View.DIFFERENCE: partial(_difference, role, proposal, difference),
        View.POLICY: partial(_documents, proposal),
        View.TRUST: partial(_trust, role, proposal),
        View.EVIDENCE: partial(_evidence, proposal),
        View.CODE: partial(_code, aws, role, proposal),
    }
    shown[view]()


def _chosen(proposals: Sequence[Proposal]) -> Proposal:
    """Of several the one that the address and the field name; an address may say a duty by its own name too."""
    if len(proposals) == 1:
        return proposals[0]
    named = {_label(one.duty): one for one in proposals}
    asked = st.query_params.get(DUTY, "")
    if DUTY not in st.session_state and asked not in ("", *named):  # the field, once there, keeps its own address
        known = next((_label(one.duty) for one in proposals if one.duty == asked), None)
        if known is not None:
            st.query_params[DUTY] = known  # as the field below writes it
            st.rerun()
        address.known(DUTY, "the duty", named)
    st.html(note("Several duties share this role: each gets a role of its own, one by one."))
    chosen = st.segmented_control(
        "Duty", list(named), default=next(iter(named)), required=True, key=DUTY, bind="query-params"
    )
    return named.get(chosen or "", proposals[0])


def _label(duty: Duty) -> str:
    word = role_words.DUTIES[duty]
    return f"{word[:1].upper()}{word[1:]}"


def _is_met(role: Role, proposal: Proposal, difference: Difference | None) -> bool:
    """Whether the role is as proposed already."""
    is_same = difference is not None and difference.is_empty and role.trust == proposal.trust
    return is_same and not proposal.new_role


def _head(aws: Aws, seen: RoleSeen, proposal: Proposal, recorded: Recorded | None, *, is_met: bool) -> None:
    role = seen.role
    with st.container(border=True, key="panel-role-proposal"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="role-proposal-head"):
            marks = badge(Tone.DONE, "the role is as proposed") if is_met else role_prove.mark(aws, proposal)
            told = escape(role_words.proposal_sentence(proposal))
            st.html(f'<div class="kn-heading"><h2 class="kn-finding">{told}</h2>{marks}</div>')
            st.space("stretch")
            busy = role_steps.is_busy(aws, role.name)
            st.button(
                "Prove it" if aws.account.is_embedded else "Simulate it",
                key="role-prove",
                icon=":material/experiment:",
                disabled=busy,
                on_click=confirm.ask,
                args=(partial(role_prove.question, aws, proposal, recorded, seen.uses),),
            )
            if aws.account.writable and not is_met:
                st.button(
                    "Apply",
                    key="role-apply",
                    type="primary",
                    icon=":material/published_with_changes:",
                    disabled=busy,
                    on_click=confirm.ask,
                    args=(partial(role_actions.apply_question, aws, proposal, recorded, seen.uses),),
                )
        if proposal.new_role:
            st.html(
                note(
                    f"It makes the role {proposal.new_role} for {role_words.DUTIES[proposal.duty]}; {role.name} stays."
                )
            )
        for warning in proposal.warnings:
            st.html(note(warning, Tone.WAITING))


def _difference(role: Role, proposal: Proposal, difference: Difference | None) -> None:
    is_new = bool(proposal.new_role)
    if is_new:
        st.html(note(f"{proposal.new_role} against what {role.name} may, which keeps all of it until nothing uses it:"))
    role_effective.told(difference, proposal.policy_name, is_new=is_new)
    before = [] if is_new else [(one.name, one.document) for one in role.policies if one.document is not None]
    st.html(document_diff.listed(document_diff.statements(before, proposal.documents.items())))
    if is_new:
        return  # there is nothing before it, line by line
    lines = st.expander("Line by line", key="role-diff-lines", on_change="rerun")
    if not lines.open:
        return  # a policy of AWS's own has a thousand lines
    old = {"Statement": [one for _, document in before for one in document_text.statements(document)]}
    new = {"Statement": [one for each in proposal.documents.values() for one in document_text.statements(each)]}
    rows = document_diff.rows(old, new)
    with lines:
        st.html(note(f"{document_diff.summary(rows)}."))
        st.html(document_diff.html(rows, f"The policies of {role.name} against the proposal"))


def _documents(proposal: Proposal) -> None:
    for name, document in proposal.documents.items():
        page.section(name)
        st.html(document_text.html(document, name))


def _trust(role: Role, proposal: Proposal) -> None:
    rows = document_diff.rows(role.trust or "", proposal.trust, around=100)
    is_same = all(row.change in (Change.SAME, Change.SKIPPED) for row in rows)
    if proposal.new_role or is_same:
        st.html(
            note("The trust policy stays as it is." if is_same else "Only its own service may become the new role.")
        )
        st.html(document_text.html(proposal.trust, "The trust policy"))
        return
    st.html(note(f"Who may become the role: {document_diff.summary(rows)}."))
    st.html(document_diff.html(rows, f"The trust policy of {role.name} against the proposal"))


def _evidence(proposal: Proposal) -> None:
    by = role_words.evidence_of(proposal.evidence)
    st.html(" ".join(badge(role_words.BASES[basis], f"{by[basis]:,} {basis.value}") for basis in Basis if by[basis]))
    rows = role_words.evidence_rows(proposal.evidence)
    zone = st.context.timezone
    seen = [{**row, "Last seen": row["Last seen"] and table.local(row["Last seen"], zone)} for row in rows]
    column = st.column_config
    st.dataframe(
        seen,
        key="table-role-evidence",
        hide_index=True,
        placeholder="–",
        alt="Each action with why it is in the proposal, or is not",
        column_config={
            "Action": column.TextColumn("Action", width=260),
            "Why": column.TextColumn("Why", width="large"),
            "Last seen": column.DatetimeColumn("Last seen", format="D MMM YYYY, HH:mm"),
        },
    )
    chart.download(lambda: rows, f"{proposal.policy_name}-evidence.csv", "download-role-evidence", is_quiet=True)


def _code(aws: Aws, role: Role, proposal: Proposal) -> None:
    texts = proposal_code.texts(proposal, role, aws.account)
    for tab, (name, text) in zip(st.tabs(list(texts), key="role-code"), texts.items(), strict=True):
        with tab:
            st.code(text, language=proposal_code.LANGUAGES.get(name, "json"), wrap_lines=True)
