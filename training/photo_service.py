"""The web application of a serving process: /ping, /metrics and /invocations around one loaded model.

Requests that wait together run together (training.batching). How many may be here is limited by places and by bytes,
and those whose photos lie elsewhere are limited apart: they take seconds, and must not keep the others out.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from training import inference, photo_request, serve_metrics
from training.batching import Batcher
from training.images import BadPhoto
from training.photo_request import MAX_BODY, BadRequest, Reach, TooLarge

BODY_SECONDS = 30.0
"""How long a request may take to arrive: who sends more slowly would be kept for ever."""
ARRIVING = 512
"""Requests at once whose bodies are not complete: they take no place in the queue, only the bytes that have come."""
WAITING_FOR_EACH_WORKER = 32
HELD_BYTES = 256 * 1024 * 1024
"""Bytes of all requests that are here; with many cores the places alone would allow gigabytes."""
LARGEST_BATCH = 8
"""Photos in one run of the network: INT8 gains up to here (measured on 2 cores), more only make the first one wait."""
LARGE_BODY = 256 * 1024
"""Bytes of JSON from which taking it apart would keep the other requests waiting."""
FETCHING = 8
"""Requests at once whose photos lie elsewhere: they take seconds and memory, and must not keep the others out."""


@dataclass(frozen=True)
class _Job:
    """A request whose photos are here, and the form its answer is wanted in."""

    request: photo_request.Request
    accept: str | None


@dataclass
class _Held:
    """The bytes of one request that are counted as held."""

    size: int = 0


class _Busy(Exception):  # noqa: N818
    pass


def build(
    model: inference.Model,
    workers: int | None = None,
    body_seconds: float = BODY_SECONDS,
    reach: Reach | None = None,
    held_bytes: int = HELD_BYTES,
) -> Starlette:
    """The web application around one loaded model.

    `workers` batches are worked on at once (default: one for each core). Who comes when all places are taken, or when
    `held_bytes` would be exceeded, is told to come back, so that a burst costs time but no memory. `reach` says how
    photos that lie elsewhere are brought.
    """
    service = _Service(model, workers or os.cpu_count() or 1, body_seconds, reach or Reach(), held_bytes)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        service.close()

    routes = [
        Route("/ping", service.ping, methods=["GET"]),
        Route("/metrics", service.told, methods=["GET"]),
        Route("/invocations", service.invocations, methods=["POST"]),
    ]
    handlers = {Exception: _failed, 404: service.elsewhere, 405: service.elsewhere}
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)


class _Service:
    """What happens to requests, all in one event loop.

    `arriving`, `taken` (complete, so with a place), `held` (bytes) and `fetching` say how much of it happens now.
    """

    def __init__(
        self, model: inference.Model, workers: int, body_seconds: float, reach: Reach, held_bytes: int
    ) -> None:
        self._model, self._body_seconds, self._reach, self._held_bytes = model, body_seconds, reach, held_bytes
        self._metrics = serve_metrics.Metrics()
        self._batcher: Batcher[_Job, str] = Batcher(
            lambda jobs: _answers(model, jobs),
            workers=workers,
            largest=LARGEST_BATCH,
            size=lambda job: len(job.request.photos),
            on_batch=self._metrics.batches.add,
        )
        self._fetchers = ThreadPoolExecutor(max_workers=FETCHING, thread_name_prefix="fetchers")
        self._places = workers * (1 + WAITING_FOR_EACH_WORKER)
        self._arriving = self._taken = self._held = self._fetching = 0

    def close(self) -> None:
        self._batcher.close()
        self._fetchers.shutdown()

    async def ping(self, request: Request) -> Response:
        model = self._model
        return JSONResponse({"model": model.name, "labels": len(model.labels), "precision": model.precision})

    async def told(self, request: Request) -> Response:
        gauges = {
            "kennel_requests_arriving": ("requests whose bodies are not complete", float(self._arriving)),
            "kennel_requests_in_flight": ("requests that are here, whatever happens to them", float(self._taken)),
            "kennel_queue_depth": ("requests that wait for a worker", float(self._batcher.depth)),
            "kennel_places": ("requests that may be here at once", float(self._places)),
        }
        model = self._model
        about = {"model": model.name, "precision": model.precision, "labels": str(len(model.labels))}
        return Response(self._metrics.text(gauges, about), media_type=serve_metrics.CONTENT_TYPE)

    async def elsewhere(self, request: Request, error: Exception) -> Response:
        """404 and 405: counted, but not timed, because nothing was worked on."""
        status, headers = getattr(error, "status_code", 404), getattr(error, "headers", None)
        self._metrics.requests[status] += 1
        return _error(status, "There is GET /ping, GET /metrics and POST /invocations: ask for one of them.", headers)

    async def invocations(self, request: Request) -> Response:
        started, status = time.perf_counter(), 500
        try:
            response = await self._admitted(request)
            status = response.status_code
        finally:
            self._metrics.answered(status, time.perf_counter() - started)
        return response

    async def _admitted(self, request: Request) -> Response:
        held = _Held()
        try:
            body = await self._arrived(request, held)
            return Response(await self._placed(request, body), media_type=inference.JSON)
        except BadPhoto as error:
            return _error(400, error.reason)
        except BadRequest as error:
            return _error(error.status, str(error))
        except _Busy:
            return _busy()
        except TimeoutError:
            limit = f"{self._body_seconds:g} s"
            sentence = f"The photo did not arrive within {limit}: send it again, or a smaller version of it."
            return _error(408, sentence, {"Connection": "close"})
        except ClientDisconnect:
            return _error(400, "The connection ended before the whole photo had arrived: send it again.")
        finally:
            self._held -= held.size

    async def _arrived(self, request: Request, held: "_Held") -> bytes:
        """The whole body, given up as soon as it is known to be too large. `held` grows by what has come of it.

        Raises TooLarge, _Busy, TimeoutError and ClientDisconnect.
        """
        announced = _announced(request)
        if announced > MAX_BODY:
            raise TooLarge
        # Only what has come is counted for long: announcing costs a slow sender nothing.
        if self._arriving >= ARRIVING or self._taken >= self._places or self._held + announced > self._held_bytes:
            raise _Busy
        body = bytearray()
        self._arriving += 1
        try:
            async with asyncio.timeout(self._body_seconds):
                async for chunk in request.stream():
                    self._held, held.size = self._held + len(chunk), held.size + len(chunk)
                    if held.size > MAX_BODY:
                        raise TooLarge
                    if self._held > self._held_bytes:
                        raise _Busy
                    body += chunk
        finally:
            self._arriving -= 1
        return bytes(body)

    async def _placed(self, request: Request, body: bytes) -> str:
        """The answer to a request that is complete. Raises _Busy when all places are taken."""
        if self._taken >= self._places:
            raise _Busy
        self._taken += 1
        try:
            return await self._answer(request, body)
        finally:
            self._taken -= 1

    async def _answer(self, request: Request, body: bytes) -> str:
        asked = await _read(body, request.headers.get("content-type"))
        accept = request.headers.get("accept")
        if asked.is_here:
            return await asyncio.wrap_future(self._batcher.submit(_Job(asked, accept)))
        if self._fetching >= FETCHING:
            raise _Busy
        self._fetching += 1
        try:
            # Held until the answer is there, because what was fetched stays in memory that long.
            loop = asyncio.get_running_loop()
            here = await loop.run_in_executor(self._fetchers, photo_request.fetched, asked, self._reach)
            return await asyncio.wrap_future(self._batcher.submit(_Job(here, accept)))
        finally:
            self._fetching -= 1


async def _failed(request: Request, error: Exception) -> Response:
    # uvicorn writes the traceback to the log; who asked gets a sentence and no internals.
    return _error(500, "The model failed on this photo; the instance's log says why.")


async def _read(body: bytes, content_type: str | None) -> photo_request.Request:
    started = time.perf_counter()
    if len(body) > LARGE_BODY and photo_request.is_json(content_type):
        return await asyncio.to_thread(photo_request.read, body, content_type, started)
    return photo_request.read(body, content_type, started)


def _answers(model: inference.Model, jobs: Sequence[_Job]) -> list[str | Exception]:
    """The answers' texts, or what is wrong with each job, from one run of the model."""
    found: list[str | Exception] = []
    for job, answer in zip(jobs, inference.predict_together([job.request for job in jobs], model), strict=True):
        try:
            found.append(answer if isinstance(answer, BadPhoto) else inference.output_fn(answer, job.accept))
        except BadRequest as error:
            found.append(error)
    return found


def _announced(request: Request) -> int:
    """The bytes that a request says its body has; 0 where it does not say."""
    announced = request.headers.get("content-length", "")
    return int(announced) if announced.isdecimal() else 0


def _busy() -> Response:
    return _error(503, "This instance has too many photos waiting: try again in a second.", {"Retry-After": "1"})


def _error(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": sentence}, status_code=status, headers=headers)
