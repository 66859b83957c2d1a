"""Kennel as a person meets it: the launcher's own process, and Debian's Chromium in front of it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = (os.environ.get("KENNEL_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-gpu"]
expect.set_options(timeout=30_000)


@dataclass(frozen=True)
class Kennel:
    """A running Kennel: its address, its home folder and its process."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]

    def aws(self, service: str) -> Any:
        """A plain boto3 client of its embedded AWS: the second witness beside the page."""
        keys = json.loads((self.home / "aws" / "client.json").read_text())
        return boto3.client(
            service,
            endpoint_url=keys["endpoint_url"],
            region_name=keys["region"],
            aws_access_key_id=keys["access_key_id"],
            aws_secret_access_key=keys["secret_access_key"],
        )


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(what: str, happened: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.1)


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def start_kennel(home: Path, port: int | None = None, time_scale: int = 30) -> Kennel:
    """Start `python -m dashboard` as `make run` does and wait until the server is healthy.

    time_scale: how much shorter that takes which AWS makes everybody wait for (alarms' minutes, cooldowns).
    """
    port = port or free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "KENNEL_"))}
    with (home.parent / f"{home.name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard", "--port", str(port)],
            cwd=ROOT,
            env=environment | {"KENNEL_HOME": str(home), "KENNEL_TIME_SCALE": str(time_scale)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    wait_for(f"Kennel on {url}", lambda: healthy(url), 60)
    return Kennel(url, home, process)


def stop_kennel(kennel: Kennel) -> None:
    kennel.process.send_signal(signal.SIGINT)
    try:
        kennel.process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        kennel.process.kill()
        kennel.process.wait()


def wait_for_sample_account(kennel: Kennel) -> None:
    """Wait until the first start's endpoint serves and its training is complete."""
    sagemaker = kennel.aws("sagemaker")

    def is_ready() -> bool:
        endpoints = sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]
        trained = sagemaker.list_training_jobs(StatusEquals="Completed", NameContains="sample-drawn-dogs")
        jobs = trained["TrainingJobSummaries"]  # the replayed ones are there at once
        return bool(endpoints and jobs)

    wait_for("the sample account", is_ready, 120)


@pytest.fixture(scope="session")
def kennel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kennel]:
    """One Kennel for the browser tests, with the sample account of a first start complete."""
    running = start_kennel(tmp_path_factory.mktemp("kennel") / "home")
    try:
        wait_for_sample_account(running)
        yield running
    finally:
        stop_kennel(running)


def find_chromium() -> str:
    path = next((found for name in BROWSERS if name and (found := shutil.which(name))), None)
    return path or pytest.fail("no Chromium on PATH: `make test` installs one, or set KENNEL_CHROMIUM")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, kennel: Kennel) -> Iterator[Page]:
    """A fresh tab of 1440 × 900; fails the test when a request leaves this machine or the page logs an error."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    tab = context.new_page()
    strangers: list[str] = []
    complaints: list[str] = []
    local = ("data:", "blob:", kennel.url, kennel.url.replace("http", "ws"))
    tab.on("request", lambda request: None if request.url.startswith(local) else strangers.append(request.url))
    tab.on("console", lambda line: complaints.append(line.text) if is_complaint(line) else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    yield tab
    context.close()
    assert not strangers, f"requests left the machine: {strangers}"
    assert not complaints, f"the page logged errors: {complaints}"


def is_complaint(line: ConsoleMessage) -> bool:
    """An error on the browser's console; but Streamlit, opened by a deep link, looks for its server below it first."""
    searching = re.search(r"/\w+/_stcore/(health|host-config)$", line.location.get("url", ""))
    cut_off = "ERR_INTERNET_DISCONNECTED" in line.text  # a test took the browser off the network
    return line.type == "error" and not searching and not cut_off


def settle(page: Page) -> None:
    """Wait until the page has its title and its script has ended: it stands still before its first run as well."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning] .kn-title h1").first.wait_for()


def no_exception(page: Page) -> None:
    """No stack trace stands on the page."""
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
