"""What to do about spending: the dearest waste, and what the choices that were made teach, each with its page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

import streamlit as st

from dashboard.core.costs.choices.advice import Advice
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.spend.forecast import Forecast, Standing
from dashboard.core.costs.waste.waste import Finding, Sweep, by_thing
from dashboard.core.format import count, money, rate
from dashboard.ui import markup, page, receipt, unread
from dashboard.ui.markup import Markup, badge
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure
from dashboard.ui.tones import Tone

FINDINGS, SENTENCES = 3, 2


def figures(sweep: Sweep, nature: Nature) -> list[Figure]:
    """The card for the strip: dollars a day that serve nobody."""
    wasted = sweep.wasted(nature)
    known = wasted.things == 0 or wasted.unknown < wasted.things
    left = f", {count(len(sweep.unread), 'part')} not checked" if sweep.unread else ""
    ending = len({one.subject for one in sweep.of(nature) if one.scheduled is not None})
    left = (f", {ending} of them ends by a schedule" if ending else "") + left
    return [
        Figure(
            "spend-wasted",
            "Wasted a day",
            money(wasted.per_day) if known else "unknown",
            (count(wasted.things, "thing") + " nobody uses" if wasted.things else "nothing found") + left,
            Place.WASTE,
            "Open waste",
            receipt.of(nature),
            tone=Tone.WAITING if wasted.things else "",
            query={"of": nature.value},
        )
    ]


def panel(sweep: Sweep, advice: Sequence[Advice], nature: Nature, coming: Forecast | None = None) -> None:
    """The first things to do; where there is nothing to do, that. What a schedule ends by itself comes last."""
    page.section("What to do", receipt.word_of(nature))
    found = [about[0] for about in by_thing(sweep.of(nature))]  # of each thing the dearest reason
    ending = going(found, coming)
    found = [one for one in found if one.subject not in ending]
    stands = standing(coming, found)
    with st.container(border=True, key="panel-spend-todo", gap=None):
        for place, one in enumerate(found[:FINDINGS]):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-todo-waste-{place}"):
                st.html(finding(one))
                tip = markup.literal(f"Waste: {one.name}")
                st.page_link(Place.WASTE, label="See to it", query_params={"of": nature.value}, help=tip)
        if stands is not None and coming is not None:
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key="row-todo-stands"):
                st.html(stands_line(stands, coming))
                tip = markup.literal(f"The receipt of {stands.receipt.name}")
                query = {"receipt": stands.receipt.key}
                st.page_link(Place.RECEIPT, label="Open it", query_params=query, help=tip)
        for place, told in enumerate(advice[:SENTENCES]):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-todo-{place}"):
                st.html(Markup(f'<div class="kn-row"><p>{escape(told.sentence)}</p></div>'))
                tip = markup.literal(f"Choices: {told.what}")
                st.page_link(Place.CHOICES, label="Compare", query_params=dict(told.query), help=tip)
        if len(found) > FINDINGS:
            st.html(markup.note(f"{count(len(found) - FINDINGS, 'more thing')} under Waste."))
        for name, when in ending.values():
            st.html(markup.note(f"{name} ends by itself: a schedule deletes it on {moment(when)}."))
        unread.show("Not checked for waste", sweep.unread, "spend-todo")
        if not found and not advice and not ending and stands is None:
            st.html(f'<div class="kn-row"><p>{badge(Tone.DONE, "nothing to do")} No waste was found.</p></div>')


def going(found: Sequence[Finding], coming: Forecast | None) -> dict[str, tuple[str, datetime]]:
    """Of these things those that a schedule deletes, by subject: their names, and when."""
    told = {one.receipt.key: one.ends for one in coming.things if one.ends} if coming else {}
    when = {one.subject: (one.name, one.scheduled or told.get(one.receipt)) for one in found}
    return {subject: (name, at) for subject, (name, at) in when.items() if at is not None}


def standing(coming: Forecast | None, found: Sequence[Finding]) -> Standing | None:
    """The thing that most of what is to come is for; None where none is, or where it is told of already, or ends."""
    if coming is None or not coming.things or coming.expected is None:
        return None
    dearest = coming.things[0]
    is_most = dearest.adds(coming.at, coming.end) * 2 > coming.expected - coming.so_far
    is_told = dearest.receipt.key in {one.receipt for one in found}
    return dearest if is_most and not is_told and dearest.ends is None else None


def stands_line(one: Standing, coming: Forecast) -> Markup:
    """What a thing that stands adds until the month's end, and at which rate."""
    adds = money(one.adds(coming.at, coming.end))
    end = f"{coming.period.last:%-d %B}"
    return Markup(
        f'<div class="kn-row"><p><strong>{escape(adds)} until {escape(end)}</strong>: {escape(one.receipt.name)}, '
        f"which stands at {escape(rate(one.hourly, 'h'))}</p>"
        f'<p class="kn-note">Most of what is to come this month. {escape(wish(one, coming))}Stop it when nobody needs '
        "it.</p></div>"
    )


def wish(one: Standing, coming: Forecast) -> str:
    """That a thing was wanted for less long, and what it comes to until then; "" where it was not."""
    wanted = one.receipt.wanted
    if wanted is None or not one.unwanted(coming.at, coming.end):
        return ""
    if wanted <= coming.at:
        return f"It was wanted until {moment(wanted)}; nothing deletes it by itself. "
    until = f"{moment(wanted)}, {money(one.adds(coming.at, wanted))} from now"
    return f"It is wanted until {until}; nothing deletes it then by itself. "


def moment(when: datetime) -> str:
    """A moment in UTC: "21 November, 20:59 UTC"."""
    return f"{when.astimezone(UTC):%-d %B, %H:%M} UTC"


def finding(one: Finding) -> Markup:
    """One finding in two lines: what it is and costs a day, and the evidence."""
    cost = "at an unknown price" if one.per_day is None else f"{money(one.per_day)} a day"
    evidence = next((fact.what for fact in one.evidence if fact.what), "")
    return Markup(
        f'<div class="kn-row"><p><strong>{escape(cost)}</strong>: {escape(one.thing)} {escape(one.name)}, '
        f"{escape(one.kind.word)}</p>"
        f'<p class="kn-note">{escape(markup.sentence(evidence))}</p></div>'
    )
