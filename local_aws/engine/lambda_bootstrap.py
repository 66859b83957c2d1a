"""Inside a Lambda environment: loads the handler, then answers one request after the other.

    python -P lambda_bootstrap.py DESCRIPTOR MODULE.FUNCTION MEMORY_MB

DESCRIPTOR is a socket to the server, on which frames go both ways: two lengths of 4 bytes (big endian), a JSON object,
bytes. What the handler prints and logs goes over it too, so that it stands in order with the answer. Standard library
only: nothing of Kennel's is in a function's way.
"""

import importlib
import io
import json
import logging
import os
import resource
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

HEAD = struct.Struct(">II")
PIECE = 64 * 1024  # characters of what is printed that go over the socket at once
LARGEST_ANSWER = 6 * 1024 * 1024 + 100  # bytes; Lambda's own limit, and its own odd number
SPARE_MEMORY = 512 * 1024 * 1024  # bytes of address space beside the function's memory: what is mapped, not used
LARGEST_FILE = 512 * 1024 * 1024  # bytes; /tmp holds no more in AWS
LONGEST_MESSAGE = 50_000  # characters of an error's


class Link:
    """The socket to the server."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._reader = self._socket.makefile("rb")
        self._sending = threading.RLock()  # a function's threads print at once, and what is collected may print too

    def send(self, head: Mapping[str, Any], body: bytes = b"") -> None:
        told = json.dumps(head).encode()
        with self._sending:
            self._socket.sendall(HEAD.pack(len(told), len(body)) + told + body)

    def receive(self) -> tuple[dict[str, Any], bytes] | None:
        """The next frame; None when the server has gone."""
        lengths = self._reader.read(HEAD.size)
        if len(lengths) < HEAD.size:
            return None
        head, body = HEAD.unpack(lengths)
        return json.loads(self._reader.read(head)), self._reader.read(body)


class Printed(io.TextIOBase):
    """What sys.stdout and sys.stderr are: text goes to the server as it is written."""

    encoding = "utf-8"

    def __init__(self, link: Link) -> None:
        self._link = link

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for start in range(0, len(text), PIECE):
            self._link.send({"log": True}, text[start : start + PIECE].encode("utf-8", "backslashreplace"))
        return len(text)

    @property
    def buffer(self) -> "PrintedBytes":
        return PrintedBytes(self._link)


class PrintedBytes(io.RawIOBase):
    """sys.stdout.buffer: the same for bytes."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raw = bytes(data)
        for start in range(0, len(raw), PIECE):
            self._link.send({"log": True}, raw[start : start + PIECE])
        return len(raw)


class Context:
    """What a handler gets as its context (Lambda Developer Guide, "AWS Lambda context object in Python")."""

    identity = None

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self.aws_request_id = asked["id"]
        self.invoked_function_arn = asked["arn"]
        self.client_context = _ClientContext(asked["client_context"]) if asked.get("client_context") else None
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = asked["deadline"]

    def get_remaining_time_in_millis(self) -> int:
        return max(int((self._deadline - time.time()) * 1000), 0)

    def __repr__(self) -> str:
        names = ("aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
                 "function_version", "invoked_function_arn", "client_context", "identity")  # fmt: skip
        return f"LambdaContext([{','.join(f'{name}={getattr(self, name)}' for name in names)}])"


class _ClientContext:
    def __init__(self, told: Mapping[str, Any]) -> None:
        self.custom, self.env, self.client = told.get("custom"), told.get("env"), told.get("client")


class Records(logging.Handler):
    """Log records in the form of Lambda's runtime."""

    request_id = ""

    def emit(self, record: logging.LogRecord) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        text = f"[{record.levelname}]\t{stamp}.{int(record.msecs):03d}Z\t{self.request_id}\t{self.format(record)}\n"
        sys.stdout.write(text)


