"""What an earlier run found out about photos: kept whole or not at all, whoever writes and whatever breaks."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from training.cache import FeatureCache, Known, key_of

ROOT = Path(__file__).resolve().parents[2]
VIEWS, FEATURES = 2, 5


def digest(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def values(number: int) -> np.ndarray:
    return np.random.default_rng(number).standard_normal((VIEWS, FEATURES)).astype(np.float32)


def add(cache: FeatureCache, numbers: range) -> None:
    for number in numbers:
        cache.add(digest(number), values(number), number / 100, np.full(32, number % 256, np.uint8), (number, 7))


def known(cache: FeatureCache, number: int) -> Known | None:
    return cache.get(digest(number), VIEWS, FEATURES)


def fill(directory: Path, numbers: range, key: str = "key", **options: float) -> None:
    with FeatureCache([directory], key, **options) as cache:  # type: ignore[arg-type]
        add(cache, numbers)


def segments(directory: Path, key: str = "key") -> list[Path]:
    return sorted((directory / key).glob("*.features"))


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    fill(tmp_path, range(300))
    with FeatureCache([tmp_path], "key") as cache:
        assert len(cache) == 300
        for number in (0, 1, 150, 299):
            found = known(cache, number)
            assert found is not None
            assert np.array_equal(found.values, values(number))
            assert found.dog == pytest.approx(number / 100)
            assert found.size == (number, 7)
            assert found.perceptual.tolist() == [number % 256] * 32
        assert known(cache, 300) is None
        assert cache.get(digest(0), VIEWS + 1, FEATURES) is None, "other views are other features"
        assert cache.notes == []
    with FeatureCache([tmp_path], "another key") as cache:
        assert known(cache, 0) is None


def test_an_unknown_dog_probability_stays_unknown(tmp_path: Path) -> None:
    with FeatureCache([tmp_path], "key") as cache:
        cache.add(digest(1), values(1), float("nan"), np.zeros(32, np.uint8), (1, 1))
    with FeatureCache([tmp_path], "key") as cache:
        found = known(cache, 1)
        assert found is not None
        assert np.isnan(found.dog)


def test_all_directories_are_read_and_each_is_written(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    fill(here, range(10))
    fill(there, range(10, 20))
    with FeatureCache([here, there], "key") as cache:
        assert all(known(cache, number) is not None for number in range(20))
        add(cache, range(20, 30))
    for folder in (here, there):
        with FeatureCache([folder], "key") as cache:
            assert known(cache, 25) is not None


def test_it_is_on_the_disk_every_few_seconds(tmp_path: Path) -> None:
    now = 0.0
    with FeatureCache([tmp_path], "key", flush_seconds=10, clock=lambda: now) as cache:
        add(cache, range(5))
        assert segments(tmp_path) == []
        now = 11.0
        add(cache, range(5, 6))
        assert len(segments(tmp_path)) == 1
        with FeatureCache([tmp_path], "key") as other:
            assert known(other, 5) is not None


@pytest.mark.parametrize("damage", ["cut short", "longer", "header", "digests", "empty"])
def test_a_damaged_segment_is_removed_and_the_others_stay(tmp_path: Path, damage: str) -> None:
    fill(tmp_path, range(10))
    (broken,) = segments(tmp_path)
    fill(tmp_path, range(10, 20))
    content = bytearray(broken.read_bytes())
    if damage == "cut short":
        del content[-1:]
    elif damage == "longer":
        content += b"more"
    elif damage == "header":
        content[5] ^= 1
    elif damage == "digests":
        content[30] ^= 1
    else:
        content.clear()
    broken.write_bytes(content)
    with FeatureCache([tmp_path], "key") as cache:
        assert known(cache, 3) is None
        assert known(cache, 13) is not None
        assert "was damaged and is removed" in cache.notes[0]
    assert not broken.exists()


def test_a_damaged_record_is_not_believed(tmp_path: Path) -> None:
    fill(tmp_path, range(10))
    (segment,) = segments(tmp_path)
    content = bytearray(segment.read_bytes())
    content[-1] ^= 1  # the last record's checksum
    content[-10] ^= 1  # and its values
    segment.write_bytes(content)
    with FeatureCache([tmp_path], "key") as cache:
        assert known(cache, 9) is None
        assert known(cache, 8) is not None


def test_a_killed_process_leaves_whole_segments_only(tmp_path: Path) -> None:
    program = (
        "from tests.training.test_cache import add, FeatureCache; from pathlib import Path; import sys\n"
        "cache = FeatureCache([Path(sys.argv[1])], 'key', flush_seconds=0)\n"
        "print('writes', flush=True)\n"
        "add(cache, range(1_000_000))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writes\n"
        deadline = time.monotonic() + 30
        while len(segments(tmp_path)) < 20 and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    with FeatureCache([tmp_path], "key") as cache:
        assert cache.notes == [], "nothing is damaged"
        assert len(cache) >= 20
        for number in range(len(cache)):
            found = known(cache, number)
            assert found is not None
            assert np.array_equal(found.values, values(number))


def test_two_that_write_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    one, other = (FeatureCache([tmp_path], "key", flush_seconds=0) for _ in range(2))
    for start in range(0, 40, 4):
        add(one, range(start, start + 4))
        add(other, range(start + 2, start + 6))
    one.close()
    other.close()
    with FeatureCache([tmp_path], "key") as cache:
        assert cache.notes == []
        assert len(cache) == 42


def test_more_segments_than_a_process_may_open_are_read_all_the_same(tmp_path: Path) -> None:
    with FeatureCache([tmp_path], "key", flush_seconds=0.0) as cache:
        add(cache, range(60))
    assert len(segments(tmp_path)) == 60
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 10, most))
    try:
        with FeatureCache([tmp_path], "key") as cache:
            assert all(known(cache, number) is not None for number in range(60))
            assert cache.notes == []
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def test_the_keys_used_longest_ago_make_room(tmp_path: Path) -> None:
    for age, key in enumerate(("newer", "oldest", "middle")):
        fill(tmp_path, range(50), key)
        when = 1_000_000 + {"newer": 300, "oldest": 100, "middle": 200}[key]
        os.utime(tmp_path / key, (when, when))
        assert age < 3
    size = segments(tmp_path, "newer")[0].stat().st_size
    fill(tmp_path, range(50), "mine", limit_bytes=int(2.5 * size))
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["mine", "newer"]
    fill(tmp_path, range(50, 250), "mine", limit_bytes=int(2.5 * size))
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.features")) <= 2.5 * size


def test_a_directory_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file where the folder should be")
    good = tmp_path / "good"
    with FeatureCache([taken, good], "key") as cache:
        add(cache, range(3))
        cache.flush()
        add(cache, range(3, 6))
    assert any(str(taken) in note for note in cache.notes)
    with FeatureCache([good], "key") as cache:
        assert known(cache, 5) is not None


def test_a_key_depends_on_every_part() -> None:
    keys = {key_of("a", "b"), key_of("ab"), key_of("b", "a"), key_of("a", "b", "")}
    assert len(keys) == 4
    assert all(key.isalnum() for key in keys)
