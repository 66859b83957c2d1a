"""Archives that somebody brings: what can be served is taken, everything else is refused with its reason."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dashboard.core.errors import AccessDenied, InvalidInput, ServiceFault
from dashboard.core.serving import archive
from dashboard.core.serving.archive import Inspected, inspect, key_of, upload
from tests.views.scripted import ScriptedAws

FILES: dict[str, bytes] = {
    "model.onnx": b"\x08\x08rest of the graph",
    "labels.json": json.dumps({"labels": ["Beagle", "Poodle"]}).encode(),
    "preprocessing.json": b"{}",
    "card.json": json.dumps({"name": "dogs", "metrics": {"test:accuracy": 0.9}}).encode(),
    "code/inference.py": b"",
}


def pack(folder: Path, files: Mapping[str, bytes], *extra: tarfile.TarInfo) -> Path:
    path = folder / "model.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for entry in extra:
            tar.addfile(entry)
    return path


def test_what_is_in_it_is_told_without_unpacking_it(tmp_path: Path) -> None:
    found = inspect(pack(tmp_path, FILES))
    assert found.labels == ("Beagle", "Poodle")
    assert (found.name, found.metrics, found.warnings) == ("dogs", {"test:accuracy": 0.9}, ())
    assert found.digest == archive.digest_of(tmp_path / "model.tar.gz")
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.tar.gz"]


def test_a_real_model_folder_packed_by_training_is_taken(tmp_path: Path) -> None:
    from training import archive as packing
    from training.model import model_files, write_model
    from training.preprocessing import Preprocessing

    folder = write_model(tmp_path / "model", b"\x08\x08graph", ["a", "b"], {"name": "x"}, Preprocessing())
    packed = packing.pack(folder, tmp_path / "model.tar.gz", model_files(folder))
    found = inspect(packed)
    assert found.labels == ("a", "b")
    assert found.warnings == ("its card has no figures: nobody measured it",)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model.onnx": None}, "it lacks model.onnx"),
        ({"code/inference.py": None, "labels.json": None}, "it lacks labels.json, code/inference.py"),
        ({"model.onnx": b"PK\x03\x04"}, "no ONNX model"),
        ({"model.onnx": b""}, "no ONNX model"),
        ({"labels.json": b"[]"}, "no list of labels"),
        ({"labels.json": b"{"}, "no JSON"),
        ({"labels.json": b"[" * 100_000}, "no JSON"),
        ({"preprocessing.json": b"[]"}, "no JSON object"),
        ({"card.json": b"[]"}, "no JSON object"),
        ({"../outside": b""}, "leads outside"),
        ({"/etc/passwd": b""}, "leads outside"),
    ],
)
def test_what_cannot_be_served_is_refused_with_its_reason(
    tmp_path: Path, changes: Mapping[str, bytes | None], words: str
) -> None:
    files = {name: data for name, data in {**FILES, **changes}.items() if data is not None}
    with pytest.raises(InvalidInput, match=words):
        inspect(pack(tmp_path, files))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("card")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with pytest.raises(InvalidInput, match="no ordinary file"):
        inspect(pack(tmp_path, FILES, entry))


def header(name: bytes, kind: bytes, size: int) -> bytearray:
    entry = tarfile.TarInfo()
    entry.type, entry.size = kind, size
    block = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    block[: len(name)] = name
    return block


def summed(block: bytearray) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_files_that_are_not_what_their_header_says_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    for kind, size in ((tarfile.GNUTYPE_SPARSE, 10), (tarfile.REGTYPE, -1000)):
        path.write_bytes(gzip.compress(summed(header(b"model.onnx", kind, size)) + bytes(4096), 1))
        with pytest.raises(InvalidInput, match="no ordinary file"):
            inspect(path)


def test_names_and_headers_do_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of name for each of its files, and a list of holes without end."""
    monkeypatch.setattr(archive, "MOST_HEADERS", 2**20)
    names = {("a" * 1_000_000) + str(number): b"" for number in range(4)}
    with pytest.raises(InvalidInput, match="a name or a header that is too long"):
        inspect(pack(tmp_path, names))
    sparse = header(b"model.onnx", tarfile.GNUTYPE_SPARSE, 10)
    sparse[482] = 1  # more of its holes follow
    holes = (b"00000000000\0" * 42 + b"\1" + bytes(7)) * 6_000
    path = tmp_path / "model.tar.gz"
    path.write_bytes(gzip.compress(summed(sparse) + holes + bytes(1024), 1))
    with pytest.raises(InvalidInput, match="a name or a header that is too long"):
        inspect(path)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="more than 1,000 files"):
        inspect(pack(tmp_path, FILES, *(tarfile.TarInfo(f"f{number}") for number in range(1001))))


