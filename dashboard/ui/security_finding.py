"""One finding: what is wrong, what somebody could do with it, what mends it, and the statement in its document."""

from datetime import datetime
from functools import partial

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.iam.finding import Finding
from dashboard.core.iam.judge.audited import Audited, subject
from dashboard.core.iam.judge.risks import Accepted
from dashboard.ui import confirm, document_text, page, role_findings, role_words, security_accept, security_words
from dashboard.ui.markup import note


def show(aws: Aws | None, audited: Audited, finding: Finding, accepted: Accepted | None, now: datetime) -> None:
    """The finding beside its policy. aws: None for one of an exported file, where there is nothing to do."""
    page.section(subject(finding))
    with st.container(border=True, key="panel-security-finding"):
        document = audited.document(finding)
        statement = finding.statement
        if document is None and statement is None:
            _told(aws, finding, accepted, now)
            return
        left, right = st.columns((8, 9), gap="medium")
        with left:
            _told(aws, finding, accepted, now)
        with right:
            if document is not None:
                marks = role_words.marks([finding], finding.policy)
                label = f"{finding.policy}, the statement to blame marked"
                st.html(document_text.html(document, label, marks, folded=bool(marks)))
            else:
                st.html(document_text.html({"Statement": [statement]}, f"The statement of {finding.policy}"))


def _told(aws: Aws | None, finding: Finding, accepted: Accepted | None, now: datetime) -> None:
    st.html(role_findings.listed([finding]))
    if finding.policy:
        st.html(note(f"In: {finding.policy}"))
    if aws is None:
        return
    if accepted is not None:
        st.html(note(security_accept.told(accepted, now)))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="security-acts"):
        if way := security_words.way(finding):
            label = "Open the role" if finding.role else "Open the function"
            st.page_link(way[0], label=label, icon=":material/arrow_forward:", query_params=way[1])
        if accepted is None or accepted.is_over(now):
            st.button(
                "Accept this risk",
                key="security-accept",
                on_click=confirm.ask,
                args=(partial(security_accept.question, aws, finding),),
            )
        else:
            st.button(
                "Accept it no longer",
                key="security-unaccept",
                on_click=confirm.ask,
                args=(partial(security_accept.back_question, aws, finding),),
            )
