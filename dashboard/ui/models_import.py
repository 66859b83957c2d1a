"""Importing a model: the dialog that takes a file, and how far each import is."""

import secrets
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, KennelError
from dashboard.core.format import size
from dashboard.core.people import Role
from dashboard.core.runs.spec_problems import NAME
from dashboard.core.s3_address import parts
from dashboard.core.serving import archive
from dashboard.core.serving.importing import Kind, Progress, Stage, Wanted
from dashboard.ui import access, markup
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import badge, escape, note
from dashboard.ui.models_dialogs import suggested
from dashboard.ui.tones import Tone
from dashboard.uploads import uploads

LABELS, NAME_OF, NAMED_AFTER = "import-labels", "import-name", "import-named-after"
HERE, BUCKET = "This computer", "S3"
ORDINARY = ("model", "model-tar", "best-model", "")
"""Names of files that say nothing about the model."""


def question(aws: Aws) -> Question:
    """A file, what it becomes a version of, and what a reference model needs to be told beside."""
    return Question("Import a model", partial(_draw, aws, secrets.token_hex(8)))


def _draw(aws: Aws, token: str) -> Action | None:
    st.html(
        note(
            "A model.tar.gz as Kennel's training writes it, or the model.pth of a reference project: the state dict of "
            "a ResNet-50 with a head of one or two layers. Nothing in the file is run here."
        )
    )
    source = st.segmented_control(
        "From", (HERE, BUCKET), default=HERE, required=True, key="import-from", label_visibility="collapsed"
    )
    brought = _in_s3() if source == BUCKET else _uploaded(token)
    return _form(aws, token, brought) if brought else None


@dataclass(frozen=True)
class _Brought:
    """A file by its name: one that was uploaded, or the address in S3 of one that was not."""

    name: str
    upload: UploadedFile | None = None
    address: str = ""


def _uploaded(token: str) -> _Brought | None:
    if (context := get_script_run_ctx()) and access.may(Role.ENGINEER):
        uploads.open(context.session_id)
    most = int(st.get_option("server.maxUploadSize"))  # app.py alone takes photos' sizes only: see dashboard/uploads.py
    upload = st.file_uploader("The model's file", key=f"import-file-{token}", max_upload_size=most)
    return _Brought(upload.name, upload) if upload else None


def _in_s3() -> _Brought | None:
    address = (
        st.text_input(
            "Address in S3",
            key="import-address",
            live=True,
            placeholder="s3://bucket/models/model.pth",
            autocomplete="off",
            help=f"Up to {size(archive.MOST)}",
        )
        or ""
    ).strip()
    bucket, key = parts(address)
    if not address.startswith("s3://") or not bucket or not key:
        if address:
            st.html(note("An address looks like s3://bucket/models/model.tar.gz.", Tone.FAILED))
        return None
    return _Brought(key.rpartition("/")[2], address=address)


def _form(aws: Aws, token: str, brought: _Brought) -> Action | None:
    """What it becomes a version of, and what a reference model needs to be told beside."""
    try:
        kind = Kind.of(brought.name)
    except InvalidInput as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    if brought.upload and not kind.begins(bytes(brought.upload.getbuffer()[:2])):
        st.html(note(f"{brought.name} is not {kind.value}: it begins like none.", Tone.FAILED))
        return None
    st.html(note(markup.sentence(kind.value)))
    if st.session_state.get(NAMED_AFTER) != (token, brought.name):  # another file is another model
        stem = suggested(brought.name.split(".")[0])
        st.session_state[NAMED_AFTER] = (token, brought.name)
        st.session_state[NAME_OF] = "imported" if stem.lower() in ORDINARY else stem
    group = st.text_input("Model in the registry", key=NAME_OF, live=True, max_chars=63) or ""
    normalised = _reference() if kind is Kind.REFERENCE else False
    if not NAME.fullmatch(group):
        st.html(note("A name has letters, digits and hyphens, at most 63, no hyphen at either end.", Tone.FAILED))
        return None
    known_so_far = Wanted(
        group, Path(brought.name), kind, token, brought.name, normalised=normalised, address=brought.address
    )
    st.html(
        note(
            f"It goes to s3://{aws.account.bucket}/{archive.PREFIX} and becomes the next version of {group}, "
            "undecided. S3 charges for what it keeps; the registry is free."
        )
    )

    def do() -> str:
        # what was written last: leaving the field and pressing the button are one click
        wanted = replace(known_so_far, labels=_labels()) if kind is Kind.REFERENCE else known_so_far
        if brought.upload is None:
            state.imports(aws).start(aws, wanted)
        else:
            state.imports(aws).start(aws, wanted, brought.upload.getbuffer())
            state.let_go(brought.upload)
        return f"{brought.name} is being imported"

    return Action("Import and register", do)


def _reference() -> bool:
    """What a model.pth does not hold: its labels, and how its photos were prepared; whether they were normalised."""
    st.text_area(
        "Labels, one a line, in the order of its scores",
        key=LABELS,
        height=90,
        placeholder="leave it empty for the 133 breeds of the reference data set",
    )
    return st.toggle(
        "Its training normalised photos as ImageNet's",
        key="import-normalised",
        help="transforms.Normalize([0.485, 0.456, 0.406], …). The reference projects did not.",
    )


def _labels() -> tuple[str, ...]:
    told = str(st.session_state.get(LABELS) or "")
    return tuple(line.strip() for line in told.splitlines() if line.strip())


def show(aws: Aws) -> None:
    """The imports that go on or are over; looked at again while one goes on. Nothing without any."""
    told = state.imports(aws).all()
    if any(not one.stage.is_over for _, one in told):
        st.fragment(_watched, run_every=1, key="imports")(aws)
    elif told:
        _list(aws)


def _watched(aws: Aws) -> None:
    _list(aws)
    if all(one.stage.is_over for _, one in state.imports(aws).all()):
        st.rerun()


def _list(aws: Aws) -> None:
    told = state.imports(aws).all()
    with st.container(border=True, key="panel-imports", gap="xsmall"):
        for token, one in told:
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"import-{token}"):
                st.html(line(one))
                if one.stage.is_over:
                    st.button(
                        "Dismiss",
                        key=f"dismiss-{token}",
                        type="tertiary",
                        on_click=state.imports(aws).dismiss,
                        args=(token,),
                    )
            if one.share is not None and not one.stage.is_over:
                st.progress(one.share)
        over = [token for token, one in told if one.stage.is_over]
        if len(over) > 1:
            st.button("Dismiss all", key="dismiss-all", type="tertiary", on_click=state.imports(aws).dismiss, args=over)


def line(one: Progress) -> str:
    """One import in a line: what it is, how far, and what became of it."""
    tone = {Stage.DONE: Tone.DONE, Stage.FAILED: Tone.FAILED, Stage.WAITING: Tone.WAITING}.get(one.stage, Tone.RUNNING)
    told = one.found.sentence if one.found else ""
    if one.version is not None:
        told = f"{one.version.name}, undecided: {told}"
    warned = " ".join(f"{markup.sentence(warning)}." for warning in one.found.warnings) if one.found else ""
    why = _why(one.problem) if one.problem else warned
    name = f"<strong>{escape(one.wanted.name)}</strong>"
    more = "".join(note(text) for text in (told, why) if text)
    return f'<div class="kn-row"><p>{name} {badge(tone, one.stage.value)}</p>{more}</div>'


def _why(problem: KennelError) -> str:
    said = (problem.why or problem.what, problem.next_step)
    return " ".join(f"{markup.sentence(text).rstrip('.')}." for text in said if text)
