"""Fine-tuning: it learns, goes on where it stopped to the bit, and gives with two processes what it gives with one."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.conftest import ROOT, THREE_BREEDS, clean_environment
from training.backbones import build_model, get, has_imagenet, load_weights
from training.checkpoint import Checkpoints, State
from training.data import Dataset, Split, scan
from training.distributed import ALONE
from training.errors import BadDataset, BadSettings, Diverged
from training.fine_tune import FineTuned, Step, fine_tune
from training.graph import Head
from training.head import Epoch, Score
from training.inference import onnx_session
from training.sample_data import write_dataset
from training.settings import Settings
from training.trainable import Precision
from training.weights import Weights

LITE0 = get("efficientnet_lite0")
CHOSEN = Settings(
    batch_size=4, unfreeze="2", fine_tune_epochs=2, fine_tune_learning_rate=1e-3, amp="off", num_workers=2, seed=3
)
BEFORE = Epoch(7, Score(1.1, 0.3), Score(1.1, 0.3))
"""What the head is said to have reached before."""


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Torch's threads wait for each other at full speed: on a machine with other work that takes ten times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three breeds: 10 drawn photos for training, some for validation."""
    folder = tmp_path_factory.mktemp("few") / "dogs"
    write_dataset(folder, photos_per_breed=5, seed=5, size=200, breeds=THREE_BREEDS)
    found = scan(folder)
    assert found.count(Split.TRAIN) % 4, "the last step has to be a small one"
    assert found.count(Split.VALID)
    return found


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load_weights(LITE0, "", Path())


