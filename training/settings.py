"""The hyperparameters of a training run, from wherever they come: command line, environment, SageMaker's file.

In SageMaker they are `<base>/input/config/hyperparameters.json`, in which all values are strings. A flag wins over an
SM_HP_* variable, which wins over the file.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from training.container import read_object
from training.errors import BadSettings

_LONGEST = 1024


@dataclass(frozen=True)
class Settings:
    """The hyperparameters, checked. Each is also a flag, an SM_HP_* variable and a key of hyperparameters.json."""

    learning_rate: float = 0.02
    batch_size: int = 64
    epochs: int = 20
    weight_decay: float = 0.01
    seed: int = 0
    engine: str = "onnx"
    num_workers: int = 0
    name: str = ""
    backbone: str = "efficientnet_lite0"
    weights: str = ""
    precision: str = "fp32"
    int8: str = "auto"
    views: int = 1
    hidden: int = 0
    label_smoothing: float = 0.0
    class_weights: str = "none"
    patience: int = 0
    warm_start: bool = True
    unfreeze: str = "0"
    fine_tune_epochs: int = 5
    fine_tune_learning_rate: float = 1e-4
    accumulate: int = 1
    clip: float = 1.0
    amp: str = "auto"
    processes: int = 0
    checkpoint_seconds: float = 60.0
    cache: str = ""
    wheels: str = ""

    @property
    def is_frozen(self) -> bool:
        """Whether the backbone stays as it was given."""
        return self.unfreeze == "0"

    @property
    def uses_torch(self) -> bool:
        """Whether torch does the heavy work, on a GPU where there is one."""
        return self.engine == "torch" or not self.is_frozen


_FINE_TUNING = ("fine_tune_epochs", "fine_tune_learning_rate", "accumulate", "clip", "amp")


def without_effect(chosen: Settings) -> tuple[str, ...]:
    """The settings that differ from their defaults for nothing: those of fine-tuning, where there is none."""
    if not chosen.is_frozen:
        return ()
    return tuple(name for name in _FINE_TUNING if getattr(chosen, name) != getattr(Settings, name))


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Range:
    """The values a number may have, both ends included, and the words that explain it in --help."""

    low: float
    high: float
    help: str


@dataclass(frozen=True)
class Choice:
    """The words that a setting may be, and what they mean."""

    words: tuple[str, ...]
    help: str


@dataclass(frozen=True)
class Text:
    """A setting of free words; `shown` stands for its value in --help."""

    shown: str
    help: str


RANGES: dict[str, Range] = {
    "learning_rate": Range(1e-6, 1.0, "step size of the head's optimiser"),
    "batch_size": Range(1, 4096, "photos in one step, of all processes together"),
    "epochs": Range(1, 1000, "passes over the training photos' features"),
    "weight_decay": Range(0.0, 1.0, "pull of the head's weights towards where they started"),
    "seed": Range(0, 2**31 - 1, "the same seed gives the same model"),
    "num_workers": Range(0, 64, "threads that turn photos into features, 0 = one for each core"),
    "views": Range(1, 6, "crops of each training photo: the centre, mirrored, then four corners"),
    "hidden": Range(0, 8192, "units of a hidden layer in the head, 0 = a linear head, which can show where it looked"),
    "label_smoothing": Range(0.0, 0.5, "share of each label that is spread over all classes"),
    "patience": Range(0, 1000, "epochs without a better validation loss after which it ends, 0 = never early"),
    "fine_tune_epochs": Range(1, 1000, "passes over the photos themselves while the backbone learns"),
    "fine_tune_learning_rate": Range(1e-8, 1.0, "step size while the backbone learns"),
    "accumulate": Range(1, 1024, "batches whose gradients are added up before a fine-tuning step"),
    "clip": Range(0.0, 1000.0, "longest gradient of a fine-tuning step, 0 = as it is"),
    "processes": Range(0, 64, "processes on each machine, 0 = one for each GPU, or one"),
    "checkpoint_seconds": Range(0.0, 86400.0, "seconds between two checkpoints, 0 = after every epoch"),
}
BACKBONES = ("efficientnet_lite0", "efficientnet_lite2", "resnet50")
"""The names of training.backbones, for whoever only asks what there is to choose."""
CHOICES: dict[str, Choice] = {
    "engine": Choice(("onnx", "torch"), "what runs the frozen backbone: ONNX Runtime, or torch (uses a GPU)"),
    "precision": Choice(("fp32", "int8"), "numbers in which the frozen backbone makes features; int8 is faster"),
    "int8": Choice(("auto", "off"), "whether the model is also served in int8 where that answers the same"),
    "class_weights": Choice(("none", "balanced"), "balanced lets each class weigh the same however few its photos"),
    "warm_start": Choice(("true", "false"), "start labels that ImageNet knows from ImageNet's own weights"),
    "amp": Choice(("auto", "off"), "half precision while fine-tuning, where it is faster"),
}
TEXTS: dict[str, Text] = {
    "backbone": Text("NAME", "the network below the head: {backbones}"),
    "weights": Text(
        "FILE",
        "the backbone's weights: a .pth file, s3://…, or hub (torchvision's own, from the internet); "
        "without it those that an installed package brings",
    ),
    "unfreeze": Text("N", "how many of the backbone's last blocks learn too, or all; 0 = none"),
    "cache": Text(
        "DIR",
        "where features are kept for the next run, or off (default: ~/.cache/kennel/features; in a container "
        "BASE/checkpoints/features and BASE/sagemaker/warmpoolcache/features, where those folders exist)",
    ),
    "wheels": Text("DIR", "wheels to carry in the model's code/ folder, for an endpoint in a network without internet"),
    "name": Text("NAME", "the model's name in its card; empty means the training job's name"),
}


def read_settings(base: Path | None, environ: Mapping[str, str], flags: Mapping[str, object]) -> Settings:
    """Merge the three sources and check every value. Raises BadSettings that names what is wrong."""
    merged: dict[str, object] = {}
    if base is not None:
        merged.update(_from_file(base / "input" / "config" / "hyperparameters.json"))
    merged.update(_from_environment(environ))
    merged.update({name: value for name, value in flags.items() if value is not None})
    merged.setdefault("name", environ.get("TRAINING_JOB_NAME", ""))
    checked = {name: _checked(name, value) for name, value in merged.items()}
    return Settings(**checked)


def _known() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Settings))


def _from_file(path: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in read_object(path).items():
        # The SDK and tuning jobs add keys of their own.
        if key.startswith(("sagemaker_", "_")):
            continue
        name = key.replace("-", "_")
        if name not in _known():
            import difflib

            close = difflib.get_close_matches(name, _known(), n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(_known())}."
            raise BadSettings(f"There is no hyperparameter named {key}: {hint}")
        if name in found:
            raise BadSettings(f"The hyperparameter {name} is given twice, with - and with _: give it once.")
        found[name] = _unquoted(value)
    return found


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    names = {name: f"SM_HP_{name.upper()}" for name in _known()}
    return {name: _unquoted(environ[variable]) for name, variable in names.items() if environ.get(variable)}


def _unquoted(value: object) -> object:
    """SageMaker's SDK sends a text as JSON, with quotes around it."""
    if isinstance(value, str) and len(value) >= 2 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value


