"""A run's surroundings for tests of its steps."""

from collections.abc import Callable
from pathlib import Path

from training.container import Paths
from training.distributed import ALONE
from training.reporting import Reporter
from training.settings import Settings
from training.stopping import Stop
from training.surroundings import Surroundings


def surroundings(
    folder: Path,
    said: list[str],
    *,
    source: str = "",
    chosen: Settings | None = None,
    stop: Stop | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> Surroundings:
    """One process that writes below `folder` and says everything into `said`."""
    paths = Paths(source, folder / "model", None, None, folder / "kept", (), folder / "downloads")
    chosen = chosen or Settings()
    reporter = Reporter.of(ALONE, chosen.is_frozen)
    reporter.write = said.append
    return Surroundings(chosen, paths, ALONE, stop or Stop(), reporter, 1, clock)
