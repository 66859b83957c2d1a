"""The head: it learns, warm or cold, the same to the bit for the same seed, interrupted or not, alone or shared."""

import dataclasses
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training import backbones
from training.breeds import imagenet_classes
from training.checkpoint import Checkpoints, State
from training.distributed import ALONE, Group
from training.engines import build_engine
from training.errors import Diverged, Stopped
from training.graph import Head
from training.head import Epoch, Photos, Trained, score_head, train_head, warm_head
from training.network import head_scores
from training.preprocessing import Array
from training.settings import Settings


def blobs(count: int, seed: int, classes: int = 4, noise: float = 1.0, views: int = 1) -> Photos:
    """Points around one centre a class, with features of very different sizes; each view is one more point."""
    centres = np.random.default_rng(99).normal(size=(classes, 32)).astype(np.float32)
    chance = np.random.default_rng(seed)
    targets = np.arange(count, dtype=np.int64) % classes
    scale = np.geomspace(0.01, 10, 32, dtype=np.float32)
    points = centres[targets][:, None] + noise * chance.normal(size=(count, views, 32)).astype(np.float32)
    return Photos((points * scale + 5).astype(np.float32), targets)


NONE = Photos(np.zeros((0, 1, 32), np.float32), np.zeros(0, np.int64))


def run(settings: Settings, train: Photos, valid: Photos = NONE, **options: Any) -> Trained:
    told = {
        "start": None,
        "group": ALONE,
        "on_epoch": lambda epoch, state: None,
        "should_stop": lambda: False,
        "resume": None,
    }
    return train_head(train, valid, int(train.targets.max()) + 1, settings, **(told | options))


def same_bits(one: Head, other: Head) -> bool:
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(Head)]
    return all((a is None and b is None) or np.array_equal(a, b) for a, b in pairs)


# -- learning ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("learning_rate", [0.001, 0.02, 0.1])
@pytest.mark.parametrize("batch_size", [32, 512])
@pytest.mark.parametrize("hidden", [0, 64])
def test_it_learns_over_the_whole_range_that_people_tune(learning_rate: float, batch_size: int, hidden: int) -> None:
    settings = Settings(learning_rate=learning_rate, batch_size=batch_size, hidden=hidden, epochs=30)
    trained = run(settings, blobs(400, 1), blobs(100, 2))
    assert trained.history[-1].train.loss < trained.history[0].train.loss
    assert score_head(trained.head, blobs(200, 3)).accuracy > 0.9


def test_a_hidden_layer_learns_what_no_linear_head_can() -> None:
    """Two classes in opposite corners of a square (exclusive or)."""
    chance = np.random.default_rng(0)
    points = chance.uniform(-1, 1, size=(600, 1, 2)).astype(np.float32)
    photos = Photos(points, (points[:, 0, 0] * points[:, 0, 1] > 0).astype(np.int64))
    settings = Settings(epochs=60, learning_rate=0.05)
    assert run(settings, photos).best.train.accuracy < 0.7
    assert run(dataclasses.replace(settings, hidden=32), photos).best.train.accuracy > 0.95


@pytest.mark.parametrize("hidden", [0, 16])
def test_the_head_works_on_raw_features(hidden: int) -> None:
    trained = run(Settings(epochs=5, hidden=hidden), blobs(200, 1), blobs(50, 2))
    again = score_head(trained.head, blobs(50, 2))
    assert trained.best.valid is not None
    assert (again.loss, again.accuracy) == (trained.best.valid.loss, trained.best.valid.accuracy)
    assert trained.head.is_linear is (hidden == 0)


def test_the_epoch_with_the_lowest_validation_loss_is_kept() -> None:
    settings = Settings(learning_rate=0.5, epochs=12, batch_size=8, weight_decay=0)
    trained = run(settings, blobs(24, 1, noise=3), blobs(200, 2, noise=3))
    losses = [epoch.valid.loss for epoch in trained.history if epoch.valid]
    assert trained.best.number == 1 + int(np.argmin(losses))
    assert trained.best.number < len(trained.history)


def test_without_validation_photos_the_last_epoch_is_kept() -> None:
    trained = run(Settings(epochs=4), blobs(40, 1))
    assert trained.best.number == 4
    assert trained.best.valid is None


