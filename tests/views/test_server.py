"""The server around the pages: readiness, headers, who may ask, and what is loaded."""

import json
import os
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dashboard.asgi import HEADERS, cookie_secret, is_foreign
from dashboard.embedded import OURS
from tests.conftest import ROOT, Embedded

HEAVY = {"torch", "torchvision", "onnxruntime", "onnx", "sagemaker", "moto", "scipy"}


@dataclass(frozen=True)
class Server:
    """A running dashboard."""

    port: int
    log: Path

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, dict(answer.headers), answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read().decode()


@contextmanager
def serving(script: str, home: Path, folder: Path, port: int = 0, **environ: str) -> Iterator[Server]:
    """`streamlit run` of a script by its whole path, from another folder; ended by its process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = port or free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "STREAMLIT_"))}
    environment |= {"KENNEL_HOME": str(home), OURS: "test", "PYTHONPATH": str(ROOT), **environ}
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / script), f"--server.port={port}"],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        )
    server = Server(port, log)
    try:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            assert process.poll() is None, log.read_text()
            try:
                if server.get("/_stcore/health")[0] == 200:
                    break
            except OSError:
                time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)


def home_of(embedded: Embedded, folder: Path) -> Path:
    """A home whose aws/ is that embedded AWS's state."""
    home = folder / "home"
    home.mkdir()
    (home / "aws").symlink_to(embedded.state)
    return home


@pytest.fixture(scope="module")
def server(embedded: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("elsewhere")
    with serving("asgi.py", home_of(embedded, folder), folder) as running:
        yield running


def test_it_is_ready_when_the_account_answers(server: Server) -> None:
    status, headers, body = server.get("/healthz")
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {"ready": True, "account": "123456789012", "region": "us-east-1", "embedded": True}


@pytest.mark.parametrize("path", ["/", "/runs", "/healthz", "/_stcore/health", "/app/static/logo.svg", "/favicon.png"])
def test_every_answer_has_the_security_headers(server: Server, path: str) -> None:
    status, headers, _ = server.get(path)
    assert status == 200
    for name, value in HEADERS.items():
        assert headers[name.lower()] == value


@pytest.mark.parametrize("path", ["/", "/runs"])
def test_the_tab_is_called_kennel_from_the_first_byte(server: Server, path: str) -> None:
    _, headers, body = server.get(path)
    assert "<title>Kennel</title>" in body
    assert int(headers["content-length"]) == len(body.encode())


def test_a_browser_is_named_once_so_that_its_next_tab_begins_where_this_one_went(server: Server) -> None:
    named = server.get("/")[1]["set-cookie"]
    assert named.startswith("kennel_browser=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(named.split("; "))
    assert "Secure" in server.get("/settings", **{"X-Forwarded-Proto": "https"})[1]["set-cookie"]
    cookie = named.split(";")[0]
    assert cookie != server.get("/")[1]["set-cookie"].split(";")[0]
    assert "kennel_browser" not in server.get("/", Cookie=cookie)[1].get("set-cookie", "")
    assert "set-cookie" not in server.get("/favicon.png")[1]


def test_the_settings_hold_from_any_folder(server: Server) -> None:
    _, headers, _ = server.get("/app/static/inter-latin.woff2")
    assert headers["content-type"] in ("font/woff2", "application/octet-stream")  # static serving is on
    listening = f"{server.port:04X}"
    bound = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{listening}")
    ]
    assert bound == [f"0100007F:{listening}"]  # 127.0.0.1 and nothing else
    assert "usage statistics" not in server.log.read_text()


def test_a_page_of_another_origin_is_refused(server: Server) -> None:
    assert server.get("/healthz", Origin="https://elsewhere.example")[0] == 403
    assert server.get("/_stcore/health", **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})[0] == 403
    address = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    with pytest.raises(InvalidStatus, match="403"):
        connect(address, origin="https://elsewhere.example", subprotocols=["streamlit"])


