"""Trainings that others tell of, recorded with the times they give: nothing runs, and nothing pretends that it did.

A training job or a tuning job asks for it with the tag `kennel:replay`, which counts only beside `kennel:sample` =
true. Its value is when the training began, its seconds, and for managed spot the billable ones:

    2026-09-04T10:15:00Z 663
    2026-09-04T10:15:00Z 1353 577

Of a tuning job it is when the first trial began and what each took. The record has no artifact, no metric and no log,
and each of its stages says why. Pure: documents in, documents out.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_aws.engine.job import Stage
from local_aws.errors import ServiceError
from local_aws.services import sagemaker_job_record as job_record
from local_aws.services import sagemaker_tuning_record as tuning_record
from local_aws.services.sagemaker_tuning_plan import Plan
from local_aws.services.sagemaker_tuning_record import TuningStatus

REPLAY, SAMPLE = "kennel:replay", "kennel:sample"
MESSAGE = "Replayed from a write-up; nothing ran on this machine"
_LONGEST = 28 * 86_400  # seconds, MaxRuntimeInSeconds' own maximum
_MEANING = (
    f"The tag {REPLAY} of a sample takes when the training began and its seconds, and for managed spot the billable "
    "ones, such as 2026-09-04T10:15:00Z 1353 577; it must have ended by now."
)


@dataclass(frozen=True)
class Replay:
    """started: epoch seconds; seconds: of training, of each trial; billed: None when that is the same."""

    started: float
    seconds: int
    billed: int | None = None


def asked(tags: Iterable[Mapping[str, str]], now: float, *, is_spot: bool) -> Replay | None:
    """What a request's tags ask to be replayed; None for one that is to run.

    Raises ServiceError ValidationException for a sample's tag that says something else.
    """
    told = {tag["Key"]: tag.get("Value", "") for tag in tags}
    if REPLAY not in told or told.get(SAMPLE) != "true":
        return None
    began, *figures = told[REPLAY].split()[:4] or [""]
    try:
        started = datetime.fromisoformat(began)
        numbers = [int(figure) for figure in figures]
    except ValueError as wrong:
        raise ServiceError("ValidationException", _MEANING) from wrong
    in_time = (started if started.tzinfo else started.replace(tzinfo=UTC)).timestamp()
    fits = len(numbers) in ((1, 2) if is_spot else (1,)) and all(0 < number <= _LONGEST for number in numbers)
    if not fits or numbers[-1] > numbers[0] or not 0 < in_time <= now - numbers[0]:
        raise ServiceError("ValidationException", _MEANING)
    return Replay(in_time, numbers[0], numbers[1] if len(numbers) == 2 else None)


def training(
    arn: str, request: Mapping[str, Any], tags: list[dict[str, str]], replay: Replay, now: float
) -> dict[str, Any]:
    """A training job that has completed at the times that are told; `now` is when it was written down.

    request: CreateTrainingJob's parameters with their defaults.
    """
    begun = replay.started
    ended = begun + replay.seconds
    spans = ((Stage.STARTING, begun, begun), (Stage.TRAINING, begun, ended), (Stage.COMPLETED, ended, ended))
    told = {"TrainingTimeInSeconds": replay.seconds}
    if replay.billed is not None:
        told["BillableTimeInSeconds"] = replay.billed
    return {
        **job_record.new_record(arn, request, tags, begun),
        "TrainingJobStatus": Stage.COMPLETED.status,
        "SecondaryStatus": str(Stage.COMPLETED),
        "SecondaryStatusTransitions": [
            {"Status": str(stage), "StartTime": start, "EndTime": end, "StatusMessage": MESSAGE}
            for stage, start, end in spans
        ],
        "TrainingStartTime": begun,
        "TrainingEndTime": ended,
        "LastModifiedTime": now,  # who reads only what is new must find it
        "Told": told,
    }


def tuning(
    arn: str, request: Mapping[str, Any], tags: list[dict[str, str]], replay: Replay, now: float
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A completed tuning job and its trials, as many at once as it says, without parameters, values or a best one.

    request: CreateHyperParameterTuningJob's parameters, already checked.
    """
    name = request["HyperParameterTuningJobName"]
    plan = Plan.of(request, arn)
    trials, jobs = [], []
    for number in range(plan.most):
        mark = zlib.crc32(f"{arn} {number}".encode())
        child = f"{name}-{number + 1:03d}-{mark:08x}"
        child_arn = arn.replace(f":hyper-parameter-tuning-job/{name}", f":training-job/{child}")
        one = Replay(replay.started + number // plan.parallel * replay.seconds, replay.seconds, replay.billed)
        job = training(child_arn, plan.training_job(child, {}, tags), tags, one, now) | {"TuningJobArn": arn}
        jobs.append(job)
        trials.append(
            {
                "Name": child,
                "Arn": child_arn,
                "Parameters": {},
                "Created": one.started,
                "Launched": True,
                "Final": tuning_record.final_state(job, plan.objective, ()),
            }
        )
    record = {
        **tuning_record.new_record(arn, request, tags, replay.started),
        "HyperParameterTuningJobStatus": str(TuningStatus.COMPLETED),
        "HyperParameterTuningEndTime": max(job["TrainingEndTime"] for job in jobs),
        "LastModifiedTime": now,
        "Trials": trials,
        "Ending": [str(TuningStatus.COMPLETED), ""],
    }
    if record["HyperParameterTuningEndTime"] > now:
        raise ServiceError("ValidationException", _MEANING)
    return record, jobs
