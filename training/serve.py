"""The serving process of an endpoint instance: `python -m training.serve --model-dir DIR --port N`.

It speaks SageMaker's container protocol: GET /ping answers 200 once the model is loaded, POST /invocations takes one
photo or several (see training.photo_request for the forms) and answers with scores (see training.inference for the
profiles). GET /metrics is for Prometheus. Photos that wait together are run together; a limited number of requests
waits, more are told to come back (503 with Retry-After). SIGTERM finishes the requests under way and ends with exit
code 0. Torch is never imported here: an instance starts in well under two seconds.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from training import inference, photo_request, serve_metrics
from training.batching import Batcher
from training.images import BadPhoto
from training.photo_request import MAX_BODY, BadRequest, TooLarge

BODY_SECONDS = 30.0
"""How long a request may take to arrive: who sends more slowly would keep a place from the others."""
WAITING_FOR_EACH_WORKER = 32
HELD_BYTES = 256 * 1024 * 1024
"""Bytes of all requests that are here; with many cores the places alone would allow gigabytes."""
LARGEST_BATCH = 8
"""Photos in one run of the network: INT8 gains up to here (measured on 2 cores), more only make the first one wait."""
LARGE_BODY = 256 * 1024
"""Bytes of JSON from which taking it apart would keep the other requests waiting."""
FETCHING = 8
"""Requests at once whose photos lie elsewhere: they take seconds and memory, and must not keep the others out."""


_HELP = f"""photos:
  Content-Type image/jpeg, image/png, image/webp …    one photo
  Content-Type application/json                       {{"image": base64}}, {{"url": "https://…"}} or {{"s3": "s3://…"}},
                                                      each one text or a list, up to 16 photos in 6 MiB
answers:
  {inference.JSON}                                    [[score, …]], one list for each photo
  Accept: {inference.BREEDS_PROFILE}            names, calibrated probabilities, is-dog, scores
  Accept: {inference.OVERLAY_PROFILE}
                                                      and a small picture of where the model looked
environment:
  KENNEL_PRECISION=fp32|int8    run this network instead of the one that the model's card chooses
  KENNEL_ALLOW_HTTP=1           fetch photos from http:// addresses too
