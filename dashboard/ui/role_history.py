"""What Kennel changed of a role: each change with what was before, and the way back."""

import json
from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard import role_readings
from dashboard.core.aws import Aws
from dashboard.core.format import ago
from dashboard.core.iam.entities import Role
from dashboard.core.iam.replace.proof import Proof
from dashboard.core.iam.replace.records import Outcome, Record, What
from dashboard.core.iam.replace.standing import Standing
from dashboard.ui import confirm, document_diff, empty, page, role_actions, role_retire, role_steps
from dashboard.ui.confirm import Question
from dashboard.ui.document_text import Document
from dashboard.ui.markup import badge, escape, facts, note
from dashboard.ui.tones import Tone

MOST = 20
"""Records of policies, and proofs, that are listed."""
TONES = {
    Outcome.UNDER_WAY: Tone.RUNNING,
    Outcome.DONE: Tone.DONE,
    Outcome.UNDONE: Tone.STOPPED,
    Outcome.UNDO_FAILED: Tone.FAILED,
}


def show(aws: Aws, role: Role) -> None:
    """The changes of a role and the proofs of its proposals, the newest first."""
    page.section("Changes of this role")
    records = role_readings.records(aws, role.arn)
    proofs = role_readings.proofs(aws, role.name)
    if not records:
        empty.show(
            "role-history",
            "Kennel has changed nothing of this role.",
            "Before it changes a role it writes down how the role was. What was changed stands here then, with the "
            "button that takes it back.",
        )
    for place, record in enumerate(records):
        _record(aws, record, is_latest=place == _first_open(records))
    if proofs:
        page.section("Proofs of its proposals")
    for proof in proofs[:MOST]:
        _proof(proof)


def _proof(proof: Proof) -> None:
    """One proof, folded: how it came out, and its steps."""
    tone, word = role_steps.verdict(proof)
    when = f"{ago(proof.ended, role_readings.now())} · {proof.ended:%d %b %Y, %H:%M} UTC · {proof.nature}"
    st.html(
        f"<details><summary>{badge(tone, word)} {escape(f'{proof.role} for {proof.duty}')} · {escape(when)}</summary>"
        f"{note(proof.sentence)}{role_steps.listed(proof.steps)}</details>"
    )


def gone(aws: Aws, name: str) -> None:
    """What is kept of a role that is no longer there."""
    records = role_readings.records_of_name(aws, name)
    if not records:
        return
    page.section("What Kennel did with it")
    for record in records:
        _record(aws, record, is_latest=False)


def policies(aws: Aws) -> None:
    """The policies that were marked or deleted, each with the way back; nothing where there are none."""
    records = role_readings.policy_records(aws)
    if not records:
        return
    page.section("Policies that were let go")
    seen: set[str] = set()
    for record in records[:MOST]:
        _record(aws, record, is_latest=record.outcome.is_open and record.target not in seen)
        seen.update([record.target] if record.outcome.is_open else [])


def _first_open(records: Sequence[Record]) -> int:
    """The newest change that may be in force: that one is taken back before an older one."""
    return next((place for place, one in enumerate(records) if one.outcome.is_open), -1)


def _record(aws: Aws, record: Record, *, is_latest: bool) -> None:
    with st.container(border=True, key=f"panel-role-record-{record.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-record-{record.id}"):
            cut = record.is_cut_off(role_readings.now())
            word = "cut off" if cut else record.outcome.value
            mark = badge(Tone.FAILED if cut else TONES[record.outcome], word)
            when = f"{ago(record.at, role_readings.now())} · {record.at:%d %b %Y, %H:%M} UTC · record {record.id}"
            if record.outcome is Outcome.UNDONE and record.changed is not None:
                when += f" · undone {record.changed:%d %b %Y, %H:%M} UTC"
            of = f"{record.name}: " if record.before is None else ""
            told = f"<p>{mark} <strong>{escape(of + record.what.value)}</strong></p>{note(when)}"
            st.html(f'<div class="kn-row">{told}</div>')
            st.space("stretch")
            st.download_button(
                "Record as JSON",
                data=partial(json.dumps, record.as_export(), indent=2),
                file_name=f"{record.name}-{record.id}.json",
                mime="application/json",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
                key=f"download-record-{record.id}",
            )
            if record.outcome.is_open and aws.account.writable and record.what is not What.DELETE:
                st.button(
                    "Undo",
                    key=f"role-undo-{record.id}",
                    icon=":material/undo:",
                    disabled=not is_latest or role_steps.is_busy(aws, record.name),
                    on_click=confirm.ask,
                    args=(partial(undo_question, aws, record),),
                    help=None if is_latest else "A newer change of this role comes first",
                )
        if cut:
            why = "Kennel ended while it was at this: part of it may be in force. Undo it; then it can be done anew."
            st.html(note(why, Tone.FAILED))
        if record.detail:
            st.html(note(record.detail, Tone.FAILED if record.outcome is Outcome.UNDO_FAILED else ""))
        _difference(record)


def undo_question(aws: Aws, record: Record) -> Question:
    """The way back of a change. A policy has no page of its own: its undo is done while the dialog waits."""
    if record.what in (What.MARK_POLICY, What.DELETE_POLICY):
        return role_retire.policy_undo_question(aws, record)
    return role_actions.undo_question(aws, record)


def _difference(record: Record) -> None:
    if record.before is None:
        return
    after = record.after
    rows = {"Before": standing(record.before)}
    if after is not None:
        rows["After"] = standing(after)
    if record.new_role:
        rows["New role"] = record.new_role
    st.html(facts(rows))
    if after is None:
        return
    found = document_diff.statements(_held(record.before), _held(after))
    with st.expander(f"Its statements: {document_diff.told(found)}", key=f"record-diff-{record.id}"):
        st.html(document_diff.listed(found))


def _held(role: Standing) -> list[tuple[str, Document]]:
    managed: list[tuple[str, Document]] = [(one.name, one.document) for one in role.attached]
    return [*managed, *role.inline.items()]


def standing(role: Standing) -> str:
    """What a role has, in a line: its policies and its boundary."""
    names = [*(one.name for one in role.attached), *(f"{name} (inline)" for name in role.inline)]
    told = ", ".join(names) or "no policy"
    return f"{told}; bounded by {role.boundary.name}" if role.boundary else told
