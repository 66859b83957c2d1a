"""What is remembered of a tuning job and its trials, and what the API says of them. Pure: documents in, documents out.

A tuning job's document holds "Trials", in the order of their launch:
    {"Name", "Arn", "Parameters": {name: text}, "Created": epoch seconds,
     "Launched": whether its training job was made, "Final": what it ended as, None until then}
Final is a part of the training job's record with "Value" (its final objective, or None) and "Curve" (the values of the
objective in order), so that nothing is lost when the training job is deleted.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from local_aws.services.sagemaker_resources import Document, moment
from local_aws.services.sagemaker_tuning_plan import Plan

_TIMES = ("CreationTime", "TrainingStartTime", "TrainingEndTime")
_KEPT = (*_TIMES, "TrainingJobStatus", "FailureReason")
RETRYABLE = "InternalServerError"  # what a training job's reason begins with when it failed through no fault of its own
IMPROVEMENT = 0.01  # a job that is better than the best before it by less has not improved it (as documented: 1 %)


class TuningStatus(StrEnum):
    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"

    @property
    def is_final(self) -> bool:
        return self in (TuningStatus.COMPLETED, TuningStatus.FAILED, TuningStatus.STOPPED)


def new_record(arn: str, request: Mapping[str, Any], tags: list[dict[str, str]], now: float) -> Document:
    """A tuning job that has just been asked for. request: CreateHyperParameterTuningJob's parameters."""
    return {
        "HyperParameterTuningJobName": request["HyperParameterTuningJobName"],
        "HyperParameterTuningJobArn": arn,
        "HyperParameterTuningJobStatus": str(TuningStatus.IN_PROGRESS),
        "CreationTime": now,
        "LastModifiedTime": now,
        "Request": {name: value for name, value in request.items() if name != "Tags"},
        "Trials": [],
        "Ending": None,
        "Tags": tags,
    }


def status_of(one: Document) -> TuningStatus:
    return TuningStatus(one["HyperParameterTuningJobStatus"])


def final_state(job: Document, objective: str, curve: Sequence[float]) -> dict[str, Any]:
    """What is kept of a training job that has ended. job: its record."""
    value = job["Metrics"].get(objective)
    return {name: job[name] for name in _KEPT if name in job} | {
        "Value": value[0] if value else None,
        "Curve": list(curve),
    }


def state_of(trial: Mapping[str, Any], job: Document | None, objective: str) -> Mapping[str, Any]:
    """How a trial is: from its end, else from its training job's record, else as one that is about to start."""
    if trial["Final"] is not None:
        found: Mapping[str, Any] = trial["Final"]
        return found
    if job is None:
        return {"TrainingJobStatus": "InProgress", "CreationTime": trial["Created"]}
    return final_state(job, objective, ())


def has_objective(state: Mapping[str, Any]) -> bool:
    """Whether an ended trial's objective takes part in the search."""
    return state["TrainingJobStatus"] in ("Completed", "Stopped") and state.get("Value") is not None


def is_retryable(state: Mapping[str, Any]) -> bool:
    """Whether a training job failed through no fault of its own."""
    return bool(state["TrainingJobStatus"] == "Failed" and state.get("FailureReason", "").startswith(RETRYABLE))


def best(trials: Iterable[Mapping[str, Any]], plan: Plan) -> Mapping[str, Any] | None:
    """The completed trial with the best objective; the earlier one of two that are as good."""
    found: Mapping[str, Any] | None = None
    for trial in trials:
        final = trial["Final"]
        if (
            final
            and final["TrainingJobStatus"] == "Completed"
            and final["Value"] is not None
            and plan.is_better(final["Value"], found["Final"]["Value"] if found else None)
        ):
            found = trial
    return found


def not_improving(trials: Sequence[Mapping[str, Any]], plan: Plan) -> int:
    """How many training jobs have ended since one last improved the best objective by 1 % or more."""
    ended = sorted(
        (trial["Final"] for trial in trials if trial["Final"] and has_objective(trial["Final"])),
        key=lambda final: final["TrainingEndTime"],
    )
    reached: float | None = None
    since = 0
    for final in ended:
        least = None
        if reached is not None:
            least = reached - abs(reached) * IMPROVEMENT * (1 if plan.search.minimize else -1)
        if plan.is_better(final["Value"], least):
            reached, since = final["Value"], 0
        else:
            since += 1
    return since


