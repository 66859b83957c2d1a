"""What the Models page says, from what the registry holds. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboard.core.format import count, percent
from dashboard.core.serving.registry import ACCURACY, FIGURES, Group, Version, counted
from dashboard.ui.tones import label

NAMES = {
    "test:accuracy": "Test accuracy",
    "test:macro_f1": "Test macro F1",
    "test:top_5": "Test top 5",
    "test:loss": "Test loss",
    "valid:accuracy": "Validation accuracy",
    "valid:loss": "Validation loss",
    "train:accuracy": "Training accuracy",
    "train:loss": "Training loss",
}

FROM_THE_RUN = "Deployed from the run itself, not from this version: what is decided here does not reach it."


def sentence(groups: Sequence[Group]) -> str:
    """The live sentence: "2 models, 5 versions, 1 approved, 3 undecided"."""
    if not groups:
        return "no model is registered yet"
    versions, approved = counted(groups)
    undecided = sum(one.approval.word == "undecided" for group in groups for one in group.versions)
    more = "more than " if any(group.is_cut for group in groups) else ""
    told = [count(len(groups), "model"), f"{more}{count(versions, 'version')}", f"{approved} approved"]
    return ", ".join([*told, *([f"{undecided} undecided"] if undecided else [])])


def finding(group: Group) -> str:
    """The sentence above the accuracies of a model's versions."""
    best = group.best
    if best is None:
        return f"No version of {group.name} was measured on a test set"
    measured = sum(one.accuracy is not None for one in group.versions)
    right = f"{percent(best.accuracy, 1)} of its test photos right"
    if measured == 1:
        return f"Version {best.number}: {right}"
    equal = sorted(one.number for one in group.versions if one.accuracy == best.accuracy)
    data = {one.data_uri for one in group.versions if one.accuracy is not None}
    apart = "" if len(data) == 1 else " (they were measured on different photos)"
    if len(equal) == 1:
        return f"Version {best.number} is the best of {measured}: {right}{apart}"
    right = right.replace("its", "their")
    if len(equal) == measured:
        return f"{'Both' if measured == 2 else f'All {measured}'} measured versions have {right}{apart}"
    listed = f"{', '.join(map(str, equal[:-1]))} and {equal[-1]}"
    return f"Versions {listed} are the best of {measured}: {right}{apart}"


def written(name: str, value: float | None) -> str:
    """A figure as it is read: a share in percent, a loss with three places."""
    if value is None:
        return "–"
    return f"{value:.3f}" if name.endswith("loss") else percent(value, 1)


def rows(group: Group) -> list[dict[str, Any]]:
    """One row a version, the newest first; times with their zone."""
    return [
        {
            "Version": one.number,
            "Decision": label(one.approval.tone, one.approval.word),
            **{NAMES[name]: one.metrics.get(name) for name in ("test:accuracy", "test:macro_f1", "test:loss")},
            "Labels": one.labels,
            "Run": one.run or "imported",
            "Data": data_name(one),
            "Registered": one.created,
            "Why": one.note,
        }
        for one in group.versions
    ]


def data_name(version: Version) -> str:
    """The dataset's name: the last part of its address; "" where nobody noted it."""
    return version.data_uri.rstrip("/").rsplit("/", 1)[-1]


def compared(one: Version, other: Version) -> list[dict[str, str]]:
    """Two versions side by side: each figure of both, and what the second changes."""
    told = []
    for name in FIGURES:
        first, second = one.metrics.get(name), other.metrics.get(name)
        if first is None and second is None:
            continue
        told.append(
            {
                "Figure": NAMES[name],
                f"Version {one.number}": written(name, first),
                f"Version {other.number}": written(name, second),
                "Difference": difference(name, first, second),
            }
        )
    return told


def difference(name: str, first: float | None, second: float | None) -> str:
    """ "+1.2 points, better", "−0.050, better" of a loss, "the same"; "–" where one is not known."""
    if first is None or second is None:
        return "–"
    is_loss = name.endswith("loss")
    change = second - first if is_loss else (second - first) * 100
    text = f"{abs(change):.3f}" if is_loss else f"{abs(change):.1f} points"
    if float(text.split()[0]) == 0:
        return "the same"
    better = (change < 0) == is_loss
    return f"{'+' if change > 0 else '−'}{text}, {'better' if better else 'worse'}"


def verdict(one: Version, other: Version) -> str:
    """What the comparison comes to, in one sentence."""
    if one.data_uri != other.data_uri:
        return (
            f"They learnt from different data ({data_name(one) or 'unknown'} and {data_name(other) or 'unknown'}): "
            "their accuracies cannot be held against each other."
        )
    if one.accuracy is None or other.accuracy is None:
        return "One of them was not measured on a test set."
    said = difference(ACCURACY, one.accuracy, other.accuracy)
    if said == "the same":
        loss = difference("test:loss", one.metrics.get("test:loss"), other.metrics.get("test:loss"))
        apart = f"; its test loss: {loss}" if loss not in ("–", "the same") else ""
        return f"Version {other.number} has the test accuracy of version {one.number}{apart}."
    return f"Version {other.number} against version {one.number}: {said} in test accuracy."


def lineage(version: Version, endpoints: Sequence[str]) -> str:
    """From the data to whoever serves it: "drawn-dogs → dogs-1 → version 2 → endpoint live"; what is not known is left
    out."""
    data = data_name(version)
    steps = [f"data {data}" if data else "", f"run {version.run}" if version.run else "", f"version {version.number}"]
    if not version.run:
        steps[1] = "imported"
    served = " and ".join(f"endpoint {name}" for name in endpoints)
    return " → ".join(step for step in (*steps, served) if step)


def facts(version: Version, decided: datetime | None, *, with_figures: bool = True) -> Mapping[str, str]:
    """What is known of a version; what it has none of is left out. decided: on the reader's clock."""
    shown = [name for name in FIGURES if name in version.metrics] if with_figures else []
    told = {
        "Decision": version.approval.word + (f", {decided:%d %b %Y, %H:%M}" if decided else ""),
        "Because": version.note,
        "Origin": version.description,
        "Run": version.run,
        "Data": version.data_uri,
        "Labels": "" if version.labels is None else count(version.labels, "label"),
        **{NAMES[name]: written(name, version.metrics[name]) for name in shown},
        "Archive": version.artifact_uri,
        "In SageMaker": version.arn,
    }
    return {name: value for name, value in told.items() if value}
