"""What the pages of money say in words: periods, changes, forecasts, findings. Pure."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from dashboard.core.costs.ledger.ledger import Share
from dashboard.core.costs.receipt import Receipt
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.costs.spend.change import Change, Item
from dashboard.core.costs.spend.forecast import LEAST_DAYS, Forecast
from dashboard.core.costs.spend.over_time import Series
from dashboard.core.costs.spend.statement import Statement
from dashboard.core.format import count, money, percent

CUSTOM = "other days"
UNKNOWN = "What was spent on these days is not known"


def presets(now: datetime) -> dict[str, Period]:
    """The periods that a page offers by name."""
    this = Period.parse("", now)
    return {
        "this month": this,
        "last month": this.before(),
        "last 30 days": Period.parse("30d", now),
        "last 12 months": Period.parse("12m", now),
    }


def day(one: date) -> str:
    """ "3 November"."""
    return f"{one.day} {one:%B}"


def span(period: Period) -> str:
    """A period as people say it: "November 2026", "3 to 20 November 2026", "23 October to 21 November 2026"."""
    first, last = period.first, period.last
    if period.is_month:
        return f"{first:%B %Y}"
    if first == last:
        return f"{day(first)} {first.year}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {day(last)} {last.year}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{day(first)}{year} to {day(last)} {last.year}"


def when(period: Period) -> str:
    """The same inside a sentence: "in November 2026", "on 3 November 2026", "from 3 to 20 November 2026"."""
    return f"{'in' if period.is_month else 'on' if period.days == 1 else 'from'} {span(period)}"


def group(by: By, name: str) -> str:
    """A group's name in a sentence or a legend; one without a mark says which mark it lacks."""
    if by is By.COUNT and name.isascii() and name.isdecimal():  # an address may say anything
        return count(int(name), "instance")
    return name or {By.PLATFORM: "not a run", By.CAPACITY: "not a run"}.get(by, f"without {by.word}")


def only(selection: Selection) -> str:
    """What a selection keeps: "EC2, project A"; "" for everything."""
    return ", ".join(kept(by, name) for by, name in selection.only)


def kept(by: By, name: str) -> str:
    """One group that a selection keeps: "project A", "EC2"; a project called "project A" is not called so twice."""
    if not name or by not in {By.PROJECT, By.OWNER} or name.casefold().startswith(f"{by.word} "):
        return group(by, name)
    return f"{by.word} {name}"


def title(made: Statement) -> str:
    """The page's live sentence."""
    chosen = only(made.selection)
    so_far = ""
    if made.selection.period.last > made.today:
        so_far = " so far" if made.selection.period.first <= made.today else ", which has not begun"
    of = f" of {chosen}" if chosen else ""
    return f"{span(made.selection.period)}{so_far}{of}, {receipts(made.total)}; days are UTC"


def receipts(share: Share) -> str:
    """How many receipts a sum is made of, and what of them it lacks: "6 receipts, 1 of unknown cost, 2 in part"."""
    parts = [count(share.receipts, "receipt")]
    if share.unknown:
        parts.append(f"{share.unknown} of unknown cost")
    if share.lacking:
        parts.append(f"{share.lacking} known in part")
    return ", ".join(parts)


def least(amount: Decimal | None, *, is_least: bool) -> str:
    """What is known of a sum: "at least $3.20" where something is missing from it, "unknown" where all is."""
    return f"at least {money(amount)}" if is_least and amount is not None else money(amount)


def sum_of(share: Share) -> str:
    """A sum as a page says it: "$3.20", "at least $3.20", "unknown"."""
    return least(share.known, is_least=share.is_least)


def nothing(selection: Selection, today: date) -> str:
    """A selection without receipts: "Nothing was spent in January 2020 (project A).", "May 2027 has not begun."."""
    kept = f" ({only(selection)})" if only(selection) else ""
    if selection.period.first > today:
        said = span(selection.period)
        return f"{said}{kept} {'has' if selection.period.is_month or selection.period.days == 1 else 'have'} not begun."
    return f"Nothing was spent {when(selection.period)}{kept}."


def signed(amount: Decimal, currency: str = "USD") -> str:
    """A difference with its sign: "+$3.20", "−$0.40", "$0.00"; of the smallest with its word: "under $0.0001 more"."""
    text = money(amount, currency)
    if amount and text == money(-amount, currency):
        return f"{text} {'more' if amount > 0 else 'less'}"
    return f"+{text}" if amount > 0 else text


def total_note(made: Statement) -> str:
    """Under the sum: how many days, and what a day costs."""
    period = made.selection.period
    passed = max(1, (min(period.last, made.today) - period.first).days + 1)
    begun = min((day for days in made.daily.values() for day in days), default=period.first)
    spent_on = (min(period.last, made.today) - begun).days + 1
    if made.is_unknown:
        return f"what {'it costs' if made.total.receipts == 1 else 'they cost'} is not known"
    days = f"day {passed} of {period.days}" if made.goes_on and period.last > made.today else count(passed, "day")
    if made.goes_on and begun > period.first:
        # Days before the first receipt are no part of a mean: it would fall with each of them that there was.
        if spent_on < LEAST_DAYS:
            return f"{days} · the first receipt is of {day(begun)}"
        return f"{days} · {money(made.total.amount / spent_on)} a day since {day(begun)}"
    return f"{days} · {money(made.total.amount / passed)} a day"


def change_note(one: Change) -> str:
    """Under the difference: what it is compared to."""
    return f"{span(one.before)}: {money(one.earlier)}{', of what is known' if one.is_part else ''}"


