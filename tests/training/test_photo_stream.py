"""Photos for fine-tuning: in the order they were asked for, each in the crop that its row and epoch decide."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from training.errors import BadDataset
from training.features import View
from training.photo_stream import PhotoStream, random_view
from training.preprocessing import Preprocessing
from training.sample_data import BREEDS, draw_dog

SMALL = Preprocessing(short_side=40, crop=32)


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[PhotoStream]:
    """Six drawn photos, 0.png to 5.png."""
    for number, breed in enumerate(list(BREEDS)[:6]):
        draw_dog(breed, number, 64).save(tmp_path / f"{number}.png")
    with ThreadPoolExecutor(max_workers=3) as pool:
        yield PhotoStream(tmp_path, SMALL, pool)


def test_batches_come_in_their_order(stream: PhotoStream) -> None:
    order = [[5], [0, 3], [1, 1, 4], [2], [0]]
    found = list(stream.batches([[(f"{number}.png", View()) for number in batch] for batch in order]))
    assert [len(batch) for batch in found] == [1, 2, 3, 1, 1]
    for numbers, pixels in zip(order, found, strict=True):
        for number, values in zip(numbers, pixels, strict=True):
            assert np.array_equal(values, SMALL.load(stream.root / f"{number}.png"))


def test_a_view_is_cut_and_mirrored(stream: PhotoStream) -> None:
    views = [View(), View(mirrored=True), View(0.0, 1.0)]
    (found,) = stream.batches([[("0.png", view) for view in views]])
    assert np.array_equal(found[1], found[0][:, :, ::-1])
    assert not np.array_equal(found[2], found[0])


def test_a_view_follows_from_seed_epoch_and_row_alone() -> None:
    assert random_view(1, 2, 3) == random_view(1, 2, 3)
    views = {random_view(seed, epoch, row) for seed in (0, 1) for epoch in (1, 2) for row in range(50)}
    assert len(views) == 200
    assert 60 < sum(view.mirrored for view in views) < 140
    assert all(0 <= place <= 1 for view in views for place in (view.left, view.top))


def test_a_photo_that_is_gone_is_named_and_ends_it(stream: PhotoStream) -> None:
    (stream.root / "3.png").unlink()
    batches = stream.batches([[(f"{number}.png", View())] for number in range(6)])
    with pytest.raises(BadDataset, match=r"3.png could be read before, but not while fine-tuning: "):
        list(batches)
