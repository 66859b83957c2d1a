"""The form that makes a TrainingSpec, every problem beside its field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard.core.data import SPLITS, Dataset
from dashboard.core.errors import InvalidInput
from dashboard.core.format import count, size
from dashboard.core.runs.instances import TRAINING, hardware
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.spec_problems import MAX_SECONDS, problems, taken
from dashboard.ui.markup import note
from dashboard.ui.tones import Tone

DEFAULT = TrainingSpec("")
DATA, INSTANCE, NAME = "train-data", "train-instance", "train-name"
EPOCHS, RATE, BATCH, MINUTES = "train-epochs", "train-rate", "train-batch", "train-minutes"


def defaults() -> None:
    """Give every field its first value; a value that is there stays."""
    first = {
        INSTANCE: DEFAULT.instance_type,
        EPOCHS: DEFAULT.epochs,
        RATE: DEFAULT.learning_rate,
        BATCH: DEFAULT.batch_size,
        MINUTES: DEFAULT.max_seconds // 60,
        NAME: "",
    }
    for key, value in first.items():
        st.session_state.setdefault(key, value)


def take_over(run: Run, datasets: Sequence[Dataset]) -> None:
    """Fill the form with an earlier run's settings, as far as they are ours."""
    for key, name, kind in ((EPOCHS, "epochs", int), (RATE, "learning_rate", float), (BATCH, "batch_size", int)):
        with_unit = run.hyperparameters.get(name, "")
        if with_unit.replace(".", "", 1).isdigit():
            st.session_state[key] = kind(with_unit)
    if run.instance_type in TRAINING:
        st.session_state[INSTANCE] = run.instance_type
    if run.max_seconds:
        st.session_state[MINUTES] = max(1, run.max_seconds // 60)
    if run.dataset in (dataset.name for dataset in datasets):
        st.session_state[DATA] = run.dataset


@dataclass(frozen=True)
class Filled:
    """What the form describes, and whether it can be planned."""

    spec: TrainingSpec
    fits: bool


def show(datasets: Sequence[Dataset], past_runs: Sequence[Run]) -> Filled:
    """Draw the form, every problem beside its field; the name must not be that of one of `past_runs`."""
    defaults()
    by_name = {dataset.name: dataset for dataset in datasets}
    name = st.selectbox(
        "Data",
        list(by_name),
        key=DATA,
        persist_state="session",
        format_func=lambda name: described(by_name[name]),
        help="Folders with train/, valid/ and test/ below datasets/ in Kennel's bucket",
    )
    dataset = by_name[name] if name in by_name else datasets[0]
    st.html(note(contents(dataset)))
    if dataset.problem:
        st.html(note(f"Cannot be trained on: {dataset.problem}.", Tone.FAILED))
    instance = st.selectbox("Instance type", TRAINING, key=INSTANCE, persist_state="session", format_func=machine)
    slots = {"instance_type": st.container()}
    left, right = st.columns(2, gap="small")
    with left:
        epochs = st.number_input("Epochs", key=EPOCHS, step=1, persist_state="session")
        slots["epochs"] = st.container()
        batch = st.number_input("Batch size", key=BATCH, step=1, persist_state="session")
        slots["batch_size"] = st.container()
    with right:
        rate = st.number_input("Learning rate", key=RATE, step=0.001, format="%.6g", persist_state="session")
        slots["learning_rate"] = st.container()
        minutes = st.number_input(
            "Time limit (minutes)", key=MINUTES, step=5, persist_state="session", help="AWS stops the run after that"
        )
        slots["max_seconds"] = st.container()
    called = st.text_input(
        "Name", key=NAME, persist_state="session", placeholder="made from the data's name", live=True, max_chars=63
    )
    slots["name"] = st.container()
    spec = TrainingSpec(
        dataset_uri=dataset.uri,
        instance_type=instance,
        learning_rate=float(rate),
        batch_size=int(batch),
        epochs=int(epochs),
        max_seconds=int(minutes) * 60,
        name=(called or "").strip(),
    )
    wrong = [in_minutes(one, int(minutes)) for one in problems(spec)]
    if used := taken(spec.name, (run.name for run in past_runs)):
        wrong.append(used)
    explain(wrong, slots)
    return Filled(spec, fits=not wrong and not dataset.problem)


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


def explain(wrong: Sequence[InvalidInput], slots: Mapping[str, "st.delta_generator.DeltaGenerator"]) -> None:
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
