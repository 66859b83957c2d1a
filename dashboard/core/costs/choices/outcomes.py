"""What completed runs took, cost and reached: what every comparison of choices is made from. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from dashboard.core import tags
from dashboard.core.costs.quote import Quote
from dashboard.core.costs.receipt import Nature
from dashboard.core.runs.alike import CACHED, EPOCHS_APART, epochs_of, work
from dashboard.core.runs.model import Capacity, Platform, Run
from dashboard.core.runs.reading import share_if_summed

TEST, VALIDATION = "test:accuracy", "valid:accuracy"
ACCURACY = (TEST, VALIDATION)
"""Where an accuracy counts, the most honest first. That on the training photos themselves is none: it is unknown."""
ESTIMATED = "duration estimated"
"""What the tag of a replayed training says when its duration is not published."""
PHOTOS = {TEST: "test photos", VALIDATION: "validation photos"}


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """How a training is run and paid: on what, on how many, on demand or spot; `trials` of a tuning job, else 0."""

    platform: Platform
    instance_type: str
    count: int = 1
    capacity: Capacity = Capacity.ON_DEMAND
    trials: int = 0

    @property
    def word(self) -> str:
        """ "SageMaker 2 × ml.c5.2xlarge spot", "EC2 c5.large", "SageMaker tuning, 4 trials on ml.m5.large"."""
        machines = self.instance_type if self.count == 1 else f"{self.count} × {self.instance_type}"
        spot = " spot" if self.capacity is Capacity.SPOT else ""
        if self.trials:
            return f"{self.platform.word} tuning, {self.trials} trials on {machines}{spot}"
        return f"{self.platform.word} {machines}{spot}"

    @property
    def hardware(self) -> str:
        """The instance type as EC2 names it: "c5.large" of "ml.c5.large"."""
        return self.instance_type.removeprefix("ml.")


@dataclass(frozen=True, slots=True)
class Work:
    """What was computed: on which data, with which settings that decide the time, in how many epochs about.

    Runs of one work took times that can be compared; see `core.runs.alike` for which settings these are. `epochs` are
    the fewest and the most of the runs that it was made from; None where they do not say. `is_cached`: the features
    were not computed but came from the cache of an earlier run, which is less work.
    """

    dataset_uri: str
    settings: tuple[tuple[str, str], ...]
    epochs: tuple[int, int] | None = None
    is_cached: bool = False

    @property
    def data(self) -> str:
        """The name of the data: the last part of its address."""
        return self.dataset_uri.rstrip("/").rsplit("/", 1)[-1]

    @property
    def word(self) -> str:
        """ "drawn-dogs, efficientnet_lite0, 20 epochs", for a person."""
        given = dict(self.settings)
        parts = [self.data, given.get("backbone", "")]
        if given.get("unfreeze", "0") != "0":
            parts.append(f"fine-tuning {given['unfreeze']}")
        if self.epochs:
            low, high = self.epochs
            parts.append(f"{low} epochs" if low == high else f"{low} to {high} epochs")
        if self.is_cached:
            parts.append(CACHED)
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One completed run as a choice that was made. Unknown figures are None, never 0.

    `seconds` are from its launch to its end, waiting included: what a deadline is about. `trained` are those of the
    training alone, as AWS counts them, None for a tuning job. `amount` is USD, all of it; `why_unknown` says why not.
    """

    run: Run
    way: Way
    nature: Nature
    seconds: float
    trained: float | None
    amount: Decimal | None
    accuracy: float | None
    accuracy_on: str = ""
    why_unknown: str = ""
    is_estimate: bool = False  # its price is one
    is_guessed: bool = False  # nobody measured its time: see `is_guess`
    is_cached: bool = False  # its features came from an earlier run's cache, of a search those of all its trials
    instances: Decimal | None = None  # of `amount`: the instances alone; None where that is all of it
    share_if_summed: float = 1.0  # of its time and cost, if what was told is its instances' times added up

    @property
    def alone(self) -> Decimal | None:
        """What can be held against another platform: the instances alone, for what else is in a sum differs there.

        SageMaker's volumes have no price in most regions; EC2's volume and address have one.
        """
        return self.amount if self.instances is None else self.instances

    @property
    def otherwise(self) -> "Outcome":
        """The same with its time read in the other way; itself where there is no other."""
        share = self.share_if_summed
        if share == 1:
            return self
        return replace(
            self,
            seconds=self.seconds * share,
            trained=None if self.trained is None else self.trained * share,
            amount=None if self.amount is None else self.amount * Decimal(str(share)),
            instances=None if self.instances is None else self.instances * Decimal(str(share)),
            share_if_summed=1.0,
        )


