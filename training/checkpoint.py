"""Where a run stands, on disk, so that it can go on after a stop, a lost spot instance or a power cut.

A checkpoint is one .npz file (numbers only, nothing is unpickled) with the facts beside the arrays as JSON. It is
written aside, flushed to the disk and renamed: whenever the process is killed, the file is the whole old one or the
whole new one. The zip's own checksums tell a damaged file.
"""

import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from training.distributed import Group, from_first

_FACTS = "kennel:facts"
"""The name of the JSON among the arrays."""
_DAMAGE = (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error)
"""What reading a file raises that is damaged, or no checkpoint."""


@dataclass(frozen=True)
class State:
    """Arrays by name, and whatever else JSON can hold, of one part of a run."""

    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run; without a directory nothing is kept.

    `fingerprint` names everything that decides the run's result (settings, data, weights): a checkpoint of another
    run is not taken up. `say` hears in words when one is passed over or cannot be written.
    """

    directory: Path | None
    fingerprint: str
    say: Callable[[str], None] = lambda line: None

    def save(self, name: str, state: State) -> bool:
        """Keep `state` as `name`; whether it could be. A full disk does not end the training it protects."""
        if self.directory is None:
            return False
        target = self._path(name)
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                _write(file, state, self.fingerprint)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
            _flush_folder(self.directory)
        except OSError as error:
            self.say(f"note: no checkpoint was written to {target} ({error.strerror or error}): the run goes on")
            return False
        finally:
            partial.unlink(missing_ok=True)
        return True

    def load(self, name: str) -> State | None:
        """What was last saved as `name`, None when there is nothing, or only something damaged or of another run."""
        if self.directory is None:
            return None
        path = self._path(name)
        try:
            with path.open("rb") as file:
                state, fingerprint = _read(file)
        except FileNotFoundError:
            return None
        except _DAMAGE as error:
            self.say(f"note: the checkpoint {path} cannot be read ({error}): this part starts from the beginning")
            return None
        if fingerprint != self.fingerprint:
            self.say(f"note: the checkpoint {path} is of another run (other data or settings): it is not taken up")
            return None
        return state

    def load_together(self, name: str, group: Group) -> State | None:
        """What the first process of `group` has loaded, in every process: only its host need hold the file."""
        state = self.load(name) if group.is_first else None
        if group.size == 1:
            return state
        sent = io.BytesIO()
        if state is not None:
            _write(sent, state, self.fingerprint)
        received = from_first(group, sent.getvalue())
        return _read(io.BytesIO(received))[0] if received else None

    def remove(self, name: str) -> None:
        """Forget `name`, if it is there."""
        if self.directory is not None:
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        assert self.directory is not None  # noqa: S101 - both callers have asked
        return self.directory / f"{name}.npz"


def _write(file: IO[bytes], state: State, fingerprint: str) -> None:
    about = json.dumps({"fingerprint": fingerprint, "facts": dict(state.facts)})
    np.savez(file, **{**state.arrays, _FACTS: np.frombuffer(about.encode(), np.uint8)})  # type: ignore[arg-type]


def _read(file: IO[bytes]) -> tuple[State, str]:
    """The state and its run's fingerprint. Raises one of _DAMAGE."""
    with np.load(file, allow_pickle=False) as found:
        arrays = {key: found[key] for key in found.files}
    about = json.loads(arrays.pop(_FACTS).tobytes())
    return State(arrays, about["facts"]), about["fingerprint"]


def _flush_folder(directory: Path) -> None:
    """A rename survives a power cut only once its folder is on the disk too; Windows has no such call."""
    if os.name == "nt":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
