"""The fields of a tuning job's search: what may be searched, where a search begins, and the way to a Tuning. Pure."""

from collections.abc import Mapping
from typing import Any

from dashboard.core.runs.spec import Range, RangeKind, Tuning
from dashboard.core.runs.tuning_problems import OBJECTIVES, STRATEGIES
from dashboard.core.runs.tuning_spec import DEFAULT_RANGES, number
from training.settings import CHOICES, RANGES, Settings

TUNE, OVER, STRATEGY, OBJECTIVE = "train-tune", "train-over", "train-strategy", "train-objective"
JOBS, PARALLEL, EARLY, SEED = "train-jobs", "train-parallel", "train-early", "train-seed"
TUNING = Tuning(DEFAULT_RANGES)
AS_RANGE, AS_VALUES = "range", "values"
TUNABLE = (
    "learning_rate",
    "batch_size",
    "epochs",
    "weight_decay",
    "label_smoothing",
    "hidden",
    "views",
    "class_weights",
    "warm_start",
    "patience",
    "unfreeze",
    "fine_tune_epochs",
    "fine_tune_learning_rate",
    "accumulate",
    "clip",
    "seed",
)
FIRST_RANGES: dict[str, tuple[float, float, str]] = {
    "learning_rate": (0.001, 0.1, "Logarithmic"),
    "batch_size": (32, 512, "Logarithmic"),
    "epochs": (5, 40, "Auto"),
    "weight_decay": (0.0001, 0.1, "Logarithmic"),
    "label_smoothing": (0.0, 0.2, "Auto"),
    "hidden": (0, 512, "Auto"),
    "views": (1, 4, "Auto"),
    "patience": (2, 10, "Auto"),
    "fine_tune_epochs": (1, 10, "Auto"),
    "fine_tune_learning_rate": (0.00001, 0.001, "Logarithmic"),
    "accumulate": (1, 8, "Auto"),
    "clip": (0.1, 10.0, "Logarithmic"),
}
FIRST_VALUES: dict[str, tuple[str, ...]] = {
    "learning_rate": ("0.005", "0.02", "0.08"),
    "batch_size": ("32", "64", "128", "256", "512"),
    "epochs": ("10", "20", "40"),
    "weight_decay": ("0", "0.01", "0.1"),
    "label_smoothing": ("0", "0.1"),
    "hidden": ("0", "128", "512"),
    "views": ("1", "2", "4"),
    "unfreeze": ("0", "1", "2"),
    "seed": ("0", "1", "2", "3"),
}


def kind_key(name: str) -> str:
    """Whether a searched hyperparameter has a range or values."""
    return f"train-kind-{name}"


def low_key(name: str) -> str:
    return f"train-low-{name}"


def high_key(name: str) -> str:
    return f"train-high-{name}"


def scale_key(name: str) -> str:
    return f"train-scale-{name}"


def among_key(name: str) -> str:
    return f"train-among-{name}"


def first_range(name: str) -> dict[str, Any]:
    """The first values of a searched hyperparameter's fields."""
    limits = RANGES.get(name)
    low, high, scale = FIRST_RANGES.get(name, (limits.low, limits.high, "Auto") if limits else (0, 1, "Auto"))
    among = FIRST_VALUES.get(name) or (CHOICES[name].words if name in CHOICES else (default_text(name),))
    return {
        kind_key(name): AS_RANGE if limits else AS_VALUES,
        low_key(name): int(low) if is_whole(name) else float(low),
        high_key(name): int(high) if is_whole(name) else float(high),
        scale_key(name): scale,
        among_key(name): list(among),
    }


def goal(objective: str) -> str:
    """The direction of a metric: a loss is to fall, everything else to rise."""
    return "Minimize" if objective.endswith("loss") else "Maximize"


def values(tuning: Tuning) -> dict[str, Any]:
    """What the fields hold when they describe `tuning`, as far as the form knows its words."""
    ranges = [one for one in tuning.ranges if one.name in Settings.__dataclass_fields__]
    found: dict[str, Any] = {
        OVER: [one.name for one in ranges],
        STRATEGY: tuning.strategy if tuning.strategy in STRATEGIES else TUNING.strategy,
        OBJECTIVE: tuning.objective if tuning.objective in OBJECTIVES else TUNING.objective,
        JOBS: tuning.max_jobs,
        PARALLEL: tuning.parallel,
        EARLY: tuning.early_stopping,
        SEED: tuning.seed,
    }
    for one in ranges:
        found |= first_range(one.name)
        if one.kind is RangeKind.CATEGORICAL:
            found |= {kind_key(one.name): AS_VALUES, among_key(one.name): list(one.values)}
        else:
            ends = (int(one.low), int(one.high)) if is_whole(one.name) else (float(one.low), float(one.high))
            found |= {
                kind_key(one.name): AS_RANGE,
                low_key(one.name): ends[0],
                high_key(one.name): ends[1],
                scale_key(one.name): one.scaling,
            }
    return found


def read(kept: Mapping[str, Any]) -> Tuning:
    """The search that the fields describe."""
    objective = kept[OBJECTIVE] or TUNING.objective
    strategy = kept[STRATEGY] or TUNING.strategy
    return Tuning(
        ranges=tuple(_range(name, {**first_range(name), **kept}, strategy) for name in kept[OVER]),
        strategy=strategy,
        objective=objective,
        goal=goal(objective),
        max_jobs=int(kept[JOBS] or 0),
        parallel=int(kept[PARALLEL] or 0),
        early_stopping=bool(kept[EARLY]),
        seed=None if kept[SEED] is None else int(kept[SEED]),
    )


def _range(name: str, kept: Mapping[str, Any], strategy: str) -> Range:
    if takes_values(name, kept, strategy):
        return Range(name, RangeKind.CATEGORICAL, values=tuple(str(value) for value in kept[among_key(name)]))
    kind = RangeKind.INTEGER if is_whole(name) else RangeKind.CONTINUOUS
    low, high = float(kept[low_key(name)] or 0), float(kept[high_key(name)] or 0)
    return Range(name, kind, low, high, kept[scale_key(name)] or "Auto")


def takes_values(name: str, kept: Mapping[str, Any], strategy: str) -> bool:
    """Whether a hyperparameter is searched among given values: words always are, and everything in a grid."""
    return strategy == "Grid" or name not in RANGES or kept[kind_key(name)] == AS_VALUES


def is_whole(name: str) -> bool:
    """Whether a hyperparameter takes whole numbers only."""
    value = getattr(Settings, name)
    return isinstance(value, int) and not isinstance(value, bool)


def default_text(name: str) -> str:
    """What the training code takes for a hyperparameter that is not given, as text."""
    return as_text(getattr(Settings, name))


def as_text(value: object) -> str:
    """A hyperparameter's value as SageMaker passes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return number(value) if isinstance(value, int | float) else str(value or "").strip()
