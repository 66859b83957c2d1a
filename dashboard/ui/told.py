"""What a dialog tells of its plan, as text: it is kept with the deed, so that the trail says what somebody agreed to.

What lays a plan out (facts, calls, differences) says it here too; only an open dialog listens.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from html import unescape

TAG = re.compile(r"<[^>]+>")
ESCAPED = re.compile(r"\\(\W)")
BREAK = re.compile(r"<br\s*/?>|</(?:li|p|div|tr)>")

_listening: ContextVar[list[str] | None] = ContextVar("told", default=None)


@contextmanager
def heard() -> Iterator[list[str]]:
    """Inside, everything that is told is in this list."""
    lines: list[str] = []
    before = _listening.set(lines)
    try:
        yield lines
    finally:
        _listening.reset(before)


def tell(line: str) -> None:
    """A line of a plan, where a plan is open."""
    if (lines := _listening.get()) is not None and line not in lines:
        lines.append(line)


def unmarked(text: str) -> str:
    """A text that was written for a place that reads Markdown, as it is read there."""
    return ESCAPED.sub(r"\1", text)


def plain(html: str) -> str:
    """Markup as its text."""
    return " ".join(unescape(TAG.sub("", BREAK.sub("; ", html))).split()).strip("; ")
