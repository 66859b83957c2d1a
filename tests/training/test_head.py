"""The linear head: it learns, it is the same for the same seed, it says when it diverges."""

import numpy as np
import pytest
import torch

from training.errors import Diverged
from training.head import Epoch, Photos, Trained, score_head, train_head
from training.settings import Settings

CPU = torch.device("cpu")


def blobs(count: int, seed: int, classes: int = 4, noise: float = 1.0) -> Photos:
    """Points around one centre a class, with features of very different sizes."""
    centres = np.random.default_rng(99).normal(size=(classes, 32)).astype(np.float32)
    chance = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % classes
    scale = np.geomspace(0.01, 10, 32, dtype=np.float32)
    points = centres[labels] + noise * chance.normal(size=(count, 32)).astype(np.float32)
    return Photos((points * scale + 5).astype(np.float32), labels)


def run(settings: Settings, train: Photos, valid: Photos, **options: object) -> tuple[Trained, list[Epoch]]:
    seen: list[Epoch] = []
    stop = options.get("stop", lambda: False)
    return train_head(train, valid, 4, settings, seen.append, stop, CPU), seen  # type: ignore[arg-type]


NONE = Photos(np.zeros((0, 32), np.float32), np.zeros(0, np.int64))


@pytest.mark.parametrize("learning_rate", [0.001, 0.02, 0.1])
@pytest.mark.parametrize("batch_size", [32, 512])
def test_it_learns_over_the_whole_range_that_people_tune(learning_rate: float, batch_size: int) -> None:
    settings = Settings(learning_rate=learning_rate, batch_size=batch_size, epochs=30)
    trained, seen = run(settings, blobs(400, 1), blobs(100, 2))
    assert seen[-1].train.loss < seen[0].train.loss
    assert score_head(trained.head, blobs(200, 3)).accuracy > 0.9


def test_the_head_works_on_raw_features(monkeypatch: pytest.MonkeyPatch) -> None:
    trained, seen = run(Settings(epochs=5), blobs(200, 1), blobs(50, 2))
    again = score_head(trained.head, blobs(50, 2))
    assert trained.best.valid is not None
    assert again.loss == pytest.approx(trained.best.valid.loss, abs=1e-4)
    assert again.accuracy == pytest.approx(trained.best.valid.accuracy)
    assert len(seen) == 5


def test_a_seed_decides_everything() -> None:
    first, _ = run(Settings(epochs=3, seed=1, batch_size=16), blobs(100, 1), NONE)
    same, _ = run(Settings(epochs=3, seed=1, batch_size=16), blobs(100, 1), NONE)
    other, _ = run(Settings(epochs=3, seed=2, batch_size=16), blobs(100, 1), NONE)
    assert np.array_equal(first.head.weight, same.head.weight)
    assert not np.array_equal(first.head.weight, other.head.weight)


def test_the_epoch_with_the_lowest_validation_loss_is_kept() -> None:
    settings = Settings(learning_rate=0.5, epochs=12, batch_size=8, weight_decay=0)
    trained, seen = run(settings, blobs(24, 1, noise=3), blobs(200, 2, noise=3))
    losses = [epoch.valid.loss for epoch in seen if epoch.valid]
    assert trained.best.number == 1 + int(np.argmin(losses))
    assert trained.best.number < len(seen)


def test_without_validation_photos_the_last_epoch_is_kept() -> None:
    trained, _ = run(Settings(epochs=4), blobs(40, 1), NONE)
    assert trained.best.number == 4
    assert trained.best.valid is None


def test_a_stop_ends_after_the_epoch_under_way() -> None:
    trained, seen = run(Settings(epochs=50), blobs(40, 1), NONE, stop=lambda: True)
    assert len(seen) == len(trained.history) == 1


def test_a_loss_that_is_no_number_stops_and_names_the_step() -> None:
    photos = blobs(100, 1)
    photos.features[50] = np.nan
    with pytest.raises(Diverged, match=r"epoch 1, step 1: start again with a learning_rate below 0.02"):
        run(Settings(), photos, NONE)


def test_features_that_never_vary_do_no_harm() -> None:
    photos = blobs(80, 1)
    photos.features[:, :8] = 3.0
    trained, _ = run(Settings(epochs=20), photos, NONE)
    assert np.isfinite(trained.head.weight).all()
    assert score_head(trained.head, photos).accuracy > 0.8
