"""Page reruns against the same dashboard with Streamlit's own way with memory (no `gc.freeze`, a full collection after
each rerun), both servers up at once and asked in turns."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from tests.bench.rows import Row
from tests.bench.session import Session

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("", "runs")
ROUNDS = 40


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def clean_environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "KENNEL_"))}
    return kept | {"KENNEL_HOME": str(home)}


@contextmanager
def running(command: list[str], home: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=clean_environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)
        if process.stdout:
            process.stdout.close()


@contextmanager
def dashboard(script: str, home: Path, *more: str) -> Iterator[str]:
    """Serve `script` on a free port, with `more` options; yields "127.0.0.1:port" once it is healthy."""
    address = f"127.0.0.1:{free_port()}"
    options = [
        "--server.headless=true",
        "--server.address=127.0.0.1",
        f"--server.port={address.split(':')[1]}",
        *more,
    ]
    with running([sys.executable, "-m", "streamlit", "run", script, *options], home):
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://{address}/_stcore/health", timeout=2):
                    break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        yield address


def rows() -> list[Row]:
    """One row a page: p50 of a rerun in Kennel's and in Streamlit's own way with memory, in milliseconds."""
    result = []
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kennel-bench-")))
        aws = stack.enter_context(
            running([sys.executable, "-m", "local_aws", "--state", str(home / "aws"), "--port", "0"], home)
        )
        assert aws.stdout is not None
        json.loads(aws.stdout.readline())
        frozen = stack.enter_context(dashboard("dashboard/asgi.py", home))
        unfrozen = stack.enter_context(dashboard("tests/bench/unfrozen.py", home, "--runner.postScriptGC=true"))
        for page in PAGES:
            with Session(frozen, page) as ours, Session(unfrozen, page) as theirs:
                for session in (ours, theirs):
                    for _ in range(5):
                        session.rerun()
                taken = [(ours.rerun(), theirs.rerun()) for _ in range(ROUNDS)]
            result.append(
                Row.of_times(
                    f"rerun of {page or 'overview'} / Streamlit's own way with memory",
                    1000 * median(pair[0] for pair in taken),
                    1000 * median(pair[1] for pair in taken),
                    "ms, p50 of one session",
                )
            )
    return result
