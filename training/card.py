"""The model's card: what a model says about itself, first in sentences, then in figures, complete for a page.

Keys: summary · name · created · backbone · head · data · metrics · calibration · is_dog · int8 · warm_start ·
distributed · hyperparameters · versions · evaluation (with a table of every class and a sparse confusion matrix).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from training.backbones import Backbone
from training.data import Dataset, Split, displayed
from training.evaluate import Agreement, Evaluation, Judged, dog_rates
from training.feature_table import FeatureTable
from training.head import Epoch, Trained
from training.model import DOG_REASON, DOG_THRESHOLD, make_card, utc_now
from training.network import Network
from training.report import Report
from training.report_text import counted
from training.settings import Settings
from training.weights import Weights

_DOGS_AMONG_TRAINING = 0.9
"""The dog threshold is only used where this share of the training photos passes it; real dog photos all do."""
_MEASURED = "efficientnet_lite0"
"""The backbone that the words of DOG_REASON were measured with."""


@dataclass(frozen=True)
class Results:
    """What a run has found out, before it is written down.

    `weights` are those of the model, fine-tuned or not; `tuned` are the epochs of fine-tuning, and `best` the epoch of
    head or fine-tuning that was kept. `warm` counts the labels that started from ImageNet's own weights, None for a
    cold start. `agreement` is None where INT8 was not compared, and `int8_reason` then says why. `processes` tells how
    the work was shared, `stopped` that somebody asked the run to end before its last epoch.
    """

    dataset: Dataset
    table: FeatureTable
    report: Report
    backbone: Backbone
    weights: Weights
    chosen: Settings
    trained: Trained
    judged: Judged
    warm: int | None
    agreement: Agreement | None
    int8_reason: str
    processes: Mapping[str, Any]
    stopped: bool
    tuned: tuple[Epoch, ...] = ()
    tuned_best: Epoch | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether the backbone is still what it was; fine-tuning may have been stopped, or never better."""
        return self.tuned_best is None

    @property
    def precision(self) -> str:
        """The numbers in which the backbone made what was learnt and judged: fp32 or int8."""
        return self.chosen.precision if self.is_frozen else "fp32"

    @property
    def served(self) -> str:
        """The numbers in which the model is served by default: fp32 or int8."""
        return "int8" if self.agreement is not None and self.agreement.accepted else "fp32"

    @property
    def best(self) -> Epoch:
        return self.trained.best if self.tuned_best is None else self.tuned_best


def describe(results: Results, now: Callable[[], datetime] = utc_now) -> dict[str, Any]:
    """The card, ready for JSON."""
    chosen, judged = results.chosen, results.judged
    is_dog = _is_dog(results)
    card = make_card(chosen.name or "trained", _data(results), _metrics(results), is_dog, now)
    versions = card.pop("versions")
    card |= {
        "backbone": _backbone(results),
        "head": _head(results),
        "calibration": {
            key: round(value, 6) if isinstance(value, float) else value
            for key, value in asdict(judged.calibration).items()
        },
        "int8": _int8(results),
        "warm_start": _warm_start(results),
        "distributed": dict(results.processes),
        "hyperparameters": asdict(chosen) | _epochs(results),
        "versions": versions,
        "evaluation": {
            "precision": results.precision,
            "test": judged.test.as_dict() if judged.test else None,
            "valid": judged.valid.as_dict() if judged.valid else None,
        },
    }
    return {"summary": list(_summary(results, is_dog)), **card}


def _epochs(results: Results) -> dict[str, Any]:
    """How many epochs there were and which was the best; those of fine-tuning are counted from 1 again."""
    found: dict[str, Any] = {"best_epoch": results.best.number, "epochs_run": len(results.trained.history)}
    if not results.is_frozen:
        found |= {"best_epoch": results.trained.best.number, "best_fine_tune_epoch": results.best.number}
    if results.tuned:
        found["fine_tune_epochs_run"] = len(results.tuned)
    return found | {"ended_early": _early_end(results)}


def _early_end(results: Results) -> str:
    """Which part of the run ended before its last epoch, and why; empty where none did."""
    chosen, head, tuned = results.chosen, len(results.trained.history), len(results.tuned)
    parts = [("head", head, chosen.epochs, results.trained.best.number)]
    if tuned or not (results.stopped or chosen.is_frozen):
        best = results.tuned_best.number if results.tuned_best else 0
        parts.append(("fine-tuning", tuned, chosen.fine_tune_epochs, best))
    ended = []
    for part, done, wanted, best in parts:
        if done < wanted:
            # A stop may also be heard after patience had ended it.
            is_tired = 0 < chosen.patience <= done - best
            why = f"no better for {chosen.patience} epochs (patience)" if is_tired else "stopped on request"
            ended.append(f"{part}: {done:,} of {wanted:,} epochs, {why}")
    if results.stopped and len(parts) == 1 and not chosen.is_frozen:
        ended.append("fine-tuning: not begun, stopped on request")
    return "; ".join(ended)