def test_its_own_page_is_served(server: Server) -> None:
    own = f"http://127.0.0.1:{server.port}"
    assert server.get("/healthz", Origin=own)[0] == 200
    with connect(f"{own.replace('http', 'ws')}/_stcore/stream", origin=own, subprotocols=["streamlit"]):
        pass


def test_a_file_larger_than_a_photo_is_refused_before_it_is_read(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        head = f"PUT /_stcore/upload_file/tab/file HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        raw.sendall(f"{head}Content-Length: {200 * 1024**2}\r\n\r\n".encode())
        with raw.makefile("rb") as told:
            answer = told.read().decode()  # to the end: the connection is closed, nobody waits for the file
    assert answer.startswith("HTTP/1.1 413")
    assert "A file has at most 20 MB here." in answer


def test_a_file_whose_length_is_a_lie_is_refused(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        head = f"PUT /_stcore/upload_file/tab/file HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        raw.sendall(f"{head}Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        with raw.makefile("rb") as told:
            assert "A file is sent with its length." in told.read().decode()


def test_a_link_from_elsewhere_may_open_it() -> None:
    assert not is_foreign(Headers({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}), [])


def test_it_is_not_ready_and_says_why_when_the_account_does_not_answer(tmp_path: Path) -> None:
    state = tmp_path / "home" / "aws"
    state.mkdir(parents=True)
    told = {"endpoint_url": "http://127.0.0.1:9", "region": "us-east-1", "access_key_id": "a", "secret_access_key": "b"}
    (state / "client.json").write_text(json.dumps(told))
    with serving("asgi.py", tmp_path / "home", tmp_path) as running:
        status, _, body = running.get("/healthz")
    assert status == 503
    answer = json.loads(body)
    assert answer["ready"] is False
    assert "not answering" in answer["reason"]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--server.address=0.0.0.0", "does not listen on 0.0.0.0 without sign-in"),
        ("--server.baseUrlPath=dogs", "Kennel is at the root of its address"),
    ],
)
def test_it_does_not_start_where_what_guards_it_would_not(tmp_path: Path, option: str, said: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "STREAMLIT_"))}
    (tmp_path / "none.toml").touch()
    environment |= {"KENNEL_HOME": str(tmp_path), "KENNEL_SECRETS": str(tmp_path / "none.toml")}
    ended = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "asgi.py"), option],
        cwd=ROOT,
        env=environment | {"STREAMLIT_SERVER_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert said in ended.stderr + ended.stdout


def test_the_script_alone_works_from_any_folder_without_the_headers(embedded: Embedded, tmp_path: Path) -> None:
    with serving("app.py", home_of(embedded, tmp_path), tmp_path) as running:
        status, headers, body = running.get("/")
        assert status == 200
        assert "content-security-policy" not in {name.lower() for name in headers}
        assert "<html" in body
        assert running.get("/app/static/logo.svg")[0] == 200


def test_the_cookie_secret_is_this_installations_own(tmp_path: Path) -> None:
    first = cookie_secret(tmp_path / "one")
    assert len(first) == 64
    assert cookie_secret(tmp_path / "one") == first
    assert cookie_secret(tmp_path / "two") != first
    assert stat.S_IMODE((tmp_path / "one" / "cookie_secret").stat().st_mode) == 0o600


VISIT_ALL = """
import json, sys
import streamlit as st
from streamlit.testing.v1 import AppTest
from dashboard import asgi, state
from tests.views.scripted import busy_account
aws = busy_account()
state.connect = lambda environ: aws
test = AppTest.from_file("dashboard/app.py", default_timeout=60).run()
for page in ("train", "runs", "classify"):
    test.switch_page(f"views/{page}.py").run()
    assert not test.exception, test.exception
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_no_page_loads_what_trains_or_serves(tmp_path: Path) -> None:
    environment = dict(os.environ) | {"KENNEL_HOME": str(tmp_path), OURS: "test"}
    done = subprocess.run(
        [sys.executable, "-c", VISIT_ALL], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "plotly" in loaded
    assert not loaded & HEAVY
