"""A folder, a zip, S3 or an address: each becomes a folder with photos, or one sentence that says why not."""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from tests.conftest import Embedded
from tests.training.conftest import Run
from training import sources
from training.data import scan
from training.errors import BadSource, TrainingError
from training.sources import DOG_IMAGES, default_cache, fetch, resolve


def lay(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


DOGS = ("train/a/1.jpg", "train/b/2.jpg", "valid/a/3.jpg")


def pack(path: Path, *names: str) -> Path:
    with ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name.encode())
    return path


def files(folder: Path) -> list[str]:
    return sorted(scan(folder).files)


# -- folders and zips -------------------------------------------------------------------------------------------------


def test_a_folder_is_itself_and_a_wrapping_is_stepped_into(tmp_path: Path) -> None:
    lay(tmp_path / "plain", *DOGS)
    assert resolve(str(tmp_path / "plain"), tmp_path / "cache") == tmp_path / "plain"
    lay(tmp_path / "wrapped/once/dogImages", *DOGS)
    assert resolve(str(tmp_path / "wrapped"), tmp_path / "cache") == tmp_path / "wrapped/once/dogImages"
    lay(tmp_path / "alone", "train/a/1.jpg", "train/b/2.jpg")
    assert resolve(str(tmp_path / "alone"), tmp_path / "cache") == tmp_path / "alone"
    lay(tmp_path / "one class", "a/1.jpg", "a/2.jpg")
    assert resolve(str(tmp_path / "one class"), tmp_path / "cache") == tmp_path / "one class"
    assert not (tmp_path / "cache").exists()


def test_a_zip_is_unpacked_once_and_again_when_it_changes(tmp_path: Path) -> None:
    archive = pack(tmp_path / "dogs.zip", *(f"dogs/{name}" for name in DOGS))
    told: list[tuple[int, int, str]] = []
    folder = resolve(str(archive), tmp_path / "cache", lambda *now: told.append(now))
    assert files(folder) == list(DOGS)
    assert folder.name == "dogs"
    assert told[-1] == (3, 3, "photos")
    told.clear()
    assert resolve(str(archive), tmp_path / "cache", lambda *now: told.append(now)) == folder
    assert told == []
    pack(archive, "train/a/new.jpg", "train/b/2.jpg")
    os.utime(archive, ns=(1, 1))
    assert files(resolve(str(archive), tmp_path / "cache")) == ["train/a/new.jpg", "train/b/2.jpg"]
    assert len(list((tmp_path / "cache").rglob("*.jpg"))) == 2


def test_a_folder_that_holds_one_zip_is_that_zip(tmp_path: Path) -> None:
    """What a training channel is, when somebody uploaded dogImages.zip to its prefix."""
    (tmp_path / "channel").mkdir()
    pack(tmp_path / "channel" / "dogs.zip", *DOGS)
    assert files(resolve(str(tmp_path / "channel"), tmp_path / "cache")) == list(DOGS)


def test_two_processes_unpack_once(tmp_path: Path) -> None:
    archive = pack(tmp_path / "dogs.zip", *(f"train/{breed}/{n}.jpg" for breed in "ab" for n in range(100)))
    told: list[int] = []
    found: list[Path] = []

    def work() -> None:
        found.append(resolve(str(archive), tmp_path / "cache", lambda done, total, unit: told.append(done)))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(told) == 200


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere", "There is nothing at nowhere: give a folder, a .zip file"),
        ("http://example.com/dogs.zip", "only https addresses are"),
        ("ftp://example.com/dogs.zip", "only https addresses are"),
        ("s3://", "no address in S3"),
        ("s3://Bad_Bucket/x", "no address in S3"),
    ],
)
def test_what_is_no_source_is_one_sentence(tmp_path: Path, source: str, words: str) -> None:
    with pytest.raises(BadSource, match=words) as refused:
        resolve(source, tmp_path / "cache")
    assert "\n" not in str(refused.value)