def change_value(one: Change) -> str:
    """ "+$3.20 (+35 %)"; "unknown" where one side has only receipts of unknown cost, or may have."""
    if one.unknown and not (one.earlier and one.now):
        return money(None)
    if one.share is None:
        return signed(one.difference)
    sign = "+" if one.share > 0 else "−" if one.share < 0 else ""
    return f"{signed(one.difference)} ({sign}{percent(abs(one.share))})"


def change_finding(one: Change, by: By) -> str:
    """The sentence above its items: "+$3.20 since 1 to 21 October 2026, most of it project A"."""
    if one.unknown and not (one.earlier and one.now):
        return f"{count(one.unknown, 'receipt')} of unknown cost: no comparison with {span(one.before)}"
    if not one.earlier:
        return f"Nothing was spent {when(one.before)}: all of it is new"
    if not one.difference:
        return f"As much as {when(one.before)}"
    leads = next((item for item in one.items if item.difference * one.difference > 0), None)
    most = f", most of it {group(by, leads.group)}" if leads and len(one.items) > 1 else ""
    word = "more" if one.difference > 0 else "less"
    return f"{money(abs(one.difference))} {word} than {when(one.before)}{most}"


def item_note(item: Item) -> str:
    """ "$1.20 → $4.40", "new", or "nothing any more"."""
    if not item.before:
        return f"new: {money(item.now)}"
    if not item.now:
        return f"{money(item.before)} before, nothing now"
    return f"{money(item.before)} → {money(item.now)}"


def forecast_value(one: Forecast) -> str:
    """The forecast; without one, what is spent and what stands adds until the end."""
    return money(one.expected)


def forecast_note(one: Forecast) -> str:
    """Under the forecast: its range, or why there is none."""
    if one.low is None or one.high is None:
        longer = f", {money(one.unwanted)} of it longer than wanted" if one.unwanted else ""
        stands = f"if only what stands goes on{longer}: " if one.things else ""
        return f"{stands}{one.why}"
    return f"{money(one.low)} to {money(one.high)} by {day(one.period.last)}"


def share_note(share: Share, whole: Decimal) -> str:
    """ "62 % · 12 receipts"."""
    part = f"{percent(float(share.amount / whole))} · " if whole else ""
    unknown = f" · {share.unknown} unknown" if share.unknown else ""
    return f"{part}{count(share.receipts, 'receipt')}{unknown}"


def each_finding(made: Series, by: By) -> str:
    """The sentence above bars: where most was spent."""
    dearest = max(made.steps, key=lambda step: step.total, default=None)
    if dearest is None or not dearest.total:
        return "Nothing was spent on these days"
    place = max(range(len(made.groups)), key=dearest.amounts.__getitem__)
    then = f"{dearest.period.first:%B %Y}" if made.is_monthly else day(dearest.period.first)
    part = "all" if dearest.amounts[place] == dearest.total else money(dearest.amounts[place])
    leads = f"{part} of it {group(by, made.groups[place])}"
    return f"Most {'in' if made.is_monthly else 'on'} {then}: {money(dearest.total)}, {leads}"


def adding_up_finding(made: Statement) -> str:
    """The sentence above the sums: what it will come to, or what most of it was."""
    if made.is_unknown:
        return UNKNOWN
    coming = made.ahead
    if coming is not None and coming.is_known:
        end = day(coming.period.last)
        reach = f"{money(coming.low)} to {money(coming.high)}"
        return f"{_begun(sum_of(made.total))} so far, about {money(coming.amount)} by {end} ({reach})"
    if coming is not None and coming.least is not None:
        end = day(coming.period.last)
        return f"{money(coming.so_far)} so far, {money(coming.least)} by {end} if only what stands goes on"
    if made.shares and made.total.amount:
        first = made.shares[0]
        part = percent(float(first.amount / made.total.amount))
        return f"{group(made.selection.by, first.group)} is {part} of {sum_of(made.total)}"
    return "Nothing was spent on these days"


def _begun(text: str) -> str:
    """A sentence's first word: "At least $3.20"."""
    return text[:1].upper() + text[1:]


def about(receipt: Receipt) -> tuple[str, ...]:
    """What a receipt is of, under its name: its service, its instances, its trials, how it ended; some may be ""."""
    trials = count(receipt.trials, "trial") if receipt.trials else ""
    return receipt.service.value, instances(receipt), trials, receipt.status


def instances(receipt: Receipt) -> str:
    """ "ml.m5.large", "2 × ml.m5.large", or "" for what has none."""
    if not receipt.instance_type:
        return ""
    return receipt.instance_type if receipt.count == 1 else f"{receipt.count} × {receipt.instance_type}"


def lacking(rows: Sequence[tuple[Receipt, Decimal | None]]) -> str:
    """The charges that sums lack, each said once: "storage of 12 receipts (no price …)"; "" for none."""
    found: dict[tuple[str, str], int] = {}
    for receipt, _ in rows:
        for line in receipt.missing:
            found[line.what, line.why_unknown] = found.get((line.what, line.why_unknown), 0) + 1
    return "; ".join(f"{what} of {count(number, 'receipt')} ({why})" for (what, why), number in found.items())


def row_note(receipt: Receipt, amount: Decimal | None) -> str:
    """What is to know about a receipt in a table's cell."""
    parts = [f"unknown: {receipt.missing[0].why_unknown}"] if amount is None and receipt.missing else []
    if receipt.trials:
        parts.append(f"{count(receipt.trials, 'trial')} together")
    if amount is not None and receipt.missing:
        parts.append(f"at least: without {' and '.join(dict.fromkeys(line.what for line in receipt.missing))}")
    if receipt.is_estimate:
        parts.append("estimated price")
    if receipt.saving:
        parts.append(f"spot saved {money(receipt.saving)}")
    if receipt.parent:
        parts.append(f"trial of {receipt.parent}")
    return ", ".join(parts)
