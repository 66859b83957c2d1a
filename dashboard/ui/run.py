"""One run in words and steps. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from dashboard.core.format import count, duration, percent
from dashboard.core.runs.model import Platform, Run, RunStatus, TuningFacts
from dashboard.core.runs.progress import Progress
from dashboard.ui.markup import Step
from dashboard.ui.tones import Tone

ACCURACY = ("test:accuracy", "valid:accuracy", "train:accuracy")
ORDER = (RunStatus.STARTING, RunStatus.DOWNLOADING, RunStatus.TRAINING, RunStatus.UPLOADING)
PLATFORM_SHAPES = {Platform.SAGEMAKER: "◈", Platform.EC2: "▤"}
STEP_WORDS = {RunStatus.INTERRUPTED: "waiting for spot capacity"}
CUT_OFF = {
    RunStatus.OUT_OF_TIME: "out of time",
    RunStatus.OUT_OF_WAIT: "gave up waiting",
    RunStatus.RECLAIMED: "taken back",
}
NEARLY = 0.95


def best_metric(run: Run) -> str | None:
    """The name of the most honest accuracy a run reports: on test photos, else validation, else training."""
    return next((name for name in ACCURACY if name in run.metrics), None)


def accuracy(run: Run) -> float | None:
    """That accuracy, 0..1."""
    name = best_metric(run)
    return None if name is None else run.metrics[name]


def accuracy_among(known: Mapping[str, Run]) -> Callable[[Run], float | None]:
    """The same of any run; of a tuning job that of its best trial, when that is among the `known` runs by key."""

    def of(run: Run) -> float | None:
        best = known.get(run.tuning.best_key) if run.tuning else None
        return accuracy(best or run)

    return of


def kind(run: Run) -> str:
    """What it is and where, with its shape: "◈ SageMaker · spot", "▤ EC2", "◈ SageMaker · tuning 2/4"."""
    shape = PLATFORM_SHAPES[run.platform]
    more = []
    if run.tuning is not None:
        more.append(f"tuning {run.tuning.ended}/{run.tuning.max_jobs}")
    elif run.parent:
        more.append("trial")
    if run.is_spot:
        more.append("spot")
    return " · ".join([f"{shape} {run.platform.word}", *more])


def sentence(run: Run, now: datetime) -> str:
    """A run's live sentence: what it is doing for how long, or how it ended."""
    took = duration(run.elapsed(now))
    if run.tuning is not None:
        return _tuning_sentence(run, run.tuning, took)
    if run.status.is_active:
        return f"{run.status.word}, begun {took} ago{_how_often(run)}"
    if run.status.is_good:
        return f"completed in {took}{_how_good(run)}{_how_often(run)}"
    return f"{run.status.word} after {took}{_how_often(run)}"


def _tuning_sentence(run: Run, facts: TuningFacts, took: str) -> str:
    trials = f"{facts.ended} of {count(facts.max_jobs, 'trial')} ended"
    best = f", best {facts.objective} {facts.best_value:.4g}" if facts.best_value is not None else ""
    if best and facts.best_key in facts.children:
        best += f" in trial {facts.children.index(facts.best_key) + 1}"
    if run.status.is_active:
        word = "searching" if run.status is RunStatus.TRAINING else run.status.word
        return f"{word} for {took}, {trials}{best}"
    return f"{run.status.word} in {took}, {trials}{best}"


def _how_often(run: Run) -> str:
    times = run.interruptions
    if not times or run.status is RunStatus.RECLAIMED:
        return ""
    return ", interrupted once" if times == 1 else f", interrupted {times} times"


def _how_good(run: Run) -> str:
    name = best_metric(run)
    if name is None:
        return ""
    photos = {"test": "test", "valid": "validation", "train": "training"}[name.split(":")[0]]
    return f", {percent(run.metrics[name], 1)} of the {photos} photos right"


def steps(run: Run, now: datetime) -> list[Step]:
    """The stages a run went through with their seconds, and those still to come.

    After an interruption the stages come again: each time is shown, and the one that was cut off says so.
    """
    seen: list[Step] = []
    since = 0  # where the stages of the present attempt begin
    for stage in run.stages:
        status = RunStatus.of_secondary(stage.name)
        if status.is_final:
            continue
        is_open = stage.ended is None and run.status.is_active
        seconds = (now - stage.started).total_seconds() if is_open else stage.seconds
        tone = Tone(status.tone) if is_open else Tone.DONE
        if status is RunStatus.INTERRUPTED:
            if seen:
                seen[-1] = replace(seen[-1], tone=Tone.WAITING, word="taken back")
            since, tone = len(seen) + 1, Tone.WAITING
            if run.status is RunStatus.RECLAIMED:
                continue  # nothing waits for capacity: the run has ended with it
        if seen and seen[-1].name == _named(status):  # AWS lists its own start-up steps one by one
            last = seen.pop()
            seconds = None if seconds is None and last.seconds is None else (seconds or 0) + (last.seconds or 0)
        seen.append(Step(_named(status), tone, seconds, stage.message))
    place = _cut_off(run, [step.name for step in seen])
    if place is not None:
        word, tone = ("failed", Tone(run.status.tone)) if run.status.is_bad else ("stopped", Tone.STOPPED)
        seen[place] = replace(seen[place], tone=tone, word=CUT_OFF.get(run.status, word))
    if run.status.is_active:
        seen += [Step(_named(status), Tone.AHEAD, None, "to come") for status in _ahead(run, seen[since:])]
    return seen


def _ahead(run: Run, attempt: Sequence[Step]) -> Sequence[RunStatus]:
    """The stages that come after those of the present attempt."""
    names = [step.name for step in attempt]
    if run.status is RunStatus.STOPPING:
        return () if _named(RunStatus.UPLOADING) in names else (RunStatus.UPLOADING,)
    reached = [place for place, status in enumerate(ORDER) if _named(status) in names]
    if _named(RunStatus.RESTARTING) in names:
        reached.append(0)
    return ORDER[max(reached, default=-1) + 1 :]


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
        return len(names) - 1 - names[::-1].index(training)
    return len(names) - 1


def _named(status: RunStatus) -> str:
    word = STEP_WORDS.get(status, status.word)
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
