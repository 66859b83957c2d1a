"""The figures of a model, against their definitions written out photo by photo."""

import json
import math

import numpy as np
import pytest

from tests.training.test_calibration import drawn
from training.calibration import Array, Targets
from training.evaluate import agreement, dog_rates, evaluate, judge, wilson

LABELS = ["Beagle", "Boxer", "Collie", "Pug", "Poodle", "Saluki", "Vizsla"]


def random_scores(photos: int = 300, seed: int = 0) -> tuple[Array, Targets]:
    """Scores that are right about half the time; nobody is a Vizsla, and nothing is ever taken for a Saluki."""
    chance = np.random.default_rng(seed)
    targets = chance.integers(len(LABELS) - 1, size=photos).astype(np.int64)
    scores = chance.normal(size=(photos, len(LABELS))).astype(np.float32)
    scores[np.arange(photos), targets] += 1.5
    scores[:, 5] = -10
    return scores, targets


def test_loss_and_accuracies_are_their_definitions() -> None:
    scores, targets = random_scores()
    found = evaluate(scores, targets, LABELS)
    losses, right, among_five = [], 0, 0
    for row, target in zip(scores.tolist(), targets.tolist(), strict=True):
        losses.append(math.log(sum(math.exp(score) for score in row)) - row[target])
        order = sorted(range(len(row)), key=lambda k: -row[k])
        right += order[0] == target
        among_five += target in order[:5]
    assert found.photos == len(targets)
    assert found.loss == pytest.approx(sum(losses) / len(losses), rel=1e-6)
    assert found.accuracy == right / len(targets)
    assert found.top_5 == among_five / len(targets)
    assert found.accuracy < found.top_5 < 1


def test_every_class_has_its_own_figures() -> None:
    scores, targets = random_scores()
    found = evaluate(scores, targets, LABELS)
    predicted = scores.argmax(axis=1)
    f1s = []
    for k, figures in enumerate(found.classes):
        hits = sum(1 for p, t in zip(predicted, targets, strict=True) if p == t == k)
        of_class, as_class = int((targets == k).sum()), int((predicted == k).sum())
        assert (figures.label, figures.photos, figures.predicted) == (LABELS[k], of_class, as_class)
        assert figures.precision == (hits / as_class if as_class else None)
        assert figures.recall == (hits / of_class if of_class else None)
        if of_class + as_class:
            f1s.append(2 * hits / (of_class + as_class))
            assert figures.f1 == f1s[-1]
        else:
            assert figures.f1 is None
    assert found.classes[5].precision is None
    assert found.classes[5].f1 == 0
    assert found.macro_f1 == pytest.approx(sum(f1s) / len(f1s))


def test_a_class_without_photos_that_is_never_predicted_does_not_count() -> None:
    scores = np.array([[2, 1, 0], [1, 2, 0]], np.float32)
    found = evaluate(scores, np.array([0, 1], np.int64), ["a", "b", "c"])
    assert found.macro_f1 == 1
    assert found.classes[2].f1 is None


def test_the_confusion_matrix_is_sparse_and_complete() -> None:
    scores, targets = random_scores()
    found = evaluate(scores, targets, LABELS)
    matrix = np.zeros((len(LABELS), len(LABELS)), int)
    for target, predicted in zip(targets, scores.argmax(axis=1), strict=True):
        matrix[target, predicted] += 1
    expected = [(int(t), int(p), int(matrix[t, p])) for t, p in zip(*np.nonzero(matrix), strict=True)]
    assert sorted(found.confusion) == sorted(expected)
    worst = found.mistakes(1)[0]
    np.fill_diagonal(matrix, 0)
    assert worst["photos"] == matrix.max()
    assert matrix[LABELS.index(worst["true"]), LABELS.index(worst["predicted"])] == matrix.max()


def test_five_labels_or_fewer_have_no_top_five() -> None:
    scores, targets = np.eye(5, dtype=np.float32), np.arange(5, dtype=np.int64)
    assert evaluate(scores, targets, LABELS[:5]).top_5 is None


def test_equal_scores_are_not_a_hit_by_chance() -> None:
    """A model that says the same for every class is right about the first ones only, as it would be shown."""
    found = evaluate(np.zeros((7, 7), np.float32), np.arange(7, dtype=np.int64), LABELS)
    assert found.accuracy == 1 / 7
    assert found.top_5 == 5 / 7


def test_the_temperature_changes_probabilities_and_nothing_else() -> None:
    scores, targets = random_scores()
    plain, sharp = evaluate(scores, targets, LABELS), evaluate(scores, targets, LABELS, temperature=0.25)
    assert (plain.accuracy, plain.loss, plain.confusion) == (sharp.accuracy, sharp.loss, sharp.confusion)
    assert plain.ece_before == plain.ece_after == sharp.ece_before != sharp.ece_after
    assert plain.calibrated_loss == pytest.approx(plain.loss)
    assert sharp.calibrated_loss > plain.calibrated_loss


