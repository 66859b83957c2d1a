"""What the Models page says of versions: which is best, what a comparison comes to."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dashboard.core.serving.registry import Approval, Group, Version
from dashboard.ui import models_words
from dashboard.ui.figures_models import accuracies

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def version(number: int, accuracy: float | None = None, data: str = "s3://b/d/", **more: float) -> Version:
    metrics = {"test:accuracy": accuracy} if accuracy is not None else {}
    return Version(
        "dogs",
        number,
        f"arn/{number}",
        NOW,
        Approval.APPROVED if number == 2 else Approval.PENDING,
        metrics=metrics | {name.replace("_", ":", 1): value for name, value in more.items()},
        data_uri=data,
    )


def group(*versions: Version) -> Group:
    return Group("dogs", "arn", NOW, versions=versions)


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ((), "No version of dogs was measured on a test set"),
        ((version(1),), "No version of dogs was measured on a test set"),
        ((version(2, 0.9), version(1)), "Version 2: 90.0 % of its test photos right"),
        ((version(2, 0.9), version(1, 0.8)), "Version 2 is the best of 2: 90.0 % of its test photos right"),
        (
            (version(2, 0.9), version(1, 0.9)),
            "Both measured versions have 90.0 % of their test photos right",
        ),
        (
            (version(3, 0.9), version(2, 0.8), version(1, 0.9)),
            "Versions 1 and 3 are the best of 3: 90.0 % of their test photos right",
        ),
        (
            (version(2, 0.9), version(1, 0.8, data="s3://b/other/")),
            "Version 2 is the best of 2: 90.0 % of its test photos right (they were measured on different photos)",
        ),
    ],
)
def test_the_finding_says_which_version_is_best_and_whether_that_can_be_said(
    versions: tuple[Version, ...], said: str
) -> None:
    assert models_words.finding(group(*versions)) == said


@pytest.mark.parametrize(
    ("name", "first", "second", "said"),
    [
        ("test:accuracy", 0.8, 0.9, "+10.0 points, better"),
        ("test:accuracy", 0.9, 0.8, "−10.0 points, worse"),
        ("test:loss", 0.3, 0.2, "−0.100, better"),
        ("test:loss", 0.2, 0.3, "+0.100, worse"),
        ("test:accuracy", 0.9, 0.90001, "the same"),
        ("test:accuracy", None, 0.9, "–"),
    ],
)
def test_less_loss_and_more_accuracy_are_better(
    name: str, first: float | None, second: float | None, said: str
) -> None:
    assert models_words.difference(name, first, second) == said


def test_a_comparison_lists_what_either_has() -> None:
    rows = models_words.compared(version(1, 0.8, test_loss=0.3), version(2, 0.9))
    assert [(row["Figure"], row["Version 1"], row["Version 2"]) for row in rows] == [
        ("Test accuracy", "80.0 %", "90.0 %"),
        ("Test loss", "0.300", "–"),
    ]


def test_of_equal_accuracies_the_loss_decides() -> None:
    said = models_words.verdict(version(1, 0.9, test_loss=0.3), version(2, 0.9, test_loss=0.2))
    assert said == "Version 2 has the test accuracy of version 1; its test loss: −0.100, better."
    assert models_words.verdict(version(1, 0.9), version(2, 0.9)) == "Version 2 has the test accuracy of version 1."
    assert models_words.verdict(version(1), version(2, 0.9)) == "One of them was not measured on a test set."


def test_the_live_sentence_counts() -> None:
    assert models_words.sentence([]) == "no model is registered yet"
    assert models_words.sentence([group(version(2), version(1))]) == "1 model, 2 versions, 1 approved, 1 undecided"


def test_the_figure_marks_what_may_be_served_by_shape() -> None:
    assert accuracies(group(version(1))) is None
    drawn = accuracies(group(version(2, 0.9), version(1, 0.8)))
    assert drawn is not None
    trace = drawn.data[0]
    assert list(trace.x) == [1, 2]
    assert list(trace.marker.symbol) == ["circle", "star"]
    assert list(trace.text) == ["80.0 %", "90.0 %"]


def test_the_lineage_leads_from_the_data_to_who_serves_it() -> None:
    trained = replace(version(2, data="s3://b/datasets/drawn-dogs/"), run="dogs-1")
    assert models_words.lineage(trained, ["live"]) == "data drawn-dogs → run dogs-1 → version 2 → endpoint live"
    assert models_words.lineage(version(1, data=""), []) == "imported → version 1"