def test_patience_ends_a_training_that_only_gets_worse() -> None:
    settings = Settings(learning_rate=0.5, epochs=200, batch_size=8, weight_decay=0)
    photos = blobs(24, 1, noise=3), blobs(200, 2, noise=3)
    patient = run(dataclasses.replace(settings, patience=5), *photos)
    assert len(patient.history) == patient.best.number + 5 < 200
    assert len(run(dataclasses.replace(settings, epochs=12), *photos).history) == 12


def test_other_views_of_the_photos_teach_more() -> None:
    """Each view is another point around the same centre, so that few photos overfit less."""
    settings = Settings(epochs=60, batch_size=16, weight_decay=0)
    many = blobs(24, 1, noise=2.5, views=6)
    one = Photos(many.features[:, :1], many.targets)
    unseen = blobs(2000, 3, noise=2.5)
    seen = [score_head(run(settings, photos).head, unseen).accuracy for photos in (one, many)]
    assert seen[1] > seen[0] + 0.03


def test_balanced_weights_help_the_rare_class() -> None:
    chance = np.random.default_rng(0)
    targets = np.repeat(np.array([0, 1], np.int64), [380, 20])
    points = (chance.normal(size=(400, 1, 8)) + targets[:, None, None]).astype(np.float32)
    photos = Photos(points, targets)

    def found(settings: Settings) -> float:
        scores = head_scores(run(settings, photos).head, points[:, 0])
        return float((scores.argmax(axis=1)[targets == 1] == 1).mean())

    plain, balanced = found(Settings(epochs=20)), found(Settings(epochs=20, class_weights="balanced"))
    assert balanced > plain + 0.1


def test_smoothed_labels_keep_the_scores_modest() -> None:
    photos = blobs(200, 1, noise=0.3)
    spread = [
        float(np.ptp(head_scores(run(Settings(epochs=60, label_smoothing=share), photos).head, photos.features[:, 0])))
        for share in (0.0, 0.1)
    ]
    assert spread[1] < spread[0]


def test_features_that_never_vary_do_no_harm() -> None:
    photos = blobs(80, 1)
    photos.features[:, :, :8] = 3.0
    trained = run(Settings(epochs=20), photos)
    assert np.isfinite(trained.head.weight).all()
    assert score_head(trained.head, photos).accuracy > 0.8


# -- the same seed, the same bits --------------------------------------------------------------------------------------

FULL = Settings(
    epochs=6, batch_size=16, seed=1, label_smoothing=0.1, class_weights="balanced", learning_rate=0.05, weight_decay=0.1
)


@pytest.mark.parametrize("hidden", [0, 16])
def test_a_seed_decides_everything(hidden: int) -> None:
    settings = dataclasses.replace(FULL, hidden=hidden)
    photos = blobs(100, 1, views=3), blobs(40, 2)
    first, same = run(settings, *photos), run(settings, *photos)
    assert same_bits(first.head, same.head)
    assert first.history == same.history
    assert not same_bits(first.head, run(dataclasses.replace(settings, seed=2), *photos).head)


@pytest.mark.parametrize("hidden", [0, 16])
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("stop_after", [1, 3, 6])
def test_a_resumed_run_ends_with_the_bits_of_the_uninterrupted_one(
    tmp_path: Path, hidden: int, warm: bool, stop_after: int
) -> None:
    settings = dataclasses.replace(FULL, hidden=hidden, patience=4)
    photos = blobs(100, 1, views=3), blobs(40, 2)
    start = Head(np.eye(4, 32, dtype=np.float32), np.zeros(4, np.float32)) if warm else None
    whole = run(settings, *photos, start=start)
    kept = Checkpoints(tmp_path, "this run")
    seen: list[int] = []

    def on_epoch(epoch: Epoch, state: Callable[[], State]) -> None:
        seen.append(epoch.number)
        if epoch.number == stop_after:
            kept.save("head", state())

    # The stop comes in the middle of the epoch after that: nothing of it may leak into the checkpoint.
    stops = iter([False] * (7 * stop_after + 3) + [True] * 1000)
    run(settings, *photos, start=start, on_epoch=on_epoch, should_stop=lambda: next(stops))
    assert seen == list(range(1, stop_after + 1))
    resumed = run(settings, *photos, start=start, resume=Checkpoints(tmp_path, "this run").load("head"))
    assert same_bits(resumed.head, whole.head)
    assert (resumed.history, resumed.best, resumed.start) == (whole.history, whole.best, whole.start)


