"""The fields of the Train form: what each is called, its first value, and the way from a spec to them and back. Pure.

Every value lives in the session under one of these names, so that an earlier run fills the form by writing them.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dashboard.core.runs.spec import Capacity, Platform, Range, RangeKind, TrainingSpec, Tuning
from dashboard.core.runs.tuning_spec import DEFAULT_RANGES, number
from training.settings import CHOICES, RANGES, TEXTS, Settings

DATA, PLATFORM, CAPACITY = "train-data", "train-platform", "train-capacity"
INSTANCE, COUNT, NAME = "train-instance", "train-count", "train-name"
EPOCHS, RATE, BATCH = "train-epochs", "train-rate", "train-batch"
MINUTES, WAIT, CAP, VOLUME = "train-minutes", "train-wait", "train-cap", "train-volume"
PROJECT, OWNER = "train-project", "train-owner"
SUBNETS, GROUPS, KMS = "train-subnets", "train-groups", "train-kms"
KEY_PAIR, ADDRESS, RESUME = "train-key-pair", "train-address", "train-resume"
INTERRUPT_AFTER, INTERRUPT_RATE = "train-interrupt-after", "train-interrupt-rate"
ADVANCED = "train-advanced"
TUNE, OVER, STRATEGY, OBJECTIVE = "train-tune", "train-over", "train-strategy", "train-objective"
JOBS, PARALLEL, EARLY, SEED = "train-jobs", "train-parallel", "train-early", "train-seed"

DEFAULT = TrainingSpec("")
TUNING = Tuning(DEFAULT_RANGES)
AS_RANGE, AS_VALUES = "range", "values"
OWN = ("learning_rate", "batch_size", "epochs")
SETTINGS = tuple(name for name in (*RANGES, *CHOICES, *TEXTS) if name not in (*OWN, "name", "cache", "wheels"))
"""Hyperparameters without a field of their own."""
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


def instance_key(platform: Platform) -> str:
    """The widget that chooses `INSTANCE`: one for each platform, for each calls the types by names of its own."""
    return f"{INSTANCE}-{platform}"


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


def setting_key(name: str) -> str:
    """The value of one of the `SETTINGS`."""
    return f"train-set-{name}"


def values(spec: TrainingSpec) -> dict[str, Any]:
    """What the fields hold when they describe `spec`; the data is not among them."""
    return {
        PLATFORM: str(spec.platform),
        CAPACITY: str(spec.capacity),
        INSTANCE: plain(spec.instance_type),
        COUNT: spec.instance_count,
        NAME: spec.name,
        EPOCHS: spec.epochs,
        RATE: spec.learning_rate,
        BATCH: spec.batch_size,
        MINUTES: _minutes(spec.max_seconds),
        WAIT: _minutes(spec.wait_seconds - spec.max_seconds),
        CAP: None if spec.max_cost is None else float(spec.max_cost),
        VOLUME: spec.volume_gb,
        PROJECT: spec.project,
        OWNER: spec.owner,
        SUBNETS: list(spec.subnets),
        GROUPS: list(spec.security_groups),
        KMS: spec.kms_key,
        KEY_PAIR: spec.key_name,
        ADDRESS: spec.ssh_address,
        RESUME: spec.resume_from,
        INTERRUPT_AFTER: spec.interrupt_after,
        INTERRUPT_RATE: spec.interruptions_per_hour,
        ADVANCED: [name for name, _ in spec.advanced if name in SETTINGS],
        **{setting_key(name): _typed(name, value) for name, value in spec.advanced if name in SETTINGS},
        TUNE: spec.tuning is not None,
        **_of_tuning(spec.tuning or TUNING),
    }


def first_setting(name: str) -> Any:
    """The first value of a setting's field: what the training code takes without one."""
    return _typed(name, default_text(name))


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


