"""A comparison in words and numbers: who was first, and costs that can be told apart. Pure."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

from dashboard.core.costs.receipt import Nature
from dashboard.core.format import count
from dashboard.core.format import money as plain_money
from dashboard.core.runs.compare import Measures
from dashboard.ui.figures_compare import Compared
from dashboard.ui.lines import Style


def compared(measured: Measures, style: Style, nature: Nature) -> Compared:
    """A run's measures as they are drawn, and what decides which others it can be held against."""
    return Compared(
        measured.run.name,
        style,
        measured.seconds,
        None if measured.amount is None else float(measured.amount),
        measured.accuracy,
        measured.run.dataset_uri.rstrip("/"),
        nature.word,
        measured.run.is_cached,
    )


def cheapest(rows: Sequence[Compared]) -> str:
    return first(rows, lambda row: row.cost, least=True, among=lambda row: row.paid)


def quickest(rows: Sequence[Compared]) -> str:
    return first(rows, lambda row: row.seconds, least=True, among=lambda row: row.work)


def most_accurate(rows: Sequence[Compared]) -> str:
    return first(rows, lambda row: row.accuracy, least=False, among=lambda row: row.photos)


def first(
    rows: Sequence[Compared],
    value: Callable[[Compared], float | None],
    *,
    least: bool,
    among: Callable[[Compared], object] = lambda _: None,
) -> str:
    """The letters of the runs that have the least (or the most) of something: "A", "A and C", "3 alike", or "".

    "" as well where `among` tells some of them apart: they are not held against each other.
    """
    if len({among(row) for row in rows if value(row) is not None}) > 1:
        return ""
    known = [(found, row.style.letter) for row in rows if (found := value(row)) is not None]
    if len(known) < 2:
        return ""
    best = (min if least else max)(found for found, _ in known)
    letters = [letter for found, letter in known if found == best]
    return " and ".join(letters) if len(letters) < 3 else f"{len(letters)} alike"


def sentence(rows: Sequence[Compared]) -> str:
    """Which was the cheapest, the quickest and the best."""
    if len(rows) < 2:
        return f"{count(len(rows), 'run')}: choose two or more under All runs"
    told = (
        (cheapest(rows), "cheapest"),
        (quickest(rows), "quickest"),
        (most_accurate(rows), "most accurate"),
    )
    parts = [f"{letters} {word}" for letters, word in told if letters]
    runs = count(len(rows), "run")
    if parts:
        return f"{runs}: {', '.join(parts)}"
    return f"{runs} that are not alike, so that none is the best" if unlike(rows) else f"{runs}, too few have ended"


def unlike(rows: Sequence[Compared]) -> list[str]:
    """In what runs differ that makes a verdict on them wrong, a phrase each; [] where they can be judged."""
    cached = [row.style.letter for row in rows if row.is_cached]
    told = {
        "they are on different data": len({row.data for row in rows}) > 1,
        f"{' and '.join(sorted({row.money for row in rows}))} money are two kinds": len({row.money for row in rows})
        > 1,
        f"{', '.join(cached)} took the features from the cache of an earlier run": 0 < len(cached) < len(rows),
    }
    return [said for said, is_so in told.items() if is_so]


def unlike_note(rows: Sequence[Compared]) -> str:
    """Why runs are not judged against each other in all they are shown in; "" where they are."""
    told = unlike(rows)
    return f"Not everything here is judged: {'; '.join(told)}." if told else ""


def money(natures: Sequence[Nature]) -> str:
    """The word beside a label of money and of measured time: " · simulated", " · sample", " · simulated and sample"."""
    words = [nature.word for nature in Nature if nature in natures and nature is not Nature.LISTED]
    return f" · {' and '.join(words)}" if words else ""


def dollars(amount: float | None, places: int) -> str:
    """With so many places; what these do not show is written by itself, for money that was spent is not 0."""
    if amount is None:
        return "unknown"
    return f"${amount:.{places}f}" if not amount or amount >= 10**-places else plain_money(Decimal(str(amount)))


def places(rows: Sequence[Compared]) -> int:
    """Places after the point, so that small costs can be told apart: three digits of the largest."""
    most = max((row.cost for row in rows if row.cost), default=1.0)
    return max(2, min(7, 2 - math.floor(math.log10(most))))


def short(value: str) -> str:
    """A setting in a cell: of an address only its last part; "–" for none."""
    return value.rstrip("/").rsplit("/", 1)[-1] or "–"
