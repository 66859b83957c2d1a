"""What it costs to write down who did what: the same requests of a role's session with a trail of them and without.

The endpoint answers without a model, so that what recording adds is as large a part as it gets. Both are measured in
turns on one server: the trail is switched on and off between them.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from tests.bench.bench_endpoint import embedded, invoke, load, model_less_endpoint
from tests.bench.bench_serving import CLIENTS, Load, best
from tests.bench.rows import Row
from tests.conftest import Embedded
from tests.local_aws.trail_world import MANAGEMENT, Session, delivered, role_of, session_of, sessions_only, trail

ENDPOINT = "model-less"
ONE_BY_ONE = 150
REQUESTS = 1_500
ROUNDS = 4
SETTLED_SECONDS = 1.0
PHOTO = b"\xff\xd8" + b"0" * 50_000


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="kennel-bench-") as folder, embedded(Path(folder) / "aws") as aws:
        model_less_endpoint(aws, Path(folder))
        worker = session_of(aws, role_of(aws, ["sagemaker:InvokeEndpoint"]))
        client = _client(worker)
        name, files = trail(aws, MANAGEMENT, sessions_only("AWS::SageMaker::Endpoint"))
        single: dict[bool, list[float]] = {True: [], False: []}
        loads: dict[bool, list[Load]] = {True: [], False: []}
        for number in range(2 * ROUNDS):
            recorded = bool(number % 2) is bool(number // 2 % 2)  # off, on, on, off: neither is always the first
            _switch(aws, name, on=recorded)
            single[recorded] += _each(lambda: invoke(client, ENDPOINT, PHOTO), ONE_BY_ONE)
            loads[recorded].append(load(client, ENDPOINT, [PHOTO], REQUESTS))
        _switch(aws, name, on=True)
        invoke(client, ENDPOINT, PHOTO)
        told = delivered(aws, files, "InvokeEndpoint", seconds=120)
    on, off = best(loads[True]), best(loads[False])
    note = f"each with {CLIENTS} boto3 clients; {len(told)} events were in the trail's files when it had delivered once"
    what = "an endpoint without a model, asked as a role, with a trail of every call against none"
    return [
        Row.of_times(f"{what}: one request after the other, p50", _ms(single[True]), _ms(single[False]), "ms"),
        Row(f"{what}: throughput", on.throughput / off.throughput, on.throughput, off.throughput, "requests/s", note),
    ]


def _switch(aws: Embedded, name: str, *, on: bool) -> None:
    calls = aws.client("cloudtrail")
    (calls.start_logging if on else calls.stop_logging)(Name=name)
    sleep(SETTLED_SECONDS)  # what the round before left to be written is not this one's


def _each(action: Callable[[], object], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        started = perf_counter()
        action()
        taken.append(perf_counter() - started)
    return taken


def _ms(seconds: list[float]) -> float:
    return median(seconds) * 1000


def _client(worker: Session) -> Any:
    return worker.client("sagemaker-runtime", max_pool_connections=CLIENTS)
