"""Zips of photos: what is meant comes out, and what is hostile or broken leaves nothing behind."""

import io
import random
import resource
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from training.data import scan
from training.errors import BadSource, DiskFull, TrainingError
from training.zips import Limits, content, opened, unpack


def zipped(path: Path, *names: str, content: bytes = b"photo") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return path


def out(archive: Path, directory: Path, limits: Limits = Limits()) -> list[str]:  # noqa: B008
    unpack(archive, directory, lambda done, total, unit: None, limits=limits)
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


def test_photos_come_out_and_nothing_else_does(tmp_path: Path) -> None:
    archive = zipped(
        tmp_path / "d.zip", "dogs/train/a/1.jpg", "dogs/train/b/2.PNG", "dogs/readme.txt", "dogs/run.py",
        "__MACOSX/dogs/train/a/._1.jpg", "dogs/train/a/.hidden.jpg",
    )  # fmt: skip
    told: list[tuple[int, int, str]] = []
    unpack(archive, tmp_path / "out", lambda *now: told.append(now), marker="d.zip")
    assert told == [(1, 2, "photos"), (2, 2, "photos")]
    assert (tmp_path / "out/dogs/train/a/1.jpg").read_bytes() == b"photo"
    assert (tmp_path / "out/.source").read_text() == "d.zip"
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.*")) == [".source", "1.jpg", "2.PNG"]


@pytest.mark.parametrize(
    "name", ["../1.jpg", "a/../../1.jpg", "/etc/1.jpg", "..\\1.jpg", "C:\\dogs\\1.jpg", "\\\\server\\1.jpg", "../x.txt"]
)
def test_a_name_that_leads_outside_spoils_the_whole_archive(tmp_path: Path, name: str) -> None:
    archive = zipped(tmp_path / "d.zip", "train/a/1.jpg", name)
    with pytest.raises(BadSource, match="leads outside its folder"):
        out(archive, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.zip"]


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR):
        with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
            archive.writestr("train/a/1.jpg", b"x")
            entry = zipfile.ZipInfo("train/a/2.jpg")
            entry.external_attr = (kind | 0o777) << 16
            archive.writestr(entry, b"/etc/passwd")
        with pytest.raises(BadSource, match="no ordinary file"):
            out(tmp_path / "d.zip", tmp_path / "out")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "d.zip", *(f"train/a/{n}.jpg" for n in range(20)), content=bytes(100_000))
    assert archive.stat().st_size < 10_000
    with pytest.raises(BadSource, match="times its size, which photos never do"):
        out(archive, tmp_path / "out", Limits(free_growth=1_000_000))
    with pytest.raises(BadSource, match="more than the 19 and"):
        out(archive, tmp_path / "out", Limits(files=19))
    with pytest.raises(BadSource, match="unpacks to 20 photos and 2 MiB"):
        out(archive, tmp_path / "out", Limits(bytes=1_000_000))
    assert not (tmp_path / "out").exists()
    assert len(out(archive, tmp_path / "out")) == 21


