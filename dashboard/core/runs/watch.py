"""Look at one run of any kind, stop it, and on the embedded AWS take its spot instances back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput, KennelError, NotFound, Refused
from dashboard.core.parallel import gather
from dashboard.core.runs import ec2_runs, tuning
from dashboard.core.runs import listing_sagemaker as sagemaker
from dashboard.core.runs.log import LogLine, LogPage, read_log
from dashboard.core.runs.model import Run, RunKey, RunKind
from dashboard.core.runs.progress import Progress, progress

__all__ = [
    "LogLine",
    "LogPage",
    "Progress",
    "StopResult",
    "children",
    "get_run",
    "interrupt",
    "progress",
    "read_log",
    "stop",
    "stop_many",
]


@dataclass(frozen=True)
class StopResult:
    """What became of one run of several that were to be stopped: the run then, or why it could not be."""

    key: str
    run: Run | None = None
    problem: KennelError | None = None


def get_run(aws: Aws, key: str, known: Run | None = None, now: datetime | None = None) -> Run:
    """One run of any kind as it is now; a `known` reading of it saves reading its tags again.

    `now` tells a launch that broke off from one that goes on (default: the clock). Raises NotFound.
    """
    wanted = RunKey.parse(key)
    if wanted.kind is RunKind.TUNING:
        return tuning.get_tuning(aws, wanted.name)
    if wanted == RunKey.parse(f"ec2:{wanted.name}"):
        return ec2_runs.get_ec2(aws, wanted.name, now or datetime.now(UTC))
    try:
        return sagemaker.describe(aws, sagemaker.TRAININGS, wanted.name, known)
    except NotFound as missing:
        raise NotFound(
            f"there is no run named {wanted.name}",
            "this account has none of that name in this region",
            "choose one under All runs",
        ) from missing


def children(aws: Aws, keys: Iterable[str], known: Iterable[Run] = ()) -> tuple[Run, ...]:
    """A tuning job's trials (TuningFacts.children) as runs, in their order; without those that were deleted.

    Of the `known` ones those that have ended are not asked for again. Raises the errors of `Aws.call`.
    """
    held = {run.key: run for run in known}

    def look(key: str) -> Run | None:
        run = held.get(key)
        if run is not None and run.status.is_final:
            return run
        try:
            return get_run(aws, key, run)
        except NotFound:
            return None  # deleted

    return tuple(run for run in gather(look, keys) if run)


def stop(aws: Aws, key: str) -> Run:
    """Ask a run to stop and return it as it is then. A run that has ended or is stopping is left as it is.

    A training gets time to save its model; a tuning job's trials are stopped with it. Raises NotFound, Refused, and the
    errors of `Aws.call`.
    """
    run = get_run(aws, key)
    if not run.status.can_stop:
        return run
    try:
        if run.is_on_ec2:
            ec2_runs.stop_ec2(aws, run)
        elif run.is_tuning:
            aws.call("sagemaker", "StopHyperParameterTuningJob", HyperParameterTuningJobName=run.name)
        else:
            aws.call("sagemaker", "StopTrainingJob", TrainingJobName=run.name)
    except (InvalidInput, NotFound):
        if not get_run(aws, key, run).status.is_final:
            raise
        # It ended between the look and the call.
    return get_run(aws, key, run)


def stop_many(aws: Aws, keys: Iterable[str]) -> tuple[StopResult, ...]:
    """Stop several runs; one that cannot be stopped does not keep the others from it."""

    def one(key: str) -> StopResult:
        try:
            return StopResult(key, stop(aws, key))
        except KennelError as error:
            return StopResult(key, problem=error)

    return tuple(gather(one, dict.fromkeys(keys), workers=4))


def interrupt(aws: Aws, run: Run, mark: str) -> None:
    """Take a run's spot instances back now, as AWS does at any time. Only the embedded AWS can be asked for that.

    `mark` is new each time: the same one again asks for nothing. Raises Refused on a real account and for a run that
    is not at work on spot instances, and the errors of `Aws.call`.
    """
    if not aws.account.is_embedded:
        raise Refused("AWS cannot be asked to interrupt a run", "only the embedded AWS simulates that", "")
    if not run.can_interrupt:
        raise Refused(
            f"{run.name} cannot be interrupted",
            f"it is {run.status.word}" if run.is_spot else "it does not run on spot instances",
            "",
        )
    marked = [{"Key": tags.INTERRUPT, "Value": mark}]
    if run.is_on_ec2:
        aws.call("ec2", "CreateTags", Resources=[run.instance_id], Tags=marked)
    else:
        aws.call("sagemaker", "AddTags", ResourceArn=run.arn, Tags=marked)
