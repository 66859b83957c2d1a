"""The serving process over HTTP, as an endpoint instance runs it."""

import base64
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette

from tests.training.conftest import ROOT, clean_environment
from tests.training.test_fetch import answer as photo_answer
from tests.training.test_fetch import local, serving
from training.inference import BREEDS_PROFILE, OVERLAY_PROFILE, Model, Outputs, Preprocessing
from training.photo_request import Reach
from training.photo_service import build
from training.sample_data import draw_dog
from training.serve import main


def ask(port: int, method: str, path: str, body: bytes | Iterable[bytes] = b"", **headers: str) -> tuple[int, object]:
    """One request; header names are written with _ for -. Returns the status and the JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@contextmanager
def in_this_process(app: Starlette) -> Iterator[int]:
    """The application on a port of its own, for models that only exist here."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(timeout=15)
        assert not thread.is_alive()


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


def test_too_many_waiting_are_told_to_come_back() -> None:
    release, entered = threading.Event(), threading.Semaphore(0)

    def run(pixels: object) -> Outputs:
        entered.release()
        release.wait(20)
        return Outputs(np.zeros((1, 2), np.float32), np.zeros((1, 1000), np.float32))

    target = io.BytesIO()
    Image.new("RGB", (32, 32)).save(target, "PNG")
    model = Model(["a", "b"], Preprocessing(), {}, run)
    with in_this_process(build(model, workers=1)) as port, ThreadPoolExecutor(max_workers=40) as pool:
        asked = [
            pool.submit(ask, port, "POST", "/invocations", target.getvalue(), Content_Type="image/png")
            for _ in range(40)
        ]
        assert entered.acquire(timeout=20)
        deadline = time.monotonic() + 20
        while sum(done.done() for done in asked) < 7 and time.monotonic() < deadline:
            time.sleep(0.01)
        release.set()
        codes = sorted(done.result()[0] for done in asked)
    assert codes == [200] * 33 + [503] * 7


def test_a_photo_that_never_arrives_gives_its_place_back(jpeg: bytes, starter: Model) -> None:
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\nabc"
    with in_this_process(build(starter, workers=1, body_seconds=0.5)) as port, ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(40)]
        for connection in slow:
            connection.sendall(head)
        for connection in slow[:33]:
            connection.settimeout(20)
            assert connection.recv(20).split()[1] in (b"408", b"503")
        assert ask(port, "POST", "/invocations", jpeg, Content_Type="image/jpeg")[0] == 200


def two_scores(pixels: np.ndarray) -> Outputs:
    return Outputs(np.zeros((len(pixels), 2), np.float32))


def test_json_names_photos_by_their_bytes_or_their_address(jpeg: bytes, starter: Model) -> None:
    with serving(
        lambda connection, request: connection.sendall(photo_answer(jpeg, Content_Type="image/jpeg"))
    ) as server:
        app = build(starter, reach=Reach(lambda: local(server)))
        with in_this_process(app) as port:
            status, alone = ask(port, "POST", "/invocations", jpeg, Content_Type="image/jpeg")
            assert status == 200
            for body in (
                {"url": "http://photos.example/a.jpg"},
                {"image": base64.b64encode(jpeg).decode()},
                {"image": ["data:image/jpeg;base64," + base64.b64encode(jpeg).decode()]},
            ):
                asked = json.dumps(body).encode()
                assert ask(port, "POST", "/invocations", asked, Content_Type="application/json") == (200, alone)
            several = {"url": ["http://photos.example/1", "http://photos.example/2"]}
            status, answer = ask(
                port, "POST", "/invocations", json.dumps(several).encode(),
                Content_Type="application/json", Accept=OVERLAY_PROFILE,
            )  # fmt: skip
    assert status == 200
    assert isinstance(answer, dict)
    assert len(answer["predictions"]) == len(answer["overlay"]) == 2
    assert answer["overlay"][0].startswith("data:image/jpeg;base64,")


def test_slow_addresses_do_not_keep_photos_out(jpeg: bytes) -> None:
    """As many requests as like wait for a server that says nothing: photos sent as they are still get through."""
    release = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        release.wait(20)
        return []

    reach = Reach(lambda: local(9, resolve=resolve, seconds=15.0))
    model = Model(["a", "b"], Preprocessing(), {}, two_scores)
    body = b'{"url": "http://slow.example/"}'
    with in_this_process(build(model, workers=1, reach=reach)) as port, ThreadPoolExecutor(max_workers=20) as pool:
        slow = [
            pool.submit(ask, port, "POST", "/invocations", body, Content_Type="application/json") for _ in range(20)
        ]
        deadline = time.monotonic() + 10
        while sum(one.done() for one in slow) < 12 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert sorted(one.result()[0] for one in slow if one.done()) == [503] * 12
        started = time.monotonic()
        assert ask(port, "POST", "/invocations", jpeg, Content_Type="image/jpeg")[0] == 200
        assert time.monotonic() - started < 5
        release.set()
        assert sorted(one.result()[0] for one in slow) == [400] * 8 + [503] * 12


