"""Several processes, on one machine or on several hosts, that train one model together."""

from typing import Any

from numpy.typing import NDArray


class Group:
    """The processes of one run. This one is a process on its own; nothing waits and nothing is sent."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that prints, saves and exports."""
        return self.rank == 0

    def sum(self, array: NDArray[Any]) -> None:
        """Replace `array` (float32, float64 or integers, contiguous) in place by its sum over all processes."""

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in at least one process; every process gets the same answer."""
        return flag

    def barrier(self) -> None:
        """Wait until every process is here."""

    def close(self) -> None:
        """Leave the group; nothing may be asked of it afterwards."""


ALONE = Group()
