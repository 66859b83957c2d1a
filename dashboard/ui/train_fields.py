"""The fields of the Train form: what each is called, its first value, and the way from a spec to them and back. Pure.

Every value lives in the session under one of these names, so that an earlier run fills the form by writing them.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from dashboard.core.runs.setting_problems import choices
from dashboard.core.runs.spec import Capacity, Platform, TrainingSpec
from dashboard.ui import train_search as search
from dashboard.ui.train_search import as_text, default_text, is_whole
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

ID = re.compile(r"\b(subnet|sg)-[0-9a-z]+\b")
DEFAULT = TrainingSpec("")
OWN = ("learning_rate", "batch_size", "epochs")
SETTINGS = tuple(name for name in (*RANGES, *CHOICES, *TEXTS) if name not in (*OWN, "name", "cache", "wheels"))
"""Hyperparameters without a field of their own."""


def instance_key(platform: Platform) -> str:
    """The widget that chooses `INSTANCE`: one for each platform, for each calls the types by names of its own."""
    return f"{INSTANCE}-{platform}"


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
        search.TUNE: spec.tuning is not None,
        **search.values(spec.tuning or search.TUNING),
    }


def first_setting(name: str) -> Any:
    """The first value of a setting's field: what the training code takes without one."""
    return _typed(name, default_text(name))


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
    tuning = None if is_ec2 or not kept[search.TUNE] else search.read(kept)
    return TrainingSpec(
        dataset_uri=dataset_uri,
        platform=platform,
        capacity=capacity,
        instance_type=named(plain(kept[INSTANCE] or ""), platform),
        instance_count=1 if is_ec2 else int(kept[COUNT] or 0),
        learning_rate=float(kept[RATE] or 0),
        batch_size=int(kept[BATCH] or 0),
        epochs=int(kept[EPOCHS] or 0),
        advanced=tuple((name, as_text(kept.get(setting_key(name), first_setting(name)))) for name in kept[ADVANCED]),
        max_seconds=limit,
        max_wait_seconds=limit + int(kept[WAIT] or 0) * 60 if is_spot and not is_ec2 else 0,
        name=(kept[NAME] or "").strip(),
        max_cost=None if cap is None else Decimal(str(cap)),
        tuning=tuning,
        subnets=_ids(kept[SUBNETS]),
        security_groups=_ids(kept[GROUPS]),
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


def explained(name: str) -> str:
    """What a hyperparameter does, in the training code's own words."""
    about = RANGES.get(name) or CHOICES.get(name) or TEXTS[name]
    return about.help.removesuffix(": {backbones}")


def _typed(name: str, text: str) -> Any:
    """A setting's text as its field holds it."""
    if words := choices(name):
        return text if text in words else default_text(name)
    if name not in RANGES:
        return text
    try:
        return int(float(text)) if is_whole(name) else float(text)
    except ValueError:
        return getattr(Settings, name)


def _ids(chosen: Iterable[str]) -> tuple[str, ...]:
    """The ids in what was chosen or typed: a list whose labels have changed since gives the label of before."""
    return tuple(found[0] if (found := ID.search(one)) else one.strip() for one in chosen)


def _minutes(seconds: int) -> int:
    """Whole minutes, never fewer than were asked for."""
    return max(0, -(-seconds // 60))
