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
import errno
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvicorn

from training import inference
from training.photo_service import build

STOP_SECONDS = 25
"""How long requests under way may take after SIGTERM: SageMaker kills a container thirty seconds after it."""
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
    if options.model_dir.is_file():
        words = (
            f"{options.model_dir} is a file: unpack it into a folder of its own (tar -xzf FILE -C DIR) and name that."
        )
        sys.stderr.write(f"This instance cannot start: {words}\n")
        return 1
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
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    asyncio.run(_Server(config).serve(sockets=[listener]))
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections send at once.

    asyncio sets TCP_NODELAY only where the protocol is named; without it an answer waits 44 ms for its acknowledgement.
    Raises OSError with a sentence.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise OSError(f"port {port} of {host} is in use by another program: choose another --port.") from error
        why = getattr(error, "strerror", None) or error
        raise OSError(f"port {port} of {host} cannot be used ({why}): choose another --port or --host.") from error
    return listener


if __name__ == "__main__":
    sys.exit(main())
