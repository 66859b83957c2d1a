"""What stands beside and below the chart of spending: where it went, why it changed, the three largest, platforms."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from dashboard.core.costs.ledger.ledger import Share
from dashboard.core.costs.selection import By
from dashboard.core.costs.spend.statement import Statement
from dashboard.core.format import count
from dashboard.ui import figures_spend, markup, page, receipt, spend_controls, spend_words
from dashboard.ui.markup import Markup
from dashboard.ui.page import Place

GROUPS, ITEMS = 6, 3


def where(made: Statement) -> None:
    """The groups, dearest first; a sum opens its receipts."""
    page.section(f"By {made.selection.by.word}", receipt.word_of(made.selection.nature))
    with st.container(border=True, key="panel-spend-where", gap=None):
        for place, share in enumerate(made.shares[:GROUPS]):
            _group(made, place, share)
        if len(made.shares) > GROUPS:
            with st.expander(f"{len(made.shares) - GROUPS} more", key="spend-more"):
                for place, share in enumerate(made.shares[GROUPS:], GROUPS):
                    _group(made, place, share)


def _group(made: Statement, place: int, share: Share) -> None:
    name = spend_words.group(made.selection.by, share.group)
    groups = made.series.groups
    colour = (
        figures_spend.colour(groups.index(share.group), groups, made.series.together) if share.group in groups else ""
    )
    swatch = f'<span class="kn-swatch" style="background:{colour}" aria-hidden="true"></span> ' if colour else ""
    row(
        f"where-{place}",
        f"<p>{swatch}<strong>{escape(name)}</strong></p>"
        f'<p class="kn-note">{escape(spend_words.share_note(share, made.total.amount))}</p>',
        spend_words.sum_of(share),
        made.selection.within(made.selection.by, share.group).query(),
        f"Open the receipts of {name}",
    )


def why(made: Statement) -> None:
    """The change, explained by its largest items."""
    page.section("What changed", receipt.word_of(made.selection.nature))
    with st.container(border=True, key="panel-spend-change", gap=None):
        st.html(f'<h2 class="kn-finding">{escape(spend_words.change_finding(made.change, made.selection.by))}</h2>')
        told = [item for item in made.change.items if item.difference]
        for place, item in enumerate(told[:ITEMS]):
            name = spend_words.group(made.selection.by, item.group)
            row(
                f"change-{place}",
                f'<p><strong>{escape(name)}</strong></p><p class="kn-note">{escape(spend_words.item_note(item))}</p>',
                spend_words.signed(item.difference),
                spend_controls.against(
                    made.selection.over(made.change.period).within(made.selection.by, item.group), made.change.before
                ),
                f"Open what changed of {name}",
            )
        rest = sum((item.difference for item in told[ITEMS:]), start=made.change.difference * 0)
        if told[ITEMS:]:
            st.html(markup.note(f"{count(len(told) - ITEMS, 'other')} together {spend_words.signed(rest)}"))


def dearest(made: Statement) -> None:
    """The three receipts that cost most; a tuning job is one, and opens to its trials."""
    page.section("Three largest", receipt.word_of(made.selection.nature))
    with st.container(border=True, key="panel-spend-dearest", gap=None):
        for place, (one, amount) in enumerate(made.dearest):
            about = " · ".join(part for part in spend_words.about(one) if part)
            row(
                f"dearest-{place}",
                f'<p><strong>{escape(one.name)}</strong></p><p class="kn-note">{escape(about)}</p>',
                spend_words.least(amount, is_least=one.is_least),
                {"receipt": one.key, **made.selection.query()},
                f"Open the receipt of {one.name}",
            )


def platforms(made: Statement) -> None:
    """SageMaker against EC2: what trainings cost on each."""
    if not made.platforms:
        return
    page.section("SageMaker against EC2", receipt.word_of(made.selection.nature))
    with st.container(border=True, key="panel-spend-platforms", gap=None):
        for place, share in enumerate(made.platforms):
            known = share.receipts - share.unknown
            mean = f" · {spend_words.least(share.amount / known, is_least=bool(share.lacking))} a run" if known else ""
            unknown = f", {share.unknown} of unknown cost" if share.unknown else ""
            row(
                f"platform-{place}",
                f"<p><strong>{escape(share.group)}</strong></p>"
                f'<p class="kn-note">{count(share.receipts, "run")}{unknown}{mean}</p>',
                spend_words.sum_of(share),
                made.selection.within(By.PLATFORM, share.group).query(),
                f"Open the runs on {share.group}",
            )
        said = "All runs of these days, whatever they did: the sums do not tell which is cheaper."
        st.html(markup.note(f"{said} Runs that did the same work are held against each other under Choices."))


def row(key: str, body: str, label: str, query: Mapping[str, str], tip: str) -> None:
    """A line of a panel with its sum, which opens what it is made of."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-spend-{key}"):
        st.html(Markup(f'<div class="kn-row">{body}</div>'))
        st.page_link(Place.RECEIPT, label=markup.literal(label), query_params=dict(query), help=markup.literal(tip))