def test_an_archive_that_inflates_without_end_is_refused_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_UNPACKED", 3 * 1024**2)
    with pytest.raises(InvalidInput, match="unpacks to more than"):
        inspect(pack(tmp_path, {**FILES, "a": b"\0" * 2**20, "b": b"\0" * 2**20, "c": b"\0" * 2**20}))
    monkeypatch.setattr(archive, "MOST", 10)
    with pytest.raises(InvalidInput, match="is the most"):
        inspect(pack(tmp_path, FILES))


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"no gzip", lambda data: b""])
def test_what_is_no_complete_archive_is_refused(tmp_path: Path, damage: Any) -> None:
    path = pack(tmp_path, {**FILES, "filler": bytes(range(256)) * 400})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InvalidInput, match="no complete gzipped tar"):
        inspect(path)


class Bucket(ScriptedAws):
    """A bucket that takes uploads in parts."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[int, bytes] = {}

    def _HeadObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"ContentLength": len(self._GetObject(asked)["Body"].getvalue())}

    def _CreateMultipartUpload(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"UploadId": "u"}

    def _UploadPart(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.parts[asked["PartNumber"]] = asked["Body"]
        return {"ETag": f"tag-{asked['PartNumber']}"}

    def _CompleteMultipartUpload(self, asked: dict[str, Any]) -> dict[str, Any]:
        numbers = [part["PartNumber"] for part in asked["MultipartUpload"]["Parts"]]
        self.bodies[asked["Key"]] = b"".join(self.parts[number] for number in numbers)
        return {}

    def _AbortMultipartUpload(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.parts.clear()
        return {}


@pytest.fixture
def big(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Inspected]:
    monkeypatch.setattr(archive, "PART", 1000)
    path = tmp_path / "model.tar.gz"
    path.write_bytes(bytes(2500))
    return path, Inspected("d" * 64, 2500, 2500, ("a",))


def test_it_is_sent_in_parts_once_and_says_how_far_it_is(big: tuple[Path, Inspected]) -> None:
    aws, told = Bucket(), []
    path, found = big
    address = upload(aws, path, found, told.append)
    assert address == f"s3://{aws.account.bucket}/{key_of(found)}"
    assert aws.bodies[key_of(found)] == path.read_bytes()
    assert told == [0.4, 0.8, 1.0]
    assert upload(aws, path, found, told.append) == address
    assert len(aws.asked("CreateMultipartUpload")) == 1


def test_an_upload_that_fails_leaves_nothing_behind(big: tuple[Path, Inspected]) -> None:
    aws = Bucket()
    aws.errors["CompleteMultipartUpload"] = ServiceFault("S3 failed")
    with pytest.raises(ServiceFault):
        upload(aws, *big, lambda share: None)
    assert len(aws.asked("AbortMultipartUpload")) == 1
    assert not aws.bodies
    aws.errors["AbortMultipartUpload"] = AccessDenied("may not abort")
    with pytest.raises(ServiceFault, match="S3 failed"):
        upload(aws, *big, lambda share: None)


def test_an_object_that_has_more_than_it_says_is_not_fetched_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST", 10)
    aws = Bucket()
    aws.bodies["model.pth"] = bytes(100)
    with pytest.raises(InvalidInput, match="is the most"):
        archive.download(aws, "s3://bucket/model.pth", tmp_path / "file", lambda share: None)
