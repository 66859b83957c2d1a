"""SageMaker's training jobs: created, described, listed, stopped, deleted; what runs them is local_aws.engine."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local_aws.engine import spot
from local_aws.engine.errors import EngineError
from local_aws.engine.job import DEFAULT_MAX_RUNTIME, Job, Spot, Stage
from local_aws.engine.metrics import Metric
from local_aws.engine.objects import Objects
from local_aws.engine.queue import TrainingQueue
from local_aws.engine.training import INTERRUPTED, SERVER_STOPPED
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import sagemaker_job_record as record
from local_aws.services import sagemaker_replay as replay
from local_aws.services import sagemaker_training_checks as checks
from local_aws.services.sagemaker_base import SageMakerBase, arn_of, merged
from local_aws.services.sagemaker_refusals import TRAINING, UPDATE, refuse
from local_aws.services.sagemaker_resources import Document, Resources

log = logging.getLogger(__name__)


class JobReports:
    """Writes down how running jobs go."""

    def __init__(self, jobs: Resources, now: Callable[[], float]) -> None:
        self._jobs = jobs
        self._now = now

    def reached(self, job: Job, stage: Stage, message: str, *, failure: str = "", artifact: str = "") -> None:
        now = self._now()

        def change(one: Document) -> Document:
            return record.reached(one, stage, message, now, failure=failure, artifact=artifact)

        try:
            self._jobs.change(job.arn, change)
        except sqlite3.Error:  # a full disk: the job goes on, and its next stage is written with this one
            log.exception("training job %s", job.name)
            self._jobs.change(job.arn, change, keep=False)

    def measured(self, job: Job, metric: Metric) -> None:
        # the next stage writes it to disk with the rest; a commit for each value would be slower than training
        self._jobs.change(job.arn, lambda one: record.measured(one, metric), keep=False)


class TrainingJobs(SageMakerBase):
    """The operations on training jobs. The class that completes it sets `queue`, `objects`, `around` and `now`."""

    queue: TrainingQueue
    objects: Objects
    around: checks.Surroundings = checks.Surroundings()
    _launching = threading.Lock()  # between a look at the quota and the job that uses it
    now: Callable[[], float] = staticmethod(time.time)

    def create_training_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return {"TrainingJobArn": self.launch(params, caller)}

    def accept(self, params: Mapping[str, Any], caller: Caller) -> tuple[dict[str, Any], Job]:
        """CreateTrainingJob's checks without its job: the parameters with their defaults, and what would run.

        Quotas are looked at when a job is launched. Raises ServiceError.
        """
        arn = arn_of("training-job", params["TrainingJobName"], caller)
        if self.training_jobs.get(arn):
            raise _in_use(arn)
        refuse(params, TRAINING)
        condition = {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME, **params.get("StoppingCondition", {})}
        whole = {**params, "StoppingCondition": condition}
        checks.check_request(whole)
        job = _job(whole, arn, _plan(params.get("Tags", ())), self.now())
        checks.check_role(self.around, whole["RoleArn"], arn)
        checks.check_network(self.around, whole, caller.region)
        if not self._replay(whole):  # which reads no data and writes none
            checks.check_buckets(self.storage_of(job.role, caller.region), job, caller.region)
        return whole, job

    def _replay(self, params: Mapping[str, Any]) -> replay.Replay | None:
        is_spot = bool(params.get("EnableManagedSpotTraining"))
        return replay.asked(params.get("Tags", ()), self.now(), is_spot=is_spot)

    def launch(self, params: Mapping[str, Any], caller: Caller, *, tuning_job_arn: str = "") -> str:
        """Check, record and queue a job; its ARN. tuning_job_arn: of the tuning job that launches it.

        Raises ServiceError.
        """
        whole, job = self.accept(params, caller)
        told = self._replay(whole)
        if told:
            replayed = replay.training(job.arn, whole, merged((), whole.get("Tags", ())), told, self.now())
            if not self.training_jobs.add(job.arn, replayed):
                raise _in_use(job.arn)
            return job.arn
        made = record.new_record(job.arn, whole, merged((), whole.get("Tags", ())), self.now())
        if job.spot:
            made = {**made, "Interruptions": _plan(whole.get("Tags", ()))}  # tags can change, and the plan must not
        if tuning_job_arn:
            made = {**made, "TuningJobArn": tuning_job_arn}
        with self._launching:
            checks.check_quota(self.around, job, self._active())
            if not self.training_jobs.add(job.arn, made):
                raise _in_use(job.arn)
        self.queue.submit(job)
        if (self.training_jobs.get(job.arn) or {}).get("SecondaryStatus") == Stage.STOPPING:
            self.queue.stop(job.arn)  # asked for while the job was on its way into the queue, which could not know yet
        return job.arn

    def _active(self) -> list[Document]:
        return [one for one in self.training_jobs.all() if not record.is_final(one)]

    def add_tags(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        arn = params["ResourceArn"]
        before = _tag(self.training_jobs.get(arn), spot.INTERRUPT)
        answer = super().add_tags(params, caller)
        after = _tag(self.training_jobs.get(arn), spot.INTERRUPT)
        if after is not None and after != before:
            self.queue.interrupt(arn)  # nothing happens to a job that is not on spot capacity, or has none now
        return answer

    def update_training_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """What can be changed of a running job are the profiler, warm pools and remote debugging: none are here."""
        found = self._training_job(params, caller)
        refuse(params, UPDATE)
        if record.is_final(found):
            raise _rejected(found)
        return {"TrainingJobArn": found["TrainingJobArn"]}

    def describe_training_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return record.description(self._training_job(params, caller))

    def list_training_jobs(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if params.get("WarmPoolStatusEquals") or params.get("TrainingPlanArnEquals"):
            return {"TrainingJobSummaries": []}  # no job here has a warm pool or a training plan
        found, more = self.training_jobs.page(caller.region, params, newest_first=False)
        return {"TrainingJobSummaries": [record.summary(one) for one in found], **more}

    def stop_training_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        arn = self._training_job(params, caller)["TrainingJobArn"]
        now = self.now()

        def stopping(one: Document) -> Document:
            if record.is_final(one):
                raise _rejected(one)
            return record.reached(one, Stage.STOPPING, "Stopping the training job", now)

        self.training_jobs.change(arn, stopping)
        self.queue.stop(arn)
        return {}

    def delete_training_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found = self._training_job(params, caller)
        if not record.is_final(found):
            raise ServiceError(
                "ResourceInUse",
                f"The training job {found['TrainingJobName']} is {found['TrainingJobStatus']}. Stop it first.",
            )
        self.training_jobs.remove(found["TrainingJobArn"])
        return {}

    def resume_training_jobs(self) -> None:
        """After a start of the server: no job stays InProgress that nobody runs.

        What waited waits again; a spot job that ran was Interrupted and starts again, from its checkpoints if it has
        any; any other that ran has failed at the time it was last seen running (and is billed up to then); what was
        being stopped is stopped.
        """
        for one in self._active():
            arn = one["TrainingJobArn"]
            if one["SecondaryStatus"] == Stage.STARTING:
                continue
            if one["Request"].get("EnableManagedSpotTraining") and one["SecondaryStatus"] != Stage.STOPPING:
                self.training_jobs.change(arn, self._taken_away)
            else:
                self.training_jobs.change(arn, self._interrupted)
        self.queue.clean()
        for one in sorted(self._active(), key=lambda one: one["CreationTime"]):
            plan = one.get("Interruptions", {})
            self.queue.submit(_job(one["Request"], one["TrainingJobArn"], plan, one["CreationTime"], one))

    def _interrupted(self, one: Document) -> Document:
        return record.reached(one, Stage.FAILED, INTERRUPTED, self._last_seen(one), failure=INTERRUPTED)

    def _taken_away(self, one: Document) -> Document:
        interrupted = record.reached(one, Stage.INTERRUPTED, SERVER_STOPPED, self._last_seen(one))
        return record.reached(
            interrupted, Stage.STARTING, "Starting the training job again after an interruption", self.now()
        )

    def _last_seen(self, one: Document) -> float:
        return max(float(one["LastModifiedTime"]), self.queue.last_seen(one["TrainingJobArn"]))

    def _training_job(self, params: Mapping[str, Any], caller: Caller) -> Document:
        found = self.training_jobs.get(arn_of("training-job", params["TrainingJobName"], caller))
        if found is None:
            raise ServiceError("ValidationException", "Requested resource not found.")
        return found


def _rejected(one: Document) -> ServiceError:
    return checks.wrong(f"The request was rejected because the training job is in status {one['TrainingJobStatus']}.")


def _in_use(arn: str) -> ServiceError:
    return ServiceError(
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, and a training job with this name "
        f"already exists ({arn})",
    )


def _job(
    params: Mapping[str, Any],
    arn: str,
    plan: Mapping[str, str],
    created: float,
    before: Document | None = None,
) -> Job:
    """What would run. plan: the tags that plan interruptions; created: when it was asked for.

    before: its record, if servers before this one ran it. Raises ServiceError ValidationException.
    """
    try:
        if not params.get("EnableManagedSpotTraining"):
            return Job.from_request(params, arn=arn, region=arn.split(":")[3])
        longest = params["StoppingCondition"]["MaxWaitTimeInSeconds"]
        moments = spot.interruptions(plan, arn)
        trained = record.seconds_in(before, Stage.TRAINING) if before else 0.0
        special = Spot(longest, created + longest, moments, trained)
        return Job.from_request(params, arn=arn, region=arn.split(":")[3], spot=special)
    except (EngineError, ValueError) as error:
        raise checks.wrong(str(error)) from error


def _plan(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Those of a job's tags that say when a spot job's capacity is taken away."""
    planning = (spot.INTERRUPT_AFTER, spot.INTERRUPTIONS_PER_HOUR)
    return {tag["Key"]: tag["Value"] for tag in tags if tag["Key"] in planning}


def _tag(document: Document | None, key: str) -> str | None:
    return next((tag["Value"] for tag in (document or {}).get("Tags", ()) if tag["Key"] == key), None)
