"""How far a training is, from the lines it prints."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from training.metrics import Stage, parse

PROGRESS = "progress"
WORDS = {
    Stage.SCAN: "looking through the photos",
    Stage.FEATURES: "computing features",
    Stage.HEAD: "training the head",
    Stage.FINETUNE: "fine-tuning the backbone",
    Stage.TEST: "testing",
    Stage.EXPORT: "writing the model",
}


@dataclass(frozen=True)
class Progress:
    """`fraction` of the whole run, 0..1; `curves` are metric → ((epoch, value), …); `final` are the test's figures."""

    stage: str = ""
    fraction: float | None = None
    eta_seconds: float | None = None  # from the moment of its line
    epoch: int | None = None
    epochs: int | None = None
    done: int | None = None
    total: int | None = None
    unit: str = ""
    curves: Mapping[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)
    final: Mapping[str, float] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """What it is doing, for a person: "computing features"."""
        return WORDS.get(Stage(self.stage), self.stage) if self.stage in set(Stage) else self.stage


def progress(lines: Iterable[str]) -> Progress:
    """What a log says about a run, in whatever order it is read again; lines without figures are passed over.

    An epoch that is printed twice (a restart from a checkpoint) keeps its newer value.
    """
    curves: dict[str, dict[int, float]] = {}
    final: dict[str, float] = {}
    now = Progress()
    epoch: int | None = None
    epochs: int | None = None
    for text in lines:
        line = parse(text)
        if line is None:
            continue
        if PROGRESS in line.values:
            now = Progress(
                stage=line.stage or now.stage,
                fraction=min(max(line.values[PROGRESS], 0.0), 1.0),
                eta_seconds=line.eta_seconds,
                done=line.done,
                total=line.total,
                unit=line.unit or "",
            )
        if line.epoch is not None:
            epoch, epochs = line.epoch, line.epochs
        for name, value in line.values.items():
            if name == PROGRESS:
                continue
            if line.epoch is None:
                final[name] = value
            else:
                curves.setdefault(name, {})[line.epoch] = value
    return Progress(
        stage=now.stage,
        fraction=now.fraction,
        eta_seconds=now.eta_seconds,
        epoch=epoch,
        epochs=epochs,
        done=now.done,
        total=now.total,
        unit=now.unit,
        curves={name: tuple(sorted(points.items())) for name, points in curves.items()},
        final=final,
    )
