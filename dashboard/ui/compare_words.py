"""A comparison in words and numbers: who was first, and costs that can be told apart. Pure."""

import math
from collections.abc import Callable, Sequence

from dashboard.core.costs.receipt import Nature
from dashboard.core.format import count
from dashboard.core.runs.compare import Measures
from dashboard.ui.figures_compare import Compared
from dashboard.ui.lines import Style


def compared(measured: Measures, style: Style) -> Compared:
    """A run's measures as they are drawn."""
    return Compared(
        measured.run.name,
        style,
        measured.seconds,
        None if measured.amount is None else float(measured.amount),
        measured.accuracy,
    )


def first(rows: Sequence[Compared], value: Callable[[Compared], float | None], *, least: bool) -> str:
    """The letters of the runs that have the least (or the most) of something: "A", "A and C", "3 alike", or ""."""
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
        (first(rows, lambda row: row.cost, least=True), "cheapest"),
        (first(rows, lambda row: row.seconds, least=True), "quickest"),
        (first(rows, lambda row: row.accuracy, least=False), "most accurate"),
    )
    parts = [f"{letters} {word}" for letters, word in told if letters]
    return (
        f"{count(len(rows), 'run')}: {', '.join(parts)}" if parts else f"{count(len(rows), 'run')}, too few have ended"
    )


def money(natures: Sequence[Nature]) -> str:
    """The word beside a label of money and of measured time: " · simulated", " · sample", " · simulated and sample"."""
    words = [nature.word for nature in Nature if nature in natures and nature is not Nature.LISTED]
    return f" · {' and '.join(words)}" if words else ""


def dollars(amount: float | None, places: int) -> str:
    return "unknown" if amount is None else f"${amount:.{places}f}"


def places(rows: Sequence[Compared]) -> int:
    """Places after the point, so that small costs can be told apart: three digits of the largest."""
    most = max((row.cost for row in rows if row.cost), default=1.0)
    return max(2, min(7, 2 - math.floor(math.log10(most))))


def short(value: str) -> str:
    """A setting in a cell: of an address only its last part; "–" for none."""
    return value.rstrip("/").rsplit("/", 1)[-1] or "–"
