"""Prices as tables: rows for the screen and for a spreadsheet, what is unknown, what changed, what was seen. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any

from dashboard.core.costs.price_table import Row
from dashboard.core.costs.prices import Observation
from dashboard.core.format import rate
from dashboard.ui.markup import Markup, sentence


def cells(shown: Sequence[Row], month: Decimal, now: datetime) -> list[dict[str, Any]]:
    """One row a price; what is not priced by the hour has no month."""
    return [
        {
            "What": row.name,
            "Price": rate(row.price.amount, row.price.per, row.price.currency),
            "For": row.group.value,
            "Month": None if (cost := row.month(month)) is None else float(cost),
            "Sure": row.price.confidence.word,
            "As of": row.price.date,
            "Age": f"{max(0, (now.date() - row.price.date).days):,} d",
            "Source": row.price.source,
        }
        for row in shown
        if row.price is not None
    ]


def plain(shown: Sequence[Row], region: str, month: Decimal) -> list[dict[str, str]]:
    """The same for a spreadsheet, with all digits."""
    return [
        {
            "region": region,
            "for": row.group.value,
            "what": row.name,
            "price": f"{row.price.amount:f}",
            "currency": row.price.currency,
            "per": row.price.per,
            f"month_of_{month}_h": "" if (cost := row.month(month)) is None else f"{cost:f}",
            "confidence": row.price.confidence.value,
            "date": str(row.price.date),
            "source": row.price.source,
        }
        for row in shown
        if row.price is not None
    ]


def observed(seen: Sequence[Observation]) -> Markup:
    """What spot was seen to cost: no list price, and no promise."""

    def between(one: Observation) -> str:
        lowest, highest = rate(one.lowest, "h", one.currency), rate(one.highest, "h", one.currency)
        return lowest if lowest == highest else f"{lowest} to {highest}"

    body = (
        f'<tr><td>{escape(one.instance_type)}</td><td class="kn-number">{between(one)}</td>'
        f"<td>{escape(sentence(one.source))}</td></tr>"
        for one in seen
    )
    return _table('<th>Instance</th><th class="kn-number">Price</th><th>Source</th>', body)


def unknown(missing: Sequence[Row]) -> Markup:
    """What has no price, put together by why and by what it is for."""
    together: dict[tuple[str, str], list[str]] = {}
    for row in missing:
        why = row.why_unknown.partition(": ")[2] or "not in the price book"
        together.setdefault((why, row.group.value), []).append(row.name)
    body = (
        f"<tr><td>{escape(group)}</td><td>{escape(', '.join(names))}</td><td>{escape(sentence(why))}</td></tr>"
        for (why, group), names in together.items()
    )
    return _table("<th>For</th><th>What</th><th>Why</th>", body)


def changed(found: Sequence[Row]) -> Markup:
    """Prices that were another before, oldest first: what was used then is counted with what it cost then."""
    body = (
        f"<tr><td>{escape(row.name)}</td><td>{escape(row.group)}</td><td>{price.date}</td>"
        f'<td class="kn-number">{rate(price.amount, price.per, price.currency)}</td>'
        f"<td>{escape(sentence(price.source))}</td></tr>"
        for row in found
        for price in (*row.before, row.price)
        if price is not None
    )
    head = '<th>What</th><th>For</th><th>From</th><th class="kn-number">Price</th><th>Source</th>'
    return _table(head, body)


def _table(head: str, body: Iterable[str]) -> Markup:
    rows = "".join(body)
    table = f'<table class="kn-lines"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    around = 'class="kn-scroll" tabindex="0" role="group" aria-label="Prices, as wide as their columns"'
    return Markup(f"<div {around}>{table}</div>")
