"""What is read of the trail for its page, and whether a deed can still be taken back."""

from datetime import datetime

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, Refused
from dashboard.core.iam.replace.records import Record, Records
from dashboard.core.trail import read, undo
from dashboard.core.trail.book import Book, Checked
from dashboard.core.trail.model import Deed
from dashboard.core.trail.undo import UndoPlan
from dashboard.readings import where

__all__ = ["check", "deed", "deeds", "of_role", "offered", "size"]


def deeds(since: datetime | None) -> tuple[Deed, ...]:
    """The newest deeds of this machine since then, the newest first. Raises ServiceFault."""
    book = Book.kept()
    return _deeds(str(book.file), book.last(), since)


def deed(name: str) -> Deed | None:
    """One of them; None where there is none. Raises ServiceFault."""
    return read.deed(Book.kept(), name)


def size() -> tuple[int, int]:
    """Rows and bytes of the trail's file. Raises ServiceFault."""
    book = Book.kept()
    rows = book.last()
    return rows, book.file.stat().st_size if rows else 0


def check() -> Checked:
    """Whether every row is as it was written. Raises ServiceFault."""
    return Book.kept().check()


def offered(aws: Aws, one: Deed) -> tuple[UndoPlan | None, str]:
    """What would take a deed back now; None and why, where nothing does. AWS is asked only where the trail allows it.

    What is open is looked at again a few seconds later, since somebody may change it meanwhile.
    """
    if why := undo.why_not(one):
        return None, why
    return _offered(where(aws), one.id, one, aws)


def of_role(aws: Aws, one: Deed) -> Record | None:
    """The record that a change of a role left, which takes it back better than its calls; None for other deeds."""
    if not any(call.service == "iam" for call in one.calls):
        return None
    try:
        kept = Records.kept().all(aws.account.account_id)
    except KennelError:
        return None  # the page says so itself where it shows the role
    return next((record for record in kept if record.deed == one.id), None)


@st.cache_resource(show_spinner=False, ttl=60, max_entries=8)
def _deeds(file: str, last: int, since: datetime | None) -> tuple[Deed, ...]:
    return read.deeds(Book.kept(), since=since, known=_known(file))


@st.cache_resource(show_spinner=False, max_entries=2)
def _known(file: str) -> dict[str, Deed]:
    """What is over of a file never changes: it is read once."""
    return {}


@st.cache_resource(show_spinner=False, ttl=5, max_entries=32)
def _offered(where: str, name: str, _deed: Deed, _aws: Aws) -> tuple[UndoPlan | None, str]:
    try:
        return undo.plan(_aws, _deed), ""
    except Refused as error:
        return None, ". ".join(part for part in (error.why, error.next_step) if part)
