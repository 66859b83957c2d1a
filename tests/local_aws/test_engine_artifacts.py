"""model.tar.gz is packed from a folder, and unpacked as if its author meant harm."""

import io
import os
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from local_aws.engine import artifacts
from local_aws.engine.errors import ClientFaultError
from local_aws.engine.objects import Location, copy, fetch, relative_names
from local_aws.errors import ServiceError
from tests.local_aws.engine_world import FolderObject, FolderObjects


def archive(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for entry, data in entries:
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def entry(name: str, **settings: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for setting, value in settings.items():
        setattr(made, setting, value)
    return made


def test_what_is_packed_comes_out_again(tmp_path: Path) -> None:
    source, target = tmp_path / "model", tmp_path / "out"
    (source / "code").mkdir(parents=True)
    target.mkdir()
    (source / "model.onnx").write_bytes(os.urandom(100_000))
    (source / "code/inference.py").write_text("x = 1")
    (source / "link").symlink_to("/etc/passwd")
    os.mkfifo(source / "pipe")
    artifacts.pack(source, tmp_path / "model.tar.gz")
    with tarfile.open(tmp_path / "model.tar.gz") as tar:
        assert sorted(tar.getnames()) == ["code", "code/inference.py", "link", "model.onnx"]
        assert {member.uid for member in tar} == {0}
    (source / "link").unlink()
    artifacts.pack(source, tmp_path / "model.tar.gz")
    artifacts.unpack(tmp_path / "model.tar.gz", target)
    assert (target / "model.onnx").read_bytes() == (source / "model.onnx").read_bytes()
    assert (target / "code/inference.py").read_text() == "x = 1"


def test_hard_links_are_packed_as_what_they_are(tmp_path: Path) -> None:
    source, target = tmp_path / "model", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    (source / "best").write_bytes(b"weights")
    (source / "last").hardlink_to(source / "best")
    artifacts.pack(source, tmp_path / "model.tar.gz")
    artifacts.unpack(tmp_path / "model.tar.gz", target)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {"best": b"weights", "last": b"weights"}


@pytest.mark.parametrize("name", ["../escaped", "a/../../escaped", "a/..", ".."])
def test_an_entry_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(ClientFaultError, match="leads out of its folder"):
        artifacts.unpack(archive(tmp_path / "bad.tar.gz", (entry(name), b"x")), target)
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize(
    "bad",
    [
        entry("link", type=tarfile.SYMTYPE, linkname="../.."),
        entry("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        entry("link", type=tarfile.LNKTYPE, linkname="../../secret"),
        entry("link", type=tarfile.SYMTYPE, linkname="link"),
        entry("device", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        entry("pipe", type=tarfile.FIFOTYPE),
    ],
    ids=lambda bad: f"{bad.name} {bad.linkname}",
)
def test_links_to_elsewhere_and_devices_are_refused(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(ClientFaultError, match="no file or folder of it"):
        artifacts.unpack(archive(tmp_path / "bad.tar.gz", (bad, b"")), target)


def test_a_link_inside_the_archive_becomes_a_copy(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    links = [
        (entry(name, type=kind, linkname="w"), b"") for name, kind in (("s", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE))
    ]
    artifacts.unpack(archive(tmp_path / "a.tar.gz", (entry("w"), b"weights"), *links), target)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == dict.fromkeys("wsh", b"weights")
    assert not any(path.is_symlink() for path in target.iterdir())


def test_an_absolute_name_lands_inside(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    artifacts.unpack(archive(tmp_path / "a.tar.gz", (entry("/etc/inside"), b"x")), target)
    assert (target / "etc/inside").read_bytes() == b"x"


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    bomb = archive(tmp_path / "bomb.tar.gz", (entry("a"), b"0" * 600_000), (entry("b"), b"0" * 600_000))
    with pytest.raises(ClientFaultError, match="more than 1000000 bytes"):
        artifacts.unpack(bomb, target, largest=1_000_000)
    assert sum(path.stat().st_size for path in target.rglob("*")) <= 1_000_000


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_bomb_in_a_header_does_not_come_into_memory(tmp_path: Path, kind: bytes) -> None:
    bomb = archive(tmp_path / "bomb.tar.gz", (entry("a", type=kind), b"1" * 50_000_000), (entry("b"), b""))
    tracemalloc.start()
    with pytest.raises(ClientFaultError, match="header that is too long"):
        artifacts.unpack(bomb, tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("data", [b"", b"not an archive", b"\x1f\x8b\x08\x00broken"])
def test_what_is_no_archive_is_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.tar.gz").write_bytes(data)
    with pytest.raises(ClientFaultError, match="must be a gzipped tar"):
        artifacts.unpack(tmp_path / "x.tar.gz", tmp_path)


def test_a_truncated_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/f").write_bytes(os.urandom(50_000))
    artifacts.pack(tmp_path / "m", tmp_path / "m.tar.gz")
    (tmp_path / "m.tar.gz").write_bytes((tmp_path / "m.tar.gz").read_bytes()[:20_000])
    with pytest.raises(ClientFaultError, match="cannot be unpacked"):
        artifacts.unpack(tmp_path / "m.tar.gz", tmp_path)


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("data/", ["dogs/1.jpg", "dogs/2.jpg", "dogs2/3.jpg"]),
        ("data/dogs", ["1.jpg", "2.jpg"]),
        ("data/dogs/", ["1.jpg", "2.jpg"]),
        ("data/dogs/1.jpg", ["1.jpg"]),
        ("data/do", ["dogs/1.jpg", "dogs/2.jpg", "dogs2/3.jpg"]),
        ("", ["data/dogs/1.jpg", "data/dogs/2.jpg", "data/dogs2/3.jpg"]),
    ],
)
def test_where_a_prefix_puts_its_keys(tmp_path: Path, prefix: str, names: list[str]) -> None:
    keys = ["data/dogs/", "data/dogs/1.jpg", "data/dogs/2.jpg", "data/dogs2/3.jpg"]
    objects = [FolderObject(key, tmp_path) for key in keys if key.startswith(prefix)]
    assert [name for name, _ in relative_names(prefix, objects)] == names


def test_a_file_and_a_folder_of_one_name_are_a_clear_failure(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "s3")
    objects.put("b", "d/a", b"1")
    objects.odd.append(FolderObject("d/a/b", tmp_path / "s3/b/d/a"))
    (tmp_path / "out").mkdir()
    with pytest.raises(ClientFaultError, match="'d/a/b' cannot become a file"):
        fetch(objects, Location("b", "d/"), tmp_path / "out")


def test_an_object_that_is_replaced_meanwhile_comes_as_it_is_now(tmp_path: Path) -> None:
    found = FolderObject("d/a", tmp_path / "gone")
    objects = FolderObjects(tmp_path / "s3")
    objects.put("b", "d/a", b"new")
    copy(objects, "b", found, tmp_path / "copied")
    assert (tmp_path / "copied").read_bytes() == b"new"
    (tmp_path / "s3/b/d/a").unlink()
    with pytest.raises(ServiceError, match="NoSuchKey"):
        copy(objects, "b", found, tmp_path / "copied")


@pytest.mark.parametrize("uri", ["https://bucket.s3.amazonaws.com/x", "s3://", "bucket/key", "s3:///key"])
def test_what_is_no_s3_address(uri: str) -> None:
    with pytest.raises(ClientFaultError, match="form s3://bucket/key"):
        Location.parse(uri)
