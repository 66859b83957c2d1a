"""From features to a head, and where it was asked for on to a backbone of one's own: the second half of a run."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from training.backbones import Backbone
from training.checkpoint import Checkpoints, State
from training.data import Dataset, Split
from training.feature_table import FeatureTable
from training.graph import Head
from training.head import Epoch, Photos, Trained, train_head
from training.metrics import Stage, epoch_line
from training.surroundings import Saver, Surroundings
from training.weights import Weights

if TYPE_CHECKING:  # imports torch
    from training.fine_tune import FineTuned, Step


def photos_of(dataset: Dataset, table: FeatureTable, split: Split) -> Photos:
    """One split's features and classes; a view of the table."""
    rows = dataset.rows(split)
    return Photos(table.values[rows], dataset.targets[rows])


def learn_head(
    dataset: Dataset, table: FeatureTable, start: Head | None, checkpoints: Checkpoints, here: Surroundings
) -> Trained:
    """Train the head, from the last checkpoint on. Raises Diverged, and Stopped when there is nothing to keep."""
    epochs, reporter = here.chosen.epochs, here.reporter
    resume = checkpoints.load_together(Stage.HEAD, here.group)
    if resume is not None:
        reporter.say(f"goes on from the checkpoint, after epoch {len(resume.facts['epochs'])}")
    saver = Saver(checkpoints, Stage.HEAD, here)

    def on_epoch(epoch: Epoch, state: Callable[[], State]) -> None:
        reporter.say(_line(epoch, 0, epochs))
        reporter.reached(Stage.HEAD, epoch.number, epochs, "epochs")
        saver.heard(state)

    reporter.begin(Stage.HEAD, epochs, "epochs", len(resume.facts["epochs"]) if resume else 0)
    try:
        trained = train_head(
            photos_of(dataset, table, Split.TRAIN),
            photos_of(dataset, table, Split.VALID),
            len(dataset.classes),
            here.chosen,
            start=start,
            group=here.group,
            on_epoch=on_epoch,
            should_stop=here.should_stop,
            resume=resume,
        )
    finally:
        # Also when a later epoch diverged, or another process is gone: this state is of a whole, good epoch.
        saver.save()
    here.agreed_to_stop()
    _say_early_end(len(trained.history), 0, epochs, trained.best, here)
    return trained


def fine_tune_backbone(
    dataset: Dataset,
    backbone: Backbone,
    weights: Weights,
    head: Trained,
    checkpoints: Checkpoints,
    here: Surroundings,
) -> "FineTuned":
    """Let the backbone learn too, from the last checkpoint on if there is one. Imports torch. Raises Diverged."""
    from training.fine_tune import fine_tune

    before, epochs, reporter = here.chosen.epochs, here.chosen.fine_tune_epochs, here.reporter
    resume = checkpoints.load_together(Stage.FINETUNE, here.group)
    if resume is not None:
        reporter.say("fine-tuning goes on from the checkpoint")
    saver = Saver(checkpoints, Stage.FINETUNE, here)

    def on_epoch(epoch: Epoch, state: Callable[[], State]) -> None:
        reporter.say(_line(epoch, before, epochs))
        saver.heard(state)

    def on_step(step: "Step", state: Callable[[], State]) -> None:
        reporter.reached(Stage.FINETUNE, step.done, step.total, "steps")
        saver.heard(state)

    steps = math.ceil(dataset.count(Split.TRAIN) / (here.chosen.batch_size * here.chosen.accumulate))
    restored = (len(resume.facts["epochs"]) - 1) * steps + resume.facts["step"] if resume else 0
    reporter.begin(Stage.FINETUNE, epochs, "epochs", restored)
    tuned = fine_tune(
        dataset,
        backbone,
        weights,
        head.head,
        here.chosen,
        start=head.best,
        group=here.group,
        on_epoch=on_epoch,
        on_step=on_step,
        # All processes hear of it before the last state is given, so that it is saved while it is still there.
        should_stop=here.agreed_to_stop,
        resume=resume,
        threads=here.threads,
    )
    saver.save()
    _say_early_end(len(tuned.history), before, epochs, tuned.best, here)
    return tuned


def _line(epoch: Epoch, before: int, more: int) -> str:
    """The backbone's epochs are counted on from the head's, so that the curves go on."""
    valid = (epoch.valid.loss, epoch.valid.accuracy) if epoch.valid else None
    return epoch_line(before + epoch.number, before + more, (epoch.train.loss, epoch.train.accuracy), valid)


def _say_early_end(done: int, before: int, epochs: int, best: Epoch, here: Surroundings) -> None:
    if done < epochs:
        why = "stopped" if here.stop.requested else "no better for a while: ended"
        kept = f"epoch {before + best.number}" if best.number else "what it began with"
        here.reporter.say(f"{why} after epoch {before + done}: {kept}, the best so far, is kept")