def test_a_state_stays_that_of_its_epoch_however_late_it_is_asked_for() -> None:
    states: list[tuple[State, Callable[[], State]]] = []
    run(FULL, blobs(100, 1), on_epoch=lambda epoch, state: states.append((state(), state)))
    for early, ask in states:
        assert early.facts == ask().facts
        assert all(np.array_equal(early.arrays[name], ask().arrays[name]) for name in early.arrays)
    assert [len(state.facts["epochs"]) for state, _ in states] == [1, 2, 3, 4, 5, 6]
    assert not np.array_equal(states[0][0].arrays["parameters"], states[1][0].arrays["parameters"])
    json.dumps(states[-1][0].facts)


# -- several processes -------------------------------------------------------------------------------------------------


class Threads(Group):
    """One of several ranks that are threads of this process: sums in the order of the ranks, as a real group does."""

    def __init__(self, rank: int, size: int, shared: dict[int, NDArray[Any]], barrier: threading.Barrier) -> None:
        self.rank, self.size = rank, size
        self._shared, self._barrier = shared, barrier

    def sum(self, array: NDArray[Any]) -> None:
        self._shared[self.rank] = array.copy()
        self._barrier.wait(timeout=20)
        total = sum(self._shared[rank] for rank in range(1, self.size)) + self._shared[0]
        self._barrier.wait(timeout=20)
        array[:] = total


def together(size: int, work: Callable[[Group], Any]) -> list[Any]:
    """What `work` gives in each of `size` ranks."""
    shared: dict[int, NDArray[Any]] = {}
    barrier = threading.Barrier(size)
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(lambda rank: work(Threads(rank, size, shared, barrier)), range(size)))


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("hidden", [0, 16])
def test_several_processes_give_the_model_of_one(size: int, hidden: int) -> None:
    """101 photos in batches of 16: neither the last batch nor the photos can be shared out evenly."""
    settings = dataclasses.replace(FULL, hidden=hidden, epochs=10)
    photos = blobs(101, 1, views=3), blobs(41, 2)
    alone = run(settings, *photos)
    found: list[Trained] = together(size, lambda group: run(settings, *photos, group=group))
    for trained in found:
        assert same_bits(trained.head, found[0].head)
        assert trained.history == found[0].history
        assert trained.best.number == alone.best.number
        ours, theirs = (head_scores(one.head, photos[1].features[:, 0]) for one in (trained, alone))
        assert np.abs(ours - theirs).max() < 1e-5
        assert np.abs(trained.head.weight - alone.head.weight).max() < 1e-5 * np.abs(alone.head.weight).max()


def test_more_processes_than_photos_in_a_batch_do_no_harm() -> None:
    settings = dataclasses.replace(FULL, batch_size=2, epochs=3)
    alone = run(settings, blobs(9, 1))
    found: list[Trained] = together(4, lambda group: run(settings, blobs(9, 1), group=group))
    assert np.abs(found[3].head.weight - alone.head.weight).max() < 1e-5 * np.abs(alone.head.weight).max()


def test_all_processes_stop_when_one_is_told_to() -> None:
    """A signal may reach one process a moment before the other: neither may wait for the other for ever."""

    def work(group: Group) -> int:
        told: list[int] = []

        def should_stop() -> bool:
            told.append(1)
            return group.rank == 1 and len(told) > 20

        return len(
            run(dataclasses.replace(FULL, epochs=50), blobs(100, 1), group=group, should_stop=should_stop).history
        )

    assert together(2, work) == [2, 2]


# -- stopping and failing ----------------------------------------------------------------------------------------------


def test_a_stop_drops_the_epoch_under_way_and_keeps_the_best_before() -> None:
    stops = iter([False] * 17 + [True] * 100)
    trained = run(dataclasses.replace(FULL, epochs=50), blobs(100, 1), should_stop=lambda: next(stops))
    assert len(trained.history) == trained.best.number == 2
    assert same_bits(trained.head, run(dataclasses.replace(FULL, epochs=50), blobs(100, 1), should_stop=_after(2)).head)


