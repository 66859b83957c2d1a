"""Train a breed classifier: `python -m training.train --data DIR --model-dir DIR`, or inside SageMaker's container.

The run: settings and photos are checked, every photo goes through the frozen backbone once, a linear head learns on
those features, the best epoch is tested and exported as a model folder (model.onnx, labels.json, preprocessing.json,
card.json, code/). Outside a container it is also packed as model.tar.gz. Every step prints lines that
training.metrics reads back.

Exit codes: 0 done; 1 failed, with one sentence on stderr and in <base>/output/failure; 143 stopped by SIGTERM before
there was a model. SIGTERM while the head trains keeps the best epoch so far: it is tested, exported, and the code is 0.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training import data, metrics, settings
from training.data import Dataset, Split
from training.errors import Stopped, TrainingError
from training.metrics import Stage
from training.settings import Paths, Settings

if TYPE_CHECKING:  # heavy modules, imported only after the settings and the photos were found good
    from training.features import Engine, FeatureTable
    from training.head import Photos, Trained

STOPPED = 128 + signal.SIGTERM
_SCAN_END, _FEATURES_END, _HEAD_END, _TEST_END = 0.01, 0.85, 0.95, 0.97
"""How far the whole run is when these stages end."""
_REPORT_SECONDS = 1.0


class Stop:
    """Remembers that somebody asked the run to stop."""

    def __init__(self) -> None:
        self.requested = False

    def request(self, number: int, frame: object) -> None:
        self.requested = True

    def check(self) -> None:
        """Raises Stopped when it was asked for."""
        if self.requested:
            raise Stopped("The run was stopped before there was a model to keep.")


def train(chosen: Settings, paths: Paths, stop: Stop, clock: Callable[[], float] = time.monotonic) -> dict[str, Any]:
    """Run the training and write the model folder; returns the model's card. Raises TrainingError, OSError."""
    _progress(0.0, Stage.SCAN, 0, 1, "folders")
    dataset = data.scan(paths.data, chosen.seed)
    counts = {split: dataset.count(split) for split in Split}
    _say(
        f"{len(dataset.classes)} classes, {len(dataset.files)} photos in {paths.data}: "
        + ", ".join(f"{split} {count}" for split, count in counts.items())
    )
    paths.model.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=paths.model):
        pass  # a folder that cannot be written to is better found before the work than after it
    features = _features(dataset, chosen, stop, clock)
    for bad in features.unreadable:
        _say(f"skipped {bad.file}: {bad.reason}")
    dataset, kept = data.without(dataset, features.readable)
    features.keep(kept)
    for note in dataset.notes:
        _say(f"note: {note}")
    splits = _by_split(dataset, features)
    trained = _head(dataset, splits, chosen, stop, clock)
    tested = _test(trained, splits[Split.TEST])
    from training import export

    _progress(_TEST_END, Stage.EXPORT, 0, 1, "models")
    card = export.describe(dataset, features, chosen, trained, tested, stop.requested)
    export.write(dataset, features, trained, card, paths)
    _progress(1.0, Stage.EXPORT, 1, 1, "models", 0.0)
    _say(f"model written to {paths.model}")
    return card


def _features(dataset: Dataset, chosen: Settings, stop: Stop, clock: Callable[[], float]) -> "FeatureTable":
    from training.features import extract_features
    from training.inference import Preprocessing

    photos = dataset.files
    _progress(_SCAN_END, Stage.FEATURES, 0, len(photos), "photos")
    engine = _engine(chosen.engine)
    last_report = began = clock()

    def on_photos(done: int) -> None:
        nonlocal last_report
        stop.check()
        now = clock()
        if now - last_report >= _REPORT_SECONDS or done == len(photos):
            last_report = now
            remaining = (now - began) / done * (len(photos) - done)
            fraction = _SCAN_END + (_FEATURES_END - _SCAN_END) * done / len(photos)
            _progress(fraction, Stage.FEATURES, done, len(photos), "photos", remaining)

    return extract_features(
        dataset.root, photos, engine, Preprocessing(), views=1, threads=chosen.threads, on_photos=on_photos, cache=None
    )


def _engine(name: str) -> "Engine":
    from training.architecture import FEATURES
    from training.features import Engine

    if name == "torch":
        from training.torch_engine import BATCH, torch_engine

        return Engine(torch_engine().features, BATCH, FEATURES, "torch")
    from training.graph import build_graph
    from training.inference import onnx_session
    from training.weights import packaged_weights

    # One thread a call: the calls themselves are parallel.
    session = onnx_session(build_graph(packaged_weights(), None).SerializeToString(), threads=1)

    def extract(pixels: Any) -> Any:
        return session.run(["features", "imagenet"], {"pixels": pixels})

    return Engine(extract, 1, FEATURES, "onnx")


def _by_split(dataset: Dataset, features: "FeatureTable") -> dict[Split, "Photos"]:
    from training.head import Photos

    return {
        split: Photos(features.values[dataset.rows(split), 0], dataset.targets[dataset.rows(split)]) for split in Split
    }


