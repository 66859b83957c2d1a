"""A pool of Lambda environments without a server around it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_aws.engine.lambda_log import Log
from local_aws.engine.lambda_pool import Pool
from local_aws.engine.lambda_request import Asked, Outcome, Spec
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.output import Event
from tests.local_aws.lambda_world import package

PID = "import os\ndef handler(event, context):\n    return os.getpid()"


@dataclass
class Sink:
    lines: list[str] = field(default_factory=list)

    def append(self, group: str, stream: str, events: Sequence[Event]) -> None:
        self.lines += [line for _, line in events]


@dataclass
class World:
    """A pool of two places whose clock is set by hand. runs(work): in an event loop, everything ended afterwards."""

    folder: Path
    clock: float = 0.0
    log: Sink = field(default_factory=Sink)

    def spec(self, name: str = "fn", code: str = PID, memory: int = 256, timeout: float = 10.0) -> Spec:
        path = self.folder / f"{name}.zip"
        path.write_bytes(package(app=code))
        group = f"/aws/lambda/{name}"
        return Spec(f"{name}:1", f"us-east-1/{name}", name, "1", path, "app.handler", memory, timeout, group, {})

    def runs(self, work: Callable[[Pool], Awaitable[None]]) -> None:
        async def run() -> None:
            log = Log(self.log, time.time)
            pool = Pool(
                lambda number: OptMl(self.folder / str(number), private=False), log, most=2, clock=lambda: self.clock
            )
            try:
                await work(pool)
            finally:
                await pool.close()
                await log.close()

        asyncio.run(run())

    def answers(self, code: str, *events: Any, memory: int = 256, timeout: float = 10.0) -> list[Outcome]:
        """What a function answers to one event after the other."""
        found: list[Outcome] = []

        async def work(pool: Pool) -> None:
            spec = self.spec(code=code, memory=memory, timeout=timeout)
            pool.reconcile((), {spec.key})
            found.extend([await asked(pool, spec, event) for event in events or ({},)])

        self.runs(work)
        return found


async def asked(pool: Pool, spec: Spec, event: Any = None) -> Outcome:
    taken = await pool.take(spec)
    try:
        return await taken.environment.invoke(Asked("id", "arn", json.dumps(event).encode()), cold=taken.cold)
    finally:
        pool.give_back(taken)


async def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
