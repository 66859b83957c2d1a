"""Writing that waits a moment for more of the same, so that what comes often costs few writes."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

log = logging.getLogger(__name__)


class Soon:
    """write(): called in a thread `seconds` after `wake`, and again as long as waits() says that there is more.

    What it raises is logged: a disk that is full ends nothing. Used from one event loop.
    """

    def __init__(self, what: str, seconds: float, write: Callable[[], None], waits: Callable[[], bool]) -> None:
        self._what = what
        self._seconds = seconds
        self._write = write
        self._waits = waits
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something waits to be written."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Write what is left; nothing is being written any more when this returns."""
        self._closing.set()
        if self._task is not None:
            await self._task
        await self._written()

    async def _run(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._closing.wait()
            await self._written()
            if not self._waits():  # what comes while this writes starts no second task
                return

    async def _written(self) -> None:
        try:
            await asyncio.to_thread(self._write)
        except Exception:
            log.exception("%s could not be written", self._what)
