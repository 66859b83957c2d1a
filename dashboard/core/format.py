"""Numbers as people say them: money, durations, sizes, ages. Unknown is "unknown", never 0."""

import math
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

UNKNOWN = "unknown"
_WIDE = Context(prec=1000)
"""Digits enough for whatever amount somebody else wrote: a page shows it, and does not break on it."""
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "INR": "₹"}


def money(amount: Decimal | None, currency: str = "USD", least: int = 0) -> str:
    """An amount with its currency and sensible places: "$0.0751", "$5.41", "$1,204"; None is "unknown".

    least: places that it has in any case, as where sums stand under each other: "$5.410".
    """
    if amount is None:
        return UNKNOWN
    size = amount.copy_abs()
    if _rounded(size, 2) >= 1000:
        return _signed(amount, 0, currency)
    if size >= 1 or size == 0:
        return _signed(amount, max(2, least), currency)
    if _rounded(size, 4) == 0:  # what rounds to $0.0001 is that, here as in a table of numbers
        return f"under {_signed(Decimal('0.0001'), 4, currency)}"
    places = next(p for p in (2, 3, 4) if p == 4 or _rounded(size, p) == _rounded(size, 4))
    return _signed(amount, max(places, least), currency)


def apart(one: Decimal, other: Decimal, currency: str = "USD") -> str:
    """What one sum is more than another in a sentence that names both: of the sums as they are shown.

    "$0.0557" for $0.13079 and $0.07514, which are shown as $0.1308 and $0.0751: their own is shown as $0.0556.
    """
    shown = [_rounded(each, 0 if abs(each) >= 1000 else 2 if abs(each) >= 1 else 4) for each in (one, other)]
    return money(shown[0] - shown[1] if all(shown) else one - other, currency)


def amount(value: Decimal) -> str:
    """An amount for a program, with the places of `money`: "0.0751", "5.41", "1204"; the smallest keep two digits."""
    shown = money(value, "")
    if "under" in shown:
        return f"{value:.{1 - value.adjusted()}f}"
    return shown.replace(",", "").replace("−", "-").strip()


def rate(amount: Decimal | None, per: str = "h", currency: str = "USD", least: int = 2) -> str:
    """A unit price with all of its digits, `least` after the point: "$1.408/h", "$0.0116/h"; None is "unknown"."""
    if amount is None:
        return UNKNOWN
    places = max(least, 2, -int(amount.normalize().as_tuple().exponent))
    return f"{_signed(amount, places, currency)}/{per}"


def duration(seconds: float | None) -> str:
    """Seconds as "0.4 s", "42 s", "11 min 3 s", "2 h 5 min", "3 d 4 h"; None is "unknown"."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0:
        return f"−{duration(-seconds)}"
    if 0 < seconds < 9.95:
        text = f"{seconds:.1f}".removesuffix(".0")
        return "under 0.1 s" if text == "0" else f"{text} s"
    whole = round(seconds)
    for size, unit, smaller, smaller_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            rest = (whole % size) // smaller
            return f"{whole // size} {unit} {rest} {smaller_unit}" if rest else f"{whole // size} {unit}"
    if whole >= 60:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole} s"


def size(count: int | None) -> str:
    """Bytes as "512 B", "1.2 MiB", "3.4 GiB"; None is "unknown"."""
    if count is None:
        return UNKNOWN
    if count < 1024:
        return f"{count} B"
    value = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 999.5 or unit == "TiB":
            break
    return f"{value:.0f} {unit}" if value >= 99.5 else f"{value:.1f} {unit}"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long before `now` (both with a zone): "just now", "3 min ago", "2 d ago", "in 5 min"."""
    if moment is None:
        return UNKNOWN
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 10:
        return "just now"
    length = abs(seconds)
    for unit_seconds, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if length >= unit_seconds:
            text = f"{int(length // unit_seconds)} {unit}"
            break
    return f"{text} ago" if seconds > 0 else f"in {text}"


def percent(share: float | None, places: int = 0) -> str:
    """A share of 1 as "93 %"; shares that would round to a false 0 or 100 say "under"/"over"."""
    if share is None:
        return UNKNOWN
    text = f"{share * 100:.{places}f}"
    least = 10**-places
    if share > 0 and float(text) == 0:
        return f"under {least:.{places}f} %"
    if share < 1 and float(text) == 100:
        return f"over {100 - least:.{places}f} %"
    return f"{text} %"


def plain(number: float) -> str:
    """A number with all of its digits and no exponent: "0.000001", "1,000", "0.02"; also "inf" and "nan"."""
    if not math.isfinite(number):
        return str(number)
    text = f"{Decimal(repr(number)):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def short(name: str, longest: int) -> str:
    """A name in so many characters: of a long one both ends, since names of one kind differ at either."""
    half = longest // 2
    return name if len(name) <= longest else f"{name[: longest - half - 1]}…{name[-half:]}"


def count(number: int | None, thing: str = "", plural: str = "") -> str:
    """A counted thing: "3 runs", "1 run", "6,680 photos"; without a thing only the number."""
    if number is None:
        return UNKNOWN
    if not thing:
        return f"{number:,}"
    return f"{number:,} {thing if number == 1 else plural or thing + 's'}"


def _rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN, _WIDE)


def _signed(amount: Decimal, places: int, currency: str) -> str:
    sign = "−" if amount < 0 else ""
    number = f"{_rounded(amount.copy_abs(), places):,f}"
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {currency}"