def _data(results: Results) -> dict[str, Any]:
    dataset = results.dataset
    found = results.report.as_dict()
    notes = [*dataset.notes]
    if results.stopped:
        done = len(results.tuned) if results.tuned else len(results.trained.history)
        wanted = results.chosen.fine_tune_epochs if results.tuned else results.chosen.epochs
        kind = "fine-tuning " if results.tuned else ""
        if done < wanted:
            notes.append(f"stopped on request after {done} of {wanted} {kind}epochs")
    if results.tuned and results.is_frozen:
        notes.append("fine-tuning never lowered the validation loss: the backbone is what it was")
    by_class = found.pop("classes")
    own = {
        "name": displayed(dataset.root.name),
        "classes": len(dataset.classes),
        "photos": {str(split): dataset.count(split) for split in Split},
    }
    return (
        own
        | {key: value for key, value in found.items() if key not in own}
        | {"notes": notes, "photos_by_class": by_class}
    )


def _metrics(results: Results) -> dict[str, float]:
    best, test = results.best, results.judged.test
    figures = {"train:loss": best.train.loss, "train:accuracy": best.train.accuracy}
    if best.valid:
        figures |= {"valid:loss": best.valid.loss, "valid:accuracy": best.valid.accuracy}
    if test:
        figures |= {"test:loss": test.loss, "test:accuracy": test.accuracy, "test:macro_f1": test.macro_f1}
        figures |= {} if test.top_5 is None else {"test:top_5": test.top_5}
    return {name: round(value, 6) for name, value in figures.items()}


def _backbone(results: Results) -> dict[str, Any]:
    backbone, chosen = results.backbone, results.chosen
    return {
        "name": backbone.name,
        "title": backbone.title,
        "weights": results.weights.words,
        "sha256": results.weights.digest,
        "input_size": backbone.input_size,
        "features": backbone.features,
        "frozen": results.is_frozen,
        "unfrozen_blocks": "0" if results.is_frozen else chosen.unfreeze,
        "precision": results.precision,
    }


def _head(results: Results) -> dict[str, Any]:
    head = results.trained.head
    arrays = (head.weight, head.bias, head.hidden_weight, head.hidden_bias)
    return {
        "kind": "linear" if head.is_linear else "one hidden layer",
        "hidden_units": 0 if head.hidden_bias is None else len(head.hidden_bias),
        "parameters": sum(array.size for array in arrays if array is not None),
        "maps": head.is_linear,
    }


def _is_dog(results: Results) -> dict[str, Any]:
    """The dog threshold with its measured rates, or none where it would say nothing (drawings, other animals)."""
    if not results.is_frozen:
        return _no_dogs("the backbone was fine-tuned, so ImageNet's dog classes are not what they were")
    dataset, dog = results.dataset, results.table.dog
    training = dog[dataset.rows(Split.TRAIN)]
    if not np.isfinite(training).any():
        return _no_dogs(f"these weights of {results.backbone.title} have no ImageNet classes")
    rates = dog_rates(dog, {str(split): dataset.rows(split) for split in Split}, DOG_THRESHOLD)
    share = rates[Split.TRAIN]["share"]
    if share < _DOGS_AMONG_TRAINING:
        reason = f"only {share:.0%} of the training photos look like dogs to the backbone, so it cannot tell here"
        return _no_dogs(reason) | {"rates": rates}
    words = DOG_REASON if results.backbone.name == _MEASURED else "more than half of ImageNet's probability is on dogs"
    return {"threshold": DOG_THRESHOLD, "reason": f"{words}; {share:.0%} of the training photos pass", "rates": rates}


def _no_dogs(reason: str) -> dict[str, Any]:
    return {"threshold": None, "reason": reason, "rates": {}}


def _int8(results: Results) -> dict[str, Any]:
    found = results.agreement
    if found is None or not found.photos:
        return {"default": False, "reason": results.int8_reason if found is None else found.reason}
    return {
        "default": found.accepted,
        "reason": found.reason,
        "photos": found.photos,
        "same": found.same,
        "accuracy_fp32": round(found.accuracy_fp32, 6),
        "accuracy_int8": round(found.accuracy_int8, 6),
    }


