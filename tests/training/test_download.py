"""One large file over a bad line: resumed, never mixed from two versions, refused when it is not the same any more."""

import contextlib
import hashlib
import random
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from training import download as downloading
from training.download import download
from training.errors import BadSource, DiskFull, TrainingError
from training.web_file import WebFile, require_https

CONTENT = random.Random(3).randbytes(3 * 1024 * 1024 + 17)


@dataclass
class Site:
    """A server whose next answers can be spoilt; `asked` holds the Range of each request."""

    content: bytes = CONTENT
    tag: str = '"one"'
    cut_after: list[int] = field(default_factory=list)
    """How many bytes the next answers send before the connection ends"""
    refuse_with: list[int] = field(default_factory=list)
    ranges: bool = True
    redirect_to: str = ""
    length: bool = True
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/photos.zip"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.headers.get("Range", ""))
            if site.refuse_with:
                self.send_error(site.refuse_with.pop(0))
                return
            if site.redirect_to:
                self.send_response(302)
                self.send_header("Location", site.redirect_to)
                self.end_headers()
                return
            start, content = 0, site.content
            asked = self.headers.get("Range", "")
            if site.ranges and asked and self.headers.get("If-Range") in (None, site.tag):
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            if site.tag:
                self.send_header("ETag", site.tag)
            if site.length:
                self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            body = content[start:]
            self.wfile.write(body[: site.cut_after.pop(0)] if site.cut_after else body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        server.shutdown()
        thread.join()


def get(site: Site, target: Path, tries: int = 4) -> tuple[str, list[tuple[int, int, str]]]:
    told: list[tuple[int, int, str]] = []
    digest = download(
        WebFile(site.url, timeout=2.0), target, lambda *now: told.append(now), sleep=lambda seconds: None, tries=tries
    )
    return digest, told


def test_a_file_arrives_whole_with_its_hash_beside_it(site: Site, tmp_path: Path) -> None:
    digest, told = get(site, tmp_path / "photos.zip")
    assert (tmp_path / "photos.zip").read_bytes() == CONTENT
    assert digest == hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "photos.zip.sha256").read_text() == f"{digest}  photos.zip\n"
    assert told[-1] == (len(CONTENT), len(CONTENT), "bytes")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos.zip", "photos.zip.sha256"]


def test_a_broken_connection_goes_on_where_it_broke(site: Site, tmp_path: Path) -> None:
    site.cut_after = [1_500_000, 700_000]
    get(site, tmp_path / "photos.zip")
    assert (tmp_path / "photos.zip").read_bytes() == CONTENT
    assert site.asked == ["", "bytes=1500000-", "bytes=2200000-"]


def test_another_run_goes_on_where_the_first_gave_up(site: Site, tmp_path: Path) -> None:
    site.cut_after = [1_000_000, 0, 0]
    with pytest.raises(BadSource, match=r"the connection ended after .*: 1\.0 MiB are kept, start again"):
        get(site, tmp_path / "photos.zip", tries=2)
    assert not (tmp_path / "photos.zip").exists()
    site.asked.clear()
    get(site, tmp_path / "photos.zip")
    assert site.asked[-1] == "bytes=1000000-"
    assert (tmp_path / "photos.zip").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_begun_anew(site: Site, tmp_path: Path) -> None:
    site.cut_after = [1_000_000, 0]
    with pytest.raises(BadSource):
        get(site, tmp_path / "photos.zip", tries=2)
    site.content, site.tag = CONTENT[::-1], '"two"'
    get(site, tmp_path / "photos.zip")
    assert (tmp_path / "photos.zip").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize(("ranges", "tag"), [(False, '"one"'), (True, ""), (True, 'W/"weak"')])
def test_without_ranges_or_a_version_to_trust_it_is_begun_anew(
    site: Site, tmp_path: Path, ranges: bool, tag: str
) -> None:
    site.ranges, site.tag, site.cut_after = ranges, tag, [1_000_000]
    get(site, tmp_path / "photos.zip")
    assert (tmp_path / "photos.zip").read_bytes() == CONTENT


def test_a_file_that_was_complete_but_not_yet_named_is_not_lost(site: Site, tmp_path: Path) -> None:
    (tmp_path / ".photos.zip.partial").write_bytes(CONTENT)
    (tmp_path / ".photos.zip.partial.json").write_text('{"version": "\\"one\\""}')
    get(site, tmp_path / "photos.zip")
    assert (tmp_path / "photos.zip").read_bytes() == CONTENT