def _after(epochs: int, steps: int = 7) -> Callable[[], bool]:
    stops = iter([False] * (epochs * steps) + [True])
    return lambda: next(stops)


def test_a_stop_before_there_is_anything_says_so() -> None:
    with pytest.raises(Stopped, match="before there was a model to keep"):
        run(FULL, blobs(40, 1), should_stop=lambda: True)


def test_a_warm_start_is_something_to_keep() -> None:
    start = Head(np.eye(4, 32, dtype=np.float32), np.zeros(4, np.float32))
    trained = run(FULL, blobs(40, 1), start=start, should_stop=lambda: True)
    assert trained.best.number == 0
    assert np.abs(trained.head.weight - start.weight).max() < 1e-5


def test_a_loss_that_is_no_number_stops_names_the_step_and_leaves_the_last_good_state(tmp_path: Path) -> None:
    """From the second epoch on one photo's scores are larger than a float can be."""
    photos, kept = blobs(100, 1), Checkpoints(tmp_path, "this run")

    def on_epoch(epoch: Epoch, state: Callable[[], State]) -> None:
        kept.save("head", state())
        photos.features[50] = np.finfo(np.float32).max

    with pytest.raises(Diverged, match=r"epoch 2, step \d: start again with a learning_rate below 0\.05"):
        run(FULL, photos, on_epoch=on_epoch)
    good = kept.load("head")
    assert good is not None
    assert len(good.facts["epochs"]) == 1
    assert np.isfinite(good.arrays["parameters"]).all()


def test_features_that_are_no_numbers_are_named_as_the_cause() -> None:
    photos = blobs(100, 1)
    photos.features[50] = np.nan
    with pytest.raises(Diverged, match=r"epoch 1, step 1, because the backbone gave no numbers for a photo"):
        run(Settings(), photos)


def test_a_validation_loss_that_is_no_number_is_found_too() -> None:
    valid = blobs(20, 2)
    valid.features[3] = np.inf
    with pytest.raises(Diverged, match="epoch 1, step 7"):
        run(FULL, blobs(100, 1), valid)


# -- warm start --------------------------------------------------------------------------------------------------------


def test_a_warm_head_knows_what_imagenet_knows() -> None:
    chance = np.random.default_rng(0)
    weight, bias = chance.normal(size=(1000, 8)).astype(np.float32), chance.normal(size=1000).astype(np.float32)
    labels = ["Dalmatian", "Poodle", "Akita", "cat"]
    head, matched = warm_head(labels, weight, bias)
    assert matched == 2
    assert np.array_equal(head.weight[0], weight[251])
    assert np.allclose(head.weight[1], weight[265:268].mean(axis=0))
    assert head.bias[1] == pytest.approx(bias[265:268].mean() + np.log(3), abs=1e-6)
    assert np.allclose(head.weight[2], weight[151:269].mean(axis=0), atol=1e-6)
    assert np.allclose(head.weight[3], np.delete(weight, range(151, 269), axis=0).mean(axis=0), atol=1e-6)


def test_weight_decay_pulls_a_warm_head_back_to_its_start() -> None:
    start = Head(np.eye(4, 32, dtype=np.float32), np.zeros(4, np.float32))

    def gone(decay: float) -> float:
        settings = Settings(epochs=20, weight_decay=decay, learning_rate=0.1)
        return float(np.abs(run(settings, blobs(100, 1), start=start).head.weight - start.weight).mean())

    assert gone(1.0) < 0.8 * gone(0.0)


@pytest.mark.parametrize("hidden", [8, 64])
def test_a_hidden_layer_can_start_warm_too(hidden: int) -> None:
    start = run(Settings(epochs=30), blobs(400, 1)).head
    trained = run(Settings(epochs=3, hidden=hidden), blobs(40, 2), blobs(200, 3), start=start)
    cold = run(Settings(epochs=3, hidden=hidden), blobs(40, 2), blobs(200, 3))
    assert trained.start is not None
    assert trained.start.valid is not None
    assert trained.start.valid.loss == pytest.approx(score_head(start, blobs(200, 3)).loss, rel=1e-5)
    assert trained.best.valid is not None
    assert cold.best.valid is not None
    assert trained.best.valid.loss < 0.5 * cold.best.valid.loss
    assert not trained.head.is_linear


