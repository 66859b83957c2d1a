"""One run in words and steps. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from dashboard.core.format import count, duration, percent
from dashboard.core.runs.model import Run, RunStatus
from dashboard.core.runs.progress import Progress
from dashboard.ui.markup import Step, clean
from dashboard.ui.tones import Tone

ACCURACY = ("test:accuracy", "valid:accuracy", "train:accuracy")
ORDER = (RunStatus.STARTING, RunStatus.DOWNLOADING, RunStatus.TRAINING, RunStatus.UPLOADING)
NEARLY = 0.95
TELLING = re.compile(r"(?i:\berror\b|\bkilled\b|no space left|out of memory)|[A-Z]\w*(?:Error|Exception)\b")


def best_metric(run: Run) -> str | None:
    """The name of the most honest accuracy a run reports: on test photos, else validation, else training."""
    return next((name for name in ACCURACY if name in run.metrics), None)


def accuracy(run: Run) -> float | None:
    """That accuracy, 0..1."""
    name = best_metric(run)
    return None if name is None else run.metrics[name]


def matching(runs: Sequence[Run], text: str, tones: Sequence[str]) -> tuple[Run, ...]:
    """The runs whose name, data or instance contains every word of `text`, and whose status has one of the tones."""
    words = text.lower().split()
    return tuple(
        run
        for run in runs
        if (not tones or run.status.tone in tones)
        and all(word in f"{run.name} {run.dataset} {run.instance_type}".lower() for word in words)
    )


def sentence(run: Run, now: datetime) -> str:
    """A run's live sentence: what it is doing for how long, or how it ended."""
    took = duration(run.elapsed(now))
    if run.status.is_active:
        return f"{run.status.word}, begun {took} ago"
    if run.status.is_good:
        return f"completed in {took}{_how_good(run)}"
    return f"{run.status.word} after {took}"


def _how_good(run: Run) -> str:
    name = best_metric(run)
    if name is None:
        return ""
    photos = {"test": "test", "valid": "validation", "train": "training"}[name.split(":")[0]]
    return f", {percent(run.metrics[name], 1)} of the {photos} photos right"


def steps(run: Run, now: datetime) -> list[Step]:
    """The stages a run went through with their seconds, and those still to come."""
    seen: list[Step] = []
    for stage in run.stages:
        status = RunStatus.of_secondary(stage.name)
        if status.is_final:
            continue
        is_open = stage.ended is None and run.status.is_active
        seconds = (now - stage.started).total_seconds() if is_open else stage.seconds
        tone = status.tone if is_open else Tone.DONE
        if seen and seen[-1].name == _named(status):  # AWS lists its own start-up steps one by one
            last = seen.pop()
            seconds = None if seconds is None and last.seconds is None else (seconds or 0) + (last.seconds or 0)
        seen.append(Step(_named(status), tone, seconds, stage.message))
    place = _cut_off(run, [step.name for step in seen])
    if place is not None:
        word, tone = ("failed", Tone.FAILED) if run.status.is_bad else ("stopped", Tone.STOPPED)
        if run.status is RunStatus.OUT_OF_TIME:
            word = "out of time"
        seen[place] = replace(seen[place], tone=tone, word=word)
    if run.status.is_active:
        names = {step.name for step in seen}
        seen += [Step(_named(status), Tone.AHEAD, None, "to come") for status in ORDER if _named(status) not in names]
    return seen


def _cut_off(run: Run, names: Sequence[str]) -> int | None:
    """The place of the stage that did not come to its own end, if there is one.

    What a stop or a failure leaves behind is saved after it, so that the last stage need not be the one.
    """
    stopping, training, saving = map(_named, (RunStatus.STOPPING, RunStatus.TRAINING, RunStatus.UPLOADING))
    if not names or run.status.is_good:
        return None
    if stopping in names[1:]:
        return names.index(stopping) - 1
    if run.status.is_active:
        return None
    is_saved_after = run.status is not RunStatus.FAILED or run.failure.startswith("AlgorithmError")
    if names[-1] == saving and training in names and is_saved_after:
        return names.index(training)
    return len(names) - 1


def _named(status: RunStatus) -> str:
    word = status.word
    return word[:1].upper() + word[1:]


def progress_text(progress: Progress, printed: datetime | None, now: datetime) -> str:
    """What stands on the progress bar: "training the head · 12 of 20 epochs · about 3 s left"."""
    parts = [progress.word or "waiting for its first figures"]
    if progress.done is not None and progress.total:
        parts.append(f"{progress.done:,} of {count(progress.total, '', '')} {progress.unit}".strip())
    if progress.eta_seconds is not None:
        passed = (now - printed).total_seconds() if printed else 0.0
        left = progress.eta_seconds - passed
        if left >= 1:
            parts.append(f"about {duration(left)} left")
        elif (progress.fraction or 0.0) >= NEARLY:
            parts.append("nearly there")
    return " · ".join(parts)


def telling_line(lines: Sequence[str]) -> str:
    """The log line that says most about a failure: the last one that speaks of an error, else the last one."""
    texts = [text for line in lines if (text := clean(line).strip())]
    return next((text for text in reversed(texts) if TELLING.search(text)), texts[-1] if texts else "")
