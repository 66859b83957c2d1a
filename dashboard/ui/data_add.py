"""Adding photos: a folder or a zip from this computer, dogImages, or a zip in S3. What is sent is planned first."""

import secrets
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import state
from dashboard.core import exposure
from dashboard.core.aws import Aws
from dashboard.core.data import here, names
from dashboard.core.data.fetching import DOGS
from dashboard.core.data.layout import Layout, lay_out
from dashboard.core.data.work import Kind, Work
from dashboard.core.errors import InvalidInput
from dashboard.core.format import count, size
from dashboard.core.people import Role
from dashboard.core.s3_address import parts
from dashboard.doorkeeper import doorkeeper
from dashboard.ui import access, data_dialogs, setup_first, words
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import facts, note
from dashboard.ui.tones import Tone
from dashboard.uploads import PHOTO, TAB, uploads
from training.data import PHOTO_ENDINGS

FOLDER, ZIP, HERE, DOG_IMAGES, BUCKET = "Folder", "Zip", "On this machine", "dogImages", "Zip in S3"
NAME, NAMED_AFTER = "add-name", "add-named-after"
DOGS_SIZE = "1.1 GB"
_BEGINS = b"PK"


def question(aws: Aws) -> Question:
    """Where photos come from, and which data set they become or join."""
    return Question("Add photos", partial(_draw, aws, secrets.token_hex(8)))


def _draw(aws: Aws, token: str) -> Action | None:
    if setup_first.is_needed(aws):
        setup_first.show(aws, "add-photos")
        return None
    source = st.segmented_control(
        "From",
        (FOLDER, ZIP, *((HERE,) if _is_mine() else ()), DOG_IMAGES, BUCKET),
        default=FOLDER,
        required=True,
        key="add-from",
        label_visibility="collapsed",
    )
    if source == FOLDER:
        return _folder(aws, token)
    if source == ZIP:
        return _zip(aws, token)
    if source == HERE and _is_mine():
        return _here(aws, token)
    return _import(aws, token, DOGS) if source == DOG_IMAGES else _in_s3(aws, token)


def _folder(aws: Aws, token: str) -> Action | None:
    st.html(
        note(
            "One folder of photos for each class below train/ (and valid/, test/), or the class folders themselves. "
            f"{size(TAB)} in one go; more of it goes into a zip in S3."
        )
    )
    files = st.file_uploader(
        "The folder",
        accept_multiple_files="directory",
        type=[ending.lstrip(".") for ending in sorted(PHOTO_ENDINGS)],
        key=f"add-folder-{token}",
        max_upload_size=PHOTO // 1024**2,
    )
    if not files:
        return None
    try:
        found = lay_out((one.name, one.size) for one in files)
    except InvalidInput as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    root = files[0].name.replace("\\", "/").partition("/")[0]
    if (name := _name(aws, root, token)) is None:
        return None
    _told(aws, found)
    work = Work(token, Kind.UPLOAD, name, source=root)
    data_dialogs.code(aws, work)
    return Action(f"Send {count(len(found.photos), 'photo')} to {name}", partial(_send, aws, work, found, files))


def _send(aws: Aws, work: Work, found: Layout, files: list[UploadedFile]) -> str:
    """Write them down on this machine, let the browser's copies go, and send them in the background."""
    by_name = {one.name: one for one in files}
    kept = ((replace(one, path=one.key), by_name[one.path].getbuffer()) for one in found.photos)
    state.data_jobs(aws).start(aws, work, kept)
    for one in files:
        state.let_go(one)
    return f"{count(len(found.photos), 'photo')} on the way to {work.name}; closing this tab does not stop them"


def _zip(aws: Aws, token: str) -> Action | None:
    if (context := get_script_run_ctx()) and access.may(Role.ENGINEER):
        uploads.open(context.session_id)
    most = int(st.get_option("server.maxUploadSize"))
    st.html(
        note(
            f"Up to {most} MB from this computer. A larger one: aws s3 cp it to a bucket of this account, and choose "
            f"“{BUCKET}”."
        )
    )
    upload = st.file_uploader("The zip", type=["zip"], key=f"add-zip-{token}", max_upload_size=most)
    if upload is None:
        return None
    if bytes(upload.getbuffer()[:2]) != _BEGINS:
        st.html(note(f"{upload.name} is no zip: it begins like none.", Tone.FAILED))
        return None
    if (name := _name(aws, upload.name, token)) is None:
        return None
    costs = f"{data_dialogs.stored(aws, upload.size)} a month in S3 Standard, by the size of the zip"
    st.html(facts({"Zip": upload.name, f"Costs{words.simulated(aws.account)}": costs}))
    st.html(
        note("It is looked through before anything is sent: what leads outside, or unpacks to too much, is refused.")
    )
    work = Work(token, Kind.UPLOAD, name, source=upload.name, file="brought.zip")
    data_dialogs.code(aws, work)
    return Action(f"Send what is in {upload.name} to {name}", partial(_send_zip, aws, work, upload))


