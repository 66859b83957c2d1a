"""What is wrong with what a person asks for, each problem with its field and what to do."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from dashboard.core.errors import InvalidInput
from dashboard.core.format import plain
from dashboard.core.runs.network_problems import network_problems
from dashboard.core.runs.setting_problems import setting_problem, settings_problems
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.tuning_problems import tuning_problems
from training.settings import RANGES, Settings

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # SageMaker's own pattern for TrainingJobName
LONGEST_NAME = 63
TUNING_NAME = 32  # characters of a HyperParameterTuningJobName
S3_URI = re.compile(r"(?=.{1,1024}$)s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)")
INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
EC2_INSTANCE = re.compile(r"(?!ml\.)[a-z0-9-]+\.[a-z0-9-]+")
TAG_VALUE = re.compile(r"[\w .:/=+\-@]{0,256}")  # AWS's pattern for a tag's value
SECONDS_LIST = re.compile(r"(?=.{0,256}$)([0-9]{1,6}( [0-9]{1,6})*)?")  # it becomes a tag's value

MAX_SECONDS = (60, 5 * 24 * 3600)  # SageMaker's default limit for one job is 5 days
MOST_SECONDS_WAITING = 28 * 24 * 3600
MOST_INSTANCES = 20  # SageMaker's default quota "Number of instances across all training jobs"
VOLUME_GB = (8, 16384)
OWN_FIELDS = frozenset({"learning_rate", "batch_size", "epochs", "name"})
"""Hyperparameters that have a field of their own, or that the run's name decides."""


def problems(spec: TrainingSpec) -> tuple[InvalidInput, ...]:
    """Everything that is wrong with a spec, one error a field, in the form's order; empty when it can be planned."""
    found = [
        _matches(
            "dataset_uri", spec.dataset_uri, S3_URI, "the data must be an address like s3://bucket/datasets/dogs/"
        ),
        _instance(spec),
        _count(spec),
        _within("learning_rate", "the learning rate", spec.learning_rate, limits("learning_rate")),
        _within("batch_size", "the batch size", spec.batch_size, limits("batch_size")),
        _within("epochs", "the number of epochs", spec.epochs, limits("epochs")),
        *_advanced(spec),
        _within("max_seconds", "the time limit in seconds", spec.max_seconds, MAX_SECONDS),
        _wait(spec),
        _name(spec),
        _cap(spec.max_cost),
        *_tuning(spec),
        *network_problems(spec),
        *_tags(spec),
        _within("volume_gb", "the volume in GB", spec.volume_gb, VOLUME_GB),
        _resume(spec),
        *_interruptions(spec),
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
        f"{called} must be between {plain(low)} and {plain(high)}",
        f"it is {plain(value)}",
        "choose a value in that range",
        field=field,
    )


def _matches(field: str, value: str, pattern: re.Pattern[str], rule: str) -> InvalidInput | None:
    if pattern.fullmatch(value):
        return None
    return InvalidInput(rule, f'it is "{value}"' if value else "it is empty", "choose one from the list", field=field)


def _instance(spec: TrainingSpec) -> InvalidInput | None:
    if spec.is_on_ec2:
        rule = 'the instance type must look like "m5.large" on EC2'
        return _matches("instance_type", spec.instance_type, EC2_INSTANCE, rule)
    return _matches("instance_type", spec.instance_type, INSTANCE, 'the instance type must look like "ml.m5.large"')


def _name(spec: TrainingSpec) -> InvalidInput | None:
    name, longest = spec.name, TUNING_NAME if spec.tuning else LONGEST_NAME
    if not name or (NAME.fullmatch(name) and len(name) <= longest):
        return None
    why = f"it has {len(name)} characters" if len(name) > longest else f'it is "{name}"'
    return InvalidInput(
        f"the name may have letters, digits and hyphens, at most {longest} in all, and no hyphen at either end",
        why,
        "change the name, or leave it empty to get one",
        field="name",
    )


