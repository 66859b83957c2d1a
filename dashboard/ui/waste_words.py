"""What the Waste page says, in words. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste.waste import Act, Finding, Sweep, Thing
from dashboard.core.format import count, money
from dashboard.ui.tones import Tone

IDLE: Mapping[str, timedelta] = {
    "1 h": timedelta(hours=1),
    "6 h": timedelta(hours=6),
    "24 h": timedelta(hours=24),
    "7 d": timedelta(days=7),
}
USUAL = "24 h"

BUTTONS = {
    Act.DELETE: "Delete",
    Act.STOP: "Stop",
    Act.SHRINK: "Shrink",
    Act.SCHEDULE: "Delete later",
    Act.UNSCHEDULE: "Cancel the deletion",
    Act.KEEP: "Keep for longer",
}
DELETES = {
    Thing.FUNCTION: "Remove provisioned concurrency",
    Thing.INSTANCE: "Terminate",
    Thing.ADDRESS: "Release",
}
"""How deleting is called where AWS has a word of its own for it."""
ONE = {
    "endpoints": "endpoint",
    "notebooks": "notebook",
    "instances": "instance",
    "volumes": "volume",
    "addresses": "address",
    "folders of runs": "folder of a run",
}
MONTH_HOURS = 730


def sentence(sweep: Sweep, nature: Nature) -> str:
    """The live sentence: "$2.76 a day goes to 2 things that serve nobody"."""
    wasted = sweep.wasted(nature)
    if not wasted.things:
        return "nothing that costs money was found unused" + (", as far as could be looked" if sweep.unread else "")
    things = count(wasted.things, "thing")
    if wasted.unknown == wasted.things:
        return f"{things} that {_serve(wasted.things)} nobody, at an unknown price"
    more = f", {wasted.unknown} of them without a known price" if wasted.unknown else ""
    return f"{money(wasted.per_day)} a day goes to {things} that {_serve(wasted.things)} nobody{more}"


def _serve(number: int) -> str:
    return "serves" if number == 1 else "serve"


def month_note(sweep: Sweep, nature: Nature) -> str:
    """What it comes to in a month: its length is said."""
    wasted = sweep.wasted(nature)
    if not wasted.things:
        return "nothing to save"
    return f"{money(wasted.per_day * MONTH_HOURS / 24)} in a month of {MONTH_HOURS} h"


def looked(sweep: Sweep) -> str:
    """What was looked at: "1 endpoint, 2 volumes, no addresses"."""
    there = [count(number, ONE.get(what, what), what) for what, number in sweep.looked.items() if number]
    none = [what for what, number in sweep.looked.items() if not number]
    parts = ([", ".join(there)] if there else []) + ([f"none of: {', '.join(none)}"] if none else [])
    return "; ".join(parts) or "nothing could be looked at"


def plain(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """The findings of one nature of money for a file, the dearest first: sums with all of their digits."""
    return [
        {
            "thing": one.thing,
            "name": one.name,
            "of": one.of,
            "why": one.kind.word,
            "USD a day": "" if one.per_day is None else f"{one.per_day:f}",
            "money": one.nature.word,
            "unknown because": one.why,
            "Kennel's": "yes" if one.is_kennels else "no",
            "evidence": "; ".join(f"{fact.what} ({fact.source})" for fact in one.evidence if fact.what),
        }
        for one in findings
    ]


def button(finding: Finding, act: Act) -> str:
    """What the button of an act says; a shrink says to what."""
    if act is Act.DELETE:
        return DELETES.get(finding.thing, BUTTONS[act])
    return f"Shrink to {finding.wanted}" if act is Act.SHRINK else BUTTONS[act]


def tone(finding: Finding) -> Tone:
    """Amber for what can be changed here, grey for what is others' or about to go anyway."""
    return Tone.STOPPED if not finding.is_kennels or finding.scheduled else Tone.WAITING


def foreign(findings: Sequence[Finding]) -> int:
    """How many things were found that Kennel did not make."""
    return len({one.subject for one in findings if not one.is_kennels})
