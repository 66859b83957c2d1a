"""Copies of a photo are found, and different photos, real or drawn, are never taken for copies."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from training.images import load_photo
from training.perceptual import BITS, NEAR, Hashes, near, perceptual_hash
from training.preprocessing import Preprocessing


def hashed(source: bytes | Path) -> Hashes:
    """As training does it: decoded small, cut to the middle."""
    return perceptual_hash(Preprocessing().cropped(load_photo(source, target_short_side=256)))


def encoded(photo: Image.Image, form: str = "JPEG", quality: int = 85) -> bytes:
    target = io.BytesIO()
    photo.save(target, form, quality=quality)
    return target.getvalue()


def copies(photo: Image.Image) -> Iterator[tuple[str, bytes]]:
    width, height = photo.size
    yield "poor JPEG", encoded(photo, quality=30)
    yield "WebP", encoded(photo, "WEBP", 60)
    yield "PNG", encoded(photo, "PNG")
    yield "half the size", encoded(photo.resize((width // 2, height // 2), Image.Resampling.LANCZOS))
    yield "an odd size", encoded(photo.resize((int(width * 0.83), int(height * 0.83)), Image.Resampling.BICUBIC))
    yield "double the size", encoded(photo.resize((width * 2, height * 2), Image.Resampling.BICUBIC))
    yield "brighter", encoded(ImageEnhance.Brightness(photo).enhance(1.1))
    yield "darker", encoded(ImageEnhance.Brightness(photo).enhance(0.85))
    yield "more contrast", encoded(ImageEnhance.Contrast(photo).enhance(1.2))
    yield "grey", encoded(photo.convert("L"))


def differing(one: Hashes, other: Hashes) -> int:
    return int(np.unpackbits(one ^ other).sum())


def test_copies_of_real_photos_are_found_and_no_two_photos_are_taken_for_one(
    photos: list[tuple[Path, str, bool]],
) -> None:
    originals = np.stack([hashed(path) for path, _, _ in photos])
    assert near(originals).tolist() == []
    for path, _, _ in photos[::6]:
        for change, copy in copies(load_photo(path)):
            assert differing(hashed(path), hashed(copy)) <= NEAR, (path.name, change)


def test_drawn_pictures_are_told_apart_and_their_copies_found(drawn_dataset: Path) -> None:
    files = sorted(drawn_dataset.rglob("*.jpg"))
    originals = np.stack([hashed(path) for path in files])
    assert near(originals).tolist() == []
    for path in files[::40]:
        for change, copy in copies(load_photo(path)):
            assert differing(hashed(path), hashed(copy)) <= NEAR, (path.name, change)


def test_a_hash_takes_any_picture() -> None:
    for size in ((1, 1), (5, 300), (224, 224), (260, 260), (299, 299)):
        assert perceptual_hash(Image.new("RGB", size, (200, 10, 30))).tolist() == [0] * 32
    slope = Image.linear_gradient("L")
    assert differing(perceptual_hash(slope), perceptual_hash(slope.convert("RGB"))) == 0
    assert differing(perceptual_hash(slope), perceptual_hash(slope.rotate(180))) > 0


def test_pairs_are_those_that_counting_bits_one_by_one_finds() -> None:
    random = np.random.default_rng(7)
    hashes = random.integers(0, 256, (2600, 32), dtype=np.uint8)  # more than one block
    expected = set()
    for number in range(60):
        original, copy = sorted(random.choice(2600, 2, replace=False).tolist())
        bits = np.unpackbits(hashes[original])
        bits[random.choice(BITS, number // 2, replace=False)] ^= 1
        hashes[copy] = np.packbits(bits)
    for row in range(len(hashes)):
        distances = np.unpackbits(hashes[row + 1 :] ^ hashes[row], axis=1).sum(axis=1)
        expected |= {(row, row + 1 + int(other)) for other in np.flatnonzero(distances <= 20)}
    found = near(hashes, 20)
    assert len(expected) > 30
    assert {(int(a), int(b)) for a, b in found} == expected
    assert len(found) == len(expected)


def test_where_everything_looks_alike_the_search_ends() -> None:
    assert len(near(np.zeros((3000, 32), np.uint8), most=1500)) == 1500


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_for_a_pair(count: int) -> None:
    assert near(np.zeros((count, 32), np.uint8)).shape == (0, 2)


def test_a_large_set_is_searched_in_no_time() -> None:
    hashes = np.random.default_rng(0).integers(0, 256, (8000, 32), dtype=np.uint8)
    assert min(_seconds(hashes) for _ in range(3)) < 2.0  # 0.7 on two cores, which is 0.4 s


def _seconds(hashes: Hashes) -> float:
    """Seconds of the processor's time, which do not depend on what else runs here."""
    began = time.process_time()
    near(hashes)
    return time.process_time() - began