def test_sizes_that_lie_do_not_let_more_out(tmp_path: Path) -> None:
    """The header says 10 bytes, the compressed data hold a million."""
    archive = zipped(tmp_path / "d.zip", "train/a/1.jpg", content=bytes(1_000_000))
    data = bytearray(archive.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    archive.write_bytes(data)
    with pytest.raises(BadSource, match="damaged or cut short"):
        out(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """Fifield's bomb: many entries of the directory that point to the same data."""
    archive = zipped(tmp_path / "d.zip", "train/a/1.jpg", "train/a/2.jpg", content=bytes(1000))
    data = bytearray(archive.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 42 : at + 46] = struct.pack("<I", 0)
    archive.write_bytes(data)
    with pytest.raises(BadSource, match="damaged or cut short"):
        out(archive, tmp_path / "out")


def test_a_directory_too_long_to_read_is_refused_unread(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "d.zip", *(f"{n}.txt" for n in range(5000)), "train/a/1.jpg")
    with pytest.raises(BadSource, match="lists far more than 100 files"):
        out(archive, tmp_path / "out", Limits(files=100))


def test_damage_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "d.zip", "train/a/1.jpg", "train/b/2.jpg", content=bytes(range(256)) * 50).read_bytes()
    flipped = bytearray(whole)
    flipped[60] ^= 0xFF
    for damaged in (b"", b"no zip", whole[:-30], whole[: len(whole) // 2], bytes(flipped), whole[200:]):
        (tmp_path / "d.zip").write_bytes(damaged)
        with pytest.raises(BadSource, match=r"damaged|no zip|missing"):
            out(tmp_path / "d.zip", tmp_path / "out")
        assert [path.name for path in tmp_path.iterdir()] == ["d.zip"]


def test_whatever_is_changed_in_a_zip_it_is_unpacked_whole_or_refused(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "d.zip", "train/a/1.jpg", "train/b/2.jpg", content=bytes(range(256)) * 8).read_bytes()
    chooser = random.Random(11)
    unpacked = 0
    for _ in range(300):
        data = bytearray(whole)
        # Mostly where the archive describes itself.
        for _ in range(chooser.randint(1, 6)):
            at = (
                chooser.randrange(len(data) - 250, len(data))
                if chooser.random() < 0.7
                else chooser.randrange(len(data))
            )
            data[at] = chooser.choice((0, 0xFF, 0x2F, 0x2E, chooser.randrange(256)))
        (tmp_path / "d.zip").write_bytes(data)
        try:
            unpack(tmp_path / "d.zip", tmp_path / "out", lambda *now: None)
            unpacked += 1
            shutil.rmtree(tmp_path / "out")
        except (BadSource, DiskFull) as refused:
            assert str(refused).endswith(".")
        assert [path.name for path in tmp_path.iterdir()] == ["d.zip"]
    assert 10 < unpacked < 290


def test_a_locked_or_oddly_compressed_zip_says_so(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "d.zip", "train/a/1.jpg")
    data = bytearray(archive.read_bytes())
    for at in (6, data.rfind(b"PK\x01\x02") + 8):
        data[at] |= 1
    archive.write_bytes(data)
    with pytest.raises(BadSource, match="locked with a password"):
        out(archive, tmp_path / "out")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_BZIP2) as odd:
        odd.writestr("train/a/1.jpg", b"x")
    with pytest.raises(BadSource, match="compressed in an unusual way"):
        out(archive, tmp_path / "out")


def test_a_zip_without_photos_says_what_to_zip(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="holds no photos: zip a folder with train/"):
        out(zipped(tmp_path / "d.zip", "readme.txt"), tmp_path / "out")


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 3

    monkeypatch.setattr("training.download.shutil.disk_usage", lambda path: Usage)
    with pytest.raises(DiskFull, match="needs 0 MiB"):
        out(zipped(tmp_path / "d.zip", "train/a/1.jpg"), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["d.zip"]


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "d.zip", "train/a/1.jpg", content=bytes(100_000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(DiskFull, match=r"There is no room for d.zip at .*: free some space"):
            out(archive, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == ["d.zip"]


def test_a_stop_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int, unit: str) -> None:
        raise TrainingError("stop")

    with pytest.raises(TrainingError, match="stop"):
        unpack(zipped(tmp_path / "d.zip", "train/a/1.jpg"), tmp_path / "out", stop)
    assert [path.name for path in tmp_path.iterdir()] == ["d.zip"]


def test_labels_survive_whoever_zipped_them(tmp_path: Path) -> None:
    """Backslashes from Windows, UTF-8 without its flag from a Mac, and every odd name a folder may have."""
    names = ["Grand Basset Griffon Vendéen", "St. Bernard v2.0", "柴犬", "a:b?*", "…", "Lévrier\u200d🐕"]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(f"dogs/{name}/1.jpg", b"x")
        archive.writestr(zipfile.ZipInfo("dogs\\Barbet\\1.jpg"), b"x")
    data = bytearray(target.getvalue())
    for magic, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):  # without the flag that says UTF-8
        start = -1
        while (start := data.find(magic, start + 1)) >= 0:
            data[start + at + 1] &= ~0x08 & 0xFF
    (tmp_path / "d.zip").write_bytes(data)
    unpack(tmp_path / "d.zip", tmp_path / "out", lambda *now: None)
    assert sorted(scan(tmp_path / "out" / "dogs").labels) == sorted([*names, "Barbet"])


def test_photos_are_taken_one_by_one_without_unpacking(tmp_path: Path) -> None:
    archive = tmp_path / "dogs.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("dogs/a/1.jpg", b"one")
        made.writestr("dogs/notes.txt", b"text")
    with opened(archive) as (zipped, members):
        assert [(path.as_posix(), content(zipped, entry)) for entry, path in members] == [("dogs/a/1.jpg", b"one")]
    assert [one.name for one in tmp_path.iterdir()] == ["dogs.zip"]


def test_one_that_is_damaged_inside_says_so_when_it_is_taken(tmp_path: Path) -> None:
    archive = tmp_path / "dogs.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("a/1.jpg", b"0123456789" * 10)
    data = bytearray(archive.read_bytes())
    data[60] ^= 0xFF
    archive.write_bytes(data)
    with opened(archive) as (zipped, members), pytest.raises(BadSource, match="damaged"):
        content(zipped, members[0][0])


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all" * 10])
def test_what_is_no_zip_is_not_opened(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "dogs.zip").write_bytes(data)
    with pytest.raises(BadSource), opened(tmp_path / "dogs.zip"):
        pass
