"""The lines that training prints, and the one place that reads them back.

SageMaker reads metrics from a job's log with regular expressions; the dashboard reads the same lines for its curves
and its progress bar. Whoever prints and whoever parses both use this module, so that the two cannot drift apart.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_NUMBER = r"([-+]?(?:[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?|nan|inf))"

METRIC_DEFINITIONS: list[dict[str, str]] = [
    {"Name": "train:loss", "Regex": rf"train_loss={_NUMBER}"},
    {"Name": "train:accuracy", "Regex": rf"train_accuracy={_NUMBER}"},
    {"Name": "valid:loss", "Regex": rf"valid_loss={_NUMBER}"},
    {"Name": "valid:accuracy", "Regex": rf"valid_accuracy={_NUMBER}"},
    {"Name": "test:loss", "Regex": rf"test_loss={_NUMBER}"},
    {"Name": "test:accuracy", "Regex": rf"test_accuracy={_NUMBER}"},
    {"Name": "features:from-cache", "Regex": rf"features_from_cache={_NUMBER}"},
    {"Name": "progress", "Regex": rf"progress={_NUMBER}"},
]
"""What a training job passes to SageMaker as AlgorithmSpecification.MetricDefinitions."""

FROM_CACHE = "features:from-cache"
"""The share of the photos, 0..1, whose features an earlier run had computed: such a run did not do the same work."""

_PATTERNS = tuple((d["Name"], re.compile(d["Regex"])) for d in METRIC_DEFINITIONS)
_EPOCH = re.compile(r"\bepoch=([0-9]{1,9})/([0-9]{1,9})\b")
_STAGE = re.compile(r"\bstage=([a-z]+)")
_DONE = re.compile(r"\bdone=([0-9]{1,9}) total=([0-9]{1,9}) unit=([a-z]+)")
_ETA = re.compile(rf"\beta_seconds={_NUMBER}")


class Stage(StrEnum):
    """What a training run is doing, in the order in which it does it."""

    SCAN = "scan"
    FEATURES = "features"
    HEAD = "head"
    FINETUNE = "finetune"
    TEST = "test"
    EXPORT = "export"


@dataclass(frozen=True)
class MetricLine:
    """What one line of a training log says. `values` is keyed by the names of METRIC_DEFINITIONS."""

    values: Mapping[str, float] = field(default_factory=dict)
    epoch: int | None = None
    epochs: int | None = None
    stage: str | None = None
    done: int | None = None
    total: int | None = None
    unit: str | None = None
    eta_seconds: float | None = None


def parse(line: str) -> MetricLine | None:
    """Read one log line, whoever printed it; None when it holds no metric.

    A loss may be nan or inf, that is worth seeing; a progress or a remaining time that is no number is left out.
    """
    values = {name: float(match[1]) for name, pattern in _PATTERNS if (match := pattern.search(line))}
    if not math.isfinite(values.get("progress", 0.0)):
        del values["progress"]
    if not values:
        return None
    epoch, stage, done, eta = (p.search(line) for p in (_EPOCH, _STAGE, _DONE, _ETA))
    remaining = float(eta[1]) if eta else math.nan
    return MetricLine(
        values=values,
        epoch=int(epoch[1]) if epoch else None,
        epochs=int(epoch[2]) if epoch else None,
        stage=stage[1] if stage else None,
        done=int(done[1]) if done else None,
        total=int(done[2]) if done else None,
        unit=done[3] if done else None,
        eta_seconds=remaining if math.isfinite(remaining) else None,
    )


def epoch_line(epoch: int, epochs: int, train: tuple[float, float], valid: tuple[float, float] | None = None) -> str:
    """One epoch's line; `train` and `valid` are (mean loss, accuracy 0..1), `epoch` counts from 1."""
    line = f"epoch={epoch}/{epochs} train_loss={train[0]:.4f} train_accuracy={train[1]:.4f}"
    if valid is not None:
        line += f" valid_loss={valid[0]:.4f} valid_accuracy={valid[1]:.4f}"
    return line


def progress_line(
    fraction: float, stage: Stage, done: int, total: int, unit: str, eta_seconds: float | None = None
) -> str:
    """How far the whole run is (fraction 0..1) and how far this stage is; `unit` is one lower-case word."""
    line = f"progress={min(max(fraction, 0.0), 1.0):.3f} stage={stage} done={done} total={total} unit={unit}"
    return line if eta_seconds is None else f"{line} eta_seconds={max(eta_seconds, 0.0):.1f}"


def from_cache_line(known: int, total: int) -> str:
    """How many of the photos' features were not computed by this run; said by every run, also when there are none."""
    return f"features_from_cache={known / max(total, 1):.4f}"


def test_lines(loss: float, accuracy: float) -> tuple[str, str, str]:
    """The final figures, in our form and in the two lines that existing tuning jobs of this workflow look for."""
    return (
        f"test_loss={loss:.4f} test_accuracy={accuracy:.4f}",
        f"Testing Loss: {loss:.4f}",
        f"Testing Accuracy: {accuracy:.4f}",
    )