def _plain(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number:.10f}".rstrip("0")


def _checked(name: str, value: object) -> Any:
    if name in CHOICES:
        return _chosen(name, str(value).strip().lower())
    if name in TEXTS:
        text = str(value).strip()
        longest = _LONGEST if name != "name" else 128
        if len(text) > longest or not text.isprintable():
            raise BadSettings(
                f"{name} is longer than {longest:,} characters or not printable: choose a shorter, plain one."
            )
        return _blocks(text) if name == "unfreeze" else text
    return _number(name, value)


def _chosen(name: str, word: str) -> str | bool:
    choice = CHOICES[name]
    truth = isinstance(getattr(Settings, name), bool)
    word = {"1": "true", "yes": "true", "on": "true", "0": "false", "no": "false", "off": "false"}.get(
        word, word
    ) if truth else word  # fmt: skip
    if word not in choice.words:
        raise BadSettings(f"{name} is {word!r}: choose {' or '.join(choice.words)}.")
    return word == "true" if truth else word


def _blocks(text: str) -> str:
    if text.lower() == "all":
        return "all"
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise BadSettings(f"unfreeze is {text!r}: give how many of the last blocks learn too, or all, or 0 for none.")
    return str(int(text))


def _number(name: str, value: object) -> int | float:
    allowed = RANGES[name]
    whole = isinstance(getattr(Settings, name), int)
    try:
        number = float(str(value))
        if whole and number != int(number):
            raise ValueError
    except (ValueError, OverflowError):
        number = math.nan
    if not allowed.low <= number <= allowed.high:
        kind = "a whole number" if whole else "a number"
        raise BadSettings(
            f"{name} is {value!r}: it has to be {kind} from {_plain(allowed.low)} to {_plain(allowed.high)}."
        )
    return int(number) if whole else number
