"""A policy as its text, line by line, in which the statements that something is wrong with stand out. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.core.format import count
from dashboard.ui.markup import Markup, escape
from dashboard.ui.tones import LOOKS, Tone

STATEMENT = "Statement"
INDENT = 2
Document = Mapping[str, Any] | str


@dataclass(frozen=True)
class Line:
    """One line of the text. place: the statement it is of (from 0), None for what stands around them."""

    text: str
    place: int | None = None


@dataclass(frozen=True)
class Mark:
    """Why a statement stands out: the tone of what is wrong with it, and that in words."""

    tone: str
    word: str
    why: str = ""


def lines(document: Document) -> tuple[Line, ...]:
    """The document as JSON, in its own order. A text that is no policy stays as it is: nothing in it is of a statement.

    One statement that stands alone, without a list, is the statement 0.
    """
    read = _read(document)
    if read is None:
        return tuple(Line(text) for text in str(document).splitlines() or [""])
    found = [Line("{")]
    for number, (name, value) in enumerate(read.items()):
        comma = "," if number < len(read) - 1 else ""
        if name == STATEMENT:
            found += _statements(value, comma)
        else:
            found += [Line(text) for text in _indented(f"{json.dumps(name)}: {_dumped(value)}{comma}", INDENT)]
    return (*found, Line("}"))


def text(document: Document) -> str:
    """The same to copy or to save."""
    return "\n".join(line.text for line in lines(document))


def html(
    document: Document, label: str, marks: Mapping[int, Sequence[Mark]] | None = None, *, folded: bool = False
) -> Markup:
    """The text with its line numbers; a marked statement has its tone, a bar at its side, and above it what it is.

    folded: of the other statements only their number is shown, so that a long policy shows what is wrong with it, and
    the reasons are left to what stands beside it.
    """
    known = marks or {}
    rows: list[str] = []
    told: set[int] = set()
    skipped = 0
    for number, line in enumerate(lines(document), 1):
        of = known.get(line.place, ()) if line.place is not None else ()
        if folded and not of and line.place is not None:
            skipped += 1
            continue
        rows += _skipped(skipped)
        skipped = 0
        if of and line.place is not None and line.place not in told:
            told.add(line.place)
            rows += [_said(mark, with_why=not folded) for mark in of]
        tone = f' class="kn-guilty kn-{Tone(of[0].tone)}"' if of else ""
        rows.append(f'<li{tone} value="{number}"><code>{escape(line.text)}</code></li>')
    inner = "".join(rows)
    return Markup(
        f'<div class="kn-policy" role="region" tabindex="0" aria-label="{escape(label)}"><ol>{inner}</ol></div>'
    )


def brief(statement: Mapping[str, Any], most: int = 3) -> str:
    """A statement in a line: "Allow sagemaker:* on * if aws:SourceAccount". Of long lists the first `most`."""
    actions, is_not = _given(statement, "Action")
    resources, all_but = _given(statement, "Resource")
    told = [
        str(statement.get("Effect", "")),
        f"all but {_first(actions, most)}" if is_not else _first(actions, most),
    ]
    if resources:
        told.append(f"on all but {_first(resources, most)}" if all_but else f"on {_first(resources, most)}")
    if "Principal" in statement or "NotPrincipal" in statement:
        told.append(f"to {_principals(statement)}")
    keys = _keys(statement.get("Condition"))
    if keys:
        told.append(f"if {', '.join(keys)}")
    return " ".join(part for part in told if part)


def statements(document: Document) -> tuple[Mapping[str, Any], ...]:
    """The statements of a document, each an object; () of one that is none."""
    read = _read(document)
    given = read.get(STATEMENT) if read else None
    found = given if isinstance(given, list) else [given]
    return tuple(one for one in found if isinstance(one, Mapping))


def _read(document: Document) -> Mapping[str, Any] | None:
    if isinstance(document, Mapping):
        return document
    try:
        read = json.loads(document)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, Mapping) else None


def _statements(value: Any, comma: str) -> list[Line]:
    if not isinstance(value, list):
        opening = f"{json.dumps(STATEMENT)}: {_dumped(value)}{comma}"
        return [Line(each, 0) for each in _indented(opening, INDENT)]
    pad = " " * INDENT
    if not value:
        return [Line(f"{pad}{json.dumps(STATEMENT)}: []{comma}")]
    found = [Line(f"{pad}{json.dumps(STATEMENT)}: [")]
    for place, statement in enumerate(value):
        after = "," if place < len(value) - 1 else ""
        found += [Line(each, place) for each in _indented(f"{_dumped(statement)}{after}", 2 * INDENT)]
    return [*found, Line(f"{pad}]{comma}")]


def _dumped(value: Any) -> str:
    return json.dumps(value, indent=INDENT, ensure_ascii=False, default=str)


def _indented(told: str, by: int) -> list[str]:
    return [f"{' ' * by}{line}" for line in told.splitlines()]


def _skipped(number: int) -> list[str]:
    told = f"{count(number, 'line')} without a finding"
    return [f'<li class="kn-skipped"><span aria-hidden="true">⋯</span> {told}</li>'] if number else []


def _said(mark: Mark, *, with_why: bool) -> str:
    tone = Tone(mark.tone)
    said = escape(f"{mark.word} · {mark.why}" if mark.why and with_why else mark.word)
    return f'<li class="kn-guilt kn-{tone}"><span aria-hidden="true">{LOOKS[tone].shape}</span> {said}</li>'


def _given(statement: Mapping[str, Any], name: str) -> tuple[list[str], bool]:
    """What Action or Resource says, and whether it is said by its Not… form."""
    is_not = name not in statement and f"Not{name}" in statement
    value = statement.get(f"Not{name}" if is_not else name, [])
    return [str(one) for one in (value if isinstance(value, list) else [value])], is_not


def _first(values: Sequence[str], most: int) -> str:
    more = len(values) - most
    return ", ".join(values[:most]) + (f" and {more} more" if more > 0 else "")


def _principals(statement: Mapping[str, Any]) -> str:
    given = statement.get("Principal", statement.get("NotPrincipal"))
    before = "all but " if "Principal" not in statement else ""
    if not isinstance(given, Mapping):
        return f"{before}{given}"
    found = [str(one) for value in given.values() for one in (value if isinstance(value, list) else [value])]
    return f"{before}{_first(found, 3)}"


def _keys(condition: Any) -> list[str]:
    if not isinstance(condition, Mapping):
        return []
    return sorted({str(key) for keys in condition.values() if isinstance(keys, Mapping) for key in keys})