def test_a_truncated_file_never_appears(site: Site, tmp_path: Path) -> None:
    site.cut_after = [1000] * 9
    with pytest.raises(BadSource, match="the connection ended after"):
        get(site, tmp_path / "photos.zip")
    assert not (tmp_path / "photos.zip").exists()


def test_the_hash_of_the_first_download_is_asked_for_ever_after(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "photos.zip"
    get(site, target)
    target.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(BadSource, match="was changed or damaged since it was downloaded"):
        get(site, target)
    target.unlink()
    site.content, site.tag = b"something else", '"two"'
    with pytest.raises(BadSource, match="is not what it was when it was first downloaded"):
        get(site, target)
    assert not target.exists()
    (tmp_path / "photos.zip.sha256").unlink()
    get(site, target)
    assert target.read_bytes() == b"something else"


def test_what_is_there_is_not_downloaded_again(site: Site, tmp_path: Path) -> None:
    get(site, tmp_path / "photos.zip")
    site.asked.clear()
    get(site, tmp_path / "photos.zip")
    assert site.asked == []


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(site: Site, tmp_path: Path) -> None:
    site.refuse_with = [503, 429]
    get(site, tmp_path / "photos.zip")
    assert len(site.asked) == 3
    site.asked.clear()
    site.refuse_with = [404]
    with pytest.raises(BadSource, match=r"HTTP 404 .*check the address"):
        get(site, tmp_path / "other.zip")
    site.refuse_with = [403]
    with pytest.raises(BadSource, match=r"HTTP 403 .*without signing in"):
        get(site, tmp_path / "other.zip")
    assert len(site.asked) == 2


def test_a_length_that_nobody_says_is_no_obstacle(site: Site, tmp_path: Path) -> None:
    site.length = False
    _, told = get(site, tmp_path / "photos.zip")
    assert (tmp_path / "photos.zip").read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), 0, "bytes")


@pytest.mark.parametrize("unreachable", ["https://name.invalid/dogs.zip", "http://127.0.0.1:1/dogs.zip"])
def test_without_a_network_one_sentence_says_what_to_do(tmp_path: Path, unreachable: str) -> None:
    waits: list[float] = []
    with pytest.raises(
        BadSource, match=r"cannot be reached \(.*\): there may be no network here. Download .* elsewhere"
    ):
        download(WebFile(unreachable), tmp_path / "dogs.zip", lambda *now: None, sleep=waits.append)
    assert waits == []


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with contextlib.suppress(OSError), connection:
                context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=answer)
        thread.start()
        address = f"https://127.0.0.1:{listening.getsockname()[1]}/dogs.zip"
        with pytest.raises(
            BadSource, match=r"is not trusted \(.*self.signed.*\): check the address and this machine's clock"
        ):
            download(WebFile(address), tmp_path / "dogs.zip", lambda *now: None, sleep=lambda seconds: None)
        thread.join()


def test_only_https_is_downloaded_also_after_a_redirect(site: Site, tmp_path: Path) -> None:
    for url in ("http://example.com/a.zip", "ftp://example.com/a.zip", "file:///etc/passwd", "https:///a.zip"):
        with pytest.raises(BadSource, match="only https addresses are"):
            require_https(url)
    require_https("https://example.com/a.zip")
    for elsewhere in ("http://192.0.2.1/a.zip", "file:///etc/passwd"):
        site.redirect_to = elsewhere
        with pytest.raises(BadSource):
            get(site, tmp_path / "a.zip")


def test_a_full_disk_is_found_before_it_is_full(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1024

    monkeypatch.setattr(downloading.shutil, "disk_usage", lambda path: Usage)
    with pytest.raises(DiskFull, match=r"needs 3 MiB and .* has 0 MiB left"):
        get(site, tmp_path / "photos.zip")


def test_a_stop_keeps_what_has_come(site: Site, tmp_path: Path) -> None:
    def stop(done: int, total: int, unit: str) -> None:
        if done >= 2 * 1024 * 1024:
            raise TrainingError("stop")

    with pytest.raises(TrainingError, match="stop"):
        download(WebFile(site.url), tmp_path / "photos.zip", stop)
    get(site, tmp_path / "photos.zip")
    assert int(site.asked[-1].removeprefix("bytes=").rstrip("-")) >= 2 * 1024 * 1024
    assert (tmp_path / "photos.zip").read_bytes() == CONTENT
