"""A run's use of its instances → lines over time. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from dashboard.core.format import percent
from dashboard.core.runs.instances import hardware
from dashboard.core.runs.model import Run
from dashboard.core.runs.usage import Measure, Series, Usage
from dashboard.ui.lines import STYLES, Line, figure

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

WORDS = {
    Measure.CPU: "processor",
    Measure.MEMORY: "memory",
    Measure.DISK: "disk",
    Measure.GPU: "GPU",
    Measure.GPU_MEMORY: "GPU memory",
}
HOSTS = 2
"""Hosts drawn by themselves; of more the mean is drawn."""
MINUTES = 240
"""Seconds from which on the axis counts minutes."""


def share(series: Series, vcpus: int | None) -> list[tuple[datetime, float]]:
    """A series as shares of the whole instance; CloudWatch counts 100 for each core."""
    whole = 100.0 * (vcpus or 1) if series.measure is Measure.CPU else 100.0
    return [(moment, value / whole) for moment, value in series.points]


def means(series: Sequence[Series], vcpus: int | None) -> list[tuple[datetime, float]]:
    """The mean over hosts at each moment of the first one."""
    by_time: dict[datetime, list[float]] = {}
    for one in series:
        for moment, value in share(one, vcpus):
            by_time.setdefault(moment, []).append(value)
    return sorted((moment, sum(values) / len(values)) for moment, values in by_time.items())


def lines(used: Usage, vcpus: int | None, begin: datetime) -> tuple[list[Line], str]:
    """The lines of all measures that were taken, and the unit of their x axis; disk is left to the table.

    CloudWatch dates a value to the begin of its period, which for the first one lies before the run's: it stands at 0.
    """
    drawn: list[tuple[str, Sequence[tuple[datetime, float]]]] = []
    for measure in Measure:
        found = used.of(measure)
        if not found or measure is Measure.DISK:
            continue
        if 1 < len(found) <= HOSTS:
            drawn += [(f"{WORDS[measure]} {one.host}", share(one, vcpus)) for one in found]
        else:
            drawn.append((WORDS[measure], means(found, vcpus)))
    length = max(((points[-1][0] - begin).total_seconds() for _, points in drawn), default=0.0)
    unit, seconds = ("min", 60.0) if length >= MINUTES else ("s", 1.0)
    return [
        Line(
            name,
            f"{name} {percent(points[-1][1])}",
            style,
            [(max(0.0, (at - begin).total_seconds()) / seconds, v) for at, v in points],
        )
        for (name, points), style in zip(drawn, STYLES, strict=False)
    ], unit


def finding(used: Usage, vcpus: int | None) -> str:
    """The sentence above the figure: how busy it was, and the most memory it held."""
    parts = []
    cpu = used.mean(Measure.CPU)
    if cpu is not None:
        parts.append(f"processor {percent(cpu / (100.0 * (vcpus or 1)))} busy on average")
    for measure in (Measure.MEMORY, Measure.GPU, Measure.GPU_MEMORY, Measure.DISK):
        most = used.highest(measure)
        if most is not None:
            parts.append(f"{WORDS[measure]} at most {percent(most / 100)}")
    said = ", ".join(parts)
    return said[:1].upper() + said[1:]


def measured(run: Run, *, is_embedded: bool) -> str:
    """What the shares are of where that is not AWS's own machine; "" on a real account."""
    if not is_embedded:
        return ""
    of = hardware(run.instance_type)
    if run.is_on_ec2 or of is None:
        return "Measured on this machine, simulated: memory and disk are shares of what this machine has."
    return (
        f"Measured on this machine, simulated: memory is a share of the {of.memory_gib:g} GiB of {run.instance_type}, "
        "disk of its volume."
    )


def over_time(used: Usage, vcpus: int | None, begin: datetime, *, is_dark: bool = False) -> "Figure":
    """Processor, memory and GPU as shares of the instance, from the run's begin on."""
    drawn, unit = lines(used, vcpus, begin)
    return figure(
        drawn,
        f"{unit} since its start",
        "share of the instance (%)",
        is_dark=is_dark,
        percent=True,
        highest=1.03,
        height=220,
    )


def rows(used: Usage, begin: datetime) -> list[dict[str, float | str]]:
    """The numbers behind the figure, as CloudWatch has them."""
    return [
        {
            "seconds": round(max(0.0, (at - begin).total_seconds()), 1),
            "host": one.host,
            "measure": one.measure.value,
            "percent": v,
        }
        for one in used.series
        for at, v in one.points
    ]
