"""Endpoints in words: their live sentence, latencies, and the figures of their strip. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from dashboard.core.aws import Account
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.quote import Quote
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.waste import expiry
from dashboard.core.format import UNKNOWN, ago, count, duration, money, percent
from dashboard.core.runs.instances import hardware
from dashboard.core.serving import live, variant
from dashboard.core.serving.live import Traffic
from dashboard.core.serving.model import Endpoint, EndpointStatus
from dashboard.core.serving.span import Span
from dashboard.ui import receipt
from dashboard.ui.strip import Figure

NOBODY = "nobody asked"


def milliseconds(seconds: float | None) -> str:
    """A latency: "7.6 ms", "38 ms", "1.2 s"."""
    if seconds is None:
        return UNKNOWN
    if seconds >= 1:
        return duration(seconds)
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 9.95 else f"{value:.1f} ms"


def per_minute(rate: float) -> str:
    """Requests a minute: "0.4/min", "42/min", "1,204/min"."""
    if 0 < rate < 0.05:
        return "under 0.1/min"
    return f"{rate:,.0f}/min" if rate >= 9.95 or not rate else f"{rate:.1f}/min"


def within(one: Endpoint, span: Span, now: datetime) -> str:
    """Of which time counts and rates of an endpoint are: "in the last 15 minutes", "since it was made"."""
    return "since it was made" if live.lived(one, span.length, now) < span.length else f"in the last {span.word}"


def list_sentence(endpoints: Sequence[Endpoint]) -> str:
    """The list's live sentence: "3 endpoints, 2 serving, 1 failed"."""
    if not endpoints:
        return "nothing serves yet"
    parts = [f"{sum(one.status.is_serving for one in endpoints)} serving"]
    changing = sum(one.status.is_changing and not one.status.is_serving for one in endpoints)
    bad = sum(one.status.is_bad for one in endpoints)
    parts += [f"{changing} on the way"] if changing else []
    parts += [f"{bad} failed"] if bad else []
    return f"{count(len(endpoints), 'endpoint')}, {', '.join(parts)}"


def sentence(one: Endpoint, now: datetime) -> str:
    """An endpoint's live sentence: "serving on 2 × ml.m5.large since 3 h ago"."""
    on = f" on {one.machine}" if one.machine else ""
    if one.status.is_coming:
        begun = one.modified if one.status is EndpointStatus.RESTARTING and one.modified else one.created
        return f"{one.status.word}{on}, for {duration((now - begun).total_seconds())} now"
    since = f", made {ago(one.created, now)}"
    if one.status.is_changing and one.modified and not one.status.is_going:
        since = f", for {duration((now - one.modified).total_seconds())} now"
    return f"{one.status.word}{on}{since}"


def kept(one: Endpoint, now: datetime) -> str:
    """For how long it is still to be kept: "3 h", "past its time", or "" for until it is deleted."""
    until = expiry.expires(one.tags)
    if until is None:
        return ""
    return "past its time" if until <= now else duration((until - now).total_seconds())


def latencies(traffic: Iterable[Traffic]) -> str:
    """ "p50 21 ms · p99 80 ms", or that nobody asked."""
    known = list(traffic)
    if live.worst(known, "p50") is None:
        return NOBODY
    return f"p50 {milliseconds(live.worst(known, 'p50'))} · p99 {milliseconds(live.worst(known, 'p99'))}"


def busy(one: Endpoint, traffic: Mapping[str, Traffic]) -> float | None:
    """The busiest variant's processors, 0..1 of the whole instance, at the latest point; None when not measured."""
    found = []
    for each in one.variants:
        points = traffic[each.name].series.get("cpu", ()) if each.name in traffic else ()
        of = hardware(each.instance_type)
        if points:
            found.append(points[-1][1] / 100 / (of.vcpu if of else 1))
    return max(found, default=None)


