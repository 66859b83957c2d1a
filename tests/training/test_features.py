"""Photos to features: in the data set's order, with bad ones named, whatever the threads do."""

import hashlib
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from training.cache import FeatureCache
from training.distributed import Group
from training.features import SAMPLE, VIEWS, Engine, cache_key, extract_features
from training.inference import Array, Preprocessing
from training.perceptual import perceptual_hash
from training.sample_data import draw_dog

BAD = (3, 10)
SMALL = Preprocessing(short_side=40, crop=32)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    for number in range(11):
        draw_dog("124.Poodle", number, size=64 if number else 700).save(folder / f"{number:02d}.jpg", "JPEG")
    (folder / "03.jpg").write_bytes(b"no photo")
    (folder / "10.jpg").write_bytes(b"")
    return folder


FILES = tuple(f"{number:02d}.jpg" for number in range(11))
READABLE = [number for number in range(11) if number not in BAD]


def means(pixels: Array) -> tuple[Array, Array]:
    """Stands for a network: each photo's means, and logits that make the brighter ones dogs."""
    time.sleep(0.002 * float(abs(pixels.mean()) % 1))
    imagenet = np.zeros((len(pixels), 1000), np.float32)
    imagenet[:, 200] = np.where(pixels.mean(axis=(1, 2, 3)) > 0, 20, -20)
    return pixels.mean(axis=(2, 3)), imagenet


def engine(batch: int = 1) -> Engine:
    return Engine(means, batch, 3, "means")


@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (1, 4), (4, 2), (64, 3)])
def test_the_result_depends_on_the_photos_alone(root: Path, batch: int, threads: int) -> None:
    told: list[int] = []
    found = extract_features(root, FILES, engine(batch), SMALL, threads=threads, on_photos=told.append)
    assert list(np.flatnonzero(found.readable)) == READABLE
    expected = np.stack([SMALL.load(root / FILES[row]) for row in READABLE])
    assert found.values.shape == (11, 1, 3)
    assert np.allclose(found.values[READABLE, 0], expected.mean(axis=(2, 3)), atol=1e-5)
    assert not found.values[list(BAD)].any()
    assert np.array_equal(found.dog[READABLE] > 0.5, expected.mean(axis=(1, 2, 3)) > 0)
    assert list(found.sample_rows) == READABLE[:SAMPLE]
    assert np.array_equal(found.sample, expected[:SAMPLE])
    assert [(bad.file, bad.reason.split(":")[0]) for bad in found.unreadable] == [
        ("03.jpg", "This file is not a photo that can be read"),
        ("10.jpg", "This file is empty (0 bytes)"),
    ]
    assert told[-1] == len(FILES)
    assert told == sorted(told)


def test_photos_are_told_apart_by_content_and_by_look(root: Path) -> None:
    found = extract_features(root, FILES, engine(), SMALL, threads=2)
    first = (root / FILES[0]).read_bytes()
    assert found.digests[0].tobytes() == hashlib.sha256(first).digest()
    with Image.open(root / FILES[0]) as photo:
        assert tuple(found.sizes[0]) == photo.size, "the file's own size, although it was decoded smaller"
        assert photo.width > 2 * SMALL.short_side
    with Image.open(root / FILES[1]) as photo:
        assert np.array_equal(found.hashes[1], perceptual_hash(SMALL.cropped(photo.convert("RGB"))))


def test_views_are_the_centre_its_mirror_image_and_crops(root: Path) -> None:
    def columns(pixels: Array) -> tuple[Array, None]:
        """Features that tell left from right and top from bottom."""
        return np.concatenate([pixels.mean(axis=(1, 2)), pixels.mean(axis=(1, 3))], axis=1), None

    of_columns = Engine(columns, 8, 64, "columns")
    found = extract_features(root, FILES, of_columns, SMALL, views=len(VIEWS), threads=2)
    one = extract_features(root, FILES, of_columns, SMALL, views=1)
    assert np.array_equal(found.values[:, :1], one.values)
    across, down = found.values[0, :, :32], found.values[0, :, 32:]
    assert np.allclose(across[1], across[0][::-1], atol=1e-5)
    assert np.allclose(down[1], down[0], atol=1e-5)
    assert not np.allclose(across[1], across[0], atol=1e-2)
    for view in range(2, len(VIEWS)):
        assert not any(np.allclose(found.values[0, view], found.values[0, other], atol=1e-3) for other in range(view))
    assert np.isnan(found.dog[READABLE]).all(), "without an ImageNet head nobody knows about dogs"


def test_photos_that_are_not_learnt_from_are_looked_at_once(root: Path, tmp_path: Path) -> None:
    counted: list[int] = []

    def counts(pixels: Array) -> tuple[Array, Array]:
        counted.append(len(pixels))
        return engine().extract(pixels)

    counting = Engine(counts, 8, 3, "means")
    whole = extract_features(root, FILES, engine(), SMALL, views=4)
    augmented = 2
    key = cache_key(counting, SMALL, 4)
    with FeatureCache([tmp_path], key) as cache:
        found = extract_features(root, FILES, counting, SMALL, views=4, augmented=augmented, threads=2, cache=cache)
    assert sum(counted) == 4 * augmented + (len(READABLE) - augmented)
    assert np.array_equal(found.values[:augmented], whole.values[:augmented])
    assert np.array_equal(found.values[:, 0], whole.values[:, 0])
    assert not found.values[augmented:, 1:].any()
    assert np.array_equal(found.dog, whole.dog)
    with FeatureCache([tmp_path], key) as cache:
        again = extract_features(root, FILES, counting, SMALL, views=4, augmented=augmented, threads=2, cache=cache)
    assert again.from_cache == len(READABLE)
    assert np.array_equal(again.values, found.values)


