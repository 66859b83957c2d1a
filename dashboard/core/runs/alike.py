"""Which past runs did the same work as a training would, so that their time says something about its own. Pure."""

from collections.abc import Mapping, Sequence

from dashboard.core.format import count
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec import TrainingSpec
from training.settings import Settings

WORK = ("backbone", "unfreeze", "views", "engine", "precision")
"""Settings that decide what is computed for each photo, and with that most of the time."""
FINE_TUNING = "fine_tune_epochs"
EPOCHS_APART = 5
"""Features are computed once, so that epochs cost little; so many times more or fewer of them are another training."""
CACHED = "features from a cache"
"""Beside the time of a run that did not compute its features: see `Run.is_cached`."""
CACHED_NOTE = "its features came from the cache of an earlier run, so that it did less work than one that computes them"


def work(given: Mapping[str, str]) -> dict[str, str]:
    """What these hyperparameters make of the work, with the training's own values for those that are not given."""
    found = {name: _value(given, name) for name in WORK}
    return found if found["unfreeze"] == "0" else found | {FINE_TUNING: _value(given, FINE_TUNING)}


def searched_work(spec: TrainingSpec) -> tuple[str, ...]:
    """The settings of a search whose trials take times of their own."""
    return tuple(name for name in (*WORK, FINE_TUNING) if spec.tuning and name in spec.tuning.tuned)


def same_work(spec: TrainingSpec, runs: Sequence[Run]) -> tuple[list[Run], str]:
    """Those of `runs` that did the same work, and why none of them did, "" when one did.

    A run whose features came from a cache did less: whether the next one finds them there nobody knows.
    """
    if searched := searched_work(spec):
        return [], f"the search changes {_named(searched)}, and each trial's time with it"
    wanted = work(spec.hyperparameters)
    equal = [run for run in runs if work(run.hyperparameters) == wanted]
    if runs and not equal:
        other = {name for run in runs for name in _differing(work(run.hyperparameters), wanted)}
        return [], f"{_those(runs)} had another {_named(sorted(other))}"
    cached = [run for run in equal if run.is_cached]
    equal = [run for run in equal if not run.is_cached]
    if cached and not equal:
        return [], f"{_those(cached)} took the features from the cache of an earlier run"
    near = [run for run in equal if _is_near(epochs_of(run), spec)]
    if equal and not near:
        had = sorted({epochs for run in equal if (epochs := epochs_of(run)) is not None})
        listed = str(had[0]) if len(had) == 1 else f"{had[0]} to {had[-1]}"
        return [], f"{_those(equal)} had {listed} epochs, too far from {spec.epochs:,} to tell"
    return near, ""


def epochs_of(run: Run) -> int | None:
    """How many epochs a run was asked for; None where it does not say."""
    said = run.hyperparameters.get("epochs", "").strip('"')
    return int(said) if said.isdecimal() else None


def _is_near(epochs: int | None, spec: TrainingSpec) -> bool:
    if epochs is None or "epochs" not in spec.hyperparameters:
        return True
    return max(epochs, spec.epochs) <= EPOCHS_APART * max(1, min(epochs, spec.epochs))


def _value(given: Mapping[str, str], name: str) -> str:
    """As text; SageMaker's SDK puts quotes around it."""
    return given.get(name, "").strip().strip('"') or str(getattr(Settings, name))


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    both = [name for name in one if name in other]  # without fine-tuning there is no number of its epochs
    return [name for name in both if one[name] != other[name]]


def _named(names: Sequence[str]) -> str:
    words = [{"unfreeze": "fine-tuning"}.get(name, name.replace("_", " ")) for name in names]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _those(runs: Sequence[Run]) -> str:
    return (
        "the one completed run of this data there" if len(runs) == 1 else f"{count(len(runs), 'completed run')} there"
    )
