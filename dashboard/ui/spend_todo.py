"""What to do about spending: the dearest waste, and what the choices that were made teach, each with its page."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard.core.costs.advice import Advice
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste import Finding, Sweep, by_thing
from dashboard.core.format import count, money
from dashboard.ui import markup, page, receipt
from dashboard.ui.markup import Markup, badge
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure
from dashboard.ui.tones import Tone

FINDINGS, SENTENCES = 3, 2


def figures(sweep: Sweep, nature: Nature) -> list[Figure]:
    """The card for the strip: dollars a day that serve nobody."""
    wasted = sweep.wasted(nature)
    known = wasted.things == 0 or wasted.unknown < wasted.things
    unread = f", {count(len(sweep.unread), 'part')} not checked" if sweep.unread else ""
    return [
        Figure(
            "spend-wasted",
            "Wasted a day",
            money(wasted.per_day) if known else "unknown",
            (count(wasted.things, "thing") + " nobody uses" if wasted.things else "nothing found") + unread,
            Place.WASTE,
            "Open waste",
            receipt.of(nature),
            tone=Tone.WAITING if wasted.things else "",
            query={"of": nature.value},
        )
    ]


def panel(sweep: Sweep, advice: Sequence[Advice], nature: Nature) -> None:
    """The first things to do; where there is nothing to do, that."""
    page.section("What to do", receipt.word_of(nature))
    found = [about[0] for about in by_thing(sweep.of(nature))]  # of each thing the dearest reason
    with st.container(border=True, key="panel-spend-todo", gap=None):
        for place, one in enumerate(found[:FINDINGS]):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-todo-waste-{place}"):
                st.html(finding(one))
                tip = markup.literal(f"Waste: {one.name}")
                st.page_link(Place.WASTE, label="See to it", query_params={"of": nature.value}, help=tip)
        for place, told in enumerate(advice[:SENTENCES]):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-todo-{place}"):
                st.html(Markup(f'<div class="kn-row"><p>{escape(told.sentence)}</p></div>'))
                tip = markup.literal(f"Choices: {told.what}")
                st.page_link(Place.CHOICES, label="Compare", query_params=dict(told.query), help=tip)
        if len(found) > FINDINGS:
            st.html(markup.note(f"{count(len(found) - FINDINGS, 'more thing')} under Waste."))
        if not found and not advice:
            st.html(f'<div class="kn-row"><p>{badge(Tone.DONE, "nothing to do")} No waste was found.</p></div>')


def finding(one: Finding) -> Markup:
    """One finding in two lines: what it is and costs a day, and the evidence."""
    cost = "at an unknown price" if one.per_day is None else f"{money(one.per_day)} a day"
    evidence = next((fact.what for fact in one.evidence if fact.what), "")
    return Markup(
        f'<div class="kn-row"><p><strong>{escape(cost)}</strong>: {escape(one.thing)} {escape(one.name)}, '
        f"{escape(one.kind.word)}</p>"
        f'<p class="kn-note">{escape(markup.sentence(evidence))}</p></div>'
    )
