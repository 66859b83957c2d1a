"""Probabilities that mean what they say: one temperature for all scores, and how far they are off before and after."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Targets = NDArray[np.int64]
BINS = 15
LOWEST, HIGHEST = 0.05, 20.0
"""The temperatures that are considered; beyond them the scores are no log-odds of this kind any more."""
_STEPS = 100
_CLOSE = 1e-6


@dataclass(frozen=True)
class Calibration:
    """What scores are divided by before they become probabilities, and what that does to their honesty.

    `ece_before` and `ece_after` are expected calibration errors (0..1) on the `photos` photos it was fitted on, which
    are those of the split `fitted_on`; without any, the temperature is 1 and the errors are None. It is also 1, and the
    errors are equal, where the fitted one would have made the right classes less likely.
    """

    temperature: float
    ece_before: float | None
    ece_after: float | None
    fitted_on: str | None
    photos: int


def calibrate(scores: Array, targets: Targets, fitted_on: str) -> Calibration:
    """Fit the temperature on the photos of one split: `scores` [N, C] and class indices [N]; N may be 0."""
    if not len(targets):
        return Calibration(1.0, None, None, None, 0)
    temperature = fit_temperature(scores, targets)
    before = expected_calibration_error(scores, targets)
    after = expected_calibration_error(scores, targets, temperature)
    # By likelihood and not by the calibration error, whose bins are noisy for few photos.
    if _log_loss(scores, targets, temperature) >= _log_loss(scores, targets, 1.0):
        temperature, after = 1.0, before
    return Calibration(temperature, before, after, fitted_on, len(targets))


def fit_temperature(scores: Array, targets: Targets) -> float:
    """The T for which softmax(scores / T) gives the right classes of `targets` [N] the highest likelihood.

    Temperature scaling (Guo et al., arXiv:1706.04599). `scores` is [N, C]. One imaginary photo more is counted, of the
    class that came out best among the wrong ones (each real photo lends it a share): without it, photos that are all
    right would ask for T = 0, as though no other photo could ever be wrong. 1 where the scores say nothing at all.
    """
    logits = scores.astype(np.float64)
    count = len(targets)
    rows = np.arange(count)
    own = logits[rows, targets]
    others = logits.copy()
    others[rows, targets] = -np.inf
    imaginary = 1 / (count + 1)
    wanted = float(np.mean((1 - imaginary) * own + imaginary * others.max(axis=1)))
    logits -= logits.max(axis=1, keepdims=True)
    wanted -= float(scores.max(axis=1).astype(np.float64).mean())

    def slope(sharpness: float) -> tuple[float, float]:
        """First and second derivative of the mean negative log-likelihood by 1/T, in which it is convex."""
        odds = np.exp(sharpness * logits)
        odds /= odds.sum(axis=1, keepdims=True)
        expected = (odds * logits).sum(axis=1)
        variance = (odds * logits**2).sum(axis=1) - expected**2
        return float(expected.mean()) - wanted, float(variance.mean())

    low, high, sharpness = 1 / HIGHEST, 1 / LOWEST, 1.0
    if slope(sharpness)[1] <= 0:
        return 1.0
    for _ in range(_STEPS):
        first, second = slope(sharpness)
        low, high = (low, sharpness) if first > 0 else (sharpness, high)
        newton = sharpness - first / second if second > 0 else low
        following = newton if low < newton < high else (low + high) / 2
        if abs(following - sharpness) <= _CLOSE * sharpness:
            break
        sharpness = following
    return 1 / sharpness


def expected_calibration_error(scores: Array, targets: Targets, temperature: float = 1.0) -> float:
    """How far confidence and accuracy are apart, 0..1: Σ over 15 equal bins of n/N · |accuracy − mean confidence|.

    Confidence is the top class's probability; bins are (lower, upper], as in Guo et al., arXiv:1706.04599.
    """
    shares = probabilities(scores, temperature)
    confidence = shares.max(axis=1)
    right = shares.argmax(axis=1) == targets
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    gap = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(np.abs(gap).sum() / len(targets))


def _log_loss(scores: Array, targets: Targets, temperature: float) -> float:
    own = probabilities(scores, temperature)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(own, np.finfo(np.float64).tiny)).sum())


def probabilities(scores: Array, temperature: float) -> NDArray[np.float64]:
    """softmax(scores / T), [N, C] → [N, C] in float64."""
    odds = scores.astype(np.float64) / temperature
    odds -= odds.max(axis=1, keepdims=True)
    np.exp(odds, out=odds)
    odds /= odds.sum(axis=1, keepdims=True)
    return odds
