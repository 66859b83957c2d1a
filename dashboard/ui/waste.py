"""The Waste page's parts: what was found with its evidence, its dollars a day and its buttons; what was looked at."""

from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import REAL, nature_of
from dashboard.core.costs.waste.waste import Act, Evidence, Finding, Sweep, by_thing, told
from dashboard.core.format import count, money
from dashboard.ui import (
    address,
    chart,
    confirm,
    empty,
    markup,
    page,
    receipt,
    receipt_lines,
    spend_controls,
    strip,
    unread,
    waste_dialogs,
    waste_words,
)
from dashboard.ui.markup import Markup, badge, escape
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure
from dashboard.ui.tones import Tone

OF, IDLE = "of", "idle"


def usual(sweep: Sweep, account: Account) -> Nature:
    """The kind of money that is shown unless another is asked for: the account's own, else what there is."""
    own = Nature.of({}, is_embedded=account.is_embedded)
    return own if own in sweep.natures or not sweep.natures else sweep.natures[0]


def nature(sweep: Sweep, account: Account) -> Nature:
    """The kind of money to show: the address's, else the usual one."""
    asked = st.query_params.get(OF, "")
    address.misread(address.unknown_of(st.query_params, {OF: ("the money", (*Nature._value2member_map_, REAL))}))
    if asked == REAL:
        st.query_params[OF] = Nature.LISTED.value  # as the control beside it writes it
    return nature_of(asked) or usual(sweep, account)


def controls(sweep: Sweep, shown: Nature, account: Account) -> None:
    """After how long something counts as unused, and which kind of money."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="waste-controls"):
        st.segmented_control(
            "Unused after",
            list(waste_words.IDLE),
            default=waste_words.USUAL,
            required=True,
            key=IDLE,
            bind="query-params",
            help="How long nobody asked an endpoint, worked in a notebook, or used what is kept ready",
        )
        own = usual(sweep, account)
        there = [one for one in Nature if one in sweep.natures or one in (shown, own)]
        if len(there) > 1:
            st.segmented_control(
                "Money",
                [one.value for one in there],
                format_func=lambda one: Nature(one).word,
                default=own.value,  # the same in every run: what differs from it stands in the address
                required=True,
                key=OF,
                bind="query-params",
                help="Kinds of money are never added up together",
            )
        st.button("Look again", key="waste-again", icon=":material/refresh:", on_click=state.forget_waste)
        if found := sweep.of(shown):
            file = f"kennel-waste-{shown.value}-{sweep.at:%Y-%m-%d}.csv"
            chart.download(lambda: waste_words.plain(found), file, "waste-csv")


def figures(sweep: Sweep, shown: Nature) -> None:
    """What it costs a day, how many things, which go by themselves, which are others'."""
    findings, wasted = sweep.of(shown), sweep.wasted(shown)
    going = {one.subject: one.scheduled for one in findings if one.scheduled}
    first = min((when for when in going.values() if when), default=None)
    others = waste_words.foreign(findings)
    known = wasted.things == 0 or wasted.unknown < wasted.things
    parts = [
        Figure(
            "wasted",
            "Wasted a day",
            money(wasted.per_day) if known else "unknown",
            waste_words.month_note(sweep, shown),
            mark=receipt.of(shown),
        ),
        Figure("found", "Found", count(wasted.things, "thing"), f"{count(len(findings), 'reason')} to look"),
        Figure(
            "going", "Goes by itself", count(len(going)), f"first on {told(first)}" if first else "none is scheduled"
        ),
        Figure("foreign", "Not Kennel's", count(others), "shown, not touched" if others else "none was found"),
        Figure(
            "looked",
            "Looked at",
            count(sum(sweep.looked.values()), "thing"),
            f"{count(len(sweep.unread), 'part')} not checked" if sweep.unread else "none was left out",
        ),
    ]
    strip.show(parts)


