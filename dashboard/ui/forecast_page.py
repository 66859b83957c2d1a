"""What a forecast is made of: what is spent, each thing that stands with its receipt, and the days of the rest."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import streamlit as st

from dashboard.core.aws import Account
from dashboard.core.costs.ledger.ledger import Ledger
from dashboard.core.costs.selection import Period, Selection
from dashboard.core.costs.spend.forecast import LEAST_DAYS, Forecast, Standing
from dashboard.core.costs.spend.statement import month_forecast
from dashboard.core.format import count, money, rate
from dashboard.ui import markup, page, receipt, receipt_lines, spend_controls, spend_words
from dashboard.ui.markup import Markup, escape
from dashboard.ui.page import Place

FORECAST, SHOWN = "forecast", "month"


def show(ledger: Ledger, selection: Selection, account: Account) -> None:
    """The forecast of the month that goes on, of what the selection keeps."""
    today = ledger.at.astimezone(UTC).date()
    month = selection.over(Period.month(today))
    coming = month_forecast(ledger, month, today)
    if coming is None:  # a month has its days, today among them
        return
    of = f"{spend_words.only(month)}, " if month.only else ""
    said = f"{of}forecast of {spend_words.span(month.period)} (UTC): {spend_words.forecast_note(coming)}"
    page.title(
        spend_words.forecast_value(coming),
        said,
        marks=receipt.of(month.nature),
    )
    page.section("What it is made of", receipt.word_of(month.nature))
    with st.container(border=True, key="panel-forecast-parts", gap=None):
        for place, (what, note, amount, query, tip) in enumerate(parts(coming, month)):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-forecast-{place}"):
                st.html(
                    Markup(
                        f'<div class="kn-row"><p><strong>{escape(what)}</strong></p>'
                        f'<p class="kn-note">{escape(markup.sentence(note))}</p></div>'
                    )
                )
                if query:
                    tip = markup.literal(tip)
                    st.page_link(Place.RECEIPT, label=money(amount), query_params=dict(query), help=tip)
                else:
                    st.html(Markup(f"<p><strong>{escape(money(amount))}</strong></p>"), width="content")
        st.html(_sum(coming, month))
    days(coming, month, ledger)
    address = spend_controls.link({**month.query(), FORECAST: SHOWN})
    st.html(receipt_lines.foot(month.nature, account, ledger.at, address))


def parts(coming: Forecast, month: Selection) -> Iterable[tuple[str, str, Decimal, Mapping[str, str], str]]:
    """What adds up to it: a name, how it comes about, the amount, and the address that shows it, {} without one."""
    spent = month.query()
    yield "Spent so far", f"all receipts of {spend_words.span(month.period)}", coming.so_far, spent, "Open its receipts"
    for one in coming.things:
        query = {"receipt": one.receipt.key, **spent}
        tip = f"Open the receipt of {one.receipt.name}"
        yield one.receipt.name, stands(one, coming), one.adds(coming.at, coming.end), query, tip
    if coming.is_known:
        rest = coming.mean * coming.left
        said = f"{money(coming.mean)} a day, the mean of the last {count(coming.days, 'full day')}, for {_left(coming)}"
        yield "All that comes and goes", said, rest, {}, ""


def stands(one: Standing, coming: Forecast) -> str:
    """How a standing thing comes to what it adds: "SageMaker endpoints, $0.115/h for 220.5 h, unless stopped"."""
    hours = f"{one.hours(coming.at, coming.end):,.1f} h"
    ends_before = one.ends is not None and one.ends < coming.end
    until = f"until a schedule deletes it on {_moment(one.ends)}" if ends_before else "unless it is stopped"
    return f"{one.receipt.service.value}, {rate(one.hourly, 'h')} for {hours}, {until}"


def days(coming: Forecast, month: Selection, ledger: Ledger) -> None:
    """What the rest cost on each of the days that its mean is of; those without any money are one line."""
    if not coming.past:
        return
    page.section("The days of the rest", receipt.word_of(month.nature))
    whole = {day: ledger.total(month.over(Period(day, day))).amount for day, _ in coming.past}
    with st.container(border=True, key="panel-forecast-days"):
        why = f"{LEAST_DAYS} are needed for a forecast. " if not coming.is_known else ""
        said = "What stood is not in the rest: it is counted by its rate above."
        st.html(markup.note(f"{why}{said}"))
        st.html(table(coming.past, whole))
        shown = Period(coming.past[0][0], coming.past[-1][0])
        st.page_link(
            Place.RECEIPT,
            label=f"Receipts of {spend_words.span(shown)}",
            icon=":material/receipt_long:",
            query_params=month.over(shown).query(),
        )


def table(past: Sequence[tuple[date, Decimal]], whole: Mapping[date, Decimal]) -> Markup:
    """Each day: the rest, what stood, and `whole`, all that was spent on it."""
    spent = [(day, rest) for day, rest in past if whole[day]]
    rows = "".join(_row(day.isoformat(), rest, whole[day]) for day, rest in spent)
    if len(spent) < len(past):
        rows += _row(count(len(past) - len(spent), "other day"), Decimal(0), Decimal(0))
    rest = sum((amount for _, amount in past), Decimal(0))
    return Markup(
        '<div class="kn-scroll" tabindex="0" role="region" aria-label="The days of the rest">'
        '<table class="kn-lines kn-short"><thead><tr><th>Day (UTC)</th><th class="kn-number">The rest</th>'
        '<th class="kn-number">+ what stands</th><th class="kn-number">= all of it</th></tr></thead>'
        f"<tbody>{rows}</tbody><tfoot>{_row('Sum', rest, sum(whole.values(), Decimal(0)))}</tfoot></table></div>"
    )


def _row(name: str, rest: Decimal, whole: Decimal) -> str:
    cells = (f'<td class="kn-number">{receipt_lines.digits(amount)}</td>' for amount in (rest, whole - rest, whole))
    return f"<tr><td>{name}</td>{''.join(cells)}</tr>"


def _sum(coming: Forecast, month: Selection) -> Markup:
    word = receipt.word_of(month.nature)
    text = f'<p class="kn-total">Sum: <strong>{escape(spend_words.forecast_value(coming))}</strong> {word}</p>'
    if coming.is_known:
        return Markup(text + markup.note(f"{markup.sentence(coming.method)}."))
    return Markup(text + markup.note(f"{markup.sentence(coming.why)}: what comes and goes is not in it."))


def _left(coming: Forecast) -> str:
    return f"{coming.left:,.1f} days"


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%-d %b, %H:%M} UTC" if moment else ""
