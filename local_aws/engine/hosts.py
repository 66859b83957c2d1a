"""The hosts of a job: their names, their addresses on this machine, and what each is told of the others.

Each host is a process group of its own. The hosts of one job have the addresses 127.0.J.1, 127.0.J.2 …, where J is the
job's own number, so that two jobs at once do not meet. SageMaker's names of them, algo-1 and so on, are resolved by an
/etc/hosts that only the job sees; where a process cannot have its own, the addresses take the names' place.
"""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local_aws.engine.errors import InternalFaultError

MOST_HOSTS = 254
DRIVERS = "sm_drivers"
"""The channel in which the SageMaker SDK sends the scripts that start a training."""
_SDK_ADDRESS = re.compile(r'^SM_MASTER_ADDR = "algo-1"$', re.MULTILINE)
_SDK_PORT = re.compile(r"^SM_MASTER_PORT = 7777$", re.MULTILINE)


@dataclass(frozen=True)
class Seat:
    """One host among those of its job. index: from 0; port: where the first one listens, 0 where there is no other."""

    names: tuple[str, ...] = ("algo-1",)
    index: int = 0
    port: int = 0

    @property
    def name(self) -> str:
        return self.names[self.index]

    @property
    def label(self) -> str:
        """The host's name in its log stream and its metrics, whatever it is called on the network."""
        return f"algo-{self.index + 1}"


def seats(count: int, number: int, *, named: bool) -> tuple[Seat, ...]:
    """The seats of a job's hosts. number: the job's J; named: whether names are resolved (see `hosts_file`).

    Raises InternalFaultError where this system has no such addresses (macOS has 127.0.0.1 only).
    """
    if count == 1:
        return (Seat(),)
    addresses = addresses_of(count, number)
    try:
        for address in addresses:
            free_port(address)
    except OSError as wrong:
        raise InternalFaultError(
            f"this system does not let the {count} hosts of a job have addresses of their own ({addresses[-1]}: "
            f"{wrong.strerror}). Train on one instance here"
        ) from wrong
    names = tuple(f"algo-{index + 1}" for index in range(count)) if named else addresses
    port = free_port()
    return tuple(Seat(names, index, port) for index in range(count))


def addresses_of(count: int, number: int) -> tuple[str, ...]:
    return tuple(f"127.0.{number}.{index + 1}" for index in range(count))


def free_port(address: str = "") -> int:
    """A port that nobody listens on, at any address of this machine or at one. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def hosts_file(count: int, number: int, system: Path = Path("/etc/hosts")) -> str:
    """The /etc/hosts of a job: the system's own, and its hosts' names."""
    own = system.read_text(encoding="utf-8", errors="replace") if system.is_file() else "127.0.0.1 localhost\n"
    lines = [f"{address} algo-{index}" for index, address in enumerate(addresses_of(count, number), 1)]
    return "\n".join([own.rstrip("\n"), *lines, ""])


def meet_here(folder: Path, seat: Seat) -> None:
    """Have the SageMaker SDK's drivers in `folder` meet at this job's port: theirs is one constant for all jobs."""
    script = folder / "scripts" / "environment.py"
    if seat.port == 0 or not script.is_file() or script.is_symlink():
        return
    before = script.read_text(encoding="utf-8")
    after = _SDK_PORT.sub(f"SM_MASTER_PORT = {seat.port}", before)
    after = _SDK_ADDRESS.sub(f'SM_MASTER_ADDR = "{seat.names[0]}"', after)
    if after != before:
        script.write_text(after, encoding="utf-8")


class Numbers:
    """The jobs' numbers J: each is one job's until it gives it back. Not for several threads at once."""

    def __init__(self, taken: Sequence[int] = ()) -> None:
        self._taken = set(taken)

    def take(self) -> int:
        number = next(number for number in range(1, 255) if number not in self._taken)
        self._taken.add(number)
        return number

    def give_back(self, number: int) -> None:
        self._taken.discard(number)