def _send_zip(aws: Aws, work: Work, upload: UploadedFile) -> str:
    state.data_jobs(aws).start(aws, work, zipped=upload.getbuffer())
    state.let_go(upload)
    return f"{upload.name} is on the way to {work.name}; closing this tab does not stop it"


def _is_mine() -> bool:
    """Whether nobody but who sits at Kennel's machine reaches this page: its files are theirs."""
    address = str(st.get_option("server.address") or "")
    return exposure.is_loopback(address) and not exposure.hosts() and not doorkeeper().asks


def _here(aws: Aws, token: str) -> Action | None:
    told = st.text_input(
        "Folder or zip on this machine",
        key="add-place",
        live=True,
        placeholder="/home/ada/dogImages.zip",
        autocomplete="off",
        help="Read where it lies: of any size, and nothing is copied first",
    )
    if not (told or "").strip():
        return None
    try:
        path = here.place(told or "")
        found = here.look(path)
    except InvalidInput as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    if (name := _name(aws, path.name, token)) is None:
        return None
    _told(aws, found)
    work = Work(token, Kind.UPLOAD, name, source=path.name, place=str(path))
    data_dialogs.code(aws, work)
    return Action(f"Send {count(len(found.photos), 'photo')} to {name}", partial(data_dialogs.begin, aws, work))


def _in_s3(aws: Aws, token: str) -> Action | None:
    address = st.text_input(
        "Address in S3",
        key="add-address",
        live=True,
        placeholder=f"s3://{aws.account.bucket}/dogImages.zip",
        autocomplete="off",
    )
    told = (address or "").strip()
    bucket, key = parts(told)
    if not told:
        return None
    if not told.startswith("s3://") or not bucket or not key.lower().endswith(".zip"):
        st.html(note("An address looks like s3://bucket/photos.zip.", Tone.FAILED))
        return None
    return _import(aws, token, told)


def _import(aws: Aws, token: str, source: str) -> Action | None:
    if source == DOGS:
        st.html(
            note(
                f"The 133-breed data set of the reference projects, 8,351 photos, {DOGS_SIZE}, from its public "
                "address. Where this machine has no network that is said, and a zip in S3 does the same."
            )
        )
    if (name := _name(aws, source, token)) is None:
        return None
    work = Work(token, Kind.IMPORT, name, source=source)
    st.html(
        facts(
            {
                "From": source,
                "Comes here first": f"it is kept on Kennel's machine ({size(state.data_jobs(aws).room())} free) until "
                "all of it is sent, and gone on with where it broke off",
                f"Costs{words.simulated(aws.account)}": f"{data_dialogs.stored(aws, 1_132_023_110)} a month in S3"
                if source == DOGS
                else "S3's storage, $ per GB and month, of what is in it",
            }
        )
    )
    data_dialogs.code(aws, work)
    return Action(f"Import {source.rpartition('/')[2]}", partial(data_dialogs.begin, aws, work))


def _name(aws: Aws, told: str, token: str) -> str | None:
    """The data set's name; None while it is no good one. What it is called after names it, until it is changed."""
    if st.session_state.get(NAMED_AFTER) != (token, told):
        st.session_state[NAMED_AFTER] = (token, told)
        st.session_state[NAME] = names.suggested(told)
    given = st.text_input("Data set", key=NAME, live=True, max_chars=63) or ""
    try:
        name = names.check(given)
    except InvalidInput as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    if any(one.name == name for one in state.datasets(aws).value):
        st.html(
            note(
                f"There is a data set {name}: the photos join it. One of the same split, class and name takes the "
                "place of the one that is there.",
                Tone.WAITING,
            )
        )
    return name


def _told(aws: Aws, found: Layout) -> None:
    left = ", ".join(f"{number:,} {why}" for why, number in found.left_out.items())
    rows = {"Sent": found.sentence}
    if left:
        rows["Left out"] = left
    rows[f"Costs{words.simulated(aws.account)}"] = f"{data_dialogs.stored(aws, found.bytes)} a month in S3 Standard"
    st.html(facts(rows))
    for text in found.notes:
        st.html(note(text, Tone.WAITING))
    st.html(note("What is there already with the same bytes is not sent again; with a KMS key S3 does not tell."))
