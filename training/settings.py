"""Everything a training run is told, from wherever it comes: command line, environment, SageMaker's files.

SageMaker's container contract: `<base>/input/config/hyperparameters.json` (all values are strings),
`resourceconfig.json`, `inputdataconfig.json`, data in `<base>/input/data/<channel>`, the model into `<base>/model`,
other output into `<base>/output/data`, a failure's sentence into `<base>/output/failure`. A flag wins over an
SM_* variable, which wins over a file.
"""

import difflib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from training.errors import BadSettings

BASE = Path("/opt/ml")
CHANNEL = "training"
ENGINES = ("onnx", "torch")


@dataclass(frozen=True)
class Settings:
    """The hyperparameters, checked."""

    learning_rate: float = 0.02
    batch_size: int = 64
    epochs: int = 20
    weight_decay: float = 0.01
    seed: int = 0
    engine: str = "onnx"
    num_workers: int = 0
    """Threads that turn photos into features; 0 means one for each core."""
    name: str = ""
    """What the model is called in its card; empty means the training job's name."""

    @property
    def threads(self) -> int:
        return self.num_workers or os.cpu_count() or 1


@dataclass(frozen=True)
class Range:
    """The values a number may have, both ends included, and the words that explain it in --help."""

    low: float
    high: float
    help: str


RANGES: dict[str, Range] = {
    "learning_rate": Range(1e-6, 1.0, "step size of the head's optimiser"),
    "batch_size": Range(1, 4096, "photos in one step of the head"),
    "epochs": Range(1, 1000, "passes over the training photos' features"),
    "weight_decay": Range(0.0, 1.0, "pull of the head's weights towards zero"),
    "seed": Range(0, 2**31 - 1, "the same seed gives the same model"),
    "num_workers": Range(0, 64, "threads that turn photos into features, 0 = one for each core"),
}


@dataclass(frozen=True)
class Paths:
    """Where a run reads and writes. `failure` is None outside a container."""

    data: Path
    model: Path
    output: Path | None
    failure: Path | None

    @property
    def in_container(self) -> bool:
        """Inside a container the platform packs the model folder; outside, the run does."""
        return self.failure is not None


def find_base(flag: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The base folder of the container contract, or None when this is no container."""
    if flag is not None:
        return flag
    if environ.get("KENNEL_BASE"):
        return Path(environ["KENNEL_BASE"])
    return BASE if (BASE / "input" / "config").is_dir() else None


def find_paths(base: Path | None, data: Path | None, model: Path | None, environ: Mapping[str, str]) -> Paths:
    """Settle every path. Raises BadSettings when there is no data or no model folder to write to."""
    data = data or _path(environ, f"SM_CHANNEL_{CHANNEL.upper()}") or (base and base / "input" / "data" / CHANNEL)
    model = model or _path(environ, "SM_MODEL_DIR") or (base and base / "model")
    if data is None:
        raise BadSettings("No data folder was given: add --data DIR with train/ valid/ test/ below it.")
    if model is None:
        raise BadSettings("No model folder was given: add --model-dir DIR, where the model is written.")
    output = _path(environ, "SM_OUTPUT_DATA_DIR") or (base and base / "output" / "data")
    return Paths(data, model, output, base and base / "output" / "failure")


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None


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


def check_hosts(base: Path | None) -> None:
    """Refuse a job on several hosts: each would train the same model again, at the price of all of them."""
    hosts = _read(base / "input" / "config" / "resourceconfig.json").get("hosts", []) if base else []
    if len(hosts) > 1:
        raise BadSettings(f"This training runs on one instance, but the job has {len(hosts)}: set InstanceCount to 1.")


def check_channel(base: Path | None, data: Path) -> None:
    """Say which channels there are when the one with the photos is missing."""
    if base is None or data.is_dir():
        return
    channels = ", ".join(_read(base / "input" / "config" / "inputdataconfig.json")) or "none"
    raise BadSettings(f"The job has no channel named {CHANNEL} (its channels: {channels}): name the data's channel so.")


def _known() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Settings))


def _from_file(path: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in _read(path).items():
        # The SDK and tuning jobs add keys of their own.
        if key.startswith(("sagemaker_", "_")):
            continue
        name = key.replace("-", "_")
        if name not in _known():
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


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadSettings(f"{path} cannot be read ({error}): it has to be a JSON object.") from error
    if not isinstance(found, dict):
        raise BadSettings(f"{path} is no JSON object.")
    return found


def _plain(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number:g}"


def _checked(name: str, value: object) -> Any:
    if name == "engine":
        if value not in ENGINES:
            raise BadSettings(f"engine is {value!r}: choose {' or '.join(ENGINES)}.")
        return value
    if name == "name":
        text = str(value).strip()
        if len(text) > 128 or not text.isprintable():
            raise BadSettings("name is longer than 128 characters or not printable: choose a shorter, plain one.")
        return text
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
        raise BadSettings(f"{name} is {value!r}: it has to be {kind} from {allowed.low:g} to {_plain(allowed.high)}.")
    return int(number) if whole else number
