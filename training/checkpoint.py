"""Where a run stands, on disk, so that it can go on after a stop, a lost spot instance or a power cut.

A checkpoint is a checksum and an .npz file behind it (numbers only, nothing is unpickled), with the facts beside the
arrays as JSON. It is written aside, flushed to the disk and renamed: whenever the process is killed, the file is the
whole old one or the whole new one.
"""

import contextlib
import io
import json
import os
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.distributed import Group, from_first

_ABOUT = "kennel:facts"
"""The name of the JSON among the arrays."""
_HEADER = struct.Struct("<8sI")
"""magic, CRC-32 of all that follows"""
_MAGIC = b"KennelC1"


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
        partial = target.with_name(f".{target.name}.partial")  # one name, so that killed runs leave one at most
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(_packed(state, self.fingerprint))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
            _flush_folder(self.directory)
        except OSError as error:
            self.say(f"note: no checkpoint was written to {target} ({error.strerror or error}): the run goes on")
            return False
        finally:
            with contextlib.suppress(OSError):  # it was renamed, or never could be written
                partial.unlink()
        return True

    def load(self, name: str) -> State | None:
        """What was last saved as `name`, None when there is nothing, or only something damaged or of another run."""
        if self.directory is None:
            return None
        path = self._path(name)
        try:
            state, fingerprint = _unpacked(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
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
        received = from_first(group, _packed(state, self.fingerprint) if state else b"")
        return _unpacked(received)[0] if received else None

    def remove(self, name: str) -> None:
        """Forget `name`, if it is there."""
        if self.directory is not None:
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        assert self.directory is not None  # noqa: S101 - both callers have asked
        return self.directory / f"{name}.checkpoint"


def _packed(state: State, fingerprint: str) -> bytes:
    about = json.dumps({"fingerprint": fingerprint, "facts": dict(state.facts)})
    body = io.BytesIO()
    np.savez(body, **{**state.arrays, _ABOUT: np.frombuffer(about.encode(), np.uint8)})  # type: ignore[arg-type]
    content = body.getbuffer()
    return b"".join([_HEADER.pack(_MAGIC, zlib.crc32(content)), content])


def _unpacked(content: bytes) -> tuple[State, str]:
    """The state and its run's fingerprint. Raises ValueError for anything damaged."""
    if len(content) < _HEADER.size:
        raise ValueError("it is cut short")
    magic, check = _HEADER.unpack_from(content)
    body = memoryview(content)[_HEADER.size :]
    if magic != _MAGIC or zlib.crc32(body) != check:
        raise ValueError("it is damaged, or no checkpoint")
    with np.load(io.BytesIO(body), allow_pickle=False) as found:
        arrays = {key: found[key] for key in found.files}
    about = json.loads(arrays.pop(_ABOUT).tobytes())
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
