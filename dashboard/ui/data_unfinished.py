"""What becomes of a data set whose work broke off: gone on with, kept as it is, or deleted, each by a plan."""

import secrets
from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.data import contents, mark
from dashboard.core.data.contents import Contents
from dashboard.core.data.mark import Mark
from dashboard.core.data.work import Kind, Progress, Work
from dashboard.core.errors import NotFound, Refused
from dashboard.core.format import ago, count
from dashboard.ui import confirm, data_words
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import facts, literal, note
from dashboard.ui.tones import Tone

KEEP, DELETE, LATER = "Keep what is there", "Delete what is there", "Decide later"


def told(aws: Aws, content: Contents) -> None:
    """Beside a data set that is not whole: what goes on or broke off, and what can be done about it."""
    jobs = state.data_jobs(aws)
    if jobs.on(content.name):
        st.html(note("Work on it goes on: how far it is stands above.", Tone.RUNNING))
        return
    how = "Go on with it above" if jobs.left(content.name) else "Add the same photos again: what is there is not resent"
    st.html(
        note(f"Not all of it is there: work on it broke off. {how}; or keep what is there; or delete it.", Tone.WAITING)
    )
    if aws.account.writable:
        st.button(
            "Keep as it is",
            key="dataset-keep",
            icon=":material/check:",
            type="tertiary",
            help=f"Make what is there of {content.name} the data set",
            on_click=confirm.ask,
            args=(partial(_keep_question, aws, content.name),),
        )


def dismiss_question(aws: Aws, one: Progress) -> Question:
    """What dismissing a piece of work that is not done leaves behind, and what becomes of that."""
    name = one.work.name
    found = mark.read(aws, name)
    is_its = found is not None and found.token == one.work.token
    there = _there(aws, name) if is_its else None
    draw = partial(_draw_dismissal, aws, one, found if is_its else None, there, secrets.token_hex(8))
    return Question(f"Dismiss: {literal(one.work.words)}", draw)


def _draw_dismissal(aws: Aws, one: Progress, seen: Mark | None, there: Contents | None, token: str) -> Action | None:
    jobs, work = state.data_jobs(aws), one.work
    rows = {"Kept on Kennel's machine for it": "removed; it can no longer be gone on with"}
    rows[f"There of {work.name}"] = _what_is_there(there) if seen else "nothing that this work left half done"
    st.html(facts(rows))
    dismiss = partial(jobs.dismiss, work.token)
    if seen is None:
        return Action("Dismiss", partial(_after, dismiss, f"{work.words} is dismissed"))
    if not aws.account.writable:
        return Action("Dismiss", partial(_after, dismiss, f"{work.words} is dismissed; {work.name} is not whole"))
    if there is None or not there.photos:
        do = partial(_keep, aws, seen, dismiss, f"{work.words} is dismissed, and nothing of it is left")
        return Action("Dismiss", do)
    then = st.segmented_control("Then", (KEEP, DELETE, LATER), default=LATER, required=True, key=f"dismiss-{token}")
    if then == KEEP:
        st.html(note(_KEPT, Tone.WAITING))
        said = f"{work.name} is what is there of it: {count(len(there.photos), 'photo')}"
        return Action(
            f"Dismiss, and keep {count(len(there.photos), 'photo')}", partial(_keep, aws, seen, dismiss, said)
        )
    if then == DELETE:
        joined = work.kind in (Kind.UPLOAD, Kind.IMPORT)
        more = ", those that were in it before too" if joined else ""
        st.html(note(f"All photos of {work.name} are deleted{more}.", Tone.WAITING))
        return Action(
            f"Dismiss, and delete {count(len(there.photos), 'photo')}",
            partial(_delete, aws, Work(token, Kind.DELETE, work.name), dismiss),
            is_dangerous=True,
            typed=(work.name, "This cannot be taken back."),
        )
    st.html(note(f"{work.name} stays as one that is not whole; it is kept as it is, or deleted, where it is listed."))
    return Action("Dismiss", partial(_after, dismiss, f"{work.words} is dismissed; {work.name} is not whole"))


_KEPT = "It counts as whole from then on. Whether every class has what it should is seen in its classes and its report."


def _keep_question(aws: Aws, name: str) -> Question:
    found = mark.read(aws, name)
    if found is None:
        raise Refused(f"{name} is whole by now", "what went on with it came to its end", "look at it again")
    return Question(f"Keep {literal(name)} as it is", partial(_draw_keeping, aws, found, _there(aws, name)))


def _draw_keeping(aws: Aws, seen: Mark, there: Contents | None) -> Action | None:
    begun = f", begun {ago(seen.since, state.now())}" if seen.since else ""
    st.html(
        facts({"Broke off": f"{seen.why or 'work that Kennel does not know'}{begun}", "There": _what_is_there(there)})
    )
    st.html(note(f"{_KEPT} If another Kennel sends photos to it right now, wait for that.", Tone.WAITING))
    if there is None or not there.photos:
        st.html(note("There is no photo to keep: delete it instead.", Tone.FAILED))
        return None
    photos = count(len(there.photos), "photo")
    said = f"{seen.name} is what is there of it: {photos}"
    return Action(f"Keep {photos}", partial(_keep, aws, seen, lambda: None, said))


def _what_is_there(there: Contents | None) -> str:
    return data_words.summary(there) if there and there.photos else "no photo"


def _there(aws: Aws, name: str) -> Contents | None:
    try:
        return contents.read(aws, name)
    except NotFound:
        return None


def _keep(aws: Aws, seen: Mark, then: Callable[[], None], said: str) -> str:
    if going := state.data_jobs(aws).on(seen.name):
        raise Refused(f"{seen.name} was not kept as it is", f"this goes on: {going.work.words}", "wait for it")
    mark.keep(aws, seen)
    return _after(then, said)


def _delete(aws: Aws, work: Work, then: Callable[[], None]) -> str:
    state.data_jobs(aws).start(aws, work)
    return _after(then, f"It goes on in the background: {work.words}")


def _after(then: Callable[[], None], said: str) -> str:
    then()
    return said
