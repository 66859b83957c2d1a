"""SageMaker's tuning jobs: created, described, listed, stopped, deleted. The search itself is local_aws.engine's."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from local_aws.engine.container import TUNING_OBJECTIVE
from local_aws.engine.tuner import Tuner
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import sagemaker_replay as replay
from local_aws.services import sagemaker_training_checks as checks
from local_aws.services import sagemaker_tuning_record as record
from local_aws.services.sagemaker_base import arn_of, merged
from local_aws.services.sagemaker_resources import Document, last_shown, listing_digest, take
from local_aws.services.sagemaker_training import TrainingJobs
from local_aws.services.sagemaker_tuning_plan import Plan
from local_aws.services.sagemaker_tuning_record import TuningStatus
from local_aws.services.sagemaker_tuning_steps import TuningSteps

KIND = "hyper-parameter-tuning-job"
OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"


class Tunings(TrainingJobs):
    """The operations on tuning jobs. They need the queue: `start_tuning()` comes after it, `stop_tuning()` before."""

    tuner: Tuner
    steps: TuningSteps

    def start_tuning(self) -> None:
        """Go on with the tuning jobs that were on their way when the server ended."""
        self.steps = TuningSteps(self.tuning_jobs, self.training_jobs, self, self.now, lambda: secrets.token_hex(4))
        self.tuner = Tuner(self.steps.step)
        self.training_jobs.listeners.append(self._child_changed)
        for one in self.tuning_jobs.all():
            if not record.status_of(one).is_final:
                self.tuner.wake(one["HyperParameterTuningJobArn"])

    def stop_tuning(self) -> None:
        self.tuner.close()

    def create_hyper_parameter_tuning_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        name = params["HyperParameterTuningJobName"]
        arn = arn_of(KIND, name, caller)
        if self.tuning_jobs.get(arn):
            raise _in_use(arn)
        plan = Plan.of(params, arn)
        tags = merged((), params.get("Tags", ()))
        # what its training jobs would be refused for, the tuning job is refused for here and now
        _, job = self.accept(plan.training_job(f"{name}-001-00000000", plan.search.choose(()), tags), caller)
        told = self._replay({**plan.definition, "Tags": tags})
        if told:
            return self._add_replayed(*replay.tuning(arn, params, tags, told, self.now()))
        at_once = job.instance_count * min(plan.parallel, plan.most)
        checks.check_quota(self.around, replace(job, instance_count=at_once), self._active())
        if not self.tuning_jobs.add(arn, record.new_record(arn, params, tags, self.now())):
            raise _in_use(arn)
        self.tuner.wake(arn)
        return {"HyperParameterTuningJobArn": arn}

    def _add_replayed(self, one: Document, jobs: Sequence[Document]) -> dict[str, Any]:
        arn = one["HyperParameterTuningJobArn"]
        for job in jobs:  # before the tuning job: whoever is interrupted here asks again, and finds them
            self.training_jobs.add(job["TrainingJobArn"], job)
        if not self.tuning_jobs.add(arn, one):
            raise _in_use(arn)
        return {"HyperParameterTuningJobArn": arn}

    def describe_hyper_parameter_tuning_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return self.tuning_description(self._tuning_job(params, caller))

    def tuning_description(self, one: Document) -> dict[str, Any]:
        return record.description(one, self._states(one), self.now())

    def list_hyper_parameter_tuning_jobs(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found, more = self.tuning_jobs.page(caller.region, params, newest_first=False, sort_by="Name")
        return {"HyperParameterTuningJobSummaries": [record.summary(one, self._states(one)) for one in found], **more}

    def list_training_jobs_for_hyper_parameter_tuning_job(
        self, params: dict[str, Any], caller: Caller
    ) -> dict[str, Any]:
        one = self._tuning_job(params, caller)
        arn = one["HyperParameterTuningJobArn"]
        plan = Plan.of(one["Request"], arn)
        told = {trial["Arn"]: record.child_summary(trial, state, plan) for trial, state in self._trials(one)}
        wanted, field = params.get("StatusEquals"), params.get("SortBy", "Name")
        keys = [
            (_sorted_by(child, field), key)
            for key, child in told.items()
            if wanted in (None, child["TrainingJobStatus"])
            # as documented: in this order, what has no objective is not listed
            and (field != "FinalObjectiveMetricValue" or OBJECTIVE in child)
        ]
        descending = params.get("SortOrder", "Ascending") == "Descending"
        digest = listing_digest(arn, caller.region, params)
        after = last_shown(params["NextToken"], digest) if params.get("NextToken") else None
        left = [key for key in keys if after is None or (key < after if descending else key > after)]
        found, more = take(sorted(left, reverse=descending), told, params, digest)
        return {"TrainingJobSummaries": found, **more}

    def stop_hyper_parameter_tuning_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        arn = self._tuning_job(params, caller)["HyperParameterTuningJobArn"]
        now = self.now()

        def stopping(one: Document) -> Document:
            status = record.status_of(one)
            if status.is_final:
                raise ServiceError(
                    "ValidationException",
                    f"The request was rejected because the hyperparameter tuning job is in status {status}.",
                )
            return {**one, "HyperParameterTuningJobStatus": str(TuningStatus.STOPPING), "LastModifiedTime": now}

        self.tuning_jobs.change(arn, stopping)
        self.tuner.wake(arn)
        return {}

    def delete_hyper_parameter_tuning_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """The tuning job's own entry goes; its training jobs and their artifacts stay."""
        one = self._tuning_job(params, caller)
        if not record.status_of(one).is_final:
            raise ServiceError(
                "ResourceInUse",
                f"The hyperparameter tuning job {one['HyperParameterTuningJobName']} is {record.status_of(one)}. Stop "
                "it first.",
            )
        self.tuning_jobs.remove(one["HyperParameterTuningJobArn"])
        return {}

    def _child_changed(self, before: Document | None, after: Document | None) -> None:
        """Called with every change of a training job; a tuning job hears of what matters to it."""
        one = after or before or {}
        arn = one.get("TuningJobArn")
        if arn is None:
            return
        objective = one["Request"]["HyperParameters"][TUNING_OBJECTIVE]
        new, old = (side["Metrics"].get(objective) if side else None for side in (after, before))
        if after is not None and new is not None and new is not old:
            self.steps.measured(after["TrainingJobArn"], new[0])
        elif after is not None and before is not None and after["TrainingJobStatus"] == before["TrainingJobStatus"]:
            return
        if after is None:
            self.steps.removed(one)
        self.tuner.wake(arn)

    def _trials(self, one: Document) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """The trials that have a training job, each with its state."""
        objective = one["Request"]["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
        found = ((trial, self.training_jobs.get(trial["Arn"])) for trial in one["Trials"])
        return [(trial, record.state_of(trial, job, objective)) for trial, job in found if job or trial["Launched"]]

    def _states(self, one: Document) -> Sequence[Mapping[str, Any]]:
        return [state for _, state in self._trials(one)]

    def _tuning_job(self, params: Mapping[str, Any], caller: Caller) -> Document:
        name = params["HyperParameterTuningJobName"]
        found = self.tuning_jobs.get(arn_of(KIND, name, caller))
        if found is None:
            raise ServiceError(
                "ResourceNotFound", f"Amazon SageMaker can't find a tuning job with the name {name}. Check the name."
            )
        return found


def _sorted_by(child: Mapping[str, Any], field: str) -> Any:
    match field:
        case "CreationTime":
            return child["CreationTime"].timestamp()
        case "Status":
            return child["TrainingJobStatus"]
        case "FinalObjectiveMetricValue":
            return child[OBJECTIVE]["Value"]
        case _:
            return child["TrainingJobName"]


def _in_use(arn: str) -> ServiceError:
    return ServiceError(
        "ResourceInUse",
        "Hyperparameter tuning job names must be unique within an AWS account and region, and a tuning job with this "
        f"name already exists ({arn})",
    )