def outcomes(
    runs: Iterable[Run], cost: Callable[[Run], Quote], now: datetime, *, is_embedded: bool
) -> tuple[Outcome, ...]:
    """The completed ones of `runs`, in their order. Trials are part of their tuning job, which is a choice as a whole.

    A tuning job has the accuracy of its best trial, where that is among `runs`.
    """
    runs = tuple(runs)
    metrics: dict[str, Mapping[str, float]] = {}
    trials: dict[str, list[Run]] = {}
    for one in runs:
        if one.parent:
            metrics[one.key] = one.metrics
            trials.setdefault(one.parent, []).append(one)
    found = []
    for run in runs:
        if run.parent or run.is_proof or not run.status.is_good:
            continue
        told = run.metrics if run.tuning is None else metrics.get(run.tuning.best_key, {})
        name = next((one for one in ACCURACY if one in told), "")
        spent = cost(run)
        found.append(
            Outcome(
                run=run,
                way=way_of(run),
                nature=Nature.of(run.tags, is_embedded=is_embedded),
                seconds=run.elapsed(now),
                trained=trained(run),
                amount=spent.amount,
                accuracy=told.get(name),
                accuracy_on=name,
                why_unknown=spent.why_unknown,
                is_estimate=spent.is_estimate,
                is_guessed=is_guess(run),
                is_cached=_is_cached(run, trials.get(run.name, ())),
                instances=spent.instances,
                share_if_summed=share_if_summed(run),
            )
        )
    return tuple(found)


def _is_cached(run: Run, trials: Sequence[Run]) -> bool:
    """Whether nothing of it computed the features: the first trial of a search usually does, for all of them."""
    return all(one.is_cached for one in trials) if run.is_tuning and trials else run.is_cached


def is_guess(run: Run) -> bool:
    """Whether it is a replayed training whose duration is an estimate itself."""
    return run.is_replayed and ESTIMATED in run.tags.get(tags.REPLAY_BASIS, "")


def way_of(run: Run) -> Way:
    """How a run was run and paid."""
    trials = run.tuning.ended if run.tuning else 0
    return Way(run.platform, run.instance_type, run.instance_count, run.capacity, trials)


def trained(run: Run) -> float | None:
    """Seconds of training as AWS counts them, on each instance; a spot run is billed for less. None for a search."""
    if run.is_tuning:
        return None
    return run.training_seconds if run.training_seconds is not None else run.billable_seconds


def by_work(found: Sequence[Outcome]) -> dict[Work, list[Outcome]]:
    """The outcomes whose training time is known, by the work that they did, that with most of them first, whole before
    cached.

    In one work no run had more than EPOCHS_APART times the epochs of another. Runs that do not say stand by themselves,
    and so do those whose features came from a cache.
    """
    alike: dict[tuple[str, tuple[tuple[str, str], ...], bool], list[Outcome]] = {}
    for one in found:
        if one.trained is not None:
            settings = tuple(sorted(work(one.run.hyperparameters).items()))
            alike.setdefault((one.run.dataset_uri.rstrip("/"), settings, one.is_cached), []).append(one)
    works: dict[Work, list[Outcome]] = {}
    for (uri, settings, is_cached), members in alike.items():
        for epochs, part in _near(members):
            works[Work(uri, settings, epochs, is_cached)] = part
    return dict(sorted(works.items(), key=lambda item: (item[0].is_cached, -len(item[1]))))


def _near(members: Sequence[Outcome]) -> list[tuple[tuple[int, int] | None, list[Outcome]]]:
    """Sorted into parts whose epochs are near each other, each with its fewest and most."""
    said = [(epochs_of(one.run), place, one) for place, one in enumerate(members)]
    silent = [one for epochs, _, one in said if epochs is None]
    told = sorted((epochs, place, one) for epochs, place, one in said if epochs is not None)
    parts: list[list[tuple[int, Outcome]]] = []
    for epochs, _, one in told:
        if parts and epochs <= EPOCHS_APART * max(1, parts[-1][0][0]):
            parts[-1].append((epochs, one))
        else:
            parts.append([(epochs, one)])
    near: list[tuple[tuple[int, int] | None, list[Outcome]]] = [
        ((part[0][0], part[-1][0]), [one for _, one in part]) for part in parts
    ]
    return [*near, (None, silent)] if silent else near
