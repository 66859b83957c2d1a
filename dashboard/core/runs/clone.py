"""A run's settings as a spec for the form: to train again like it, or to go on from its checkpoints. Pure."""

import re
from collections.abc import Container
from dataclasses import replace
from itertools import count

from dashboard.core import tags
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.spec_problems import LONGEST_NAME
from training.settings import RANGES, Settings

FORM = ("learning_rate", "batch_size", "epochs")
LEFT_OUT = frozenset({"name"})  # of the model: each run names its own
RESUMED = re.compile(r"-resumed(-[0-9]+)?$")


def spec_of(run: Run, *, resume: bool = False, names: Container[str] = ()) -> TrainingSpec:
    """What to ask for to train like this run: everything but its name.

    With `resume` the interruptions that were simulated are left out too, and where there are checkpoints, the new run
    goes on from them under a name that tells whose they are, and that is none of `names`. Hyperparameters that the
    training code does not know, and values that are none, are left out.
    """
    goes_on = resume and run.can_resume
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
        name=resumed_name(run.name, names) if goes_on else "",
        interrupt_after="" if resume else run.tags.get(tags.INTERRUPT_AFTER, ""),
        resume_from=run.checkpoint_uri if goes_on else "",
    )
    if run.max_seconds:
        spec = replace(spec, max_seconds=run.max_seconds)
    if run.max_wait_seconds:
        spec = replace(spec, max_wait_seconds=run.max_wait_seconds)
    if run.volume_gb:
        spec = replace(spec, volume_gb=run.volume_gb)
    often = None if resume else _number(run.tags.get(tags.INTERRUPTIONS_PER_HOUR, ""))
    if often is not None:
        spec = replace(spec, interruptions_per_hour=often)
    if (rate := _number(known.get("learning_rate", ""), "learning_rate")) is not None:
        spec = replace(spec, learning_rate=rate)
    if (batch := _number(known.get("batch_size", ""), "batch_size")) is not None:
        spec = replace(spec, batch_size=int(batch))
    if (epochs := _number(known.get("epochs", ""), "epochs")) is not None:
        spec = replace(spec, epochs=int(epochs))
    return spec


def resumed_name(name: str, names: Container[str] = ()) -> str:
    """What a run is called that goes on from another: "dogs-1-resumed", then "dogs-1-resumed-2", none of `names`."""
    first = RESUMED.sub("", name)
    ends = ("-resumed" if number == 1 else f"-resumed-{number}" for number in count(1))
    offered = (first[: LONGEST_NAME - len(end)].rstrip("-") + end for end in ends)
    return next(one for one in offered if one != name and one not in names)


def _number(text: str, setting: str = "") -> float | None:
    """The number in a text; None for one that is none, or that the training code would refuse."""
    try:
        value = float(text)
    except ValueError:
        return None
    if setting and not RANGES[setting].low <= value <= RANGES[setting].high:
        return None
    return value