exit code: 0 after SIGTERM or Ctrl-C, 1 when it cannot start, 2 for a wrong command line"""


@dataclass(frozen=True)
class _Job:
    """A request whose photos are here, and the form its answer is wanted in."""

    request: photo_request.Request
    accept: str | None


class _Busy(Exception):  # noqa: N818
    pass


def build(
    model: inference.Model,
    workers: int | None = None,
    body_seconds: float = BODY_SECONDS,
    reach: photo_request.Reach | None = None,
    held_bytes: int = HELD_BYTES,
    clock: Callable[[], float] = time.perf_counter,
) -> Starlette:
    """The web application around one loaded model.

    `workers` batches are worked on at once (default: one for each core). Who comes when all places are taken, or
    `held_bytes` would be exceeded, is told to come back, so that a burst costs time but no memory. `reach` says how photos that lie elsewhere are brought.
    """
    workers = workers or os.cpu_count() or 1
    reach = reach or photo_request.Reach()
    metrics = serve_metrics.Metrics()
    batcher: Batcher[_Job, str] = Batcher(
        lambda jobs: _answers(model, jobs),
        workers=workers,
        largest=LARGEST_BATCH,
        size=lambda job: len(job.request.photos),
        on_batch=metrics.batches.add,
    )
    fetchers = ThreadPoolExecutor(max_workers=FETCHING, thread_name_prefix="fetchers")
    places = workers * (1 + WAITING_FOR_EACH_WORKER)
    taken = held = fetching = 0

    async def ping(request: Request) -> Response:
        return JSONResponse({"model": model.name, "labels": len(model.labels), "precision": model.precision})

    async def told(request: Request) -> Response:
        gauges = {
            "kennel_requests_in_flight": ("requests that are here, whatever happens to them", float(taken)),
            "kennel_queue_depth": ("requests that wait for a worker", float(batcher.depth)),
            "kennel_places": ("requests that may be here at once", float(places)),
        }
        about = {"model": model.name, "precision": model.precision, "labels": str(len(model.labels))}
        return Response(metrics.text(gauges, about), media_type=serve_metrics.CONTENT_TYPE)

    async def answer(request: Request) -> str:
        started = clock()
        async with asyncio.timeout(body_seconds):
            body = await _body(request)
        content_type = request.headers.get("content-type")
        if len(body) > LARGE_BODY and photo_request.is_json(content_type):
            asked = await asyncio.to_thread(photo_request.read, body, content_type, started)
        else:
            asked = photo_request.read(body, content_type, started)
        accept = request.headers.get("accept")
        if asked.is_here:
            return await asyncio.wrap_future(batcher.submit(_Job(asked, accept)))
        nonlocal fetching
        if fetching >= FETCHING:
            raise _Busy
        fetching += 1
        try:
            # Held until the answer is there, because what was fetched stays in memory that long.
            here = await asyncio.get_running_loop().run_in_executor(fetchers, photo_request.fetched, asked, reach)
            return await asyncio.wrap_future(batcher.submit(_Job(here, accept)))
        finally:
            fetching -= 1

    async def judged(request: Request) -> Response:
        nonlocal taken, held
        weight = _weight(request)
        if taken >= places or held + weight > held_bytes:
            return _busy()
        taken, held = taken + 1, held + weight
        try:
            return Response(await answer(request), media_type=inference.JSON)
        except BadPhoto as error:
            return _error(400, error.reason)
        except BadRequest as error:
            return _error(error.status, str(error))
        except _Busy:
            return _busy()
        except TimeoutError:
            sentence = f"The photo did not arrive within {body_seconds:g} s: send it again, or a smaller version of it."
            return _error(408, sentence, {"Connection": "close"})
        except ClientDisconnect:
            return _error(400, "The connection ended before the whole photo had arrived: send it again.")
        finally:
            taken, held = taken - 1, held - weight

    async def invocations(request: Request) -> Response:
        started, status = clock(), 500
        try:
            response = await judged(request)
            status = response.status_code
        finally:
            metrics.answered(status, clock() - started)
        return response

    async def failed(request: Request, error: Exception) -> Response:
        # uvicorn writes the traceback to the log; who asked gets a sentence and no internals.
        return _error(500, "The model failed on this photo; the instance's log says why.")

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        batcher.close()
        fetchers.shutdown()

    routes = [
        Route("/ping", ping, methods=["GET"]),
        Route("/metrics", told, methods=["GET"]),
        Route("/invocations", invocations, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: failed})


def _answers(model: inference.Model, jobs: Sequence[_Job]) -> list[str | Exception]:
    """The answers' texts, or what is wrong with each job, from one run of the model."""
    found: list[str | Exception] = []
    for job, answer in zip(jobs, inference.predict_together([job.request for job in jobs], model), strict=True):
        try:
            found.append(answer if isinstance(answer, BadPhoto) else inference.output_fn(answer, job.accept))
        except BadRequest as error:
            found.append(error)
    return found


def _weight(request: Request) -> int:
    """The bytes that a request's body may take; one that does not say so may take as many as are allowed."""
    announced = request.headers.get("content-length", "")
    return min(int(announced), MAX_BODY) if announced.isdecimal() else MAX_BODY


async def _body(request: Request) -> bytes:
    """The request's body, given up as soon as it is known to be too large."""
    too_large = f"This request is larger than {MAX_BODY // 2**20} MiB: send smaller versions of the photos."
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MAX_BODY:
        raise TooLarge(too_large)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(too_large)
    return bytes(body)


def _busy() -> Response:
    return _error(503, "This instance has too many photos waiting: try again in a second.", {"Retry-After": "1"})


def _error(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": sentence}, status_code=status, headers=headers)


class _Server(uvicorn.Server):
    """Announces its address when it listens, and ends with exit code 0 when it is told to stop."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            sys.stdout.write(f"listening on {host}:{port}\n")
            sys.stdout.flush()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again at the end, which would look like a crash to whoever started us.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.serve",
        description="Serve a model folder over HTTP: GET /ping, GET /metrics, POST /invocations.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR"), help="or SM_MODEL_DIR")
    parser.add_argument("--port", type=int, default=8080, help="0 chooses a free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--workers", type=int, default=None, help="photos worked on at once (default: one a core)")
    options = parser.parse_args(arguments)
    if options.model_dir is None:
        parser.error("--model-dir (or SM_MODEL_DIR) is needed: the folder that holds model.onnx")
    try:
        model = inference.model_fn(str(options.model_dir))
        listener = _listen(options.host, options.port)
    except (inference.BadModel, OSError) as error:
        sys.stderr.write(f"This instance cannot start: {error}\n")
        return 1
    config = uvicorn.Config(
        build(model, options.workers),
        loop="asyncio",
        http="h11",
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
    asyncio.run(_Server(config).serve(sockets=[listener]))
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections send at once.

    asyncio sets TCP_NODELAY only where the protocol is named; without it an answer waits 44 ms for its acknowledgement.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


if __name__ == "__main__":
    sys.exit(main())
