"""The serving process of an endpoint instance: `python -m training.serve --model-dir DIR --port N`.

It speaks SageMaker's container protocol: GET /ping answers 200 once the model is loaded, POST /invocations takes one
photo and answers with scores (see training.inference for the two forms). SIGTERM finishes the requests under way and
ends with exit code 0. Torch is never imported here: an instance starts in well under two seconds.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from training import inference
from training.images import BadPhoto

MAX_BODY = 6 * 1024 * 1024
"""Bytes; SageMaker's own limit for InvokeEndpoint."""
BODY_SECONDS = 30.0
"""How long a photo may take to arrive: who sends more slowly would keep a place from the others."""
WAITING_FOR_EACH_WORKER = 32


class _TooLarge(Exception):  # noqa: N818
    pass


def build(model: inference.Model, workers: int | None = None, body_seconds: float = BODY_SECONDS) -> Starlette:
    """The web application around one loaded model.

    `workers` photos are worked on at once (default: one for each core); a limited number waits, more are told to come
    back (503), so that a burst costs time but no memory.
    """
    workers = workers or os.cpu_count() or 1
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="inference")
    places = workers * (1 + WAITING_FOR_EACH_WORKER)
    taken = 0

    async def ping(request: Request) -> Response:
        return JSONResponse({"model": model.name, "labels": len(model.labels)})

    async def invocations(request: Request) -> Response:
        nonlocal taken
        if taken >= places:
            sentence = "This instance has too many photos waiting: try again in a second."
            return _error(503, sentence, {"Retry-After": "1"})
        taken += 1
        try:
            async with asyncio.timeout(body_seconds):
                body = await _body(request)
            content_type, accept = request.headers.get("content-type"), request.headers.get("accept")
            loop = asyncio.get_running_loop()
            text = await loop.run_in_executor(pool, _classify, model, body, content_type, accept)
            return Response(text, media_type=inference.JSON)
        except BadPhoto as error:
            return _error(400, error.reason)
        except inference.UnsupportedContent as error:
            return _error(415, str(error))
        except _TooLarge:
            return _error(413, f"This photo is larger than {MAX_BODY / 2**20:.0f} MiB: send a smaller version of it.")
        except TimeoutError:
            sentence = f"The photo did not arrive within {body_seconds:g} s: send it again, or a smaller version of it."
            return _error(408, sentence, {"Connection": "close"})
        except ClientDisconnect:
            return _error(400, "The connection ended before the whole photo had arrived: send it again.")
        finally:
            taken -= 1

    async def failed(request: Request, error: Exception) -> Response:
        # uvicorn writes the traceback to the log; who asked gets a sentence and no internals.
        return _error(500, "The model failed on this photo; the instance's log says why.")

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        pool.shutdown()

    routes = [Route("/ping", ping, methods=["GET"]), Route("/invocations", invocations, methods=["POST"])]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: failed})


def _classify(model: inference.Model, body: bytes, content_type: str | None, accept: str | None) -> str:
    return inference.output_fn(inference.predict_fn(inference.input_fn(body, content_type), model), accept)


async def _body(request: Request) -> bytes:
    """The request's body, given up as soon as it is known to be too large."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MAX_BODY:
        raise _TooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise _TooLarge
    return bytes(body)


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
    parser = argparse.ArgumentParser(prog="python -m training.serve", description="Serve a model folder over HTTP.")
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
