"""A tuning job's way from one moment to the next: its jobs looked at, ended, launched. Each step ends on disk.

A trial is written down before its training job is launched and found again by its name, so that a server that was
killed in between goes on with the same trial.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from local_aws.engine.tuner_stopping import is_hopeless
from local_aws.engine.tuner_strategy import Trial
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import sagemaker_tuning_record as record
from local_aws.services.sagemaker_resources import Document, Resources
from local_aws.services.sagemaker_tuning_plan import Plan
from local_aws.services.sagemaker_tuning_record import TuningStatus

log = logging.getLogger(__name__)

FIRST_JOBS = 5  # when none of so many has succeeded, none will: the tuning job fails, as SageMaker's does
RETRY_SECONDS = 5.0  # until a training job that had no place in the quota is launched again
DELETED = "The training job was deleted before the tuning job saw how it ended."


class Launcher(Protocol):
    """What makes and stops training jobs: local_aws.services.sagemaker_training.TrainingJobs."""

    def launch(self, params: Mapping[str, Any], caller: Caller, *, tuning_job_arn: str = "") -> str: ...

    def stop_training_job(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]: ...


class TuningSteps:
    """`step(arn)` is called by one thread; `measured` and `removed` by those that change training jobs."""

    def __init__(
        self,
        tuning_jobs: Resources,
        training_jobs: Resources,
        launcher: Launcher,
        now: Callable[[], float],
        token: Callable[[], str],
    ) -> None:
        self._tuning_jobs = tuning_jobs
        self._training_jobs = training_jobs
        self._launcher = launcher
        self._now = now
        self._token = token
        self._curves: dict[str, list[float]] = {}  # of training jobs that run, by ARN
        self._removed: dict[str, Document] = {}  # training jobs that were deleted, until they are looked at

    def measured(self, arn: str, value: float) -> None:
        """A training job printed its objective."""
        self._curves.setdefault(arn, []).append(value)

    def removed(self, job: Document) -> None:
        """A training job was deleted; its last record."""
        self._removed[job["TrainingJobArn"]] = job

    def step(self, arn: str) -> float | None:
        """Take the tuning job as far as it gets now. Seconds after which to look again without a change, or None."""
        one = self._tuning_jobs.get(arn)
        if one is None or record.status_of(one).is_final:
            self._forget(arn)
            return None
        plan = Plan.of(one["Request"], arn)
        caller = _caller(arn)
        one = self._note_ends(one, plan)
        running = [trial for trial in one["Trials"] if trial["Final"] is None]
        if record.status_of(one) is TuningStatus.STOPPING:
            self._wind_up(one, running, TuningStatus.STOPPED, "", caller)
            return None
        ending, reason = one["Ending"] or self._ending(one, plan, running)
        if ending:
            if one["Ending"] is None:
                one = self._change(arn, {"Ending": [ending, reason]})
            self._wind_up(one, running, TuningStatus(ending), reason, caller)
            return None
        if plan.stops_early:
            self._stop_hopeless(one, running, plan, caller)
        return self._launch(one, len(running), plan, caller)

    def _forget(self, arn: str) -> None:
        """Nobody asks any more about deleted training jobs of a tuning job that has ended."""
        for job in list(self._removed.values()):
            if job["TuningJobArn"] == arn:
                self._removed.pop(job["TrainingJobArn"], None)
                self._curves.pop(job["TrainingJobArn"], None)

    def _note_ends(self, one: Document, plan: Plan) -> Document:
        """The tuning job with the ends of the training jobs that have ended."""
        trials = [self._looked_at(trial, plan) for trial in one["Trials"]]
        if trials == one["Trials"]:
            return one
        return self._change(one["HyperParameterTuningJobArn"], {"Trials": trials})

    def _looked_at(self, trial: Mapping[str, Any], plan: Plan) -> Mapping[str, Any]:
        arn = trial["Arn"]
        if trial["Final"] is not None or not trial["Launched"]:
            return trial
        job = self._training_jobs.get(arn) or self._removed.get(arn)
        if job is None:
            ended = {"TrainingJobStatus": "Failed", "CreationTime": trial["Created"], "FailureReason": DELETED}
            return {**trial, "Final": {**ended, "TrainingEndTime": self._now(), "Value": None, "Curve": []}}
        if job["TrainingJobStatus"] in ("InProgress", "Stopping"):
            return trial
        self._removed.pop(arn, None)
        return {**trial, "Final": record.final_state(job, plan.objective, self._curves.pop(arn, ()))}

    def _ending(
        self, one: Document, plan: Plan, running: Sequence[Mapping[str, Any]]
    ) -> tuple[TuningStatus | None, str]:
        """Whether the tuning job comes to its end: as what, and why when it has failed."""
        ended = [trial["Final"] for trial in one["Trials"] if trial["Final"] is not None]
        measured = [final for final in ended if record.has_objective(final)]
        # what failed because the server was killed says nothing about the other trainings
        tried = [final for final in ended if not record.is_retryable(final)]
        is_over = len(one["Trials"]) >= plan.most and not running
        if not measured and (is_over or len(tried) >= min(FIRST_JOBS, plan.most)):
            return TuningStatus.FAILED, _why_none(ended, len(ended))
        winner = record.best(one["Trials"], plan)
        if winner and plan.reaches_target(winner["Final"]["Value"]):
            return TuningStatus.COMPLETED, ""
        if plan.patience is not None and record.not_improving(one["Trials"], plan) >= plan.patience:
            return TuningStatus.COMPLETED, ""
        if plan.seconds is not None and self._now() >= one["CreationTime"] + plan.seconds:
            return TuningStatus.COMPLETED, ""
        return (TuningStatus.COMPLETED if is_over else None), ""

    def _wind_up(
        self,
        one: Document,
        running: Sequence[Mapping[str, Any]],
        status: TuningStatus,
        reason: str,
        caller: Caller,
    ) -> None:
        """Stop what runs; the tuning job ends when the last of its training jobs has."""
        for trial in running:
            self._stop(trial, caller)
        arn = one["HyperParameterTuningJobArn"]
        if not any(trial["Launched"] for trial in running):
            changes = {
                "HyperParameterTuningJobStatus": str(status),
                "HyperParameterTuningEndTime": self._now(),
                "Trials": [trial for trial in one["Trials"] if trial["Launched"]],
            }
            self._change(arn, changes | ({"FailureReason": reason[:1024]} if reason else {}))

    def _stop_hopeless(self, one: Document, running: Sequence[Mapping[str, Any]], plan: Plan, caller: Caller) -> None:
        earlier = [
            trial["Final"]["Curve"]
            for trial in one["Trials"]
            if trial["Final"] is not None and record.has_objective(trial["Final"])
        ]
        for trial in running:
            curve = list(self._curves.get(trial["Arn"], ()))
            if is_hopeless(curve, earlier, minimize=plan.search.minimize):
                self._stop(trial, caller)

    def _stop(self, trial: Mapping[str, Any], caller: Caller) -> None:
        job = self._training_jobs.get(trial["Arn"])
        if job is None or job["TrainingJobStatus"] != "InProgress":
            return
        try:
            self._launcher.stop_training_job({"TrainingJobName": trial["Name"]}, caller)
        except ServiceError:  # it came to its end meanwhile, and says so to the next step
            log.info("training job %s had ended already", trial["Name"])

    def _launch(self, one: Document, running: int, plan: Plan, caller: Caller) -> float | None:
        """Launch as many training jobs as may run at once."""
        arn = one["HyperParameterTuningJobArn"]
        left = None if plan.seconds is None else max(0.0, one["CreationTime"] + plan.seconds - self._now())
        while True:
            waiting = next((trial for trial in one["Trials"] if not trial["Launched"]), None)
            if waiting is None:
                if running >= plan.parallel or len(one["Trials"]) >= plan.most:
                    return left
                one = self._change(arn, {"Trials": [*one["Trials"], self._next_trial(one, plan)]})
                running += 1
                continue
            try:
                self._make(one, waiting, plan, caller)
            except ServiceError as refused:
                if refused.code == "ResourceLimitExceeded":  # other jobs use up the quota
                    return RETRY_SECONDS if left is None else min(left, RETRY_SECONDS)
                reason = f"The training job {waiting['Name']} could not be created: {refused.code}: {refused.message}"
                self._change(arn, {"Ending": [str(TuningStatus.FAILED), reason]})
                return 0.0
            one = self._change(
                arn,
                {
                    "Trials": [
                        {**trial, "Launched": True} if trial["Arn"] == waiting["Arn"] else trial
                        for trial in one["Trials"]
                    ]
                },
            )

    def _next_trial(self, one: Document, plan: Plan) -> dict[str, Any]:
        arn, trials = one["HyperParameterTuningJobArn"], one["Trials"]
        told = [
            Trial(
                trial["Parameters"],
                trial["Final"]["Value"] if trial["Final"] and record.has_objective(trial["Final"]) else None,
                trial["Final"] is not None,
            )
            for trial in trials
        ]
        name = f"{one['HyperParameterTuningJobName']}-{len(trials) + 1:03d}-{self._token()}"
        return {
            "Name": name,
            "Arn": f"{arn.rpartition(':')[0]}:training-job/{name}",
            "Parameters": plan.search.choose(told),
            "Created": self._now(),
            "Launched": False,
            "Final": None,
        }

    def _make(self, one: Document, trial: Mapping[str, Any], plan: Plan, caller: Caller) -> None:
        arn = one["HyperParameterTuningJobArn"]
        job = self._training_jobs.get(trial["Arn"])
        if job is not None and job.get("TuningJobArn") == arn:
            return  # launched by a server that was killed before it could write that down
        request = plan.training_job(trial["Name"], trial["Parameters"], list(one["Tags"]))
        self._launcher.launch(request, caller, tuning_job_arn=arn)

    def _change(self, arn: str, changes: Mapping[str, Any]) -> Document:
        now = self._now()
        after = self._tuning_jobs.change(arn, lambda one: {**one, **changes, "LastModifiedTime": now})
        if after is None:  # only what has ended can be deleted, and nothing ends but by this thread
            raise KeyError(arn)
        return after


def _why_none(ended: Sequence[Mapping[str, Any]], count: int) -> str:
    """In SageMaker's own words."""
    if any(final["TrainingJobStatus"] == "Completed" for final in ended):
        return (
            f"No objective metrics found after running {count} training jobs. Please ensure that the custom algorithm "
            "is emitting the objective metric as defined by the regular expression provided."
        )
    return (
        f"No training job succeeded after {count} attempts. Please take a look at the training job failures to get "
        "more details."
    )


def _caller(arn: str) -> Caller:
    """The tuning job itself, as the one who asks for its training jobs."""
    region, account = arn.split(":")[3:5]
    return Caller(account, region, "", arn)
