"""SageMaker's training jobs: created, described, listed, stopped, deleted; what runs them is local_aws.engine."""

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any

from local_aws.engine.errors import EngineError
from local_aws.engine.job import DEFAULT_MAX_RUNTIME, Job, Stage
from local_aws.engine.metrics import Metric, wrong_expression
from local_aws.engine.objects import Location, Objects
from local_aws.engine.queue import TrainingQueue
from local_aws.engine.training import INTERRUPTED
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import sagemaker_job_record as record
from local_aws.services.sagemaker_base import SageMakerBase, arn_of, merged
from local_aws.services.sagemaker_refusals import TRAINING, refuse
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
    """The operations on training jobs. The class that completes it sets `queue`, `objects` and `now`."""

    queue: TrainingQueue
    objects: Objects
    now: Callable[[], float] = staticmethod(time.time)

    def create_training_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return {"TrainingJobArn": self.launch(params, caller)}

    def accept(self, params: Mapping[str, Any], caller: Caller) -> tuple[dict[str, Any], Job]:
        """CreateTrainingJob's checks without its job: the parameters with their defaults, and what would run.

        Raises ServiceError.
        """
        arn = arn_of("training-job", params["TrainingJobName"], caller)
        if self.training_jobs.get(arn):
            raise _in_use(arn)
        refuse(params, TRAINING)
        whole = {"StoppingCondition": {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME}, **params}
        _check(whole)
        job = _job(whole, arn, caller.region)
        self._check_buckets(job, whole["RoleArn"], caller.region)
        return whole, job

    def launch(self, params: Mapping[str, Any], caller: Caller, *, tuning_job_arn: str = "") -> str:
        """Check, record and queue a job; its ARN. tuning_job_arn: of the tuning job that launches it.

        Raises ServiceError.
        """
        whole, job = self.accept(params, caller)
        made = record.new_record(job.arn, whole, merged((), whole.get("Tags", ())), self.now())
        if tuning_job_arn:
            made = {**made, "TuningJobArn": tuning_job_arn}
        if not self.training_jobs.add(job.arn, made):
            raise _in_use(job.arn)
        self.queue.submit(job)
        if (self.training_jobs.get(job.arn) or {}).get("SecondaryStatus") == Stage.STOPPING:
            self.queue.stop(job.arn)  # asked for while the job was on its way into the queue, which could not know yet
        return job.arn

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
                raise ServiceError(
                    "ValidationException",
                    f"The request was rejected because the training job is in status {one['TrainingJobStatus']}.",
                )
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

        What waited waits again; what ran has failed at the time it was last seen running (and is billed up to then);
        what was being stopped is stopped.
        """
        waiting = []
        for one in self.training_jobs.all():
            if one["SecondaryStatus"] == Stage.STARTING:
                waiting.append(one)
            elif not record.is_final(one):
                self.training_jobs.change(one["TrainingJobArn"], self._interrupted)
        self.queue.clean()
        for one in sorted(waiting, key=lambda one: one["CreationTime"]):
            arn = one["TrainingJobArn"]
            self.queue.submit(_job(one["Request"], arn, arn.split(":")[3]))

    def _interrupted(self, one: Document) -> Document:
        seen = max(one["LastModifiedTime"], self.queue.last_seen(one["TrainingJobArn"]))
        return record.reached(one, Stage.FAILED, INTERRUPTED, seen, failure=INTERRUPTED)

    def _training_job(self, params: Mapping[str, Any], caller: Caller) -> Document:
        found = self.training_jobs.get(arn_of("training-job", params["TrainingJobName"], caller))
        if found is None:
            raise ServiceError("ValidationException", "Requested resource not found.")
        return found

    def _check_buckets(self, job: Job, role: str, region: str) -> None:
        """Whether input and output can be reached at all, which SageMaker looks at before it accepts a job."""
        for channel in job.channels:
            if not _has_any(self.objects, channel.source):
                raise ServiceError(
                    "ValidationException",
                    f'No S3 objects found under S3 URL "{channel.source.uri}" given in input data source. Please '
                    f"ensure that the bucket exists in the selected region ({region}), that objects exist under that "
                    f'S3 prefix, and that the role "{role}" has "s3:ListBucket" permissions on bucket '
                    f'"{channel.source.bucket}".',
                )
        try:
            self.objects.find(job.output.bucket, job.output.key)
        except ServiceError as error:
            raise ServiceError(
                "ValidationException", f"The S3OutputPath {job.output.uri} cannot be used: {error.message}"
            ) from error


def _in_use(arn: str) -> ServiceError:
    return ServiceError(
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, and a training job with this name "
        f"already exists ({arn})",
    )


def _check(params: Mapping[str, Any]) -> None:
    """What no single member's shape can say. Raises ServiceError ValidationException."""
    algorithm = params["AlgorithmSpecification"]
    resources = params.get("ResourceConfig", {})
    if not algorithm.get("TrainingImage"):
        raise _wrong("AlgorithmSpecification needs a TrainingImage.")
    for member in ("InstanceType", "InstanceCount"):
        if not resources.get(member):
            raise _wrong(f"ResourceConfig needs an {member} (of at least 1).")
    names = [channel["ChannelName"] for channel in params.get("InputDataConfig", ())]
    if len(set(names)) < len(names):
        raise _wrong("Two channels in InputDataConfig have the same name.")
    if "MaxWaitTimeInSeconds" in params["StoppingCondition"]:
        raise _wrong("MaxWaitTimeInSeconds is only for managed spot training (EnableManagedSpotTraining).")
    for definition in algorithm.get("MetricDefinitions", ()):
        why = wrong_expression(definition["Regex"])
        if why:
            raise _wrong(f"The Regex of metric definition {definition['Name']} is not a regular expression: {why}")


def _wrong(sentence: str) -> ServiceError:
    return ServiceError("ValidationException", sentence)


def _job(params: Mapping[str, Any], arn: str, region: str) -> Job:
    try:
        return Job.from_request(params, arn=arn, region=region)
    except EngineError as error:
        raise _wrong(str(error)) from error


def _has_any(objects: Objects, source: Location) -> bool:
    try:
        return bool(objects.find(source.bucket, source.key))
    except ServiceError:
        return False