def counters(states: Iterable[Mapping[str, Any]]) -> tuple[dict[str, int], dict[str, int]]:
    """TrainingJobStatusCounters and ObjectiveStatusCounters."""
    jobs = dict.fromkeys(("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped"), 0)
    objectives = dict.fromkeys(("Succeeded", "Pending", "Failed"), 0)
    for state in states:
        status = state["TrainingJobStatus"]
        if status == "Failed":
            jobs["RetryableError" if is_retryable(state) else "NonRetryableError"] += 1
        else:
            jobs["InProgress" if status == "Stopping" else status] += 1
        objectives[_objective_status(state)] += 1
    return jobs, objectives


def summary(one: Document, states: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The tuning job in ListHyperParameterTuningJobs."""
    config = _config(one)
    jobs, objectives = counters(states)
    told = {
        "HyperParameterTuningJobName": one["HyperParameterTuningJobName"],
        "HyperParameterTuningJobArn": one["HyperParameterTuningJobArn"],
        "HyperParameterTuningJobStatus": one["HyperParameterTuningJobStatus"],
        "Strategy": config["Strategy"],
        "CreationTime": moment(one["CreationTime"]),
        "LastModifiedTime": moment(one["LastModifiedTime"]),
        "TrainingJobStatusCounters": jobs,
        "ObjectiveStatusCounters": objectives,
        "ResourceLimits": config["ResourceLimits"],
    }
    if "HyperParameterTuningEndTime" in one:
        told["HyperParameterTuningEndTime"] = moment(one["HyperParameterTuningEndTime"])
    return told


def description(one: Document, states: Sequence[Mapping[str, Any]], now: float) -> dict[str, Any]:
    """The tuning job in DescribeHyperParameterTuningJob. states: those of its trials, in their order."""
    request = one["Request"]
    plan = Plan.of(request, one["HyperParameterTuningJobArn"])
    told = summary(one, states)
    del told["Strategy"], told["ResourceLimits"]
    told |= {
        "HyperParameterTuningJobConfig": _config(one),
        "TrainingJobDefinition": {
            **request["TrainingJobDefinition"],
            "DefinitionName": plan.definition_name,
        },
        "TuningJobCompletionDetails": {"NumberOfTrainingJobsObjectiveNotImproving": not_improving(one["Trials"], plan)},
        "ConsumedResources": {
            "RuntimeInSeconds": int(one.get("HyperParameterTuningEndTime", now) - one["CreationTime"])
        },
    }
    winner = best(one["Trials"], plan)
    if winner:
        told["BestTrainingJob"] = child_summary(winner, winner["Final"], plan)
    if "FailureReason" in one:
        told["FailureReason"] = one["FailureReason"]
    return told


def _config(one: Document) -> dict[str, Any]:
    """The config as asked for, with what was left out: the size of a grid, and that nothing is stopped early."""
    config = one["Request"]["HyperParameterTuningJobConfig"]
    most = Plan.of(one["Request"], one["HyperParameterTuningJobArn"]).most
    limits = {**config["ResourceLimits"], "MaxNumberOfTrainingJobs": most}
    return {"TrainingJobEarlyStoppingType": "Off", **config, "ResourceLimits": limits}


def child_summary(trial: Mapping[str, Any], state: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """A training job in ListTrainingJobsForHyperParameterTuningJob."""
    told = {
        "TrainingJobDefinitionName": plan.definition_name,
        "TrainingJobName": trial["Name"],
        "TrainingJobArn": trial["Arn"],
        "TrainingJobStatus": state["TrainingJobStatus"],
        "TunedHyperParameters": trial["Parameters"],
        "ObjectiveStatus": _objective_status(state),
        **{name: moment(state[name]) for name in _TIMES if name in state},
    }
    if "FailureReason" in state:
        told["FailureReason"] = state["FailureReason"][:1024]
    if state.get("Value") is not None and has_objective(state):
        told["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "Type": "Minimize" if plan.search.minimize else "Maximize",
            "MetricName": plan.objective,
            "Value": state["Value"],
        }
    return told


def _objective_status(state: Mapping[str, Any]) -> str:
    if state["TrainingJobStatus"] in ("InProgress", "Stopping"):
        return "Pending"
    return "Succeeded" if has_objective(state) else "Failed"