def _count(spec: TrainingSpec) -> InvalidInput | None:
    count = spec.instance_count
    if count < 1:
        return InvalidInput(
            "a training needs an instance", f"{count} were asked for", "ask for 1", field="instance_count"
        )
    if spec.is_on_ec2 and count > 1:
        return InvalidInput(
            "a training on EC2 has one instance",
            f"{count} were asked for, and nothing would join them",
            "ask for 1, or train on SageMaker, where several instances train one model together",
            field="instance_count",
        )
    if count > MOST_INSTANCES:
        return InvalidInput(
            f"at most {MOST_INSTANCES} instances can train one model",
            f"{count} were asked for",
            "ask for fewer, of a larger type",
            field="instance_count",
        )
    return None


def _advanced(spec: TrainingSpec) -> Iterator[InvalidInput]:
    names = [name for name, _ in spec.advanced]
    for name, value in spec.advanced:
        if name in OWN_FIELDS or names.count(name) > 1:
            yield InvalidInput(f"{name} is given twice", "it has a field of its own" if name in OWN_FIELDS else
                               "each setting has one value", "give it once", field="advanced")  # fmt: skip
        elif name not in Settings.__dataclass_fields__:
            yield InvalidInput(
                f'the training has no setting "{name}"',
                "its settings are listed in the form",
                "drop it",
                field="advanced",
            )
        elif problem := setting_problem(name, value, "advanced"):
            yield problem
    yield from settings_problems(dict(spec.advanced))


def _wait(spec: TrainingSpec) -> InvalidInput | None:
    asked = spec.max_wait_seconds
    if not asked or not spec.is_spot or spec.is_on_ec2:
        return None
    if asked < spec.max_seconds:
        return InvalidInput(
            "the wait for spot capacity must not be shorter than the time limit",
            f"it counts from the launch and includes the training: {asked:,} s are less than {spec.max_seconds:,} s",
            "lengthen it, or shorten the time limit",
            field="max_wait_seconds",
        )
    return _within("max_wait_seconds", "the longest wait in seconds", asked, (1, MOST_SECONDS_WAITING))


def _tuning(spec: TrainingSpec) -> Iterator[InvalidInput]:
    if spec.tuning is None:
        return
    if spec.is_on_ec2:
        yield InvalidInput(
            "a tuning job runs on SageMaker", "EC2 has nothing that chooses the next trial", "choose SageMaker",
            field="tuning",
        )  # fmt: skip
    yield from tuning_problems(spec.tuning)


def _tags(spec: TrainingSpec) -> Iterator[InvalidInput]:
    for field in ("project", "owner"):
        if not TAG_VALUE.fullmatch(getattr(spec, field)):
            yield InvalidInput(
                f"the {field} may have letters, digits, spaces and _ . : / = + - @, at most 256 in all",
                f'it is "{getattr(spec, field)[:80]}"',
                "change it, or leave it empty",
                field=field,
            )


def _resume(spec: TrainingSpec) -> InvalidInput | None:
    if not spec.resume_from:
        return None
    if spec.tuning:
        return InvalidInput("a tuning job starts anew", "each trial is a training of its own", "drop the checkpoints",
                            field="resume_from")  # fmt: skip
    return _matches("resume_from", spec.resume_from, S3_URI, "checkpoints lie at an address like s3://bucket/folder/")


def _interruptions(spec: TrainingSpec) -> Iterator[InvalidInput]:
    if not SECONDS_LIST.fullmatch(spec.interrupt_after):
        yield InvalidInput('interruptions are seconds of training, like "20" or "20 45"',
                           f'it is "{spec.interrupt_after}"', "change it", field="interrupt_after")  # fmt: skip
    if problem := _within(
        "interruptions_per_hour", "the interruptions an hour", spec.interruptions_per_hour, (0, 3600)
    ):
        yield problem
    if (spec.interrupt_after or spec.interruptions_per_hour) and not spec.is_spot:
        field = "interrupt_after" if spec.interrupt_after else "interruptions_per_hour"
        yield InvalidInput(
            "only spot instances are interrupted",
            "this training is on demand",
            "choose spot, or drop it",
            field=field,
        )


def _cap(cap: Decimal | None) -> InvalidInput | None:
    if cap is None or cap > 0:
        return None
    return InvalidInput("the cost cap must be above 0", f"it is {cap}", "raise it, or leave it empty", field="max_cost")
