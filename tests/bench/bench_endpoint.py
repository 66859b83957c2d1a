"""An endpoint of the embedded AWS, asked with boto3: what it adds to its serving process, and against a plain server.

The client is the same for all: boto3's, signing every request. To ask a serving process itself, the address of such a
request is changed just before it is sent. Two rows of overhead: with the starter's model, which is what a photo costs,
and with a server that answers without a model, which shows the embedded AWS's own milliseconds as large as they get.
"""

import os
import re
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.bench.bench_serving import CLIENTS, Load, best, drawn_photos, serving
from tests.bench.rows import Row
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.local_aws.sagemaker_world import BUCKET, bucket, create_endpoint, log_lines, wait_for

ONE_BY_ONE = 200
REQUESTS = 400
ROUNDS = 2
MODEL_LESS = """
import asyncio, sys

class Answers(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.held = transport, b""

    def data_received(self, data):
        self.held += data
        head, end, body = self.held.partition(b"\\r\\n\\r\\n")
        length = [int(line[15:]) for line in head.lower().split(b"\\r\\n") if line.startswith(b"content-length:")]
        if not end or len(body) < sum(length):
            return
        self.held = b""
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 7\\r\\n\\r\\n[[1.0]]")

async def main():
    port = int(sys.argv[sys.argv.index("--port") + 1])
    server = await asyncio.get_running_loop().create_server(Answers, "127.0.0.1", port)
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="kennel-bench-") as folder, ExitStack() as running:
        photos = drawn_photos(Path(folder))
        aws = running.enter_context(embedded(Path(folder) / "aws"))
        starter_endpoint(aws, Path(folder))
        model_less_endpoint(aws, Path(folder))
        through = aws.client("sagemaker-runtime", max_pool_connections=CLIENTS)
        overheads = [
            overhead(f"an endpoint {what}, one request after the other, p50", aws, through, name, photos)
            for name, what in (("starter", "with the starter"), ("model-less", "without a model"))
        ]
        plain_port = running.enter_context(serving("tests.bench.plain_server", "resnet50"))
        plain = direct(aws, plain_port)
        loads: dict[str, list[Load]] = {"ours": [], "plain": []}
        for _ in range(ROUNDS):  # in turns, so that a noisy minute of the machine hits both
            loads["ours"].append(load(through, "starter", photos, REQUESTS))
            loads["plain"].append(load(plain, "starter", photos, REQUESTS // 6))
        ours, other = (best(some) for some in loads.values())
    against = (
        f"{CLIENTS} boto3 clients at an endpoint with one instance, against a plain server with ResNet-50 in torch"
    )
    told = [f"p50 {one.p50:.0f} ms, p99 {one.p99:.0f} ms, {one.lost} lost" for one in (ours, other)]
    note = f"ours: {told[0]}; plain: {told[1]}; {os.cpu_count()} cores, clients and the embedded AWS included"
    ratio = ours.throughput / other.throughput
    return [
        *overheads,
        Row(f"{against}: throughput", ratio, ours.throughput, other.throughput, "photos/s", note),
        Row.of_times(f"{against}: p99", ours.p99, other.p99, "ms"),
    ]


def overhead(name: str, aws: Embedded, through: Any, endpoint: str, photos: Sequence[bytes]) -> Row:
    """Seconds of a request to the process itself, over those of one through the embedded AWS, taken in turns."""
    straight = direct(aws, port_of(aws, endpoint))
    taken: dict[str, list[float]] = {"through": [], "direct": []}
    for number in range(ONE_BY_ONE + 20):
        for key, client in (("through", through), ("direct", straight)):
            started = time.perf_counter()
            invoke(client, endpoint, photos[number % len(photos)])
            if number >= 20:
                taken[key].append((time.perf_counter() - started) * 1000)
    p99 = {key: quantiles(some, n=100)[98] for key, some in taken.items()}
    note = f"p99 {p99['through']:.1f} ms through, {p99['direct']:.1f} ms direct; 1 / ratio is what it costs"
    return Row.of_times(name, median(taken["through"]), median(taken["direct"]), "ms", note)


def invoke(client: Any, endpoint: str, photo: bytes) -> bytes:
    answer = client.invoke_endpoint(EndpointName=endpoint, Body=photo, ContentType="image/jpeg")
    return bytes(answer["Body"].read())


def load(client: Any, endpoint: str, photos: Sequence[bytes], requests: int) -> Load:
    """`requests` photos asked for by CLIENTS threads as fast as answers come; what fails is lost."""
    todo = deque(photos[number % len(photos)] for number in range(requests))
    latencies: list[float] = []
    lost: list[str] = []

    def one() -> None:
        while True:
            try:
                photo = todo.popleft()
            except IndexError:
                return
            started = time.perf_counter()
            try:
                invoke(client, endpoint, photo)
            except (ClientError, BotoCoreError) as error:
                lost.append(str(error))
            else:
                latencies.append((time.perf_counter() - started) * 1000)

    seconds = in_threads(one, CLIENTS)
    cuts = quantiles(latencies, n=100)
    return Load(len(latencies) / seconds, cuts[49], cuts[98], len(lost), 0)


def in_threads(work: Callable[[], None], number: int) -> float:
    threads = [threading.Thread(target=work) for _ in range(number)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


@contextmanager
def embedded(state: Path) -> Iterator[Embedded]:
    aws = start_embedded(state)
    try:
        bucket(aws)
        yield aws
    finally:
        stop_embedded(aws)


def starter_endpoint(aws: Embedded, folder: Path) -> None:
    from local_aws.engine import artifacts
    from training.model import build_starter

    artifacts.pack(build_starter(folder / "starter"), folder / "model.tar.gz")
    aws.client("s3").put_object(Bucket=BUCKET, Key="model.tar.gz", Body=(folder / "model.tar.gz").read_bytes())
    create_endpoint(aws.client("sagemaker"), "starter", {}, ModelDataUrl=f"s3://{BUCKET}/model.tar.gz")
    wait_for(aws.client("sagemaker"), "starter", "InService", 60)


def model_less_endpoint(aws: Embedded, folder: Path) -> None:
    package = folder / "model-less/training"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "serve.py").write_text(MODEL_LESS)
    create_endpoint(aws.client("sagemaker"), "model-less", {"PYTHONPATH": str(package.parent)})
    wait_for(aws.client("sagemaker"), "model-less", "InService", 60)


def port_of(aws: Embedded, endpoint: str) -> int:
    """The port of the one process of an endpoint, which its log names."""
    lines = log_lines(aws.client("logs"), f"/aws/sagemaker/Endpoints/{endpoint}", "AllTraffic/")
    return next(int(found[1]) for line in lines if (found := re.search(r"listening on 127\.0\.0\.1:(\d+)", line)))


def direct(aws: Embedded, port: int) -> Any:
    """The same client, whose signed requests go to a serving process."""
    import boto3

    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=aws.region,
        aws_access_key_id=aws.access_key_id,
        aws_secret_access_key=aws.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=CLIENTS),
    )

    def at_the_process(request: Any, **_: Any) -> None:
        request.url = f"http://127.0.0.1:{port}/invocations"

    client.meta.events.register("before-send", at_the_process)
    return client
