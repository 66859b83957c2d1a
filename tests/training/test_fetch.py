"""Photos by address: what is fetched, and everything that a hostile address tries."""

import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image

from tests.training.test_public_url import HOSTILE, INSIDE
from training.fetch import Rules, fetch
from training.images import BadPhoto
from training.public_url import Address, parse

LOOPBACK = IPv4Address("127.0.0.1")
PHOTO = b"\xff\xd8 as good as a photo"
Handler = Callable[[socket.socket, bytes], None]


class Server:
    """A raw server on the loopback address: what it does with each connection is the test's to say."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._handler, self._tls = handler, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._tls:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                connection.settimeout(5)
                request = b""
                while b"\r\n\r\n" not in request and (part := connection.recv(4096)):
                    request += part
                self.requests.append(request)
                self._handler(connection, request)
            except OSError:
                continue
            finally:
                connection.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@contextmanager
def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(handler, tls)
    try:
        yield server
    finally:
        server.close()


def answer(body: bytes = PHOTO, status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def always(data: bytes) -> Handler:
    return lambda connection, request: connection.sendall(data)


def local(server: Server | int, **more: object) -> Rules:
    """Rules under which photos.example is the local server, and nothing else may be reached."""
    port = server if isinstance(server, int) else server.port
    base = Rules(
        ports={"http": port},
        seconds=2.0,
        max_bytes=100_000,
        is_allowed=lambda address: address == LOOPBACK,
        resolve=lambda host, port: ["127.0.0.1"],
    )
    return replace(base, **more)  # type: ignore[arg-type]


def refusal(url: str, rules: Rules) -> str:
    with pytest.raises(BadPhoto) as caught:
        fetch(url, rules)
    assert caught.value.reason.endswith((".", ".)"))
    return caught.value.reason


# -- what is never asked ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", HOSTILE)
def test_every_odd_address_is_refused_before_anything_is_asked(url: str) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["93.184.216.34"]

    refusal(url, Rules(ports={"https": 443}, resolve=resolve))
    assert asked == []


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_of_the_inside_is_connected(address: str) -> None:
    reason = refusal("https://dogs.example.com/", Rules(ports={"https": 443}, resolve=lambda host, port: [address]))
    assert "open internet" in reason


@pytest.mark.parametrize("address", [a for a in INSIDE if "%" not in a])
def test_no_address_of_the_inside_is_connected_when_it_is_written_out(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    assert "open internet" in refusal(f"https://{host}/", Rules(ports={"https": 443}))


@pytest.mark.parametrize("inside", [0, 1, 2])
def test_one_inner_address_among_public_ones_refuses_the_host(inside: int) -> None:
    addresses = ["93.184.216.34", "1.1.1.1"]
    addresses.insert(inside, "10.0.0.1")
    rules = Rules(ports={"https": 443}, resolve=lambda host, port: addresses)
    assert "open internet" in refusal("https://dogs.example.com/", rules)


def test_http_is_spoken_only_when_it_was_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KENNEL_ALLOW_HTTP", raising=False)
    assert Rules().ports == {"https": 443}
    monkeypatch.setenv("KENNEL_ALLOW_HTTP", "1")
    assert parse("http://dogs.example.com:80/a", Rules().ports).port == 80


# -- what a server may do ---------------------------------------------------------------------------------------------


def test_a_photo_is_fetched_and_nothing_is_told_about_us() -> None:
    with serving(always(answer(Content_Type="image/jpeg"))) as server:
        assert fetch("http://photos.example/a.jpg?b=1", local(server)) == PHOTO
    request = server.requests[0].decode()
    assert request.startswith("GET /a.jpg?b=1 HTTP/1.1\r\nHost: photos.example\r\n")
    names = {line.partition(":")[0].lower() for line in request.split("\r\n")[1:] if line}
    assert names == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert "Accept-Encoding: identity" in request


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(always(answer())) as server:
        assert fetch("http://photos.example/", local(server)) == PHOTO


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + PHOTO[:5] + b"\r\n"
        + f"{len(PHOTO) - 5:x}".encode() + b"\r\n" + PHOTO[5:] + b"\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n" + PHOTO,
        b"HTTP/1.1 200 OK\r\nContent-Type: binary/octet-stream\r\n\r\n" + PHOTO,
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(),
    ],
)  # fmt: skip
def test_every_way_to_send_a_body_is_understood(data: bytes) -> None:
    with serving(always(data)) as server:
        assert fetch("http://photos.example/", local(server)) == PHOTO


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (answer(status="404 Not Found"), "404"),
        (answer(status="204 No Content"), "204"),
        (answer(status="206 Partial Content"), "206"),
        (answer(b"<html>", Content_Type="text/html; charset=utf-8"), "text/html"),
        (answer(b"{}", Content_Type="application/json"), "application/json"),
        (answer(Content_Encoding="gzip"), "compresses"),
        (answer(Content_Encoding="br, identity"), "compresses"),
        (answer(bytes(100_001)), "0.0953674 MiB"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "more than"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(150_000), "more than"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"2\r\nab\r\n" * 60_000, "more than"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nab", "no answer that makes sense"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nab", "no answer that makes sense"),
        (b"", "no answer that makes sense"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no answer that makes sense"),
        (b"\x00" * 70_000, "no answer that makes sense"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500, "no answer that makes sense"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, "no answer that makes sense"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000, "more than"),
        (answer(status="302 Found"), "redirects to nowhere"),
        (answer(status="302 Found", Location="http://[::1/"), "unusual way"),
    ],
)  # fmt: skip
def test_every_bad_answer_is_a_sentence(data: bytes, words: str) -> None:
    with serving(always(data)) as server:
        started = time.monotonic()
        assert words in refusal("http://photos.example/", local(server))
        assert time.monotonic() - started < 2


def drip(connection: socket.socket, data: bytes) -> None:
    """One byte every tenth of a second: each arrives long before a time-out of its own."""
    for byte in data:
        time.sleep(0.1)
        connection.sendall(bytes([byte]))


@pytest.mark.parametrize("slow", ["status line", "headers", "body", "silence"])
def test_a_slow_server_is_given_up_at_the_deadline(slow: str) -> None:
    def handler(connection: socket.socket, request: bytes) -> None:
        if slow == "silence":
            time.sleep(1.5)
        elif slow == "body":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            drip(connection, bytes(30))
        elif slow == "headers":
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            drip(connection, b"X-Slow: " + bytes(range(65, 90)))
        else:
            drip(connection, b"HTTP/1.1 200 OK and a very long reason")

    with serving(handler) as server:
        started = time.monotonic()
        assert "within 0.5 s" in refusal("http://photos.example/", local(server, seconds=0.5))
        assert time.monotonic() - started < 1.2


def test_a_resolver_that_hangs_is_given_up_at_the_deadline() -> None:
    release = threading.Event()

    def resolve(host: str, port: int) -> Sequence[str]:
        release.wait(10)
        return ["127.0.0.1"]

    started = time.monotonic()
    try:
        assert "within 0.3 s" in refusal("http://photos.example/", local(9, seconds=0.3, resolve=resolve))
        assert time.monotonic() - started < 1
    finally:
        release.set()


def test_an_unknown_host_is_explained() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    assert "not known" in refusal("http://photos.example/", local(9, resolve=resolve))
    assert "not known" in refusal("http://photos.example/", local(9, resolve=lambda host, port: []))


def test_nobody_at_the_address_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "cannot be reached" in refusal("http://photos.example/", local(port))


# -- redirects and rebinding ------------------------------------------------------------------------------------------


def redirecting(places: Mapping[str, str]) -> Handler:
    def handler(connection: socket.socket, request: bytes) -> None:
        path = request.split(b" ")[1].decode()
        place = places.get(path)
        connection.sendall(answer(b"", "302 Found", Location=place) if place is not None else answer())

    return handler


@pytest.mark.parametrize("place", ["/b", "b", "//photos.example/b", "http://photos.example/b", "?b=2"])
def test_redirects_are_followed(place: str) -> None:
    with serving(redirecting({"/a": place})) as server:
        assert fetch("http://photos.example/a", local(server)) == PHOTO
    assert len(server.requests) == 2


def test_three_redirects_and_no_more() -> None:
    with serving(redirecting({"/1": "/2", "/2": "/3", "/3": "/4"})) as server:
        assert fetch("http://photos.example/1", local(server)) == PHOTO
    with serving(redirecting({"/1": "/2", "/2": "/3", "/3": "/4", "/4": "/5"})) as server:
        assert "more than 3 times" in refusal("http://photos.example/1", local(server))
    with serving(redirecting({"/": "/"})) as server:
        assert "more than 3 times" in refusal("http://photos.example/", local(server))
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("http://169.254.169.254/latest/meta-data/", "open internet"),
        ("http://inner.example/", "open internet"),
        ("//10.0.0.1/", "open internet"),
        ("http://[::ffff:169.254.169.254]/", "open internet"),
        ("http://[fd00:ec2::254]/latest/meta-data/", "open internet"),
        ("http://0x7f.1/", "unusual"),
        ("http://2852039166/", "unusual"),
        ("http://photos.example:22/", "Port 22"),
        ("http://me:secret@photos.example/", "password"),
        ("https://photos.example/", "addresses only"),
        ("file:///etc/passwd", "addresses only"),
        ("gopher://photos.example/", "addresses only"),
    ],
)
def test_every_redirect_is_judged_like_the_first_address(place: str, words: str) -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.1"] if host == "inner.example" else ["127.0.0.1"]

    with serving(redirecting({"/": place})) as server:
        assert words in refusal("http://photos.example/", local(server, resolve=resolve))
    assert len(server.requests) == 1


def test_redirects_and_their_waiting_share_one_deadline() -> None:
    def handler(connection: socket.socket, request: bytes) -> None:
        time.sleep(0.25)
        connection.sendall(answer(b"", "302 Found", Location="/again"))

    with serving(handler) as server:
        started = time.monotonic()
        assert "within 0.6 s" in refusal("http://photos.example/", local(server, seconds=0.6))
        assert time.monotonic() - started < 1.2


def test_a_name_that_changes_its_mind_is_connected_where_it_was_checked() -> None:
    """Rebinding: the first answer passes the check, the second one would be the inside."""
    answers = iter(["127.0.0.1", "10.0.0.1", "10.0.0.1"])
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return [next(answers)]

    with serving(always(answer())) as server:
        assert fetch("http://photos.example/", local(server, resolve=resolve)) == PHOTO
        assert asked == ["photos.example"]
        assert "open internet" in refusal("http://photos.example/", local(server, resolve=resolve))


def test_the_next_address_is_tried_when_the_first_is_dead() -> None:
    allowed = {LOOPBACK, IPv4Address("127.0.0.2")}

    def is_allowed(address: Address) -> bool:
        return address in allowed

    with serving(always(answer())) as server:
        rules = local(server, resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"], is_allowed=is_allowed)
        assert fetch("http://photos.example/", rules) == PHOTO


# -- certificates -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of photos.example that signs itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "photos.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("photos.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def test_a_certificate_is_checked_against_the_name_not_the_address(certificate: Path) -> None:
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate)

    def trusting() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(certificate))

    with serving(always(answer()), ours) as server:
        rules = local(server, ports={"https": server.port}, tls=trusting)
        assert fetch("https://photos.example/", rules) == PHOTO
        assert "certificate" in refusal("https://other.example/", rules)
        assert "certificate" in refusal("https://photos.example/", replace(rules, tls=ssl.create_default_context))


def test_a_server_that_speaks_no_tls_is_explained() -> None:
    def handler(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with serving(handler) as server:
        # The handshake holds no empty line, so the server only answers once its own patience is over.
        rules = local(server, ports={"https": server.port}, seconds=0.5)
        refusal("https://photos.example/", rules)


def test_what_was_fetched_is_still_treated_as_hostile() -> None:
    from training.images import load_photo

    target = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(target, "PNG")
    with serving(always(answer(target.getvalue()))) as server:
        assert load_photo(fetch("http://photos.example/", local(server))).size == (20, 10)
    with serving(always(answer(b"root:x:0:0:root:/root:/bin/sh", Content_Type="image/jpeg"))) as server:
        with pytest.raises(BadPhoto) as caught:
            load_photo(fetch("http://photos.example/", local(server)))
        assert "root" not in caught.value.reason
