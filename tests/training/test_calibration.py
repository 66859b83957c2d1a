"""Temperature scaling, against a straightforward search and against scores whose true temperature is known."""

import math

import numpy as np
import pytest

from training.calibration import Array, Targets, calibrate, expected_calibration_error, fit_temperature, probabilities


def drawn(photos: int, classes: int, true_temperature: float, seed: int = 0) -> tuple[Array, Targets]:
    """Scores whose right classes are drawn from softmax(scores / true_temperature): that is what calibrated means."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(scale=2.0, size=(photos, classes))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = np.array([chance.choice(classes, p=share) for share in shares], np.int64)
    return (logits * true_temperature).astype(np.float32), targets


def plain_error(scores: Array, targets: Targets, temperature: float) -> float:
    """Expected calibration error as its definition reads, photo by photo."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(15)]
    for row, target in zip(scores.tolist(), targets.tolist(), strict=True):
        odds = [math.exp((score - max(row)) / temperature) for score in row]
        confidence = max(odds) / sum(odds)
        number = next(k for k in range(15) if confidence <= (k + 1) / 15 + 1e-12)
        bins[number].append((confidence, row.index(max(row)) == target))
    error = 0.0
    for found in bins:
        if found:
            accuracy = sum(right for _, right in found) / len(found)
            confidence = sum(share for share, _ in found) / len(found)
            error += len(found) / len(targets) * abs(accuracy - confidence)
    return error


@pytest.mark.parametrize("true_temperature", [0.4, 1.0, 3.0])
def test_the_true_temperature_is_found(true_temperature: float) -> None:
    scores, targets = drawn(4000, 10, true_temperature)
    assert fit_temperature(scores, targets) == pytest.approx(true_temperature, rel=0.05)


def test_overconfident_scores_become_honest() -> None:
    scores, targets = drawn(3000, 10, 3.0)
    found = calibrate(scores, targets, "valid")
    assert found.ece_before is not None
    assert found.ece_after is not None
    assert found.ece_before > 0.15
    assert found.ece_after < 0.03
    assert (found.fitted_on, found.photos) == ("valid", 3000)
    # … and just as honest on photos that it was not fitted on.
    assert expected_calibration_error(*drawn(3000, 10, 3.0, seed=1), found.temperature) < 0.04


@pytest.mark.parametrize("photos", [3, 60, 1000])
def test_it_is_what_a_plain_search_finds(photos: int) -> None:
    """The same objective (one imaginary photo included) over a fine grid."""
    scores, targets = drawn(photos, 6, 2.0, seed=photos)
    rows = np.arange(photos)
    second = scores.astype(np.float64)
    second[rows, targets] = -np.inf
    runner_up = second.argmax(axis=1)

    def objective(temperature: float) -> float:
        logs = np.log(probabilities(scores, temperature))
        return -float(logs[rows, targets].sum() + logs[rows, runner_up].mean())

    grid = np.geomspace(0.05, 20, 20_000)
    best = min(grid, key=objective)
    assert fit_temperature(scores, targets) == pytest.approx(best, rel=1e-3)


def test_photos_that_are_all_right_do_not_make_the_model_sure_of_everything() -> None:
    """The likelihood alone would ask for T = 0."""
    targets = np.arange(30, dtype=np.int64) % 3
    scores = np.eye(3, dtype=np.float32)[targets] * 4
    temperature = fit_temperature(scores, targets)
    # One wrong photo in 31, split between the right class and the runner-up; the third class keeps its share.
    confidence = probabilities(scores, temperature).max(axis=1)
    assert 0.9 < confidence.min() < 0.98


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_scores_that_say_nothing_stay_as_they_are(value: float) -> None:
    assert fit_temperature(np.full((5, 3), value, np.float32), np.zeros(5, np.int64)) == 1.0


def test_huge_scores_do_not_overflow() -> None:
    scores, targets = drawn(200, 5, 1e4)
    assert fit_temperature(scores, targets) == pytest.approx(20, rel=1e-4)
    assert math.isfinite(expected_calibration_error(scores, targets))


def test_a_temperature_that_would_not_help_is_not_used() -> None:
    """All photos are right and the model is nearly sure: any caution for the next photo makes these figures worse."""
    targets = np.arange(30, dtype=np.int64) % 3
    scores = np.eye(3, dtype=np.float32)[targets] * 12
    assert fit_temperature(scores, targets) > 1
    found = calibrate(scores, targets, "valid")
    assert found.temperature == 1.0
    assert found.ece_after == found.ece_before


def test_without_photos_nothing_is_fitted_and_that_is_said() -> None:
    found = calibrate(np.zeros((0, 3), np.float32), np.zeros(0, np.int64), "valid")
    assert found.temperature == 1.0
    assert (found.ece_before, found.ece_after, found.fitted_on, found.photos) == (None, None, None, 0)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_calibration_error_is_its_definition(temperature: float) -> None:
    scores, targets = drawn(400, 6, 2.0)
    ours = expected_calibration_error(scores, targets, temperature)
    assert ours == pytest.approx(plain_error(scores, targets, temperature), abs=1e-9)


def test_the_temperature_never_changes_the_order() -> None:
    scores, _ = drawn(100, 6, 1.0)
    assert np.array_equal(probabilities(scores, 3.0).argmax(axis=1), scores.argmax(axis=1))