def read(kept: Mapping[str, Any], dataset_uri: str, *, simulates: bool = True) -> TrainingSpec:
    """The spec that the fields describe; what a platform or a way to pay has no use for is left out.

    A field that is missing has its first value. `simulates`: whether interruptions can be asked for here, which only
    the embedded AWS obeys.
    """
    kept = {**values(DEFAULT), **kept}
    platform, capacity = Platform(kept[PLATFORM] or DEFAULT.platform), Capacity(kept[CAPACITY] or DEFAULT.capacity)
    is_ec2, is_spot = platform is Platform.EC2, capacity is Capacity.SPOT
    cap = kept[CAP]
    limit = int(kept[MINUTES] or 0) * 60
    tuning = None if is_ec2 or not kept[TUNE] else _tuning(kept)
    return TrainingSpec(
        dataset_uri=dataset_uri,
        platform=platform,
        capacity=capacity,
        instance_type=named(plain(kept[INSTANCE] or ""), platform),
        instance_count=1 if is_ec2 else int(kept[COUNT] or 0),
        learning_rate=float(kept[RATE] or 0),
        batch_size=int(kept[BATCH] or 0),
        epochs=int(kept[EPOCHS] or 0),
        advanced=tuple((name, _text(kept.get(setting_key(name), first_setting(name)))) for name in kept[ADVANCED]),
        max_seconds=limit,
        max_wait_seconds=limit + int(kept[WAIT] or 0) * 60 if is_spot and not is_ec2 else 0,
        name=(kept[NAME] or "").strip(),
        max_cost=None if cap is None else Decimal(str(cap)),
        tuning=tuning,
        subnets=tuple(kept[SUBNETS]),
        security_groups=tuple(kept[GROUPS]),
        kms_key=(kept[KMS] or "").strip(),
        project=(kept[PROJECT] or "").strip(),
        owner=(kept[OWNER] or "").strip(),
        key_name=(kept[KEY_PAIR] or "") if is_ec2 else "",
        ssh_address=(kept[ADDRESS] or "").strip() if is_ec2 else "",
        volume_gb=int(kept[VOLUME] or 0),
        resume_from="" if tuning else kept[RESUME] or "",
        interrupt_after=" ".join((kept[INTERRUPT_AFTER] or "").split()) if is_spot and simulates else "",
        interruptions_per_hour=float(kept[INTERRUPT_RATE] or 0) if is_spot and simulates else 0.0,
    )


def plain(instance_type: str) -> str:
    """An instance type by the name that both platforms share: "m5.large"."""
    return instance_type.strip().removeprefix("ml.")


def named(instance_type: str, platform: Platform) -> str:
    """An instance type by the name that a platform gives it: "ml.m5.large" on SageMaker."""
    return instance_type if platform is Platform.EC2 or not instance_type else f"ml.{instance_type}"


def is_whole(name: str) -> bool:
    """Whether a hyperparameter takes whole numbers only."""
    value = getattr(Settings, name)
    return isinstance(value, int) and not isinstance(value, bool)


def default_text(name: str) -> str:
    """What the training code takes for a hyperparameter that is not given, as text."""
    return _text(getattr(Settings, name))


def explained(name: str) -> str:
    """What a hyperparameter does, in the training code's own words."""
    about = RANGES.get(name) or CHOICES.get(name) or TEXTS[name]
    return about.help.removesuffix(": {backbones}")


def goal(objective: str) -> str:
    """The direction of a metric: a loss is to fall, everything else to rise."""
    return "Minimize" if objective.endswith("loss") else "Maximize"


def _of_tuning(tuning: Tuning) -> dict[str, Any]:
    found: dict[str, Any] = {
        OVER: [one.name for one in tuning.ranges],
        STRATEGY: tuning.strategy,
        OBJECTIVE: tuning.objective,
        JOBS: tuning.max_jobs,
        PARALLEL: tuning.parallel,
        EARLY: tuning.early_stopping,
        SEED: tuning.seed,
    }
    for one in tuning.ranges:
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


def _tuning(kept: Mapping[str, Any]) -> Tuning:
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


def _typed(name: str, text: str) -> Any:
    """A setting's text as its field holds it."""
    if name not in RANGES:
        return text
    try:
        return int(float(text)) if is_whole(name) else float(text)
    except ValueError:
        return getattr(Settings, name)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return number(value) if isinstance(value, int | float) else str(value or "").strip()


def _minutes(seconds: int) -> int:
    """Whole minutes, never fewer than were asked for."""
    return max(0, -(-seconds // 60))
