"""One run in words and steps."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.runs.model import Capacity, Platform, Run, RunKind, RunStatus, Stage, TuningFacts
from dashboard.core.runs.progress import Progress
from dashboard.ui import run, run_parts

START = datetime(2026, 11, 3, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def made(status: RunStatus, *stages: tuple[str, float, float | None], **more: object) -> Run:
    return Run(
        name="dogs",
        status=status,
        instance_type="ml.m5.large",
        instance_count=1,
        created=START,
        stages=tuple(Stage(n, at(a), None if b is None else at(b)) for n, a, b in stages),
        **more,
    )


def shown(one: Run, now: float) -> list[tuple[str, str, float | None]]:
    return [(step.name, step.tone, step.seconds) for step in run.steps(one, at(now))]


def test_an_active_run_shows_its_stages_and_those_to_come() -> None:
    one = made(RunStatus.TRAINING, ("Starting", 0, 3), ("Downloading", 3, 5), ("Training", 5, None))
    assert shown(one, 65) == [
        ("Starting", "done", 3),
        ("Fetching data", "done", 2),
        ("Training", "running", 60),
        ("Saving the model", "ahead", None),
    ]


def test_awss_own_start_up_steps_are_one_stage() -> None:
    stages = (("Starting", 0, 2), ("LaunchingMLInstances", 2, 60), ("PreparingTrainingStack", 60, 63))
    one = made(RunStatus.DOWNLOADING, *stages, ("Downloading", 63, None))
    assert shown(one, 64)[:2] == [("Starting", "done", 63), ("Fetching data", "running", 1)]


def test_a_failed_run_failed_in_its_last_stage() -> None:
    one = made(RunStatus.FAILED, ("Starting", 0, 3), ("Training", 3, 9), ("Failed", 9, 9), ended=at(9))
    assert shown(one, 100) == [("Starting", "done", 3), ("Training", "failed", 6)]


def test_a_stopped_run_was_cut_off_in_the_stage_before_its_stop_and_what_it_saved_after_is_done() -> None:
    begun = (("Starting", 0, 3), ("Training", 3, 9))
    saved = (("Stopping", 9, 10), ("Uploading", 10, 11), ("Stopped", 11, 11))
    assert shown(made(RunStatus.STOPPED, *begun, *saved, ended=at(11)), 100) == [
        ("Starting", "done", 3),
        ("Training", "stopped", 6),
        ("Stopping", "done", 1),
        ("Saving the model", "done", 1),
    ]
    late = made(RunStatus.OUT_OF_TIME, *begun, ("Uploading", 9, 10), ("MaxRuntimeExceeded", 10, 10), ended=at(10))
    assert [(step.tone, step.word) for step in run.steps(late, at(100))][1:] == [
        ("failed", "out of time"),
        ("done", ""),
    ]
    active = made(RunStatus.STOPPING, *begun, ("Stopping", 9, None))
    assert shown(active, 12)[1:3] == [("Training", "stopped", 6), ("Stopping", "waiting", 3)]


def test_a_completed_run_shows_no_stage_to_come() -> None:
    one = made(RunStatus.COMPLETED, ("Starting", 0, 3), ("Training", 3, 9), ("Completed", 9, 9), ended=at(9))
    assert [step[1] for step in shown(one, 100)] == ["done", "done"]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (made(RunStatus.TRAINING), "training, begun 1 min 5 s ago"),
        (made(RunStatus.FAILED, ended=at(9)), "failed after 9 s"),
        (made(RunStatus.OUT_OF_TIME, ended=at(60)), "stopped at its time limit after 1 min"),
        (
            made(RunStatus.COMPLETED, ended=at(71), metrics={"test:accuracy": 0.917, "train:accuracy": 1.0}),
            "completed in 1 min 11 s, 91.7 % of the test photos right",
        ),
        (made(RunStatus.COMPLETED, ended=at(71)), "completed in 1 min 11 s"),
        (
            made(RunStatus.COMPLETED, ended=at(71), metrics={"valid:accuracy": 0.9}),
            "completed in 1 min 11 s, 90.0 % of the validation photos right",
        ),
    ],
)
def test_the_sentence_says_what_it_does_or_how_it_ended(one: Run, said: str) -> None:
    assert run.sentence(one, at(65)) == said


def test_time_left_counts_from_the_moment_it_was_printed() -> None:
    seen = Progress(stage="head", fraction=0.6, eta_seconds=30, done=12, total=20, unit="epochs")
    assert run.progress_text(seen, at(0), at(10)) == "training the head · 12 of 20 epochs · about 20 s left"
    assert run.progress_text(seen, at(0), at(60)) == "training the head · 12 of 20 epochs"
    assert run.progress_text(replace(seen, fraction=0.97), at(0), at(60)).endswith("nearly there")
    assert run.progress_text(Progress(), None, at(0)) == "waiting for its first figures"


def test_a_run_that_was_interrupted_shows_each_time_and_what_is_still_to_come() -> None:
    begun = (("Starting", 0, 3), ("Downloading", 3, 5), ("Training", 5, 20))
    again = (("Interrupted", 20, 26), ("Restarting", 26, 27), ("Training", 27, None))
    one = made(RunStatus.TRAINING, *begun, *again)
    assert [(step.name, step.tone, step.word, step.seconds) for step in run.steps(one, at(30))] == [
        ("Starting", "done", "", 3),
        ("Fetching data", "done", "", 2),
        ("Training", "waiting", "taken back", 15),
        ("Waiting for spot capacity", "waiting", "", 6),
        ("Restarting", "done", "", 1),
        ("Training", "running", "", 3),
        ("Saving the model", "ahead", "", None),
    ]
    assert run.sentence(one, at(65)).endswith("ago, interrupted once")


def test_while_it_waits_for_capacity_everything_is_to_come_again() -> None:
    one = made(RunStatus.INTERRUPTED, ("Starting", 0, 3), ("Training", 3, 9), ("Interrupted", 9, None))
    assert shown(one, 12)[2:] == [
        ("Waiting for spot capacity", "waiting", 3),
        ("Starting", "ahead", None),
        ("Fetching data", "ahead", None),
        ("Training", "ahead", None),
        ("Saving the model", "ahead", None),
    ]


def test_a_spot_instance_taken_back_ended_the_training_it_was_in() -> None:
    stages = (("Starting", 0, 3), ("Training", 3, 9), ("Interrupted", 9, 9))
    one = made(RunStatus.RECLAIMED, *stages, ended=at(9))
    assert [(step.name, step.tone, step.word) for step in run.steps(one, at(100))] == [
        ("Starting", "done", ""),
        ("Training", "waiting", "taken back"),
    ]
    assert run.sentence(one, at(100)) == "taken back by EC2 after 9 s"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "◈ SageMaker"),
        ({"capacity": Capacity.SPOT}, "◈ SageMaker · spot"),
        ({"platform": Platform.EC2, "capacity": Capacity.SPOT}, "▤ EC2 · spot"),
        ({"parent": "search"}, "◈ SageMaker · trial"),
        (
            {"tuning": TuningFacts("Bayesian", "valid:loss", "Minimize", 4, 2, {"Completed": 1, "Stopped": 1})},
            "◈ SageMaker · tuning 2/4",
        ),
    ],
)
def test_what_it_is_and_where_is_said_in_words(more: dict[str, object], said: str) -> None:
    assert run.kind(made(RunStatus.TRAINING, **more)) == said


def test_a_tuning_jobs_sentence_counts_its_trials_and_names_the_best() -> None:
    facts = TuningFacts(
        "Bayesian", "valid:loss", "Minimize", 4, 2, {"Completed": 2, "InProgress": 2}, best_key="a", best_value=0.1371
    )
    searching = made(RunStatus.TRAINING, tuning=facts, kind=RunKind.TUNING)
    assert run.sentence(searching, at(65)) == "searching for 1 min 5 s, 2 of 4 trials ended, best valid:loss 0.1371"
    ended = made(RunStatus.COMPLETED, tuning=facts, kind=RunKind.TUNING, ended=at(71))
    assert run.sentence(ended, at(90)) == "completed in 1 min 11 s, 2 of 4 trials ended, best valid:loss 0.1371"


def test_a_run_that_took_longer_than_expected_says_where_its_time_went() -> None:
    stages = (("Downloading", 0.0, 3.2), ("Training", 3.2, 17.2), ("Uploading", 17.2, 25.2))
    done = made(RunStatus.COMPLETED, *stages, ended=at(25.2), training_seconds=26)
    late, soon = (replace(done, tags={"kennel:expected-seconds": told}) for told in ("16", "25"))
    assert run_parts.longer(late) == (
        " It took longer all the same: 14 s training, 8 s saving the model, 3.2 s fetching data."
    )
    assert (run_parts.longer(soon), run_parts.longer(done)) == ("", "")
