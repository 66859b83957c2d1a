"""model.tar.gz: what goes in comes out, and what would do harm stays out."""

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from training.archive import BadArchive, pack, unpack


def tar(path: Path, fill: Callable[[tarfile.TarFile], None]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        fill(archive)
    return path


def member(
    archive: tarfile.TarFile, name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    archive.addfile(info, io.BytesIO(content))


def test_what_was_packed_comes_out_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "model"
    (source / "code").mkdir(parents=True)
    (source / "card.json").write_text("{}")
    (source / "code" / "inference.py").write_text("pass")
    (source / "private.txt").write_text("not part of the model")
    packed = pack(source, source / "model.tar.gz", ["card.json", "code/inference.py"])
    unpack(packed, tmp_path / "out")
    found = {p.relative_to(tmp_path / "out").as_posix(): p.read_text() for p in (tmp_path / "out").rglob("*.*")}
    assert found == {"card.json": "{}", "code/inference.py": "pass"}
    assert [p.name for p in source.iterdir() if p.name.endswith(".partial")] == []


def test_the_same_files_pack_to_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    first = pack(tmp_path, tmp_path / "1.tar.gz", ["a"]).read_bytes()
    (tmp_path / "a").touch()
    assert pack(tmp_path, tmp_path / "2.tar.gz", ["a"]).read_bytes() == first


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..", "a\\..\\evil"])
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    archive = tar(tmp_path / "bad.tar.gz", lambda t: member(t, name))
    with pytest.raises(BadArchive, match="leads outside"):
        unpack(archive, tmp_path / "in" / "out")
    assert not list(tmp_path.rglob("evil"))
    assert not (tmp_path / "in" / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    archive = tar(tmp_path / "bad.tar.gz", lambda t: member(t, "link", b"", kind, "/etc/passwd"))
    with pytest.raises(BadArchive, match="no ordinary file"):
        unpack(archive, tmp_path / "out")


def test_a_bomb_is_refused_before_it_is_written(tmp_path: Path) -> None:
    archive = tar(tmp_path / "bomb.tar.gz", lambda t: member(t, "zeros", bytes(3_000_000)))
    assert archive.stat().st_size < 10_000
    with pytest.raises(BadArchive, match="more than"):
        unpack(archive, tmp_path / "out", max_bytes=1_000_000)

    def fill(archive: tarfile.TarFile) -> None:
        for number in range(20):
            member(archive, f"f{number}")

    many = tar(tmp_path / "many.tar.gz", fill)
    with pytest.raises(BadArchive, match="more than"):
        unpack(many, tmp_path / "out", max_files=10)


def test_what_is_no_whole_archive_is_refused(tmp_path: Path) -> None:
    whole = tar(tmp_path / "whole.tar.gz", lambda t: member(t, "a", bytes(range(256)) * 2000)).read_bytes()
    for content in (b"", b"hello", whole[: len(whole) // 2], gzip.compress(b"hello, no tar")):
        (tmp_path / "bad.tar.gz").write_bytes(content)
        with pytest.raises(BadArchive, match="cannot be unpacked"):
            unpack(tmp_path / "bad.tar.gz", tmp_path / "out")
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_name_of_gigabytes_is_not_read_into_memory(tmp_path: Path, kind: bytes) -> None:
    """Names and their headers come before the member whose size is checked, and zeros pack to almost nothing."""
    info = tarfile.TarInfo("long")
    info.type, info.size = kind, 64 * 1024 * 1024
    with gzip.open(tmp_path / "bad.tar.gz", "wb", compresslevel=1) as packed:
        packed.write(info.tobuf(tarfile.USTAR_FORMAT))
        packed.write(bytes(info.size + 1024))
    tracemalloc.start()
    try:
        with pytest.raises(BadArchive, match="too long"):
            unpack(tmp_path / "bad.tar.gz", tmp_path / "out")
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert not (tmp_path / "out").exists()
