"""What is said of Lambda functions: sentences, rows and figures. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from dashboard.core.aws import Account
from dashboard.core.costs.receipt import Nature
from dashboard.core.format import count, money, percent, plain
from dashboard.core.serving.functions.functions import Details, Limits
from dashboard.core.serving.functions.model import Function
from dashboard.core.serving.functions.usage import Usage
from dashboard.ui import receipt
from dashboard.ui.markup import NO_MARK
from dashboard.ui.strip import Figure
from dashboard.ui.tones import label

NOBODY = "nobody asked"


def list_sentence(functions: Sequence[Function]) -> str:
    """The list's live sentence: "2 functions, one asks starter"."""
    if not functions:
        return "no function answers photos yet"
    ours = [one for one in functions if one.endpoint]
    asked = sorted({one.endpoint for one in ours})
    told = f"{count(len(ours))} ask{'s' if len(ours) == 1 else ''} {', '.join(asked[:3])}" if asked else ""
    return ", ".join(part for part in (count(len(functions), "function"), told or "none asks an endpoint") if part)


def sentence(details: Details) -> str:
    """A function's live sentence: which endpoint it asks, and which version answers."""
    one, live = details.function, details.live
    asks = f"asks the endpoint {one.endpoint}" if one.endpoint else "asks no endpoint of Kennel's"
    if live is None:
        return f"{asks}; it has no alias that callers could use"
    also = f", version {live.second} for {percent(live.share)} of the calls" if live.second else ""
    return f"{asks}; {live.name} is version {live.version}{also}"


def milliseconds(seconds: float | None) -> str:
    """ "41 ms", "2.3 s", or a dash where nothing ran."""
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def a_minute(rate: float) -> str:
    """ "12/min", "0.4/min"."""
    if 0 < rate < 0.05:
        return "under 0.1/min"
    return f"{rate:,.0f}/min" if rate >= 10 or rate == 0 else f"{rate:.1f}/min"


def share(value: float | None) -> str:
    if value is None:
        return "–"
    return percent(value, 1 if 0 < value < 0.1 else 0)


def rows(functions: Sequence[Function], usage: Mapping[str, Usage]) -> list[dict[str, Any]]:
    """One row a function; figures are numbers underneath, so that they sort."""
    made = []
    for one in functions:
        did = usage.get(one.name)
        slow = did.whole.get("p90") if did else None
        made.append(
            {
                "Function": one.name,
                "State": [label(one.state.tone, one.state.word)],
                "Asks": one.endpoint or None,
                "Invocations": did.per_minute if did else None,
                "p90": None if slow is None else slow * 1000,
                "Errors": _percent(did, "errors"),
                "Throttled": _percent(did, "throttles"),
                "Reserved": one.reserved,
                "Memory": one.memory_mb,
                "Processor": one.architecture.word,
                "Runtime": one.runtime,
                "Origin": "sample" if one.is_sample else "Kennel" if one.is_kennels else "elsewhere",
            }
        )
    return made


def list_strip(
    functions: Sequence[Function], usage: Mapping[str, Usage], limits: Limits | None, span_word: str
) -> list[Figure]:
    """The list's strip: what all functions do together, and what the account lets run."""
    did = list(usage.values())
    asked = sum(one.invocations for one in did)
    throttled = sum(one.whole.get("throttles", 0.0) for one in did)
    failed = sum(one.whole.get("errors", 0.0) for one in did)
    slow = max((one.whole["p90"] for one in did if "p90" in one.whole), default=None)
    reserved = sum(one.reserved or 0 for one in functions)
    free = "the account's limit is not known" if limits is None else f"{limits.unreserved:,} left to the others"
    return [
        Figure(
            "functions",
            "Functions",
            count(len(functions)),
            f"{sum(one.is_kennels for one in functions)} of them Kennel's",
        ),
        Figure("asked", "Invocations", a_minute(sum(one.per_minute for one in did)), f"in the last {span_word}"),
        Figure("slow", "Slowest p90", milliseconds(slow), "of its duration" if slow is not None else NOBODY),
        Figure(
            "refused",
            "Failed or throttled",
            share(min(1.0, (throttled + failed) / (asked + throttled)) if asked + throttled else None),
            f"{count(round(failed), 'error')}, {count(round(throttled), 'throttle')}",
            tone="failed" if throttled + failed else "",
        ),
        Figure(
            "reserved",
            "Reserved",
            f"{reserved:,}" if limits is None else f"{reserved:,} of {limits.total:,}",
            free,
        ),
    ]


def page_strip(
    details: Details, usage: Usage | None, hourly: Decimal | None, account: Account, *, tried: int = 0
) -> list[Figure]:
    """A function's strip: what it does, how many at once against what is allowed, what is kept ready.

    tried: calls that this tab had answered in the same while; CloudWatch counts them a little later.
    """
    one = details.function
    whole = usage.whole if usage else {}
    most = whole.get("at-once")
    allowed = one.reserved if one.reserved is not None else details.limits.unreserved if details.limits else None
    ceiling = "reserved for it" if one.reserved is not None else "shared with the others"
    ready = sum(each.ready for each in details.provisioned)
    kept = details.kept_ready
    used = whole.get("utilization")
    nature = Nature.of(one.tags, is_embedded=account.is_embedded)
    late = usage is not None and usage.invocations < tried
    did = "CloudWatch has not counted all yet" if late else f"in the last {usage.span.word}" if usage else "not checked"
    slow = f"p90 {milliseconds(whole['p90'])}, p99 {milliseconds(whole.get('p99'))}" if "p90" in whole else ""
    return [
        Figure("did", "Invocations", a_minute(usage.per_minute) if usage else "–", did),
        Figure(
            "took",
            "Duration p50",
            milliseconds(whole.get("p50")),
            slow or ("not counted yet" if late else NOBODY if usage else "not checked"),
        ),
        Figure(
            "failed",
            "Failed or throttled",
            share(_failed(usage)),
            f"{count(round(whole.get('errors', 0)), 'error')}, {count(round(whole.get('throttles', 0)), 'throttle')}",
            tone="failed" if usage and (_failed(usage) or 0) > 0 else "",
        ),
        Figure(
            "once",
            "At once",
            f"{most:.0f}" if most is not None else "–",
            f"of {allowed:,} {ceiling}" if allowed is not None else "the limit is not known",
        ),
        Figure(
            "ready",
            "Kept ready",
            f"{ready} of {kept}" if kept else "none",
            f"{money(hourly)}/h, " + ("not used yet" if used is None else f"{share(used)} used at most")
            if kept
            else "the first call starts cold",
            mark=receipt.of(nature) if kept else NO_MARK,
        ),
    ]


def number(value: float) -> str:
    """An expected count: "12,345", "0.4"."""
    if value >= 10 or value == 0:
        return f"{value:,.0f}"
    return plain(round(value, 2)) if value >= 0.01 else "under 0.01"


def _failed(usage: Usage | None) -> float | None:
    if usage is None:
        return None
    refused = usage.whole.get("throttles", 0.0)
    whole = usage.invocations + refused
    return min(1.0, (usage.whole.get("errors", 0.0) + refused) / whole) if whole else None


def _percent(usage: Usage | None, key: str) -> float | None:
    found = usage.share(key) if usage else None
    return None if found is None else found * 100