def limit(memory_mb: int) -> None:
    """Bound this process; the server looks at the memory that is really used."""
    for what, most in ((resource.RLIMIT_DATA, memory_mb * 2**20 + SPARE_MEMORY), (resource.RLIMIT_FSIZE, LARGEST_FILE)):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def load(handler: str) -> Callable[[Any, Any], Any]:
    """Raises NotRun, or whatever the module raises while it is imported."""
    module, _, function = handler.rpartition(".")
    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as missing:
        raise NotRun("Runtime.ImportModuleError", f"Unable to import module '{module}': {missing}") from missing
    except SyntaxError as wrong:
        raise NotRun("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {wrong}") from wrong
    if not hasattr(found, function):
        raise NotRun("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'")
    return getattr(found, function)  # type: ignore[no-any-return]


class NotRun(Exception):  # noqa: N818 (it says what is so)
    """A handler that cannot be had, or whose answer cannot be told, in the words of Lambda's runtime."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def failure(error: BaseException, request_id: str = "") -> dict[str, Any]:
    """An error as Lambda's Python runtime answers it."""
    kind = error.kind if isinstance(error, NotRun) else type(error).__name__
    trace = [] if isinstance(error, NotRun) else traceback.format_tb(error.__traceback__)[1:]
    message = str(error)[:LONGEST_MESSAGE]
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


def used_mb() -> int:
    """The most memory that this process has had, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most / (1024 if sys.platform == "linux" else 1024 * 1024))


def answered(function: Callable[[Any, Any], Any], asked: Mapping[str, Any], payload: bytes) -> tuple[bytes, bool]:
    """What the handler returns, as JSON, and whether it is an error."""
    try:
        told = marshalled(function(json.loads(payload or b"{}"), Context(asked)))
    except Exception as error:  # noqa: BLE001 (whatever a function raises is its answer)
        failed = failure(error, asked["id"])
        said = f"[ERROR] {failed['errorType']}: {failed['errorMessage']}\nTraceback (most recent call last):\n"
        sys.stdout.write(said + "".join(failed["stackTrace"]))
        return json.dumps(failed).encode(), True
    if len(told) > LARGEST_ANSWER:
        said = f"Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes)."
        return json.dumps({"errorMessage": said, "errorType": "Function.ResponseSizeTooLarge"}).encode(), True
    return told, False


def marshalled(returned: Any) -> bytes:
    """Raises NotRun for what is no JSON."""
    try:
        return json.dumps(returned, ensure_ascii=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise NotRun("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def print_apart() -> None:
    """In a process that a function forks: what it prints goes by its own way, the socket is its parent's."""
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__


def hide_ours() -> None:
    """Kennel is installed into its Python where it runs from its own folder; in AWS no function finds it."""
    sys.meta_path[:] = [
        finder for finder in sys.meta_path if not getattr(finder, "__module__", "").startswith("__editable___kennel")
    ]


def main(arguments: list[str]) -> int:
    descriptor, handler, memory_mb = int(arguments[0]), arguments[1], int(arguments[2])
    limit(memory_mb)
    link = Link(descriptor)
    hide_ours()
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    sys.stdout = sys.stderr = Printed(link)
    os.register_at_fork(after_in_child=print_apart)
    records = Records()
    logging.getLogger().addHandler(records)
    try:
        function = load(handler)
    except BaseException as error:  # noqa: BLE001 (SystemExit too: it must be said what ended it)
        why = failure(error)
        sys.stdout.write(f"[ERROR] {why['errorType']}: {why['errorMessage']}\n" + "".join(why["stackTrace"]))
        link.send({"unusable": why, "mb": used_mb()})
        return 1
    link.send({"ready": os.getpid(), "mb": used_mb()})
    while (frame := link.receive()) is not None:
        asked, payload = frame
        link.send({"got": asked["id"]})
        records.request_id = asked["id"]
        told, is_error = answered(function, asked, payload)
        link.send({"done": asked["id"], "error": is_error, "mb": used_mb()}, told)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
