"""The dialogs of a data set: copy, rename, delete, look through; each a plan that is carried out in the background."""

import secrets
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.prices import Extra
from dashboard.core.data import names
from dashboard.core.data.as_code import shell
from dashboard.core.data.contents import Contents
from dashboard.core.data.work import Kind, Work
from dashboard.core.errors import AlreadyExists, InvalidInput
from dashboard.core.format import count, money, size
from dashboard.ui import data_words, words
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import facts, literal, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

VERBS = {Kind.COPY: "Copy", Kind.RENAME: "Rename", Kind.DELETE: "Delete"}


def question(aws: Aws, content: Contents, kind: Kind, taken: tuple[str, ...]) -> Question:
    """What a copy, a rename or a deletion would do."""
    draw = partial(_draw, aws, content.name, kind, taken, secrets.token_hex(8))
    return Question(f"{VERBS[kind]} {literal(content.name)}", draw)


def _draw(aws: Aws, name: str, kind: Kind, taken: tuple[str, ...], token: str) -> Action | None:
    content = state.contents(aws, name).value
    target = "" if kind is Kind.DELETE else _target(kind, name, taken)
    if kind is Kind.RENAME and target == name:
        st.html(note("Type the name that it gets."))
        return None
    try:
        work = names.plan(kind, content, target, taken, token)
    except (InvalidInput, AlreadyExists) as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    rows = {"Data set": data_words.summary(content), "Lies at": content.uri}
    if kind is not Kind.DELETE:
        rows["Then at"] = content.uri.replace(f"/{name}/", f"/{work.name}/")
    rows[_cost_name(aws, kind)] = _cost(aws, kind, content.bytes)
    st.html(facts(rows))
    for text in _notes(kind, content, name):
        st.html(note(text, Tone.WAITING if kind is Kind.DELETE else ""))
    code(aws, work)
    labels = {
        Kind.COPY: f"Copy {count(len(content.photos), 'photo')}",
        Kind.RENAME: f"Rename to {work.name}",
        Kind.DELETE: f"Delete {count(len(content.photos), 'photo')}",
    }
    return Action(
        labels[kind],
        partial(begin, aws, work),
        is_dangerous=kind is Kind.DELETE,
        typed=(name, "This cannot be taken back.") if kind is Kind.DELETE else None,
    )


def _target(kind: Kind, name: str, taken: tuple[str, ...]) -> str:
    suggested = f"{name}-copy" if kind is Kind.COPY else name
    return st.text_input("New name", value=suggested, key=f"{kind.name.lower()}-to", live=True, max_chars=63) or ""


def _cost_name(aws: Aws, kind: Kind) -> str:
    verb = {Kind.COPY: "Costs", Kind.DELETE: "Saves"}.get(kind, "Costs")
    return f"{verb}{words.simulated(aws.account)}"


def _cost(aws: Aws, kind: Kind, held: int) -> str:
    if kind is Kind.RENAME:
        return "S3's requests, one copy a photo; the storage stays what it was"
    return f"{stored(aws, held)} a month in S3 Standard{', and one copy request a photo' if kind is Kind.COPY else ''}"


def stored(aws: Aws, held: int) -> str:
    """What so many bytes cost a month."""
    price = state.prices().beside(Extra.S3_STANDARD, aws.account.region)
    return money(None if price is None else held * price.amount / 1024**3)


def _notes(kind: Kind, content: Contents, name: str) -> list[str]:
    if kind is Kind.DELETE:
        kept = [one for one in content.others if not one.endswith("/.uploading")]
        more = f", and {count(len(kept), 'other file')} beside them" if kept else ""
        return [
            f"All photos below {content.uri} are deleted{more}. A bucket that keeps versions keeps them as such.",
            "Runs that learnt from it keep their models; they can no longer be repeated on it.",
        ]
    if kind is Kind.RENAME:
        return [f"Runs that were launched on {name} still name the old address."]
    return ["The photos are copied within S3; none of them comes here."]


def code(aws: Aws, work: Work) -> None:
    """The same for a shell."""
    with st.expander("Show as code"):
        st.code(shell(work, aws.account), language="bash", wrap_lines=True)


def begin(aws: Aws, work: Work) -> str:
    """Start a piece of work; a sentence that says so. Raises Refused while another is about the same data set."""
    state.data_jobs(aws).start(aws, work)
    return f"It goes on in the background: {work.words}"


def report_question(aws: Aws, content: Contents) -> Question:
    """What looking through a data set takes."""
    return Question(
        f"Look through {literal(content.name)}", partial(_draw_report, aws, content.name, secrets.token_hex(8))
    )


def _draw_report(aws: Aws, name: str, token: str) -> Action | None:
    content = state.contents(aws, name).value
    room = state.data_jobs(aws).room()
    work = Work(token, Kind.REPORT, name)
    st.html(
        facts(
            {
                "Photos": data_words.summary(content),
                "Comes here": f"{size(content.bytes)}, of {size(room)} free on Kennel's machine; removed afterwards",
                f"Costs{words.simulated(aws.account)}": "S3's requests, one a photo, and what leaves the region",
            }
        )
    )
    st.html(note("Every photo is opened by a process of its own on this machine. Nothing in the account is changed."))
    code(aws, work)
    if content.bytes > room:
        st.html(note("There is no room for them here: run the command above on a machine that has it.", Tone.FAILED))
        return None
    return Action("Look through them", partial(begin, aws, work), then=Place.DATA, query={"dataset": name})
