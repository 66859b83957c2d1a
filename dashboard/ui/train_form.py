"""The form that makes a TrainingSpec, every problem beside its field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.core.data.datasets import SPLITS, Dataset
from dashboard.core.errors import InvalidInput
from dashboard.core.format import count, size
from dashboard.core.runs.instances import hardware, offered
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec import Capacity, Platform, TrainingSpec
from dashboard.core.runs.spec_problems import MAX_SECONDS, problems, taken
from dashboard.ui import train_fields as fields
from dashboard.ui import train_more, train_tuning
from dashboard.ui.markup import note
from dashboard.ui.tones import Tone
from dashboard.ui.train_more import Choices

CAPACITIES = {Capacity.ON_DEMAND: "On demand", Capacity.SPOT: "Spot"}
WAYS = {
    (Platform.SAGEMAKER, Capacity.ON_DEMAND): "SageMaker starts the instances, trains, saves the model and ends them.",
    (Platform.SAGEMAKER, Capacity.SPOT): "Spare capacity for less. AWS may take it back: the training then waits, and "
    "goes on from its checkpoint.",
    (Platform.EC2, Capacity.ON_DEMAND): "One instance of your own, without SageMaker's surcharge: it trains, saves the "
    "model and ends itself.",
    (Platform.EC2, Capacity.SPOT): "One spare instance for less. AWS may take it back: the run ends then, and can be "
    "resumed from its checkpoint.",
}


@dataclass(frozen=True)
class Filled:
    """What the form describes, and everything that does not fit in it."""

    spec: TrainingSpec
    wrong: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        return not self.wrong


@dataclass(frozen=True)
class Drawn:
    """The form's first part: the spec as its fields are now, a slot for each field's problems, and one for the rest."""

    spec: TrainingSpec
    dataset: Dataset
    slots: dict[str, Any]
    rest: Any


def defaults() -> None:
    """Give every field its first value; a value that is there stays."""
    for key, value in fields.values(fields.DEFAULT).items():
        st.session_state.setdefault(key, value)


def take_over(spec: TrainingSpec, datasets: Sequence[Dataset]) -> None:
    """Fill the whole form with what an earlier run was asked for."""
    st.session_state.update(fields.values(spec))
    name = next((one.name for one in datasets if one.uri.rstrip("/") == spec.dataset_uri.rstrip("/")), None)
    if name is not None:
        st.session_state[fields.DATA] = name


def kept() -> dict[str, Any]:
    """What the fields hold now, those that are not drawn included."""
    return {str(key): st.session_state[key] for key in st.session_state if str(key).startswith("train-")}


def show(datasets: Sequence[Dataset], *, simulates: bool) -> Drawn:
    """Draw what every training has; `simulates`: interruptions can be asked for, as only the embedded AWS allows."""
    defaults()
    slots: dict[str, Any] = {}
    dataset = _data(datasets, slots)
    platform, capacity = _way()
    searched = train_tuning.searched(kept()) if platform is Platform.SAGEMAKER else frozenset()
    _machines(platform, slots)
    _learning(slots, searched, waits=(platform, capacity) == (Platform.SAGEMAKER, Capacity.SPOT))
    st.text_input(
        "Name",
        key=fields.NAME,
        persist_state="session",
        placeholder="made from the data's name",
        live=True,
        max_chars=63,
    )
    slots["name"] = st.container()
    if platform is Platform.SAGEMAKER:
        train_tuning.show(kept(), slots)
    return Drawn(fields.read(kept(), dataset.uri, simulates=simulates), dataset, slots, st.container())


def complete(drawn: Drawn, past_runs: Sequence[Run], choices: Choices, *, simulates: bool) -> Filled:
    """Draw the rest and say what is wrong beside each field; the name must not be that of one of `past_runs`."""
    with drawn.rest:
        train_more.show(drawn.spec, choices, drawn.slots, simulates=simulates)
    spec = fields.read(kept(), drawn.dataset.uri, simulates=simulates)
    wrong = [in_minutes(one, spec.max_seconds // 60) for one in problems(spec)]
    alike = [run.name for run in past_runs if (run.platform, run.is_tuning) == (spec.platform, bool(spec.tuning))]
    if used := taken(spec.name, alike):
        wrong.append(used)
    explain(wrong, drawn.slots)
    said = [one.what for one in wrong]
    if drawn.dataset.problem:
        said.insert(0, f"{drawn.dataset.name} cannot be trained on: {drawn.dataset.problem}")
    return Filled(spec, tuple(said))


def _data(datasets: Sequence[Dataset], slots: dict[str, Any]) -> Dataset:
    by_name = {dataset.name: dataset for dataset in datasets}
    name = st.selectbox(
        "Data",
        list(by_name),
        key=fields.DATA,
        persist_state="session",
        format_func=lambda name: described(by_name[name]),
        help="Folders with train/, valid/ and test/ below datasets/ in Kennel's bucket",
    )
    dataset = by_name[name] if name in by_name else datasets[0]
    st.html(note(contents(dataset)))
    if dataset.problem:
        st.html(note(f"Cannot be trained on: {dataset.problem}.", Tone.FAILED))
    slots["dataset_uri"] = st.container()
    return dataset


def _way() -> tuple[Platform, Capacity]:
    left, right = st.columns(2, gap="small")
    with left:
        platform = st.segmented_control(
            "Platform",
            [str(one) for one in Platform],
            key=fields.PLATFORM,
            required=True,
            persist_state="session",
            format_func=lambda one: Platform(one).word,
            width="stretch",
        )
    with right:
        capacity = st.segmented_control(
            "Capacity",
            [str(one) for one in Capacity],
            key=fields.CAPACITY,
            required=True,
            persist_state="session",
            format_func=lambda one: CAPACITIES[Capacity(one)],
            width="stretch",
        )
    chosen = Platform(platform or fields.DEFAULT.platform), Capacity(capacity or fields.DEFAULT.capacity)
    st.html(note(WAYS[chosen]))
    return chosen


def _machines(platform: Platform, slots: dict[str, Any]) -> None:
    asked = fields.plain(str(st.session_state[fields.INSTANCE] or ""))
    known = [fields.plain(name) for name in offered(platform)]
    key = fields.instance_key(platform)
    st.session_state[key] = asked
    several = platform is Platform.SAGEMAKER
    left, right = st.columns((5, 2), gap="small", wrap=False) if several else (st.container(), None)
    with left:
        st.selectbox(
            "Instance type",
            known if asked in known or not asked else [*known, asked],
            key=key,
            accept_new_options=True,
            format_func=lambda name: machine(fields.named(fields.plain(name), platform)),
            help="Choose one, or type another that AWS offers",
            on_change=_take_instance,
            args=(key,),
        )
        slots["instance_type"] = st.container()
    if right is not None:
        with right:
            st.number_input(
                "Instances",
                key=fields.COUNT,
                step=1,
                persist_state="session",
                help="More than one train one model together, each on its share of every batch",
            )
        slots["instance_count"] = st.container()


def _take_instance(key: str) -> None:
    st.session_state[fields.INSTANCE] = fields.plain(str(st.session_state[key] or ""))


def _learning(slots: dict[str, Any], searched: frozenset[str], *, waits: bool) -> None:
    left, right = st.columns(2, gap="small", wrap=False)
    whole: dict[str, Any] = {"step": 1, "persist_state": "session"}
    with left:
        st.number_input("Epochs", key=fields.EPOCHS, disabled="epochs" in searched, **whole)
        slots["epochs"] = st.container()
        st.number_input("Batch size", key=fields.BATCH, disabled="batch_size" in searched, **whole)
        slots["batch_size"] = st.container()
    with right:
        st.number_input(
            "Learning rate",
            key=fields.RATE,
            step=0.001,
            format="%.6g",
            persist_state="session",
            disabled="learning_rate" in searched,
        )
        slots["learning_rate"] = st.container()
        st.number_input(
            "Time limit (minutes)",
            key=fields.MINUTES,
            step=5,
            persist_state="session",
            help="The run is stopped after that",
        )
        slots["max_seconds"] = st.container()
    if waits:
        st.number_input(
            "Wait for spot on top, at most (minutes)",
            key=fields.WAIT,
            min_value=0,
            step=5,
            persist_state="session",
            help="For capacity, in all, on top of the time limit. AWS's MaxWaitTimeInSeconds is the sum of both.",
        )
        slots["max_wait_seconds"] = st.container()


def in_minutes(problem: InvalidInput, minutes: int) -> InvalidInput:
    """A problem as the form speaks of it: its time limit is in minutes."""
    if problem.field != "max_seconds":
        return problem
    least, most = (seconds // 60 for seconds in MAX_SECONDS)
    return InvalidInput(
        f"the time limit must be between {count(least, 'minute')} and {count(most, 'minute')}",
        f"it is {minutes:,}",
        problem.next_step,
        field=problem.field,
    )


def explain(wrong: Sequence[InvalidInput], slots: Mapping[str, Any]) -> None:
    """Say what is wrong beside each field."""
    for problem in wrong:
        slots.get(problem.field, slots["name"]).html(note(str(problem), Tone.FAILED))


def described(dataset: Dataset) -> str:
    """A dataset in a list: "drawn-dogs · 168 photos · 6 breeds"."""
    more = "" if dataset.is_counted else "over "
    return f"{dataset.name} · {more}{count(dataset.photos, 'photo')} · {count(dataset.classes, 'breed')}"


def contents(dataset: Dataset) -> str:
    """What is in a dataset: its splits and its size."""
    splits = ", ".join(f"{dataset.splits[split]:,} {split}" for split in SPLITS if split in dataset.splits)
    drawn = " · drawn sample, no real photos" if dataset.is_sample else ""
    return f"{splits} · {size(dataset.size)}{drawn}"


def machine(instance_type: str) -> str:
    """An instance type in a list: "ml.m5.large · 2 vCPU · 8 GiB"."""
    of = hardware(instance_type)
    if of is None:
        return instance_type
    gpu = f" · {of.gpu}" if of.gpu else ""
    return f"{instance_type} · {of.vcpu} vCPU · {of.memory_gib:g} GiB{gpu}"
