"""What a sum is made of: the receipts of a selection, which add up to it, or one receipt with its lines."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import streamlit as st

from dashboard.core.aws import Account
from dashboard.core.costs.ledger import tuning_receipt, up_to
from dashboard.core.costs.ledger.ledger import Ledger, Share
from dashboard.core.costs.receipt import Nature, Receipt
from dashboard.core.costs.selection import Selection
from dashboard.core.errors import NotFound
from dashboard.core.format import count, duration, money
from dashboard.ui import address, markup, page, receipt, receipt_lines, spend_controls, spend_table, spend_words, strip
from dashboard.ui.markup import Markup
from dashboard.ui.page import Place
from dashboard.ui.strip import Figure

KEY = "receipt"
RUN = "run:"
LEAST_WAIT = 0.1
"""Seconds before a run's instances began that are worth a word."""


def as_asked(ledger: Ledger) -> Ledger:
    """The ledger at the moment that the address asks for with ?until=, the present one without."""
    at = up_to.parse(st.query_params.get(up_to.PARAMETER, ""))
    return ledger if at is None else up_to.ledger_up_to(ledger, at)


def back(selection: Selection, *, to_sum: bool) -> None:
    """The way back: from one receipt to the sum that it is part of, from a sum to Spend."""
    with st.container(horizontal=True, key="back"):
        if to_sum:
            st.page_link(
                Place.RECEIPT,
                label=markup.literal(f"Receipts of {spend_words.span(selection.period)}"),
                icon=":material/arrow_back:",
                query_params=selection.query() | _until(),
            )
        st.page_link(Place.COSTS, label="Spend", icon=":material/payments:", query_params=selection.query())


def whole(ledger: Ledger, selection: Selection, account: Account) -> None:
    """The receipts of a selection and their sum."""
    rows, total = ledger.of(selection), ledger.total(selection)
    of = spend_words.only(selection)
    page.title(
        spend_words.sum_of(total),
        f"{f'{of}, ' if of else ''}{spend_words.span(selection.period)} (UTC): "
        f"the sum of {spend_words.receipts(total)}",
        marks=receipt.of(selection.nature),
    )
    _then(ledger)
    address.misread(Selection.misread(st.query_params, ledger.at))
    if rows:
        spend_table.show(rows, selection, ledger.at, _until())
        st.html(receipt_lines.total(total, selection.nature))
    else:
        st.html(markup.note(spend_words.nothing(selection, ledger.at.astimezone(UTC).date())))
    _foot(selection.nature, account, ledger, selection.query())


def one(ledger: Ledger, key: str, selection: Selection, account: Account) -> None:
    """One receipt, or the sum of a tuning job's trials. Raises NotFound."""
    found = ledger.find(key)
    trials = [held for held in ledger.receipts if held.parent and f"{RUN}{held.parent}" == key]
    if found is not None:
        _one(found, ledger, selection)
        _foot(found.nature, account, ledger, {KEY: key}, found.note)
    elif trials:
        _together(key.removeprefix(RUN), trials, selection)
        _foot(trials[0].nature, account, ledger, {KEY: key})
    elif not ledger.is_complete:
        page.title("Receipt", "reading")
    else:
        raise _missing(key)


def _until() -> dict[str, str]:
    """The part of the address that asks for an earlier moment; what is opened from here asks for it too."""
    return {name: told for name in (up_to.PARAMETER,) if (told := st.query_params.get(name)) and up_to.parse(told)}


def _then(ledger: Ledger) -> None:
    """That what is shown is of an earlier moment, and the way to the present one."""
    if not _until():
        return
    now = {name: value for name, value in st.query_params.items() if name != up_to.PARAMETER}
    with st.container(horizontal=True, vertical_alignment="center", key="receipt-until"):
        st.html(markup.note(f"As it stood on {spend_words.day(ledger.at.date())}, {ledger.at:%H:%M:%S} UTC."))
        st.page_link(Place.RECEIPT, label="As it is now", icon=":material/update:", query_params=now)


def _missing(key: str) -> NotFound:
    return NotFound(
        f"there is no receipt {key}",
        "it never cost anything, was deleted before Kennel saw it, or belongs to another account",
        "open Spend and choose one from its table",
    )


def _one(found: Receipt, ledger: Ledger, selection: Selection) -> None:
    page.title(
        found.name,
        ", ".join(part for part in (found.service.value, found.status, spend_words.instances(found)) if part),
        marks=receipt.of(found.nature),
    )
    _then(ledger)
    _links(found)
    strip.show(figures(found, ledger, selection))
    page.section("What it is made of", receipt.word_of(found.nature))
    with st.container(border=True, key="panel-receipt-lines"):
        st.html(receipt_lines.table(found))
        for text in found.notes:
            st.html(markup.note(markup.sentence(text)))
        if found.missing:
            st.html(markup.note("Not in the sum: " + "; ".join(receipt_lines.lacks(line) for line in found.missing)))
    days = found.by_day()
    if len(days) > 1:
        with st.expander(f"The sum by day: {count(len(days), 'UTC day')}", key="receipt-days"):
            st.html(receipt_lines.by_day(days, selection.period))
    if found.facts:
        page.section(receipt_lines.answered_by(found.facts))
        with st.container(border=True, key="panel-receipt-facts"):
            st.html(receipt_lines.answers(found.facts))


