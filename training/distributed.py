"""Several processes, on one machine or on several hosts, that train one model together.

`launch` starts them under torchrun; here they find each other. Numbers go over gloo on CPUs and over NCCL between GPUs.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from numpy.typing import NDArray

from training.errors import HostLost

_PATIENCE = timedelta(minutes=30)
"""How long one process waits for another: the slowest share of the photos may take that much longer."""


class Group:
    """The processes of one run. This one is a process on its own; nothing waits and nothing is sent."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    """Which process of its own machine this is."""
    hosts: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that prints, saves and exports."""
        return self.rank == 0

    def sum(self, array: NDArray[Any]) -> None:
        """Replace `array` (float32, float64 or integers, contiguous) in place by its sum over all processes."""

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in at least one process; every process has to ask, and gets the same answer."""
        return flag

    def barrier(self) -> None:
        """Wait until every process is here."""

    def tell_stop(self) -> None:
        """Let the others know that this process was asked to stop, without waiting for them."""

    def heard_stop(self) -> bool:
        """Whether some process was asked to stop; asks without waiting, so the others may hear it a little later."""
        return False

    def close(self) -> None:
        """Leave the group; nothing may be asked of it afterwards."""


ALONE = Group()


def from_first(group: Group, content: bytes) -> bytes:
    """The first process's `content`, in every process; what the others give does not matter."""
    import numpy as np

    length = np.array([len(content) if group.is_first else 0], np.int64)
    group.sum(length)
    sent = np.zeros(int(length[0]), np.uint8)
    if group.is_first:
        sent[:] = np.frombuffer(content, np.uint8)
    group.sum(sent)
    return sent.tobytes()


def is_member(environ: Mapping[str, str]) -> bool:
    """Whether this process was started by torchrun, as one of several."""
    return int(environ.get("WORLD_SIZE") or 1) > 1 and "RANK" in environ


def join(environ: Mapping[str, str] = os.environ) -> Group:
    """Meet the other processes that torchrun started; ALONE when there are none. Raises HostLost when they stay away.

    Imports torch. With GPUs this process takes the one that its LOCAL_RANK names.
    """
    if not is_member(environ):
        return ALONE
    import torch

    distributed: Any = torch.distributed
    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(int(environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
        # Two processes on one GPU is more than NCCL can do.
        if torch.cuda.device_count() >= int(environ.get("LOCAL_WORLD_SIZE", "1")):
            backend = "cpu:gloo,cuda:nccl"
    try:
        store, rank, size = next(distributed.rendezvous("env://", timeout=_PATIENCE))
        distributed.init_process_group(
            backend, store=distributed.PrefixStore("group", store), rank=rank, world_size=size, timeout=_PATIENCE
        )
    except RuntimeError as error:
        raise HostLost(f"The processes of this run did not find each other ({_first_line(error)}).") from error
    return _Joined(rank, size, environ, store)


class _Joined(Group):
    """One of several processes, over torch.distributed's default group."""

    def __init__(self, rank: int, size: int, environ: Mapping[str, str], store: Any) -> None:
        import torch

        self.rank, self.size = rank, size
        self.local_rank = int(environ.get("LOCAL_RANK", "0"))
        self.hosts = int(environ.get("GROUP_WORLD_SIZE", "1"))
        self._store = store
        self._distributed: Any = torch.distributed

    def sum(self, array: NDArray[Any]) -> None:
        import torch

        with _together():
            # The tensor is a view of the array, which makes this a sum in place.
            self._distributed.all_reduce(torch.from_numpy(array))

    def any(self, flag: bool) -> bool:
        import numpy as np

        flags = np.array([flag], np.int32)
        self.sum(flags)
        return bool(flags[0])

    def barrier(self) -> None:
        self.any(False)

    def tell_stop(self) -> None:
        with _together():
            self._store.add("stop", 1)

    def heard_stop(self) -> bool:
        with _together():
            return int(self._store.add("stop", 0)) > 0

    def close(self) -> None:
        if self._distributed.is_initialized():
            self._distributed.destroy_process_group()


class _together:  # noqa: N801 - reads as a word of the language, as contextlib's own do
    """Says in words that another process is gone, which torch tells as a RuntimeError of its network code."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RuntimeError) and not isinstance(error, HostLost):
            raise HostLost(
                f"Another process of this run is gone ({_first_line(error)}): "
                "see its own log for why, then start the run again, which goes on from the last checkpoint."
            ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