def _head(
    dataset: Dataset, splits: Mapping[Split, "Photos"], chosen: Settings, stop: Stop, clock: Callable[[], float]
) -> "Trained":
    from training.head import Epoch, train_head
    from training.torch_engine import default_device

    began = clock()

    def on_epoch(epoch: Epoch) -> None:
        valid = (epoch.valid.loss, epoch.valid.accuracy) if epoch.valid else None
        train_score = (epoch.train.loss, epoch.train.accuracy)
        _say(metrics.epoch_line(epoch.number, chosen.epochs, train_score, valid))
        remaining = (clock() - began) / epoch.number * (chosen.epochs - epoch.number)
        fraction = _FEATURES_END + (_HEAD_END - _FEATURES_END) * epoch.number / chosen.epochs
        _progress(fraction, Stage.HEAD, epoch.number, chosen.epochs, "epochs", remaining)

    stop.check()
    trained = train_head(
        splits[Split.TRAIN],
        splits[Split.VALID],
        len(dataset.classes),
        chosen,
        on_epoch,
        lambda: stop.requested,
        default_device(),
    )
    if len(trained.history) < chosen.epochs:
        _say(f"stopped after epoch {len(trained.history)}: epoch {trained.best.number}, the best so far, is kept")
    return trained


def _test(trained: "Trained", photos: "Photos") -> dict[str, float]:
    from training.head import score_head

    if not len(photos):
        return {}
    _progress(_HEAD_END, Stage.TEST, 0, len(photos), "photos")
    score = score_head(trained.head, photos)
    for line in metrics.test_lines(score.loss, score.accuracy):
        _say(line)
    return {"test:loss": score.loss, "test:accuracy": score.accuracy}


def _say(line: str) -> None:
    print(line, flush=True)


def _progress(
    fraction: float, stage: Stage, done: int, total: int, unit: str, eta_seconds: float | None = None
) -> None:
    _say(metrics.progress_line(fraction, stage, done, total, unit, eta_seconds))


def _fail(paths: Paths | None, base: Path | None, sentence: str) -> int:
    """Say why on stderr and, inside a container, where SageMaker looks for the failure reason."""
    print(sentence, file=sys.stderr, flush=True)
    failure = paths.failure if paths else base and base / "output" / "failure"
    if failure is not None:
        failure.parent.mkdir(parents=True, exist_ok=True)
        # SageMaker shows the first 1,024 characters.
        failure.write_text(sentence[:1024], encoding="utf-8")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.train",
        description="Train a breed classifier on a folder of train/ valid/ test/ with one folder of photos a breed.",
        epilog="Exit code: 0 done (or stopped by SIGTERM with a model kept), 1 failed, 143 stopped without a model.",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="the data set; wins over SM_CHANNEL_TRAINING")
    parser.add_argument("--model-dir", type=Path, metavar="DIR", help="where the model goes; wins over SM_MODEL_DIR")
    parser.add_argument("--base", type=Path, metavar="DIR", help="the container contract's base (/opt/ml there)")
    for name, allowed in settings.RANGES.items():
        usual = getattr(Settings, name)
        words = f"{allowed.help}, {allowed.low:g} to {allowed.high:,.0f} (default: {usual:g})"
        parser.add_argument(f"--{name.replace('_', '-')}", f"--{name}", dest=name, help=words)
    parser.add_argument("--engine", help="what runs the backbone: onnx or torch (default: onnx)")
    parser.add_argument("--name", help="the model's name in its card (default: the training job's name)")
    return parser


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    options = vars(_parser().parse_args(arguments))
    stop = Stop()
    before = signal.signal(signal.SIGTERM, stop.request)
    try:
        return _run(options, environ, stop)
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(options: dict[str, Any], environ: Mapping[str, str], stop: Stop) -> int:
    paths: Paths | None = None
    base: Path | None = None
    data_flag, model_flag, base_flag = (options.pop(name) for name in ("data", "model_dir", "base"))
    try:
        # With both folders on the command line nothing of a container is asked for, unless its base is named too.
        alone = data_flag and model_flag and not base_flag and not environ.get("KENNEL_BASE")
        base = None if alone else settings.find_base(base_flag, environ)
        paths = settings.find_paths(base, data_flag, model_flag, environ)
        chosen = settings.read_settings(base, environ, options)
        settings.check_hosts(base)
        settings.check_channel(base, paths.data)
        train(chosen, paths, stop)
    except Stopped as error:
        print(error, file=sys.stderr, flush=True)
        return STOPPED
    except TrainingError as error:
        return _fail(paths, base, str(error))
    except OSError as error:
        what = f"{error.filename} cannot" if error.filename else "A file cannot"
        why = error.strerror or str(error)
        return _fail(paths, base, f"{what} be read or written ({why}): check the path and the free space.")
    except Exception as error:  # noqa: BLE001 - whatever happened, SageMaker has to be told
        traceback.print_exc()
        return _fail(paths, base, f"The training failed unexpectedly: {type(error).__name__}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
