"""The test call: a photo, a drawn dog or an address in; what came back, how long it took, and Lambda's own words."""

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, ServiceFault
from dashboard.core.serving.classify import Answer, prepare_photo, read_answer
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.invoke import Tried, event, invoke
from dashboard.core.serving.functions.model import LATEST
from dashboard.core.showcode import connection
from dashboard.ui import classify, deed, markup, page, problem
from dashboard.ui.function_words import milliseconds
from dashboard.ui.markup import badge, note
from dashboard.ui.tones import Tone

DRAWN, ANSWER = "function-test-drawn", "function-test-answer"
KEPT = 6


@dataclass(frozen=True)
class Asked:
    """One test call: what was sent in words, the photo where there is one, what came back and when."""

    function: str
    what: str
    jpeg: bytes
    tried: Tried
    at: datetime


def answered(name: str, since: datetime) -> int:
    """How many test calls of this tab a function answered since then."""
    return sum(one.function == name and one.at >= since for one in st.session_state.get(ANSWER, []))


def show(aws: Aws, details: Details) -> None:
    """Left the question, right the answer, below Lambda's log and the calls before it."""
    left, right = st.columns((9, 11), gap="medium")
    with left:
        page.section("Question")
        with problem.shown("function-test"):
            _question(aws, details)
    kept = [one for one in st.session_state.get(ANSWER, []) if one.function == details.function.name]
    with right:
        page.section("Answer")
        if not kept:
            st.html(note("The answer appears here: what it says, how long it took, and as it came."))
        else:
            _answer(details, kept[0])
    if kept:
        page.section("Lambda's log of it")
        st.html(markup.log(kept[0].tried.log or ("Lambda sent none.",), "The end of the log of this call"))
        _before(kept)
    page.section("The same as code")
    st.code(as_code(aws, details), language="python")


def _question(aws: Aws, details: Details) -> None:
    options = [*(alias.name for alias in details.aliases), *(one.number for one in details.versions), LATEST]
    qualifier = st.selectbox("Call", options, key="function-test-of")
    upload = st.file_uploader(
        "Photo",
        key="function-test-photo",
        max_upload_size=20,
        help="20 MB at most, sent smaller; place and other hidden data are dropped",
    )
    url = st.text_input(
        "or its address",
        key="function-test-url",
        placeholder="https://… or s3://bucket/key",
        help="The endpoint fetches an address, the function an object in S3; this page fetches neither",
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        send = st.button("Call", key="function-test-call", type="primary", disabled=upload is None and not url)
        drawn = st.button("Call with a drawn example", key="function-test-draw", icon=":material/draw:")
    if drawn:
        number = int(st.session_state.get(DRAWN, 0))
        st.session_state[DRAWN] = number + 1
        example = classify.draw_example(number, details.function.endpoint)
        _send(aws, details, qualifier, example.name, jpeg=prepare_photo(example.data, example.name).jpeg)
    elif send and upload is not None:
        _send(aws, details, qualifier, upload.name, jpeg=prepare_photo(upload.getvalue(), upload.name).jpeg)
        state.let_go(upload)
    elif send:
        _send(aws, details, qualifier, url, place=url.strip())


def _send(aws: Aws, details: Details, qualifier: str, what: str, *, jpeg: bytes = b"", place: str = "") -> None:
    name = details.function.name
    where = {"stored": place} if place.startswith("s3://") else {"url": place}
    version = "" if qualifier == LATEST else qualifier
    tried = deed.carry_out(f"Call {name}", lambda: invoke(aws, name, event(jpeg=jpeg, **where), version))
    kept: list[Asked] = st.session_state.setdefault(ANSWER, [])
    kept.insert(0, Asked(name, what, jpeg, tried, state.now()))
    del kept[KEPT:]


def _answer(details: Details, asked: Asked) -> None:
    tried = asked.tried
    st.html(markup.Markup(f"<p>{_mark(tried)}</p>"))
    read = readable(details, tried)
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        if asked.jpeg:
            st.image(asked.jpeg, caption=markup.literal(asked.what), width=150)
        with st.container():
            if read is not None:
                st.html(f'<p class="kn-answer">{markup.escape(read.sentence)}</p>')
                shares = [(each.breed, each.probability) for each in read.predictions]
                st.html(markup.bars(shares, "Breeds with their probability"))
            else:
                st.html(note(_why(tried), Tone.FAILED))
    st.html(note(told(tried)))
    with st.expander("The answer as it came"):
        st.code(tried.raw[:20_000], language="json", height=260)


def readable(details: Details, tried: Tried) -> Answer | None:
    """The breeds in it; None for an answer that has none."""
    if tried.failure or tried.status != 200 or not isinstance(tried.payload, dict):
        return None
    try:
        return read_answer(tried.payload, details.function.endpoint, tried.seconds)
    except (ServiceFault, KennelError):
        return None  # it is shown as it came


def _why(tried: Tried) -> str:
    if tried.failure:
        return f"The function broke off: {tried.failure}"
    body = tried.payload.get("body") if isinstance(tried.payload, dict) else None
    return str(body) if isinstance(body, str) else "This answer is not in a form that Kennel reads."


def _mark(tried: Tried) -> str:
    report = tried.report
    start = "" if report is None else badge(Tone.WAITING, "cold") if report.is_cold else badge(Tone.DONE, "warm")
    if tried.failure:
        return f"{badge(Tone.FAILED, 'broke off')} {start}"
    status = tried.status
    good = status == 200
    return f"{badge(Tone.DONE if good else Tone.FAILED, f'status {status}' if status else 'answered')} {start}"


def told(tried: Tried) -> str:
    """ "Version 3 answered in 61 ms from here: 41 ms in the function, billed 42 ms, 74 of 256 MB used."."""
    said = f"Version {tried.version} answered in {milliseconds(tried.seconds)} from here"
    report = tried.report
    if report is None:
        return f"{said}."
    cold = f", started cold in {milliseconds(report.init_ms / 1000)}" if report.init_ms is not None else ""
    return (
        f"{said}: {milliseconds(report.duration_ms / 1000)} in the function{cold}, billed "
        f"{report.billed_ms:.0f} ms, {report.used_mb} of {report.memory_mb} MB used."
    )


def _before(kept: list[Asked]) -> None:
    """The calls of this tab, the newest first: a cold one and warm ones side by side."""
    if len(kept) < 2:
        return
    rows = [
        {
            "Call": one.what,
            "Status": one.tried.status,
            "Start": "–" if one.tried.report is None else "cold" if one.tried.report.is_cold else "warm",
            "From here (ms)": round(one.tried.seconds * 1000),
            "In the function (ms)": round(one.tried.report.duration_ms) if one.tried.report else None,
            "Start took (ms)": one.tried.report.init_ms if one.tried.report else None,
            "Version": one.tried.version,
        }
        for one in kept
    ]
    st.dataframe(rows, hide_index=True, key="table-tried", placeholder="–", alt="The calls before this one")


def as_code(aws: Aws, details: Details) -> str:
    """The call with a photo of one's own, as a Python program."""
    one = details.function
    qualifier = details.live.name if details.live else LATEST
    return "\n".join(
        [
            "import base64",
            connection(aws.account, "lambda"),
            "",
            'with open("dog.jpg", "rb") as file:',
            "    photo = base64.b64encode(file.read()).decode()",
            "answer = lambda_.invoke(",
            f'    FunctionName="{one.name}",',
            f'    Qualifier="{qualifier}",',
            """    Payload='{"image": "' + photo + '"}',""",
            ")",
            'print(answer["Payload"].read().decode())',
        ]
    )
