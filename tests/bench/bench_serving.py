"""32 clients at once, each on a kept connection: our serving process against plain servers that people write.

Every server is a process of its own on the loopback address; all get the same photos from the same load process, which
uses Python's own HTTP client and counts every answer. A client that is told to come back (503) does so, as the header
says; lost is a request that never gets a good answer.
"""

import http.client
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles

from tests.bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = 32
REQUESTS = 480
ROUNDS = 2
DRAWN_SIZE = 560
PATIENCE = 60.0
"""Seconds for one request, waiting included."""


@dataclass(frozen=True)
class Load:
    """What the clients saw: photos a second, the latency of each answered request in ms, and how many got none."""

    throughput: float
    p50: float
    p99: float
    lost: int
    told_to_come_back: int


def rows() -> list[Row]:
    from training.model import build_starter

    with tempfile.TemporaryDirectory(prefix="kennel-bench-") as folder, ExitStack() as running:
        photos = drawn_photos(Path(folder))
        ours = ("training.serve", "--model-dir", str(build_starter(Path(folder) / "starter")), "--port", "0")
        ports = {
            "int8": running.enter_context(serving(*ours, KENNEL_PRECISION="int8")),
            "fp32": running.enter_context(serving(*ours, KENNEL_PRECISION="fp32")),
            "ResNet-50": running.enter_context(serving("tests.bench.plain_server", "resnet50")),
            "our backbone": running.enter_context(serving("tests.bench.plain_server", "lite0")),
        }
        loads: dict[str, list[Load]] = {name: [] for name in ports}
        # In turns, so that a noisy minute of the machine hits all of them.
        for _ in range(ROUNDS):
            for name, port in ports.items():
                count = REQUESTS if name in ("int8", "fp32") else REQUESTS // 6
                loads[name].append(load(port, photos, CLIENTS, count))
    found = {name: best(some) for name, some in loads.items()}
    return [
        row
        for precision in ("int8", "fp32")
        for plain in ("ResNet-50", "our backbone")
        for row in compared(precision, found[precision], plain, found[plain])
    ]


def compared(precision: str, ours: Load, name: str, plain: Load) -> list[Row]:
    against = f"{CLIENTS} clients at once ({precision}), against a plain server with {name} in torch"
    told = [f"p50 {one.p50:.0f} ms, p99 {one.p99:.0f} ms, {one.lost} lost" for one in (ours, plain)]
    note = f"ours: {told[0]}; plain: {told[1]}; {os.cpu_count()} cores, clients included"
    ratio = ours.throughput / plain.throughput
    return [
        Row(f"{against}: throughput", ratio, ours.throughput, plain.throughput, "photos/s", note),
        Row.of_times(f"{against}: p99", ours.p99, plain.p99, "ms"),
    ]


def best(loads: Sequence[Load]) -> Load:
    """The quickest round, with what was lost in any of them."""
    return replace(max(loads, key=lambda found: found.throughput), lost=sum(found.lost for found in loads))


def drawn_photos(folder: Path) -> list[bytes]:
    from training.sample_data import write_dataset

    write_dataset(folder / "drawn", photos_per_breed=3, size=DRAWN_SIZE)
    return [path.read_bytes() for path in sorted((folder / "drawn").rglob("*.jpg"))]


@contextmanager
def serving(module: str, *arguments: str, **environment: str) -> Iterator[int]:
    """`python -m module …` that prints "listening on HOST:PORT"; gives the port, ends the process."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SM_", "KENNEL_"))}
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, env=kept | environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            if not line.startswith("listening on"):
                raise RuntimeError(f"{module} ended before it listened")
            yield int(line.rpartition(":")[2])
        finally:
            process.terminate()
            process.wait(timeout=30)


def load(port: int, photos: Sequence[bytes], clients: int, requests: int) -> Load:
    """`requests` photos asked for by `clients` threads as fast as answers come."""
    todo = deque(photos[n % len(photos)] for n in range(requests))
    latencies: list[float] = []
    lost, back = [0], [0]
    lock = threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        while True:
            try:
                photo = todo.popleft()
            except IndexError:
                break
            started = time.perf_counter()
            answered, waited = False, 0
            while not answered and time.perf_counter() - started < PATIENCE:
                try:
                    connection.request("POST", "/invocations", photo, {"Content-Type": "image/jpeg"})
                    answer = connection.getresponse()
                    body = answer.read()
                except (OSError, http.client.HTTPException):
                    connection.close()
                    break
                if answer.status == 503:
                    waited += 1
                    time.sleep(float(answer.headers["Retry-After"]))
                elif answer.status == 200 and body.startswith(b"[["):
                    answered = True
                else:
                    break
            with lock:
                back[0] += waited
                if answered:
                    latencies.append((time.perf_counter() - started) * 1000)
                else:
                    lost[0] += 1
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    cuts = quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    return Load(len(latencies) / seconds, cuts[49], cuts[98], lost[0], back[0])