def test_waiting_photos_run_together_and_are_counted(jpeg: bytes) -> None:
    release, entered = threading.Event(), threading.Semaphore(0)
    sizes = []

    def run(pixels: np.ndarray) -> Outputs:
        sizes.append(len(pixels))
        entered.release()
        release.wait(20)
        return two_scores(pixels)

    with (
        in_this_process(build(Model(["a", "b"], Preprocessing(), {}, run), workers=1)) as port,
        ThreadPoolExecutor(max_workers=17) as pool,
    ):
        first = pool.submit(ask, port, "POST", "/invocations", jpeg, Content_Type="image/jpeg")
        assert entered.acquire(timeout=20)
        others = [pool.submit(ask, port, "POST", "/invocations", jpeg, Content_Type="image/jpeg") for _ in range(16)]
        deadline = time.monotonic() + 20
        while "kennel_queue_depth 16" not in metrics(port) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert "kennel_requests_in_flight 17" in metrics(port)
        release.set()
        assert [done.result()[0] for done in (first, *others)] == [200] * 17
        assert ask(port, "POST", "/invocations", b"no photo", Content_Type="image/jpeg")[0] == 400
        page = metrics(port)
    assert sizes == [1, 8, 8]
    for line in (
        'kennel_requests_total{status="200"} 17',
        'kennel_requests_total{status="400"} 1',
        'kennel_batch_photos_bucket{le="1"} 2',
        'kennel_batch_photos_bucket{le="8"} 4',
        "kennel_batch_photos_sum 18.000000",
        'kennel_request_seconds_bucket{le="+Inf"} 18',
        "kennel_queue_depth 0",
        "kennel_requests_in_flight 0",
        'kennel_model_info{model="model",precision="fp32",labels="2"} 1',
    ):
        assert line in page.splitlines()


def metrics(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return answer.read().decode()
    finally:
        connection.close()


def test_a_full_instance_says_when_to_come_back(jpeg: bytes) -> None:
    release = threading.Event()

    def run(pixels: np.ndarray) -> Outputs:
        release.wait(20)
        return two_scores(pixels)

    with (
        in_this_process(build(Model(["a", "b"], Preprocessing(), {}, run), workers=1)) as port,
        ThreadPoolExecutor(max_workers=33) as pool,
    ):
        held = [pool.submit(ask, port, "POST", "/invocations", jpeg, Content_Type="image/jpeg") for _ in range(33)]
        deadline = time.monotonic() + 20
        while "kennel_requests_in_flight 33" not in metrics(port) and time.monotonic() < deadline:
            time.sleep(0.01)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", "/invocations", jpeg, {"Content-Type": "image/jpeg"})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        connection.close()
        release.set()
        assert [one.result()[0] for one in held] == [200] * 33


def test_large_requests_do_not_fill_the_memory_and_small_ones_still_fit(jpeg: bytes) -> None:
    release, entered = threading.Event(), threading.Semaphore(0)

    def run(pixels: np.ndarray) -> Outputs:
        entered.release()
        release.wait(20)
        return two_scores(pixels)

    model = Model(["a", "b"], Preprocessing(), {}, run)
    app = build(model, workers=2, held_bytes=10 * 1024 * 1024)
    with in_this_process(app) as port, ThreadPoolExecutor(max_workers=2) as pool:
        # Without a length a body may have 6 MiB, and is counted as such.
        first = pool.submit(ask, port, "POST", "/invocations", iter([jpeg]), Content_Type="image/jpeg")
        assert entered.acquire(timeout=20)
        assert ask(port, "POST", "/invocations", iter([jpeg]), Content_Type="image/jpeg")[0] == 503
        small = pool.submit(ask, port, "POST", "/invocations", jpeg, Content_Type="image/jpeg")
        assert entered.acquire(timeout=20)
        release.set()
        assert [first.result()[0], small.result()[0]] == [200, 200]
        assert ask(port, "POST", "/invocations", iter([jpeg]), Content_Type="image/jpeg")[0] == 200


def test_a_stop_finishes_what_is_under_way(starter_folder: Path, jpeg: bytes) -> None:
    running = Served(starter_folder)
    with ThreadPoolExecutor(max_workers=16) as pool:
        asked = [pool.submit(running.ask, "POST", "/invocations", jpeg, Content_Type="image/jpeg") for _ in range(16)]
        deadline = time.monotonic() + 20
        while "kennel_requests_in_flight 0" in metrics(running.port) and time.monotonic() < deadline:
            time.sleep(0.001)
        code = running.stop()
        answered, refused = [], []
        for one in asked:
            try:
                answered.append(one.result()[0])
            except ConnectionError:  # it came after the door was closed
                refused.append(one)
    assert code == 0
    assert answered
    assert set(answered) == {200}


def test_a_failing_model_answers_500_without_its_internals(jpeg: bytes) -> None:
    def run(pixels: object) -> Outputs:
        raise RuntimeError("secret path /root/model")

    with in_this_process(build(Model(["a"], Preprocessing(), {}, run))) as port:
        status, answer = ask(port, "POST", "/invocations", jpeg, Content_Type="image/jpeg")
    assert status == 500
    assert "secret" not in str(answer)


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
    assert "cannot start" in capsys.readouterr().err


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
