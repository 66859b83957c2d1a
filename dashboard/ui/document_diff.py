"""Two policies side by side in one text: what goes, what comes, what stays. Pure."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboard.core.format import count
from dashboard.ui import document_text
from dashboard.ui.document_text import Document
from dashboard.ui.markup import Markup, badge, escape
from dashboard.ui.tones import Tone

SHOWN = 6
"""Statements that go, shown at once."""
AROUND = 3
"""Lines that stay, shown around what changes."""


class Change(StrEnum):
    SAME = "same"
    GOES = "goes"
    COMES = "comes"
    SKIPPED = "skipped"

    @property
    def sign(self) -> str:
        return {Change.SAME: " ", Change.GOES: "−", Change.COMES: "+", Change.SKIPPED: "⋯"}[self]


WORDS = {
    Change.GOES: (Tone.FAILED, "goes"),
    Change.COMES: (Tone.DONE, "comes"),
    Change.SAME: (Tone.STOPPED, "stays"),
}


@dataclass(frozen=True)
class Row:
    """One line of the difference."""

    change: Change
    text: str


@dataclass(frozen=True)
class Held:
    """A statement with the policy that holds it: "AmazonS3FullAccess", "Allow s3:* on *"."""

    policy: str
    statement: Mapping[str, Any]

    @property
    def words(self) -> str:
        return document_text.brief(self.statement)


def rows(before: Document, after: Document, around: int = AROUND) -> tuple[Row, ...]:
    """Line by line from `before` to `after`; long runs of what stays are one line that says how many."""
    return _folded(_compared(_texts(before), _texts(after)), around)


def html(found: Sequence[Row], label: str) -> Markup:
    """The difference as text, each line with its sign, so that it is legible without colour and by a screen reader."""
    words = {Change.GOES: "goes: ", Change.COMES: "comes: "}
    inner = "".join(
        f'<li class="kn-diff-{row.change}"><span aria-hidden="true">{row.change.sign}</span>'
        f'<span class="kn-unseen">{words.get(row.change, "")}</span><code>{escape(row.text)}</code></li>'
        for row in found
    )
    return Markup(
        f'<div class="kn-policy kn-diff" role="region" tabindex="0" aria-label="{escape(label)}"><ol>{inner}</ol></div>'
    )


def summary(found: Sequence[Row]) -> str:
    """ "12 lines go, 30 come"; "nothing changes"."""
    goes = sum(row.change is Change.GOES for row in found)
    comes = sum(row.change is Change.COMES for row in found)
    if not goes and not comes:
        return "nothing changes"
    return f"{count(goes, 'line')} {'goes' if goes == 1 else 'go'}, {comes:,} {'comes' if comes == 1 else 'come'}"


def statements(
    before: Iterable[tuple[str, Document]], after: Iterable[tuple[str, Document]]
) -> tuple[tuple[Change, Held], ...]:
    """Statement by statement over whole sets of policies, whichever policy holds each: what goes, comes and stays."""
    old, new = _held(before), _held(after)
    kept = {_known(one) for one in old} & {_known(one) for one in new}
    return (
        *((Change.GOES, one) for one in old if _known(one) not in kept),
        *((Change.COMES, one) for one in new if _known(one) not in kept),
        *((Change.SAME, one) for one in new if _known(one) in kept),
    )


def told(found: Sequence[tuple[Change, Held]]) -> str:
    """ "7 come, 45 go, 1 stays"; "none"."""
    numbers = {change: sum(one is change for one, _ in found) for change in WORDS}
    words = {Change.COMES: ("comes", "come"), Change.GOES: ("goes", "go"), Change.SAME: ("stays", "stay")}
    return (
        ", ".join(f"{numbers[one]:,} {say[numbers[one] != 1]}" for one, say in words.items() if numbers[one]) or "none"
    )


def listed(found: Sequence[tuple[Change, Held]], shown: int = SHOWN) -> Markup:
    """Statements as a table: what becomes of each, what it says, and which policy holds it. What comes is first; of
    many that go, all but the first few (`shown`) are folded away.
    """
    order = (Change.COMES, Change.SAME, Change.GOES)
    ordered = sorted(found, key=lambda one: order.index(one[0]))
    gone = sum(change is Change.GOES for change, _ in found)
    first = len(ordered) - (gone - shown if gone > shown + 2 else 0)
    more = ordered[first:]
    rest = f"<details><summary>{_folded_words(len(more), shown)}</summary>{_table(more)}</details>"
    return Markup(f"{_table(ordered[:first])}{rest if more else ''}")


def _folded_words(number: int, shown: int) -> str:
    return f"{count(number, 'more statement' if shown else 'statement')} that {'goes' if number == 1 else 'go'}"


def _table(found: Sequence[tuple[Change, Held]]) -> str:
    rows = "".join(
        f"<tr><td>{badge(*WORDS[change])}</td><td>{escape(held.words)}</td>"
        f'<td data-of="Policy">{escape(held.policy)}</td></tr>'
        for change, held in found
    )
    return (
        '<div class="kn-scroll" tabindex="0" role="group" aria-label="Statements that go, come and stay">'
        '<table class="kn-lines kn-stacks kn-statements"><thead><tr>'
        "<th>Change</th><th>Statement</th><th>Policy</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _held(policies: Iterable[tuple[str, Document]]) -> list[Held]:
    return [Held(name, one) for name, document in policies for one in document_text.statements(document)]


def _known(one: Held) -> str:
    """What makes two statements the same: all that they say but for their name."""
    return json.dumps({name: value for name, value in one.statement.items() if name != "Sid"}, sort_keys=True)


def _texts(document: Document) -> list[str]:
    return [line.text for line in document_text.lines(document)] if document else []


def _compared(before: list[str], after: list[str]) -> list[Row]:
    found: list[Row] = []
    for tag, left, left_end, right, right_end in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
        if tag == "equal":
            found += [Row(Change.SAME, text) for text in after[right:right_end]]
        else:
            found += [Row(Change.GOES, text) for text in before[left:left_end]]
            found += [Row(Change.COMES, text) for text in after[right:right_end]]
    return found


def _folded(found: list[Row], around: int) -> tuple[Row, ...]:
    near = {
        each
        for place, row in enumerate(found)
        if row.change is not Change.SAME
        for each in range(place - around, place + around + 1)
    }
    folded: list[Row] = []
    skipped = 0
    for place, row in enumerate(found):
        if place in near:
            if skipped:
                folded.append(Row(Change.SKIPPED, _skipped(skipped)))
            skipped = 0
            folded.append(row)
        else:
            skipped += 1
    if skipped:
        folded.append(Row(Change.SKIPPED, _skipped(skipped)))
    return tuple(folded)


def _skipped(number: int) -> str:
    return f"{count(number, 'line')} {'stays' if number == 1 else 'stay'}"