def _warm_start(results: Results) -> dict[str, Any]:
    labels = len(results.dataset.classes)
    if results.warm is None:
        if not results.chosen.warm_start:
            why = "warm_start is off"
        elif not Network(labels, results.backbone.features, results.chosen.hidden).takes_linear:
            why = f"its hidden layer starts from random weights, because it has fewer than {2 * labels} units"
        else:
            why = "these weights have no ImageNet classes"
        return {"matched": 0, "labels": labels, "reason": f"cold start: {why}"}
    found: dict[str, Any] = {"matched": results.warm, "labels": labels}
    if start := results.trained.start:
        found["before_training"] = {
            split: {key: round(value, 6) for key, value in asdict(score).items()} if score else None
            for split, score in (("train", start.train), ("valid", start.valid))
        }
    return found


# -- in sentences ------------------------------------------------------------------------------------------------------


def _summary(results: Results, is_dog: Mapping[str, Any]) -> Iterator[str]:
    dataset, judged = results.dataset, results.judged
    labels = len(dataset.classes)
    learnt = "" if results.is_frozen else " and fine-tuned"
    yield (
        f"Tells {counted(labels, 'class', 'classes')} apart, learnt{learnt} from "
        f"{counted(dataset.count(Split.TRAIN), 'photo')} "
        f"of {displayed(dataset.root.name)} on {results.backbone.title}."
    )
    if early := _early_end(results):
        best = "" if not results.tuned else "the head's " if results.is_frozen else "fine-tuning's "
        yield f"It ended early ({early}); {best}epoch {results.best.number}, the best, was kept."
    if judged.test:
        yield _accuracy("test", judged.test)
        if little := judged.test.too_little:
            yield little
    elif judged.valid:
        yield _accuracy("validation", judged.valid) + (
            " These photos also chose the best epoch, so expect a little less of new ones."
        )
    else:
        yield "Nobody knows how good it is: there were no validation and no test photos."
    if (worst := (judged.test or judged.valid)) and (mistakes := worst.mistakes(3)):
        named = ", ".join(f"{one['true']} for {one['predicted']} ({one['photos']})" for one in mistakes)
        yield f"It most often took {named}."
    calibration = judged.calibration
    if calibration.ece_before is None:
        yield "Its probabilities are uncalibrated: there were no validation photos."
    elif calibration.temperature == 1.0:
        yield (
            f"Its probabilities are off by {_percent(calibration.ece_before)} on average; no temperature made them "
            f"better (measured on {counted(calibration.photos, 'validation photo')})."
        )
    else:
        yield (
            f"Its probabilities were off by {_percent(calibration.ece_before)} on average and are off by "
            f"{_percent(calibration.ece_after or 0.0)} since its scores are divided by {calibration.temperature:.2f} "
            f"(fitted on {counted(calibration.photos, 'validation photo')})."
        )
    if results.warm is not None:
        yield f"{results.warm:,} of {labels:,} labels started from what ImageNet's own weights know."
    if is_dog["threshold"] is None:
        yield f"It cannot tell whether a photo shows a dog at all: {is_dog['reason']}."
    else:
        shares = ", ".join(f"{_percent(rate['share'])} of {split}" for split, rate in is_dog["rates"].items())
        yield f"A photo counts as a dog from a probability of {is_dog['threshold']:g}; photos that pass: {shares}."
    if results.agreement is not None:
        yield f"It is served in {_numbers(results.served)}: {results.agreement.reason}."
    elif results.int8_reason:
        yield f"It is served in fp32 only: {results.int8_reason}."
    if (judged.test or judged.valid) and results.served != results.precision:
        measured = f"Its accuracy and probabilities were measured in {_numbers(results.precision)}"
        yield f"{measured}, and it is served in {_numbers(results.served)}."
    yield from results.report.warnings()


def _accuracy(split: str, found: Evaluation) -> str:
    low, high = found.interval
    among = "" if found.top_5 is None else f", and among its first five for {_percent(found.top_5)}"
    return (
        f"Right for {_percent(found.accuracy)} of {counted(found.photos, f'{split} photo')} "
        f"(95% interval: {_percent(low)} to {_percent(high)}){among}; macro F1 {found.macro_f1:.3f}."
    )


def _numbers(precision: str) -> str:
    return "INT8" if precision == "int8" else precision


def _percent(share: float) -> str:
    return f"{share:.1%}"
