"""Starting and ending as a person does it: quick the second time, and nothing left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import ROOT, healthy, start_kennel, stop_kennel, wait_for

pytestmark = pytest.mark.e2e


def processes_naming(text: str) -> list[int]:
    """The processes whose command line or environment names `text` (Linux)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if text.encode() in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found


def test_state_outlives_a_restart_and_ctrl_c_leaves_nothing(browser: Browser, tmp_path: Path) -> None:
    home = tmp_path / "kennel-restart-home"
    first = start_kennel(home)
    sagemaker = first.aws("sagemaker")
    wait_for("the starter endpoint", lambda: bool(sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]), 90)
    stop_kennel(first)
    assert first.process.returncode == 0
    wait_for("the end of all it started", lambda: not processes_naming(home.name), 10)

    second = start_kennel(home)
    try:
        page = browser.new_page()
        page.goto(f"{second.url}/classify")
        expect(page.locator("input[type=file]").first).to_be_attached(timeout=30_000)
        page.close()
        sagemaker = second.aws("sagemaker")
        wait_for(
            "the starter endpoint again",
            lambda: bool(sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]),
            30,
        )
        os.kill(second.process.pid, signal.SIGKILL)
        second.process.wait()
        wait_for("the end of all it started", lambda: not processes_naming(home.name), 15)
    finally:
        if second.process.poll() is None:
            stop_kennel(second)


def test_a_port_in_use_is_named(kennel, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    port = kennel.url.rsplit(":", 1)[1]
    started = time.monotonic()
    refused = subprocess.run(
        [sys.executable, "-m", "dashboard", "--port", port],
        cwd=ROOT,
        env=os.environ | {"KENNEL_HOME": str(tmp_path / "other")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.returncode != 0
    assert f"port {port}" in refused.stderr
    assert "KENNEL_PORT" in refused.stderr
    assert time.monotonic() - started < 20
    assert healthy(kennel.url)