def figures(found: Receipt, ledger: Ledger, selection: Selection) -> list[Figure]:
    """What it cost, for how long, what was expected of it and what spot saved."""
    mark = receipt.of(found.nature)
    days = ledger.days(found)
    inside = sum((amount for day, amount in days.items() if day in selection.period), Decimal(0))
    is_part = 0 < inside < (found.amount or Decimal(0))
    made = [
        Figure(
            "receipt-sum",
            "Cost so far" if found.ended is None else "Cost",
            _cost(found),
            _sum_note(found, inside if is_part else None, selection),
            mark=mark,
        ),
        _time(found),
    ]
    if found.expected is not None:
        value, note = receipt_lines.against_expected(found)
        made.append(Figure("receipt-expected", "Expected", value, note, mark=mark))
    if found.saving is not None:
        made.append(
            Figure("receipt-saving", "Spot saved", money(found.saving), "against the price on demand", mark=mark)
        )
    return made


def _time(found: Receipt) -> Figure:
    """For how long; of a request, which takes no time that counts, when it was."""
    if found.service.is_asked:
        return Figure("receipt-time", "Asked", f"{found.started:%H:%M} UTC", f"{found.started:%Y-%m-%d}")
    word = "Goes on for" if found.ended is None else "Lasted"
    when = f"{_times(found.started, found.ended)}{_waited(found)}"
    return Figure("receipt-time", word, duration(found.seconds), when)


def _waited(found: Receipt) -> str:
    """How much of a run's time passed before its instances were there: its lines, and its own page, count from then."""
    if not found.key.startswith(RUN) or not found.lines:
        return ""
    seconds = (found.lines[0].started - found.started).total_seconds()
    return f", {duration(seconds)} of it before its instances began" if seconds >= LEAST_WAIT else ""


def _links(found: Receipt) -> None:
    """Where the thing itself is shown, and what it is a part of."""
    if not found.key.startswith(RUN):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="receipt-links"):
        st.page_link(
            Place.RUN,
            label="Open the run",
            icon=":material/monitoring:",
            query_params={"run": found.key.removeprefix(RUN)},
        )
        if found.parent:
            st.page_link(
                Place.RECEIPT,
                label=markup.literal(f"All trials of {found.parent}"),
                icon=":material/account_tree:",
                query_params={KEY: f"{RUN}{found.parent}"},
            )


def _together(name: str, trials: Sequence[Receipt], selection: Selection) -> None:
    """A tuning job: the sum of its trials; where these days are not all of its days, their part of it."""
    job = tuning_receipt.together(trials)
    unknown = sum(one.amount is None for one in trials)
    inside = sum((amount for day, amount in job.by_day().items() if day in selection.period), Decimal(0))
    part = f", {money(inside)} of it in {spend_words.span(selection.period)}" if 0 < inside < (job.amount or 0) else ""
    page.title(
        name,
        f"{_cost(job)}: the sum of {count(len(trials), 'trial')}"
        + (f", {unknown} of unknown cost" if unknown else "")
        + part,
        marks=receipt.of(job.nature),
    )
    for place, trial in enumerate(sorted(trials, key=lambda held: -(held.amount or Decimal(0)))):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row-trial-{place}"):
            st.html(
                Markup(
                    f'<div class="kn-row"><p><strong>{markup.escape(trial.name)}</strong></p>'
                    f'<p class="kn-note">{markup.escape(trial.status)}</p></div>'
                )
            )
            st.page_link(
                Place.RECEIPT,
                label=markup.literal(_cost(trial)),
                query_params={KEY: trial.key, **_until()},
                help="Open it",
            )
    lacking = sum(one.is_least for one in trials)
    share = Share("", job.amount or Decimal(0), len(trials), unknown, lacking)
    st.html(receipt_lines.total(share, job.nature))
    if missing := spend_words.lacking([(one, one.amount) for one in trials]):
        st.html(markup.note(f"Not in this sum, because unknown: {missing}."))


def _foot(nature: Nature, account: Account, ledger: Ledger, query: Mapping[str, str], note: str = "") -> None:
    """What a sheet of paper needs: which money, whose account, when it was read, and the address."""
    st.html(receipt_lines.foot(nature, account, ledger.at, spend_controls.link({**query, **_until()}), note))


def _sum_note(found: Receipt, inside: Decimal | None, selection: Selection) -> str:
    if found.amount is None:
        return next((line.why_unknown for line in found.missing), "")
    if inside is not None:
        return f"{money(inside)} of it in {spend_words.span(selection.period)}"
    return "the sum of the lines below that are known" if found.missing else "the sum of the lines below"


def _cost(found: Receipt) -> str:
    """ "$0.34", "at least $0.34" where something is missing from it, "about $0.34" of estimated prices."""
    about = "about " if found.is_estimate and found.amount is not None else ""
    return f"{'at least ' if found.is_least else ''}{about}{money(found.amount)}"


def _times(started: datetime, ended: datetime | None) -> str:
    begin = f"{started:%Y-%m-%d %H:%M}"
    if ended is None:
        return f"since {begin} UTC"
    return f"{begin} to {f'{ended:%H:%M}' if ended.date() == started.date() else f'{ended:%Y-%m-%d %H:%M}'} UTC"
