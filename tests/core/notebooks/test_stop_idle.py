"""The script that stops an idle notebook instance: run as it runs there, against a Jupyter and an AWS CLI of a test."""

import ast
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from dashboard.core.notebooks import lifecycle, stop_idle

HOUR = 3600
PROGRAM = Path(stop_idle.__file__)
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:notebook-instance/kennel-notes"


@dataclass
class Instance:
    """A notebook instance as the script sees it. kernels: what its Jupyter answers, None breaks it; terminals: None
    for a Jupyter without them.
    """

    folder: Path
    url: str
    kernels: list[Mapping[str, Any]] | None = field(default_factory=list)
    terminals: list[Mapping[str, Any]] | None = field(default_factory=list)

    def look(self, seconds: int = HOUR) -> tuple[int, str, str]:
        """One look: its status, what it said, and what it asked of AWS."""
        asked = self.folder / "asked"
        asked.unlink(missing_ok=True)
        options = [f"--jupyter={self.url}", f"--metadata={self.folder}/metadata.json", f"--since={self.folder}/since"]
        done = subprocess.run(
            [sys.executable, "-I", str(PROGRAM), str(seconds), *options],
            env={"PATH": f"{self.folder}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, done.stdout.strip(), asked.read_text().strip() if asked.exists() else ""

    def began(self, hours: float) -> None:
        """So long ago it was looked at first."""
        (self.folder / "since").write_text(str(time.time() - hours * HOUR))


def used(hours: float, **more: Any) -> dict[str, Any]:
    """A kernel or a terminal that was used so long ago, as Jupyter tells it."""
    moment = datetime.fromtimestamp(time.time() - hours * HOUR, UTC)
    return {"id": "1", "last_activity": f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z", "execution_state": "idle"} | more


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    class Jupyter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = {"/api/kernels": made.kernels, "/api/terminals": made.terminals}.get(self.path)
            without = answer is None and self.path == "/api/terminals"
            self.send_response(404 if without else 200 if answer is not None else 500)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Jupyter)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    made = Instance(tmp_path, f"http://127.0.0.1:{server.server_address[1]}")
    (tmp_path / "metadata.json").write_text(json.dumps({"ResourceArn": ARN, "ResourceName": "kennel-notes"}))
    command = tmp_path / "aws"
    command.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    command.chmod(0o755)
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def test_nothing_used_for_the_whole_time_stops_the_instance(instance: Instance) -> None:
    instance.began(3)
    instance.kernels, instance.terminals = [used(2), used(1.5)], [used(1.1)]
    status, said, asked = instance.look()
    assert status == 0
    assert "kennel-notes is being stopped" in said
    assert asked == "sagemaker stop-notebook-instance --notebook-instance-name kennel-notes --region eu-west-1"


def test_without_any_kernel_the_time_counts_from_the_first_look(instance: Instance) -> None:
    assert instance.look()[1:] in [(f"idle for {seconds} s of 3600 s", "") for seconds in range(600)]
    (instance.folder / "since").write_text("")
    assert "of 3600 s" in instance.look()[1], "a look that was ended while it wrote keeps it from stopping for ever"
    instance.began(1.01)
    assert "being stopped" in instance.look()[1]


@pytest.mark.parametrize(
    ("kernels", "terminals", "why"),
    [
        ([used(5, execution_state="busy"), used(5)], [], "1 of 2 kernels compute"),
        ([used(5), used(0.2)], [], "of 3600 s"),
        ([used(5)], [used(0.2)], "of 3600 s"),
    ],
)
def test_work_keeps_it(instance: Instance, kernels: list[Any], terminals: list[Any], why: str) -> None:
    instance.began(9)
    instance.kernels, instance.terminals = kernels, terminals
    status, said, asked = instance.look()
    assert (status, asked) == (0, "")
    assert why in said


def test_a_jupyter_that_cannot_be_asked_stops_nothing(instance: Instance) -> None:
    instance.began(9)
    instance.kernels = None
    status, said, asked = instance.look()
    assert (status, asked) == (1, "")
    assert "nothing is stopped" in said
    instance.url = "http://127.0.0.1:9"
    assert "nothing is stopped" in instance.look()[1]


def test_a_jupyter_without_terminals_is_asked_for_its_kernels_alone(instance: Instance) -> None:
    instance.began(9)
    instance.terminals = None
    assert "being stopped" in instance.look()[1]
    instance.kernels = [used(0.2)]
    assert "of 3600 s" in instance.look()[1]


def test_a_role_that_may_not_stop_it_is_said(instance: Instance) -> None:
    instance.began(9)
    (instance.folder / "aws").write_text("#!/bin/sh\necho 'AccessDenied: no' >&2\nexit 254\n")
    status, said, _ = instance.look()
    assert status == 1
    assert "could not be stopped: AccessDenied: no" in said


def test_the_program_is_of_a_python_that_notebook_instances_have() -> None:
    ast.parse(PROGRAM.read_text(), feature_version=(3, 7))
    imported = {
        name.name.partition(".")[0]
        for node in ast.walk(ast.parse(PROGRAM.read_text()))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert imported <= sys.stdlib_module_names


def test_the_lifecycle_script_puts_the_program_there_and_has_systemd_run_it(tmp_path: Path) -> None:
    """Its paths and systemd's commands are a test's; everything else runs as it is."""
    bash = shutil.which("bash")
    assert bash
    for name in ("systemctl", "systemd-run"):
        fake = tmp_path / name
        fake.write_text(f'#!/bin/sh\necho "{name} $@" >> {tmp_path}/asked\n')
        fake.chmod(0o755)
    since = tmp_path / "kennel-stop-idle"
    since.write_text("1")  # of the start before
    text = (
        lifecycle.script(90)
        .replace(lifecycle.FILE, f"{since}.py")
        .replace(f"rm -f {stop_idle.SINCE}", f"rm -f {since}")
    )
    subprocess.run([bash, "-c", text], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    put = tmp_path / "kennel-stop-idle.py"
    assert put.read_text() == PROGRAM.read_text()
    assert put.stat().st_mode & 0o777 == 0o755
    assert not since.exists()
    asked = (tmp_path / "asked").read_text()
    assert (
        f"systemd-run --unit=kennel-stop-idle --on-active=300 --on-unit-active=300 /usr/bin/python3 {put} 5400" in asked
    )


def test_the_script_fits_into_a_lifecycle_configuration_and_names_itself_by_what_it_does() -> None:
    sent = lifecycle.create_call(60).parameters["OnStart"][0]["Content"]
    assert len(sent) <= lifecycle.LONGEST
    name = lifecycle.name_of(60)
    assert name == lifecycle.name_of(60) != lifecycle.name_of(120)
    assert lifecycle.stops(name) == 60
    assert [lifecycle.stops(one) for one in ("", "mine", "kennel-stop-idle-", "kennel-stop-idle-xmin-1")] == [None] * 4
