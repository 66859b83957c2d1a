"""A run's settings as a spec for the form: to train again like it, or to go on from its checkpoints. Pure."""

from dataclasses import replace

from dashboard.core import tags
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec import TrainingSpec
from training.settings import RANGES, Settings

FORM = ("learning_rate", "batch_size", "epochs")
LEFT_OUT = frozenset({"name"})  # of the model: each run names its own


def spec_of(run: Run, *, resume: bool = False) -> TrainingSpec:
    """What to ask for to train like this run: everything but its name.

    With `resume` the new run goes on from its checkpoints. Hyperparameters that the training code does not know, and
    values that are none, are left out.
    """
    known = {name: value for name, value in run.hyperparameters.items() if name in Settings.__dataclass_fields__}
    spec = TrainingSpec(
        dataset_uri=run.dataset_uri,
        platform=run.platform,
        capacity=run.capacity,
        instance_type=run.instance_type,
        instance_count=run.instance_count,
        advanced=tuple(sorted((n, v) for n, v in known.items() if n not in (*FORM, *LEFT_OUT))),
        project=run.project,
        owner=run.owner,
        tuning=run.tuning.search if run.tuning else None,
        subnets=run.subnets,
        security_groups=run.security_groups,
        kms_key=run.kms_key,
        interrupt_after=run.tags.get(tags.INTERRUPT_AFTER, ""),
        resume_from=run.checkpoint_uri if resume and run.can_resume else "",
    )
    if run.max_seconds:
        spec = replace(spec, max_seconds=run.max_seconds)
    if run.max_wait_seconds:
        spec = replace(spec, max_wait_seconds=run.max_wait_seconds)
    if run.volume_gb:
        spec = replace(spec, volume_gb=run.volume_gb)
    if (often := _number(run.tags.get(tags.INTERRUPTIONS_PER_HOUR, ""))) is not None:
        spec = replace(spec, interruptions_per_hour=often)
    if (rate := _number(known.get("learning_rate", ""), "learning_rate")) is not None:
        spec = replace(spec, learning_rate=rate)
    if (batch := _number(known.get("batch_size", ""), "batch_size")) is not None:
        spec = replace(spec, batch_size=int(batch))
    if (epochs := _number(known.get("epochs", ""), "epochs")) is not None:
        spec = replace(spec, epochs=int(epochs))
    return spec


def _number(text: str, setting: str = "") -> float | None:
    """The number in a text; None for one that is none, or that the training code would refuse."""
    try:
        value = float(text)
    except ValueError:
        return None
    if setting and not RANGES[setting].low <= value <= RANGES[setting].high:
        return None
    return value
