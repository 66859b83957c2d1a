"""Failures in words: the cause, what to do, and the line that matters."""

import time

import pytest

from dashboard.core.runs.explain import explain, telling_line
from dashboard.core.runs.model import Capacity, Platform, RunKind, RunStatus
from tests.core.runs.made import run

DENIED = (
    "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the GetObject operation: User: "
    "arn:aws:sts::123456789012:assumed-role/KennelTraining/SageMaker is not authorized to perform: s3:GetObject on "
    'resource: "arn:aws:s3:::bucket/datasets/dogs/1.jpg" because no identity-based policy allows it'
)
EMBEDDED_ENDED = "InternalServerError: the embedded AWS stopped while this job was running. Launch the job again."


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.TRAINING, RunStatus.STOPPED])
def test_only_what_ended_badly_is_explained(status):
    assert explain(run(status=status), ["Error: x"]) is None


@pytest.mark.parametrize(
    ("failure", "lines", "what", "next_step"),
    [
        (
            "AlgorithmError: it was killed, most often for lack of memory; its last lines: x, exit code: -9",
            [],
            "out of memory",
            "more memory",
        ),
        ("AlgorithmError: x, exit code: 1", ["RuntimeError: CUDA out of memory."], "out of memory", "smaller batch"),
        ("AlgorithmError: x, exit code: 137", [], "out of memory", "more memory"),
        (
            "ClientError: The volume is full: the job's files take more than the 30 GB of VolumeSizeInGB",
            [],
            "disk was full",
            "larger volume",
        ),
        ("AlgorithmError: x", ["OSError: [Errno 28] No space left on device"], "disk was full", "larger volume"),
        (
            "AlgorithmError: The loss was no number any more in epoch 2, step 7: lower learning_rate, exit code: 1",
            [],
            "diverged",
            "ten times smaller",
        ),
        (
            "ClientError: Data download failed: no S3 objects found under s3://kennel/datasets/dogs/",
            [],
            "data was not there",
            "s3://kennel-123456789012-us-east-1/datasets/dogs/",
        ),
        (
            "AlgorithmError: x, exit code: 1",
            ["ModuleNotFoundError: No module named 'onnxruntime'"],
            "onnxruntime",
            "requirements",
        ),
        ("CapacityError: Unable to provision requested ML compute capacity.", [], "no ml.c5.2xlarge free", "later"),
        (EMBEDDED_ENDED, ["epoch=3/20"], "embedded AWS was ended", "train again"),
        ("InternalServerError: We encountered an internal error.", [], "AWS failed", "not the training's fault"),
        ("", [], "failed", "end of its log"),
    ],
)  # fmt: skip
def test_known_failures_say_what_to_do(failure, lines, what, next_step):
    told = explain(run(status=RunStatus.FAILED, failure=failure), lines)
    assert what in told.what
    assert next_step in told.next_step
    assert told.why


def test_a_denied_call_names_the_action_the_role_and_the_statement_to_ask_for():
    failed = run(
        status=RunStatus.FAILED,
        failure="AlgorithmError: it ended, exit code: 1",
        role="arn:aws:iam::123456789012:role/KennelTraining",
    )
    told = explain(failed, ["epoch=1/20", DENIED, ""])
    assert told.what == "the training was not allowed to s3:GetObject"
    assert "KennelTraining" in told.why
    assert told.statement == {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::bucket/datasets/dogs/1.jpg",
    }
    assert told.line == DENIED


def test_the_trainings_own_sentence_is_left_as_it_is():
    said = "photos of one class only (Beagle): a classifier needs at least two, so add another breed's folder."
    told = explain(run(status=RunStatus.FAILED, failure=f"AlgorithmError: {said}, exit code: 1"), [f"error: {said}"])
    assert told.why == said.removesuffix(",")
    assert "AlgorithmError" not in told.why
    assert "exit code" not in told.why


def test_a_time_limit_says_whether_a_model_or_checkpoints_are_there():
    cut = run(status=RunStatus.OUT_OF_TIME, max_seconds=1800)
    assert "30 min" in explain(cut).why
    assert "resume" not in explain(cut).next_step
    kept = run(status=RunStatus.OUT_OF_TIME, max_seconds=1800, checkpoint_uri="s3://c/", artifact_uri="s3://m")
    assert "was saved" in explain(kept).why
    assert "resume" in explain(kept).next_step


def test_spot_that_never_came_and_spot_that_was_taken_back():
    waited = explain(run(status=RunStatus.OUT_OF_WAIT, max_wait_seconds=7200, capacity=Capacity.SPOT))
    assert "2 h" in waited.why
    assert "on demand" in waited.next_step
    taken = explain(run(status=RunStatus.RECLAIMED, checkpoint_uri="s3://c/"))
    assert "resume it" in taken.next_step
    asked = run(status=RunStatus.RECLAIMED, checkpoint_uri="s3://c/", has_checkpoint=False,
                tags={"kennel:interruptions-per-hour": "60"})  # fmt: skip
    assert explain(asked).why == "simulated: the interruption was asked for with the launch"
    assert explain(asked).next_step.startswith("it was taken back before its first checkpoint: start it again")


def test_the_line_that_matters_is_the_last_that_speaks_of_an_error():
    lines = ["started", "ValueError: first", "KeyError: 'x'", "goodbye"]
    assert telling_line(lines) == "KeyError: 'x'"
    assert telling_line(["one", "two"]) == "two"
    assert telling_line([]) == ""


def test_control_characters_and_binary_are_not_shown():
    told = explain(
        run(status=RunStatus.FAILED, failure="AlgorithmError: x"), ["\x1b[31mValueError: bad\x1b[0m\x00\x07"]
    )
    assert told.line == "ValueError: bad"


def test_a_tuning_job_that_failed_leads_to_its_trials():
    told = explain(run(status=RunStatus.FAILED, kind=RunKind.TUNING, failure="All training jobs failed."))
    assert told.what == "the tuning job ended without a model"
    assert told.why == "All training jobs failed."
    assert "trials" in told.next_step


def on_ec2(**more):
    return run(status=RunStatus.FAILED, platform=Platform.EC2, **more)


def test_an_instance_that_ended_too_early_is_told_as_that():
    gone = on_ec2(failure="Its instance is gone and left no report of its end.", instance_id="i-1")
    assert explain(gone).what == "the instance ended before the training was done"
    assert explain(gone).next_step == "train again"
    kept = on_ec2(failure="EC2 ended the instance.", instance_id="i-1", checkpoint_uri="s3://b/c/")
    assert "resume" in explain(kept).next_step
    assert explain(on_ec2(failure="The launch broke off: no instance.")).what == "the launch broke off"


def test_a_training_that_failed_on_an_instance_is_explained_like_any_other():
    failed = on_ec2(failure="AlgorithmError: MemoryError, exit code: 1", instance_id="i-1")
    assert explain(failed).what == "it ran out of memory"


@pytest.mark.parametrize("letter", ["A", " ", "a=", "Ab9"])
def test_a_line_without_an_end_is_explained_at_once(letter):
    """A photo printed as letters has hundreds of thousands of them, and the page is drawn every second."""
    long = letter * 200_000
    began = time.process_time()
    told = explain(run("x", RunStatus.FAILED, failure=f"AlgorithmError: it broke{long}"), [long] * 20)
    assert time.process_time() - began < 1
    assert told is not None
