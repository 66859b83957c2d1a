"""Photos to features: in order, with bad ones named, whatever the threads do."""

import time
from pathlib import Path

import numpy as np
import pytest

from training.features import SAMPLE, Engine, extract_features
from training.inference import Array, Preprocessing
from training.sample_data import draw_dog


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("features")
    paths = []
    for number in range(11):
        paths.append(folder / f"{number:02d}.jpg")
        draw_dog("124.Poodle", number, size=64).save(paths[-1], "JPEG")
    paths[3].write_bytes(b"no photo")
    paths[10].write_bytes(b"")
    return paths


def means(pixels: Array) -> tuple[Array, Array]:
    """Stands for a network: each photo's mean, and logits that make every second one a dog."""
    time.sleep(0.002 * float(abs(pixels.mean()) % 1))
    imagenet = np.zeros((len(pixels), 1000), np.float32)
    imagenet[:, 200] = np.where(pixels.mean(axis=(1, 2, 3)) > 0, 20, -20)
    return pixels.mean(axis=(2, 3)), imagenet


@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (1, 4), (4, 2), (64, 3)])
def test_the_result_depends_on_the_photos_alone(photos: list[Path], batch: int, threads: int) -> None:
    told: list[int] = []
    found = extract_features(photos, Engine(means, batch), Preprocessing(), threads, told.append)
    readable = [path for number, path in enumerate(photos) if number not in (3, 10)]
    assert list(found.paths) == readable
    expected = np.stack([Preprocessing().load(path) for path in readable])
    assert np.allclose(found.values, expected.mean(axis=(2, 3)), atol=1e-5)
    assert np.array_equal(found.dog > 0.5, expected.mean(axis=(1, 2, 3)) > 0)
    assert np.array_equal(found.sample, expected[:SAMPLE])
    assert [(bad.path.name, bad.reason.split(":")[0]) for bad in found.unreadable] == [
        ("03.jpg", "This file is not a photo that can be read"),
        ("10.jpg", "This file is empty (0 bytes)"),
    ]
    assert told[-1] == len(photos)
    assert told == sorted(told)


def test_stopping_ends_the_work(photos: list[Path]) -> None:
    def stop(done: int) -> None:
        if done == 3:
            raise InterruptedError

    seen: list[int] = []

    def slow(pixels: Array) -> tuple[Array, Array]:
        seen.append(len(pixels))
        time.sleep(0.02)
        return means(pixels)

    with pytest.raises(InterruptedError):
        extract_features(photos, Engine(slow, 1), Preprocessing(), 1, stop)
    assert len(seen) < 9


def test_nothing_readable_gives_nothing(photos: list[Path]) -> None:
    found = extract_features([photos[3]], Engine(means, 1), Preprocessing(), 1, lambda done: None)
    assert found.paths == ()
    assert len(found.unreadable) == 1
    assert len(found.values) == len(found.sample) == 0
