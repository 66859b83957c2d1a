"""A tiny stand-in for AWS that answers over real HTTP: retries, time-outs and error parsing are botocore's own."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.core.aws import Aws, connect
from dashboard.core.costs.prices import PriceBook

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@dataclass
class Reply:
    """One HTTP answer; a dict body is sent as JSON."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def refusal(code: str, message: str = "", status: int = 400, **more: Any) -> Reply:
    """An error as AWS's JSON protocols write it."""
    return Reply({"__type": code, "message": message} | more, status, {"x-amzn-errortype": code})


class FakeAws:
    """Answers operations with what `on` was told; counts and remembers the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers: dict[str, Callable[[dict[str, Any]], Reply]] = {}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                operation, parameters = read(self, body)
                fake.calls.append((operation, parameters))
                answer = fake._answers.get(operation, lambda _: refusal("UnknownOperation", operation, 404))
                reply = answer(parameters)
                data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in ({"x-amzn-RequestId": str(len(fake.calls))} | reply.headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_POST = do_PUT = do_HEAD = do_DELETE = do_GET  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def on(self, operation: str, answer: Any) -> None:
        """Answer an operation with a dict, a Reply, or a function of its parameters that gives either."""

        def reply(parameters: dict[str, Any]) -> Reply:
            told = answer(parameters) if callable(answer) else answer
            return told if isinstance(told, Reply) else Reply(told)

        self._answers[operation] = reply

    @property
    def counts(self) -> Counter[str]:
        return Counter(name for name, _ in self.calls)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def read(request: BaseHTTPRequestHandler, body: bytes) -> tuple[str, dict[str, Any]]:
    """The operation and parameters of a request: JSON, query, or by path for S3, schedules and sagemaker-runtime."""
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.split(".")[-1], json.loads(body or b"{}")
    url = urlsplit(request.path)
    if url.path.endswith("/invocations"):
        return "InvokeEndpoint", {
            "EndpointName": url.path.split("/")[2],
            "Body": body,
            "Accept": request.headers.get("Accept"),
            "ContentType": request.headers.get("Content-Type"),
        }
    if url.path.startswith("/schedules/"):
        verb = {"GET": "Get", "POST": "Create", "PUT": "Update", "DELETE": "Delete"}[request.command]
        return f"{verb}Schedule", {"Name": url.path.split("/")[2]} | json.loads(body or b"{}")
    form = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
    if "Action" in form:
        return form["Action"], form
    query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    operation = "S3 tagging" if "tagging" in query else f"S3 {request.command}"
    more = {"path": url.path, "body": body} if body else {"path": url.path}
    only_new = request.headers.get("If-None-Match")
    return operation, query | more | ({"if_none_match": only_new} if only_new else {})


@pytest.fixture
def fake() -> Iterator[FakeAws]:
    server = FakeAws()
    yield server
    server.close()


def write_client(home: Path, address: str, **more: str) -> None:
    """client.json as the embedded AWS writes it."""
    told = {
        "endpoint_url": address,
        "region": "us-east-1",
        "access_key_id": ACCESS_KEY,
        "secret_access_key": SECRET,
    }
    file = home / "aws" / "client.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(told | more))


@pytest.fixture
def aws(fake: FakeAws, tmp_path: Path) -> Aws:
    """Connected to the fake as if it were the embedded AWS."""
    write_client(tmp_path, fake.address)
    return connect({"KENNEL_HOME": str(tmp_path)})


@pytest.fixture(scope="session")
def prices() -> PriceBook:
    return PriceBook.load()
