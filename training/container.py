"""Where a run reads and writes: SageMaker's container contract, or the folders that the command line names.

`<base>/input/config/{hyperparameters,resourceconfig,inputdataconfig}.json`, data in `<base>/input/data/<channel>`, the
model into `<base>/model`, other output into `<base>/output/data`, a failure's sentence into `<base>/output/failure`,
checkpoints in `<base>/checkpoints` (there only when the job has a CheckpointConfig), and
`<base>/sagemaker/warmpoolcache`, which a warm pool keeps for its next job. A flag wins over an SM_* variable, which
wins over a file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import BadSettings

BASE = Path("/opt/ml")
CHANNEL = "training"
OFF = "off"


@dataclass(frozen=True)
class Paths:
    """Where a run reads and writes. `failure` is None outside a container."""

    source: str
    """The photos: a folder, a .zip, s3://…, https://….zip or dogImages."""
    model: Path
    output: Path | None
    failure: Path | None
    checkpoints: Path | None
    caches: tuple[Path, ...]
    """Folders of features from earlier runs; all are read, all are written. Empty when nothing is to be kept."""
    downloads: Path
    """Where photos that are no folder yet are fetched or unpacked to."""

    @property
    def in_container(self) -> bool:
        """Inside a container the platform packs the model folder; outside, the run does."""
        return self.failure is not None


@dataclass(frozen=True)
class Hosts:
    """The machines of a job, in the order that all of them see, and which of them this is."""

    names: tuple[str, ...] = ("localhost",)
    index: int = 0
    interface: str = ""
    """The network interface that the others are reached by; empty when nobody said."""


def find_base(flag: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The base folder of the container contract, or None when this is no container."""
    if flag is not None:
        return flag
    if environ.get("KENNEL_BASE"):
        return Path(environ["KENNEL_BASE"])
    return BASE if (BASE / "input" / "config").is_dir() else None


def find_paths(
    base: Path | None,
    environ: Mapping[str, str],
    *,
    data: str | None = None,
    model: Path | None = None,
    checkpoints: Path | None = None,
    cache: str = "",
) -> Paths:
    """Settle every path. Raises BadSettings when there is no data or no model folder to write to."""
    source = data or environ.get(f"SM_CHANNEL_{CHANNEL.upper()}") or (base and str(base / "input" / "data" / CHANNEL))
    model = model or _path(environ, "SM_MODEL_DIR") or (base and base / "model")
    if not source:
        raise BadSettings(
            "No data was given: add --data, a folder with train/ valid/ test/ below it (--help tells more)."
        )
    if model is None:
        raise BadSettings("No model folder was given: add --model-dir DIR, where the model is written.")
    output = _path(environ, "SM_OUTPUT_DATA_DIR") or (base and base / "output" / "data")
    given = base / "checkpoints" if base and (base / "checkpoints").is_dir() else None
    home = Path(environ.get("KENNEL_HOME") or Path.home() / ".cache" / "kennel")
    warm = base / "sagemaker" / "warmpoolcache" if base else None
    return Paths(
        source,
        model,
        output,
        base and base / "output" / "failure",
        checkpoints or given,
        _caches(base, cache or environ.get("KENNEL_FEATURE_CACHE", ""), warm, home),
        (warm if warm and warm.is_dir() else home) / "data",
    )


def _caches(base: Path | None, told: str, warm: Path | None, home: Path) -> tuple[Path, ...]:
    if told == OFF:
        return ()
    if told:
        return (Path(told),)
    if base is None:
        return (home / "features",)
    # Both outlive the container: one is copied to S3, the other stays with the warm pool.
    kept = (base / "checkpoints", warm)
    return tuple(folder / "features" for folder in kept if folder and folder.is_dir())


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None


def find_hosts(base: Path | None) -> Hosts:
    """The job's machines from resourceconfig.json; one without it. Raises BadSettings when it contradicts itself."""
    if base is None:
        return Hosts()
    path = base / "input" / "config" / "resourceconfig.json"
    told = read_object(path)
    names = tuple(str(name) for name in told.get("hosts") or ())
    if len(names) < 2:
        return Hosts()
    current = told.get("current_host")
    if current not in names:
        raise BadSettings(f"{path} names {current!r} as this host, but its hosts are {', '.join(names)}.")
    return Hosts(names, names.index(current), str(told.get("network_interface_name") or ""))


def check_base(base: Path) -> None:
    """Raises BadSettings where there is no such folder."""
    if not base.is_dir():
        raise BadSettings(f"There is no folder {base}: give --base the container contract's folder, or leave it out.")


def check_channel(base: Path | None, source: str) -> None:
    """Say which channels there are when the one with the photos is missing."""
    if base is None or source != str(base / "input" / "data" / CHANNEL) or Path(source).is_dir():
        return
    channels = ", ".join(read_object(base / "input" / "config" / "inputdataconfig.json")) or "none"
    raise BadSettings(f"The job has no channel named {CHANNEL} (its channels: {channels}): name the data's channel so.")


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object, empty when the file is not there. Raises BadSettings for anything else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadSettings(f"{path} cannot be read ({error}): it has to be a JSON object.") from error
    if not isinstance(found, dict):
        raise BadSettings(f"{path} is no JSON object.")
    return found
