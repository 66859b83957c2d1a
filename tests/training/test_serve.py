"""The serving process over HTTP, as an endpoint instance runs it."""

import base64
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.training.asking import ask, metrics
from tests.training.conftest import ROOT, clean_environment
from training.inference import BREEDS_PROFILE, Model
from training.sample_data import draw_dog
from training.serve import main

ANSWERED = r'kennel_requests_total\{status="200"\}'


class Served:
    """A running serving process."""

    def __init__(self, folder: Path) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "training.serve", "--model-dir", str(folder), "--port", "0"],
            cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        self.seconds = time.monotonic() - self.started
        assert line.startswith("listening on 127.0.0.1:"), self.process.stderr and self.process.stderr.read()
        self.port = int(line.rpartition(":")[2])

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, object]:
        return ask(self.port, method, path, body, **headers)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=15)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code


@pytest.fixture(scope="module")
def served(starter_folder: Path) -> Iterator[Served]:
    running = Served(starter_folder)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    target = io.BytesIO()
    draw_dog("057.Dalmatian", 1).save(target, "JPEG")
    return target.getvalue()


def test_ping_answers_once_the_model_is_loaded(served: Served) -> None:
    assert served.ask("GET", "/ping")[0] == 200


def test_a_photo_gets_raw_scores_or_breeds(served: Served, jpeg: bytes, starter: Model) -> None:
    status, scores = served.ask("POST", "/invocations", jpeg, Content_Type="image/jpeg")
    assert status == 200
    assert isinstance(scores, list)
    assert [len(row) for row in scores] == [116]
    status, answer = served.ask("POST", "/invocations", jpeg, Content_Type="image/jpeg", Accept=BREEDS_PROFILE)
    assert status == 200
    assert isinstance(answer, dict)
    expected = starter.predict(starter.preprocessing.load(jpeg)[None])[0]
    assert [found["breed"] for found in answer["predictions"][0]] == [breed for breed, _ in expected.breeds]
    assert answer["scores"] == scores


def test_png_and_webp_are_served_too(served: Served) -> None:
    for kind in ("PNG", "WEBP"):
        target = io.BytesIO()
        draw_dog("124.Poodle", 1, size=200).save(target, kind)
        assert served.ask("POST", "/invocations", target.getvalue(), Content_Type=f"image/{kind.lower()}")[0] == 200


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"", {"Content_Type": "image/jpeg"}, 400, "empty"),
        (b"no photo at all", {"Content_Type": "image/jpeg"}, 400, "not a photo"),
        (b"{}", {"Content_Type": "application/json"}, 400, "image/jpeg"),
        (b"{", {"Content_Type": "application/json"}, 400, "not JSON"),
        (b'{"url": "http://10.0.0.1/a.jpg"}', {"Content_Type": "application/json"}, 400, "https"),
        (b'{"url": "https://169.254.169.254/latest/"}', {"Content_Type": "application/json"}, 400, "open internet"),
        (b"a,b", {"Content_Type": "text/csv"}, 415, "image/jpeg"),
        (b"{}", {}, 415, "image/jpeg"),
        (bytes(6 * 1024 * 1024 + 1), {"Content_Type": "image/jpeg"}, 413, "6 MiB"),
    ],
)
def test_bad_requests_get_a_status_and_a_sentence(
    served: Served, body: bytes, headers: dict[str, str], status: int, words: str
) -> None:
    found, answer = served.ask("POST", "/invocations", body, **headers)
    assert found == status
    assert isinstance(answer, dict)
    assert words in answer["error"]
    assert served.ask("GET", "/ping")[0] == 200


def test_a_body_of_unknown_length_is_cut_off(served: Served) -> None:
    chunks = (bytes(1024 * 1024) for _ in range(7))
    status, _ = ask(served.port, "POST", "/invocations", chunks, Content_Type="image/jpeg")
    assert status == 413


def test_many_at_once_all_get_their_own_answer(served: Served) -> None:
    photos = []
    for seed in range(6):
        target = io.BytesIO()
        draw_dog("118.Pembroke_welsh_corgi", seed, size=200).save(target, "JPEG")
        photos.append(target.getvalue())

    def scores(photo: bytes) -> object:
        return served.ask("POST", "/invocations", photo, Content_Type="image/jpeg")

    alone = [scores(photo) for photo in photos]
    with ThreadPoolExecutor(max_workers=8) as pool:
        together = list(pool.map(scores, photos * 4))
    assert together == alone * 4


def test_answers_do_not_wait_for_an_acknowledgement(served: Served) -> None:
    """Without TCP_NODELAY every answer on a kept connection takes 40 ms more."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    taken = []
    for _ in range(20):
        started = time.perf_counter()
        connection.request("POST", "/invocations", b"", {"Content-Type": "image/jpeg"})
        connection.getresponse().read()
        taken.append(time.perf_counter() - started)
    connection.close()
    assert min(taken) < 0.03


def test_a_stop_loses_nothing_that_was_accepted(starter_folder: Path, jpeg: bytes) -> None:
    running = Served(starter_folder)
    body = json.dumps({"image": [base64.b64encode(jpeg).decode()] * 8}).encode()
    with ThreadPoolExecutor(max_workers=16) as pool:
        asked = [
            pool.submit(running.ask, "POST", "/invocations", body, Content_Type="application/json") for _ in range(16)
        ]
        deadline = time.monotonic() + 20
        while sum(arrived(running.port)) < 16 and time.monotonic() < deadline:
            time.sleep(0.001)
        done, here = arrived(running.port)
        code = running.stop()
        codes = [one.result()[0] for one in asked]
    assert done + here == 16
    assert here > 0, "the stop came too late to say anything"
    assert codes == [200] * 16
    assert code == 0


def arrived(port: int) -> tuple[int, int]:
    """Requests that were answered, and those that are here."""
    page = metrics(port)
    counts = [re.search(rf"^{name} (\d+)$", page, re.MULTILINE) for name in (ANSWERED, "kennel_requests_in_flight")]
    done, here = (int(count[1]) if count else 0 for count in counts)
    return done, here


def test_it_starts_quickly_without_torch_and_stops_cleanly(starter_folder: Path) -> None:
    running = Served(starter_folder)
    maps = Path(f"/proc/{running.process.pid}/maps")
    if maps.exists():
        assert "libtorch" not in maps.read_text()
    assert running.ask("GET", "/ping")[0] == 200
    assert running.stop() == 0
    # Measured 0.2 s; the bound leaves room for a machine that is busy with other things.
    assert running.seconds < 5


def test_it_says_why_it_cannot_start(starter_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model-dir", str(tmp_path), "--port", "0"]) == 1
    assert "no complete model" in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--model-dir", str(starter_folder), "--port", str(port)]) == 1
    told = capsys.readouterr().err
    assert "cannot start" in told
    assert f"port {port} of 127.0.0.1 is in use" in told
    assert "Errno" not in told
    assert main(["--model-dir", str(starter_folder), "--port", "99999"]) == 1
    assert "port 99999" in capsys.readouterr().err
    (tmp_path / "model.tar.gz").write_bytes(b"packed")
    assert main(["--model-dir", str(tmp_path / "model.tar.gz"), "--port", "0"]) == 1
    assert "unpack it" in capsys.readouterr().err


def test_the_model_folder_may_come_from_the_environment(starter_folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "training.serve", "--port", "0"],
        cwd=ROOT, env=clean_environment(SM_MODEL_DIR=str(starter_folder)), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening on")
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=15) == 0
