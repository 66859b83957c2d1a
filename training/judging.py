"""From what was learnt to a model folder: judged on photos it did not learn from, compared in INT8, and written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training import card, quantise
from training.backbones import Backbone, build_model
from training.cache import FeatureCache
from training.data import Dataset, Split
from training.engines import FP32, INT8, onnx_engine
from training.errors import BadSettings
from training.evaluate import Agreement, agreement, judge
from training.export import export
from training.feature_table import FeatureTable
from training.features import cache_key, extract_features
from training.graph import Head
from training.head import Epoch, Trained
from training.metrics import Stage, test_lines
from training.network import head_scores
from training.preprocessing import Array
from training.report import Report
from training.settings import Settings
from training.surroundings import Surroundings
from training.weights import Weights

_COMPARED = {INT8: 100, FP32: 67}
"""Photos at most that the other precision sees for the comparison, by that precision: fp32 takes twice as long.

Of so many, three and two may have another first class.
"""
_JUDGED = (Split.VALID, Split.TEST)


@dataclass(frozen=True)
class Learnt:
    """What the run ends with. `scores` are those of photos given by their rows: [k] → [k, C]."""

    weights: Weights
    head: Head
    scores: Callable[[Sequence[int]], Array]
    fine_tuned: tuple[Epoch, ...] = ()
    best: Epoch | None = None
    """The best epoch of fine-tuning; None when there was none, or none that was better than the start."""


def frozen(weights: Weights, head: Head, table: FeatureTable) -> Learnt:
    """A head on the features that are there already."""

    def scores(rows: Sequence[int]) -> Array:
        # The rows of a split are one run: looked at where they are, a copy of them would be a table of its own.
        lie_together = isinstance(rows, range) and rows.step == 1
        return head_scores(head, table.values[slice(rows[0], rows[-1] + 1) if rows and lie_together else list(rows), 0])

    return Learnt(weights, head, scores)


def finish(
    dataset: Dataset,
    table: FeatureTable,
    report: Report,
    backbone: Backbone,
    trained: Trained,
    learnt: Learnt,
    warm: int | None,
    processes: Mapping[str, Any],
    here: Surroundings,
) -> None:
    """Judge the model, write its folder, and say how good it is. Raises TrainingError, OSError."""
    reporter = here.reporter
    rows = {split: range(*dataset.rows(split).indices(len(dataset.files))) for split in Split}
    judged_photos = len(rows[Split.VALID]) + len(rows[Split.TEST])
    reporter.begin(Stage.TEST, judged_photos, "photos")
    valid, test = ((learnt.scores(rows[split]), dataset.targets[dataset.rows(split)]) for split in _JUDGED)
    judged = judge(valid, test, dataset.labels)
    if judged.test:
        for line in test_lines(judged.test.loss, judged.test.accuracy):
            reporter.say(line)
    model = build_model(backbone, learnt.weights, learnt.head)
    graph = model.SerializeToString()
    reason = _why_no_int8(backbone, learnt, here.chosen)
    int8 = None if reason else quantise.quantised_model(model).SerializeToString()
    found = compare_int8(dataset, table, backbone, learnt, (graph, int8), here) if int8 is not None else None
    reporter.begin(Stage.EXPORT, 1, "models")
    results = card.Results(
        dataset=dataset,
        table=table,
        report=report,
        backbone=backbone,
        weights=learnt.weights,
        chosen=here.chosen,
        trained=trained,
        judged=judged,
        warm=warm,
        agreement=found,
        int8_reason=reason,
        processes=processes,
        stopped=here.stop.requested,
        tuned=learnt.fine_tuned,
        tuned_best=learnt.best,
    )
    described = card.describe(results)
    export(
        results,
        described,
        here.paths,
        graph=graph,
        int8=int8 if found is not None and found.accepted else None,
        expected=learnt.scores(table.sample_rows.tolist()),
        wheels=wheels(here.chosen.wheels),
    )
    reporter.reached(Stage.EXPORT, 1, 1, "models")
    for sentence in described["summary"]:
        reporter.say(sentence)
    reporter.say(f"model written to {here.paths.model}")


def _why_no_int8(backbone: Backbone, learnt: Learnt, chosen: Settings) -> str:
    """Empty where the model can be served in INT8 if it then answers the same."""
    if chosen.int8 == "off":
        return "int8 is off"
    if learnt.best is not None:
        return "the backbone was fine-tuned, so the ranges that INT8 needs are not those that were measured"
    if not quantise.supports(backbone.name):
        return f"the ranges that INT8 needs have not been measured for {backbone.title}"
    return ""


def compare_int8(
    dataset: Dataset,
    table: FeatureTable,
    backbone: Backbone,
    learnt: Learnt,
    graphs: tuple[bytes, bytes],
    here: Surroundings,
) -> Agreement:
    """How far the model's two graphs, fp32 and int8, agree on validation photos.

    The features of one of them are in the table.
    """
    photos = dataset.rows(Split.VALID)
    every = np.arange(photos.start, photos.stop)
    # Spread over all classes, which lie one behind the other.
    other = INT8 if here.chosen.precision == FP32 else FP32
    rows = every[np.linspace(0, len(every) - 1, min(_COMPARED[other], len(every))).round().astype(np.int64)]
    engine = onnx_engine(lambda: graphs[other == INT8], backbone, learnt.weights, other)
    with FeatureCache(here.paths.caches, cache_key(engine, backbone.preprocessing, 1)) as cache:
        files = [dataset.files[row] for row in rows]
        compared = extract_features(
            dataset.root, files, engine, backbone.preprocessing, threads=here.threads, cache=cache
        )
    # A photo that has gone since is no disagreement.
    rows, values = rows[compared.readable], compared.values[compared.readable, 0]
    own, others = learnt.scores(rows.tolist()), head_scores(learnt.head, values)
    scores32, scores8 = (own, others) if other == INT8 else (others, own)
    return agreement(scores32, scores8, dataset.targets[rows])


def wheels(folder: str) -> list[Path]:
    """The wheels to carry in the model. Raises BadSettings when a folder was named and holds none."""
    if not folder:
        return []
    found = sorted(Path(folder).glob("*.whl"))
    if not found:
        raise BadSettings(
            f"wheels is {folder}, but there is no .whl file: `pip download -d {folder} …` puts some there."
        )
    return found
