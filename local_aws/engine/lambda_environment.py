"""One Lambda environment: a process that has a function loaded and answers one request at a time.

Between requests it is frozen (SIGSTOP), as in AWS: what a function leaves running goes on with the next one.
"""

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_aws.engine import container
from local_aws.engine.lambda_bootstrap import HEAD, LARGEST_ANSWER
from local_aws.engine.lambda_log import Log
from local_aws.engine.lambda_package import unpack
from local_aws.engine.lambda_request import Asked, Lost, Outcome, Spec, Unusable
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.output import Lines
from local_aws.engine.process import LeashedProcess

BOOTSTRAP = Path(__file__).with_name("lambda_bootstrap.py")
INIT_SECONDS = 10.0
"""What the start may take; one that takes longer gets the function's time-out as well, as AWS starts it again then."""
WATCH_SECONDS = 0.05
TAIL = 4096
"""Bytes of log that Invoke returns when it is asked for them."""
MOST_SAID = TAIL // 2
"""Lines of a request's log that are kept for that."""
TIMED_OUT = "Sandbox.Timedout"
LARGEST_HEAD = 1024 * 1024
PIPE = 64 * 1024
"""Bytes that a pipe holds."""
PYTHON = ".".join(map(str, sys.version_info[:3]))


class Environment:
    """Used from one event loop: `start`, then `invoke` as often as it `is_alive`, then `end`."""

    def __init__(self, spec: Spec, place: OptMl, log: Log, *, kept_ready: bool = False) -> None:
        self.spec = spec
        self.kept_ready = kept_ready
        self.init_seconds = 0.0
        self.idle_since = 0.0
        today = datetime.fromtimestamp(log.now(), UTC)
        self.stream = f"{today:%Y/%m/%d}/[{spec.version}]{secrets.token_hex(16)}"
        self._place = place
        self._log = log
        self._process: LeashedProcess | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._printed, self._raw = Lines(), Lines()
        self._said: deque[str] = deque(maxlen=MOST_SAID)  # during the request at hand
        self._pid = 0
        self._used_mb = 0
        self._too_large = False
        self._ended = False
        self._got = False

    @property
    def is_alive(self) -> bool:
        """Whether it can take a request; known a moment before the process's parent tells it, where there is /proc."""
        if self._ended or self._process is None or self._process.code is not None:
            return False
        return not self._pid or _is_running(self._pid)

    async def start(self) -> None:
        """Raises Unusable when the function cannot be loaded, OSError and others when this machine cannot do it."""
        begun = time.perf_counter()
        self._say(f"INIT_START Runtime Version: python:{PYTHON} (this machine's)")
        try:
            await self._start()
        except Unusable as error:
            await self.end()
            error.seconds = time.perf_counter() - begun
            status = "timeout" if error.kind == TIMED_OUT else f"error\tError Type: {error.kind}"
            self._say(f"INIT_REPORT Init Duration: {error.seconds * 1000:.2f} ms\tPhase: init\tStatus: {status}")
            error.tail = self._tail()
            raise
        except BaseException:
            await self.end()
            raise
        self.init_seconds = time.perf_counter() - begun
        self._signal(signal.SIGSTOP)

    async def _start(self) -> None:
        seconds = INIT_SECONDS + self.spec.timeout
        try:
            async with asyncio.timeout(seconds):
                head, _ = await self._first_answer()
        except TimeoutError:
            said = f"Error: Init timed out after {seconds:.2f} seconds"
            raise Unusable({"errorType": TIMED_OUT, "errorMessage": said}) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Unusable(await self._exited()) from None
        self._used_mb = head["mb"]
        if "unusable" in head:
            raise Unusable(head["unusable"])
        self._pid = head["ready"]

    async def _first_answer(self) -> tuple[dict[str, Any], bytes]:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                launching = asyncio.create_task(asyncio.to_thread(self._launch, theirs.fileno()))
                try:
                    self._process = await asyncio.shield(launching)
                except asyncio.CancelledError:  # a thread cannot be stopped, and what it starts is ours to end
                    self._process = await launching
                    raise
            self._reader, self._writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            ours.close()
            raise
        os.set_blocking(self._process.output, False)
        asyncio.get_running_loop().add_reader(self._process.output, self._read_raw)
        return await self._answer()

    def _launch(self, descriptor: int) -> LeashedProcess:
        spec = self.spec
        self._place.make()
        unpack(spec.package, self._place.folder / "code")
        command = [sys.executable, "-P", str(BOOTSTRAP), str(descriptor), spec.handler, str(spec.memory_mb)]
        clean = container.clean_environment(self._place)
        clean.pop("PYTHONPATH")  # a function has its package and boto3, and nothing of ours
        ours = {
            "TZ": ":UTC",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency" if self.kept_ready else "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.stream,
            "LAMBDA_TASK_ROOT": self._place.seen("code"),
            "_HANDLER": spec.handler,
        }
        return LeashedProcess(
            self._place.command(command),
            environment=self._place.environment({**clean, **spec.variables, **ours}),
            folder=self._place.folder / "code",
            descriptors=(descriptor,),
        )

    async def invoke(self, asked: Asked, *, cold: bool) -> Outcome:
        """Ask the function. cold: the start was for this request, and is told with it.

        Raises Lost; whatever goes wrong in the function is an outcome.
        """
        assert self._writer is not None  # noqa: S101 (start() has been called)
        self._said.clear()
        self._too_large = self._got = False
        self._signal(signal.SIGCONT)
        begun = time.perf_counter()
        watch = asyncio.get_running_loop().create_task(self._watch_memory())
        try:
            async with asyncio.timeout(self.spec.timeout):
                head = {
                    "id": asked.id,
                    "arn": asked.arn,
                    "deadline": self._log.now() + self.spec.timeout,
                    "client_context": asked.client_context,
                }
                self._writer.write(_frame(head, asked.payload))
                await self._writer.drain()
                answer, payload = await self._answer()
            failed, seconds = bool(answer["error"]), time.perf_counter() - begun
            self._used_mb = answer["mb"]
        except TimeoutError:
            failed, seconds = True, self.spec.timeout
            said = f"Task timed out after {seconds:.2f} seconds"
            self._say(f"{_stamp(self._log.now())} {asked.id} {said}")
            error = {"errorType": TIMED_OUT, "errorMessage": f"RequestId: {asked.id} Error: {said}"}
            payload = json.dumps(error).encode()
            await self.end()
        except (asyncio.IncompleteReadError, ConnectionError) as gone:
            if not (self._got or cold):
                await self.end()
                raise Lost from gone
            failed, seconds = True, time.perf_counter() - begun
            error = await self._exited(asked.id)
            self._say(error["errorMessage"], f"Error type: {error['errorType']}")
            payload = json.dumps(error).encode()
            await self.end()
        except BaseException:
            await self.end()
            raise
        finally:
            watch.cancel()
        outcome = Outcome(payload, failed, seconds, b"", self.init_seconds if cold else 0.0)
        self._report(asked.id, outcome)
        if self.is_alive:
            self._signal(signal.SIGSTOP)
        return replace(outcome, tail=self._tail())

    async def end(self) -> None:
        """Kill the process and all that it started; its folder goes too."""
        if self._ended:
            return
        self._flush()
        self._ended = True
        if self._process is not None:
            asyncio.get_running_loop().remove_reader(self._process.output)
            self._process.kill()
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()
        await asyncio.shield(asyncio.to_thread(self._clean))

    def _clean(self) -> None:
        if self._process is not None:
            self._process.wait()
            os.close(self._process.output)
        self._place.remove()

    async def _answer(self) -> tuple[dict[str, Any], bytes]:
        """The next frame that ends a start or a request. Raises IncompleteReadError when the process has ended."""
        assert self._reader is not None  # noqa: S101 (start() has been called)
        while True:
            head_size, body_size = HEAD.unpack(await self._reader.readexactly(HEAD.size))
            if head_size > LARGEST_HEAD or body_size > LARGEST_ANSWER:
                raise ConnectionError("what came over the socket is none of the runtime's")
            head = json.loads(await self._reader.readexactly(head_size))
            body = await self._reader.readexactly(body_size)
            if "log" in head:
                self._say(*self._printed.feed(body))
            elif "got" in head:
                self._got = True
                self._say(f"START RequestId: {head['got']} Version: {self.spec.version}")
            else:
                self._flush()
                return head, body

    def _read_raw(self) -> None:
        """What came past Python's own streams: a library's, or a program's that the function started."""
        assert self._process is not None  # noqa: S101
        try:
            data = os.read(self._process.output, PIPE)
        except BlockingIOError:
            return
        if not data:
            asyncio.get_running_loop().remove_reader(self._process.output)
        self._say(*self._raw.feed(data))

    def _flush(self) -> None:
        if self._reader is not None and not self._ended:  # the pipe is open, and does not block
            self._read_raw()
        self._say(*self._printed.flush(), *self._raw.flush())

    def _tail(self) -> bytes:
        return "".join(f"{line}\n" for line in self._said).encode()[-TAIL:]

    def _say(self, *lines: str) -> None:
        self._said.extend(line[-TAIL:] for line in lines)
        self._log.add(self.spec.log_group, self.stream, lines, self.spec.writer)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._pid, number)

    async def _watch_memory(self) -> None:
        """End the process when it has taken more memory than the function has."""
        statm = Path(f"/proc/{self._pid}/statm")
        page = os.sysconf("SC_PAGE_SIZE")
        while statm.exists():
            await asyncio.sleep(WATCH_SECONDS)
            with suppress(OSError, IndexError):
                used = int(statm.read_text().split()[1]) * page
                self._used_mb = max(self._used_mb, used // 2**20)
                if used > self.spec.memory_mb * 2**20:
                    self._too_large = True
                    assert self._process is not None  # noqa: S101
                    self._process.kill()
                    return

    async def _exited(self, request_id: str = "") -> dict[str, str]:
        """Why the process has ended, as Lambda tells it."""
        code = await asyncio.to_thread(self._process.wait, 1.0) if self._process else None
        self._flush()
        how = f"exit status {code}"
        if code is not None and code > 128:
            how = f"signal: {signal.strsignal(code - 128) or code - 128}".lower()
        kind = "Runtime.OutOfMemory" if self._too_large else "Runtime.ExitError"
        before = f"RequestId: {request_id} Error: " if request_id else "Error: "
        return {"errorType": kind, "errorMessage": f"{before}Runtime exited with error: {how}"}

    def _report(self, request_id: str, outcome: Outcome) -> None:
        """The lines that end a request's log."""
        used = min(self._used_mb, self.spec.memory_mb) if self._too_large else self._used_mb
        figures = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {outcome.seconds * 1000:.2f} ms",
            f"Billed Duration: {outcome.billed_ms} ms",
            f"Memory Size: {self.spec.memory_mb} MB",
            f"Max Memory Used: {used} MB",
        ]
        if outcome.init_seconds:
            figures.append(f"Init Duration: {outcome.init_seconds * 1000:.2f} ms")
        self._say(f"END RequestId: {request_id}", "\t".join(figures) + "\t")


def _is_running(pid: int) -> bool:
    """Whether a process still runs, and is not only waiting for its parent to notice its end."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return not Path("/proc/self/stat").exists()
    return state not in (b"Z", b"X")


def _frame(head: Mapping[str, Any], body: bytes) -> bytes:
    told = json.dumps(head).encode()
    return HEAD.pack(len(told), len(body)) + told + body


def _stamp(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