def strip(
    one: Endpoint,
    traffic: Mapping[str, Traffic] | None,
    span: Span,
    account: Account,
    now: datetime,
    per_second: Decimal | None = None,
) -> list[Figure]:
    """The page's five figures. `traffic` None: CloudWatch was not to be read; per_second: of a serverless one."""
    known = list((traffic or {}).values())
    rate = live.rate(known, live.lived(one, span.length, now))
    asked = sum(each.requests for each in known)
    wrong, own = sum(each.errors for each in known), sum(each.whole.get("5xx", 0.0) for each in known)
    unread = "not read" if traffic is None else ""
    share = wrong / asked if asked else None
    errors = f"{count(round(wrong))} of {count(round(asked))}" + (f", {count(round(own))} of them 5xx" if own else "")
    slow = live.worst(known, "p90")
    return [
        _instances(one, traffic or {}),
        Figure(
            "requests",
            "Requests",
            unread or per_minute(rate),
            f"{count(round(asked))} {within(one, span, now)}" if not unread else "see below",
        ),
        Figure(
            "latency",
            "Latency, p90",
            unread or (milliseconds(slow) if slow is not None else "–"),
            latencies(known) + (", the slowest variant" if len(known) > 1 and slow is not None else ""),
        ),
        Figure(
            "errors",
            "Errors",
            unread or (percent(min(1.0, share), 1 if share < 0.1 else 0) if share is not None else "–"),
            errors if asked else NOBODY,
            tone="failed" if share and share >= 0.01 else "",
        ),
        _cost(one, rate, account, live.per_thousand_by_use(per_second, live.mean(known))),
    ]


def _instances(one: Endpoint, traffic: Mapping[str, Traffic]) -> Figure:
    if one.is_serverless:
        most = sum(each.serverless.max_concurrency for each in one.variants if each.serverless)
        return Figure("instances", "At once", f"up to {most}", one.machine)
    wanted = sum(each.desired for each in one.variants)
    cpu = busy(one, traffic)
    types = " + ".join(dict.fromkeys(each.instance_type for each in one.variants if each.instance_type))
    note = f"of {wanted} wanted" if wanted != one.count else types
    note += f" · {percent(min(1.0, cpu))} busy" if cpu is not None else ""
    return Figure("instances", "Instances", count(one.count), note)


def _cost(one: Endpoint, rate: float, account: Account, by_use: Decimal | None) -> Figure:
    nature = Nature.of(one.tags, is_embedded=account.is_embedded)
    if not one.status.is_billed:
        return Figure("cost", "Cost", "not billed", one.status.word)
    value = hourly(one.hourly)
    each = live.per_thousand(one.hourly.amount, rate)
    if each is not None:
        note = f"{money(each, one.hourly.currency)} a thousand photos at this rate"
    elif one.is_serverless:
        note = f"{money(by_use)} a thousand photos" if by_use is not None else "nothing while nobody asks"
    else:
        note = one.hourly.why_unknown or "whether or not it is asked"
    beside = variant.together(one.pending.variants) if one.pending and one.pending.variants else None
    if beside is not None and beside.amount:
        note = f"and {hourly(beside)} for the new instances meanwhile"
    return Figure("cost", "Cost", value, note, mark=receipt.of(nature))


def hourly(quote: Quote) -> str:
    """ "$0.115/h", "paid by use" for what costs the time that it answers, or "price unknown"."""
    if quote.is_known or quote.least is not None:
        return f"{receipt.amount(quote)}/h"
    return "paid by use" if quote.why_unknown in (variant.BY_USE, variant.PROVISIONED) else "price unknown"


def by_use(one: Endpoint, prices: PriceBook, region: str) -> str:
    """What a serverless endpoint costs: "paid by use, $0.06 per 1,000 s of answering", as far as there is a price."""
    asked = {each.serverless for each in one.variants if each.serverless}
    quotes = [variant.answering(each, prices, region) for each in asked]
    found = f", {receipt.amount(quotes[0])} per 1,000 s of answering" if len(quotes) == 1 and quotes[0].is_known else ""
    ready = sum(each.provisioned for each in asked)
    return f"paid by use{found}{f', and for the {ready} kept ready' if ready else ''}"