def cold_head(classes: int = 3, hidden: int = 0) -> Head:
    chance = np.random.default_rng(4)

    def some(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return (chance.normal(size=shape) * 0.02).astype(np.float32)

    if not hidden:
        return Head(some(classes, 1280), some(classes))
    return Head(some(classes, hidden), some(classes), None, some(hidden, 1280), some(hidden))


Tune = Callable[..., FineTuned]


@pytest.fixture(scope="module")
def tune(dataset: Dataset, weights: Weights) -> Tune:
    def run(
        settings: Settings = CHOSEN,
        *,
        head: Head | None = None,
        resume: State | None = None,
        stop_after: int | None = None,
        keep: Callable[[Step, Callable[[], State]], None] = lambda step, state: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> FineTuned:
        taken = 0

        def on_step(step: Step, state: Callable[[], State]) -> None:
            nonlocal taken
            taken += 1
            keep(step, state)

        return fine_tune(
            dataset, LITE0, weights, head or cold_head(), settings,
            start=BEFORE, group=ALONE, on_epoch=lambda epoch, state: None,
            on_step=on_step, should_stop=lambda: stop_after is not None and taken >= stop_after,
            resume=resume, threads=2, clock=clock,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def whole(tune: Tune) -> FineTuned:
    """Two epochs, never interrupted."""
    return tune()


def same(one: FineTuned, other: FineTuned) -> bool:
    arrays, others = one.weights.arrays, other.weights.arrays
    return (
        one.history == other.history
        and np.array_equal(one.head.weight, other.head.weight)
        and np.array_equal(one.head.bias, other.head.bias)
        and all(np.array_equal(arrays[name], others[name]) for name in arrays)
    )


def changed(found: FineTuned, before: Weights) -> set[str]:
    return {name for name, value in found.weights.arrays.items() if not np.array_equal(value, before.arrays[name])}


def test_it_learns_and_only_the_last_blocks_change(whole: FineTuned, weights: Weights) -> None:
    assert [epoch.number for epoch in whole.history] == [1, 2]
    assert whole.history[1].train.loss < whole.history[0].train.loss
    assert whole.best.valid is not None
    assert whole.precision is Precision.FP32
    different = changed(whole, weights)
    assert {name.split(".")[0] for name in different} == {"_blocks", "_conv_head", "_bn1"}
    assert {name.split(".")[1] for name in different if name.startswith("_blocks")} == {"14", "15"}
    assert not any("running" in name for name in different), "the statistics of batch norms are frozen"


def test_the_exported_model_gives_the_scores_of_the_tuned_one(whole: FineTuned, dataset: Dataset) -> None:
    files = dataset.files[:4]
    expected = whole.scores(files)
    session = onnx_session(build_model(LITE0, whole.weights, whole.head).SerializeToString())
    assert [output.name for output in session.get_outputs()] == ["scores", "features", "maps"]
    assert not has_imagenet(whole.weights), "a changed backbone can no longer tell dogs by ImageNet's classes"
    pixels = np.stack([LITE0.preprocessing.load(dataset.root / file) for file in files])
    scores, maps = session.run(["scores", "maps"], {"pixels": pixels})
    assert np.abs(scores - expected).max() <= 1e-3 * np.abs(expected).max()
    assert np.abs(maps.mean(axis=(2, 3)) - scores).max() <= 1e-3 * np.abs(expected).max()


def test_the_same_seed_gives_the_same_bits(whole: FineTuned, tune: Tune) -> None:
    assert same(tune(), whole)
    assert not same(tune(replace(CHOSEN, seed=4)), whole)


@pytest.mark.parametrize("steps", [1, 3, 4])
def test_a_resumed_run_ends_as_the_uninterrupted_one(
    whole: FineTuned, tune: Tune, tmp_path: Path, steps: int, weights: Weights
) -> None:
    kept: list[Step] = []
    checkpoints = Checkpoints(tmp_path, "one")

    def keep(step: Step, state: Callable[[], State]) -> None:
        kept.append(step)
        assert checkpoints.save("tune", state())

    tune(stop_after=steps, keep=keep)
    assert kept[-1] == kept[-2] == Step(steps, kept[-1].total), "a stop is told too, with the last whole step"
    assert same(tune(resume=checkpoints.load("tune")), whole)


def test_a_stop_keeps_the_best_so_far(tune: Tune, weights: Weights) -> None:
    found = tune(stop_after=0)
    assert found.scores([]).shape == (0, 3)
    assert found.history == ()
    assert found.best.number == 0
    assert found.best.train == BEFORE.train
    assert np.array_equal(found.head.weight, cold_head().weight)
    assert found.weights is weights


def test_in_bf16_it_learns_too_and_stays_in_it_when_resumed(tune: Tune, weights: Weights) -> None:
    # A clock on which every pass in fp32 takes ten seconds, and every one in bf16 one.
    readings = [float(now) for start in (0, 10, 20) for now in (start, start + 10)] + [0.0, 1.0] * 3
    states: list[State] = []
    settings = replace(CHOSEN, amp="auto", fine_tune_epochs=1)
    found = tune(settings, clock=iter(readings).__next__, keep=lambda step, state: states.append(state()))
    assert found.precision is Precision.BF16
    assert found.history[0].valid is not None
    assert np.isfinite(found.history[0].valid.loss)
    resumed = tune(settings, resume=states[0])
    assert resumed.precision is Precision.BF16, "measured again, it might have come out otherwise"
    assert same(resumed, found)


def test_small_batches_add_up_to_a_large_one(tune: Tune) -> None:
    settings = replace(CHOSEN, fine_tune_epochs=1)
    together = tune(replace(settings, batch_size=8))
    added = tune(replace(settings, batch_size=2, accumulate=4))
    assert np.abs(together.head.weight - added.head.weight).max() < 1e-5
    for name, value in together.weights.arrays.items():
        assert np.abs(value - added.weights.arrays[name]).max() < 1e-4, name


def test_clipping_shortens_the_gradient(tune: Tune) -> None:
    """AdamW hardly minds the length of a gradient; a clip to almost nothing meets its ε and the step gets small."""
    settings = replace(CHOSEN, fine_tune_epochs=1)
    free, clipped = tune(settings), tune(replace(settings, clip=1e-9))
    moved = [np.abs(found.head.weight - cold_head().weight).mean() for found in (free, clipped)]
    assert moved[1] < moved[0] / 3


def test_all_of_it_learns_with_a_hidden_head_smoothing_and_weights(tune: Tune, weights: Weights) -> None:
    head = cold_head(hidden=8)
    found = tune(
        replace(
            CHOSEN,
            unfreeze="all",
            fine_tune_epochs=1,
            fine_tune_learning_rate=1e-4,
            label_smoothing=0.1,
            class_weights="balanced",
        ),
        head=head,
    )
    assert {"_conv_stem.weight", "_blocks.0._depthwise_conv.weight"} <= changed(found, weights)
    assert found.head.hidden_weight is not None
    assert head.hidden_weight is not None
    assert not np.array_equal(found.head.hidden_weight, head.hidden_weight)


def test_a_loss_that_is_no_number_ends_it_and_says_where(tune: Tune) -> None:
    with pytest.raises(Diverged, match="epoch 1, step 2: start again with a fine_tune_learning_rate below 1e"):
        tune(replace(CHOSEN, fine_tune_learning_rate=1e30))


def test_a_start_that_gives_no_numbers_is_refused(tune: Tune) -> None:
    with pytest.raises(Diverged, match="before fine-tuning has changed anything"):
        tune(head=replace(cold_head(), bias=np.array([3e38, -3e38, 3e38], np.float32)))


def test_more_blocks_than_there_are_are_refused(tune: Tune) -> None:
    with pytest.raises(BadSettings, match="unfreeze is 17, but EfficientNet-Lite0 has 16 blocks"):
        tune(replace(CHOSEN, unfreeze="17"))


def test_a_photo_that_vanished_is_named(tune: Tune, dataset: Dataset) -> None:
    path = dataset.path(0)
    body = path.read_bytes()
    path.write_bytes(b"no photo")
    try:
        with pytest.raises(BadDataset, match=f"{path.name} could be read before"):
            tune(replace(CHOSEN, fine_tune_epochs=1))
    finally:
        path.write_bytes(body)


WORKER = """
import sys, json
from dataclasses import replace
from pathlib import Path
import numpy as np
from tests.training.test_fine_tune import BEFORE, CHOSEN, LITE0, cold_head
from training.backbones import load_weights
from training.data import scan
from training.distributed import join
from training.fine_tune import fine_tune
group = join()
found = fine_tune(
    scan(Path(sys.argv[1])), LITE0, load_weights(LITE0, "", Path()), cold_head(), CHOSEN, start=BEFORE, group=group,
    on_epoch=lambda epoch, state: None, on_step=lambda step, state: None, should_stop=lambda: False, resume=None,
    threads=1,
)
np.savez(f"{sys.argv[2]}.{group.rank}.npz", weight=found.head.weight, **found.weights.arrays)
group.close()
"""


def test_two_processes_give_the_model_of_one(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    for processes in (1, 2):
        done = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes),
             str(tmp_path / "worker.py"), str(dataset.root), str(tmp_path / f"found{processes}")],
            cwd=ROOT, env=clean_environment(PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1"), capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
    alone, first, second = (np.load(tmp_path / f"{name}.npz") for name in ("found1.0", "found2.0", "found2.1"))
    for name in first.files:
        assert np.array_equal(first[name], second[name]), name
        assert np.abs(first[name] - alone[name]).max() <= 1e-5, name
