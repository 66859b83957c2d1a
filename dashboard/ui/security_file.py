"""The audit of an exported file: nothing of it is kept, and AWS is asked nothing."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import state
from dashboard.core.iam.judge import export
from dashboard.core.iam.judge.audited import Audited, by_subject, of_export
from dashboard.core.iam.judge.score import score
from dashboard.ui import chart, figures_security, problem, security_finding, security_table, security_words, strip
from dashboard.ui.markup import escape, note
from dashboard.ui.tones import Tone
from dashboard.uploads import uploads

HELD = "security-file"
COMMAND = "aws iam get-account-authorization-details > account.json"


@dataclass(frozen=True)
class _Held:
    """A file that was audited in this tab."""

    name: str
    audited: Audited
    partial: tuple[str, ...]


def show(now: datetime, unused_days: int) -> None:
    """The field for the file; below it what was found."""
    held: _Held | None = st.session_state.get(HELD)
    if held is None:
        _ask(now, unused_days)
        return
    found = held.audited
    value = score(found.findings, found.judged)
    with st.container(horizontal=True, vertical_alignment="center", key="security-file-head"):
        st.html(f'<h2 class="kn-finding">{escape(held.name)}</h2>')
        st.space("stretch")
        st.button("Close the file", key="security-file-close", on_click=_close)
    strip.show(security_words.figures(found, value, found.findings, beside="of this file alone"))
    st.html(note(f"Score of the file: {value.arithmetic}."))
    for why in held.partial:
        st.html(note(f"Not all: {why}", Tone.WAITING))
    st.html(note("Who uses a role, and who may call functions, is not in such a file: nothing is said of that."))
    dark = st.context.theme.type == "dark"
    named = by_subject(found.findings)
    chart.panel(
        "security-file-subjects",
        figures_security.subjects_finding(named),
        figures_security.subjects(named, is_dark=dark),
        "Nothing was found in this file.",
        alone=True,
    )
    stem = held.name.rpartition(".")[0] or held.name
    rows = partial(figures_security.subject_rows, named)
    chart.table(rows, f"{stem}-subjects.csv", "security-file-subjects-csv", "Findings by role, policy or function")
    shown = security_table.show(found.findings, {}, f"{stem}-findings", "security-file", bound=False)
    key = security_table.chosen("security-file")
    one = next((each for each in shown if each.key == key), next(iter(shown), None))
    if one is not None:
        security_finding.show(None, found, one, None, now)


def _ask(now: datetime, unused_days: int) -> None:
    st.html(
        note(
            "The answer of GetAccountAuthorizationDetails as a JSON file, of any account: it is audited here, in this "
            "server's memory, and nothing of it is kept or sent anywhere."
        )
    )
    st.code(COMMAND, language="bash")
    if context := get_script_run_ctx():
        uploads.open(context.session_id)
    most = int(st.get_option("server.maxUploadSize"))  # app.py alone takes photos' sizes only: see dashboard/uploads.py
    upload = st.file_uploader("The exported file (JSON)", key="security-upload", max_upload_size=most)
    if upload is None:
        return
    with problem.shown("security-file"):
        try:
            pages = export.pages(upload.getvalue(), upload.name)
            read = export.of_pages(pages, upload.name)
            found = of_export(read.details, now, unused_days)
        finally:
            state.let_go(upload)
        st.session_state[HELD] = _Held(upload.name, found, tuple(read.partial))
        st.rerun()


def _close() -> None:
    st.session_state.pop(HELD, None)
