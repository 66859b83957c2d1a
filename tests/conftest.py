"""Fixtures shared by all tests: an embedded AWS of their own, drawn pictures, and the real photos where present."""

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
# How long an example takes says how busy the machine is, not whether it is right: and the first one of a process reads
# all of Kennel's sources for their constants, which is four seconds of a processor, whatever the strategy.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
# What tests make Kennel remember is not for the home of whoever runs them; before any module of it is imported.
HOME = tempfile.TemporaryDirectory(prefix="kennel-tests-")
os.environ["KENNEL_HOME"] = HOME.name
# Torch's threads otherwise spin while they wait for each other: beside other tests a step took 17 times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@dataclass(frozen=True)
class Embedded:
    """A running embedded AWS: where it listens, its keys, its state folder and its process."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    state: Path
    process: subprocess.Popen[str]

    clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str, **config: Any) -> Any:
        """A plain boto3 client, as any other tool would make it; kept, so that its connections are closed once."""
        key = repr((service, self.region, sorted(config.items())))
        if key not in self.clients:
            self.clients[key] = boto3.client(
                service,
                endpoint_url=self.endpoint_url,
                region_name=self.region,
                aws_access_key_id=self.access_key_id,
                aws_secret_access_key=self.secret_access_key,
                config=Config(retries={"total_max_attempts": 1}, **config),
            )
        return self.clients[key]


def start_embedded(state: Path, *extra: str) -> Embedded:
    """Start `python -m local_aws` on a free port and wait for its ready line."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "local_aws", "--state", str(state), "--port", "0", *extra],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.stdout.close()  # or some later test would fail with the warning of an unclosed pipe
        raise AssertionError(f"the embedded AWS ended before it was ready, with code {process.wait()}")
    ready = json.loads(line)
    return Embedded(
        **{k: ready[k] for k in ("endpoint_url", "region", "access_key_id", "secret_access_key")},
        state=state,
        process=process,
    )


def stop_embedded(embedded: Embedded) -> None:
    for client in embedded.clients.values():
        client.close()
    embedded.process.terminate()
    try:
        embedded.process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        embedded.process.kill()
        embedded.process.wait()
    if embedded.process.stdout:
        embedded.process.stdout.close()


def pytest_unconfigure() -> None:
    HOME.cleanup()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's tests come last: Playwright keeps an event loop in this thread until the session ends."""
    items.sort(key=lambda item: "e2e" in item.path.parts)


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """One embedded AWS for the whole run; tests that stop or break it start their own with `start_embedded`."""
    running = start_embedded(tmp_path_factory.mktemp("embedded-aws"))
    yield running
    stop_embedded(running)


@pytest.fixture(scope="session")
def photos() -> list[tuple[Path, str, bool]]:
    """The real photos as (path, label, is_dog); skips where they are absent."""
    folder = Path(os.environ.get("KENNEL_PHOTOS", ROOT.parent / "shared" / "photos"))
    table = folder / "labels.csv"
    if not table.exists():
        pytest.skip(f"no real photos at {folder} (set KENNEL_PHOTOS to a folder with labels.csv)")
    with table.open(newline="") as rows:
        return [(folder / row["file"], row["label"], row["is_dog"] == "1") for row in csv.DictReader(rows)]


@pytest.fixture(scope="session")
def drawn_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small drawn dataset with train/ valid/ test/ folders, made once."""
    folder = tmp_path_factory.mktemp("drawn")
    subprocess.run([sys.executable, "-m", "training.sample_data", str(folder)], cwd=ROOT, check=True)
    return folder