def test_stopping_ends_the_work(root: Path) -> None:
    def stop(done: int) -> None:
        if done == 3:
            raise InterruptedError

    seen: list[int] = []

    def slow(pixels: Array) -> tuple[Array, Array]:
        seen.append(len(pixels))
        time.sleep(0.02)
        return means(pixels)

    before = threading.active_count()
    with pytest.raises(InterruptedError):
        extract_features(root, FILES, Engine(slow, 1, 3, "slow"), SMALL, on_photos=stop)
    assert len(seen) < 9
    assert threading.active_count() == before


def test_an_engine_that_fails_ends_the_work(root: Path) -> None:
    def broken(pixels: Array) -> tuple[Array, Array]:
        raise RuntimeError("no kernel")

    with pytest.raises(RuntimeError, match="no kernel"):
        extract_features(root, FILES, Engine(broken, 1, 3, "broken"), SMALL, threads=3)


def test_nothing_readable_gives_nothing(root: Path) -> None:
    found = extract_features(root, [FILES[3]], engine(), SMALL)
    assert len(found.unreadable) == 1
    assert not found.readable.any()
    assert len(found.sample) == len(found.sample_rows) == 0


def test_dropping_rows_keeps_the_others_in_order_and_in_place(root: Path) -> None:
    found = extract_features(root, FILES, engine(), SMALL)
    whole = extract_features(root, FILES, engine(), SMALL)
    mask = found.readable.copy()
    mask[0] = False
    memory = found.values
    found.keep(mask)
    assert len(found) == mask.sum() == len(found.values)
    assert np.shares_memory(found.values, memory)
    for name in ("values", "dog", "digests", "hashes", "sizes", "readable"):
        assert np.array_equal(getattr(found, name), getattr(whole, name)[mask])
    assert list(found.sample_rows) == [0, 1, 2]
    assert np.array_equal(found.sample, whole.sample[1:])


class Together(Group):
    """Stands for several processes: threads that meet in every sum."""

    def __init__(self, rank: int, size: int, meeting: threading.Barrier, parts: list[NDArray[Any]]) -> None:
        self.rank, self.size, self.meeting, self.parts = rank, size, meeting, parts

    def sum(self, array: NDArray[Any]) -> None:
        self.parts[self.rank] = array.copy()
        self.meeting.wait()
        array[...] = sum(self.parts[1:], self.parts[0])
        self.meeting.wait()


def test_the_shards_of_several_processes_make_one_table(root: Path) -> None:
    whole = extract_features(root, FILES, engine(), SMALL)
    shards = [extract_features(root, FILES, engine(), SMALL, shard=(rank, 3)) for rank in range(3)]
    assert [int(shard.readable.sum()) for shard in shards] == [3, 3, 3]
    meeting, parts = threading.Barrier(3, timeout=20), [np.zeros(0)] * 3
    ranks = [
        threading.Thread(target=shard.gather, args=(Together(rank, 3, meeting, parts),))
        for rank, shard in enumerate(shards)
    ]
    for thread in ranks:
        thread.start()
    for thread in ranks:
        thread.join()
    for shard in shards:
        for name in ("values", "dog", "digests", "hashes", "sizes", "readable"):
            assert np.array_equal(getattr(shard, name), getattr(whole, name)), name
        assert shard.unreadable == whole.unreadable


def test_a_second_run_decodes_nothing(root: Path, tmp_path: Path) -> None:
    def refuses(pixels: Array) -> tuple[Array, Array]:
        raise AssertionError("a known photo was run again")

    key = cache_key(engine(), SMALL, 2)
    with FeatureCache([tmp_path], key) as cache:
        first = extract_features(root, FILES, engine(), SMALL, views=2, threads=2, cache=cache)
    assert first.from_cache == 0
    with FeatureCache([tmp_path], key) as cache:
        known = Engine(refuses, 1, 3, "means")
        second = extract_features(root, FILES, known, SMALL, views=2, threads=2, cache=cache)
    assert second.from_cache == len(READABLE)
    for name in ("values", "dog", "digests", "hashes", "sizes", "readable", "sample", "sample_rows"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    assert first.unreadable == second.unreadable


def test_only_the_table_grows_with_the_photos(root: Path, tmp_path: Path) -> None:
    features = 1280
    wide = Engine(lambda pixels: (np.zeros((len(pixels), features), np.float32), None), 4, features, "wide")

    def peak(photos: int, key: str) -> int:
        files = [FILES[1 + number % 2] for number in range(photos)]
        tracemalloc.start()
        try:
            with FeatureCache([tmp_path], key) as cache:
                # One thread: with two, the moment in which both hold a decoded photo is chance.
                extract_features(root, files, wide, SMALL, threads=1, cache=cache)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(50, "warm-up")
    grown = peak(1800, "many") - peak(900, "few")
    assert grown <= 900 * features * 4 * 1.1


def test_another_way_to_make_features_has_another_key() -> None:
    keys = {
        cache_key(engine(), SMALL, 1),
        cache_key(engine(), SMALL, 2),
        cache_key(engine(), Preprocessing(), 1),
        cache_key(Engine(means, 1, 3, "others"), SMALL, 1),
    }
    assert len(keys) == 4
