"""Several runs side by side: what they were given differently, what came out, and their curves. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dashboard.core.costs.quote import Quote
from dashboard.core.format import duration
from dashboard.core.runs.model import Run

ACCURACY = ("test:accuracy", "valid:accuracy", "train:accuracy")

Curves = Mapping[str, tuple[tuple[int, float], ...]]
"""Metric → ((epoch, value), …), as `Progress.curves`."""


@dataclass(frozen=True)
class Measures:
    """What one run took and reached. Seconds are of the job; None where it is not known."""

    run: Run
    seconds: float | None  # training, as AWS counts it
    billable_seconds: float | None
    cost: Quote
    accuracy: float | None  # 0..1, on test photos, else validation, else training
    accuracy_on: str = ""  # the metric's name
    interruptions: int = 0
    saving: float | None = None

    @property
    def amount(self) -> Decimal | None:
        return self.cost.amount


@dataclass(frozen=True)
class Parameter:
    """One setting in which the runs differ, with each run's value in their order; "" where it has none."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs in the order in which they were chosen. `curves` by metric: for each run its points."""

    measures: tuple[Measures, ...]
    different: tuple[Parameter, ...]
    same: tuple[tuple[str, str], ...]
    curves: Mapping[str, tuple[tuple[tuple[int, float], ...], ...]]

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(one.run for one in self.measures)

    def best(self, figure: Callable[[Measures], float | Decimal | None], *, least: bool) -> Measures | None:
        """The run with the least, or the most, of a figure; None where fewer than two runs have it."""
        known = [(value, one) for one in self.measures if (value := figure(one)) is not None]
        if len(known) < 2:
            return None
        pick = min if least else max
        return pick(known, key=lambda pair: pair[0])[1]


def compare(runs: Sequence[Run], quotes: Mapping[str, Quote], curves: Mapping[str, Curves]) -> Comparison:
    """`quotes` and `curves` by the runs' keys; a run without curves has empty ones."""
    measures = tuple(_measures(run, quotes[run.key]) for run in runs)
    given = [_given(run) for run in runs]
    names = list(dict.fromkeys(name for one in given for name in one))
    rows = [Parameter(name, tuple(one.get(name, "") for one in given)) for name in names]
    metrics = list(dict.fromkeys(metric for run in runs for metric in curves.get(run.key, {})))
    return Comparison(
        measures=measures,
        different=tuple(row for row in rows if len(set(row.values)) > 1),
        same=tuple((row.name, row.values[0]) for row in rows if len(set(row.values)) == 1),
        curves={metric: tuple(curves.get(run.key, {}).get(metric, ()) for run in runs) for metric in metrics},
    )


def _measures(run: Run, quote: Quote) -> Measures:
    name = next((one for one in ACCURACY if one in run.metrics), "")
    return Measures(
        run=run,
        seconds=run.training_seconds,
        billable_seconds=run.billable_seconds,
        cost=quote,
        accuracy=run.metrics.get(name),
        accuracy_on=name,
        interruptions=run.interruptions,
        saving=run.saving,
    )


def _given(run: Run) -> dict[str, str]:
    """What a run was given, in the words of the form."""
    asked = {
        "data": run.dataset_uri,
        "platform": run.platform.word,
        "capacity": run.capacity.value,
        "instance": run.instance_type,
        "instances": str(run.instance_count),
        "time limit": duration(run.max_seconds) if run.max_seconds else "",
        "waits for spot, on top": "" if run.spot_wait_seconds is None else duration(run.spot_wait_seconds),
        "volume": f"{run.volume_gb} GB" if run.volume_gb else "",
        "image": run.image,
        "code": run.code_uri,
    }
    settings = {name.replace("_", " "): value for name, value in run.hyperparameters.items()}
    return {name: value for name, value in {**asked, **dict(sorted(settings.items()))}.items() if value}
