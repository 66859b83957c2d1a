"""One serving process of an endpoint: started, watched, restarted when it dies, stopped."""

import http.client
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from local_aws.engine import container
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.output import LogPump, LogSink
from local_aws.engine.process import LeashedProcess

log = logging.getLogger(__name__)

SERVE_COMMAND = ("python", "-m", "training.serve")
HOST = "127.0.0.1"
FIRST_ATTEMPTS = 2  # a port can be taken between choosing and using it
STABLE_SECONDS = 60.0  # after this a death is a first one again
LONGEST_PAUSE = 30.0
_PING_SECONDS = 0.02


@dataclass(frozen=True)
class Serving:
    """How a process serves a model. startup and patience (from SIGTERM to SIGKILL) in seconds."""

    place: OptMl
    environment: Mapping[str, str]
    logs: LogSink
    log_group: str
    command: Sequence[str] = SERVE_COMMAND
    startup: float = 60.0
    patience: float = 5.0
    now: Callable[[], float] = time.time


class Instance:
    """A thread that keeps one serving process alive. `port` is where it listens, None while it cannot be called.

    changed() is called from that thread whenever `port`, `message` or `failure` changed. `slots` bounds how many
    processes start at once: loading models takes all cores. delay: seconds that its machine takes before it; restarts:
    whether one that dies after it was ready is started again. `was_ready`: it has answered, or is taken for one that
    did, and so is not given up. `outstanding` is how many requests it has, kept by who
    sends them.
    """

    def __init__(
        self,
        name: str,
        serving: Serving,
        changed: Callable[[], None],
        slots: threading.Semaphore,
        *,
        was_ready: bool,
        delay: float = 0.0,
        restarts: bool = True,
    ) -> None:
        self.name = name
        self.port: int | None = None
        self.message = ""
        self.failure = ""
        self._serving = serving
        self._changed = changed
        self._slots = slots
        self.outstanding = 0
        self.was_ready = was_ready
        self._delay = delay
        self._restarts = restarts
        self._listening = 0
        self._closing = threading.Event()
        self._process: LeashedProcess | None = None
        self._pump: LogPump | None = None
        self._thread = threading.Thread(target=self._keep, name=f"instance {name}", daemon=True)

    @property
    def pid(self) -> int | None:
        """The process whose tree it is, None while there is none."""
        process = self._process
        return process.pid if process is not None and process.code is None else None

    @property
    def place(self) -> OptMl:
        return self._serving.place

    def start(self) -> None:
        self._thread.start()

    def kill(self, why: str) -> None:
        """End the process at once, as the system does with one that takes too much; its log says why."""
        process = self._process
        if process is not None:
            self._note(why)
            process.kill()

    def close(self) -> None:
        """Ask the process to end; `join()` waits for that."""
        self._closing.set()

    def join(self) -> None:
        if self._thread.ident is not None:
            self._thread.join()

    def _keep(self) -> None:
        deaths = 0
        try:
            if self._delay:
                self._tell(message=f"It waits for its machine, for {self._delay:g} s.")
                self._closing.wait(self._delay)
            while not self._closing.is_set():
                why = self._started()
                if not why:
                    ready_at = time.monotonic()
                    self._tell(port=self._listening)
                    why = self._watch()
                    deaths = 0 if time.monotonic() - ready_at > STABLE_SECONDS else deaths
                deaths += 1
                if self._closing.is_set():
                    return
                if deaths >= FIRST_ATTEMPTS if not self.was_ready else not self._restarts:
                    self._tell(failure=why)
                    return
                pause = 0.0 if deaths == 1 else min(LONGEST_PAUSE, 0.5 * 2.0 ** (deaths - 2))
                message = f"{why} It is restarted{f' in {pause:g} s' if pause else ''} (restart {deaths})."
                self._note(message)
                self._tell(message=message)
                self._closing.wait(pause)
        except Exception as error:  # whatever it is, the endpoint must say so
            log.exception("instance %s", self.name)
            self._tell(failure=f"This machine could not run the serving process: {error}")
        finally:
            self._end()

    def _tell(self, *, port: int | None = None, message: str = "", failure: str = "") -> None:
        self.port, self.message, self.failure = port, message, failure
        self.was_ready = self.was_ready or port is not None
        self._changed()

    def _note(self, sentence: str) -> None:
        event = (int(self._serving.now() * 1000), f"[kennel] {sentence}")
        self._serving.logs.append(self._serving.log_group, self.name, [event])

    def _started(self) -> str:
        """As `_start`; what keeps this machine from it (no memory, no process left) is a death like any other."""
        try:
            return self._start()
        except (OSError, RuntimeError) as error:
            log.exception("instance %s", self.name)
            self._end()
            return f"This machine could not run the serving process: {error}."

    def _start(self) -> str:
        """Start the process and wait until it answers /ping with 200; why it does not, or ""."""
        serving = self._serving
        while not self._slots.acquire(timeout=0.1):
            if self._closing.is_set():
                return "It was stopped."
        try:
            self._listening = free_port()
            command = (*serving.command, "--model-dir", "/opt/ml/model", "--port", str(self._listening))
            variables = {"SM_MODEL_DIR": "/opt/ml/model"} | dict(serving.environment)
            serving.place.make()
            self._process = LeashedProcess(
                serving.place.command(container.with_our_python(command)),
                environment=serving.place.environment(container.clean_environment(serving.place) | variables),
                folder=serving.place.folder / "code",
            )
            self._pump = LogPump(self._process.output, serving.logs, serving.log_group, self.name, now=serving.now)
            return self._await_ping(self._process, self._listening)
        finally:
            self._slots.release()

    def _await_ping(self, process: LeashedProcess, port: int) -> str:
        end = time.monotonic() + self._serving.startup
        while not self._closing.is_set():
            if process.code is not None:
                return (
                    f"The serving process ended with code {self._end()} before it answered /ping.{self._last_lines()}"
                )
            if pings(port):
                return ""
            if time.monotonic() > end:
                self._end()
                return (
                    f"The serving process did not answer /ping within {self._serving.startup:g} s.{self._last_lines()}"
                )
            self._closing.wait(_PING_SECONDS)
        return "It was stopped."

    def _watch(self) -> str:
        """Wait until the process dies or must end; why it died."""
        process = self._process
        while process is not None and not self._closing.is_set():
            if process.code is not None:
                return f"The serving process ended with code {self._end()}.{self._last_lines()}"
            self._closing.wait(0.1)
        return "It was stopped."

    def _last_lines(self) -> str:
        lines = list(self._pump.tail)[-5:] if self._pump else []
        return " Its last lines: " + " | ".join(lines) if lines else " It printed nothing."

    def _end(self) -> int | None:
        """End the process if it still runs, and carry its last output over; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.terminate()
        code = process.wait(self._serving.patience)
        if code is None:
            process.kill()
            code = process.wait()
        if self._pump:
            self._pump.finish()
        return code


def free_port() -> int:
    """A port on the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def pings(port: int) -> bool:
    """Whether a container answers GET /ping with 200 within two seconds, as SageMaker asks."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
