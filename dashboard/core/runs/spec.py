"""What a person asks for when they train, and whether it can be."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from dashboard.core.errors import InvalidInput
from training.settings import RANGES, Settings

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # SageMaker's own pattern for TrainingJobName
S3_URI = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)")
INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")

MAX_SECONDS = (60, 5 * 24 * 3600)  # SageMaker's default limit for one job is 5 days


@dataclass(frozen=True)
class TrainingSpec:
    """One training to launch. `dataset_uri` has train/ valid/ test/ below it; `max_cost` is a cap in USD."""

    dataset_uri: str
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    learning_rate: float = Settings.learning_rate
    batch_size: int = Settings.batch_size
    epochs: int = Settings.epochs
    max_seconds: int = 3600
    name: str = ""
    max_cost: Decimal | None = None

    @property
    def hyperparameters(self) -> dict[str, str]:
        """As SageMaker passes them: strings."""
        return {
            "learning_rate": str(self.learning_rate),
            "batch_size": str(self.batch_size),
            "epochs": str(self.epochs),
        }


def problems(spec: TrainingSpec) -> tuple[InvalidInput, ...]:
    """Everything that is wrong with a spec, one error a field, in the form's order; empty when it can be planned."""
    found = [
        _matches(
            "dataset_uri", spec.dataset_uri, S3_URI, "the data must be an address like s3://bucket/datasets/dogs/"
        ),
        _matches("instance_type", spec.instance_type, INSTANCE, 'the instance type must look like "ml.m5.large"'),
        _count(spec.instance_count),
        _within("learning_rate", "the learning rate", spec.learning_rate, limits("learning_rate")),
        _within("batch_size", "the batch size", spec.batch_size, limits("batch_size")),
        _within("epochs", "the number of epochs", spec.epochs, limits("epochs")),
        _within("max_seconds", "the time limit in seconds", spec.max_seconds, MAX_SECONDS),
        _name(spec.name),
        _cap(spec.max_cost),
    ]
    return tuple(problem for problem in found if problem)


def taken(name: str, names: Iterable[str]) -> InvalidInput | None:
    """The problem of a name that one of the runs already has; AWS itself says so only once the run is launched."""
    if not name or name not in names:
        return None
    return InvalidInput(
        f"there is already a run named {name}",
        "names are unique in an account and region, also those of runs that have ended",
        "choose another name, or leave it empty to get one",
        field="name",
    )


def limits(field: str) -> tuple[float, float]:
    """The least and the most that the training code accepts for a hyperparameter, both included."""
    return RANGES[field].low, RANGES[field].high


def _within(field: str, called: str, value: float, allowed: tuple[float, float]) -> InvalidInput | None:
    low, high = allowed
    if low <= value <= high:  # false for NaN too
        return None
    return InvalidInput(
        f"{called} must be between {low:,g} and {high:,g}",
        f"it is {value:,g}",
        "choose a value in that range",
        field=field,
    )


def _matches(field: str, value: str, pattern: re.Pattern[str], rule: str) -> InvalidInput | None:
    if pattern.fullmatch(value):
        return None
    return InvalidInput(rule, f'it is "{value}"' if value else "it is empty", "choose one from the list", field=field)


def _name(name: str) -> InvalidInput | None:
    if not name or NAME.fullmatch(name):
        return None
    why = f"it has {len(name)} characters" if len(name) > 63 else f'it is "{name}"'
    return InvalidInput(
        "the name may have letters, digits and hyphens, at most 63 in all, and no hyphen at either end",
        why,
        "change the name, or leave it empty to get one",
        field="name",
    )


def _count(count: int) -> InvalidInput | None:
    if count == 1:
        return None
    if count < 1:
        return InvalidInput(
            "a training needs an instance", f"{count} were asked for", "ask for 1", field="instance_count"
        )
    return InvalidInput(
        "a training runs on one instance for now",
        f"{count} instances would each train the same model alone, at {count} times the cost",
        "ask for 1, and a larger instance type if it must be faster",
        field="instance_count",
    )


def _cap(cap: Decimal | None) -> InvalidInput | None:
    if cap is None or cap > 0:
        return None
    return InvalidInput("the cost cap must be above 0", f"it is {cap}", "raise it, or leave it empty", field="max_cost")
