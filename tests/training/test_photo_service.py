"""The web application around a model: forms, limits, batches and figures, over HTTP."""

import base64
import http.client
import io
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
from PIL import Image

from tests.training.asking import ask, in_this_process, metrics
from tests.training.test_fetch import answer as photo_answer
from tests.training.test_fetch import local, serving
from training.inference import OVERLAY_PROFILE, Model, Outputs, Preprocessing
from training.photo_request import Reach
from training.photo_service import build
from training.sample_data import draw_dog


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    target = io.BytesIO()
    draw_dog("057.Dalmatian", 1).save(target, "JPEG")
    return target.getvalue()


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


def test_slow_senders_do_not_keep_fast_ones_out(jpeg: bytes) -> None:
    """Far more than there are places, each announcing as much as is allowed, none with more than three bytes here."""
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 6000000\r\n\r\nabc"
    app = build(Model(["a", "b"], Preprocessing(), {}, two_scores), workers=1, body_seconds=20)
    with in_this_process(app) as port, ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(head)
        deadline = time.monotonic() + 10
        while "kennel_requests_arriving 100" not in metrics(port) and time.monotonic() < deadline:
            time.sleep(0.01)
        page = metrics(port)
        assert "kennel_requests_arriving 100" in page
        assert "kennel_requests_in_flight 0" in page
        started = time.monotonic()
        assert ask(port, "POST", "/invocations", jpeg, Content_Type="image/jpeg")[0] == 200
        assert time.monotonic() - started < 5


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
        large = jpeg + bytes(5_900_000)
        first = pool.submit(ask, port, "POST", "/invocations", large, Content_Type="image/jpeg")
        assert entered.acquire(timeout=20)
        for body in (large, iter([large])):
            assert ask(port, "POST", "/invocations", body, Content_Type="image/jpeg")[0] == 503
        small = pool.submit(ask, port, "POST", "/invocations", jpeg, Content_Type="image/jpeg")
        assert entered.acquire(timeout=20)
        release.set()
        assert [first.result()[0], small.result()[0]] == [200, 200]
        assert ask(port, "POST", "/invocations", iter([large]), Content_Type="image/jpeg")[0] == 200


def test_what_is_not_spoken_here_is_answered_in_a_sentence_and_counted() -> None:
    with in_this_process(build(Model(["a", "b"], Preprocessing(), {}, two_scores))) as port:
        for method, path, status in (("GET", "/elsewhere", 404), ("GET", "/invocations", 405), ("POST", "/ping", 405)):
            code, answer = ask(port, method, path)
            assert code == status
            assert isinstance(answer, dict)
            assert "POST /invocations" in answer["error"]
        page = metrics(port)
    assert 'kennel_requests_total{status="404"} 1' in page
    assert 'kennel_requests_total{status="405"} 2' in page


def test_a_model_is_healthy_whatever_it_is_called() -> None:
    with in_this_process(build(Model(["a"], Preprocessing(), {"name": "half \ud800"}, two_scores))) as port:
        status, answer = ask(port, "GET", "/ping")
        assert status == 200
        assert isinstance(answer, dict)
        assert answer["model"] == "half ?"
        assert 'model="half ?"' in metrics(port)


def test_a_failing_model_answers_500_without_its_internals(jpeg: bytes) -> None:
    def run(pixels: object) -> Outputs:
        raise RuntimeError("secret path /root/model")

    with in_this_process(build(Model(["a"], Preprocessing(), {}, run))) as port:
        status, answer = ask(port, "POST", "/invocations", jpeg, Content_Type="image/jpeg")
    assert status == 500
    assert "secret" not in str(answer)