def findings(aws: Aws, sweep: Sweep, shown: Nature, ledger: Ledger) -> None:
    """Every finding, the dearest first; an empty page says what would be found. ledger: what things have cost."""
    found = sweep.of(shown)
    if not found:
        empty.show(
            "waste",
            "Nothing is wasted, as far as could be looked.",
            "Endpoints past their time or without requests, instances and volumes that nobody uses, and old files "
            "appear here with what they cost a day and what to do.",
            Place.COSTS,
            "See what was spent",
        )
    for about in by_thing(found):
        with st.container(border=True, key=f"panel-waste-{about[0].subject}", gap="small"):
            _thing(aws, about, ledger)


def _thing(aws: Aws, about: tuple[Finding, ...], ledger: Ledger) -> None:
    """One thing with all that is said of it; each act is offered once."""
    dearest = about[0]
    with st.container(horizontal=True, vertical_alignment="top", horizontal_alignment="distribute", gap="medium"):
        st.html(head(about))
        st.html(per_day(dearest), width="content")
    offers: dict[Act, Finding] = {}
    for one in sorted(about, key=lambda one: -len(one.acts)):
        for act in one.acts:
            offers.setdefault(act, one)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-waste-{dearest.subject}"):
        for place, (act, one) in enumerate(offers.items()):
            st.button(
                waste_words.button(one, act),
                key=f"waste-{act}-{one.key}",
                type="primary" if place == 0 else "secondary",
                on_click=confirm.ask,
                args=(partial(waste_dialogs.question, aws, one, act),),
            )
        if day := dearest.one_day:
            with st.popover("How it is counted", type="tertiary", width="content"):
                st.html(receipt_lines.table(day))
        if ledger.find(dearest.receipt):
            st.page_link(Place.RECEIPT, label="What it has cost", query_params={"receipt": dearest.receipt})


def head(about: tuple[Finding, ...]) -> Markup:
    """What it is, what is wrong with it, and the evidence for each of that."""
    one = about[0]
    marks = [badge(waste_words.tone(reason), reason.kind.word) for reason in about]
    if one.scheduled:
        marks.append(badge(Tone.RUNNING, f"goes on {told(one.scheduled)}"))
    if not one.is_kennels:
        marks.append(badge(Tone.STOPPED, "not Kennel's", "Kennel did not make it, and so offers nothing to do"))
    of = f" of {escape(one.of)}" if one.of else ""
    facts = dict.fromkeys(fact for reason in about for fact in reason.evidence if fact.what)
    rows = "".join(f"<li>{_evidence(fact)}</li>" for fact in facts)
    return Markup(
        f'<div class="kn-row"><p>{escape(one.thing)} <strong>{escape(one.name)}</strong>{of} {" ".join(marks)}</p>'
        f'<ul class="kn-evidence">{rows}</ul></div>'
    )


def _evidence(fact: Evidence) -> str:
    return f'{escape(markup.sentence(fact.what))} <span class="kn-note">{escape(fact.source)}</span>'


def per_day(one: Finding) -> Markup:
    """ "$2.76 a day", with its mark; or unknown, and why."""
    if one.per_day is None:
        return Markup(
            f'<div class="kn-per-day"><p><strong>unknown</strong></p><p class="kn-note">{escape(one.why)}</p></div>'
        )
    about = "about " if one.is_estimate else ""
    return Markup(
        f'<div class="kn-per-day"><p><strong>{about}{money(one.per_day)}</strong> a day</p>'
        f'<p class="kn-note">{receipt.word_of(one.nature)}</p></div>'
    )


def foot(sweep: Sweep, shown: Nature, account: Account, ledger: Ledger) -> None:
    """What was looked at and what could not be: silence about a part would look as if it were clean. For a sheet of
    paper: whose account, when, and from where. ledger: what things have cost, which their receipts tell.
    """
    page.section("Looked at")
    with st.container(border=True, key="panel-looked", gap=None):
        st.html(markup.note(f"{markup.sentence(waste_words.looked(sweep))}. As of {told(sweep.at)}."))
        unread.show("Not checked", sweep.unread, "waste")
        unread.show("Not known of what things have cost", ledger.unread, "waste-costs")
    query = {OF: shown.value} | {name: st.query_params[name] for name in (OF, IDLE) if name in st.query_params}
    st.html(receipt_lines.foot(shown, account, sweep.at, spend_controls.link(query)))
