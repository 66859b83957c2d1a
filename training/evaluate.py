"""How good a model is, said honestly: accuracy with its uncertainty, every class, every mistake, its probabilities."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.calibration import Array, Calibration, Targets, calibrate, expected_calibration_error, probabilities
from training.calibration import fit_temperature as fit_temperature

TOP = 5
SAME_AT_LEAST = 0.97
"""INT8 is served where it gives the same first class for at least this share of the photos …"""
LOWER_AT_MOST = 0.02
"""… and is right at most this much less often."""
MARGIN = (
    f"the same first class for at least {SAME_AT_LEAST:.0%} of the photos, "
    f"and an accuracy at most {LOWER_AT_MOST * 100:.0f} points lower"
)
_WORST = 10
_FEWEST_TO_MEASURE = 10
"""Of fewer test photos all may be right by chance, or half of them wrong."""
FEWEST_COMPARED = 20
"""On fewer photos nothing can be said of INT8."""


@dataclass(frozen=True)
class ClassFigures:
    """One class of the per-class table. A figure that nothing can be said about is None.

    `photos` are those of the class, `predicted` those that the model took for it.
    """

    label: str
    photos: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Evaluation:
    """A model's figures on the photos of one split.

    `loss` is the mean cross-entropy of the scores as they are (nats), which is what training prints. `top_5` is None
    where there are five labels or fewer, because it would be 1 for any model. `interval` holds the accuracy with 95 %
    confidence (Wilson's), so that nobody reads more into few photos than is there. `confusion` has one
    (true index, predicted index, photos) for every pair that occurs. The calibration errors are those of the
    probabilities before and after they are divided by `temperature`.
    """

    photos: int
    loss: float
    accuracy: float
    interval: tuple[float, float]
    top_5: float | None
    macro_f1: float
    ece_before: float
    ece_after: float
    calibrated_loss: float
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, int, int], ...]

    @property
    def too_little(self) -> str:
        """The sentence to say where so few photos, or photos of so few classes, measure nothing; empty otherwise."""
        covered, classes = sum(1 for one in self.classes if one.photos), len(self.classes)
        if self.photos >= _FEWEST_TO_MEASURE and 2 * covered >= classes:
            return ""
        photos = "1 test photo" if self.photos == 1 else f"{self.photos:,} test photos"
        return f"{photos} of {covered:,} of {classes:,} classes: no measure of how good it is yet; add more."

    def as_dict(self) -> dict[str, Any]:
        """For JSON: figures to six digits, the short ones first, the mistakes that happen most often by name."""
        found: dict[str, Any] = _rounded(asdict(self))
        found["mistakes"] = self.mistakes()
        found["classes"] = found.pop("classes")
        found["confusion"] = found.pop("confusion")
        return found

    def mistakes(self, most: int = _WORST) -> list[dict[str, Any]]:
        """The confusions that happen most often, by name."""
        wrong = sorted((entry for entry in self.confusion if entry[0] != entry[1]), key=lambda entry: -entry[2])
        return [
            {"true": self.classes[true].label, "predicted": self.classes[predicted].label, "photos": count}
            for true, predicted, count in wrong[:most]
        ]


@dataclass(frozen=True)
class Judged:
    """What the photos that were not trained on say about a model; None for a split without photos."""

    calibration: Calibration
    valid: Evaluation | None
    test: Evaluation | None


def judge(valid: tuple[Array, Targets], test: tuple[Array, Targets], labels: Sequence[str]) -> Judged:
    """Fit the temperature on the validation photos and evaluate both splits: scores [N, C] and class indices [N]."""
    calibration = calibrate(*valid, fitted_on="valid")
    found = [
        evaluate(scores, targets, labels, calibration.temperature) if len(targets) else None
        for scores, targets in (valid, test)
    ]
    return Judged(calibration, found[0], found[1])


def evaluate(scores: Array, targets: Targets, labels: Sequence[str], temperature: float = 1.0) -> Evaluation:
    """The figures of `scores` [N, C] for photos of the classes `targets` [N]; N is at least 1."""
    count, classes = len(targets), len(labels)
    predicted = scores.argmax(axis=1)
    own = probabilities(scores, 1.0)[np.arange(count), targets]
    calibrated = probabilities(scores, temperature)[np.arange(count), targets]
    pairs, photos = np.unique(targets * classes + predicted, return_counts=True)
    confusion = tuple(
        (int(pair // classes), int(pair % classes), int(found)) for pair, found in zip(pairs, photos, strict=True)
    )
    table = _table(targets, predicted, labels)
    known = [figures.f1 for figures in table if figures.f1 is not None]
    right = int((predicted == targets).sum())
    # Of equal scores the earlier class is shown first.
    reached = scores[np.arange(count), targets][:, None]
    before = np.arange(classes) < targets[:, None]
    better = ((scores > reached) | ((scores == reached) & before)).sum(axis=1)
    return Evaluation(
        photos=count,
        loss=_mean_log_loss(own),
        accuracy=right / count,
        interval=wilson(right, count),
        top_5=float((better < TOP).mean()) if classes > TOP else None,
        macro_f1=sum(known) / len(known),
        ece_before=expected_calibration_error(scores, targets),
        ece_after=expected_calibration_error(scores, targets, temperature),
        calibrated_loss=_mean_log_loss(calibrated),
        classes=table,
        confusion=confusion,
    )


def _mean_log_loss(shares: NDArray[np.float64]) -> float:
    return float(-np.log(np.maximum(shares, np.finfo(np.float64).tiny)).mean())


def _table(targets: Targets, predicted: NDArray[np.int64], labels: Sequence[str]) -> tuple[ClassFigures, ...]:
    classes = len(labels)
    photos = np.bincount(targets, minlength=classes).tolist()
    taken = np.bincount(predicted, minlength=classes).tolist()
    right = np.bincount(targets[predicted == targets], minlength=classes).tolist()
    return tuple(
        ClassFigures(
            label,
            of_class,
            as_class,
            precision=both / as_class if as_class else None,
            recall=both / of_class if of_class else None,
            f1=2 * both / (of_class + as_class) if of_class + as_class else None,
        )
        for label, of_class, as_class, both in zip(labels, photos, taken, right, strict=True)
    )


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927), which unlike ± 2σ stays honest near 0 and 1 and for few photos."""
    z = 1.96
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


# -- the dog threshold -------------------------------------------------------------------------------------------------


def dog_rates(dog: Array, splits: Mapping[str, slice], threshold: float) -> dict[str, dict[str, Any]]:
    """How many photos of each split pass for dogs: their dog probabilities [N], NaN where unknown, in rows by split."""
    found = {}
    for split, rows in splits.items():
        known = dog[rows][np.isfinite(dog[rows])]
        passed = int((known >= threshold).sum())
        if len(known):
            found[split] = {"photos": len(known), "passed": passed, "share": round(passed / len(known), 4)}
    return found


# -- INT8 --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agreement:
    """How far the model in INT8 answers like the one in fp32, and whether that is near enough to serve it."""

    photos: int
    same: int
    accuracy_fp32: float
    accuracy_int8: float
    accepted: bool
    reason: str


def agreement(scores32: Array, scores8: Array, targets: Targets) -> Agreement:
    """Compare both models' scores [N, C] on the same photos of the classes `targets` [N]; N may be 0."""
    count = len(targets)
    if not count:
        return Agreement(0, 0, 0.0, 0.0, False, f"there were no validation photos to compare on (asked for: {MARGIN})")
    first32, first8 = scores32.argmax(axis=1), scores8.argmax(axis=1)
    same = int((first32 == first8).sum())
    before, after = float((first32 == targets).mean()), float((first8 == targets).mean())
    accepted = count >= FEWEST_COMPARED and same >= SAME_AT_LEAST * count and after >= before - LOWER_AT_MOST - 1e-9
    words = f"{same} of {count} photos have the same first class, accuracy {before:.1%} in fp32 and {after:.1%} in int8"
    few = f"; too few to tell, at least {FEWEST_COMPARED} are needed" if count < FEWEST_COMPARED else ""
    return Agreement(count, same, before, after, accepted, f"{words}{few} (asked for: {MARGIN})")


def _rounded(value: Any) -> Any:
    """JSON values with six digits, enough for any figure of a few thousand photos."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(inner) for inner in value]
    return value