def test_another_file_than_a_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dogs.tar").write_bytes(b"x")
    with pytest.raises(BadSource, match=r"is a file but no \.zip"):
        resolve(str(tmp_path / "dogs.tar"), tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    archive = pack(tmp_path / "dogs.zip", *DOGS)
    with pytest.raises(BadSource, match=r"cannot be written to .*: choose another folder for downloads"):
        resolve(str(archive), tmp_path / "cache")


def test_downloads_go_to_the_home_of_kennel(tmp_path: Path) -> None:
    assert default_cache({"KENNEL_HOME": str(tmp_path)}) == tmp_path / "data"
    assert default_cache({}) == Path.home() / ".cache" / "kennel" / "data"


# -- from an address --------------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """A folder served over HTTP: its address, and what was asked for."""
    (tmp_path / "www").mkdir()
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            asked.append(str(args[0]))

    handler: Callable[..., Any] = partial(Handler, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_an_address_is_downloaded_once_and_then_needs_no_network(served: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = served
    pack(tmp_path / "www" / "my dogs.zip", *DOGS)
    folder = resolve(f"{address}/my%20dogs.zip", tmp_path / "cache")
    assert files(folder) == list(DOGS)
    assert len(asked) == 1
    (tmp_path / "www" / "my dogs.zip").unlink()
    assert resolve(f"{address}/my%20dogs.zip", tmp_path / "cache") == folder
    assert len(asked) == 1


def test_a_named_data_set_is_fetched_right_into_a_folder(
    served: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DOG_IMAGES.startswith("https://")
    pack(tmp_path / "www" / "dogImages.zip", *(f"dogImages/{name}" for name in DOGS))
    monkeypatch.setitem(sources.NAMED, "dogimages", f"{served[0]}/dogImages.zip")
    told: list[str] = []
    folder = fetch("dogImages", tmp_path / "here", lambda done, total, unit: told.append(unit))
    assert folder == tmp_path / "here" / "dogImages" / "dogImages"
    assert files(folder) == list(DOGS)
    assert {"bytes", "photos"} == set(told)
    assert (tmp_path / "here" / "dogImages.zip.sha256").exists()


def test_a_folder_that_is_there_already_is_not_replaced(served: tuple[str, list[str]], tmp_path: Path) -> None:
    lay(tmp_path / "here" / "dogs", "mine.txt")
    with pytest.raises(BadSource, match="is there already and was not unpacked here"):
        fetch(f"{served[0]}/dogs.zip", tmp_path / "here")
    assert served[1] == []
    assert (tmp_path / "here" / "dogs" / "mine.txt").exists()


def test_a_broken_zip_from_an_address_is_said(served: tuple[str, list[str]], tmp_path: Path) -> None:
    (tmp_path / "www" / "dogs.zip").write_text("<html>Sign in</html>")
    with pytest.raises(BadSource, match="is no zip"):
        resolve(f"{served[0]}/dogs.zip", tmp_path / "cache")


def test_no_network_is_said_for_the_named_set(run_module: Run, tmp_path: Path) -> None:
    done = run_module("training.data", "fetch", "dogImages", "--to", tmp_path, https_proxy="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "elsewhere and give the .zip file instead" in done.stderr
    assert done.stderr.count("\n") == 1


# -- from S3, the embedded AWS being the other side -------------------------------------------------------------------


@pytest.fixture
def bucket(embedded: Embedded, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """A bucket of its own and a client; boto3 finds the embedded AWS through the environment."""
    for name, value in (
        ("AWS_ENDPOINT_URL", embedded.endpoint_url), ("AWS_ACCESS_KEY_ID", embedded.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", embedded.secret_access_key), ("AWS_DEFAULT_REGION", embedded.region),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    client = embedded.client("s3")
    name = f"dogs-{time.time_ns()}"
    client.create_bucket(Bucket=name)
    return name, client


def upload(client: Any, bucket: str, *keys: str) -> None:
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())


def test_a_prefix_is_mirrored_and_only_what_is_missing_is_copied(bucket: tuple[str, Any], tmp_path: Path) -> None:
    name, client = bucket
    upload(client, name, *(f"sets/dogs/{file}" for file in DOGS), "sets/dogs/notes.txt", "sets/dogs2/train/c/1.jpg")
    client.put_object(Bucket=name, Key="sets/dogs/train/")  # what the console makes of a folder
    told: list[tuple[int, int, str]] = []
    folder = resolve(f"s3://{name}/sets/dogs", tmp_path, lambda *now: told.append(now))
    assert files(folder) == list(DOGS)
    assert folder.name == "dogs"
    assert (folder / DOGS[0]).read_bytes() == f"sets/dogs/{DOGS[0]}".encode()
    assert told[-1] == (3, 3, "photos")
    before = {file: (folder / file).stat().st_ino for file in DOGS}
    client.delete_object(Bucket=name, Key=f"sets/dogs/{DOGS[2]}")
    upload(client, name, "sets/dogs/train/b/new.jpg")
    (folder / DOGS[0]).write_bytes(b"cut")
    told.clear()
    assert resolve(f"s3://{name}/sets/dogs/", tmp_path, lambda *now: told.append(now)).name == "dogs"
    again = resolve(f"s3://{name}/sets/dogs", tmp_path)
    assert files(again) == ["train/a/1.jpg", "train/b/2.jpg", "train/b/new.jpg"]
    assert (again / DOGS[0]).read_bytes() == f"sets/dogs/{DOGS[0]}".encode()
    assert (again / DOGS[1]).stat().st_ino == before[DOGS[1]]


def test_a_stop_keeps_the_photos_that_have_come(bucket: tuple[str, Any], tmp_path: Path) -> None:
    name, client = bucket
    upload(client, name, *(f"train/{breed}/{n}.jpg" for breed in "ab" for n in range(40)))

    def stop(done: int, total: int, unit: str) -> None:
        if done == 10:
            raise TrainingError("stop")

    with pytest.raises(TrainingError, match="stop"):
        resolve(f"s3://{name}", tmp_path, stop)
    came = len(list(tmp_path.rglob("*.jpg")))
    assert 10 <= came < 80
    told: list[int] = []
    folder = resolve(f"s3://{name}", tmp_path, lambda done, total, unit: told.append(done))
    assert len(told) == 80 - came
    assert len(scan(folder).files) == 80
    assert not list(folder.glob(".*.partial"))


def test_a_zip_in_s3_is_downloaded_and_a_new_version_replaces_it(bucket: tuple[str, Any], tmp_path: Path) -> None:
    name, client = bucket
    client.upload_file(str(pack(tmp_path / "a.zip", *DOGS)), name, "sets/dogs.zip")
    assert files(resolve(f"s3://{name}/sets/dogs.zip", tmp_path / "cache")) == list(DOGS)
    # The prefix above it holds nothing else, so it is meant too.
    assert files(resolve(f"s3://{name}/sets", tmp_path / "cache")) == list(DOGS)
    client.upload_file(str(pack(tmp_path / "a.zip", *DOGS[:2])), name, "sets/dogs.zip")
    assert files(resolve(f"s3://{name}/sets/dogs.zip", tmp_path / "cache")) == list(DOGS[:2])


def test_an_interrupted_zip_from_s3_goes_on(bucket: tuple[str, Any], tmp_path: Path) -> None:
    name, client = bucket
    big = pack(tmp_path / "a.zip", "train/a/1.jpg", "train/b/2.jpg")
    with ZipFile(big, "a") as archive:
        archive.writestr("train/b/big.jpg", os.urandom(3 * 1024 * 1024))
    client.upload_file(str(big), name, "dogs.zip")
    ranges: list[str | None] = []

    class Watching:
        def get_object(self, **wanted: Any) -> Any:
            ranges.append(wanted.get("Range"))
            return client.get_object(**wanted)

        def __getattr__(self, other: str) -> Any:
            return getattr(client, other)

    def stop(done: int, total: int, unit: str) -> None:
        if unit == "bytes" and done >= 1024 * 1024:
            raise TrainingError("stop")

    with pytest.raises(TrainingError, match="stop"):
        resolve(f"s3://{name}/dogs.zip", tmp_path / "cache", stop, s3=Watching())
    assert len(files(resolve(f"s3://{name}/dogs.zip", tmp_path / "cache", s3=Watching()))) == 3
    assert ranges == [None, f"bytes={1024 * 1024}-"]


def test_what_s3_refuses_is_one_sentence_with_the_way_out(
    bucket: tuple[str, Any], embedded: Embedded, tmp_path: Path
) -> None:
    name, client = bucket
    with pytest.raises(BadSource, match="There are no photos below s3://"):
        resolve(f"s3://{name}/nothing", tmp_path)
    with pytest.raises(BadSource, match=r"There is nothing at s3://.* \((404|NoSuchKey)\)"):
        resolve(f"s3://{name}/dogs.zip", tmp_path)
    with pytest.raises(BadSource, match=r"There is nothing at s3://.* \(NoSuchBucket\)"):
        resolve("s3://no-such-bucket-anywhere/dogs", tmp_path)
    upload(client, name, "train/a/1.jpg", "dogs.zip")
    stranger = boto3.client(
        "s3", endpoint_url=embedded.endpoint_url, region_name=embedded.region,
        aws_access_key_id=embedded.access_key_id, aws_secret_access_key="wrong",
    )  # fmt: skip
    with pytest.raises(BadSource, match=r"refuses these AWS credentials \(SignatureDoesNotMatch\)"):
        resolve(f"s3://{name}/train", tmp_path, s3=stranger)
    with pytest.raises(BadSource, match=r"may not be read \(403\)"):
        resolve(f"s3://{name}/dogs.zip", tmp_path, s3=stranger)
    with Stubber(stranger) as policy:
        policy.add_client_error("list_objects_v2", "AccessDenied", http_status_code=403)
        with pytest.raises(BadSource, match=r"needs s3:ListBucket on arn:aws:s3:::dogs-.* and s3:GetObject on"):
            resolve(f"s3://{name}/train", tmp_path, s3=stranger)
    stranger.close()


def test_keys_that_are_no_paths_are_refused(bucket: tuple[str, Any], tmp_path: Path) -> None:
    name, client = bucket
    upload(client, name, "x/train/a/1.jpg", "x/train/../../../2.jpg")
    with pytest.raises(BadSource, match="is no path of a file: rename it"):
        resolve(f"s3://{name}/x", tmp_path / "cache")
    assert not list(tmp_path.rglob("2.jpg"))


def test_no_answer_from_s3_is_said(tmp_path: Path) -> None:
    nobody = boto3.client(
        "s3", endpoint_url="http://127.0.0.1:1", region_name="us-east-1",
        aws_access_key_id="x", aws_secret_access_key="y", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    with pytest.raises(BadSource, match="cannot be reached: check the network, AWS_ENDPOINT_URL"):
        resolve("s3://dogs/x", tmp_path, s3=nobody)
    nobody.close()


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_report_of_a_zip_as_text_and_json(small_dataset: Path, run_module: Run, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "dogs"), "zip", small_dataset.parent, small_dataset.name)
    done = run_module("training.data", "report", archive, KENNEL_HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "60 photos of 3 classes: train 42 · valid 9 · test 9"
    assert done.stderr == ""
    done = run_module("training.data", "report", archive, "--json", KENNEL_HOME=str(tmp_path / "home"))
    assert json.loads(done.stdout)["photos"]["total"] == 60


def test_the_command_refuses_in_one_sentence(run_module: Run, tmp_path: Path) -> None:
    done = run_module("training.data", "report", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "holds no training photos" in done.stderr
    assert done.stderr.count("\n") == 1
