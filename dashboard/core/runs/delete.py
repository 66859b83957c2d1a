"""Delete runs that have ended: planned, confirmed, then done. What a model still in use needs is kept."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, NotFound, ServiceFault
from dashboard.core.format import count, size
from dashboard.core.parallel import gather
from dashboard.core.runs.log import delete_log
from dashboard.core.runs.model import Run
from dashboard.core.runs.requests_ec2 import RUNS, index_key
from dashboard.core.s3_address import parts

LOG = "its log in CloudWatch"
BATCH = 1000  # keys of one DeleteObjects
PAGES = 50
"""1,000 objects each: more of one run are not deleted at once."""


@dataclass(frozen=True)
class Deletion:
    """What deleting one run would do. `objects` and `size` (bytes) are what lies in S3 below `prefixes`."""

    run: Run
    goes: tuple[str, ...]
    stays: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    objects: int = 0
    size: int = 0
    refusal: str = ""  # why it is not deleted at all

    @property
    def is_possible(self) -> bool:
        return not self.refusal


@dataclass(frozen=True)
class DeletePlan:
    """Several deletions, to be confirmed together."""

    deletions: tuple[Deletion, ...]
    with_artifacts: bool

    @property
    def possible(self) -> tuple[Deletion, ...]:
        return tuple(one for one in self.deletions if one.is_possible)

    @property
    def refused(self) -> tuple[Deletion, ...]:
        return tuple(one for one in self.deletions if not one.is_possible)

    @property
    def objects(self) -> int:
        return sum(one.objects for one in self.possible)

    @property
    def size(self) -> int:
        return sum(one.size for one in self.possible)


@dataclass(frozen=True)
class Deleted:
    """What became of one deletion."""

    key: str
    problem: KennelError | None = None


def plan_delete(
    aws: Aws,
    runs: Iterable[Run],
    *,
    with_artifacts: bool,
    served: Collection[str] = (),
    registered: Collection[str] = (),
    others: Sequence[Run] = (),
) -> DeletePlan:
    """What would go and what would stay. Nothing is deleted here.

    Runs that go on are refused. `served` are the artifacts (S3 addresses), or the names of runs, that endpoints serve;
    `registered` the artifacts that are versions in the model registry: both stay. `others` are the account's runs:
    checkpoints that another run goes on from stay. Raises the errors of `Aws.call`.
    """
    wanted = list(runs)
    keys = {run.key for run in wanted}
    used = {run.checkpoint_uri for run in others if run.key not in keys and run.checkpoint_uri}

    def one(run: Run) -> Deletion:
        return _deletion(aws, run, with_artifacts, {*served}, {*registered}, used)

    return DeletePlan(tuple(gather(one, wanted, workers=8)), with_artifacts)


def delete(aws: Aws, plan: DeletePlan) -> tuple[Deleted, ...]:
    """Carry the plan out. One that fails does not keep the others from it; what is gone already counts as deleted."""

    def one(deletion: Deletion) -> Deleted:
        try:
            _delete(aws, deletion)
        except KennelError as error:
            return Deleted(deletion.run.key, error)
        return Deleted(deletion.run.key)

    return tuple(gather(one, plan.possible, workers=4))


def _deletion(
    aws: Aws, run: Run, with_artifacts: bool, served: set[str], registered: set[str], used: set[str]
) -> Deletion:
    if run.status.is_active:
        return Deletion(run, (), (), refusal=f"it is {run.status.word}: stop it first")
    kind = "its record in S3" if run.is_on_ec2 else "the tuning job's record" if run.is_tuning else "the job's record"
    # A log that stayed would be mixed with that of the next run of this name.
    goes, stays = ([kind, LOG], []) if with_artifacts and not run.is_tuning else ([kind], [LOG])
    if run.is_tuning:
        stays = ["its trials, which are runs of their own"]
        return Deletion(run, tuple(goes), tuple(stays))
    is_served = bool(served & {run.artifact_uri, run.name, run.key} - {""})
    is_registered = run.artifact_uri in registered - {""}
    is_needed = is_served or is_registered
    prefixes = _prefixes(run, aws.account.bucket, used) if with_artifacts and not is_needed else ()
    if run.is_on_ec2 and not prefixes:
        # Its record lies beside its model; only what lists it goes, so that the model stays where it is.
        goes = ["its entry in the list of runs", *goes[1:]]
        stays.append("its record, model and checkpoints in S3")
    found = [_measured(aws, prefix) for prefix in prefixes]
    objects, total = sum(number for number, _ in found), sum(length for _, length in found)
    if objects:
        goes.append(f"{count(objects, 'object')} in S3 ({size(total)}): model, output and checkpoints")
    elif is_served:
        stays.append("its model, which an endpoint serves")
    elif is_registered:
        stays.append("its model, which is a version in the model registry")
    elif not with_artifacts and run.artifact_uri and not run.is_on_ec2:
        stays.append(f"its model at {run.artifact_uri}")
    if run.checkpoint_uri in used:
        stays.append("its checkpoints, from which another run goes on")
    return Deletion(run, tuple(goes), tuple(stays), prefixes, objects, total)


def _prefixes(run: Run, bucket: str, used: set[str]) -> tuple[str, ...]:
    """The folders that are this run's alone: in Kennel's own bucket, and with its name as a folder in them."""
    own = f"s3://{bucket}/"
    if run.is_on_ec2:
        folder = f"{own}{RUNS}{run.name}/"
        return (f"{folder}output/",) if any(uri.startswith(folder) for uri in used) else (folder,)
    folders = [f"{run.output_uri.rstrip('/')}/{run.name}/"] if run.output_uri else []
    checkpoints = f"{run.checkpoint_uri.rstrip('/')}/"
    if run.checkpoint_uri not in ("", *used) and f"/{run.name}/" in checkpoints:
        folders.append(checkpoints)
    return tuple(dict.fromkeys(folder for folder in folders if folder.startswith(own)))


def _measured(aws: Aws, prefix: str) -> tuple[int, int]:
    """How many objects lie below an address, and their bytes."""
    found = [(one["Key"], int(one.get("Size", 0))) for one in _objects(aws, prefix)]
    return len(found), sum(length for _, length in found)


def _objects(aws: Aws, prefix: str) -> list[dict[str, Any]]:
    bucket, key = parts(prefix)
    try:
        pages = list(aws.pages("s3", "ListObjectsV2", limit=PAGES, Bucket=bucket, Prefix=key))
    except NotFound:
        return []  # no such bucket any more
    return [one for page in pages for one in page.get("Contents", [])]


def _delete(aws: Aws, deletion: Deletion) -> None:
    """The files first and the record last: while the record is there, the deletion can be tried again."""
    for prefix in deletion.prefixes:
        delete_objects(aws, prefix)
    run = deletion.run
    if LOG in deletion.goes:
        delete_log(aws, run.key)
    try:
        if run.is_on_ec2:
            aws.call("s3", "DeleteObject", Bucket=aws.account.bucket, Key=index_key(run.name, run.created))
        elif run.is_tuning:
            aws.call("sagemaker", "DeleteHyperParameterTuningJob", HyperParameterTuningJobName=run.name)
        else:
            aws.call("sagemaker", "DeleteTrainingJob", TrainingJobName=run.name)
    except NotFound:
        return  # somebody else was first


def delete_objects(aws: Aws, prefix: str) -> None:
    """Every object below an address. Raises ServiceFault when some of them stay, and the errors of `Aws.call`."""
    bucket, _ = parts(prefix)
    keys = [{"Key": one["Key"]} for one in _objects(aws, prefix)]
    for first in range(0, len(keys), BATCH):
        batch = {"Objects": keys[first : first + BATCH], "Quiet": True}
        failed = aws.call("s3", "DeleteObjects", Bucket=bucket, Delete=batch).get("Errors", [])
        if failed:
            raise ServiceFault(
                f"{count(len(failed), 'object')} below {prefix} could not be deleted",
                f"{failed[0].get('Key', '')}: {failed[0].get('Message') or failed[0].get('Code', '')}",
                "try again; what is gone already does not come back",
            )