@pytest.mark.parametrize(
    ("right", "count", "low", "high"), [(81, 263, 0.2553, 0.3662), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)]
)
def test_the_interval_is_wilsons(right: int, count: int, low: float, high: float) -> None:
    """81 of 263 is the worked example of Newcombe, Statistics in Medicine 17 (1998)."""
    assert wilson(right, count) == pytest.approx((low, high), abs=1e-4)


def test_figures_are_json_with_readable_digits() -> None:
    scores, targets = random_scores()
    found = evaluate(scores, targets, LABELS).as_dict()
    again = json.loads(json.dumps(found))
    assert again == found
    assert list(found)[:3] == ["photos", "loss", "accuracy"]
    assert list(found)[-2:] == ["classes", "confusion"]
    assert found["loss"] == round(found["loss"], 6)
    assert found["mistakes"][0]["true"] in LABELS


def test_the_temperature_comes_from_valid_and_is_judged_on_test() -> None:
    labels = [f"breed {k}" for k in range(10)]
    judged = judge(drawn(2000, 10, 3.0, seed=1), drawn(2000, 10, 3.0, seed=2), labels)
    assert judged.valid is not None
    assert judged.test is not None
    assert judged.calibration.temperature == pytest.approx(3, rel=0.1)
    assert judged.calibration.ece_after == judged.valid.ece_after
    assert judged.test.ece_after < judged.test.ece_before / 5
    assert judged.test.calibrated_loss < judged.test.loss


def test_splits_without_photos_are_not_judged() -> None:
    empty = np.zeros((0, len(LABELS)), np.float32), np.zeros(0, np.int64)
    judged = judge(empty, empty, LABELS)
    assert (judged.valid, judged.test, judged.calibration.temperature) == (None, None, 1.0)
    only_test = judge(empty, random_scores(20), LABELS)
    assert only_test.test is not None
    assert only_test.test.ece_before == only_test.test.ece_after


def test_dog_rates_count_each_split_and_leave_out_what_is_unknown() -> None:
    dog = np.array([0.9, 0.5, 0.1, np.nan, 0.2, 0.7], np.float32)
    splits = {"train": slice(0, 4), "valid": slice(4, 6), "test": slice(6, 6)}
    assert dog_rates(dog, splits, 0.5) == {
        "train": {"photos": 3, "passed": 2, "share": 0.6667},
        "valid": {"photos": 2, "passed": 1, "share": 0.5},
    }


def agreeing(photos: int, different: int, worse: int) -> tuple[Array, Array, Targets]:
    """INT8 gives another class for `different` photos: wrong ones for `worse` of them, right ones for the rest."""
    targets = np.zeros(photos, np.int64)
    targets[: different - worse] = 1
    fp32 = np.tile(np.array([2, 1], np.float32), (photos, 1))
    int8 = fp32.copy()
    int8[:different] = [1, 2]
    return fp32, int8, targets


@pytest.mark.parametrize(
    ("photos", "different", "worse", "accepted"),
    [
        (100, 0, 0, True),
        (100, 3, 2, True),
        (100, 4, 2, False),  # 96 % the same
        (1000, 30, 25, True),  # 97 % the same, 2 points lower
        (1000, 30, 26, False),  # 2.2 points lower
        (20, 0, 0, True),
        (19, 0, 0, False),  # too few to tell
        (21, 1, 0, False),  # of few photos, all have to agree
        (37, 1, 1, False),
    ],
)
def test_int8_is_accepted_within_the_stated_margin(photos: int, different: int, worse: int, accepted: bool) -> None:
    found = agreement(*agreeing(photos, different, worse))
    assert found.same == photos - different
    assert found.accepted is accepted
    assert f"{found.same} of {photos} photos" in found.reason
    assert "at least 97%" in found.reason
    assert "at most 2 points lower" in found.reason


def test_int8_that_was_compared_on_nothing_is_not_accepted() -> None:
    none = np.zeros((0, 2), np.float32)
    found = agreement(none, none, np.zeros(0, np.int64))
    assert not found.accepted
    assert "no validation photos" in found.reason


@pytest.mark.parametrize(
    ("photos", "covered", "words"),
    [(1, 1, "1 test photo of 1 of 28 classes: no measure"), (40, 13, "40 test photos of 13 of 28"), (14, 14, "")],
)
def test_so_few_photos_measure_nothing(photos: int, covered: int, words: str) -> None:
    targets = np.arange(photos) % covered
    found = evaluate(np.eye(28, dtype=np.float32)[targets], targets, [str(at) for at in range(28)])
    assert found.too_little.startswith(words)
    assert bool(found.too_little) is bool(words)
