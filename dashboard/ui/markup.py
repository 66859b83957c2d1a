"""Small pieces of HTML that Streamlit has no element for: bars, timelines, logs, facts. Pure: values in, text out.

All text that comes from outside (names, log lines, error messages) is escaped here; static/kennel.css is their look.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape as in_html

from dashboard.core.format import duration, percent
from dashboard.ui import told
from dashboard.ui.tones import LOOKS, Tone

MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~$:])")
NAME = re.compile(r"\w*[\d_.:/]\w")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class Markup(str):
    """Text that is HTML already and must not be escaped again."""


NO_MARK = Markup()


def escape(text: str) -> str:
    """Text from outside as HTML shows it: no tag, no terminal colour, no control character, no half of one."""
    return in_html(CONTROL.sub("", text))


def badge(tone: str, word: str, title: str = "", shape: str | None = None) -> str:
    """A status: its shape (or another one, "" where the word begins with its own), its word and its colour."""
    tip = f' title="{escape(title)}"' if title else ""
    mark = LOOKS[Tone(tone)].shape if shape is None else shape
    before = f'<span aria-hidden="true">{escape(mark)}</span> ' if mark else ""
    return f'<span class="kn-badge kn-{Tone(tone)}"{tip}>{before}{escape(word)}</span>'


def facts(rows: Mapping[str, str]) -> str:
    """Names and values under each other; a value may be markup made by this module (`Markup`).

    Where a plan is open, they are of it.
    """
    for name, value in rows.items():
        told.tell(f"{name}: {told.plain(value) if isinstance(value, Markup) else value}")
    body = "".join(f"<dt>{escape(name)}</dt><dd>{_text(value)}</dd>" for name, value in rows.items())
    return f'<dl class="kn-facts">{body}</dl>'


def _text(value: str) -> str:
    return value if isinstance(value, Markup) else escape(value)


def clean(line: str) -> str:
    """A log line without terminal colours and control characters; of a progress bar's redraws only the last."""
    return CONTROL.sub("", line.rstrip("\r\n").rsplit("\r", 1)[-1])


def log(lines: Sequence[str], label: str, mark: str = "", found: str = "") -> str:
    """A log's lines, the newest last; lines that contain `mark` stand out, and so does each place that says `found`.

    What was searched for is found however it is written, in capitals or not.
    """
    rows = []
    for line in lines:
        text = _found(clean(line), found) or "&nbsp;"
        rows.append(f"<mark>{text}</mark>" if mark and mark in line else text)
    inner = "\n".join(rows)
    return f'<div class="kn-log" role="log" tabindex="0" aria-label="{escape(label)}"><pre>{inner}</pre></div>'


def _found(text: str, found: str) -> str:
    """Escaped text in which the places that say `found` are marked."""
    if not found:
        return escape(text)
    parts = re.split(f"({re.escape(found)})", text, flags=re.IGNORECASE)
    return "".join(
        f'<mark class="kn-found">{escape(part)}</mark>' if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


@dataclass(frozen=True)
class Step:
    """One step of a timeline. `seconds` is None when it has no length yet; `tone` says how it stands, `word` why."""

    name: str
    tone: str
    seconds: float | None
    note: str = ""
    word: str = ""


def timeline(steps: Iterable[Step], label: str) -> str:
    """Steps in a row, each with its shape, name and time taken, and how they share the time in a bar above them."""
    items, parts = [], []
    for step in steps:
        shape = LOOKS[Tone(step.tone)].shape
        taken = duration(step.seconds) if step.seconds is not None else "–"
        name = f"{step.name} · {step.word}" if step.word else step.name
        items.append(
            f'<li class="kn-step kn-{Tone(step.tone)}" title="{escape(step.note)}">'
            f'<span class="kn-step-name"><span aria-hidden="true">{shape}</span> {escape(name)}</span>'
            f'<span class="kn-step-time">{taken}</span></li>'
        )
        if step.seconds:
            parts.append(
                f'<span class="kn-{Tone(step.tone)}" style="flex-grow:{step.seconds:.2f}" '
                f'title="{escape(name)}: {taken}"></span>'
            )
    bar = f'<div class="kn-share-bar" aria-hidden="true">{"".join(parts)}</div>' if len(parts) > 1 else ""
    return f'{bar}<ol class="kn-timeline" aria-label="{escape(label)}">{"".join(items)}</ol>'


def bars(shares: Sequence[tuple[str, float]], label: str) -> str:
    """Names with their share of 1 as bars, a real table underneath for screen readers and for copying."""
    rows = []
    for place, (name, share) in enumerate(shares):
        width = max(0.0, min(1.0, share)) * 100
        rows.append(
            f'<tr class="{"kn-first" if place == 0 else ""}"><th scope="row">{escape(name)}</th>'
            f'<td class="kn-bar"><div style="width:{width:.1f}%"></div></td>'
            f'<td class="kn-share">{percent(share, 1 if share < 0.1 else 0)}</td></tr>'
        )
    return f'<table class="kn-bars" aria-label="{escape(label)}"><tbody>{"".join(rows)}</tbody></table>'


def note(text: str, tone: str = "") -> str:
    """A small line of text under something."""
    kind = f" kn-{Tone(tone)}-text" if tone else ""
    return f'<p class="kn-note{kind}">{_text(text)}</p>'


def problem(kind: str, what: str, why: str, next_step: str, tone: str = Tone.FAILED) -> str:
    """An error in three lines: what happened, why, what to do."""
    lines = [f'<p class="kn-what">{badge(tone, kind)} <strong>{escape(what)}</strong></p>']
    for name, text in (("Why", why), ("What to do", next_step)):
        if text:
            lines.append(f'<p class="kn-why"><span>{name}</span> <span>{escape(sentence(text))}</span></p>')
    return f'<div class="kn-problem" role="alert">{"".join(lines)}</div>'


def sentence(text: str) -> str:
    """Text that begins with a capital letter, unless it begins with a name: "model.pth is …", "s3:GetObject may …"."""
    return text if NAME.match(text) else text[:1].upper() + text[1:]


def literal(text: str) -> str:
    """Text for a place that reads Markdown (labels, captions), shown as it is: no formula, link or emphasis."""
    return MARKDOWN.sub(r"\\\1", text)