def test_a_hidden_layer_too_small_for_a_warm_start_is_refused() -> None:
    start = Head(np.eye(4, 32, dtype=np.float32), np.zeros(4, np.float32))
    with pytest.raises(ValueError, match="two units for each class"):
        run(Settings(hidden=7), blobs(40, 1), start=start)


def test_a_start_that_training_only_worsens_is_kept() -> None:
    """The start is the best head there is; the training photos have their labels shuffled."""
    photos = blobs(100, 1)
    good = run(Settings(epochs=30), photos, blobs(100, 2)).head
    shuffled = Photos(photos.features, np.roll(photos.targets, 1))
    trained = run(Settings(epochs=5), shuffled, blobs(100, 2), start=good)
    assert trained.best.number == 0
    assert trained.best == trained.start
    assert len(trained.history) == 5
    assert np.abs(trained.head.weight - good.weight).max() < 1e-4


RealPhotos = list[tuple[Path, str, bool]]


@pytest.fixture(scope="module")
def dogs(photos: RealPhotos) -> tuple[list[str], Photos]:
    """The real dogs' labels and features, in three views."""
    from training.features import VIEWS
    from training.images import load_photo

    backbone = backbones.get("efficientnet_lite0")
    engine = build_engine(backbone, backbones.load_weights(backbone, "", Path()), "onnx", "fp32")
    prepared = backbone.preprocessing
    known = [(path, label) for path, label, is_dog in photos if is_dog]
    labels = sorted({label for _, label in known})
    features: list[Array] = []
    for path, _ in known:
        photo = load_photo(path.read_bytes(), target_short_side=prepared.short_side)
        crops = [prepared.values(prepared.cropped(photo, v.left, v.top), v.mirrored) for v in VIEWS[:3]]
        features.append(engine.extract(np.stack(crops))[0])
    return labels, Photos(np.stack(features), np.array([labels.index(label) for _, label in known], np.int64))


@pytest.mark.parametrize("hidden", [0, 64])
def test_a_warm_start_beats_a_cold_one_on_real_photos(
    dogs: tuple[list[str], Photos], hidden: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each photo is left out once, and judged by heads that learnt on the 36 others.

    Breeds with a single photo are left out of the count: a cold head has never seen them, so it could not be right.
    """
    labels, photos = dogs
    backbone = backbones.get("efficientnet_lite0")
    found = backbones.imagenet_head(backbone, backbones.load_weights(backbone, "", Path()))
    assert found is not None
    start, matched = warm_head(labels, *found)
    assert matched == sum(bool(classes) for classes in imagenet_classes(labels)) == len(labels) - 1
    right, loss = {"warm": 0, "cold": 0}, {"warm": 0.0, "cold": 0.0}
    again = [row for row in range(len(photos)) if (photos.targets == photos.targets[row]).sum() > 1]
    for row in again:
        rest = np.arange(len(photos)) != row
        others, left_out = (Photos(photos.features[rows], photos.targets[rows]) for rows in (rest, ~rest))
        for name, head in (("warm", start), ("cold", None)):
            trained = train_head(
                others, Photos(photos.features[:0], photos.targets[:0]), len(labels), Settings(views=3, hidden=hidden),
                start=head, group=ALONE, on_epoch=lambda epoch, state: None, should_stop=lambda: False, resume=None,
            )  # fmt: skip
            score = score_head(trained.head, left_out)
            right[name] += int(score.accuracy)
            loss[name] += score.loss / len(again)
    with capsys.disabled():
        print(
            f"\nleave-one-out over {len(again)} real photos, {f'{hidden} hidden units' if hidden else 'linear head'}: "
            f"warm start {right['warm']} right, loss {loss['warm']:.3f}; "
            f"cold start {right['cold']} right, loss {loss['cold']:.3f}"
        )
    assert right["warm"] > right["cold"]
    assert loss["warm"] < loss["cold"]
